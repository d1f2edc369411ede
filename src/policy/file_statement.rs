//! `FileStatement`: what must have been signed about a file.

use std::fmt;

/// What was signed about a file, or must have been: part of every verdict, so that an attestation never counts as a
/// signature (threats: attestation-as-signature).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileStatement {
    /// A signature over the file, or an attestation of any type about it: for signers who attest nothing that speaks
    /// against a file.
    Any,
    /// An attestation of this predicate type.
    Attestation {
        /// The predicate type, a URI.
        predicate_type: String,
    },
    /// A signature over the file itself.
    Signature,
}

impl FileStatement {
    /// Whether `signed` is what this asks for.
    pub fn is_met_by(&self, signed: &Self) -> bool {
        match self {
            Self::Any => true,
            Self::Attestation { .. } | Self::Signature => self == signed,
        }
    }

    /// The predicate type, of an attestation.
    pub fn predicate_type(&self) -> Option<&str> {
        match self {
            Self::Attestation { predicate_type } => Some(predicate_type),
            Self::Any | Self::Signature => None,
        }
    }
}

impl fmt::Display for FileStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("a signature or an attestation"),
            Self::Attestation { predicate_type } => write!(f, "an attestation of type {predicate_type}"),
            Self::Signature => f.write_str("a signature of the file"),
        }
    }
}
