//! Envelopes that notation made: read, verified, and written again byte for byte.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::envelope::ExtendedValue;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryDraft;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::envelope::UnsignedAttributes;
use bulla::limits::Limits;
use bulla::oci::media_type::NOTARY_COSE;
use bulla::oci::media_type::NOTARY_JWS;
use serde_json::Value;
use serde_json::json;

use super::leaf;
use super::made::Maker;
use super::read;
use super::read_as_notation;
use super::said;
use super::time;
use super::vectors;
use super::verdict;

/// The envelopes in a layout that notation signed an image in.
fn envelopes(layout: &Path) -> Vec<(NotaryFormat, Vec<u8>, Value)> {
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
        fs::read(layout.join("blobs").join(digest)).unwrap()
    };
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let mut found = Vec::new();
    for manifest in index["manifests"].as_array().unwrap() {
        let manifest: Value = serde_json::from_slice(&blob(manifest)).unwrap();
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let format = match layer["mediaType"].as_str().unwrap() {
                NOTARY_COSE => NotaryFormat::Cose,
                NOTARY_JWS => NotaryFormat::Jws,
                _ => continue,
            };
            found.push((format, blob(layer), manifest["subject"].clone()));
        }
    }
    found
}

/// Envelopes of notation 1.3.2: the strict reader accepts each, and the writer makes the same bytes of what it says.
#[test]
fn what_notation_signed_is_verified_and_written_again() {
    let Some(suite) = vectors::suite("peer-goldens") else { return };
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(suite.join("open")).unwrap() {
        let layout = entry.unwrap().path();
        let name = layout.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("notation-") {
            continue;
        }
        for (format, bytes, subject) in envelopes(&layout) {
            let envelope = read(format, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            let verified = envelope.verify(&leaf(&envelope)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let payload = NotaryPayload::parse(verified.payload(), &Limits::DEFAULT).unwrap();
            assert_eq!(payload.digest_text(), subject["digest"].as_str().unwrap(), "{name}");
            assert_eq!(payload.media_type(), subject["mediaType"].as_str().unwrap(), "{name}");
            assert_eq!(payload.size(), subject["size"].as_u64().unwrap(), "{name}");
            assert_eq!(verified.attributes().scheme(), SigningScheme::X509, "{name}");
            assert_eq!(envelope.signing_agent().unwrap().to_string(), "notation-go/1.3.2");
            assert_eq!(envelope.timestamp_token().is_some(), name == "notation-cose-tsa", "{name}");
            assert_eq!(verified.attributes().expiry().is_some(), name == "notation-jws-expired", "{name}");
            assert_eq!(rewritten(&envelope, &payload, verified.attributes()), bytes, "{name}");
            seen.insert(format!("{format} {}", envelope.claimed_algorithm()));
        }
    }
    let wanted = ["COSE ES512", "COSE PS384", "COSE PS512", "JWS ES256", "JWS ES384", "JWS ES512", "JWS PS256"];
    for wanted in wanted.iter().chain(&["JWS PS384", "JWS PS512"]) {
        assert!(seen.contains(*wanted), "{wanted} is not among {seen:?}");
    }
}

fn rewritten(envelope: &NotaryEnvelope, payload: &NotaryPayload, attributes: &NotaryAttributes) -> Vec<u8> {
    let payload = payload.to_bytes(envelope.format()).unwrap();
    let draft = NotaryDraft::new(envelope.format(), envelope.claimed_algorithm(), attributes, &payload).unwrap();
    let chain: Vec<&[u8]> = envelope.certificate_chain().iter().map(|certificate| &certificate[..]).collect();
    let agent = envelope.signing_agent().map(ToString::to_string);
    let unsigned =
        UnsignedAttributes { chain: &chain, signing_agent: agent.as_deref(), timestamp: envelope.timestamp_token() };
    draft.assemble(&leaf(envelope), envelope.signature(), &unsigned, &Limits::DEFAULT).unwrap()
}

fn suite_file(path: &str) -> Option<Vec<u8>> {
    vectors::suite("notation-envelopes").map(|suite| fs::read(suite.join("open").join(path)).unwrap())
}

/// Envelopes in the tests of notation, each with its verdict: of the strict reader, of the reader that is as lenient as
/// notation, and of the signature. Every case of the suite is here.
#[test]
fn the_envelopes_in_the_tests_of_notation() {
    let Some(suite) = vectors::suite("notation-envelopes") else { return };
    let cases = BTreeMap::from([
        ("core-jws-conformance", ["certificate-chain-absent"; 3]),
        ("go-jws-signature", ["accepted"; 3]),
        ("mock-ca_incompatible_pluginver_sig_env_1.0.1", ["accepted", "accepted", "?verification-plugin"]),
        ("mock-ca_incompatible_pluginver_sig_env_1.2.3", ["accepted", "accepted", "?verification-plugin"]),
        ("mock-ca_plugin_sig_env", ["name-case", "accepted", "unknown-critical-attribute"]),
        ("mock-sa_invalid_sig_env", ["name-case", "base64", "base64"]),
        ("mock-sig_env_with_metadata", ["accepted"; 3]),
        ("ts-coseWithTimestamp", ["accepted"; 3]),
        ("ts-timestampAfterNotAfter", ["accepted"; 3]),
        ("ts-withoutTimestamp", ["accepted"; 3]),
    ]);
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(suite.join("open")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        let (format, bytes) = (format_of(&file), fs::read(&file).unwrap());
        let lenient = read_as_notation(format, &bytes);
        let verified = lenient.clone().and_then(|envelope| envelope.verify(&leaf(&envelope)));
        let found = [verdict(&read(format, &bytes)), verdict(&lenient), verdict(&verified)];
        assert_eq!(cases.get(name.as_str()).map(|wanted| wanted.map(str::to_owned)), Some(found), "{name}");
        if let Ok(envelope) = lenient {
            assert!(envelope.signing_agent().is_some(), "{name}");
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), cases.len());
}

fn format_of(file: &PathBuf) -> NotaryFormat {
    if fs::read(file).unwrap().starts_with(b"{") { NotaryFormat::Jws } else { NotaryFormat::Cose }
}

#[test]
fn what_the_envelopes_of_notation_say() {
    let Some(bytes) = suite_file("mock-sig_env_with_metadata/signature.jws.json") else { return };
    let envelope = read(NotaryFormat::Jws, &bytes).unwrap();
    let verified = envelope.verify(&leaf(&envelope)).unwrap();
    let payload = NotaryPayload::parse(verified.payload(), &Limits::DEFAULT).unwrap();
    assert_eq!(payload.annotations()["io.wabbit-networks.buildId"], "123");
    // The time has an offset.
    assert_eq!(verified.attributes().signing_time(), time("2023-01-11T18:02:54Z"));

    let bytes = suite_file("mock-ca_plugin_sig_env/signature.jws.json").unwrap();
    let envelope = read_as_notation(NotaryFormat::Jws, &bytes).unwrap();
    let attributes = envelope.unverified_attributes();
    assert_eq!(attributes.verification_plugin().unwrap().name, "plugin-name");
    assert_eq!(attributes.extended()[0].value, ExtendedValue::Text("SomeValue".to_owned()));
    assert!(attributes.extended()[0].critical);
    // Both objections are there to be reported, and the signature holds.
    let objections: Vec<_> = envelope.objections().iter().map(said).collect();
    assert_eq!(objections, ["unknown-critical-attribute", "?verification-plugin"]);
    assert_eq!(envelope.check_signature(&leaf(&envelope)), Ok(()));

    let bytes = suite_file("mock-ca_incompatible_pluginver_sig_env_1.0.1/signature.jws.json").unwrap();
    let plugin = read(NotaryFormat::Jws, &bytes).unwrap();
    let plugin = plugin.unverified_attributes().verification_plugin().unwrap();
    assert_eq!(plugin.minimum_version.as_deref(), Some("1.0.1"));

    // The base64 of its payload has stray bits. With another payload the signature is what is wrong.
    let bytes = suite_file("mock-sa_invalid_sig_env/signature.jws.json").unwrap();
    let mut file: Value = serde_json::from_slice(&bytes).unwrap();
    file["payload"] = json!(URL_SAFE_NO_PAD.encode("{}"));
    let envelope = read_as_notation(NotaryFormat::Jws, file.to_string().as_bytes()).unwrap();
    assert_eq!(verdict(&envelope.verify(&leaf(&envelope))), "signature");
    let attributes = envelope.unverified_attributes();
    assert_eq!(attributes.authentic_signing_time(), Some(time("2020-11-09T07:00:00Z")));
    assert_eq!(attributes.expiry(), Some(time("2120-11-09T07:00:00Z")));
}

/// The conformance file of notation-core-go for JWS: its protected header and its message are written byte for byte, and
/// read. It has no certificates.
#[test]
fn the_conformance_file_of_jws() {
    let Some(bytes) = suite_file("core-jws-conformance/conformance.json") else { return };
    let mut file: Value = serde_json::from_slice(&bytes).unwrap();
    let attributes = NotaryAttributes::new(SigningScheme::X509, time("2022-08-29T13:50:00Z"))
        .with_expiry(time("2099-08-30T13:50:00Z"))
        .with_extended("signedCritKey1", "signedCritValue1", true)
        .with_extended("signedKey1", "signedValue1", false)
        .with_extended("signedKey2", "signedValue1", false)
        .with_extended("signedKey3", "signedValue1", false)
        .with_extended("signedKey4", "signedValue1", false);
    let payload = URL_SAFE_NO_PAD.decode(file["payload"].as_str().unwrap()).unwrap();
    let draft = NotaryDraft::new(NotaryFormat::Jws, NotaryAlgorithm::Es256, &attributes, &payload).unwrap();
    let message = format!("{}.{}", file["protected"].as_str().unwrap(), file["payload"].as_str().unwrap());
    assert_eq!(draft.to_be_signed(), message.as_bytes());

    file["header"]["x5c"] = json!([Maker::of(NotaryAlgorithm::Es256).certificate_text()]);
    let envelope = read(NotaryFormat::Jws, file.to_string().as_bytes()).unwrap();
    assert_eq!(envelope.unverified_attributes(), &attributes);
    assert_eq!(envelope.unverified_payload(), br#"{"key":"hello JWS"}"#);
    assert_eq!(envelope.signing_agent().unwrap().to_string(), "NotationConformanceTest/1.0.0");
    assert_eq!(verdict(&envelope.verify(&leaf(&envelope))), "signature");
}
