//! `TreeDocument`: a signed document in a tree, and whether it is trusted.

use crate::envelope::EnvelopeError;
use crate::envelope::NotaryError;
use crate::policy::StatementKind;
use crate::transparency::InspectedMaterial;
use crate::trust::VerifiedSigner;

/// A signed document, and the verdict on it by the given keys and certificates.
#[derive(Clone, Debug)]
pub struct TreeDocument {
    /// The key id that it claims (not verified).
    pub claimed_key: Option<String>,
    /// The format.
    pub format: &'static str,
    /// The statement kind that it claims (not verified).
    pub kind: Option<StatementKind>,
    /// The verification material beside it or in it, decoded, or why it cannot be read (not verified); `None` if its format
    /// has none.
    pub material: Option<Result<InspectedMaterial, EnvelopeError>>,
    /// Why the strict reader refuses it, if it is a Notary Project envelope that only the lenient one reads.
    pub strict_error: Option<NotaryError>,
    /// What provenance, a test result or a verification summary says in one line (not verified).
    pub summary: Option<String>,
    /// The verdict.
    pub trust: Trust,
}

/// Whether a signed document is trusted.
#[derive(Clone, Debug)]
pub enum Trust {
    /// No key and no certificate is trusted.
    NotAsked,
    /// It claims a given key whose signature does not verify, or a trusted owner signed it for another subject.
    Damaged(String),
    /// These owners signed it, for the manifest to which it is attached.
    Trusted(Vec<VerifiedSigner>),
    /// No trusted owner signed it, or its payload cannot be parsed; the reason.
    Untrusted(String),
}
