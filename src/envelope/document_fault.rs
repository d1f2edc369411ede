//! `DocumentFault`: which rule of its format a signed document breaks, beyond the rules of JSON and of single fields.

use crate::oci::ManifestError;
use crate::text::Untrusted;
use crate::x509::HashAlgorithm;

/// Which rule of its format a signed document breaks: a field is missing, empty or contradicts another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentFault {
    /// A bundle over a file in the place of one of an image.
    #[error("a bundle over a message signature: it signs a file, not an image")]
    BundleOfFile,
    /// A bundle that is another one after a timestamp was added to it.
    #[error("a bundle to which no timestamp can be added")]
    BundleTimestamp,
    /// The media type of the descriptor names another version than the bundle does.
    #[error("a bundle of another version than {media_type:?}")]
    BundleVersion {
        /// The media type of the descriptor.
        media_type: Untrusted,
    },
    /// The key of the signer's certificate is invalid or unsupported.
    #[error("{0}")]
    CertificateKey(Untrusted),
    /// The signature manifest is invalid, or exceeds a limit.
    #[error("{0}")]
    Manifest(Box<ManifestError>),
    /// The message digest does not have the length of its hash function.
    #[error("a message digest of {got} bytes by {algorithm}")]
    MessageDigest {
        /// The hash function.
        algorithm: HashAlgorithm,
        /// The length in bytes.
        got: usize,
    },
    /// A bundle with neither an envelope nor a message signature.
    #[error("a bundle without content")]
    NoContent,
    /// A statement without predicate type.
    #[error("a statement without predicate type")]
    NoPredicateType,
    /// A statement without subject.
    #[error("a statement without subject")]
    NoSubject,
    /// A text with a NUL character, which ends it for some readers and not for others.
    #[error("a string with a NUL character")]
    Nul,
    /// The same in what is to be signed.
    #[error("a NUL character in what is to be signed")]
    NulToSign,
    /// The predicate that is to be attested is not a JSON object.
    #[error("a predicate is a JSON object")]
    PredicateNotObject,
    /// The predicate type of an attestation is empty, or that of an image signature.
    #[error("an attestation has a predicate type, and not that of an image signature")]
    PredicateType,
    /// An envelope with several signatures, where a timestamp is about one.
    #[error("a timestamp is about one signature, and the envelope has several")]
    SeveralSignatures,
    /// A finished statement whose predicate is not a JSON object.
    #[error("a statement whose predicate is not a JSON object")]
    StatementPredicate,
    /// A finished statement with the predicate type of an image signature.
    #[error("a statement with the predicate type of an image signature, which `sign` makes")]
    StatementType,
    /// A bundle with both an envelope and a message signature.
    #[error("a bundle with both an envelope and a message signature")]
    TwoContents,
    /// A bundle with two kinds of verification material: one of key hint, certificate and chain is set
    /// (`sigstore_bundle.proto`, `VerificationMaterial.content`).
    #[error("a bundle with two of `publicKey`, `certificate` and `x509CertificateChain`, which each stand alone")]
    TwoMaterials,
    /// A document in a file of attestations that can be read in two ways.
    #[error("a document in two forms of attestations at once")]
    TwoForms,
}

impl DocumentFault {
    /// Whether it is an exceeded limit; the document may still be valid.
    pub const fn is_limit(&self) -> bool {
        matches!(self, Self::Manifest(error) if error.is_limit())
    }
}
