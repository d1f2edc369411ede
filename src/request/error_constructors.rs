//! How a `RequestError` is made of what other parts of the library found.

use crate::digest::Digest;
use crate::json::JsonError;
use crate::limits::count;
use crate::policy::QuorumError;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::trust::TrustError;

impl RequestError {
    /// The error for a file that is not a `document` at all.
    pub(super) fn other_file(document: &'static str, error: JsonError) -> Self {
        match error.is_limit() {
            true => Self::TooMuch { document, error },
            false => Self::OtherFile { document, error },
        }
    }

    /// The error for a `document` that cannot be parsed.
    pub(super) fn json(document: &'static str, error: JsonError) -> Self {
        match error.is_limit() {
            true => Self::TooMuch { document, error },
            false => Self::Json { document, error },
        }
    }

    pub(super) fn field(field: impl Into<String>, reason: FieldFault) -> Self {
        Self::Field { field: field.into(), reason }
    }

    pub(super) fn other(got: Digest, want: Digest) -> Self {
        Self::OtherRequest { got: Box::new(got), want: Box::new(want) }
    }

    pub(super) fn bounded(what: &str, got: usize, limit: u64) -> Result<(), Self> {
        let got = count(got);
        match got > limit {
            true => Err(Self::Limit { got, limit, what: what.to_owned() }),
            false => Ok(()),
        }
    }
}

impl From<QuorumError> for RequestError {
    fn from(error: QuorumError) -> Self {
        Self::Quorum(error)
    }
}

impl From<TrustError> for RequestError {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}
