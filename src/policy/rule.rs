//! `Rule`: what can be asked of a statement, a closed set.

use std::fmt;

use crate::oci::media_type;

/// What a signed statement is: part of every proof, so that an attestation never counts as a signature (T-24).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A statement of this predicate type.
    Attestation {
        /// The URI.
        predicate_type: String,
    },
    /// A statement that the signer stands for the image, and nothing more.
    ImageSignature,
}

impl Kind {
    /// The kind of an in-toto statement with this predicate type.
    pub fn of_predicate(predicate_type: &str) -> Self {
        match predicate_type {
            media_type::COSIGN_SIGN_PREDICATE => Self::ImageSignature,
            other => Self::Attestation { predicate_type: other.to_owned() },
        }
    }
}

/// The predicate type that people mean by `typed`: a URI stands for itself, and so that one can be typed, the common ones
/// have the short names that cosign gives them.
pub fn predicate_type(typed: &str) -> &str {
    match typed {
        "custom" => "https://cosign.sigstore.dev/attestation/v1",
        "cyclonedx" => "https://cyclonedx.org/bom",
        "link" => "https://in-toto.io/Link/v1",
        "openvex" => "https://openvex.dev/ns",
        "slsaprovenance" | "slsaprovenance02" => "https://slsa.dev/provenance/v0.2",
        "slsaprovenance1" => "https://slsa.dev/provenance/v1",
        "spdx" | "spdxjson" => "https://spdx.dev/Document",
        "vuln" => "https://cosign.sigstore.dev/attestation/vuln/v1",
        uri => uri,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attestation { predicate_type } => write!(f, "attestation {predicate_type}"),
            Self::ImageSignature => f.write_str("image signature"),
        }
    }
}

/// What else has to be true of a statement before it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// This annotation was signed, with exactly this value.
    Annotation {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The statement was made for exactly this name.
    Reference(String),
}
