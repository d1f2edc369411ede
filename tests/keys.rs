//! Key files and signatures: our own, those of peers, and the `keys` suite.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::files::Overwrite;
use bulla::key::Algorithm;
use bulla::key::KeyError;
use bulla::key::KeyKind;
use bulla::key::Passphrase;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signature;
use bulla::key::Signer;
use bulla::key::SignerError;
use bulla::key::Unverified;
use bulla::key::file;
use bulla::limits::Limits;
use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::proptest;
use serde_json::Value;

const KINDS: [KeyKind; 3] = [KeyKind::Ed25519, KeyKind::P256, KeyKind::P384];
const MESSAGE: &[u8] = b"the message";

fn none() -> Result<Passphrase, KeyError> {
    panic!("asked for a passphrase")
}

fn given(text: &str) -> impl FnOnce() -> Result<Passphrase, KeyError> {
    let passphrase = Passphrase::new(text);
    move || Ok(passphrase)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A key of every kind that can sign. The library makes those that we do not.
fn every_key() -> Vec<PrivateKey> {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::encoding::Pkcs8V1Der;
    use aws_lc_rs::rsa::KeyPair;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::ECDSA_P521_SHA512_ASN1_SIGNING;
    use aws_lc_rs::signature::EcdsaKeyPair;

    let p521 = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_ASN1_SIGNING).unwrap().to_pkcs8v1().unwrap();
    let rsa: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let made = [p521.as_ref(), rsa.as_ref()].map(|der| PrivateKey::from_pkcs8_der(der).unwrap());
    KINDS.map(|kind| PrivateKey::generate(kind).unwrap()).into_iter().chain(made).collect()
}

#[test]
fn every_scheme_of_every_key_signs_and_verifies() {
    for key in every_key() {
        let public = key.public_key();
        assert_eq!(public.default_scheme(), public.schemes()[0]);
        let usual = key.sign(MESSAGE).unwrap();
        assert_eq!(public.verify(MESSAGE, usual.as_bytes()), Ok(public.default_scheme()));
        for scheme in public.schemes() {
            let signature = key.sign_with(*scheme, MESSAGE).unwrap();
            assert_eq!(public.verify(MESSAGE, signature.as_bytes()), Ok(*scheme));
            assert_eq!(public.verify_as(*scheme, MESSAGE, signature.as_bytes()), Ok(()));
            assert_eq!(public.verify(b"another message", signature.as_bytes()), Err(Unverified));
            for other in public.schemes().iter().filter(|other| *other != scheme) {
                assert_eq!(public.verify_as(*other, MESSAGE, signature.as_bytes()), Err(Unverified), "{other}");
            }
        }
    }
}

// A key of one kind neither makes nor accepts a signature of another (threats: algorithm-from-evidence).
#[test]
fn a_key_has_no_scheme_of_another_kind() {
    let keys = every_key();
    for key in &keys {
        for other in keys.iter().filter(|other| other.public_key() != key.public_key()) {
            for scheme in other.public_key().schemes() {
                let SignerError::Scheme { algorithm, scheme: refused } = key.sign_with(*scheme, MESSAGE).unwrap_err()
                else {
                    panic!("{scheme} was not refused as a scheme of another kind of key");
                };
                assert_eq!((algorithm, refused), (key.public_key().algorithm(), *scheme));
                let signature = other.sign_with(*scheme, MESSAGE).unwrap();
                assert_eq!(key.public_key().verify(MESSAGE, signature.as_bytes()), Err(Unverified));
                assert_eq!(key.public_key().verify_as(*scheme, MESSAGE, signature.as_bytes()), Err(Unverified));
            }
        }
    }
}

#[test]
fn elliptic_keys_sign_deterministically() {
    for kind in KINDS {
        let key = PrivateKey::generate(kind).unwrap();
        for scheme in key.public_key().schemes() {
            let twice = [0, 1].map(|_| key.sign_with(*scheme, MESSAGE).unwrap());
            assert_eq!(twice[0], twice[1]);
        }
    }
}

#[test]
fn flipped_bits_and_cut_signatures_are_refused() {
    for key in every_key() {
        let public = key.public_key();
        let signature = key.sign(MESSAGE).unwrap();
        for bit in 0..MESSAGE.len() * 8 {
            let mut message = MESSAGE.to_vec();
            message[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(public.verify(&message, signature.as_bytes()), Err(Unverified));
        }
        for byte in 0..signature.as_bytes().len() {
            let mut flipped = signature.as_bytes().to_vec();
            flipped[byte] ^= 1 << (byte % 8);
            assert_eq!(public.verify(MESSAGE, &flipped), Err(Unverified));
        }
        for length in (0..signature.as_bytes().len()).step_by(7) {
            assert_eq!(public.verify(MESSAGE, &signature.as_bytes()[..length]), Err(Unverified));
        }
        let longer = [signature.as_bytes(), &[0]].concat();
        assert_eq!(public.verify(MESSAGE, &longer), Err(Unverified));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_verifies_and_nothing_else(message: Vec<u8>, bit in any::<usize>(), kind in 0..KINDS.len()) {
        let key = PrivateKey::generate(KINDS[kind]).unwrap();
        let signature = key.sign(&message).unwrap();
        assert!(key.public_key().verify(&message, signature.as_bytes()).is_ok());
        let mut other = message.clone();
        match other.len() {
            0 => other.push(0),
            length => other[bit % length] ^= 1 << (bit % 8),
        }
        assert!(key.public_key().verify(&other, signature.as_bytes()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, label in "[A-Z ]{0,30}") {
        let header = [&[0x30, u8::try_from(bytes.len() & 0x7f).unwrap()][..], &bytes].concat();
        for bytes in [&bytes, &header, &pem(&label, &bytes).into_bytes()] {
            let _ = PublicKey::parse(bytes);
            let _ = PrivateKey::parse(bytes, &Limits::DEFAULT, || Err(KeyError::PassphraseMissing));
        }
    }
}

// A signature that does not verify is not given out, whatever computed it (threats: faulty-signer).
#[test]
fn a_faulty_signature_is_not_returned() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let public = key.public_key();
    let mut bytes = key.sign(MESSAGE).unwrap().as_bytes().to_vec();
    assert!(Signature::verified(public, Scheme::EcdsaP256Sha256, MESSAGE, bytes.clone()).is_ok());
    bytes[20] ^= 1;
    let faulty = Signature::verified(public, Scheme::EcdsaP256Sha256, MESSAGE, bytes).unwrap_err();
    assert!(matches!(faulty, SignerError::Faulty { key, scheme: Scheme::EcdsaP256Sha256 } if key == public.id()));
}

#[test]
fn every_key_is_read_back_from_every_plain_form() {
    for key in every_key() {
        let id = key.public_key().id();
        let (der, pem) = (key.to_pkcs8_der(), key.to_pkcs8_pem());
        assert_eq!(PrivateKey::from_pkcs8_der(&der).unwrap().public_key().id(), id);
        assert_eq!(PrivateKey::parse(&der, &Limits::DEFAULT, none).unwrap().public_key().id(), id);
        let again = PrivateKey::parse(pem.as_bytes(), &Limits::DEFAULT, none).unwrap();
        assert_eq!(again.public_key().id(), id);
        assert_eq!(again.to_pkcs8_der(), der);
        let public = PublicKey::parse(key.public_key().to_pem().as_bytes()).unwrap();
        assert_eq!(&public, key.public_key());
        assert_eq!(PublicKey::parse(public.spki()).unwrap(), public);
        assert_eq!(PublicKey::from_spki(public.spki()).unwrap().id(), id);
    }
}

/// The inner format of a PKCS#8 key: SEC1 or PKCS#1.
fn inner(key: &PrivateKey) -> Vec<u8> {
    pkcs8::PrivateKeyInfoRef::try_from(key.to_pkcs8_der().as_slice()).unwrap().private_key.as_bytes().to_vec()
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// RFC 5915, with everything in it to choose.
#[derive(der::Sequence)]
struct Sec1 {
    version: u8,
    private_key: der::asn1::OctetString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    curve: Option<pkcs8::ObjectIdentifier>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    public_key: Option<der::asn1::BitString>,
}

#[test]
fn keys_are_read_from_sec1_and_pkcs1() {
    use der::Decode as _;
    use der::Encode as _;

    let curves = [("1.2.840.10045.3.1.7", 1), ("1.3.132.0.34", 2), ("1.3.132.0.35", 3)];
    let keys = every_key();
    for (oid, at) in curves {
        let key = &keys[at];
        let mut sec1 = Sec1::from_der(&inner(key)).unwrap();
        sec1.curve = Some(pkcs8::ObjectIdentifier::new_unwrap(oid));
        let point = sec1.public_key.take().unwrap().as_bytes().unwrap().to_vec();
        let half = point.len().div_ceil(2);
        let compressed = [&[2 | (point[point.len() - 1] & 1)][..], &point[1..half]].concat();
        let mut other = compressed.clone();
        other[0] ^= 1;
        let mut read = |public: Option<&[u8]>| {
            sec1.public_key = public.map(|bytes| der::asn1::BitString::from_bytes(bytes).unwrap());
            let der = sec1.to_der().unwrap();
            let text = pem("EC PRIVATE KEY", &der);
            assert_eq!(
                PrivateKey::parse(&der, &Limits::DEFAULT, none).is_ok(),
                PrivateKey::parse(text.as_bytes(), &Limits::DEFAULT, none).is_ok()
            );
            PrivateKey::parse(text.as_bytes(), &Limits::DEFAULT, none)
        };
        for public in [None, Some(point.as_slice()), Some(&compressed)] {
            assert_eq!(read(public).unwrap().to_pkcs8_der(), key.to_pkcs8_der());
        }
        assert!(matches!(read(Some(&other)), Err(KeyError::Mismatch)));
    }
    let rsa = &keys[4];
    let text = pem("RSA PRIVATE KEY", &inner(rsa));
    for bytes in [text.as_bytes(), &inner(rsa)] {
        assert_eq!(PrivateKey::parse(bytes, &Limits::DEFAULT, none).unwrap().to_pkcs8_der(), rsa.to_pkcs8_der());
    }
}

// PKCS#8 version 2 has room for a public key, which must be the right one.
#[test]
fn a_public_key_stored_beside_must_match() {
    use der::Encode as _;
    use der::asn1::BitStringRef;
    use pkcs8::PrivateKeyInfoRef;

    let [keys, others] = [every_key(), every_key()];
    for at in 0..4 {
        let plain = keys[at].to_pkcs8_der();
        let bits = |key: &PrivateKey| {
            let spki = pkcs8::SubjectPublicKeyInfoRef::try_from(key.public_key().spki()).unwrap();
            spki.subject_public_key.as_bytes().unwrap().to_vec()
        };
        for (public, accepted) in [(bits(&keys[at]), true), (bits(&others[at]), false)] {
            let mut info = PrivateKeyInfoRef::try_from(plain.as_slice()).unwrap();
            info.public_key = Some(BitStringRef::from_bytes(&public).unwrap());
            let read = PrivateKey::from_pkcs8_der(&info.to_der().unwrap());
            assert!(accepted == read.is_ok(), "{read:?}");
            assert!(accepted || matches!(read, Err(KeyError::Mismatch)));
        }
    }
}

#[test]
fn encrypted_keys_open_with_their_passphrase_and_no_other() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let passphrase = Passphrase::new("a passphrase");
    let written = [
        ("ENCRYPTED SIGSTORE PRIVATE KEY", key.to_sigstore_pem(&passphrase).unwrap()),
        ("ENCRYPTED PRIVATE KEY", key.to_encrypted_pkcs8_pem(&passphrase).unwrap()),
    ];
    for (label, text) in written {
        assert!(text.starts_with(&format!("-----BEGIN {label}-----\n")), "{text}");
        let opened = PrivateKey::parse(text.as_bytes(), &Limits::DEFAULT, given("a passphrase")).unwrap();
        assert_eq!(opened.public_key(), key.public_key());
        let wrong = PrivateKey::parse(text.as_bytes(), &Limits::DEFAULT, given("another")).unwrap_err();
        assert!(matches!(wrong, KeyError::PassphraseWrong), "{wrong}");
        let missing =
            PrivateKey::parse(text.as_bytes(), &Limits::DEFAULT, || Err(KeyError::PassphraseMissing)).unwrap_err();
        assert!(matches!(missing, KeyError::PassphraseMissing), "{missing}");
    }
    let old = key.to_sigstore_pem(&Passphrase::new("")).unwrap().replace("SIGSTORE", "COSIGN");
    assert_eq!(PrivateKey::parse(old.as_bytes(), &Limits::DEFAULT, given("")).unwrap().public_key(), key.public_key());
}

#[test]
fn nothing_secret_is_printed() {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let public = key.public_key();
    assert_eq!(format!("{key:?}"), format!("PrivateKey(Ed25519, {})", public.id()));
    assert_eq!(format!("{:?}", Passphrase::new("hunter2")), "Passphrase(…)");
    let id = public.id();
    assert_eq!(id.short(), id.to_string()[..12]);
    assert_eq!(id.to_string().len(), 64);
    assert_eq!(STANDARD.decode(id.hint()).unwrap(), id.as_bytes());
}

/// Encrypted PKCS#8 with a derivation that costs nothing, for the tests that open thousands.
fn cheaply_encrypted(key: &PrivateKey) -> Vec<u8> {
    use pkcs8::PrivateKeyInfoRef;
    use pkcs8::pkcs5::pbes2::Parameters;

    let cost = scrypt::Params::new(1, 1, 1).unwrap();
    let parameters = Parameters::generate_scrypt_aes256cbc(cost, &[1; 16], [2; 16]).unwrap();
    let plain = key.to_pkcs8_der();
    let info = PrivateKeyInfoRef::try_from(plain.as_slice()).unwrap();
    info.encrypt_with_params(parameters, "pass").unwrap().as_bytes().to_vec()
}

// Every bit of an encrypted key, flipped: an error, or the same key. AES-CBC alone would let some through; the public
// key inside, or the numbers of RSA, are what catches them.
#[test]
fn no_flipped_bit_of_an_encrypted_key_makes_another_key() {
    for key in every_key() {
        let id = key.public_key().id();
        let encrypted = cheaply_encrypted(&key);
        assert_eq!(PrivateKey::parse(&encrypted, &Limits::DEFAULT, given("pass")).unwrap().public_key().id(), id);
        // Opening the longer keys is slow without optimisation; every byte of them is flipped, some by several bits.
        let step = match encrypted.len() {
            0..180 => 1,
            180..280 => 3,
            _ => 9,
        };
        let mut others = 0;
        for bit in (0..encrypted.len() * 8).step_by(step) {
            let mut flipped = encrypted.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A flipped bit in the cost may ask for hours: that it is refused is another test.
            match PrivateKey::parse(&flipped, &Limits::DEFAULT, given("pass")) {
                Ok(opened) if opened.public_key().id() != id => others += 1,
                Ok(_) | Err(_) => (),
            }
        }
        // PKCS#8 version 1 of an Ed25519 key is a seed and nothing to check it against.
        let unprotected = key.public_key().algorithm() == Algorithm::Ed25519;
        assert_eq!(others > 0, unprotected, "{others} other keys from {key:?}");
    }
}

// The same through the whole of cosign's container in PEM, up to the derivation: no flipped bit of the text changes
// what is derived from without being noticed. The container itself is flipped bit by bit in `key::sigstore`.
#[test]
fn a_flipped_character_in_a_container_opens_no_key() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let text = key.to_sigstore_pem(&Passphrase::new("pass")).unwrap().into_bytes();
    let mut opened = 0;
    for index in (0..text.len()).step_by(37) {
        let mut flipped = text.clone();
        flipped[index] ^= 1;
        match PrivateKey::parse(&flipped, &Limits::DEFAULT, given("pass")) {
            Ok(same) => assert_eq!(same.public_key(), key.public_key()),
            Err(_) => continue,
        }
        opened += 1;
    }
    assert_eq!(opened, 0);
}

#[test]
fn parameters_of_encrypted_pkcs8_are_bounded() {
    use der::Encode as _;
    use pkcs8::pkcs5::pbes2::EncryptionScheme;
    use pkcs8::pkcs5::pbes2::Kdf;
    use pkcs8::pkcs5::pbes2::Parameters;
    use pkcs8::pkcs5::pbes2::Pbkdf2Params;
    use pkcs8::pkcs5::pbes2::Pbkdf2Prf;
    use pkcs8::pkcs5::pbes2::Salt;
    use pkcs8::pkcs5::pbes2::ScryptParams;

    let file = |kdf: Kdf| {
        let parameters = Parameters { kdf, encryption: EncryptionScheme::Aes256Cbc { iv: [0; 16] } };
        let scheme = pkcs8::pkcs5::EncryptionScheme::from(parameters).to_der().unwrap();
        let data = der::asn1::OctetString::new(vec![0; 64]).unwrap().to_der().unwrap();
        let header = [0x30, 0x82, 0, u8::try_from(scheme.len() + data.len()).unwrap()];
        let short = [0x30, 0x81, header[3]];
        let header = if header[3] < 128 { vec![0x30, header[3]] } else { short.to_vec() };
        [header, scheme, data].concat()
    };
    let salt = Salt::new([0; 16]).unwrap();
    let scrypt = |cost_parameter, block_size, parallelization| {
        file(Kdf::Scrypt(ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None }))
    };
    let pbkdf2 =
        |iteration_count, prf| file(Kdf::Pbkdf2(Pbkdf2Params { salt, iteration_count, key_length: None, prf }));
    let sha256 = Pbkdf2Prf::HmacWithSha256;
    for refused in [
        scrypt(0, 8, 1),
        scrypt(1, 8, 1),
        scrypt(3, 8, 1),
        scrypt(1 << 18, 8, 1),
        scrypt(1 << 17, 9, 1),
        scrypt(1 << 17, 8, 3),
        scrypt(1 << 40, 8, 1),
        scrypt(1 << 63, u16::MAX, u16::MAX),
        scrypt(2, 0, 1),
        scrypt(2, 1, 0),
        pbkdf2(0, sha256),
        pbkdf2(10_000_001, sha256),
        pbkdf2(u32::MAX, sha256),
    ] {
        let error = PrivateKey::parse(&refused, &Limits::DEFAULT, none).unwrap_err();
        assert!(matches!(error, KeyError::Cost { .. }), "{error}");
    }
    let old = PrivateKey::parse(&pbkdf2(2_048, Pbkdf2Prf::HmacWithSha1), &Limits::DEFAULT, none).unwrap_err();
    assert!(old.to_string().contains("HMAC-SHA-1"), "{old}");
    for asked in [scrypt(1 << 17, 8, 2), scrypt(2, 1, 1), pbkdf2(1, sha256), pbkdf2(10_000_000, sha256)] {
        let error = PrivateKey::parse(&asked, &Limits::DEFAULT, || Err(KeyError::PassphraseMissing)).unwrap_err();
        assert!(matches!(error, KeyError::PassphraseMissing), "{error}");
    }
}

/// PEM of a public key in DER.
fn public_pem(hex: &str) -> String {
    let bytes: Vec<u8> =
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(bytes))
}

#[test]
fn other_algorithms_are_refused_by_name() {
    let point = |length: usize| format!("04{}", "11".repeat(2 * length));
    let cases = [
        (format!("304e301006072a8648ce3d020106052b81040021033a00{}", point(28)), "ECDSA P-224"),
        (format!("3056301006072a8648ce3d020106052b8104000a034200{}", point(32)), "ECDSA secp256k1"),
        (format!("305a301406072a8648ce3d020106092b2403030208010107034200{}", point(32)), "ECDSA brainpoolP256r1"),
        ("300e300906072a8648ce380401030100".to_owned(), "DSA"),
        (format!("302a300506032b656e032100{}", "11".repeat(32)), "X25519"),
        (format!("3043300506032b6571033a00{}", "11".repeat(57)), "Ed448"),
    ];
    for (hex, name) in cases {
        let error = PublicKey::parse(public_pem(&hex).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(name), "{name}: {error}");
    }
}

/// A public RSA key with these numbers, as PKCS#1 in PEM.
fn rsa_pem(modulus: &[u8], exponent: &[u8]) -> String {
    use der::Encode as _;
    use der::asn1::Uint;

    let numbers = vec![Uint::new(modulus).unwrap(), Uint::new(exponent).unwrap()];
    let der = numbers.to_der().unwrap();
    format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(der))
}

#[test]
fn rsa_keys_outside_the_limits_are_refused() {
    let usual = [1, 0, 1];
    let modulus = |bytes: usize| vec![0xff; bytes];
    let parse = |modulus: &[u8], exponent: &[u8]| PublicKey::parse(rsa_pem(modulus, exponent).as_bytes());
    for bytes in [256, 384, 512, 1024] {
        let key = parse(&modulus(bytes), &usual).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Rsa { bits: u32::try_from(bytes * 8).unwrap() });
    }
    let mut short = modulus(256);
    short[0] = 0x7f;
    for (bytes, found) in
        [(&modulus(128), 1_024), (&short, 2_047), (&modulus(1_025), 8_200), (&vec![0x01; 1_025], 8_193)]
    {
        let error = parse(bytes, &usual).unwrap_err();
        assert!(matches!(error, KeyError::RsaSize { found: bits } if bits == found), "{error}");
    }
    let two_to_32 = [1, 0, 0, 0, 0];
    for exponent in
        [&[0][..], &[1], &[3], &[17], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &two_to_32, &[1, 0, 0, 0, 1], &[0xff; 9]]
    {
        let error = parse(&modulus(256), exponent).unwrap_err();
        assert!(matches!(error, KeyError::RsaExponent { .. }), "{exponent:?}: {error}");
    }
    assert!(parse(&modulus(256), &[0xff, 0xff, 0xff, 0xff]).is_ok());
    let mut even = modulus(256);
    even[255] = 0xfe;
    assert!(parse(&even, &usual).is_err());
}

// One key, one encoding: a second one would be a second vote towards a threshold.
#[test]
fn other_encodings_of_the_same_key_are_refused() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let spki = key.public_key().spki();
    let mut hybrid = spki.to_vec();
    hybrid[26] = 6 | (spki[90] & 1);
    let compressed = [&[0x30, 0x39][..], &spki[2..23], &[0x03, 0x22, 0x00, 2 | (spki[90] & 1)], &spki[27..59]].concat();
    let long_length = [&[0x30, 0x81, 0x59][..], &spki[2..]].concat();
    let trailing = [spki, &[0]].concat();
    for other in [hybrid, compressed, long_length, trailing] {
        assert!(PublicKey::from_spki(&other).is_err(), "{other:02x?}");
    }
    let rsa = &every_key()[4];
    let spki = rsa.public_key().spki();
    let without_null = [&[0x30, 0x82, 0x01, 0x20, 0x30, 0x0b][..], &spki[6..17], &spki[19..]].concat();
    assert!(PublicKey::from_spki(&without_null).is_err());
}

// With a key of small order, anybody can make signatures (threats: ed25519-small-order-key).
#[test]
fn invalid_ed25519_keys_are_refused() {
    let keys = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ];
    let parse = |key: &str| PublicKey::parse(public_pem(&format!("302a300506032b6570032100{key}")).as_bytes());
    // The base point, which is a valid key.
    assert!(parse("5866666666666666666666666666666666666666666666666666666666666666").is_ok());
    for key in keys {
        assert!(parse(key).is_err(), "{key}");
    }
}

#[test]
fn other_files_are_refused_with_their_type() {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    for (text, wanted) in [
        (block("CERTIFICATE"), "a certificate is not a public key"),
        (key.to_pkcs8_pem().to_string(), "a private key is not a public key"),
        (block("SSH2 PUBLIC KEY"), "a PEM block `SSH2 PUBLIC KEY` is not a public key"),
        (block("\u{1b}[31m"), "a PEM block `\\u{1b}[31m` is not a public key"),
    ] {
        assert_eq!(PublicKey::parse(text.as_bytes()).unwrap_err().to_string(), wanted);
    }
    for (text, wanted) in [
        (block("CERTIFICATE"), "a certificate is not a private key"),
        (key.public_key().to_pem(), "a public key is not a private key"),
        (block("OPENSSH PRIVATE KEY"), "an OpenSSH private key is not a private key"),
    ] {
        assert_eq!(PrivateKey::parse(text.as_bytes(), &Limits::DEFAULT, none).unwrap_err().to_string(), wanted);
    }
    for garbage in [&b""[..], b"0", b"key", &[0x30, 0x80], &[0xff; 100]] {
        assert!(PublicKey::parse(garbage).is_err());
        assert!(PrivateKey::parse(garbage, &Limits::DEFAULT, none).is_err());
    }
}

#[test]
fn key_files_are_written_whole_and_never_over_another() {
    let directory = tempfile::tempdir().unwrap();
    let (private, public) = (directory.path().join("bulla.key"), directory.path().join("bulla.pub"));
    let [first, second] = [0, 1].map(|_| PrivateKey::generate(KeyKind::P256).unwrap());
    let write = |key: &PrivateKey, overwrite| {
        file::write_private(&private, &key.to_pkcs8_pem(), overwrite)?;
        file::write_public(&public, key.public_key(), overwrite)
    };
    let written = || file::read_private(&private, &Limits::DEFAULT, none).unwrap();

    write(&first, Overwrite::Refuse).unwrap();
    assert_eq!(written().public_key(), first.public_key());
    assert_eq!(&file::read_public(&public, &Limits::DEFAULT).unwrap(), first.public_key());

    let refused = write(&second, Overwrite::Refuse).unwrap_err();
    assert!(matches!(&refused, KeyError::Exists { path } if *path == private), "{refused}");
    assert_eq!(written().public_key(), first.public_key());

    write(&second, Overwrite::Replace).unwrap();
    assert_eq!(written().public_key(), second.public_key());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);

    let nowhere = directory.path().join("missing/bulla.key");
    let failed = file::write_private(&nowhere, "", Overwrite::Refuse).unwrap_err();
    assert!(failed.to_string().contains("cannot be written"), "{failed}");
    let over_directory = file::write_private(directory.path(), "", Overwrite::Replace);
    assert!(over_directory.is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn a_key_pair_is_replaced_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let text = key.to_pkcs8_pem();
    let write = |private: &str, public: &str, overwrite| {
        file::write_pair((&at(private), &text), (&at(public), key.public_key()), overwrite)
    };
    fs::write(at("k.key"), "old").unwrap();
    fs::create_dir(at("dir.pub")).unwrap();
    fs::create_dir(at("dir.key")).unwrap();
    fs::write(at("k.pub"), "old").unwrap();
    for (private, public, overwrite) in [
        ("k.key", "dir.pub", Overwrite::Replace),
        ("dir.key", "k.pub", Overwrite::Replace),
        ("k.key", "no/such/k.pub", Overwrite::Replace),
        ("new.key", "k.pub", Overwrite::Refuse),
        ("k.key", "new.pub", Overwrite::Refuse),
    ] {
        write(private, public, overwrite).unwrap_err();
        assert_eq!(fs::read(at("k.key")).unwrap(), b"old", "{private}, {public}");
        assert_eq!(fs::read(at("k.pub")).unwrap(), b"old", "{private}, {public}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4, "{private}, {public}");
    }
    write("k.key", "k.pub", Overwrite::Replace).unwrap();
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("k.key"), mode("k.pub")), (0o600, 0o644));
    assert_eq!(file::read_public(&at("k.pub"), &Limits::DEFAULT).unwrap(), *key.public_key());
}

#[cfg(unix)]
#[test]
fn private_key_files_are_for_their_owner_alone_and_links_are_not_followed() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let (path, target) = (directory.path().join("bulla.key"), directory.path().join("elsewhere"));
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;

    file::write_private(&path, &key.to_pkcs8_pem(), Overwrite::Refuse).unwrap();
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    file::write_private(&path, &key.to_pkcs8_pem(), Overwrite::Replace).unwrap();
    assert_eq!(mode(), 0o600);

    fs::remove_file(&path).unwrap();
    symlink(&target, &path).unwrap();
    let dangling = file::write_private(&path, &key.to_pkcs8_pem(), Overwrite::Refuse).unwrap_err();
    assert!(matches!(dangling, KeyError::Exists { .. }), "{dangling}");
    file::write_private(&path, &key.to_pkcs8_pem(), Overwrite::Replace).unwrap();
    assert!(!target.exists());
}

#[test]
fn only_regular_files_within_the_limit_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let text = key.to_pkcs8_pem();
    fs::write(&path, text.as_bytes()).unwrap();
    let length = u64::try_from(text.len()).unwrap();
    for (limit, accepted) in [(length + 1, true), (length, true), (length - 1, false)] {
        let limits = Limits::DEFAULT.with(|limits| limits.key.file_bytes = limit);
        let read = file::read_private(&path, &limits, none);
        assert_eq!(read.is_ok(), accepted, "limit {limit}");
        assert!(accepted || matches!(read, Err(KeyError::TooLarge { .. })));
    }
    let read = |path: &Path| file::read_public(path, &Limits::DEFAULT).unwrap_err().to_string();
    let at = |path: &Path| format!("`{}`", path.display());
    let missing = directory.path().join("missing");
    assert!(read(&missing).starts_with(&format!("{} cannot be read: ", at(&missing))));
    assert_eq!(read(directory.path()), format!("{} is a directory, wanted a file", at(directory.path())));
    assert_eq!(read(Path::new("/dev/zero")), "`/dev/zero` is a device or a pipe, wanted a file");
    assert_eq!(read(&path), format!("{}: a private key is not a public key", at(&path)));
    fs::write(&path, "not a key").unwrap();
    let not_a_key = "public key cannot be read: it is neither PEM nor DER of a key";
    assert_eq!(read(&path), format!("{}: {not_a_key}", at(&path)));
}

/// The expected result for a file of the `keys` suite.
enum Outcome {
    /// A private key of this kind, opened with this passphrase where one is needed.
    Private(Algorithm, &'static str),
    /// A public key of this kind.
    Public(Algorithm),
    /// Refused, with these words in the message.
    Refused(&'static str),
}

/// Every file of the open half, with the reason where it is not read. The passphrases are those of the upstream tests
/// (the suite says "password" of the two of sigstore-rs; upstream and the files say "123").
#[rustfmt::skip]
const OUTCOMES: [(&str, Outcome); 81] = {
    use Algorithm::EcdsaP256;
    use Algorithm::EcdsaP521;
    use Algorithm::Ed25519;
    use Outcome::Private;
    use Outcome::Public;
    use Outcome::Refused;
    const RSA_2048: Algorithm = Algorithm::Rsa { bits: 2_048 };
    const RSA_4096: Algorithm = Algorithm::Rsa { bits: 4_096 };
    [
        ("cryptography/DER_Serialization/dsa.3072.der", Refused("DSA")),
        ("cryptography/DER_Serialization/dsa_public_key.der", Refused("DSA")),
        ("cryptography/DER_Serialization/dsa_public_key_invalid_bit_string.der", Refused("DSA")),
        ("cryptography/DER_Serialization/enc-rsa-pkcs8.der", Refused("PKCS#12 SHA-1 and 3-key triple DES")),
        ("cryptography/DER_Serialization/enc2-rsa-pkcs8.der", Refused("HMAC-SHA-1")),
        ("cryptography/DER_Serialization/rsa_public_key.der", Public(RSA_2048)),
        ("cryptography/DER_Serialization/unenc-dsa-pkcs8.der", Refused("DSA")),
        ("cryptography/DER_Serialization/unenc-dsa-pkcs8.pub.der", Refused("DSA")),
        ("cryptography/DER_Serialization/unenc-rsa-pkcs8.der", Refused("RSA key has 1024 bits")),
        ("cryptography/EC/ec-missing-curve.pem", Refused("does not name its curve")),
        ("cryptography/EC/ec_private_key_non_zero_unused_bits.der", Refused("not a number and a point")),
        ("cryptography/EC/explicit_parameters_wap_wsg_idm_ecid_wtls11_private_key.pem", Refused("a curve without a name")),
        ("cryptography/EC/high-bit-set.pem", Private(EcdsaP256, "")),
        ("cryptography/EC/secp128r1_private_key.pem", Refused("secp128r1")),
        ("cryptography/EC/secp256r1-explicit-seed.pem", Refused("a curve without a name")),
        ("cryptography/EC/secp256r1-pub-explicit-no-seed.pem", Refused("a curve without a name")),
        ("cryptography/EC/secp384r1-explicit-seed.pem", Refused("a curve without a name")),
        ("cryptography/EC/secp521r1-pub-explicit-no-seed.pem", Refused("a curve without a name")),
        ("cryptography/EC/secp521r1-pub-explicit-seed.pem", Refused("a curve without a name")),
        ("cryptography/EC/sect163r2-spki.pem", Refused("sect163r2")),
        ("cryptography/Ed25519/ed25519-pkcs8.der", Private(Ed25519, "")),
        ("cryptography/Ed25519/ed25519-pub.der", Public(Ed25519)),
        ("cryptography/Ed25519/ed25519-pub.pem", Public(Ed25519)),
        ("cryptography/PEM_Serialization/dsa_4096.pem", Refused("DSA")),
        ("cryptography/PEM_Serialization/dsa_public_key.pem", Refused("DSA")),
        ("cryptography/PEM_Serialization/dsaparam.pem", Refused("DSA PARAMETERS")),
        ("cryptography/PEM_Serialization/ec_private_key_encrypted.pem", Refused("old PEM encryption")),
        ("cryptography/PEM_Serialization/ec_public_key.pem", Public(EcdsaP256)),
        ("cryptography/PEM_Serialization/rsa-bad-1025-q-is-2.pem", Refused("RSA key has 1025 bits")),
        ("cryptography/PEM_Serialization/rsa_private_key.pem", Refused("old PEM encryption")),
        ("cryptography/PEM_Serialization/rsa_public_key.pem", Public(RSA_2048)),
        ("cryptography/PEM_Serialization/rsa_wrong_delimiter_public_key.pem", Refused("not an RSAPublicKey")),
        ("cryptography/PKCS8/bad-encryption-oid.pem", Refused("unknown (0.24.97.")),
        ("cryptography/PKCS8/bad-oid-dsa-key.pem", Refused("unknown (0.37.11229.")),
        ("cryptography/PKCS8/ec-inconsistent-curve.pem", Refused("does not match")),
        ("cryptography/PKCS8/ec-inconsistent-curve2.pem", Refused("does not match")),
        ("cryptography/PKCS8/ec_oid_not_in_reg_private_2.pkcs8.pem", Refused("a curve without a name")),
        ("cryptography/PKCS8/ecc_private_with_rfc5915_ext.pem", Private(EcdsaP256, "")),
        ("cryptography/PKCS8/ed25519-scrypt.pem", Private(Ed25519, "hunter42")),
        ("cryptography/PKCS8/enc-rsa-3des.pem", Refused("triple DES")),
        ("cryptography/PKCS8/enc-rsa-pkcs8-pbkdf2-0iter.pem", Refused("HMAC-SHA-1")),
        ("cryptography/PKCS8/enc-unknown-kdf.pem", Refused("unknown (1.2.840.113549.1.5.12.321.321)")),
        ("cryptography/PKCS8/enc-unknown-pbkdf2-prf.pem", Refused("triple DES")),
        ("cryptography/PKCS8/nodompar_private.pkcs8.pem", Refused("a curve without a name")),
        ("cryptography/PKCS8/pkcs12_s2k_pem-X_9925.pem", Refused("PKCS#12 SHA-1 and 3-key triple DES")),
        ("cryptography/PKCS8/pkcs12_s2k_pem-X_9926.pem", Refused("PKCS#12 SHA-1 and 3-key triple DES")),
        ("cryptography/PKCS8/pkcs12_s2k_pem-X_9931.pem", Refused("PKCS#12 SHA-1 and 3-key triple DES")),
        ("cryptography/PKCS8/pkcs12_s2k_pem-X_9932.pem", Refused("PKCS#12 SHA-1 and 3-key triple DES")),
        ("cryptography/PKCS8/private.pem", Refused("a curve without a name")),
        ("cryptography/PKCS8/rsa-40bitrc2.pem", Refused("40-bit RC2")),
        ("cryptography/PKCS8/rsa-aes-192-cbc.pem", Private(RSA_2048, "PolarSSLTest")),
        ("cryptography/PKCS8/rsa-rc2-cbc.pem", Refused("RC2")),
        ("cryptography/PKCS8/rsa_pkcs8_pbes2_pbkdf2_2048_3des_sha224.pem", Refused("triple DES")),
        ("cryptography/PKCS8/rsa_pkcs8_pbes2_pbkdf2_2048_3des_sha512.pem", Refused("triple DES")),
        ("cryptography/PKCS8/rsa_pss_2048_hash.pem", Refused("RSASSA-PSS")),
        ("cryptography/PKCS8/rsa_pss_2048_hash_mask.pem", Refused("RSASSA-PSS")),
        ("cryptography/PKCS8/rsa_pss_2048_hash_mask_diff.pem", Refused("RSASSA-PSS")),
        ("cryptography/PKCS8/rsa_pss_2048_hash_mask_salt.pem", Refused("RSASSA-PSS")),
        ("cryptography/PKCS8/unenc-dsa-pkcs8.pem", Refused("DSA")),
        ("cryptography/PKCS8/unenc-dsa-pkcs8.pub.pem", Refused("DSA")),
        ("cryptography/PKCS8/unenc-rsa-pkcs8.pem", Refused("RSA key has 1024 bits")),
        ("cryptography/PKCS8/wrong-pem-delimiter-rsa.pem", Refused("not an RSAPrivateKey")),
        ("cryptography/public/PKCS1/rsa.pub.der", Refused("RSA key has 1024 bits")),
        ("cryptography/public/PKCS1/rsa.pub.pem", Refused("RSA key has 1024 bits")),
        ("in-toto/ecdsa_private_unencrypted.pem", Private(EcdsaP256, "")),
        ("in-toto/ecdsa_public.pem", Public(EcdsaP256)),
        ("in-toto/ed25519_private_encrypted.pem", Private(Ed25519, "hunter2")),
        ("in-toto/ed25519_public.pem", Public(Ed25519)),
        ("in-toto/rsa_public.pem", Public(RSA_2048)),
        ("securesystemslib/ecdsa_private.pem", Private(EcdsaP256, "")),
        ("securesystemslib/ecdsa_public.pem", Public(EcdsaP256)),
        ("securesystemslib/ecdsa_secp521r1_private.pem", Private(EcdsaP521, "")),
        ("securesystemslib/ecdsa_secp521r1_public.pem", Public(EcdsaP521)),
        ("securesystemslib/ed25519_private.pem", Private(Ed25519, "")),
        ("securesystemslib/ed25519_public.pem", Public(Ed25519)),
        ("securesystemslib/rsa_public.pem", Public(RSA_2048)),
        ("sigstore-rs/ecdsa_private.key", Private(EcdsaP256, "")),
        ("sigstore-rs/ed25519_encrypted_private.key", Private(Ed25519, "123")),
        ("sigstore-rs/ed25519_private.key", Private(Ed25519, "")),
        ("sigstore-rs/rsa_encrypted_private.key", Private(RSA_4096, "123")),
        ("sigstore-rs/rsa_private.key", Private(RSA_4096, "")),
    ]
};

#[test]
fn keys_suite() {
    let Some(suite) = vectors::suite("keys") else { return };
    let open = suite.join("open");
    let cases: BTreeMap<String, Value> = serde_json::from_value(json(&open.join("expected.json"))).unwrap();
    assert_eq!(cases.keys().map(String::as_str).collect::<Vec<_>>(), OUTCOMES.map(|(name, _)| name));
    let (mut read, mut refused) = (0, 0);
    for (name, outcome) in &OUTCOMES {
        let bytes = fs::read(open.join(name)).unwrap();
        let must_parse = cases[*name]["expect"] == "parse-ok";
        match outcome {
            Outcome::Public(algorithm) => {
                assert_eq!(PublicKey::parse(&bytes).unwrap().algorithm(), *algorithm, "{name}");
                read += 1;
            }
            Outcome::Private(algorithm, "") => {
                let key = PrivateKey::parse(&bytes, &Limits::DEFAULT, none).unwrap();
                assert_eq!(key.public_key().algorithm(), *algorithm, "{name}");
                read += 1;
            }
            Outcome::Private(algorithm, passphrase) => {
                let key = PrivateKey::parse(&bytes, &Limits::DEFAULT, given(passphrase)).unwrap();
                assert_eq!(key.public_key().algorithm(), *algorithm, "{name}");
                let wrong = PrivateKey::parse(&bytes, &Limits::DEFAULT, given("not the passphrase")).unwrap_err();
                assert!(matches!(wrong, KeyError::PassphraseWrong), "{name}: {wrong}");
                read += 1;
            }
            Outcome::Refused(reason) => {
                assert!(!must_parse, "{name} must be read");
                let messages = [
                    PublicKey::parse(&bytes).unwrap_err().to_string(),
                    PrivateKey::parse(&bytes, &Limits::DEFAULT, none).unwrap_err().to_string(),
                ];
                assert!(messages.iter().any(|message| message.contains(reason)), "{name}: {messages:?}");
                refused += 1;
            }
        }
        let named_bad = ["invalid", "bad", "unknown", "wrong", "inconsistent", "missing", "non_zero"];
        let is_bad = named_bad.iter().any(|word| name.contains(word));
        assert!(!is_bad || matches!(outcome, Outcome::Refused(_)), "{name} must not be read");
    }
    println!("keys: {read} files read, {refused} refused for the reason in the table");
}

#[test]
fn keys_of_peers_open() {
    let Some(suite) = vectors::suite("peer-goldens") else { return };
    let (mut opened, mut pairs) = (0, 0);
    for entry in fs::read_dir(suite.join("shared/keys")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("gpg-") {
            assert!(file::read_public(&path, &Limits::DEFAULT).is_err(), "{name}");
            continue;
        }
        if name.ends_with(".pub") {
            continue;
        }
        let key = file::read_private(&path, &Limits::DEFAULT, given("test-password")).unwrap();
        let signature = key.sign(MESSAGE).unwrap();
        assert!(key.public_key().verify(MESSAGE, signature.as_bytes()).is_ok(), "{name}");
        opened += 1;
        let beside = path.with_extension("pub");
        if beside.exists() {
            let public = file::read_public(&beside, &Limits::DEFAULT).unwrap();
            assert_eq!(&public, key.public_key(), "{name}");
            assert_eq!(public.to_pem().trim_end(), fs::read_to_string(&beside).unwrap().trim_end(), "{name}");
            pairs += 1;
        }
    }
    assert_eq!((opened, pairs), (17, 10));
}

/// The pre-authentication encoding of DSSE: what is signed in a bundle.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let header = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [header.as_bytes(), payload].concat()
}

// Genuine signatures by cosign 3.1: each verifies with its key, by the scheme that cosign is known to use, and with no
// other key; and cosign's hint in a bundle is ours.
#[test]
fn signatures_of_cosign_verify() {
    let Some(suite) = vectors::suite("peer-goldens") else { return };
    let public = |name: &str| {
        let path = suite.join("shared/keys").join(format!("cosign-{name}.pub"));
        file::read_public(&path, &Limits::DEFAULT).unwrap()
    };
    let other = file::read_public(&suite.join("shared/keys/other-p256.pub"), &Limits::DEFAULT).unwrap();
    let cases = [
        ("cosign2-tag-ed25519", "ed25519-imp", Scheme::Ed25519ph),
        ("cosign2-tag-generated", "p256", Scheme::EcdsaP256Sha256),
        ("cosign2-tag-p384", "p384-imp", Scheme::EcdsaP384Sha384),
        ("cosign2-tag-rsa2048", "rsa2048-imp", Scheme::RsaPkcs1Sha256),
        ("cosign2-tag-rsa3072", "rsa3072-imp", Scheme::RsaPkcs1Sha256),
        ("cosign3-bundle-ed25519", "ed25519-imp", Scheme::Ed25519ph),
        ("cosign3-bundle-generated", "p256", Scheme::EcdsaP256Sha256),
        ("cosign3-bundle-p384", "p384-imp", Scheme::EcdsaP384Sha384),
        ("cosign3-bundle-p521", "p521-imp", Scheme::EcdsaP521Sha512),
        ("cosign3-bundle-rsa2048", "rsa2048-imp", Scheme::RsaPkcs1Sha256),
        ("cosign3-bundle-rsa4096", "rsa4096-imp", Scheme::RsaPkcs1Sha256),
    ];
    for (case, name, scheme) in cases {
        let key = public(name);
        let mut found = 0;
        for (message, signature, hint) in signatures(&suite.join("open").join(case)) {
            assert_eq!(key.verify(&message, &signature), Ok(scheme), "{case}");
            assert_eq!(other.verify(&message, &signature), Err(Unverified), "{case}");
            assert!(hint.is_none_or(|hint| hint == key.id().hint()), "{case}");
            found += 1;
        }
        assert_eq!(found, 1, "{case}");
    }
}

/// Message, signature and hint of every cosign signature in a layout.
fn signatures(layout: &Path) -> Vec<(Vec<u8>, Vec<u8>, Option<String>)> {
    let blobs = layout.join("blobs/sha256");
    let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir(&blobs).unwrap() {
        let Ok(value) = serde_json::from_slice::<Value>(&fs::read(entry.unwrap().path()).unwrap()) else {
            continue;
        };
        for layer in value["layers"].as_array().into_iter().flatten() {
            let signature = &layer["annotations"]["dev.cosignproject.cosign/signature"];
            if signature.is_string() {
                let hex = layer["digest"].as_str().unwrap().trim_start_matches("sha256:");
                found.push((fs::read(blobs.join(hex)).unwrap(), decode(signature), None));
            }
        }
        let envelope = &value["dsseEnvelope"];
        if envelope.is_object() {
            let payload_type = envelope["payloadType"].as_str().unwrap();
            let message = pre_authentication_encoding(payload_type, &decode(&envelope["payload"]));
            let hint = value["verificationMaterial"]["publicKey"]["hint"].as_str().map(str::to_owned);
            found.push((message, decode(&envelope["signatures"][0]["sig"]), hint));
        }
    }
    found
}
