//! Finished statements: signed as they are, about the image that they name and no other.

use std::fs;

use serde_json::json;

use crate::bench::Bench;
use crate::payloads::payloads;
use crate::support::image;

/// A statement of this type, about `digest` and another artifact, in a spelling that no serializer writes.
fn statement(kind: &str, digest: &str) -> String {
    format!(
        "{{ \"predicate\" : {{ \"b\": 1.0e+02, \"a\":\"\\u0041<&>\u{2028}\", \"c\" : [ ] }},\n \"predicateType\":\
         \"https://example.com/p/v1\",\n \"subject\" : [ {{\"name\":\"other\", \"digest\":{{\"sha256\":\"{}\"}}}},\
         {{\"digest\": {{\"sha256\" : \"{digest}\"}}, \"annotations\": {{\"n\": 1}} }} ], \"_type\":\"{kind}\" }}",
        "ab".repeat(32)
    )
}

fn bench() -> (Bench, String) {
    let bench = Bench::new(&["alice", "bob"]);
    let image = image::image(1);
    bench.layout("build", &[("v1", &image)]);
    (bench, image.digest().hex())
}

const ATTEST: [&str; 6] = ["attest", "oci:build:v1", "--key", "alice.key", "--statement", "s.json"];

#[test]
fn a_finished_statement_is_signed_byte_for_byte() {
    for kind in ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"] {
        let (bench, digest) = bench();
        let text = statement(kind, &digest);
        fs::write(bench.path("s.json"), format!("\n{text}\n")).unwrap();
        bench.ok(&[&ATTEST[..], &["--format", "both"]].concat());
        assert_eq!(payloads(&bench, "build"), [text.clone(), text]);
        let verify = ["verify", "oci:build:v1", "--key", "alice.pub"];
        let typed = [&verify[..], &["--type", "https://example.com/p/v1"]].concat();
        bench.ok(&typed);
        let predicates = bench.ok(&[&typed[..], &["--output", "predicate"]].concat()).out;
        assert!(predicates.contains("{ \"b\": 1.0e+02, \"a\":\"\\u0041<&>\u{2028}\", \"c\" : [ ] }"), "{predicates}");
        bench.refused(&verify);
        bench.refused(&[&verify[..], &["--type", "https://example.com/p/v2"]].concat());
    }
}

#[test]
fn a_statement_about_another_image_is_not_signed() {
    let (bench, digest) = bench();
    let before = bench.snapshot("build");
    let other = "cd".repeat(32);
    let with_two = statement("https://in-toto.io/Statement/v1", &digest)
        .replace(&format!("\"sha256\" : \"{digest}\""), &format!("\"sha256\" : \"{digest}\", \"sha512\": \"{other}\""));
    for text in [
        statement("https://in-toto.io/Statement/v1", &other),
        statement("https://in-toto.io/Statement/v1", &digest.to_uppercase()),
        // Verifiers know one digest of the image, and the other could be that of something else.
        with_two,
    ] {
        fs::write(bench.path("s.json"), text).unwrap();
        let refused = bench.unknown(&ATTEST);
        assert!(refused.err.contains(&format!("not about sha256:{digest}")), "{}", refused.err);
        let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "bob=bob.pub", "--statement", "s.json"];
        let refused = bench.unknown(&new);
        assert!(refused.err.contains("about none of the images"), "{}", refused.err);
        assert!(!bench.path("r").exists());
    }
    assert_eq!(bench.snapshot("build"), before);
}

#[test]
fn what_no_verifier_would_read_is_not_signed() {
    let (bench, digest) = bench();
    let before = bench.snapshot("build");
    let whole = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest}}],
        "predicateType": "https://example.com/p",
        "predicate": {},
    });
    let with = |field: &str, value| {
        let mut changed = whole.clone();
        changed[field] = value;
        changed.to_string()
    };
    let mut without = whole.clone();
    without.as_object_mut().unwrap().remove("predicate");
    for (text, why) in [
        (without.to_string(), "predicate"),
        (with("predicate", json!([])), "predicate"),
        (with("predicateType", json!("")), "predicate type"),
        // An attestation must not become an image signature when it is read (threats: attestation-as-signature).
        (with("predicateType", json!("https://sigstore.dev/cosign/sign/v1")), "image signature"),
        (with("_type", json!("https://in-toto.io/Statement/v2")), "statement type"),
        (with("subject", json!([])), "subject"),
        (whole.to_string().replacen('{', "{\"predicateType\":\"https://example.com/q\",", 1), "predicateType"),
        ("[]".to_owned(), "in-toto statement"),
    ] {
        fs::write(bench.path("s.json"), &text).unwrap();
        let refused = bench.unknown(&ATTEST);
        assert!(refused.err.starts_with("error: s.json: ") && refused.err.contains(why), "{text}: {}", refused.err);
    }
    bench.unknown(&[&ATTEST[..], &["--type", "custom"]].concat());
    bench.unknown(&[&ATTEST[..], &["--all-platforms"]].concat());
    assert_eq!(bench.snapshot("build"), before);
}

#[test]
fn a_request_carries_a_finished_statement() {
    let (bench, digest) = bench();
    let text = statement("https://in-toto.io/Statement/v0.1", &digest);
    fs::write(bench.path("s.json"), &text).unwrap();
    let new = ["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub", "--statement", "s.json"];
    bench.ok(&[&new[..], &["--attest-only", "--format", "both"]].concat());
    let shown = bench.ok(&["request", "show", "r"]).out;
    for row in [
        "   attest     https://example.com/p/v1\n   forms      Sigstore bundle and .att tag\n".to_owned(),
        format!("   subject    sha256:{}", "ab".repeat(2)),
        "   as         other\n".to_owned(),
        "   signed     n=1\n".to_owned(),
        format!(
            "   statement  {} bytes\n   statement  {}\n",
            text.len(),
            bulla::digest::Digest::sha256(text.as_bytes())
        ),
        "     | { \"predicate\" : { \"b\": 1.0e+02".to_owned(),
    ] {
        assert!(shown.contains(&row), "{row} is not in\n{shown}");
    }
    let report = bench.json(&["request", "show", "r", "--output", "json"]);
    let item = &report["results"][0]["items"][0];
    assert_eq!(item["statement"], json!(text));
    assert_eq!(item["predicateType"], json!("https://example.com/p/v1"));
    assert!(item["predicate"].as_str().unwrap().starts_with("{ \"b\": 1.0e+02"), "{item}");

    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes"]);
    bench.ok(&["request", "attach", "r", "a"]);
    assert_eq!(payloads(&bench, "build"), [text.clone(), text]);
    bench.ok(&["verify", "oci:build:v1", "--key", "alice.pub", "--type", "https://example.com/p/v1"]);
    // What the request had signed is what `attest` would sign.
    let again = bench.ok(&[&ATTEST[..], &["--format", "both", "--if-missing"]].concat()).out;
    assert!(again.contains("already"), "{again}");
}
