//! `inspect` of envelopes: everything that they say is shown, and nothing is verified.

use std::fs;
use std::process::Command;

use bulla::envelope::InspectedSignature;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::SigningScheme;
use bulla::envelope::Strictness;
use bulla::envelope::Thumbprints;
use bulla::limits::Limits;
use serde_json::Value;
use serde_json::json;

use super::scene::*;

/// The exit code, `is.signature` of the report, and the text.
fn inspect(bytes: &[u8]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("envelope"), bytes).unwrap();
    let run = |output: &str| {
        Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(["inspect", "envelope", "--output", output])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let out = run("json");
    let report: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
    let text = String::from_utf8(run("text").stdout).unwrap();
    (out.status.code().unwrap(), report["is"]["signature"].clone(), text)
}

#[test]
fn what_an_envelope_says_is_shown_and_marked_as_not_verified() {
    let Some(scene) = SCENE.as_ref() else { return };
    let begin = scene.tsa.certificate.not_before().unix();
    for format in [NotaryFormat::Jws, NotaryFormat::Cose] {
        let attributes = NotaryAttributes::new(SigningScheme::X509, scene.after(60))
            .with_expiry(scene.after(120))
            .with_extended("example/unknown", "a value", true)
            .with_extended("example/other", "b", false);
        let signing = Signing { attributes, format, timestamp: Some((&scene.tsa, begin)), ..scene.signing() };
        let (code, shown, text) = inspect(&signing.bytes());
        assert_eq!(code, 0, "{text}");
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("is ") && first.ends_with("(nothing in it was verified)"), "{text}");
        let expected = json!([
            { "critical": true, "name": "example/unknown", "value": "a value" },
            { "critical": false, "name": "example/other", "value": "b" },
        ]);
        assert_eq!(shown["attributes"], expected);
        assert!(text.contains("example/unknown=a value (not known: verification refuses it)"), "{text}");
        assert_eq!(shown["signingTime"], json!(scene.after(60).to_string()));
        assert_eq!(shown["expiry"], json!(scene.after(120).to_string()));
        assert_eq!(shown["payload"]["targetArtifact"]["digest"], json!(image().to_string()));
        assert_eq!(shown["certificates"].as_array().unwrap().len(), 2);
        assert_eq!(shown["certificates"][0]["sha256"], json!(scene.leaf.certificate.digest().hex()));
        assert_eq!(shown["timestamp"]["authority"]["subject"], json!(scene.tsa.certificate.subject().to_string()));
        assert!(text.contains("CN=Clock"), "{text}");
        assert_eq!(shown["strictError"], Value::Null);
        // The signature does not hold, and it is shown all the same: nothing is verified.
        let mut changed = signing.bytes();
        let parsed = NotaryEnvelope::parse(format, &changed, &Limits::DEFAULT, Strictness::Strict).unwrap();
        if format == NotaryFormat::Cose {
            let signature = parsed.signature().to_vec();
            let at = changed.windows(signature.len()).position(|window| window == signature).unwrap();
            changed[at + 5] ^= 1;
            let (code, again, _) = inspect(&changed);
            assert_eq!((code, &again), (0, &shown));
        }
    }
}

#[test]
fn what_only_the_lenient_reader_reads_is_shown_with_the_rule_of_the_strict_one() {
    let Some(scene) = SCENE.as_ref() else { return };
    let mut envelope: Value = serde_json::from_slice(&scene.signing().bytes()).unwrap();
    envelope["header"]["a member that is not known"] = json!(1);
    let bytes = serde_json::to_vec(&envelope).unwrap();
    let (code, shown, text) = inspect(&bytes);
    assert_eq!((code, &shown["strictError"]["code"]), (0, &json!("unknown-member")));
    assert!(text.contains("as-notation; the strict reader refuses it"), "{text}");
    envelope["payload"] = json!("not base64!");
    assert_eq!(inspect(&serde_json::to_vec(&envelope).unwrap()).0, 2);
}

#[test]
fn a_certificate_and_a_token_that_cannot_be_read_are_told() {
    let Some(scene) = SCENE.as_ref() else { return };
    let mut envelope: Value = serde_json::from_slice(&scene.signing().bytes()).unwrap();
    envelope["header"]["x5c"][1] = json!("AAAA");
    envelope["header"]["io.cncf.notary.timestampSignature"] = json!("AAAA");
    let (code, shown, text) = inspect(&serde_json::to_vec(&envelope).unwrap());
    assert_eq!(code, 0);
    assert_eq!(shown["certificates"][1]["error"]["code"], json!("certificate-unreadable"));
    assert!(shown["timestamp"]["error"]["code"].as_str().unwrap().starts_with("timestamp-"), "{shown}");
    assert_eq!(text.matches("not readable").count(), 2, "{text}");
}

#[test]
fn thumbprints_are_those_of_the_chain_in_its_order() {
    let Some(scene) = SCENE.as_ref() else { return };
    let limits = Limits::DEFAULT;
    let signature = InspectedSignature::parse(NotaryFormat::Jws, &scene.signing().bytes(), &limits).unwrap();
    let [leaf, root] = [&scene.leaf, &scene.root].map(|made| made.certificate.digest().hex());
    let of = |written: &Value| Thumbprints::of(&written.to_string(), &signature.envelope, &limits);
    assert_eq!(of(&json!([leaf, root])), Thumbprints::Match);
    for other in [
        json!([root, leaf]),
        json!([leaf]),
        json!([leaf, root, root]),
        json!([leaf.to_uppercase(), root]),
        json!([]),
        json!([1]),
        json!("text"),
    ] {
        assert_eq!(of(&other), Thumbprints::Differ, "{other}");
    }
    assert_eq!(Thumbprints::of("not json", &signature.envelope, &limits), Thumbprints::Differ);
}
