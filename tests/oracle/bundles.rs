//! Bundles: `sigstore-verify` reads the same files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::EnvelopeError;
use bulla::envelope::base64;
use bulla::envelope::dsse::pre_authentication_encoding;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;
use sigstore::crypto::CosignVerificationKey;
use sigstore::crypto::Signature;
use sigstore_verify::types::Bundle as TheirBundle;
use sigstore_verify::types::DsseEnvelope;
use sigstore_verify::types::SignatureContent;
use sigstore_verify::types::VerificationMaterialContent;
use sigstore_verify::types::pae;

use crate::gather;
use crate::gather::Key;
use crate::gather::Stored;
use crate::vectors::suite;

/// Bundles over an envelope that one reads and the other does not: name, whether we read it, reason.
const FILES: &[(&str, bool, &str)] = &[(
    "sigstore-bundles/java-bundle.dsse.rekor-v2.bad-entry-type.sigstore",
    true,
    "its log entry is of a version that is not known to the oracle; we count log entries and do not read them",
)];

fn ours(bytes: &[u8]) -> Result<Bundle, EnvelopeError> {
    Bundle::parse(bytes, &Limits::DEFAULT)
}

fn theirs(bytes: &[u8]) -> Result<TheirBundle, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    TheirBundle::from_json(text).map_err(|error| error.to_string())
}

/// Whether a bundle is over a message signature, by its fields.
fn signs_a_file(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok_and(|value| value.get("messageSignature").is_some())
}

fn envelope(bundle: &TheirBundle) -> &DsseEnvelope {
    match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => envelope,
        other => panic!("not an envelope: {other:?}"),
    }
}

/// The certificates and the hint of their bundle, as we have them.
fn material(bundle: &TheirBundle) -> (Vec<Vec<u8>>, Option<String>) {
    match &bundle.verification_material.content {
        VerificationMaterialContent::Certificate(leaf) => (vec![leaf.raw_bytes.as_bytes().to_vec()], None),
        VerificationMaterialContent::X509CertificateChain { certificates } => {
            (certificates.iter().map(|certificate| certificate.raw_bytes.as_bytes().to_vec()).collect(), None)
        }
        VerificationMaterialContent::PublicKey(key) => (Vec::new(), Some(key.hint.clone())),
        other => panic!("unknown material: {other:?}"),
    }
}

/// What both read is the same.
fn compare(name: &str, ours: &Bundle, theirs: &TheirBundle) {
    let their_envelope = envelope(theirs);
    let our_envelope = ours.envelope();
    assert_eq!(our_envelope.claimed_type(), their_envelope.payload_type, "{name}");
    assert_eq!(our_envelope.unverified_payload(), their_envelope.payload.as_bytes(), "{name}");
    let encoded = pre_authentication_encoding(our_envelope.claimed_type(), our_envelope.unverified_payload());
    assert_eq!(encoded, their_envelope.pae(), "{name}");
    let (certificates, hint) = material(theirs);
    assert_eq!(ours.material().certificates, certificates, "{name}");
    assert_eq!(ours.material().key_hint, hint, "{name}");
    assert_eq!(ours.material().log_entries, theirs.verification_material.tlog_entries.len(), "{name}");
    let timestamps = &theirs.verification_material.timestamp_verification_data.rfc3161_timestamps;
    assert_eq!(ours.material().timestamps, timestamps.len(), "{name}");
}

#[test]
fn the_same_files_are_read_the_same_way() {
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut differ = BTreeSet::new();
    let stored = gather::bundles();
    for Stored { name, bytes } in &stored {
        let (ours, theirs) = (ours(bytes), theirs(bytes));
        if signs_a_file(bytes) {
            // A message signature says nothing about an image: refused on purpose, whatever the oracle says.
            assert!(ours.is_err(), "{name}");
            *counts.entry(if theirs.is_ok() { "over files, ours refuse" } else { "over files, both refuse" }).or_default() += 1;
            continue;
        }
        let class = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                compare(name, ours, theirs);
                "both read"
            }
            (Err(_), Err(_)) => "both refuse",
            (Ok(_), Err(why)) => {
                println!("{name}: we read it, the oracle does not: {why}");
                differ.insert((name.as_str(), true));
                "only we read"
            }
            (Err(why), Ok(_)) => {
                println!("{name}: the oracle reads it, we do not: {why}");
                differ.insert((name.as_str(), false));
                "only the oracle reads"
            }
        };
        *counts.entry(class).or_default() += 1;
    }
    println!("{} bundles: {counts:?}", stored.len());
    let there = |name: &str| stored.iter().any(|stored| stored.name == name);
    let table = FILES.iter().filter(|(name, ..)| there(name)).map(|(name, ours, _)| (*name, *ours)).collect();
    assert_eq!(differ, table, "the table is not what was met");
}

/// Whether the oracle says that `key` signed this envelope.
fn signed(key: &CosignVerificationKey, envelope: &DsseEnvelope) -> bool {
    key.verify_signature(Signature::Raw(envelope.signature.sig.as_bytes()), &envelope.pae()).is_ok()
}

#[test]
fn the_keys_of_the_peers_open_what_the_oracle_says_they_signed() {
    let Some(suite) = suite("peer-goldens") else { return };
    let keys = gather::keys(&suite);
    let mut alone = BTreeMap::new();
    let mut opened = 0;
    for layer in gather::layers(&suite).into_iter().filter(gather::is_bundle) {
        let (ours, theirs) = (ours(&layer.bytes).unwrap(), theirs(&layer.bytes).unwrap());
        for key in &keys {
            let what = format!("{} by {}", layer.case, key.name);
            match (ours.envelope().open(&key.ours), signed(&key.theirs, envelope(&theirs))) {
                (Ok(payload), true) => {
                    assert_eq!(payload.bytes(), envelope(&theirs).payload.as_bytes(), "{what}");
                    opened += 1;
                }
                (Ok(payload), false) => drop(alone.insert(layer.case.clone(), payload.proof().scheme)),
                (Err(_), true) => panic!("{what}: the oracle says yes, we say no"),
                (Err(_), false) => (),
            }
        }
    }
    assert!(opened > 0);
    println!("peer-goldens: {opened} openings of bundles agreed; the oracle alone refuses {alone:?}");
    // The same reasons as in the table of signatures.
    let reasons = [Scheme::Ed25519ph, Scheme::EcdsaP384Sha256, Scheme::EcdsaP521Sha256];
    assert!(alone.values().all(|scheme| reasons.contains(scheme)), "{alone:?}");
}

// Not how bundles are trusted, but several dozen real signatures by keys that neither implementation made.
#[test]
fn the_keys_in_certificates_open_what_the_oracle_says_they_signed() {
    let (mut yes, mut no) = (0, 0);
    for Stored { name, bytes } in gather::bundles() {
        let (Ok(ours), Ok(theirs)) = (ours(&bytes), theirs(&bytes)) else { continue };
        let Some(leaf) = ours.material().certificates.first() else { continue };
        let Ok((_, certificate)) = x509_parser::parse_x509_certificate(leaf) else { continue };
        let spki = certificate.public_key().raw;
        let key = PublicKey::from_spki(spki).unwrap_or_else(|error| panic!("{name}: {error}"));
        let their_key = CosignVerificationKey::try_from_der(spki).unwrap_or_else(|error| panic!("{name}: {error}"));
        let opened = ours.envelope().open(&key).is_ok();
        assert_eq!(opened, signed(&their_key, envelope(&theirs)), "{name}");
        *(if opened { &mut yes } else { &mut no }) += 1;
    }
    println!("envelopes by the keys in their certificates: {yes} signed, {no} not, for both");
}

#[test]
fn the_encoding_that_is_signed_is_the_same() {
    let long = vec![b'x'; 100_000];
    for payload_type in ["", "a/b", media_type::IN_TOTO, "ü/ß\u{1f980}", "with space 5 hello", "line\nend\0"] {
        for payload in [b"".as_slice(), b"{}", b"DSSEv1 3 a/b 2 {}", b"\xff\xfe\0", &long] {
            assert_eq!(pre_authentication_encoding(payload_type, payload), pae(payload_type, payload), "{payload_type:?}");
        }
    }
}

/// A bundle of ours in which something was changed.
struct Variant {
    what: &'static str,
    text: String,
    ours: bool,
    theirs: bool,
    /// Where the two differ.
    reason: &'static str,
}

/// A bundle of ours, and the key that signed it.
fn genuine() -> (Value, Key) {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let payload = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"a:b","predicate":{}}>>>??"#;
    let envelope = Envelope::seal(media_type::IN_TOTO, payload, &key).unwrap();
    let bundle = Bundle::new(envelope, key.public_key()).to_json().unwrap();
    let key = Key::new("genuine", key.public_key().to_pem().as_bytes());
    (serde_json::from_slice(&bundle).unwrap(), key)
}

/// The bundle with the value at this place set; null takes the field away.
fn set(bundle: &Value, place: &str, value: Value) -> String {
    let mut bundle = bundle.clone();
    let (parent, field) = place.rsplit_once('/').unwrap();
    let parent = bundle.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(field)),
        value => drop(parent.insert(field.to_owned(), value)),
    }
    bundle.to_string()
}

/// The bundle with a key written twice in its outermost object or, with a marker, right after that marker.
fn twice(bundle: &Value, after: &str, field: &str) -> String {
    let text = bundle.to_string();
    let at = text.find(after).unwrap() + after.len();
    format!("{}{field},{}", &text[..at], &text[at..])
}

fn nested(bundle: &Value, depth: usize) -> String {
    twice(bundle, "{", &format!(r#""unknown":{}{}"#, "[".repeat(depth), "]".repeat(depth)))
}

fn variants(bundle: &Value) -> Vec<Variant> {
    let sig = &bundle["dsseEnvelope"]["signatures"][0]["sig"];
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    assert!(payload.ends_with('=') && payload.contains(['+', '/']), "{payload}");
    let url = payload.replace('+', "-").replace('/', "_");
    let one = json!({"sig": sig});
    let message = json!({"messageDigest": {"algorithm": "SHA2_256", "digest": base64::encode(&[0; 32])}, "signature": sig});
    let only_message = {
        let mut bundle: Value = serde_json::from_str(&set(bundle, "/dsseEnvelope", Value::Null)).unwrap();
        bundle["messageSignature"] = message.clone();
        bundle.to_string()
    };
    let entry = |index: &str| {
        json!([{"logIndex": index, "logId": {"keyId": base64::encode(&[0; 32])}, "integratedTime": "1700000000",
            "kindVersion": {"kind": "dsse", "version": "0.0.1"}, "canonicalizedBody": "e30="}])
    };
    let certificate = |bytes: &str| json!({"certificate": {"rawBytes": bytes}});
    let list: Vec<(&'static str, String, bool, bool, &'static str)> = vec![
        ("as it is", bundle.to_string(), true, true, ""),
        ("the other name of 0.3", set(bundle, "/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.3")), true, true, ""),
        ("0.1 with a key", set(bundle, "/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1")), true, true, ""),
        ("0.2 with a key", set(bundle, "/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.2")), true, true, ""),
        ("0.4", set(bundle, "/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.4+json")), false, false, ""),
        ("a parameter after the type", set(bundle, "/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.3+json;a=b")), false, false, ""),
        ("empty media type", set(bundle, "/mediaType", json!("")), false, false, ""),
        ("no media type", set(bundle, "/mediaType", Value::Null), false, true, "it takes 0.1 for granted; we want the version said"),
        ("no material", set(bundle, "/verificationMaterial", Value::Null), false, false, ""),
        ("empty material", set(bundle, "/verificationMaterial", json!({})), true, false, "the key is the operator's: what stands beside the envelope decides nothing"),
        ("a key without a hint", set(bundle, "/verificationMaterial", json!({"publicKey": {}})), true, true, ""),
        ("a hint that is a number", set(bundle, "/verificationMaterial", json!({"publicKey": {"hint": 1}})), false, false, ""),
        ("a certificate that is none", set(bundle, "/verificationMaterial", certificate("AAAA")), true, true, ""),
        ("a certificate that is no base64", set(bundle, "/verificationMaterial", certificate("A")), false, false, ""),
        ("an empty chain", set(bundle, "/verificationMaterial", json!({"x509CertificateChain": {"certificates": []}})), true, true, ""),
        ("a log entry", set(bundle, "/verificationMaterial/tlogEntries", entry("1")), true, true, ""),
        ("a log index below zero", set(bundle, "/verificationMaterial/tlogEntries", entry("-1")), true, false, "we count log entries and do not read them: they decide nothing with a key"),
        ("an empty log entry", set(bundle, "/verificationMaterial/tlogEntries", json!([{}])), true, false, "we count log entries and do not read them: they decide nothing with a key"),
        ("log entries null", twice(bundle, r#""verificationMaterial":{"#, r#""tlogEntries":null"#), true, false, "null is an absent field in the JSON form of protocol buffers"),
        ("timestamps null", twice(bundle, r#""verificationMaterial":{"#, r#""timestampVerificationData":null"#), true, true, ""),
        ("33 log entries", set(bundle, "/verificationMaterial/tlogEntries", json!(vec![entry("1")[0].clone(); 33])), false, true, "our limit is 32"),
        ("no content", set(bundle, "/dsseEnvelope", Value::Null), false, false, ""),
        ("a message signature", only_message, false, true, "it signs a file, not an image"),
        ("an envelope and a message signature", set(bundle, "/messageSignature", message), false, true, "one of the two would be ignored"),
        ("no signatures", set(bundle, "/dsseEnvelope/signatures", json!([])), false, false, ""),
        ("no list of signatures", set(bundle, "/dsseEnvelope/signatures", Value::Null), false, false, ""),
        ("an empty signature", set(bundle, "/dsseEnvelope/signatures", json!([{"sig": ""}])), false, true, "nothing that any key can have signed"),
        ("two signatures", set(bundle, "/dsseEnvelope/signatures", json!([one, one])), true, false, "DSSE allows several; the threshold counts keys, not signatures"),
        ("a key id", set(bundle, "/dsseEnvelope/signatures", json!([{"sig": sig, "keyid": "a"}])), true, true, ""),
        ("a key id null", set(bundle, "/dsseEnvelope/signatures", json!([{"sig": sig, "keyid": null}])), true, false, "null is an absent field in the JSON form of protocol buffers"),
        ("an empty payload type", set(bundle, "/dsseEnvelope/payloadType", json!("")), true, true, ""),
        ("no payload type", set(bundle, "/dsseEnvelope/payloadType", Value::Null), false, false, ""),
        ("no payload", set(bundle, "/dsseEnvelope/payload", Value::Null), false, false, ""),
        ("URL alphabet", set(bundle, "/dsseEnvelope/payload", json!(url)), true, true, ""),
        ("both alphabets", set(bundle, "/dsseEnvelope/payload", json!(format!("-_+/{payload}"))), false, false, ""),
        ("no padding", set(bundle, "/dsseEnvelope/payload", json!(payload.trim_end_matches('='))), false, true, "one spelling of each value: every writer pads"),
        ("a line end in base64", set(bundle, "/dsseEnvelope/payload", json!(format!("{payload}\n"))), false, false, ""),
        ("snake case", bundle.to_string().replace("payloadType", "payload_type"), false, false, ""),
        ("an unknown field", twice(bundle, "{", r#""unknown":1"#), true, true, ""),
        ("an unknown field twice", twice(bundle, "{", r#""unknown":1,"unknown":2"#), false, true, "duplicate keys are refused wherever they stand"),
        ("mediaType twice", twice(bundle, "{", r#""mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json""#), false, false, ""),
        ("dsseEnvelope twice", twice(bundle, "{", &format!(r#""dsseEnvelope":{}"#, bundle["dsseEnvelope"])), false, true, "duplicate keys are refused wherever they stand"),
        ("payload twice", twice(bundle, r#""dsseEnvelope":{"#, r#""payload":"e30=""#), false, false, ""),
        ("sig twice", twice(bundle, r#""signatures":[{"#, r#""sig":"e30=""#), false, false, ""),
        ("nested 40 deep", nested(bundle, 40), true, true, ""),
        ("nested 100 deep", nested(bundle, 100), false, true, "our limit is 64"),
        ("nested 200 deep", nested(bundle, 200), false, false, ""),
        ("half a surrogate pair", twice(bundle, "{", r#""unknown":"\ud800""#), false, false, ""),
        ("a mark at the start", format!("\u{feff}{bundle}"), false, false, ""),
        ("more after the end", format!("{bundle}{{}}"), false, false, ""),
        ("white space after the end", format!("{bundle}\n \t"), true, true, ""),
        ("a list", format!("[{bundle}]"), false, false, ""),
        ("nothing", String::new(), false, false, ""),
    ];
    list.into_iter().map(|(what, text, ours, theirs, reason)| Variant { what, text, ours, theirs, reason }).collect()
}

#[test]
fn a_changed_bundle_is_read_by_both_or_the_table_says_why_not() {
    let (bundle, key) = genuine();
    let mut wrong = Vec::new();
    for Variant { what, text, ours: our_word, theirs: their_word, reason } in variants(&bundle) {
        let (ours, theirs) = (ours(text.as_bytes()), theirs(text.as_bytes()));
        if (ours.is_ok(), theirs.is_ok()) != (our_word, their_word) {
            wrong.push(format!("{what}: ours {:?}; theirs {:?}", ours.as_ref().err(), theirs.as_ref().err()));
        }
        assert_eq!(our_word != their_word, !reason.is_empty(), "{what}: a reason for every difference and no other");
        if let (Ok(ours), Ok(theirs)) = (&ours, &theirs) {
            compare(what, ours, theirs);
            assert_eq!(ours.envelope().open(&key.ours).is_ok(), signed(&key.theirs, envelope(theirs)), "{what}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// The same bytes, or not read at all: whatever byte is changed, the two never read different content.
#[test]
fn no_changed_byte_is_read_in_two_ways() {
    let (bundle, key) = genuine();
    let text = bundle.to_string().into_bytes();
    let (mut both, mut alone) = (0, BTreeMap::<&str, usize>::new());
    for at in 0..text.len() {
        for byte in [text[at] ^ 1, text[at] ^ 0x20, b'"', b'\\', b' '] {
            let mut changed = text.clone();
            changed[at] = byte;
            match (ours(&changed), theirs(&changed)) {
                (Ok(ours), Ok(theirs)) => {
                    let what = String::from_utf8_lossy(&changed);
                    compare(&what, &ours, &theirs);
                    let opened = ours.envelope().open(&key.ours).is_ok();
                    assert_eq!(opened, signed(&key.theirs, envelope(&theirs)), "{what}");
                    both += 1;
                }
                (Ok(_), Err(_)) => *alone.entry("only ours").or_default() += 1,
                (Err(_), Ok(_)) => *alone.entry("only theirs").or_default() += 1,
                (Err(_), Err(_)) => (),
            }
        }
    }
    println!("changed bytes: {both} bundles read by both, {alone:?}");
}
