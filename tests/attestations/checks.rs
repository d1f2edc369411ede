//! Predicates of known types are checked before they are signed, with the JSON Pointer of each mistake.

use std::fs;

use serde_json::json;

use crate::bench::Bench;
use crate::support::image;

#[test]
fn a_mistake_is_named_with_its_path_and_nothing_is_signed() {
    let bench = Bench::new(&["alice"]);
    let image = image::image(1);
    bench.layout("build", &[("v1", &image)]);
    let before = bench.snapshot("build");
    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    fs::write(bench.path("p.json"), sbom.to_string()).unwrap();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": image.digest().hex()}}],
        "predicateType": "https://cyclonedx.org/bom/v1.6",
        "predicate": sbom,
    });
    fs::write(bench.path("s.json"), statement.to_string()).unwrap();
    let attest = ["attest", "oci:build:v1", "--key", "alice.key"];
    let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "a=alice.pub"];
    for command in [
        [&attest[..], &["--type", "cyclonedx", "--predicate", "p.json"]].concat(),
        [&attest[..], &["--statement", "s.json"]].concat(),
        [&new[..], &["--attest", "cyclonedx=p.json"]].concat(),
        [&new[..], &["--statement", "s.json"]].concat(),
        ["attest-blob", "s.json", "--key", "alice.key", "--type", "cyclonedx", "--predicate", "p.json"].to_vec(),
    ] {
        let refused = bench.unknown(&command);
        assert!(refused.err.contains("/metadata/timestamp: "), "{command:?}: {}", refused.err);
        assert!(refused.err.contains("/components: "), "{command:?}: {}", refused.err);
    }
    for (kind, why) in [("spdx", "a CycloneDX document, not an SBOM"), ("vulns", "not a vulnerability scan")] {
        let refused = bench.run(&[&attest[..], &["--type", kind, "--predicate", "p.json"]].concat());
        assert_eq!(refused.code, Some(2), "{kind}, {why}: {}", refused.err);
    }
    assert_eq!(bench.snapshot("build"), before);
    assert!(!bench.path("r").exists() && !bench.path("s.json.sigstore.json").exists());
    // What such a document means is not known under a type of one's own.
    bench.ok(&[&attest[..], &["--type", "https://example.com/sbom", "--predicate", "p.json"]].concat());
}
