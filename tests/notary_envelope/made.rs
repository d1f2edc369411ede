//! Envelopes that the tests make, with the keys of `testdata/plugin`: one for each algorithm.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::NotaryAlgorithm;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryDraft;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::envelope::UnsignedAttributes;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::media_type::OCI_MANIFEST;

use super::time;

/// A key and its certificate.
pub struct Maker {
    pub algorithm: NotaryAlgorithm,
    pub certificate: Vec<u8>,
    pub key: PrivateKey,
}

pub const TOKEN: &[u8] = b"token";

impl Maker {
    pub fn of(algorithm: NotaryAlgorithm) -> Self {
        let name = match algorithm {
            NotaryAlgorithm::Es256 => "p256",
            NotaryAlgorithm::Es384 => "p384",
            NotaryAlgorithm::Es512 => "p521",
            NotaryAlgorithm::Ps256 => "rsa2048",
            NotaryAlgorithm::Ps384 => "rsa3072",
            NotaryAlgorithm::Ps512 => "rsa4096",
            other => panic!("{other:?}"),
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin");
        let file = |end: &str| fs::read(folder.join(format!("{name}.{end}"))).unwrap();
        let key = PrivateKey::parse(&file("key"), &Limits::DEFAULT, || unreachable!()).unwrap();
        let text = String::from_utf8(file("crt")).unwrap();
        let body = text.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap().split("-----END").next().unwrap();
        let certificate = STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap();
        Self { algorithm, certificate, key }
    }

    pub fn certificate_text(&self) -> String {
        STANDARD.encode(&self.certificate)
    }

    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    pub fn draft(&self, format: NotaryFormat, attributes: &NotaryAttributes) -> NotaryDraft {
        NotaryDraft::new(format, self.algorithm, attributes, &payload().to_bytes(format).unwrap()).unwrap()
    }

    pub fn envelope(&self, format: NotaryFormat, attributes: &NotaryAttributes) -> Vec<u8> {
        self.envelope_with(format, attributes, None)
    }

    pub fn envelope_with(
        &self,
        format: NotaryFormat,
        attributes: &NotaryAttributes,
        timestamp: Option<&[u8]>,
    ) -> Vec<u8> {
        let draft = self.draft(format, attributes);
        let signature = draft.sign(&self.key).unwrap();
        let unsigned =
            UnsignedAttributes { chain: &[&self.certificate], signing_agent: Some("bulla/test <&>"), timestamp };
        draft.assemble(self.public_key(), &signature, &unsigned, &Limits::DEFAULT).unwrap()
    }
}

pub fn payload() -> NotaryPayload {
    let annotations = BTreeMap::from([("a".to_owned(), "<1&2>".to_owned())]);
    NotaryPayload::new(OCI_MANIFEST, &Digest::sha256(b"image"), 401, &annotations).unwrap()
}

pub fn attributes() -> NotaryAttributes {
    NotaryAttributes::new(SigningScheme::X509, time("2026-11-20T16:01:20Z"))
}
