//! What the errors of signing requests, signing responses and signing logs are about: `Difference`, `Duplicate`,
//! `SignedPart`, `LogFault`, `WholeDocument`.

use std::fmt;

use crate::digest::Digest;
use crate::envelope::PayloadKind;
use crate::json::JsonError;
use crate::key::KeyId;

/// The first difference between a signing request and the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The expected request asks for this, and the request does not.
    Missing(String),
    /// The request asks for this, and the expected one does not.
    Unexpected(String),
}

/// The element that occurs twice in a request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicate {
    /// The certificate chain of a key.
    Chain(KeyId),
    /// A key, with one owner or with two.
    Key(KeyId),
    /// The name of an owner, compared without case.
    Owner(String),
    /// A signature over one payload of an item.
    Signature(SignedPart),
    /// The signatures of one key.
    Signer(KeyId),
    /// A statement of one kind about one image digest.
    Statement(String),
}

/// The part of a response that a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedPart {
    /// The request and all signatures of the key: the countersignature.
    Countersignature,
    /// A file.
    File {
        /// The number of the file, from 1.
        file: usize,
    },
    /// One payload of an item.
    Item {
        /// The number of the item, from 1.
        item: usize,
        /// The kind of payload.
        payload: PayloadKind,
    },
}

/// How a line of a signing log is invalid.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogFault {
    /// It is not a line of a signing log.
    Json(JsonError),
    /// The digest of the previous line is wrong.
    Previous {
        /// The digest in the line; `None` in the first line of a log.
        got: Option<Digest>,
        /// The digest of the previous line.
        want: Option<Digest>,
    },
    /// Its time cannot be parsed.
    Time,
}

/// A document that contains a predicate, given where only the predicate belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WholeDocument {
    /// A Sigstore bundle.
    Bundle,
    /// A DSSE envelope.
    Envelope,
    /// An in-toto statement.
    Statement,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(f, "it does not ask for {what}, and the expected request does"),
            Self::Unexpected(what) => write!(f, "it asks for {what}, and the expected request does not"),
        }
    }
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(key) => write!(f, "the certificate chain of the key {}", key.short()),
            Self::Key(key) => write!(f, "the key {}", key.short()),
            Self::Owner(name) => write!(f, "the owner {name}"),
            Self::Signature(part) => write!(f, "the signature over {part}"),
            Self::Signer(key) => write!(f, "the signer {}", key.short()),
            Self::Statement(statement) => f.write_str(statement),
        }
    }
}

impl fmt::Display for SignedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Countersignature => f.write_str("this request and these signatures"),
            Self::File { file } => write!(f, "file {file}"),
            Self::Item { item, payload } => write!(f, "the {payload} of item {item}"),
        }
    }
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |head: &Option<Digest>| head.map_or_else(|| "nothing".to_owned(), |head| head.to_string());
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Previous { got, want } => write!(
                f,
                "it follows {}, but the line before it is {}: a line was changed, left out or put in",
                name(got),
                name(want)
            ),
            Self::Time => f.write_str("its time cannot be read"),
        }
    }
}

impl fmt::Display for WholeDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundle => "a whole Sigstore bundle, with a signed statement in it",
            Self::Envelope => "a whole DSSE envelope, with a signed statement in it",
            Self::Statement => "a whole in-toto statement, which has the predicate in it",
        })
    }
}
