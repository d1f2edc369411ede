//! `LogEntryError`: why a log entry about a new signature is not stored; `SignatureLogError`: why a log gave no answer.

use std::error::Error;
use std::fmt;

use crate::transparency::LogEntryRequestError;
use crate::transparency::TransparencyError;

/// Why a log entry about a new signature is not stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogEntryError {
    /// The answer of the log is not an entry about this signature in a log that the operator trusts.
    #[error(transparent)]
    Entry(#[from] TransparencyError),
    /// Without a timestamp the time of an entry is not known, so no verifier would accept it: Rekor v2 states none.
    #[error("an entry of a Rekor v2 log needs a timestamp beside it")]
    NoTimestamp,
    /// The log cannot be asked for such an entry.
    #[error(transparent)]
    Request(#[from] LogEntryRequestError),
}

impl LogEntryError {
    /// The stable code in reports: that of the rule, where there is one.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Entry(error) => error.code(),
            Self::NoTimestamp => "log-entry-time",
            Self::Request(_) => "log-entry-request",
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Entry(error) => error.is_undetermined(),
            Self::NoTimestamp | Self::Request(_) => true,
        }
    }
}

/// Why a log gave no answer: the error of the connection.
#[derive(Debug)]
pub struct SignatureLogError {
    code: &'static str,
    error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for SignatureLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for SignatureLogError {
    /// The cause of the error of the connection, whose own message is this one's.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl SignatureLogError {
    /// The error with this cause, and the stable code by which reports name it.
    pub fn new(code: &'static str, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, error: error.into() }
    }

    /// The stable code in reports.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}
