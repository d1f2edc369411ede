//! Signatures at the edge of what is one: Wycheproof and the CCTV vectors of Ed25519, read by both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bulla::key::Algorithm;
use bulla::key::PublicKey;
use serde_json::Value;
use sigstore::crypto::CosignVerificationKey;
use sigstore::crypto::Signature;
use sigstore::crypto::SigningScheme;

use crate::signatures::is_ours_alone;
use crate::vectors::suite;

/// One question: a key in DER, a message, a signature.
struct Question {
    name: String,
    spki: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// The number of answers of each kind.
#[derive(Debug, Default)]
struct Answers {
    both_yes: usize,
    both_no: usize,
    ours_alone: BTreeMap<String, usize>,
    theirs_alone: BTreeMap<String, usize>,
}

impl Answers {
    /// A yes of the oracle that is not ours is counted under the reason that is given for it.
    fn ask(&mut self, question: &Question, reason: &dyn Fn(Option<&PublicKey>) -> String) {
        let ours = PublicKey::from_spki(&question.spki).ok();
        let scheme = ours.as_ref().and_then(|key| key.verify(&question.message, &question.signature).ok());
        let theirs = says_yes(question);
        match (scheme, theirs) {
            (Some(_), true) => self.both_yes += 1,
            (None, false) => self.both_no += 1,
            (Some(scheme), false) => {
                assert!(is_ours_alone(scheme), "{}: only we say yes, {scheme}", question.name);
                *self.ours_alone.entry(scheme.to_string()).or_default() += 1;
            }
            (None, true) => {
                let reason = reason(ours.as_ref());
                *self.theirs_alone.entry(reason).or_default() += 1;
            }
        }
    }
}

/// Whether the oracle accepts, as the kind of key that it takes this for or, where it is one of RSA, as one for PSS.
fn says_yes(question: &Question) -> bool {
    let accepts = |key: &CosignVerificationKey| {
        key.verify_signature(Signature::Raw(&question.signature), &question.message).is_ok()
    };
    let Ok(key) = CosignVerificationKey::try_from_der(&question.spki) else { return false };
    if let CosignVerificationKey::RSA_PKCS1_SHA256(_) = key {
        let pss = CosignVerificationKey::from_der(&question.spki, &SigningScheme::RSA_PSS_SHA256(2048)).unwrap();
        return accepts(&key) || accepts(&pss);
    }
    accepts(&key)
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn wycheproof() {
    let Some(suite) = suite("wycheproof") else { return };
    let mut answers = Answers::default();
    for entry in fs::read_dir(suite.join("open")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for group in json(&path)["testGroups"].as_array().into_iter().flatten() {
            let Some(spki) = group["publicKeyDer"].as_str() else { continue };
            for test in group["tests"].as_array().unwrap() {
                let text = |field: &str| unhex(test[field].as_str().unwrap());
                let name = format!("{name} {}", test["tcId"]);
                let question = Question { name, spki: unhex(spki), message: text("msg"), signature: text("sig") };
                answers.ask(&question, &|key| match key {
                    Some(_) => panic!("{}: only the oracle says yes", question.name),
                    None => PublicKey::from_spki(&question.spki).unwrap_err().to_string(),
                });
            }
        }
    }
    println!("wycheproof: {answers:#?}");
    // An RSA key with the exponent 3: the oracle takes it.
    let exponent = |why: &String| why.contains("exponent");
    assert!(answers.both_yes > 400 && answers.theirs_alone.keys().all(exponent), "{answers:?}");
}

// The oracle checks the equation without the cofactor, as we do, but takes points of small order.
#[test]
fn ed25519_points_of_small_order() {
    let Some(suite) = suite("cctv-ed25519") else { return };
    let mut answers = Answers::default();
    for case in json(&suite.join("open/ed25519vectors.json")).as_array().unwrap() {
        let text = |field: &str| case[field].as_str().unwrap();
        let question = Question {
            name: case["number"].to_string(),
            spki: [unhex("302a300506032b6570032100"), unhex(text("key"))].concat(),
            message: text("msg").as_bytes().to_vec(),
            signature: unhex(text("sig")),
        };
        let flags: Vec<&str> = case["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        answers.ask(&question, &|key| {
            let small = flags.iter().any(|flag| ["low_order_A", "low_order_R"].contains(flag));
            assert!(small, "{}: only the oracle says yes: {flags:?}", question.name);
            match key {
                Some(key) => {
                    assert_eq!(key.algorithm(), Algorithm::Ed25519);
                    "a point of small order in the signature".to_owned()
                }
                None => "a key of small order".to_owned(),
            }
        });
    }
    println!("cctv-ed25519: {answers:#?}");
    assert!(answers.ours_alone.is_empty(), "{answers:?}");
}
