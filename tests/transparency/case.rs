//! A bundle of a suite with its trusted root, and the verification of its log entries and certificate timestamps alone.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::path::PathBuf;

use bulla::digest::Digest;
use bulla::envelope::BundleContent;
use bulla::envelope::BundleDocument;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::transparency::CertificateTimestamp;
use bulla::transparency::LogVerification;
use bulla::transparency::LoggedArtifact;
use bulla::transparency::LoggedSignature;
use bulla::transparency::LoggedVerifier;
use bulla::transparency::TransparencyError;
use bulla::transparency::TransparencyLogEntry;
use bulla::transparency::VerifiedLogEntries;
use bulla::trust::sigstore::SigstoreAuthority;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::HashAlgorithm;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::SignedBefore;
use bulla::x509::TimestampResponse;
use serde_json::Value;

use crate::vectors;

/// A bundle, and what it is verified with.
pub struct Case {
    pub bundle: Vec<u8>,
    pub digest: Option<Digest>,
    pub key: Option<PublicKey>,
    pub root: TrustedRoot,
}

impl Case {
    /// The case `name` of a suite, `sigstore-conformance` or `sigstore-bundles`.
    pub fn read(suite: &Path, name: &str, expected: &Value) -> Self {
        let folder = suite.join("open").join(name);
        let file =
            ["bundle.sigstore.json", "bundle.json"].iter().map(|file| folder.join(file)).find(|file| file.exists());
        let own = folder.join("trusted_root.json");
        let stated = expected["trusted_root"].as_str().map(|file| folder.join(file));
        let shared = suite.join("shared/trusted_root.production.json");
        let root = if own.exists() { own } else { stated.filter(|file| file.exists()).unwrap_or(shared) };
        let key = ["key.pub", "key.pem"].iter().find_map(|file| fs::read(folder.join(file)).ok());
        Self {
            bundle: fs::read(file.unwrap()).unwrap(),
            digest: expected["digest"].as_str().map(|digest| digest.parse().unwrap()),
            key: key.and_then(|key| PublicKey::parse(&key).ok()),
            root: root_of(&root),
        }
    }

    pub fn document(&self) -> Result<BundleDocument, String> {
        BundleDocument::parse(&self.bundle, &Limits::DEFAULT).map_err(|error| format!("bundle: {error}"))
    }

    /// The verdict on the log entries: `verified`, or the code of the rule, after `?` where it is could-not-tell.
    pub fn verdict(&self) -> String {
        match self.document() {
            Err(error) => error,
            Ok(document) if certificate(&document).is_none() && self.key.is_none() => "no key".to_owned(),
            Ok(document) => match self.log_entries(&document) {
                Ok(_) => "verified".to_owned(),
                Err(error) => code(&error),
            },
        }
    }

    pub fn log_entries(&self, document: &BundleDocument) -> Result<VerifiedLogEntries, TransparencyError> {
        let stored = &document.verification_material.log_entries;
        let entries = stored
            .iter()
            .map(|entry| TransparencyLogEntry::parse(entry, &Limits::DEFAULT))
            .collect::<Result<Vec<_>, _>>()?;
        let timestamps = self.timestamps(document);
        let by = LogVerification {
            logs: self.root.transparency_logs(),
            required: document.version.into(),
            timestamps: &timestamps,
        };
        let certificate = certificate(document);
        self.with_signed(document, certificate.as_ref(), |signed| {
            VerifiedLogEntries::verify(&entries, NonZeroUsize::MIN, signed, &by)
        })
    }

    /// Calls `act` with what the log entries must be about.
    pub fn with_signed<T>(
        &self,
        document: &BundleDocument,
        certificate: Option<&Certificate>,
        act: impl FnOnce(&LoggedSignature<'_>) -> T,
    ) -> T {
        let verifier = match (certificate, &self.key) {
            (Some(certificate), _) => LoggedVerifier::Certificate(certificate),
            (None, Some(key)) => LoggedVerifier::Key(key),
            (None, None) => panic!("neither certificate nor key"),
        };
        match &document.content {
            BundleContent::Envelope(envelope) => act(&LoggedSignature {
                artifact: LoggedArtifact::Envelope { envelope, stored: None },
                signature: envelope.signatures().next().unwrap(),
                verifier,
            }),
            BundleContent::MessageSignature(message) => {
                let stated = message.digest.as_ref().map(|digest| digest.hash.as_slice()).unwrap_or_default();
                let hash = self.digest.as_ref().map_or(stated, Digest::as_bytes);
                act(&LoggedSignature {
                    artifact: LoggedArtifact::Hash { algorithm: HashAlgorithm::Sha256, hash },
                    signature: &message.signature,
                    verifier,
                })
            }
            _ => panic!("another content"),
        }
    }

    /// The timestamps of the signature that an authority of the root made while it was trusted.
    pub fn timestamps(&self, document: &BundleDocument) -> Vec<SignedBefore> {
        let signature = match &document.content {
            BundleContent::Envelope(envelope) => envelope.signatures().next().unwrap(),
            BundleContent::MessageSignature(message) => &message.signature,
            _ => panic!("another content"),
        };
        let mut verified = Vec::new();
        for stored in &document.verification_material.timestamps {
            let Ok(bytes) = stored.response(&Limits::DEFAULT) else { continue };
            let Ok(response) = TimestampResponse::parse(&bytes, &Limits::DEFAULT) else { continue };
            for authority in self.root.timestamp_authorities() {
                let anchors = [Anchor { certificate: authority.anchor().clone(), purpose: Purpose::TimeStamping }];
                let extra: Vec<_> = authority.intermediates().cloned().collect();
                let proof = response.token().verify(signature, &anchors, &extra, &Profile::SIGSTORE, &Limits::DEFAULT);
                let in_time = |proof: &SignedBefore| authority.validity().contains(proof.token().gen_time().time());
                verified.extend(proof.ok().filter(in_time));
            }
        }
        verified
    }

    /// The verdict on the certificate timestamps of the signer's certificate: all of them, by an issuer in the root.
    pub fn certificate_timestamps(&self) -> String {
        let Ok(document) = self.document() else { return "no bundle".to_owned() };
        let Some(certificate) = certificate(&document) else { return "no certificate".to_owned() };
        let embedded = match CertificateTimestamp::embedded(&certificate, &Limits::DEFAULT) {
            Ok(embedded) => embedded,
            Err(error) => return code(&error),
        };
        let mut verdict = "no issuer".to_owned();
        for issuer in self.issuers(&certificate) {
            let verify = |one: &CertificateTimestamp| one.verify(&certificate, &issuer, self.root.certificate_logs());
            match embedded.iter().map(verify).collect::<Result<Vec<_>, _>>() {
                Ok(_) => return "verified".to_owned(),
                Err(error) => verdict = code(&error),
            }
        }
        verdict
    }

    /// The certificates of the root that have the name of the issuer.
    pub fn issuers(&self, certificate: &Certificate) -> Vec<Certificate> {
        let all = self.root.certificate_authorities().iter().flat_map(SigstoreAuthority::certificates);
        all.filter(|one| one.subject() == certificate.issuer()).cloned().collect()
    }
}

pub fn certificate(document: &BundleDocument) -> Option<Certificate> {
    let der = document.verification_material.certificates.first()?;
    Some(Certificate::parse(der, &Limits::DEFAULT).unwrap())
}

pub fn code(error: &TransparencyError) -> String {
    format!("{}{}", if error.is_undetermined() { "?" } else { "" }, error.code())
}

/// The case `name` of a suite; `None` where the suite is missing.
pub fn case(suite: &str, name: &str) -> Option<Case> {
    let suite = vectors::suite(suite)?;
    let (_, expected) = expected(&suite).into_iter().find(|(case, _)| case == name).unwrap();
    Some(Case::read(&suite, name, &expected))
}

/// The trusted root in a file; of one with several lines, the last one.
fn root_of(path: &PathBuf) -> TrustedRoot {
    let bytes = fs::read(path).unwrap();
    let read = TrustedRoot::parse(&bytes, &Limits::DEFAULT);
    read.or_else(|_| TrustedRoot::parse_lines(&bytes, &Limits::DEFAULT).map(|mut roots| roots.pop().unwrap())).unwrap()
}

/// The cases of a suite, by name.
pub fn expected(suite: &Path) -> Vec<(String, Value)> {
    let cases: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
    cases.as_object().unwrap().clone().into_iter().collect()
}
