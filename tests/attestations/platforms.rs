//! Documents about platforms: each platform has its own, and none is attested to another.

use std::fs;

use crate::bench::Bench;
use crate::payloads::payloads;
use crate::support::image;

fn bench() -> Bench {
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::multi_arch(3, &["linux/amd64", "linux/arm64"])), ("one", &image::image(1))]);
    for name in ["amd", "arm"] {
        fs::write(bench.path(&format!("{name}.json")), format!("{{\"for\":\"{name}\"}}")).unwrap();
    }
    bench
}

const ATTEST: [&str; 7] = ["attest", "oci:build:v1", "--key", "alice.key", "--type", "custom", "--all-platforms"];
const AMD: [&str; 2] = ["--predicate", "linux/amd64=amd.json"];
const ARM: [&str; 2] = ["--predicate", "linux/arm64=arm.json"];

#[test]
fn each_platform_has_its_own_document() {
    let bench = bench();
    bench.ok(&[&ATTEST[..], &ARM, &AMD].concat());
    for (platform, name) in [("linux/amd64", "amd"), ("linux/arm64", "arm")] {
        let verify = ["verify", "oci:build:v1", "--key", "alice.pub", "--type", "custom", "--platform", platform];
        let found = bench.ok(&[&verify[..], &["--output", "predicate"]].concat()).out;
        assert_eq!(found.trim_end(), format!("{{\"for\":\"{name}\"}}"), "{platform}");
    }
    assert_eq!(payloads(&bench, "build").len(), 2, "the index has none");
    bench.refused(&["verify", "oci:build:v1", "--key", "alice.pub", "--type", "custom"]);
    let again = bench.ok(&[&ATTEST[..], &ARM, &AMD, &["--if-missing"]].concat()).out;
    assert_eq!(again.matches("already").count(), 2, "{again}");
}

#[test]
fn a_platform_without_its_document_is_an_error() {
    let bench = bench();
    let before = bench.snapshot("build");
    let (windows, same) = (["--predicate", "windows/amd64=amd.json"], ["--predicate", "linux/arm64/v8=amd.json"]);
    for (predicates, why) in [
        (&[AMD][..], "linux/arm64, and no document is given for it"),
        (&[AMD, ARM, windows], "no manifest for windows/amd64"),
        (&[AMD, ARM, same], "two documents are given for linux/arm64/v8"),
        (&[AMD, ["--predicate", "arm.json"]], "several documents are for several platforms"),
        (&[["--predicate", "arm.json"], AMD], "several documents are for several platforms"),
    ] {
        let refused = bench.unknown(&[&ATTEST[..], &predicates.concat()].concat());
        assert!(refused.err.contains(why), "{why}: {}", refused.err);
    }
    let one = ["attest", "oci:build:one", "--key", "alice.key", "--type", "custom", "--all-platforms"];
    let refused = bench.unknown(&[&one[..], &AMD].concat());
    assert!(refused.err.contains("not an index of platforms"), "{}", refused.err);
    let two = bench.unknown(&[&ATTEST[..], &AMD, &ARM, &["oci:build:one"]].concat());
    assert!(two.err.contains("about one image, and several are given"), "{}", two.err);
    assert_eq!(bench.snapshot("build"), before);
}

// One SBOM for all platforms would be false about each of them but one.
#[test]
fn one_sbom_or_scan_is_not_attested_to_all_platforms() {
    let bench = bench();
    let before = bench.snapshot("build");
    for kind in ["spdx", "cyclonedx", "vuln", "vulns", "https://spdx.dev/Document/v2.3"] {
        let attest = ["attest", "oci:build:v1", "--key", "alice.key", "--type", kind, "--all-platforms"];
        let refused = bench.unknown(&[&attest[..], &["--predicate", "amd.json"]].concat());
        assert!(refused.err.contains("false about the other platforms"), "{kind}: {}", refused.err);
        let asked = format!("{kind}=amd.json");
        let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "a=alice.pub", "--attest", &asked];
        let refused = bench.unknown(&[&new[..], &["--all-platforms"]].concat());
        assert!(refused.err.contains("false about the other platforms"), "{kind}: {}", refused.err);
    }
    assert_eq!(bench.snapshot("build"), before);
    let slsa = [&ATTEST[..5], &["slsa", "--all-platforms", "--predicate", "amd.json"]].concat();
    assert!(!bench.run(&slsa).err.contains("false about"), "provenance may be about the index");
}

// Without `--all-platforms` a file may be named like a platform and another file.
#[test]
fn a_file_name_with_an_equals_sign_is_a_file_name() {
    let bench = bench();
    fs::create_dir(bench.path("linux")).unwrap();
    fs::write(bench.path("linux/a=b.json"), "{}").unwrap();
    bench.ok(&["attest", "oci:build:one", "--key", "alice.key", "--type", "custom", "--predicate", "linux/a=b.json"]);
}
