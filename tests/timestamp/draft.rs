//! Tokens made value by value, so that each of them can have one fault and a good signature.

use std::fs;
use std::process::Command;

use bulla::x509::HashAlgorithm;

use super::made::Made;

pub const MESSAGE: &[u8] = b"what is signed";

/// A token that is about to be made.
#[derive(Clone)]
pub struct Draft {
    pub certificates: Vec<Vec<u8>>,
    pub content_info_type: Vec<u8>,
    pub content_type: Vec<u8>,
    /// CRLs and what stands instead of them.
    pub crls: Option<Vec<u8>>,
    pub digest_algorithms: Vec<Vec<u8>>,
    pub info: Info,
    /// Instead of `info`.
    pub raw_info: Option<Vec<u8>>,
    pub signers: Vec<SignerDraft>,
    pub version: u8,
}

/// A TSTInfo that is about to be made.
#[derive(Clone)]
pub struct Info {
    pub gen_time: String,
    pub imprint: Vec<u8>,
    /// What follows the time: accuracy, ordering, nonce, tsa, extensions.
    pub rest: Vec<Vec<u8>>,
    pub policy: Vec<u8>,
    pub version: u8,
}

/// A signer that is about to sign.
#[derive(Clone)]
pub struct SignerDraft {
    /// Changes the attributes before they are signed.
    pub attributes: fn(&mut Vec<Vec<u8>>),
    /// Changes the attributes after they are signed.
    pub attributes_sent: fn(&mut Vec<Vec<u8>>),
    /// More attributes, which are signed too.
    pub extra: Vec<Vec<u8>>,
    pub has_attributes: bool,
    pub hash: HashAlgorithm,
    /// The `AlgorithmIdentifier`.
    pub digest_algorithm: Vec<u8>,
    pub id: Vec<u8>,
    /// The `AlgorithmIdentifier`, and the options of openssl that make such signatures.
    pub signature_algorithm: (Vec<u8>, &'static [&'static str]),
    pub tsa: Made,
    pub unsigned: Option<Vec<u8>>,
    pub version: u8,
}

impl Draft {
    /// A good token of `tsa`, a minute after its certificate begins to be valid.
    pub fn new(tsa: &Made) -> Self {
        let at = tsa.certificate.not_before().unix() + 60;
        Self {
            certificates: vec![tsa.certificate.der().to_vec()],
            content_info_type: SIGNED_DATA.to_vec(),
            content_type: TST_INFO.to_vec(),
            crls: None,
            digest_algorithms: vec![hash_id(HashAlgorithm::Sha256)],
            info: Info {
                gen_time: generalized(at),
                imprint: imprint(HashAlgorithm::Sha256, &HashAlgorithm::Sha256.hash(MESSAGE)),
                rest: Vec::new(),
                policy: vec![0x2a, 3, 4, 1],
                version: 1,
            },
            raw_info: None,
            signers: vec![SignerDraft::new(tsa)],
            version: 3,
        }
    }

    pub fn made(&self) -> Vec<u8> {
        let info = self.raw_info.clone().unwrap_or_else(|| self.info.made());
        let signers: Vec<_> = self.signers.iter().map(|signer| signer.made(&info)).collect();
        let content = tlv(0xa0, &[&tlv(0x04, &[&info])]);
        let parts = [
            tlv(0x02, &[&[self.version]]),
            tlv(0x31, &slices(&self.digest_algorithms)),
            tlv(0x30, &[&oid(&self.content_type), &content]),
            tlv(0xa0, &slices(&self.certificates)),
            self.crls.clone().unwrap_or_default(),
            tlv(0x31, &slices(&signers)),
        ];
        let signed_data = tlv(0x30, &slices(&parts));
        tlv(0x30, &[&oid(&self.content_info_type), &tlv(0xa0, &[&signed_data])])
    }
}

impl Info {
    pub fn made(&self) -> Vec<u8> {
        let rest = self.rest.concat();
        let serial = tlv(0x02, &[&[7]]);
        let time = tlv(0x18, &[self.gen_time.as_bytes()]);
        tlv(0x30, &[&tlv(0x02, &[&[self.version]]), &oid(&self.policy), &self.imprint, &serial, &time, &rest])
    }
}

impl SignerDraft {
    pub fn new(tsa: &Made) -> Self {
        let certificate = &tsa.certificate;
        Self {
            attributes: |_| (),
            attributes_sent: |_| (),
            extra: Vec::new(),
            has_attributes: true,
            hash: HashAlgorithm::Sha256,
            digest_algorithm: hash_id(HashAlgorithm::Sha256),
            id: tlv(0x30, &[certificate.issuer().der(), &tlv(0x02, &[certificate.serial().as_content()])]),
            signature_algorithm: (tlv(0x30, &[&oid(ECDSA_SHA256)]), &[]),
            tsa: tsa.clone(),
            unsigned: None,
            version: 1,
        }
    }

    fn made(&self, info: &[u8]) -> Vec<u8> {
        let certificate = &self.tsa.certificate;
        let mut attributes = vec![
            attribute(CONTENT_TYPE, &oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, &tlv(0x04, &[&self.hash.hash(info)])),
            attribute(SIGNING_CERTIFICATE_V2, &ess(&[&ess_v2(certificate.der())])),
        ];
        (self.attributes)(&mut attributes);
        attributes.extend(self.extra.iter().cloned());
        attributes.sort();
        let signed = if self.has_attributes { tlv(0x31, &slices(&attributes)) } else { info.to_vec() };
        let signature = self.sign(&signed);
        (self.attributes_sent)(&mut attributes);
        let sent = if self.has_attributes { tlv(0xa0, &slices(&attributes)) } else { Vec::new() };
        let version = tlv(0x02, &[&[self.version]]);
        let (algorithm, _) = &self.signature_algorithm;
        let unsigned = self.unsigned.clone().unwrap_or_default();
        let signature = tlv(0x04, &[&signature]);
        tlv(0x30, &[&version, &self.id, &self.digest_algorithm, &sent, algorithm, &signature, &unsigned])
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("message");
        fs::write(&file, message).unwrap();
        let hash = format!("-{}", self.hash).to_lowercase().replace("sha-", "sha");
        let mut command = Command::new("openssl");
        command.args(["dgst", &hash]).args(self.signature_algorithm.1).arg("-sign").arg(&self.tsa.key).arg(&file);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    }
}

/// A value in DER.
pub fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut out = vec![tag];
    if content.len() >= 0x80 {
        out.push(0x80 | length.len() as u8);
    }
    out.extend(length);
    out.extend(content);
    out
}

pub fn slices(all: &[Vec<u8>]) -> Vec<&[u8]> {
    all.iter().map(Vec::as_slice).collect()
}

pub fn oid(content: &[u8]) -> Vec<u8> {
    tlv(0x06, &[content])
}

pub fn attribute(id: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&oid(id), &tlv(0x31, &[value])])
}

/// The `AlgorithmIdentifier` of a hash function.
pub fn hash_id(hash: HashAlgorithm) -> Vec<u8> {
    let last = HashAlgorithm::ALL.iter().position(|one| *one == hash).unwrap() as u8 + 1;
    tlv(0x30, &[&oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last])])
}

pub fn imprint(algorithm: HashAlgorithm, hash: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&hash_id(algorithm), &tlv(0x04, &[hash])])
}

/// A `SigningCertificate` or `SigningCertificateV2` with these ids.
pub fn ess(ids: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x30, ids)])
}

/// An `ESSCertIDv2` by SHA-256, without the issuer.
pub fn ess_v2(certificate: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x04, &[&HashAlgorithm::Sha256.hash(certificate)])])
}

/// A time as `GeneralizedTime` writes it.
pub fn generalized(at: i64) -> String {
    let text = bulla::time::Time::from_unix(at).unwrap().to_string();
    text.replace(['-', ':', 'T'], "")
}

pub const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
pub const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
pub const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 5];
pub const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12];
pub const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
pub const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
pub const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
pub const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
pub const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
pub const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
pub const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
pub const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
pub const RSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];
pub const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
pub const NULL: &[u8] = &[5, 0];
