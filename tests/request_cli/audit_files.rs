//! `request log verify --against-file`: matches the signatures of a file with the log, and misses none.

use std::fs;

use serde_json::Value;

use crate::bench::Bench;
use crate::bench::ProgramOutput;

/// A file that alice signed by a request, with its log.
fn signed_once() -> Bench {
    let bench = Bench::new(&["alice", "bob"]);
    fs::write(bench.path("app.txt"), "release 1.0\n").unwrap();
    bench.ok(&["request", "new", "--file", "app.txt", "-o", "r", "--owner", "alice=alice.pub"]);
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    bench.ok(&["request", "attach", "r", "a"]);
    bench
}

fn audit(bench: &Bench, file: &str, more: &[&str]) -> ProgramOutput {
    let command = ["request", "log", "verify", "log", "--key", "alice.pub", "--against-file", file];
    bench.run(&[&command[..], more].concat())
}

const BUNDLE: [&str; 2] = ["--bundle", "app.txt.alice.sigstore.json"];
const PLAIN: [&str; 2] = ["--signature", "app.txt.alice.sig"];

#[test]
fn each_signature_of_a_file_has_its_line() {
    let bench = signed_once();
    for signatures in [&BUNDLE[..], &PLAIN, &[BUNDLE, PLAIN].concat()] {
        let found = audit(&bench, "app.txt", signatures);
        assert_eq!(found.code, Some(0), "{found:?}");
    }
    let report = audit(&bench, "./app.txt", &[&BUNDLE[..], &["--output", "json"]].concat());
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let matched = &report["results"][0]["matched"];
    assert_eq!((matched.as_array().unwrap().len(), &matched[0]["line"]), (1, &Value::from(1)), "{report}");
    assert_eq!(matched[0]["reference"], "./app.txt");
}

#[test]
fn a_signature_of_a_file_outside_of_the_log_is_found() {
    let bench = signed_once();
    fs::write(bench.path("other.txt"), "release 2.0\n").unwrap();
    bench.ok(&["sign-blob", "other.txt", "--key", "alice.key", "--bundle", "other"]);
    for more in [&["--bundle", "other"][..], &["--bundle", "other", "--any-name"]] {
        let found = audit(&bench, "other.txt", more);
        assert!(found.code == Some(1) && found.err.contains("1 of 1 signatures have no line"), "{found:?}");
    }
    // An attestation about the file is a signature too.
    fs::write(bench.path("predicate.json"), "{}").unwrap();
    let attest = ["attest-blob", "app.txt", "--key", "alice.key", "--type", "https://example.com/x", "--predicate"];
    bench.ok(&[&attest[..], &["predicate.json", "--bundle", "attested"]].concat());
    assert_eq!(audit(&bench, "app.txt", &["--bundle", "attested"]).code, Some(1));
    // A good one beside it does not hide it.
    assert_eq!(audit(&bench, "app.txt", &[&BUNDLE[..], &["--bundle", "attested"]].concat()).code, Some(1));
    // A signature by another key is ignored: beside a logged one it changes nothing, and alone nothing is compared.
    bench.ok(&["sign-blob", "app.txt", "--key", "bob.key", "--bundle", "bob"]);
    assert_eq!(audit(&bench, "app.txt", &[&BUNDLE[..], &["--bundle", "bob"]].concat()).code, Some(0));
    let found = audit(&bench, "app.txt", &["--bundle", "bob"]);
    assert!(found.code == Some(2) && found.err.contains("nothing compared  app.txt"), "{found:?}");
}

#[test]
fn a_changed_file_or_a_bundle_of_another_one_compares_nothing() {
    let bench = signed_once();
    fs::write(bench.path("other.txt"), "release 2.0\n").unwrap();
    bench.ok(&["sign-blob", "other.txt", "--key", "alice.key", "--bundle", "other"]);
    fs::create_dir(bench.path("changed")).unwrap();
    fs::write(bench.path("changed/app.txt"), "release 1.1\n").unwrap();
    for (file, signatures) in
        [("changed/app.txt", BUNDLE), ("changed/app.txt", PLAIN), ("app.txt", ["--bundle", "other"])]
    {
        let found = audit(&bench, file, &[&signatures[..], &["--output", "json"]].concat());
        assert_eq!(found.code, Some(2), "{found:?}");
        assert!(found.err.contains(&format!("nothing compared  {file}")), "{found:?}");
        let report: Value = serde_json::from_str(&found.out).unwrap();
        assert_eq!(report["results"][0]["audited"][0]["signatures"], 0, "{report}");
    }
}

#[test]
fn a_line_counts_for_the_name_and_the_digest_that_it_says() {
    let bench = signed_once();
    fs::copy(bench.path("app.txt"), bench.path("renamed.txt")).unwrap();
    let found = audit(&bench, "renamed.txt", &PLAIN);
    assert!(found.code == Some(1) && found.err.contains("--any-name") && found.err.contains("app.txt"), "{found:?}");
    assert_eq!(audit(&bench, "renamed.txt", &[&PLAIN[..], &["--any-name"]].concat()).code, Some(0));
    // The digest that a bundle states has no part in it: the key signed this file.
    let text = fs::read_to_string(bench.path("app.txt.alice.sigstore.json")).unwrap();
    let mut bundle: Value = serde_json::from_str(&text).unwrap();
    bundle["messageSignature"]["messageDigest"]["digest"] = Value::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    fs::write(bench.path("lying"), bundle.to_string()).unwrap();
    let found = audit(&bench, "app.txt", &["--bundle", "lying", "--output", "json"]);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!((found.code, &report["results"][0]["matched"][0]["line"]), (Some(0), &Value::from(1)), "{report}");
}

#[test]
fn what_cannot_be_read_of_a_file_is_could_not_tell() {
    let bench = signed_once();
    let text = fs::read_to_string(bench.path("app.txt.alice.sigstore.json")).unwrap();
    fs::write(bench.path("cut"), &text[..text.len() - 2]).unwrap();
    for more in [&["--bundle", "cut"][..], &["--bundle", "gone"], &[&BUNDLE[..], &["--bundle", "cut"]].concat()] {
        assert_eq!(audit(&bench, "app.txt", more).code, Some(2), "{more:?}");
    }
    assert_eq!(audit(&bench, "gone.txt", &BUNDLE).code, Some(2));
    // Without signatures nothing is audited, and without a file these options are an error.
    assert_eq!(audit(&bench, "app.txt", &[]).code, Some(2));
    let alone = ["request", "log", "verify", "log", "--key", "alice.pub", "--bundle", "app.txt.alice.sigstore.json"];
    assert_eq!(bench.run(&alone).code, Some(2));
}
