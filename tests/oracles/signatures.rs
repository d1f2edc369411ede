//! Signatures: `sigstore` checks those of cosign's tag scheme, and makes some for us.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bulla::envelope::SimpleSigning;
use bulla::envelope::base64;
use bulla::key::Algorithm;
use bulla::key::KeyKind;
use bulla::key::Passphrase;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::media_type;
use sigstore::crypto::CosignVerificationKey;
use sigstore::crypto::Signature;
use sigstore::crypto::SigningScheme;
use sigstore::crypto::signing_key::SigStoreKeyPair;

use crate::gather;
use crate::gather::Key;
use crate::gather::Layer;
use crate::vectors::suite;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const PAYLOAD: &[u8] = br#"{"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"sha256:4f0c8a6b4f0c8a6b4f0c8a6b4f0c8a6b4f0c8a6b4f0c8a6b4f0c8a6b4f0c8a6b"},"type":"cosign container image signature"},"optional":null}"#;

/// Signatures that we accept and the oracle does not, since it reads a key for one scheme only. The tests use each line.
const OURS_ALONE: &[(Scheme, &str)] = &[
    (Scheme::EcdsaP384Sha256, "one hash for each curve; cosign checks with SHA-256 on every curve"),
    (Scheme::EcdsaP521Sha256, "one hash for each curve; cosign checks with SHA-256 on every curve"),
    (Scheme::Ed25519ph, "not known to it; what cosign v3 makes with an Ed25519 key"),
    (Scheme::RsaPkcs1Sha384, "RSA with SHA-256 only"),
    (Scheme::RsaPkcs1Sha512, "RSA with SHA-256 only"),
    (Scheme::RsaPssSha256, "a bare RSA key is one for PKCS#1 v1.5; told that it is for PSS, it agrees"),
    (Scheme::RsaPssSha384, "RSA with SHA-256 only"),
    (Scheme::RsaPssSha512, "RSA with SHA-256 only"),
];

/// Whether the table has this scheme.
pub fn is_ours_alone(scheme: Scheme) -> bool {
    OURS_ALONE.iter().any(|(known, _)| *known == scheme)
}

/// The verdicts of both on a signature in an annotation; ours with the scheme.
#[derive(Debug)]
struct OracleAnswer {
    ours: Option<Scheme>,
    theirs: bool,
}

fn output(key: &Key, payload: &[u8], signature: &str) -> OracleAnswer {
    let layer = Content::from_bytes(media_type::SIMPLE_SIGNING, payload.to_vec());
    let ours = SimpleSigning::new(&layer, signature).ok().and_then(|simple| simple.verify(&key.ours).ok());
    let theirs = key.theirs.verify_signature(Signature::Base64Encoded(signature.as_bytes()), payload).is_ok();
    OracleAnswer { ours: ours.map(|payload| payload.proof().scheme), theirs }
}

/// Fails where the two differ in a way that is not in the table; says which line it was.
fn judge(what: &str, output: &OracleAnswer) -> Option<Scheme> {
    match (output.ours, output.theirs) {
        (None, false) => None,
        (Some(scheme), true) if !is_ours_alone(scheme) => None,
        (Some(scheme), false) if is_ours_alone(scheme) => Some(scheme),
        _ => panic!("{what}: {output:?}"),
    }
}

/// No flipped bit in payload or signature makes a yes of either.
fn flip(what: &str, key: &Key, payload: &[u8], signature: &str) -> usize {
    let signature = base64::decode("signature", signature).unwrap();
    let mut count = 0;
    for (part, whole) in [("payload", payload), ("signature", signature.as_slice())] {
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 1 << (at % 8);
            let (payload, signature) =
                if part == "payload" { (bytes.as_slice(), &signature) } else { (payload, &bytes) };
            let output = output(key, payload, &base64::encode(signature));
            assert!(
                output.ours.is_none() && !output.theirs,
                "{what}: bit {} of byte {at} of the {part}: {output:?}",
                at % 8
            );
            count += 1;
        }
    }
    count
}

/// A key of every kind, those that we do not make from `testdata`.
fn every_key() -> Vec<PrivateKey> {
    let kinds = [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384];
    let made = kinds.map(|kind| PrivateKey::generate(kind).unwrap());
    let stored = ["p521.key", "rsa-pkcs1.key"].map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/keys").join(name);
        PrivateKey::parse(&fs::read(path).unwrap(), &Limits::DEFAULT, || panic!("{name} is not encrypted")).unwrap()
    });
    made.into_iter().chain(stored).collect()
}

fn both(key: &PublicKey) -> Key {
    Key::new(&key.algorithm().to_string(), key.to_pem().as_bytes())
}

#[test]
fn both_verify_signatures_of_released_tools() {
    let Some(suite) = suite("peer-goldens") else { return };
    let keys = gather::keys(&suite);
    let layers = gather::layers(&suite);
    let signed: Vec<&Layer> = layers.iter().filter(|layer| layer.media_type == media_type::SIMPLE_SIGNING).collect();
    assert!(signed.len() >= 8, "only {} signed layers", signed.len());
    let (mut yes, mut asked, mut flipped) = (0, 0, 0);
    let mut alone = BTreeMap::new();
    for layer in &signed {
        let signature = &layer.annotations[SIGNATURE];
        let mut signers = BTreeSet::new();
        for key in &keys {
            let what = format!("{} by {}", layer.case, key.name);
            let output = output(key, &layer.bytes, signature);
            asked += 1;
            if let Some(scheme) = judge(&what, &output) {
                alone.insert(layer.case.as_str(), scheme);
            }
            if output.ours.is_some() && signers.insert(key.ours.id()) {
                flipped += flip(&what, key, &layer.bytes, signature);
            }
        }
        assert_eq!(signers.len(), 1, "{}: signed by other than one of the keys", layer.case);
        yes += 1;
    }
    println!(
        "peer-goldens: {yes} signatures, {asked} questions, {flipped} flipped bytes; the oracle alone refuses {alone:?}"
    );
    // Here too each line stands in the table, and P-384 does not: cosign signs with SHA-384, as the oracle has it.
    assert!(
        alone.iter().all(|(case, scheme)| (*case, *scheme) == ("cosign2-tag-ed25519", Scheme::Ed25519ph)),
        "{alone:?}"
    );
}

#[test]
fn the_oracle_verifies_what_we_sign() {
    let keys = every_key();
    let read: Vec<Key> = keys.iter().map(|key| both(key.public_key())).collect();
    let mut alone = BTreeSet::new();
    for key in &keys {
        for scheme in key.public_key().schemes() {
            let signature = base64::encode(key.sign_with(*scheme, PAYLOAD).unwrap().as_bytes());
            for reader in &read {
                let what = format!("{scheme} read by {}", reader.name);
                let output = output(reader, PAYLOAD, &signature);
                let own = reader.ours == *key.public_key();
                assert_eq!(output.ours, own.then_some(*scheme), "{what}");
                alone.extend(judge(&what, &output).map(|scheme| scheme.to_string()));
                if own {
                    flip(&what, reader, PAYLOAD, &signature);
                }
            }
        }
    }
    let table: BTreeSet<String> = OURS_ALONE.iter().map(|(scheme, _)| scheme.to_string()).collect();
    assert_eq!(alone, table, "the table is not what was met");
}

// The rows of the table about PSS.
#[test]
fn the_oracle_agrees_on_pss_keys() {
    let key =
        every_key().into_iter().find(|key| matches!(key.public_key().algorithm(), Algorithm::Rsa { .. })).unwrap();
    let pem = key.public_key().to_pem();
    let theirs = CosignVerificationKey::from_pem(pem.as_bytes(), &SigningScheme::RSA_PSS_SHA256(2048)).unwrap();
    for scheme in key.public_key().schemes() {
        let signature = key.sign_with(*scheme, PAYLOAD).unwrap();
        let yes = theirs.verify_signature(Signature::Raw(signature.as_bytes()), PAYLOAD).is_ok();
        assert_eq!(yes, *scheme == Scheme::RsaPssSha256, "{scheme}");
    }
}

// The text of the annotation: both read padded standard base64. We read the URL alphabet as well, and skip line breaks as
// cosign and skopeo do; neither reads anything looser.
#[test]
fn the_text_of_a_signature() {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let reader = both(key.public_key());
    // Ed25519 signatures are 64 bytes, so there is padding; this one has characters that the alphabets differ in.
    let (payload, text) = (0_u32..)
        .map(|count| format!("payload {count}").into_bytes())
        .map(|payload| (base64::encode(key.sign(&payload).unwrap().as_bytes()), payload))
        .find_map(|(text, payload)| (text.contains('+') && text.contains('/')).then_some((payload, text)))
        .unwrap();
    let last = text.trim_end_matches('=').len() - 1;
    let stray = text.as_bytes()[last] + 1;
    let spelled = [
        ("as it is", text.clone(), true, true),
        ("URL alphabet", text.replace('+', "-").replace('/', "_"), true, false),
        ("both alphabets", text.replace('+', "-"), false, false),
        ("no padding", text.trim_end_matches('=').to_owned(), false, false),
        ("too much padding", format!("{text}="), false, false),
        ("line end", format!("{text}\n"), true, false),
        ("line break", format!("{}\r\n{}", &text[..44], &text[44..]), true, false),
        ("line break and another alphabet", format!("{}\n", text.replace('+', "-")), false, false),
        ("a space before", format!(" {text}"), false, false),
        ("stray bits", format!("{}{}==", &text[..last], char::from(stray)), false, false),
        ("nothing", String::new(), false, false),
        ("twice", format!("{text}{text}"), false, false),
    ];
    for (what, text, ours, theirs) in spelled {
        let output = output(&reader, &payload, &text);
        assert_eq!((output.ours.is_some(), output.theirs), (ours, theirs), "{what}: {text:?}");
    }
}

#[test]
fn we_verify_what_the_oracle_signs() {
    let schemes = [
        (SigningScheme::ECDSA_P256_SHA256_ASN1, Scheme::EcdsaP256Sha256),
        (SigningScheme::ECDSA_P384_SHA384_ASN1, Scheme::EcdsaP384Sha384),
        (SigningScheme::ECDSA_P521_SHA512_ASN1, Scheme::EcdsaP521Sha512),
        (SigningScheme::ED25519, Scheme::Ed25519),
        (SigningScheme::RSA_PKCS1_SHA256(2048), Scheme::RsaPkcs1Sha256),
        (SigningScheme::RSA_PSS_SHA256(2048), Scheme::RsaPssSha256),
    ];
    for (theirs, ours) in schemes {
        let signer = theirs.create_signer().unwrap();
        let pem = signer.to_sigstore_keypair().unwrap().public_key_to_pem().unwrap();
        let key = PublicKey::parse(pem.as_bytes()).unwrap();
        let signature = signer.sign(PAYLOAD).unwrap();
        assert_eq!(key.verify(PAYLOAD, &signature), Ok(ours), "{theirs}");
        assert!(key.verify(b"another payload", &signature).is_err(), "{theirs}");
    }
}

#[test]
fn encrypted_keys_are_carried_both_ways() {
    let theirs = SigningScheme::ECDSA_P256_SHA256_ASN1.create_signer().unwrap().to_sigstore_keypair().unwrap();
    let pem = theirs.private_key_to_encrypted_pem(b"a passphrase").unwrap();
    let ours = PrivateKey::parse(pem.as_bytes(), &Limits::DEFAULT, || Ok(Passphrase::new("a passphrase"))).unwrap();
    let public = theirs.public_key_to_pem().unwrap();
    assert_eq!(*ours.public_key(), PublicKey::parse(public.as_bytes()).unwrap());
    assert!(PrivateKey::parse(pem.as_bytes(), &Limits::DEFAULT, || Ok(Passphrase::new("another"))).is_err());

    for kind in [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384] {
        let ours = PrivateKey::generate(kind).unwrap();
        let pem = ours.to_sigstore_pem(&Passphrase::new("a passphrase")).unwrap();
        let theirs = SigStoreKeyPair::from_encrypted_pem(pem.as_bytes(), b"a passphrase").unwrap();
        let public = theirs.public_key_to_pem().unwrap();
        assert_eq!(*ours.public_key(), PublicKey::parse(public.as_bytes()).unwrap(), "{kind:?}");
        assert!(SigStoreKeyPair::from_encrypted_pem(pem.as_bytes(), b"another").is_err(), "{kind:?}");
    }
}
