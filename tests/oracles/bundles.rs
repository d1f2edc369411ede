//! Bundles: `sigstore-verify` reads the same files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::EnvelopeError;
use bulla::envelope::pre_authentication_encoding;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::media_type;
use serde_json::Value;
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
use crate::variants;
use crate::variants::Variant;
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

/// Both parsers read the same content.
fn compare(name: &str, ours: &Bundle, theirs: &TheirBundle) {
    let their_envelope = envelope(theirs);
    let our_envelope = ours.envelope();
    assert_eq!(our_envelope.claimed_type(), their_envelope.payload_type, "{name}");
    assert_eq!(our_envelope.unverified_payload(), their_envelope.payload.as_bytes(), "{name}");
    let encoded = pre_authentication_encoding(our_envelope.claimed_type(), our_envelope.unverified_payload());
    assert_eq!(encoded, their_envelope.pae(), "{name}");
    let (certificates, hint) = material(theirs);
    assert_eq!(ours.verification_material().certificates, certificates, "{name}");
    assert_eq!(ours.verification_material().key_hint, hint, "{name}");
    assert_eq!(
        ours.verification_material().log_entries.len(),
        theirs.verification_material.tlog_entries.len(),
        "{name}"
    );
    let timestamps = &theirs.verification_material.timestamp_verification_data.rfc3161_timestamps;
    assert_eq!(ours.verification_material().timestamps.len(), timestamps.len(), "{name}");
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
            let class = if theirs.is_ok() { "over files, we refuse" } else { "over files, both refuse" };
            *counts.entry(class).or_default() += 1;
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
            match (ours.envelope().verify(&key.ours), signed(&key.theirs, envelope(&theirs))) {
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
        let Some(leaf) = ours.verification_material().certificates.first() else { continue };
        let Ok((_, certificate)) = x509_parser::parse_x509_certificate(leaf) else { continue };
        let spki = certificate.public_key().raw;
        let key = PublicKey::from_spki(spki).unwrap_or_else(|error| panic!("{name}: {error}"));
        let their_key = CosignVerificationKey::try_from_der(spki).unwrap_or_else(|error| panic!("{name}: {error}"));
        let opened = ours.envelope().verify(&key).is_ok();
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
            assert_eq!(
                pre_authentication_encoding(payload_type, payload),
                pae(payload_type, payload),
                "{payload_type:?}"
            );
        }
    }
}

/// A bundle of ours, and the key that signed it.
fn genuine() -> (Value, Key) {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let payload =
        br#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"a:b","predicate":{}}>>>??"#;
    let envelope = Envelope::sign(media_type::IN_TOTO, payload, &key).unwrap();
    let bundle = Bundle::new(envelope, key.public_key()).to_json().unwrap();
    let key = Key::new("genuine", key.public_key().to_pem().as_bytes());
    (serde_json::from_slice(&bundle).unwrap(), key)
}

#[test]
fn a_changed_bundle_is_read_by_both_or_the_table_says_why_not() {
    let (bundle, key) = genuine();
    let mut wrong = Vec::new();
    for Variant { what, text, ours: our_word, theirs: their_word, reason } in variants::all(&bundle) {
        let (ours, theirs) = (ours(text.as_bytes()), theirs(text.as_bytes()));
        if our_word != their_word {
            println!("{}: {what}: {reason}", if our_word { "only we read" } else { "only the oracle reads" });
        }
        if (ours.is_ok(), theirs.is_ok()) != (our_word, their_word) {
            wrong.push(format!("{what}: ours {:?}; theirs {:?}", ours.as_ref().err(), theirs.as_ref().err()));
        }
        assert_eq!(our_word != their_word, !reason.is_empty(), "{what}: a reason for every difference and no other");
        if let (Ok(ours), Ok(theirs)) = (&ours, &theirs) {
            compare(what, ours, theirs);
            assert_eq!(ours.envelope().verify(&key.ours).is_ok(), signed(&key.theirs, envelope(theirs)), "{what}");
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
                    let opened = ours.envelope().verify(&key.ours).is_ok();
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
