//! Certificates changed field by field, for what no tool writes.

use std::process::Command;

use super::made::Made;

/// Where the fields of the `TBSCertificate` of a certificate of version 3 stand.
pub const VERSION: usize = 0;
pub const ALGORITHM: usize = 2;
pub const ISSUER: usize = 3;
pub const VALIDITY: usize = 4;
pub const SUBJECT: usize = 5;
pub const KEY: usize = 6;

/// One DER value.
pub fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => vec![length],
        _ => {
            let bytes = content.len().to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap()..];
            [&[0x80 | u8::try_from(bytes.len()).unwrap()], bytes].concat()
        }
    };
    [&[tag], length.as_slice(), &content].concat()
}

/// The values inside a DER value.
pub fn parts(der: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &der[header(der)..];
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (content, _) = length(rest);
        let (part, after) = rest.split_at(header(rest) + content);
        parts.push(part.to_vec());
        rest = after;
    }
    parts
}

fn header(der: &[u8]) -> usize {
    1 + length(der).1
}

/// How long the content is, and how many bytes say so.
fn length(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..0x80 => (short.into(), 1),
        long => {
            let bytes = usize::from(long & 0x7f);
            (der[2..2 + bytes].iter().fold(0, |all, byte| all << 8 | usize::from(*byte)), 1 + bytes)
        }
    }
}

fn joined(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    value(tag, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// `certificate` with other fields in its `TBSCertificate`, under the signature that it had.
pub fn edited(certificate: &[u8], edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut outer = parts(certificate);
    let mut fields = parts(&outer[0]);
    edit(&mut fields);
    outer[0] = joined(0x30, &fields);
    joined(0x30, &outer)
}

/// The same, signed by `issuer` with ECDSA and SHA-256.
pub fn signed(issuer: &Made, certificate: &[u8], edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut outer = parts(&edited(certificate, edit));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signed");
    std::fs::write(&file, &outer[0]).unwrap();
    let out = Command::new("openssl").args(["dgst", "-sha256", "-sign"]).arg(&issuer.key).arg(&file).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    outer[2] = value(0x03, &[&[0], &out.stdout]);
    joined(0x30, &outer)
}

/// An extension that is not critical.
pub fn extension(id: &[u8], content: &[u8]) -> Vec<u8> {
    value(0x30, &[&value(0x06, &[id]), &value(0x04, &[content])])
}

/// Adds an extension to the fields of a `TBSCertificate`.
pub fn add_extension(fields: &mut [Vec<u8>], extension: Vec<u8>) {
    let last = fields.last_mut().unwrap();
    let mut all = parts(&parts(last)[0]);
    all.push(extension);
    *last = value(0xa3, &[&joined(0x30, &all)]);
}
