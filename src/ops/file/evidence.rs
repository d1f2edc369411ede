//! `FileEvidence`: what a file is verified by: bundles and bare signatures, each where it was found.

use crate::envelope::EnvelopeError;
use crate::envelope::FileDocument;
use crate::envelope::FoundAt;
use crate::key::MessageHasher;
use crate::limits::Limits;
use crate::trust::TrustRoot;
use crate::x509::Certificate;
use crate::x509::HashAlgorithm;

/// Bundles and bare signatures about one file, not verified. One that cannot be read hides no other.
#[derive(Clone, Debug, Default)]
pub struct FileEvidence {
    documents: Vec<(FoundAt, Result<FileDocument, EnvelopeError>)>,
}

impl FileEvidence {
    /// No evidence.
    pub const fn new() -> Self {
        Self { documents: Vec::new() }
    }

    /// Adds the Sigstore bundle in the file `place`.
    pub fn add_bundle(&mut self, place: &str, bytes: &[u8], limits: &Limits) {
        self.documents.push((FoundAt::File(place.to_owned()), FileDocument::parse_bundle(bytes, limits)));
    }

    /// Adds the bare signature in the file `place`: its bytes, or their base64.
    pub fn add_signature(&mut self, place: &str, bytes: &[u8]) {
        self.documents.push((FoundAt::File(place.to_owned()), FileDocument::parse_bare(bytes)));
    }

    pub(in crate::ops) fn documents(&self) -> &[(FoundAt, Result<FileDocument, EnvelopeError>)] {
        &self.documents
    }

    /// A hasher for everything that these documents and the keys of `trust` need to know of the file. For Ed25519 it keeps
    /// the file, up to the limit `file.message_bytes`; for the key of a certificate only if `trust` has an identity with
    /// these names, by whose authorities it was issued.
    pub fn hasher(&self, trust: &TrustRoot, limits: &Limits) -> MessageHasher {
        let documents = self.documents.iter().flat_map(|(_, document)| document);
        // A certificate that cannot be read is reported when the signature is verified.
        let key = |der: &[u8]| {
            let certificate = Certificate::parse(der, limits).ok()?;
            trust.check_keyless(&certificate, limits).ok()?;
            certificate.public_key().ok()
        };
        let certified = documents.filter_map(FileDocument::certificate).filter_map(key);
        let certified = certified.flat_map(|key| key.schemes().iter().copied());
        let schemes = trust.keys().flat_map(|key| key.schemes().iter().copied()).chain(certified);
        let mut hasher = MessageHasher::new(schemes, limits.file.message_bytes);
        for document in self.documents.iter().flat_map(|(_, document)| document) {
            let stated = document.message_signature().and_then(|signature| signature.digest.as_ref());
            hasher = match (document, stated.map(|digest| digest.algorithm)) {
                // A subject may have digests by both, and each must match.
                (FileDocument::Attestation(_), _) | (_, Some(HashAlgorithm::Sha512)) => hasher.with_sha512(),
                (_, Some(HashAlgorithm::Sha384)) => hasher.with_sha384(),
                (_, Some(HashAlgorithm::Sha256) | None) => hasher,
            };
        }
        hasher
    }
}
