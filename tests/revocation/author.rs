//! CRLs and OCSP responses that the tests write themselves, so that they can say anything; openssl signs them.

use std::fs;
use std::process::Command;

use bulla::time::Time;
use bulla::x509::Certificate;

use super::later;
use super::made::Made;

/// A DER value.
pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut all = vec![tag];
    match content.len() {
        short @ 0..=0x7f => all.push(short as u8),
        long => {
            let bytes: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            all.push(0x80 | bytes.len() as u8);
            all.extend(bytes);
        }
    }
    all.extend(content);
    all
}

pub fn generalized(time: Time) -> Vec<u8> {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).collect();
    der(0x18, &[format!("{digits}Z").as_bytes()])
}

/// UTCTime, as RFC 5280 has it until 2049.
pub fn utc(time: Time) -> Vec<u8> {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).skip(2).collect();
    der(0x17, &[format!("{digits}Z").as_bytes()])
}

pub fn integer(number: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.first().is_none_or(|byte| *byte >= 0x80) {
        bytes.insert(0, 0);
    }
    der(2, &[&bytes])
}

/// An extension: the arc of its identifier below id-ce, whether it is critical, and its value.
pub fn extension(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    extension_of(&[0x55, 0x1d, arc], critical, value)
}

pub fn extension_of(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    der(0x30, &[&der(6, &[id]), flag, &der(4, &[value])])
}

/// A signature by ECDSA: its hash for openssl, and its algorithm in DER.
#[derive(Clone, Copy)]
pub struct Algorithm {
    pub hash: &'static str,
    pub id: &'static [u8],
}

/// No profile allows it.
pub const ECDSA_SHA1: Algorithm = Algorithm { hash: "-sha1", id: &[0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] };
pub const ECDSA_SHA256: Algorithm =
    Algorithm { hash: "-sha256", id: &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] };

/// A CRL to be.
#[derive(Clone)]
pub struct List {
    pub entries: Vec<Entry>,
    pub extensions: Vec<Vec<u8>>,
    pub issuer: Vec<u8>,
    pub next_update: Option<Time>,
    pub number: Option<u64>,
    pub this_update: Time,
}

#[derive(Clone)]
pub struct Entry {
    pub at: Time,
    pub extensions: Vec<Vec<u8>>,
    pub serial: u64,
}

/// Revoked at `at`, with or without a reason.
pub fn entry(serial: u64, at: Time, reason: Option<u8>) -> Entry {
    let extensions = reason.map(|reason| extension(21, false, &[10, 1, reason])).into_iter().collect();
    Entry { at, extensions, serial }
}

impl List {
    /// An empty list of `issuer`: from half an hour before `now`, for a day.
    pub fn of(issuer: &Made, now: Time) -> Self {
        Self {
            entries: Vec::new(),
            extensions: Vec::new(),
            issuer: issuer.certificate.subject().der().to_vec(),
            next_update: Some(later(now, 86_400)),
            number: Some(1),
            this_update: later(now, -1_800),
        }
    }

    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    pub fn extension(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub fn signed_by(&self, signer: &Made) -> Vec<u8> {
        self.signed_with(ECDSA_SHA256, signer)
    }

    pub fn signed_with(&self, algorithm: Algorithm, signer: &Made) -> Vec<u8> {
        let entries: Vec<_> = self.entries.iter().map(Entry::der).collect();
        let mut extensions = self.extensions.clone();
        extensions.extend(self.number.map(|number| extension(20, false, &integer(number))));
        let tbs = der(
            0x30,
            &[
                &integer(1),
                algorithm.id,
                &self.issuer,
                &utc(self.this_update),
                &self.next_update.map(utc).unwrap_or_default(),
                &if entries.is_empty() { Vec::new() } else { der(0x30, &[&entries.concat()]) },
                &if extensions.is_empty() { Vec::new() } else { der(0xa0, &[&der(0x30, &[&extensions.concat()])]) },
            ],
        );
        signed(&tbs, algorithm, signer, &[])
    }
}

impl Entry {
    pub fn extension(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    fn der(&self) -> Vec<u8> {
        let extensions = if self.extensions.is_empty() { Vec::new() } else { der(0x30, &[&self.extensions.concat()]) };
        der(0x30, &[&integer(self.serial), &utc(self.at), &extensions])
    }
}

/// The bytes, the algorithm and the signature, and what comes after.
pub fn signed(tbs: &[u8], algorithm: Algorithm, signer: &Made, after: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tbs");
    fs::write(&file, tbs).unwrap();
    let mut openssl = Command::new("openssl");
    let out = openssl.args(["dgst", algorithm.hash, "-sign"]).arg(&signer.key).arg(&file).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    der(0x30, &[tbs, algorithm.id, &der(3, &[&[0], &out.stdout]), after])
}

/// The bits of a certificate's key.
pub fn key_bits(certificate: &Certificate) -> Vec<u8> {
    // A P-256 key ends its SubjectPublicKeyInfo: 65 bytes.
    let spki = certificate.spki();
    spki[spki.len() - 65..].to_vec()
}
