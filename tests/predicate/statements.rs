//! The statements in the vectors: every DSSE envelope of a folder, decoded without verifying anything.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A statement, the certificate beside it, and the case that it stands in.
pub struct Found {
    pub case: String,
    pub certificate: Option<Vec<u8>>,
    pub predicate: Vec<u8>,
    pub predicate_type: String,
}

/// All statements below `folder`, whose first component is the case.
pub fn all(folder: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case = path.file_name().unwrap().to_string_lossy().into_owned();
        walk(&path, &case, &mut found);
    }
    found.sort_by(|one, other| one.case.cmp(&other.case));
    found
}

fn walk(path: &Path, case: &str, found: &mut Vec<Found>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), case, found);
        }
        return;
    }
    let Ok(text) = fs::read_to_string(path) else { return };
    match serde_json::from_str::<Value>(&text) {
        Ok(whole) => collect(&whole, None, case, found),
        Err(_) => {
            text.lines().flat_map(serde_json::from_str::<Value>).for_each(|line| collect(&line, None, case, found))
        }
    }
}

fn collect(value: &Value, certificate: Option<&[u8]>, case: &str, found: &mut Vec<Found>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, certificate, case, found)),
        Value::Object(fields) => {
            let own = certificate_of(value);
            let certificate = own.as_deref().or(certificate);
            if let (Some(payload), Some(_)) = (value["payload"].as_str(), value["payloadType"].as_str()) {
                let Ok(bytes) = STANDARD.decode(payload) else { return };
                let Ok(statement) = serde_json::from_slice::<Value>(&bytes) else { return };
                let Some(kind) = statement["predicateType"].as_str() else { return };
                found.push(Found {
                    case: case.to_owned(),
                    certificate: certificate.map(<[u8]>::to_vec),
                    predicate: serde_json::to_vec(&statement["predicate"]).unwrap(),
                    predicate_type: kind.to_owned(),
                });
                return;
            }
            fields.values().for_each(|field| collect(field, certificate, case, found));
        }
        _ => {}
    }
}

/// The certificate of the signer: in a Sigstore bundle, or beside the signature of an older envelope.
fn certificate_of(value: &Value) -> Option<Vec<u8>> {
    let material = &value["verificationMaterial"];
    let chain = &material["x509CertificateChain"]["certificates"][0]["rawBytes"];
    let bare = material["certificate"]["rawBytes"].as_str().or_else(|| chain.as_str());
    let pem = value["signatures"][0]["cert"].as_str().map(|pem| {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        lines
    });
    let text = bare.map(str::to_owned).or(pem)?;
    STANDARD.decode(text).ok()
}
