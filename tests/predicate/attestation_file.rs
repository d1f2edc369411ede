//! Files of attestations as GitHub hands them out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::AttestationFile;
use bulla::envelope::Envelope;
use bulla::envelope::FoundAt;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::limits::Limits;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;

use super::vectors;

/// A DSSE envelope about `subject`, and the same in a Sigstore bundle.
fn documents(subject: &Digest) -> (Value, Value) {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "app", "digest": { "sha256": subject.hex() } }],
        "predicateType": "https://example.com/type/v1",
        "predicate": {},
    });
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let envelope = Envelope::sign(media_type::IN_TOTO, statement.to_string().as_bytes(), &key).unwrap();
    let envelope: Value = serde_json::from_slice(&envelope.to_json().unwrap()).unwrap();
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": STANDARD.encode("hint") } },
        "dsseEnvelope": envelope,
    });
    (envelope, bundle)
}

fn read(text: &str) -> AttestationFile {
    AttestationFile::read("evidence.jsonl", text.as_bytes().to_vec(), &Limits::DEFAULT).unwrap()
}

/// Where the evidence about `subject` stands in the file.
fn places(file: &AttestationFile, subject: &Digest) -> Vec<String> {
    let place = |found: &FoundAt| match found {
        FoundAt::File(place) => place.clone(),
        other => panic!("{other}"),
    };
    file.evidence(subject).map(|evidence| place(evidence.unwrap().found_at())).collect()
}

#[test]
fn every_form_of_such_files_is_read() {
    let subject = Digest::sha256(b"image");
    let (envelope, bundle) = documents(&subject);
    let pretty = serde_json::to_string_pretty(&bundle).unwrap();
    for (text, want) in [
        (format!("{bundle}\n{envelope}\n"), vec!["evidence.jsonl:1", "evidence.jsonl:2"]),
        (format!("\n{bundle}\r\n\n{bundle}"), vec!["evidence.jsonl:2", "evidence.jsonl:4"]),
        (bundle.to_string(), vec!["evidence.jsonl"]),
        (pretty, vec!["evidence.jsonl"]),
        (json!([bundle, envelope]).to_string(), vec!["evidence.jsonl attestation 1", "evidence.jsonl attestation 2"]),
        (
            json!({ "attestations": [{ "bundle": bundle, "repository_id": 1, "bundle_url": "https://example.com" }] })
                .to_string(),
            vec!["evidence.jsonl attestation 1"],
        ),
        (
            json!([{ "attestation": { "bundle": bundle }, "verificationResult": {} }]).to_string(),
            vec!["evidence.jsonl attestation 1"],
        ),
    ] {
        let file = read(&text);
        assert_eq!(places(&file, &subject), want, "{text}");
        assert!(file.unread().is_empty() && file.len() == want.len());
    }
}

#[test]
fn a_document_in_two_forms_hides_none() {
    let subject = Digest::sha256(b"image");
    let (envelope, bundle) = documents(&subject);
    let with = |document: &Value, field: &str, value: &Value| {
        let mut document = document.clone();
        document[field] = value.clone();
        document
    };
    let inner = json!({ "bundle": bundle });
    for text in [
        with(&bundle, "attestations", &json!([])),
        with(&bundle, "attestations", &json!([inner])),
        with(&bundle, "payloadType", &json!("x")),
        with(&envelope, "bundle", &bundle),
        with(&envelope, "attestation", &inner),
        with(&inner, "attestation", &inner),
        with(&inner, "attestations", &json!([])),
        json!([with(&inner, "attestation", &inner)]),
    ] {
        let file = read(&text.to_string());
        assert!(places(&file, &subject).is_empty(), "{text}");
        assert_eq!((file.len(), file.unread().len()), (0, 1), "{text}");
    }
}

#[test]
fn evidence_about_others_is_left_out() {
    let (one, other) = (Digest::sha256(b"one"), Digest::sha256(b"other"));
    let text = format!("{}\n{}\n", documents(&one).1, documents(&other).1);
    assert_eq!(places(&read(&text), &other), ["evidence.jsonl:2"]);
    assert!(places(&read(&text), &Digest::sha256(b"third")).is_empty());
}

/// A line that cannot be read is told, with its number, and hides no other.
#[test]
fn a_line_that_cannot_be_read_is_could_not_tell() {
    let subject = Digest::sha256(b"image");
    let (envelope, bundle) = documents(&subject);
    let mut broken = envelope.clone();
    broken["payload"] = json!("%");
    let mut version = bundle.clone();
    version["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v9+json");
    let text_payload = {
        let mut other = envelope.clone();
        other["payload"] = json!(STANDARD.encode("no statement"));
        other
    };
    for wrong in [
        "{".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        broken.to_string(),
        version.to_string(),
        text_payload.to_string(),
        json!({ "bundle": null, "bundle_url": "https://example.com" }).to_string(),
        json!({ "bundle": { "bundle": { "bundle": bundle } } }).to_string(),
        "{\"payload\":\"\",\"payload\":\"\"}".to_owned(),
    ] {
        let file = read(&format!("{bundle}\n{wrong}\n{envelope}\n"));
        assert_eq!(places(&file, &subject), ["evidence.jsonl:1", "evidence.jsonl:3"], "{wrong}");
        let unread: Vec<_> = file.unread().iter().map(|unread| unread.place.as_str()).collect();
        assert_eq!(unread, ["evidence.jsonl:2"], "{wrong}");
    }
    assert!(read("").is_empty() && read("\n").unread().is_empty());
}

#[test]
fn a_file_is_bounded() {
    let (_, bundle) = documents(&Digest::sha256(b"image"));
    let text = format!("{bundle}\n").repeat(3);
    let read = |change: &dyn Fn(&mut Limits)| {
        AttestationFile::read("f", text.clone().into_bytes(), &Limits::DEFAULT.with(|limits| change(limits)))
    };
    assert_eq!(read(&|limits| limits.graph.referrers = 3).unwrap().len(), 3);
    assert!(read(&|limits| limits.graph.referrers = 2).unwrap_err().is_limit());
    let length = u64::try_from(text.len()).unwrap();
    assert!(read(&|limits| limits.evidence.bytes = length).is_ok());
    assert!(read(&|limits| limits.evidence.bytes = length - 1).unwrap_err().is_limit());
    let file = read(&|limits| limits.evidence.attestation_bytes = 10).unwrap();
    assert!(file.is_empty() && file.unread().len() == 3 && file.unread().iter().all(|one| one.error.is_limit()));
}

/// The provenance of slsa-verifier as JSON lines, and the lists of attestations that npm hands out.
#[test]
fn real_files_are_read() {
    let Some(folder) = vectors::suite("slsa-provenance") else { return };
    let mut bundles = 0;
    for entry in std::fs::read_dir(folder.join("open")).unwrap() {
        let path = entry.unwrap().path();
        for name in ["provenance.jsonl", "attestations.json"] {
            let Ok(bytes) = std::fs::read(path.join(name)) else { continue };
            let file = AttestationFile::read(name, bytes, &Limits::DEFAULT).unwrap();
            bundles += file.len();
        }
    }
    assert!(bundles >= 45, "{bundles}");
}
