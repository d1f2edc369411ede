//! JWS and COSE of other projects: none is an envelope of the Notary Project, and their signatures are decided rightly by
//! the same functions; COSE by another implementation.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryFormat;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use coset::CoseSign1;
use coset::TaggedCborSerializable as _;
use serde_json::Value;

use super::BOTH;
use super::cbor::Data;
use super::cbor::text;
use super::made::Maker;
use super::made::attributes;
use super::read;
use super::read_as_notation;
use super::vectors;
use super::verdict;

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The public key in a JSON Web Key that may be private.
fn key(jwk: &Value) -> PublicKey {
    let public = ["kty", "crv", "x", "y", "n", "e"].into_iter();
    let public: BTreeMap<_, _> = public.filter_map(|name| Some((name, jwk.get(name)?))).collect();
    PublicKey::read(&serde_json::to_vec(&public).unwrap(), &Limits::DEFAULT).unwrap().0
}

fn cases(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "expected.json" {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap()));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// Every message of the suite, and why it is no envelope: the format needs tag 18, one of six algorithms, and the
/// headers of the Notary Project. The verdict is that of both readers.
#[test]
fn no_foreign_cose_is_an_envelope() {
    let Some(suite) = vectors::suite("cose") else { return };
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    for (name, case) in cases(&suite.join("open")) {
        let hex = case.pointer("/output/cbor").or_else(|| case.pointer("/sign1::verify/taggedCOSESign1/cborHex"));
        let Some(hex) = hex.or_else(|| case.pointer("/sign1::sign/expectedOutput/cborHex")).and_then(Value::as_str)
        else {
            panic!("{name}: no message")
        };
        let bytes = unhex(hex);
        let found = verdict(&read(NotaryFormat::Cose, &bytes));
        assert_eq!(verdict(&read_as_notation(NotaryFormat::Cose, &bytes)), found, "{name}");
        let wanted = match name.as_str() {
            _ if bytes[0] != 0xd2 => "cose-tag",
            "go-cose/sign1-verify-negative-0001.json" => "cose-structure",
            "go-cose/sign1-verify-negative-0003.json" => "cbor-key-twice",
            // EdDSA, and an algorithm changed to one that does not exist.
            "cose-wg/eddsa-examples/eddsa-sig-01.json" | "cose-wg/sign1-tests/sign-fail-03.json" => {
                "algorithm-not-allowed"
            }
            // Another content type, or none.
            _ => "content-type",
        };
        assert_eq!(found, wanted, "{name}: {}", &hex[..40.min(hex.len())]);
        *tally.entry(found).or_default() += 1;
    }
    assert!(tally["cose-tag"] >= 10 && tally["content-type"] >= 10, "{tally:?}");
}

/// The signatures of the suite over the message that this format signs: no external data.
#[test]
fn foreign_cose_signatures_are_decided() {
    let Some(suite) = vectors::suite("cose") else { return };
    let mut decided = 0;
    for (name, case) in cases(&suite.join("open")) {
        let verify = &case["sign1::verify"];
        let alg = case["alg"].as_str().unwrap_or_default().to_owned();
        let message = verify["taggedCOSESign1"]["cborHex"].as_str();
        let (Some(message), Some(should)) = (message, verify["shouldVerify"].as_bool()) else { continue };
        let Ok(sign1) = CoseSign1::from_tagged_slice(&unhex(message)) else {
            assert!(!should, "{name}");
            continue;
        };
        let key = key(&case["key"]);
        let algorithm = NotaryAlgorithm::ALL.into_iter().find(|algorithm| algorithm.jws_name() == alg).unwrap();
        let protected = sign1.protected.original_data.clone().unwrap();
        let verified = |external: Vec<u8>| {
            let parts = [protected.clone(), external, sign1.payload.clone().unwrap()].map(Data::Bytes);
            let message = Data::Array([vec![text("Signature1")], parts.to_vec()].concat()).encode();
            key.verify_jose(algorithm.scheme(), &message, &sign1.signature).is_ok()
        };
        let external = verify["external"].as_str().map(unhex);
        assert_eq!(verified(external.clone().unwrap_or_default()), should, "{name}");
        // External data is not part of this format: a signature with it is none without it.
        assert_eq!(verified(Vec::new()), should && external.is_none(), "{name}");
        decided += 1;
    }
    assert!(decided >= 6, "{decided}");
}

/// RFC 7520: none is an envelope; those by one of the six algorithms have signatures that are decided.
#[test]
fn the_jose_cookbook() {
    let Some(suite) = vectors::suite("jose") else { return };
    let wanted = BTreeMap::from([
        ("4_1.rsa_v15_signature.json", ("algorithm-not-allowed", None)),
        ("4_2.rsa-pss_signature.json", ("content-type", Some(NotaryAlgorithm::Ps384))),
        ("4_3.ecdsa_signature.json", ("content-type", Some(NotaryAlgorithm::Es512))),
        ("4_4.hmac-sha2_integrity_protection.json", ("algorithm-not-allowed", None)),
        ("4_5.signature_with_detached_content.json", ("member-absent", None)),
        // The general serialization with several signatures: there are no members for one.
        ("4_8.multiple_signatures.json", ("member-absent", None)),
    ]);
    let mut seen = 0;
    for (name, case) in cases(&suite.join("open/jws")) {
        let output = &case["output"];
        let flat = output.get("json_flat").unwrap_or(&output["json"]);
        let (code, algorithm) = wanted[name.as_str()];
        for found in [read, read_as_notation].map(|read| read(NotaryFormat::Jws, flat.to_string().as_bytes())) {
            assert_eq!(verdict(&found), code, "{name}");
        }
        if let Some(compact) = output["compact"].as_str() {
            assert_eq!(verdict(&read(NotaryFormat::Jws, compact.as_bytes())), "json", "{name}");
        }
        if let Some(algorithm) = algorithm {
            let message = case["signing"]["sig-input"].as_str().unwrap().as_bytes();
            let signature = URL_SAFE_NO_PAD.decode(case["signing"]["sig"].as_str().unwrap()).unwrap();
            let key = key(&case["input"]["key"]);
            assert!(key.verify_jose(algorithm.scheme(), message, &signature).is_ok(), "{name}");
            assert!(key.verify_jose(algorithm.scheme(), &message[1..], &signature).is_err(), "{name}");
            // The cookbook signs with PS384 and a key of 2048 bits, whose algorithm is PS256 in this format.
            let of_key = NotaryAlgorithm::of_key(&key).unwrap();
            assert_eq!(of_key == algorithm, algorithm == NotaryAlgorithm::Es512, "{name}");
        }
        seen += 1;
    }
    assert_eq!(seen, wanted.len());
}

/// The crate `coset` reads what we write as we do.
#[test]
fn another_implementation_reads_the_same() {
    let maker = Maker::of(NotaryAlgorithm::Ps384);
    let attributes = attributes().with_extended("org.example.a", "x", false);
    let bytes = maker.envelope_with(NotaryFormat::Cose, &attributes, Some(b"token"));
    let (ours, theirs) = (read(NotaryFormat::Cose, &bytes).unwrap(), CoseSign1::from_tagged_slice(&bytes).unwrap());
    assert_eq!(theirs.payload.as_deref(), Some(ours.unverified_payload()));
    assert_eq!(theirs.signature, ours.signature());
    assert_eq!(theirs.tbs_data(&[]), maker.draft(NotaryFormat::Cose, &attributes).to_be_signed());
    assert_eq!(theirs.to_tagged_vec().unwrap(), bytes);
    assert!(BOTH.contains(&ours.format()));
}
