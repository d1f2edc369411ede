//! A plugin of the Notary Project for tests: contract 1.0, raw signatures, keys in files, and a fault for each thing that can
//! go wrong. Started as `notation-NAME`. Its settings: `keys` is the folder of the keys, `fault` what goes wrong, `at` in which
//! command (`generate-signature` where it does not say).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::exit,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "a test program stops where it fails"
)]

use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::key::Algorithm;
use bulla::key::PrivateKey;
use bulla::key::Scheme;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use der::Decode as _;
use der::asn1::UintRef;
use serde_json::Value;
use serde_json::json;

fn main() {
    let command = std::env::args().nth(1).unwrap();
    let program = std::env::args().next().unwrap();
    let name = Path::new(&program).file_name().unwrap().to_str().unwrap().strip_prefix("notation-").unwrap().to_owned();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    let asked: Value = serde_json::from_str(&input).unwrap();
    let config = |key: &str| asked["pluginConfig"][key].as_str().unwrap_or_default().to_owned();
    let at = Some(config("at")).filter(|at| !at.is_empty()).unwrap_or_else(|| "generate-signature".to_owned());
    let fault = if at == command { config("fault") } else { String::new() };
    fail(&fault);
    let mut answer = match command.as_str() {
        "get-plugin-metadata" => json!({
            "name": name, "description": "keys in files", "version": "1.0.0", "url": "https://plugin.example",
            "supportedContractVersions": ["1.0"], "capabilities": ["SIGNATURE_GENERATOR.RAW"],
        }),
        "describe-key" => json!({ "keyId": asked["keyId"], "keySpec": spec(&key(&asked)).0 }),
        "generate-signature" => generated(&asked, &fault),
        _ => declined("VALIDATION_ERROR", "no such command"),
    };
    match fault.as_str() {
        "another-name" => answer["name"] = "another".into(),
        "another-version" => answer["supportedContractVersions"] = json!(["2.0", "1.1"]),
        "another-capability" => answer["capabilities"] = json!(["SIGNATURE_GENERATOR.ENVELOPE"]),
        "another-id" => answer["keyId"] = "another".into(),
        "another-spec" => answer["keySpec"] = "EC-384".into(),
        "unknown-spec" => answer["keySpec"] = "ED-25519".into(),
        "no-spec" => drop(answer.as_object_mut().unwrap().remove("keySpec")),
        "another-algorithm" => answer["signingAlgorithm"] = "ECDSA-SHA-384".into(),
        "more" => answer["futureMember"] = json!({ "a": [1, 2] }),
        _ => (),
    }
    let mut text = answer.to_string();
    match fault.as_str() {
        "not-json" => text = "done".to_owned(),
        "twice" => text = text.replacen('{', "{\"keyId\":\"another\",", 1),
        "trailing" => text.push_str("{}"),
        "empty" => text.clear(),
        _ => (),
    }
    print!("{text}");
    if fault == "answer-and-failure" {
        std::process::exit(1);
    }
}

/// The faults in which there is no answer.
fn fail(fault: &str) {
    match fault {
        "silence" => std::process::exit(1),
        "words" => {
            eprintln!("\nsomething \u{1b}[31mbroke\nand more");
            std::process::exit(3);
        }
        "hang" => loop {
            std::thread::park();
        },
        "much" => drop(std::io::stdout().write_all(&vec![b' '; 3 << 20])),
        "much-error" => drop(std::io::stderr().write_all(&vec![b' '; 3 << 20])),
        "abort" => std::process::abort(),
        "environment" => {
            let names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
            declined("ERROR", &names.join(" "));
        }
        code if !code.is_empty() && code.chars().all(|c| c.is_ascii_uppercase() || c == '_') => {
            declined(code, "the test says so");
        }
        _ => (),
    }
}

fn declined(code: &str, message: &str) -> ! {
    eprint!("{}", json!({ "errorCode": code, "errorMessage": message, "errorMetadata": { "more": "text" } }));
    std::process::exit(1)
}

fn key(asked: &Value) -> PrivateKey {
    let (folder, id) = (asked["pluginConfig"]["keys"].as_str().unwrap(), asked["keyId"].as_str().unwrap());
    match fs::read(Path::new(folder).join(format!("{id}.key"))) {
        Ok(bytes) => PrivateKey::parse(&bytes, &Limits::DEFAULT, || panic!("it is encrypted")).unwrap(),
        Err(_) => declined("VALIDATION_ERROR", "there is no such key"),
    }
}

/// The specification of a key, its signature algorithm, its scheme and the length of a coordinate.
fn spec(key: &PrivateKey) -> (&'static str, &'static str, Scheme, usize) {
    match key.public_key().algorithm() {
        Algorithm::EcdsaP256 => ("EC-256", "ECDSA-SHA-256", Scheme::EcdsaP256Sha256, 32),
        Algorithm::EcdsaP384 => ("EC-384", "ECDSA-SHA-384", Scheme::EcdsaP384Sha384, 48),
        Algorithm::EcdsaP521 => ("EC-521", "ECDSA-SHA-512", Scheme::EcdsaP521Sha512, 66),
        Algorithm::Rsa { bits: 2048 } => ("RSA-2048", "RSASSA-PSS-SHA-256", Scheme::RsaPssSha256, 0),
        Algorithm::Rsa { bits: 3072 } => ("RSA-3072", "RSASSA-PSS-SHA-384", Scheme::RsaPssSha384, 0),
        Algorithm::Rsa { bits: 4096 } => ("RSA-4096", "RSASSA-PSS-SHA-512", Scheme::RsaPssSha512, 0),
        other => panic!("{other} is not in the contract"),
    }
}

fn generated(asked: &Value, fault: &str) -> Value {
    let mut asked = asked.clone();
    let payload = STANDARD.decode(asked["payload"].as_str().unwrap()).unwrap();
    let id = asked["keyId"].clone();
    // From the second signature on, another key.
    if fault == "another-key-later" && !payload.starts_with(b"bulla asks") {
        asked["keyId"] = "other".into();
    }
    let signer = key(&asked);
    let (spec, algorithm, scheme, length) = spec(&signer);
    let hash = asked["hashAlgorithm"].as_str().unwrap();
    if asked["contractVersion"] != "1.0" || asked["keySpec"] != spec || !algorithm.ends_with(hash) {
        declined("VALIDATION_ERROR", "the key is of another kind");
    }
    let signed = signer.sign_with(scheme, &payload).unwrap();
    let mut signature = match length {
        0 => signed.as_bytes().to_vec(),
        _ if fault == "der" => signed.as_bytes().to_vec(),
        _ => fixed(signed.as_bytes(), length),
    };
    match fault {
        "flip" => signature[7] ^= 1,
        "flip-later" if !payload.starts_with(b"bulla asks") => signature[7] ^= 1,
        "pkcs1" => signature = signer.sign_with(Scheme::RsaPkcs1Sha256, &payload).unwrap().as_bytes().to_vec(),
        "short" => drop(signature.pop()),
        _ => (),
    }
    let certificate_of = if fault == "another-certificate" { &json!("other") } else { &asked["keyId"] };
    let certificate_of = if fault == "certificate-of-another-kind" { &json!("rsa2048") } else { certificate_of };
    let certificate = certificate(asked["pluginConfig"]["keys"].as_str().unwrap(), certificate_of.as_str().unwrap());
    let chain = match fault {
        "no-certificate" => json!([]),
        "certificate-not-base64" => json!(["-----BEGIN CERTIFICATE-----"]),
        "certificate-not-x509" => json!([STANDARD.encode(b"certificate")]),
        _ => json!([certificate]),
    };
    let signature = match fault {
        "not-base64" => "~~~~".to_owned(),
        _ => STANDARD.encode(signature),
    };
    json!({ "keyId": id, "signature": signature, "signingAlgorithm": algorithm, "certificateChain": chain })
}

fn certificate(folder: &str, id: &str) -> String {
    let pem = fs::read_to_string(Path::new(folder).join(format!("{id}.crt"))).unwrap();
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn fixed(der: &[u8], length: usize) -> Vec<u8> {
    let numbers = Vec::<UintRef<'_>>::from_der(der).unwrap();
    let padded =
        |number: &UintRef<'_>| [vec![0; length - number.as_bytes().len()], number.as_bytes().to_vec()].concat();
    numbers.iter().flat_map(padded).collect()
}
