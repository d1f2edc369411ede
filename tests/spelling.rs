//! Keys in another case: Go's `encoding/json` takes `LAYERS` for `layers`, so no document that we read may have them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::SimpleSigning;
use bulla::envelope::SimpleSigningPayload;
use bulla::envelope::Statement;
use bulla::envelope::base64;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Document;
use bulla::oci::ImageConfig;
use bulla::oci::media_type;

/// Tries `document` as it is, which is read, and with each key in quotation marks in other cases, which is not.
fn each_key(document: &str, keys: &[&str], read: impl Fn(&str) -> Result<(), String>) {
    read(document).unwrap_or_else(|error| panic!("{document}: {error}"));
    for key in keys {
        let quoted = format!("\"{key}\":");
        assert!(document.contains(&quoted), "{document} has no {key}");
        let mut first = key.chars();
        let title: String = first.next().unwrap().to_uppercase().chain(first).collect();
        let folded = key.replacen('s', "\u{17f}", 1).replacen('k', "\u{212a}", 1);
        for other in [
            key.to_uppercase(),
            title,
            folded,
            format!("\\u{:04x}{}", u32::from(key.to_uppercase().chars().next().unwrap()), &key[1..]),
        ] {
            // An underscore has no case.
            if other == **key || other.starts_with("\\u005f") {
                continue;
            }
            for twice in [format!("\"{other}\":"), format!("\"{other}\":null,{quoted}")] {
                let changed = document.replacen(&quoted, &twice, 1);
                let error = read(&changed).expect_err(&changed);
                assert!(error.contains("ambiguous"), "{changed}: {error}");
            }
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn descriptor(kind: &str) -> String {
    format!(r#"{{"mediaType":"{kind}","digest":"{}","size":2,"annotations":{{}}}}"#, Digest::sha256(b"{}"))
}

#[test]
fn of_manifests_and_indexes() {
    let read = |kind: &'static str| {
        move |document: &str| {
            let content = Content::from_bytes(kind, document.as_bytes().to_vec());
            Document::parse(&content, &Limits::DEFAULT).map(drop).map_err(text)
        }
    };
    let (config, layer) = (descriptor(media_type::OCI_CONFIG), descriptor("application/vnd.oci.image.layer.v1.tar"));
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"a/b","config":{config},"layers":[{layer}],"subject":{config},"annotations":{{}}}}"#,
        media_type::OCI_MANIFEST
    );
    let keys =
        ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations", "digest", "size"];
    each_key(&manifest, &keys, read(media_type::OCI_MANIFEST));
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"digest":"{}","size":2,"mediaType":"{}","platform":{{"os":"linux","architecture":"arm64","variant":"v8"}}}}]}}"#,
        media_type::OCI_INDEX,
        Digest::sha256(b"{}"),
        media_type::OCI_MANIFEST,
    );
    let keys = ["manifests", "digest", "platform", "os", "architecture", "variant"];
    each_key(&index, &keys, read(media_type::OCI_INDEX));
    // The keys of annotations are texts.
    let annotated = manifest.replacen(r#""annotations":{}"#, r#""annotations":{"a":"1","A":"2"}"#, 2);
    read(media_type::OCI_MANIFEST)(&annotated).unwrap();
}

#[test]
fn of_image_configs() {
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z","config":{{"Labels":{{"a":"1","A":"2"}}}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        Digest::sha256(b"{}")
    );
    let keys = ["architecture", "os", "config", "rootfs", "type", "diff_ids", "created"];
    let read = |document: &str| {
        let content = Content::from_bytes(media_type::OCI_CONFIG, document.as_bytes().to_vec());
        ImageConfig::parse(&content, &Limits::DEFAULT).map(drop).map_err(text)
    };
    each_key(&config, &keys, read);
    let labels = config.replace("\"Labels\"", "\"labels\"");
    assert!(read(&labels).unwrap_err().contains("ambiguous"));
}

#[test]
fn of_envelopes_and_bundles() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let payload = Statement::image_signature(&Digest::sha256(b"{}"), None, &BTreeMap::new()).unwrap();
    let envelope = Envelope::sign(media_type::IN_TOTO, &payload, &key).unwrap();
    let document = String::from_utf8(envelope.to_json().unwrap()).unwrap();
    let keys = ["payload", "payloadType", "signatures", "sig"];
    each_key(&document, &keys, |document| {
        Envelope::parse(document.as_bytes(), &Limits::DEFAULT).map(drop).map_err(text)
    });
    let bundle = String::from_utf8(Bundle::new(envelope, key.public_key()).to_json().unwrap()).unwrap();
    let keys = ["mediaType", "verificationMaterial", "publicKey", "hint", "dsseEnvelope", "payload", "sig"];
    each_key(&bundle, &keys, |document| Bundle::parse(document.as_bytes(), &Limits::DEFAULT).map(drop).map_err(text));
}

#[test]
fn of_signed_payloads() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let digest = Digest::sha256(b"{}");
    let annotations = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())]);
    let statement = Statement::image_signature(&digest, Some("name"), &annotations).unwrap();
    let keys = ["_type", "subject", "name", "digest", "annotations", "predicateType", "predicate"];
    each_key(&String::from_utf8(statement).unwrap(), &keys, |document| {
        let envelope = Envelope::sign(media_type::IN_TOTO, document.as_bytes(), &key).unwrap();
        Statement::parse(&envelope.verify(key.public_key()).unwrap(), &Limits::DEFAULT).map(drop).map_err(text)
    });
    // The content of a predicate is not interpreted.
    let predicate = serde_json::value::RawValue::from_string(r#"{"size":1,"Size":2}"#.to_owned()).unwrap();
    let attestation = Statement::attestation(&digest, None, "https://example.com/a", &predicate).unwrap();
    let envelope = Envelope::sign(media_type::IN_TOTO, &attestation, &key).unwrap();
    Statement::parse(&envelope.verify(key.public_key()).unwrap(), &Limits::DEFAULT).unwrap();
    let claim = String::from_utf8(SimpleSigningPayload::payload(digest, "registry.example/app", &annotations).unwrap())
        .unwrap();
    let keys = ["critical", "identity", "docker-reference", "image", "docker-manifest-digest", "type", "optional"];
    each_key(&claim, &keys, |document| {
        let layer = Content::from_bytes(media_type::SIMPLE_SIGNING, document.as_bytes().to_vec());
        let signature = base64::encode(key.sign(document.as_bytes()).unwrap().as_bytes());
        let simple = SimpleSigning::new(&layer, &signature).unwrap();
        SimpleSigningPayload::parse(&simple.verify(key.public_key()).unwrap(), &Limits::DEFAULT).map(drop).map_err(text)
    });
}
