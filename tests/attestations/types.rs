//! Short names of predicate types when attestations are verified: all spellings and versions, and nothing else.

use std::fs;

use serde_json::json;

use crate::bench::Bench;
use crate::support::image;

/// An image with one attestation of this predicate type.
fn attested(predicate_type: &str) -> Bench {
    let bench = Bench::new(&["alice"]);
    let image = image::image(1);
    bench.layout("build", &[("v1", &image)]);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": "app", "digest": {"sha256": image.digest().hex()}}],
        "predicateType": predicate_type,
        "predicate": document(predicate_type),
    });
    fs::write(bench.path("s.json"), statement.to_string()).unwrap();
    bench.ok(&["attest", "oci:build:v1", "--key", "alice.key", "--statement", "s.json"]);
    bench
}

/// A document of this type.
fn document(predicate_type: &str) -> serde_json::Value {
    let package = json!({"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1"});
    let vulns = json!({"scanner": {"uri": "https://scanner.example", "db": {"lastUpdate": "2026-11-01T00:00:00Z"},
        "result": []}, "metadata": {"scanStartedOn": "2026-11-02T00:00:00Z", "scanFinishedOn": "2026-11-02T00:00:00Z"}});
    match predicate_type {
        kind if kind.starts_with("https://spdx.dev") => json!({"spdxVersion": "SPDX-2.3", "name": "app",
            "documentNamespace": "https://sbom.example/1",
            "creationInfo": {"created": "2026-11-01T00:00:00Z", "creators": ["Tool: t"]}, "packages": [package]}),
        kind if kind.starts_with("https://cyclonedx.org") => json!({"bomFormat": "CycloneDX", "specVersion": "1.6",
            "metadata": {"timestamp": "2026-11-01T00:00:00Z"}, "components": [{"type": "library", "name": "a"}]}),
        kind if kind.contains("/vulns/") => vulns,
        "https://slsa.dev/provenance/v1" => json!({"buildDefinition": {"buildType": "https://b.example/v1",
            "externalParameters": {}}, "runDetails": {"builder": {"id": "https://b.example"}}}),
        kind if kind.contains("rovenance") => json!({"buildType": "https://b.example/v1",
            "builder": {"id": "https://b.example"}}),
        _ => json!({}),
    }
}

#[test]
fn a_short_name_stands_for_every_spelling() {
    for (predicate_type, accepted, refused) in [
        ("https://spdx.dev/Document", &["spdx", "spdxjson"][..], &["cyclonedx", "custom", "vuln"][..]),
        ("https://spdx.dev/Document/v2.3", &["spdx", "spdxjson"], &["cyclonedx", "https://spdx.dev/Document"]),
        ("https://cyclonedx.org/bom/v1.6", &["cyclonedx"], &["spdx", "https://cyclonedx.org/bom"]),
        ("https://in-toto.io/attestation/vulns/v0.1", &["vulns"], &["vuln", "vex"]),
        ("https://slsa.dev/provenance/v0.2", &["slsa", "slsaprovenance", "slsaprovenance02"], &["slsaprovenance1"]),
        ("https://slsa.dev/provenance/v1", &["slsa", "slsaprovenance1"], &["slsaprovenance", "vsa"]),
        ("https://example.com/a/v1", &["https://example.com/a/v1"], &["https://example.com/a/v2", "custom"]),
        ("https://spdx.dev/Documents", &["https://spdx.dev/Documents"], &["spdx"]),
    ] {
        let bench = attested(predicate_type);
        let verify = |kind| ["verify", "oci:build:v1", "--key", "alice.pub", "--type", kind];
        accepted.iter().chain([&predicate_type]).for_each(|kind| drop(bench.ok(&verify(kind))));
        refused.iter().for_each(|kind| drop(bench.refused(&verify(kind))));
    }
}
