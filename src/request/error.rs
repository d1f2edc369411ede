//! `RequestError`: why a request, a response or a signing log is not believed.

use std::fmt;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::json::JsonError;
use crate::key::KeyError;
use crate::key::KeyId;
use crate::limits::count;
use crate::request::Part;
use crate::time::Time;
use crate::trust::TrustError;

/// Why a document of the signing round is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The clock of this machine cannot be right.
    #[error("it is {now} by this machine's clock, but the request was made at {created}")]
    Clock {
        /// When the request was made.
        created: Time,
        /// What the clock says.
        now: Time,
    },
    /// A signature that was made outside the time of the request.
    #[error("key {} signed at {signed}, the request was open from {created} to {expires}", key.short())]
    Dated {
        /// When the request was made.
        created: Time,
        /// Until when it was to be signed.
        expires: Time,
        /// Whose signature.
        key: KeyId,
        /// When it was signed, by the signer's clock.
        signed: Time,
    },
    /// The same thing twice.
    #[error("{what} twice")]
    Duplicate {
        /// What.
        what: String,
    },
    /// What is to be signed cannot be written.
    #[error("{reference}: {error}")]
    Envelope {
        /// What of the envelope.
        error: EnvelopeError,
        /// Which item.
        reference: String,
    },
    /// The time to sign is over.
    #[error("the request expired at {expires}, and it is {now}")]
    Expired {
        /// Until when it was to be signed.
        expires: Time,
        /// What time it is.
        now: Time,
    },
    /// A field that is empty, malformed or contradicts another.
    #[error("`{field}` {why}")]
    Field {
        /// Which field, and of what.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not the JSON of this document.
    #[error("not the JSON of a {document}: {error}")]
    Json {
        /// Which document.
        document: &'static str,
        /// What the reader says.
        error: JsonError,
    },
    /// A key that cannot be read.
    #[error("the key of {owner}: {error}")]
    Key {
        /// What is wrong with it.
        error: KeyError,
        /// Whose it is.
        owner: String,
    },
    /// Another document, or another version of it.
    #[error("a {got:?} of version {version}, wanted a {want:?} of version 1")]
    Kind {
        /// What it says it is.
        got: String,
        /// The version that it says it has.
        version: u64,
        /// What is wanted.
        want: &'static str,
    },
    /// More than we are willing to read.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// How much there is.
        got: u64,
        /// How much there may be.
        limit: u64,
        /// What there is too much of.
        what: String,
    },
    /// A line of a signing log that does not follow from the one before it.
    #[error("line {line}: {why}")]
    Log {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A key that was not asked to sign.
    #[error("nobody asked for a signature of the key {key:.12}; asked are {asked}")]
    NotAsked {
        /// Who was asked.
        asked: String,
        /// The id of the key.
        key: String,
    },
    /// Another file: it is not even JSON that says what it is.
    #[error("not a {document}: {error}")]
    OtherFile {
        /// Which document it should be.
        document: &'static str,
        /// What the reader says.
        error: JsonError,
    },
    /// The response is one to another request.
    #[error("it answers the request {got}, not {want}")]
    OtherRequest {
        /// Which request it answers.
        got: Box<Digest>,
        /// Which one it should answer.
        want: Box<Digest>,
    },
    /// JSON that is larger or deeper than we are willing to read.
    #[error("{document}: {error}")]
    TooMuch {
        /// Which document.
        document: &'static str,
        /// What the reader says.
        error: JsonError,
    },
    /// The threshold or the owners make no sense.
    #[error("{0}")]
    Trust(TrustError),
    /// A signature over something that the request does not ask for.
    #[error("key {} signed the {part} of item {item}, which nobody asked for", key.short())]
    Unasked {
        /// Which item, from 1.
        item: usize,
        /// Whose signature.
        key: KeyId,
        /// Over what.
        part: Part,
    },
    /// A whole document that was given as a predicate, and would be signed inside another of its kind.
    #[error("the predicate is {what}")]
    WholeDocument {
        /// What it is.
        what: Whole,
    },
    /// A signature that is not one.
    #[error("the signature of the key {} over {what} does not verify", key.short())]
    Unsigned {
        /// Whose signature it should be.
        key: KeyId,
        /// Over what.
        what: String,
    },
}

/// What a predicate is that is more than a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// A Sigstore bundle.
    Bundle,
    /// A DSSE envelope.
    Envelope,
    /// An in-toto statement.
    Statement,
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundle => "a whole Sigstore bundle, with a signed statement in it",
            Self::Envelope => "a whole DSSE envelope, with a signed statement in it",
            Self::Statement => "a whole in-toto statement, which has the predicate in it",
        })
    }
}

impl RequestError {
    /// Whether this is no answer but "could not tell": a limit, a clock that is wrong, or another file than the one that
    /// was meant.
    pub const fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Clock { .. }
                | Self::Kind { .. }
                | Self::Limit { .. }
                | Self::OtherFile { .. }
                | Self::TooMuch { .. }
                | Self::WholeDocument { .. }
        )
    }

    /// A short, stable name of the kind of error, for reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Clock { .. } => "clock",
            Self::Dated { .. } => "dated",
            Self::Duplicate { .. } => "duplicate",
            Self::Envelope { .. } => "envelope-unreadable",
            Self::Expired { .. } => "expired",
            Self::Field { .. } => "field",
            Self::Json { .. } => "not-json",
            Self::Key { .. } => "key-unreadable",
            Self::Kind { .. } | Self::OtherFile { .. } => "other-document",
            Self::Limit { .. } | Self::TooMuch { .. } => "limit",
            Self::Log { .. } => "log-broken",
            Self::NotAsked { .. } => "not-asked",
            Self::OtherRequest { .. } => "other-request",
            Self::Trust(_) => "threshold",
            Self::Unasked { .. } => "unasked",
            Self::Unsigned { .. } => "signature",
            Self::WholeDocument { .. } => "whole-document",
        }
    }

    /// Why a file is not read as `document` at all.
    pub(super) fn other_file(document: &'static str, error: JsonError) -> Self {
        match error.is_limit() {
            true => Self::TooMuch { document, error },
            false => Self::OtherFile { document, error },
        }
    }

    /// Why `document` was not read.
    pub(super) fn json(document: &'static str, error: JsonError) -> Self {
        match error.is_limit() {
            true => Self::TooMuch { document, error },
            false => Self::Json { document, error },
        }
    }

    pub(super) fn field(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Field { field: field.into(), why: why.into() }
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

impl From<TrustError> for RequestError {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}
