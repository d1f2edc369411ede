//! `StatementKind`: the kind of a signed statement, by its predicate type.

use std::fmt;

use crate::envelope::SignedPayload;
use crate::oci::media_type;

/// The kind of a signed statement: part of every proof, so that an attestation never counts as a signature
/// (threats: attestation-as-signature).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// A statement of this predicate type.
    Attestation {
        /// The predicate type, a URI.
        predicate_type: String,
    },
    /// An image signature: the signer stands for the image, and states nothing more.
    ImageSignature,
}

impl StatementKind {
    /// The kind of a signed payload.
    pub fn of(payload: &SignedPayload) -> Self {
        match payload {
            SignedPayload::Notary(_) | SignedPayload::SimpleSigning(_) => Self::ImageSignature,
            SignedPayload::Statement(statement) => Self::of_predicate(statement.predicate_type()),
        }
    }

    /// The kind of an in-toto statement with this predicate type.
    pub fn of_predicate(predicate_type: &str) -> Self {
        match predicate_type {
            media_type::COSIGN_SIGN_PREDICATE => Self::ImageSignature,
            other => Self::Attestation { predicate_type: other.to_owned() },
        }
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attestation { predicate_type } => write!(f, "attestation {predicate_type}"),
            Self::ImageSignature => f.write_str("image signature"),
        }
    }
}
