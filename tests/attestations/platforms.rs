//! Documents about platforms: each platform has its own, and none is attested to another.

use std::collections::BTreeSet;
use std::fs;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::import;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify::verify;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKinds;
use bulla::policy::Threshold;
use bulla::store::Images;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use serde_json::Value;

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

/// A layout is read at the first poll.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a local store does not wait"),
    }
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

// `Platforms::Each` proves that the platforms are attested, and nothing of the index.
#[test]
fn the_proof_of_platforms_is_none_of_their_index() {
    let bench = bench();
    bench.ok(&[&ATTEST[..], &ARM, &AMD].concat());
    let index = image::multi_arch(3, &["linux/amd64", "linux/arm64"]);
    let key = PublicKey::parse(&fs::read(bench.path("alice.pub")).unwrap()).unwrap();
    let trust = TrustRoot::pinned([key]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let policy = Policy::one(Requirement::new("attested", StatementKinds::named("custom").unwrap(), quorum));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
    let reference: Reference = format!("oci:{}:v1", bench.path("build").display()).parse().unwrap();
    let (source, which) = Images::local(Limits::DEFAULT).open(&reference).unwrap();
    let options = VerifyOptions::new(&verifier, Time::parse("2026-11-27T00:00:00Z").unwrap());
    let verified = ready(verify(source.as_ref(), &which, &Platforms::Each, options)).unwrap();
    let subjects: BTreeSet<_> = verified.subjects().map(|subject| *subject.digest()).collect();
    assert_eq!(subjects, index.children.iter().map(image::TestImage::digest).collect());
    assert!(matches!(verified.outcome().verdict, Verdict::NotRequired));
    assert!(verified.outcome().is_accepted() && verified.outcome().required().count() == 2);
    // By the index and every manifest it is refused, as before; and it cannot be imported by its platforms.
    assert!(ready(verify(source.as_ref(), &which, &Platforms::All, options)).unwrap_err().is_refusal());
    let import = ready(import::check(source.as_ref(), &which, &Platforms::Each, options)).unwrap_err();
    assert!(import.to_string().contains("an import verifies the index itself"), "{import}");
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

const REQUEST: [&str; 8] =
    ["request", "new", "oci:build:v1", "-o", "request.json", "--owner", "a=alice.pub", "--all-platforms"];

/// The attestations of the request, by the digest that each is about.
fn asked(bench: &Bench) -> Vec<(String, String)> {
    let request: Value = serde_json::from_slice(&fs::read(bench.path("request.json")).unwrap()).unwrap();
    let items = request["items"].as_array().unwrap();
    let attested = items.iter().filter(|item| item.get("attest").is_some());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    attested.map(|item| (text(&item["digest"]), item["attest"]["predicate"].to_string())).collect()
}

#[test]
fn a_request_asks_for_the_document_of_each_platform() {
    let bench = bench();
    let each = ["--attest", "custom=linux/arm64=arm.json", "--attest", "custom=linux/amd64=amd.json"];
    bench.ok(&[&REQUEST[..], &each, &["--attest-only"]].concat());
    let multi = image::multi_arch(3, &["linux/amd64", "linux/arm64"]);
    let of = |n: usize, name: &str| (multi.children[n].digest().to_string(), format!("{{\"for\":\"{name}\"}}"));
    assert_eq!(asked(&bench), [of(0, "amd"), of(1, "arm")], "the index has none");
    bench.ok(&["request", "sign", "request.json", "--key", "alice.key", "-o", "answer.json", "--yes"]);
    bench.ok(&["request", "attach", "request.json", "answer.json"]);
    for (platform, name) in [("linux/amd64", "amd"), ("linux/arm64", "arm")] {
        let verify = ["verify", "oci:build:v1", "--key", "alice.pub", "--type", "custom", "--platform", platform];
        let found = bench.ok(&[&verify[..], &["--output", "predicate"]].concat()).out;
        assert_eq!(found.trim_end(), format!("{{\"for\":\"{name}\"}}"), "{platform}");
    }
    bench.refused(&["verify", "oci:build:v1", "--key", "alice.pub", "--type", "custom"]);
    // Each type has its own set of documents, and image signatures are asked for as ever.
    let other = ["--attest", "https://example.com/a=b=linux/amd64=amd.json"];
    let other = [&other[..], &["--attest", "https://example.com/a=b=linux/arm64=amd.json"]].concat();
    bench.ok(&[&REQUEST[..], &each, &other, &["--attest", "urn:test:all=amd.json", "--overwrite"]].concat());
    assert_eq!(asked(&bench).len(), 2 + 2 + 3);
    let request = fs::read_to_string(bench.path("request.json")).unwrap();
    assert!(request.contains("https://example.com/a=b\""), "{request}");
}

#[test]
fn a_request_without_the_document_of_a_platform_is_an_error() {
    let bench = bench();
    let (amd, arm) = ("custom=linux/amd64=amd.json", "custom=linux/arm64=arm.json");
    for (documents, more, why) in [
        (&[amd][..], &[][..], "linux/arm64, and no document is given for it"),
        (&[amd, "urn:other=linux/arm64=arm.json"], &[], "no document is given for it"),
        (&[amd, arm, "custom=windows/amd64=amd.json"], &[], "no manifest for windows/amd64"),
        (&[amd, arm, "custom=linux/arm64/v8=amd.json"], &[], "two documents are given for linux/arm64/v8"),
        (&[amd, arm], &["oci:build:one"], "about one image, and several are given"),
    ] {
        let documents: Vec<_> = documents.iter().flat_map(|document| ["--attest", document]).collect();
        let refused = bench.unknown(&[&REQUEST[..], &documents, more].concat());
        assert!(refused.err.contains(why), "{why}: {}", refused.err);
    }
    let refused = bench.unknown(&[&REQUEST[..7], &["--attest", amd]].concat());
    assert!(refused.err.contains("--all-platforms"), "{}", refused.err);
    assert!(!bench.path("request.json").exists());
}
