//! Confusion of algorithms, keys, formats and critical attributes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::envelope::Envelope;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::media_type::NOTARY_PAYLOAD;
use serde_json::Value;
use serde_json::json;

use super::BOTH;
use super::cbor::Data;
use super::cbor::text;
use super::made::Maker;
use super::made::attributes;
use super::read;
use super::rules::Cose;
use super::rules::Jws;
use super::rules::sign1;
use super::said;
use super::verdict;

/// The message of a JWS envelope, and a signature over it put in.
fn signed_jws(mut jws: Jws, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let protected = URL_SAFE_NO_PAD.encode(jws.protected.to_string());
    let message = format!("{protected}.{}", jws.envelope["payload"].as_str().unwrap());
    jws.envelope["protected"] = json!(protected);
    jws.envelope["signature"] = json!(URL_SAFE_NO_PAD.encode(sign(message.as_bytes())));
    jws.bytes()
}

fn signed_cose(cose: &Cose, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut items = cose.items();
    let (protected, payload) = (items[0].clone(), items[2].clone());
    let message = Data::Array(vec![text("Signature1"), protected, Data::Bytes(vec![]), payload]).encode();
    items[3] = Data::Bytes(sign(&message));
    sign1(items)
}

/// A signature with any scheme of the key, in the encoding of JWS and COSE.
fn by(key: &PrivateKey, scheme: Scheme) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |message| {
        let signature = key.sign_with(scheme, message).unwrap();
        key.public_key().to_jose(signature.as_bytes()).unwrap()
    }
}

fn verified(format: NotaryFormat, bytes: &[u8], key: &PublicKey) -> String {
    verdict(&read(format, bytes).and_then(|envelope| envelope.verify(key)))
}

/// The test envelopes can be signed: the reader accepts what this file makes.
#[test]
fn what_is_signed_rightly_is_accepted() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    let jws = signed_jws(Jws::new(), by(&maker.key, Scheme::EcdsaP256Sha256));
    assert_eq!(verified(NotaryFormat::Jws, &jws, maker.public_key()), "accepted");
    let cose = signed_cose(&Cose::new(), by(&maker.key, Scheme::EcdsaP256Sha256));
    assert_eq!(verified(NotaryFormat::Cose, &cose, maker.public_key()), "accepted");
}

/// Each algorithm is claimed for each key, and the key signs by its own: only its own name is accepted.
#[test]
fn the_algorithm_is_that_of_the_key() {
    for maker in NotaryAlgorithm::ALL.map(Maker::of) {
        for claimed in NotaryAlgorithm::ALL {
            let wanted = if claimed == maker.algorithm { "accepted" } else { "algorithm-not-of-key" };
            let mut jws = Jws::new();
            jws.protected["alg"] = json!(claimed.jws_name());
            let bytes = signed_jws(jws, by(&maker.key, maker.algorithm.scheme()));
            assert_eq!(verified(NotaryFormat::Jws, &bytes, maker.public_key()), wanted, "{claimed}");
            let mut cose = Cose::new();
            cose.protected[0].1 = Data::Integer(claimed.cose_number());
            let bytes = signed_cose(&cose, by(&maker.key, maker.algorithm.scheme()));
            assert_eq!(verified(NotaryFormat::Cose, &bytes, maker.public_key()), wanted, "{claimed}");
        }
    }
}

/// A signature by another scheme of the key, or in another encoding, under the right name.
#[test]
fn a_name_stands_for_one_scheme_and_one_encoding() {
    for (maker, schemes) in [
        (Maker::of(NotaryAlgorithm::Es384), vec![Scheme::EcdsaP384Sha256]),
        (Maker::of(NotaryAlgorithm::Es512), vec![Scheme::EcdsaP521Sha256]),
        (Maker::of(NotaryAlgorithm::Ps256), vec![Scheme::RsaPkcs1Sha256, Scheme::RsaPssSha384, Scheme::RsaPssSha512]),
    ] {
        for scheme in schemes {
            let mut jws = Jws::new();
            jws.protected["alg"] = json!(maker.algorithm.jws_name());
            let bytes = signed_jws(jws, by(&maker.key, scheme));
            assert_eq!(verified(NotaryFormat::Jws, &bytes, maker.public_key()), "signature", "{scheme}");
        }
    }
    // ECDSA in DER.
    let maker = Maker::of(NotaryAlgorithm::Es256);
    let der = |message: &[u8]| maker.key.sign(message).unwrap().as_bytes().to_vec();
    let (jws, cose) = (signed_jws(Jws::new(), der), signed_cose(&Cose::new(), der));
    assert_eq!(verified(NotaryFormat::Jws, &jws, maker.public_key()), "signature");
    assert_eq!(verified(NotaryFormat::Cose, &cose, maker.public_key()), "signature");
    // A longer and a shorter signature.
    for length in [0, 63, 65, 128] {
        let changed = |message: &[u8]| {
            let mut signature = by(&maker.key, Scheme::EcdsaP256Sha256)(message);
            signature.resize(length, 0);
            signature
        };
        let wanted = if length == 0 { "signature-absent" } else { "signature" };
        assert_eq!(verified(NotaryFormat::Jws, &signed_jws(Jws::new(), changed), maker.public_key()), wanted);
    }
}

/// `none`, and HMAC with the public key as the secret: refused by name, whatever the signature.
#[test]
fn no_algorithm_without_a_key_pair_is_accepted() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    for name in ["none", "None", "HS256", "HS384", "HS512"] {
        for signature in [maker.public_key().spki().to_vec(), vec![0; 32], vec![0]] {
            let mut jws = Jws::new();
            jws.protected["alg"] = json!(name);
            let bytes = signed_jws(jws, |_| signature);
            assert_eq!(verified(NotaryFormat::Jws, &bytes, maker.public_key()), "algorithm-not-allowed", "{name}");
        }
    }
}

/// Ed25519 and RSA of other sizes are not allowed, even with a right signature.
#[test]
fn keys_of_other_kinds_are_not_allowed() {
    let ed25519 = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    for format in BOTH {
        let bytes = Maker::of(NotaryAlgorithm::Es256).envelope(format, &attributes());
        assert_eq!(verified(format, &bytes, ed25519.public_key()), "key-not-allowed");
    }
    // A signature of the key in the certificate says nothing about another key.
    let other = PrivateKey::generate(KeyKind::P256).unwrap();
    for format in BOTH {
        let bytes = Maker::of(NotaryAlgorithm::Es256).envelope(format, &attributes());
        assert_eq!(verified(format, &bytes, other.public_key()), "signature");
    }
}

/// A critical attribute that is not known is refused although the signature is valid, and an unknown one that is not
/// critical is not.
#[test]
fn an_unknown_critical_attribute_is_refused() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    for format in BOTH {
        for (critical, wanted) in [(false, "accepted"), (true, "unknown-critical-attribute")] {
            let bytes = maker.envelope(format, &attributes().with_extended("org.example.rule", "x", critical));
            let envelope = read(format, &bytes).unwrap();
            assert_eq!(envelope.check_signature(maker.public_key()), Ok(()));
            assert_eq!(verdict(&envelope.verify(maker.public_key())), wanted, "{format}");
            assert_eq!(envelope.objections().len(), usize::from(critical));
        }
    }
    // Names that are not of this format although they look like it, and numbers of COSE.
    for name in ["b64", "exp", "io.cncf.notary.signingAgent", "io.cncf.notary.timestampSignature", "kid"] {
        let mut jws = Jws::new();
        jws.envelope["header"].as_object_mut().unwrap().remove("io.cncf.notary.signingAgent");
        jws.protected[name] = json!("x");
        jws.protected["crit"].as_array_mut().unwrap().push(json!(name));
        let bytes = signed_jws(jws, by(&maker.key, Scheme::EcdsaP256Sha256));
        assert_eq!(verified(NotaryFormat::Jws, &bytes, maker.public_key()), "unknown-critical-attribute", "{name}");
    }
    let mut cose = Cose::new();
    cose.protected[1].1 = Data::Array(vec![text("io.cncf.notary.signingScheme"), Data::Integer(4)]);
    cose.protected.push((Data::Integer(4), Data::Bytes(vec![1])));
    let bytes = signed_cose(&cose, by(&maker.key, Scheme::EcdsaP256Sha256));
    assert_eq!(verified(NotaryFormat::Cose, &bytes, maker.public_key()), "unknown-critical-attribute");
}

/// Whatever is beside it, an envelope that names a plugin is could-not-tell at best.
#[test]
fn a_verification_plugin_is_could_not_tell() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    let name = "io.cncf.notary.verificationPlugin";
    let mut jws = Jws::new();
    jws.protected[name] = json!("org.example.plugin\u{202e}");
    jws.protected["crit"].as_array_mut().unwrap().push(json!(name));
    let bytes = signed_jws(jws, by(&maker.key, Scheme::EcdsaP256Sha256));
    let envelope = read(NotaryFormat::Jws, &bytes).unwrap();
    let error = envelope.verify(maker.public_key()).unwrap_err();
    assert_eq!(said(&error), "?verification-plugin");
    let text = error.to_string();
    assert!(text.contains("org.example.plugin") && !text.contains('\u{202e}'), "{text}");
    // A broken signature is reported first: it is a no.
    let other = PrivateKey::generate(KeyKind::P256).unwrap();
    assert_eq!(said(&envelope.verify(other.public_key()).unwrap_err()), "signature");
}

/// No bytes are an envelope in both formats, and a signature in one format does not verify in the other.
#[test]
fn formats_are_not_confused() {
    let maker = Maker::of(NotaryAlgorithm::Es256);
    let [cose, jws] = BOTH.map(|format| maker.envelope(format, &attributes()));
    assert!(read(NotaryFormat::Jws, &cose).is_err() && read(NotaryFormat::Cose, &jws).is_err());
    let signature =
        |format, bytes: &[u8]| -> Vec<u8> { NotaryEnvelope::signature(&read(format, bytes).unwrap()).to_vec() };
    let mut moved: Value = serde_json::from_slice(&jws).unwrap();
    moved["signature"] = json!(URL_SAFE_NO_PAD.encode(signature(NotaryFormat::Cose, &cose)));
    assert_eq!(verified(NotaryFormat::Jws, moved.to_string().as_bytes(), maker.public_key()), "signature");
}

/// The payload type of the Notary Project inside a DSSE envelope would be a second form of the same statement.
#[test]
fn a_dsse_envelope_does_not_carry_the_payload() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let bytes = Envelope::sign(NOTARY_PAYLOAD, b"{}", &key).unwrap().to_json().unwrap();
    assert!(Envelope::parse(&bytes, &Limits::DEFAULT).is_err());
}
