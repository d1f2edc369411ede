//! Why a signed document cannot be read, or was not signed by a key.

use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::limits::count;
use crate::oci::referrer;

/// Why bytes are not a signed document that we read, or say nothing that we understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// A field that has to be base64 is not.
    #[error("`{field}` is not base64")]
    Base64 {
        /// Which field.
        field: &'static str,
    },
    /// A field that is missing, empty or contradicts another.
    #[error("{0}")]
    Form(String),
    /// Not the JSON of this format.
    #[error("not the JSON of a {format}: {error}")]
    Json {
        /// Which format.
        format: &'static str,
        /// What the reader says.
        error: JsonError,
    },
    /// A simple signing layer without the annotation that holds its signature.
    #[error("a layer without the annotation {}", referrer::COSIGN_SIGNATURE)]
    NoSignatureAnnotation,
    /// More than we are willing to read.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much there may be.
        limit: u64,
    },
    /// A media, payload or statement type that we do not read.
    #[error("unknown {what} {got:?}")]
    Type {
        /// Which type.
        what: &'static str,
        /// Its value, or the beginning of it.
        got: String,
    },
    /// No signature at all (threats: empty-signature-list).
    #[error("it has no signature")]
    Unsigned,
}

/// The key did not make any of the signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not signed by the key {0}")]
pub struct NotSignedBy(pub KeyId);

impl EnvelopeError {
    pub(super) fn unknown(what: &'static str, got: &str) -> Self {
        Self::Type { what, got: json::shorten(got) }
    }

    /// Whether the document may well be right, and is only more than the limits allow to read.
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Limit { .. } => true,
            _ => false,
        }
    }

    pub(super) fn bounded(what: &'static str, got: usize, limit: u64) -> Result<(), Self> {
        match count(got) > limit {
            true => Err(Self::Limit { what, got: count(got), limit }),
            false => Ok(()),
        }
    }
}
