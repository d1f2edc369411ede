//! Signature verification against Project Wycheproof.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "support/vectors.rs"]
mod vectors;

use std::fs;
use std::path::Path;

use bulla::key::KeyError;
use bulla::key::MessageHasher;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Unverified;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    public_key_der: Option<String>,
    sha: Option<String>,
    mgf_sha: Option<String>,
    s_len: Option<usize>,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u32,
    flags: Vec<String>,
    msg: String,
    sig: String,
    result: String,
}

/// How the cases of a file are checked.
#[derive(Clone, Copy)]
enum Check {
    /// Verified by this scheme and by no other scheme of the key.
    Der(Scheme),
    /// The two numbers side by side.
    Fixed(Scheme),
    /// A hash that we do not use with this kind of key: everything must be refused, the valid signatures too.
    NeverAccepted,
    /// A kind of key that we do not use: the key must be refused, with these words.
    NoSuchKey(&'static str),
    /// Groups with parameters of their own: those that are one of our schemes are verified, the others must be refused.
    PssMisc,
}

const FILES: [(&str, Check); 25] = [
    ("ecdsa_secp256r1_sha256_p1363_test", Check::Fixed(Scheme::EcdsaP256Sha256)),
    ("ecdsa_secp256r1_sha256_test", Check::Der(Scheme::EcdsaP256Sha256)),
    ("ecdsa_secp256r1_sha512_test", Check::NeverAccepted),
    ("ecdsa_secp384r1_sha256_test", Check::Der(Scheme::EcdsaP384Sha256)),
    ("ecdsa_secp384r1_sha384_p1363_test", Check::Fixed(Scheme::EcdsaP384Sha384)),
    ("ecdsa_secp384r1_sha384_test", Check::Der(Scheme::EcdsaP384Sha384)),
    ("ecdsa_secp384r1_sha512_test", Check::NeverAccepted),
    ("ecdsa_secp521r1_sha512_p1363_test", Check::Fixed(Scheme::EcdsaP521Sha512)),
    ("ecdsa_secp521r1_sha512_test", Check::Der(Scheme::EcdsaP521Sha512)),
    ("ed25519_test", Check::Der(Scheme::Ed25519)),
    ("mldsa_65_verify_test", Check::NoSuchKey("ML-DSA-65")),
    // A salt that is not as long as the hash: allowed by the standard, used by no format that we read.
    ("rsa_pss_2048_sha256_mgf1_0_test", Check::NeverAccepted),
    ("rsa_pss_2048_sha256_mgf1_32_params_test", Check::NoSuchKey("RSASSA-PSS")),
    ("rsa_pss_2048_sha256_mgf1_32_test", Check::Der(Scheme::RsaPssSha256)),
    ("rsa_pss_2048_sha384_mgf1_48_test", Check::Der(Scheme::RsaPssSha384)),
    ("rsa_pss_3072_sha256_mgf1_32_test", Check::Der(Scheme::RsaPssSha256)),
    ("rsa_pss_4096_sha384_mgf1_48_test", Check::Der(Scheme::RsaPssSha384)),
    ("rsa_pss_4096_sha512_mgf1_64_test", Check::Der(Scheme::RsaPssSha512)),
    ("rsa_pss_misc_test", Check::PssMisc),
    ("rsa_signature_2048_sha256_test", Check::Der(Scheme::RsaPkcs1Sha256)),
    ("rsa_signature_2048_sha512_test", Check::Der(Scheme::RsaPkcs1Sha512)),
    ("rsa_signature_3072_sha256_test", Check::Der(Scheme::RsaPkcs1Sha256)),
    ("rsa_signature_3072_sha384_test", Check::Der(Scheme::RsaPkcs1Sha384)),
    ("rsa_signature_4096_sha256_test", Check::Der(Scheme::RsaPkcs1Sha256)),
    ("rsa_signature_4096_sha512_test", Check::Der(Scheme::RsaPkcs1Sha512)),
];

/// The number of cases for each result.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Verified with a scheme of ours, and as the suite says.
    decided: usize,
    /// Refused because we have no such scheme; valid ones among them.
    not_ours: (usize, usize),
    /// Refused because we take no such key; valid ones among them.
    no_such_key: (usize, usize),
    /// Decided, and by another scheme of the same key accepted.
    swapped: usize,
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_case_has_the_result_of_the_suite() {
    let Some(suite) = vectors::suite("wycheproof") else { return };
    let open = suite.join("open");
    assert_eq!(fs::read_dir(&open).unwrap().count(), FILES.len() + 1);
    let mut tally = Tally::default();
    for (name, check) in FILES {
        run(&open.join(format!("{name}.json")), check, &mut tally);
    }
    let Tally { decided, not_ours, no_such_key, swapped } = &tally;
    println!("wycheproof: {decided} cases decided as the suite says");
    println!("wycheproof: {swapped} of these are genuine by another scheme of the same RSA key, and accepted by that");
    println!("wycheproof: {} refused, {} of them valid: no scheme of ours", not_ours.0, not_ours.1);
    println!("wycheproof: {} refused, {} of them valid: no key that we take", no_such_key.0, no_such_key.1);
    let pinned = Tally { decided: 2_927, not_ours: (798, 397), no_such_key: (180, 81), swapped: 13 };
    assert_eq!(tally, pinned);
}

fn run(path: &Path, check: Check, tally: &mut Tally) {
    let file: File = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut cases = 0;
    for group in &file.test_groups {
        let der = group.public_key_der.as_ref().map(|hex| unhex(hex)).unwrap();
        let key = PublicKey::from_spki(&der);
        for case in &group.tests {
            let place = format!("{} case {}", path.display(), case.tc_id);
            run_case(group, case, &key, check, tally, &place);
            cases += 1;
        }
    }
    assert_eq!(cases, file.number_of_tests);
}

fn run_case(
    group: &Group,
    case: &Case,
    key: &Result<PublicKey, KeyError>,
    check: Check,
    tally: &mut Tally,
    place: &str,
) {
    let valid = usize::from(case.result == "valid");
    let key = match (key, check) {
        (Err(error), Check::NoSuchKey(words)) => {
            assert!(error.to_string().contains(words), "{place}: {error}");
            tally.no_such_key.0 += 1;
            tally.no_such_key.1 += valid;
            return;
        }
        // Some groups have RSA keys with the exponent 3.
        (Err(KeyError::RsaExponent { found }), Check::Der(_)) if found == "3" => {
            tally.no_such_key.0 += 1;
            tally.no_such_key.1 += valid;
            return;
        }
        (Ok(key), Check::Der(_) | Check::Fixed(_) | Check::NeverAccepted | Check::PssMisc) => key,
        (Ok(_), Check::NoSuchKey(_)) => panic!("{place}: the key was accepted"),
        (Err(error), _) => panic!("{place}: {error}"),
    };
    let (message, signature) = (unhex(&case.msg), unhex(&case.sig));
    let scheme = match check {
        Check::PssMisc => ours(group),
        Check::Der(scheme) | Check::Fixed(scheme) => Some(scheme),
        Check::NeverAccepted | Check::NoSuchKey(_) => None,
    };
    let by_key = key.verify(&message, &signature);
    let mut hasher = MessageHasher::new(key.schemes().iter().copied(), u64::MAX);
    hasher.update(&message);
    let hashed = hasher.finish();
    assert_eq!(key.verify_hashed(&hashed, &signature).ok(), by_key.ok(), "{place}: by its hashes");
    // A signature by the right key in another of its schemes, put here as a false one: each scheme by itself says no,
    // the key, which has both, says yes and by which.
    let swapped = case.flags.iter().any(|flag| flag == "WrongHash" || flag == "WrongPrimitive");
    let Some(scheme) = scheme else {
        assert!(by_key.is_err() || swapped, "{place}: {by_key:?}");
        tally.not_ours.0 += 1;
        tally.not_ours.1 += valid;
        return;
    };
    let verified = match check {
        Check::Fixed(_) => {
            assert!(by_key.is_err(), "{place}: read as DER");
            key.verify_fixed(scheme, &message, &signature).is_ok()
        }
        _ => {
            let by_scheme = key.verify_as(scheme, &message, &signature).is_ok();
            assert_eq!(key.verify_hashed_as(scheme, &hashed, &signature).is_ok(), by_scheme, "{place}: by its hashes");
            let expected = if by_scheme { Ok(scheme) } else { Err(Unverified) };
            assert!(by_key == expected || swapped, "{place}: {by_key:?}");
            tally.swapped += usize::from(by_key != expected);
            by_scheme
        }
    };
    match case.result.as_str() {
        "valid" => assert!(verified, "{place} is valid {:?}", case.flags),
        "invalid" => assert!(!verified, "{place} is not valid {:?}", case.flags),
        // PKCS#1 v1.5 with the NULL of the hash left out: there is no reason to accept it.
        "acceptable" => assert!(!verified && case.flags == ["MissingNull"], "{place} {:?}", case.flags),
        other => panic!("{place}: {other}"),
    }
    tally.decided += 1;
}

/// The scheme of ours that has these parameters.
fn ours(group: &Group) -> Option<Scheme> {
    if group.sha != group.mgf_sha {
        return None;
    }
    match (group.sha.as_deref(), group.s_len) {
        (Some("SHA-256"), Some(32)) => Some(Scheme::RsaPssSha256),
        (Some("SHA-384"), Some(48)) => Some(Scheme::RsaPssSha384),
        (Some("SHA-512"), Some(64)) => Some(Scheme::RsaPssSha512),
        _ => None,
    }
}
