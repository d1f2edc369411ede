//! What `inspect` and `tree` show of the verification material, in text and in JSON.

use std::path::Path;
use std::process::Command;

use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::referrer::COSIGN_CERTIFICATE;
use bulla::oci::referrer::COSIGN_CHAIN;
use bulla::policy::StatementKind;
use serde_json::Value;
use serde_json::json;

use crate::certificates::SIGNER;
use crate::proof::attestation;
use crate::proof::forms::Format;
use crate::proof::forms::Location;
use crate::proof::forms::SignedLayer;
use crate::proof::forms::TestPayload;
use crate::proof::forms::TestStore;
use crate::proof::forms::tag_of;
use crate::proof::vectors;

/// Runs the program, and returns exit code, standard output and standard error.
fn bulla(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bulla")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json_of(args: &[&str]) -> Value {
    let (code, stdout, stderr) = bulla(args);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn kind(format: Format) -> StatementKind {
    match format {
        Format::Simple => StatementKind::ImageSignature,
        Format::Bundle | Format::Dsse => attestation("https://example.com/predicate/v1"),
    }
}

/// A layout with an image that is signed in this format, with these annotations beside the signature.
fn signed(format: Format, annotations: &[(&str, &str)]) -> (TestStore, Content, Content) {
    let fixture = TestStore::layout(Limits::DEFAULT);
    let image = fixture.image(1);
    let kind = kind(format);
    let mut layer = TestPayload::about(format, &kind, image.digest()).sign(format, &[&SIGNER.key]);
    layer.annotations.extend(annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    if format == Format::Bundle {
        let mut bundle: Value = serde_json::from_slice(&layer.bytes).unwrap();
        let certificate = json!({"rawBytes": bulla::envelope::base64::encode(SIGNER.chain[0].der())});
        bundle["verificationMaterial"] = json!({"certificate": certificate});
        layer = SignedLayer::of_text(format, &bundle.to_string());
    }
    let location = if format == Format::Bundle { Location::Referrers } else { Location::Tag };
    let manifest = fixture.attach(&image, location, &kind, format, &[layer]).remove(0);
    fixture.settle();
    (fixture, image, manifest)
}

#[test]
fn every_format_is_shown_with_the_certificate_of_its_signer() {
    let (leaf, chain) = (SIGNER.leaf(), SIGNER.issuers());
    let annotations = [(COSIGN_CERTIFICATE, leaf.as_str()), (COSIGN_CHAIN, chain.as_str())];
    for format in [Format::Bundle, Format::Dsse, Format::Simple] {
        let (fixture, _, manifest) = signed(format, &annotations);
        let reference = format!("oci:{}@{}", fixture.path().display(), manifest.digest());
        let certificate = &SIGNER.chain[0];
        let shown = format!("`CN=release,O=Acme,C=US`, issued by `{}`, from", certificate.issuer());
        let (code, text, stderr) = bulla(&["inspect", &reference]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{format:?}");
        assert!(text.contains(&shown) && text.contains(&certificate.digest().hex()), "{format:?}: {text}");
        assert!(text.contains("(nothing in it was verified)"), "{text}");
        let report = json_of(&["inspect", &reference, "--output", "json"]);
        let material = &report["is"]["signatures"][0]["material"];
        assert_eq!(material["certificates"][0]["sha256"], certificate.digest().hex(), "{report:#}");
        assert_eq!(material["certificates"][0]["names"], json!([]));
        assert_eq!(material["certificates"][0]["oidcIssuer"], Value::Null);
        let count = if format == Format::Bundle { 1 } else { 3 };
        assert_eq!(material["certificates"].as_array().unwrap().len(), count);
        let image = format!("oci:{}:v1", fixture.path().display());
        let (_, text, stderr) = bulla(&["tree", &image]);
        assert!(text.contains(&format!("certificate (not verified): {shown}")), "{format:?}: {text}{stderr}");
        assert_eq!(text.matches("certificate (not verified)").count(), 1, "the signer's only: {text}");
        let report = json_of(&["tree", &image, "--output", "json"]);
        let signed = &report["results"][0]["attached"][0]["signed"][0];
        assert_eq!(signed["material"], *material, "{report:#}");
    }
}

/// Nothing but the annotations is needed, so a manifest in a file is shown with them.
#[test]
fn a_manifest_in_a_file_is_shown_with_its_annotations() {
    let leaf = SIGNER.leaf();
    let (fixture, image, manifest) = signed(Format::Simple, &[(COSIGN_CERTIFICATE, &leaf)]);
    let file = fixture.path().join("blobs/sha256").join(manifest.digest().hex());
    let by_file = json_of(&["inspect", file.to_str().unwrap(), "--output", "json"]);
    let tag = tag_of(image.digest(), &StatementKind::ImageSignature);
    let reference = format!("oci:{}:{tag}", fixture.path().display());
    let by_reference = json_of(&["inspect", &reference, "--output", "json"]);
    assert_eq!(by_file["is"]["signatures"], by_reference["is"]["signatures"]);
    assert_eq!(by_file["is"]["signatures"][0]["format"], "simple-signing");
}

/// The error names the annotation, and prints nothing of a private key.
#[test]
fn material_that_cannot_be_read_is_shown_as_such() {
    let private = SIGNER.key.to_pkcs8_pem();
    let (fixture, _, manifest) = signed(Format::Simple, &[(COSIGN_CERTIFICATE, private.as_str())]);
    let reference = format!("oci:{}@{}", fixture.path().display(), manifest.digest());
    let (code, text, _) = bulla(&["inspect", &reference]);
    assert_eq!(code, Some(0));
    assert!(text.contains("not readable: `dev.sigstore.cosign/certificate`"), "{text}");
    let report = json_of(&["inspect", &reference, "--output", "json"]);
    assert_eq!(report["is"]["signatures"][0]["material"]["error"]["code"], "envelope-unreadable");
    let (_, tree, _) = bulla(&["tree", &format!("oci:{}:v1", fixture.path().display())]);
    assert!(tree.contains("verification material not readable"), "{tree}");
    for text in [text, tree] {
        assert!(!text.contains(private.lines().nth(1).unwrap()), "{text}");
    }
}

/// A tree lists what there is: that variants of a signature were left out makes it incomplete.
#[test]
fn variants_beyond_the_limit_are_named_in_a_tree() {
    for (count, want) in [(8, 0), (9, 2)] {
        let fixture = TestStore::layout(Limits::DEFAULT);
        let image = fixture.image(1);
        let signed = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, image.digest());
        let signed = signed.sign(Format::Simple, &[&SIGNER.key]);
        let variants: Vec<_> = (0..count)
            .map(|n| {
                let mut layer = signed.clone();
                layer.annotations.insert(COSIGN_CHAIN.to_owned(), n.to_string());
                layer
            })
            .collect();
        fixture.attach(&image, Location::Tag, &StatementKind::ImageSignature, Format::Simple, &variants);
        fixture.settle();
        let (code, text, _) = bulla(&["tree", &format!("oci:{}:v1", fixture.path().display())]);
        assert_eq!(code, Some(want), "{text}");
        assert_eq!(text.contains("more than 8 variants of one signature"), want == 2, "{text}");
        assert_eq!(text.matches("image signature").count(), 8);
    }
}

/// The attestations of slsa-verifier, which cosign v2 signed keyless: with the annotations of cosign 1.13 and 2.
#[test]
fn real_attestations_are_shown_with_certificate_log_entry_and_time() {
    let Some(suite) = vectors::suite("slsa-images") else { return };
    let mut shown = 0;
    for case in std::fs::read_dir(suite.join("open")).unwrap() {
        let layout = case.unwrap().path().join("layout");
        if !layout.is_dir() {
            continue;
        }
        for layer in layers_of(&layout) {
            let certificate = &layer["material"]["certificates"][0];
            assert_eq!(certificate["oidcIssuer"], "https://token.actions.githubusercontent.com", "{layer:#}");
            let name = certificate["names"][0].as_str().unwrap();
            assert!(name.starts_with("https://github.com/slsa-framework/slsa-github-generator/"), "{name}");
            let entry = &layer["material"]["logEntries"][0];
            assert!(["dsse 0.0.1", "intoto 0.0.1"].contains(&entry["kind"].as_str().unwrap()), "{layer:#}");
            assert_eq!(entry["logId"], "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d");
            assert!(entry["integratedTime"].is_string() && entry["index"].is_u64());
            shown += 1;
        }
    }
    assert_eq!(shown, 7);
}

/// What `inspect` shows of the attestations in a layout that `cosign save` wrote.
fn layers_of(layout: &Path) -> Vec<Value> {
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let mut layers = Vec::new();
    for entry in index["manifests"].as_array().unwrap() {
        if entry["annotations"]["kind"] == "dev.cosignproject.cosign/atts" {
            let reference = format!("oci:{}@{}", layout.display(), entry["digest"].as_str().unwrap());
            let report = json_of(&["inspect", &reference, "--output", "json"]);
            layers.extend(report["is"]["signatures"].as_array().unwrap().iter().cloned());
        }
    }
    layers
}
