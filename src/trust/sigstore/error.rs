//! `TrustedRootError`: why a file is not a trusted root of Sigstore, and where.

use std::fmt;
use std::sync::Arc;

use crate::envelope::EnvelopeError;
use crate::json::JsonError;
use crate::key::KeyError;
use crate::text::Untrusted;
use crate::x509::CertificateError;

/// Why bytes are not a trusted root of Sigstore.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedRootError {
    /// A field is not base64.
    #[error("{place}: {error}")]
    Base64 {
        /// Where.
        place: RootPlace,
        /// Which field.
        error: EnvelopeError,
    },
    /// A certificate cannot be read.
    #[error("{place}: {error}")]
    Certificate {
        /// Where.
        place: RootPlace,
        /// Why.
        error: CertificateError,
    },
    /// A file without a trusted root.
    #[error("there is no trusted root in it")]
    Empty,
    /// Another hash function than SHA-256, which all logs use.
    #[error("{place}: hash algorithm {found:?}, wanted SHA2_256")]
    HashAlgorithm {
        /// Where.
        place: RootPlace,
        /// The hash function.
        found: Untrusted,
    },
    /// The file of an import contradicts itself, or has a field that cannot be read.
    #[error("it is no imported trusted root: `{field}` is wrong")]
    Import {
        /// The field.
        field: &'static str,
    },
    /// It is not the JSON of a trusted root. Unknown fields are refused: one could restrict what the root is good for.
    #[error("not the JSON of a trusted root: {error}")]
    Json {
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// A key cannot be read.
    #[error("{place}: {error}")]
    Key {
        /// Where.
        place: RootPlace,
        /// Why.
        error: Arc<KeyError>,
    },
    /// A key of another algorithm than `keyDetails` says.
    #[error("{place}: the key is not one of {details}")]
    KeyDetails {
        /// Where.
        place: RootPlace,
        /// What is said.
        details: Untrusted,
    },
    /// There is more than allowed.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        got: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// The id of a log is neither the hash of its key nor that of its name and key.
    #[error("{place}: the log id is not the one of its key")]
    LogId {
        /// Where.
        place: RootPlace,
    },
    /// A media type that is not one of trusted roots.
    #[error("unknown media type {found:?} of a trusted root")]
    MediaType {
        /// The media type.
        found: Untrusted,
    },
    /// A field is missing, or empty.
    #[error("{place}: `{field}` is missing")]
    Missing {
        /// Where.
        place: RootPlace,
        /// Which field.
        field: &'static str,
    },
    /// A validity period that cannot be read, or ends before it starts.
    #[error("{place}: the validity period is not valid")]
    Period {
        /// Where.
        place: RootPlace,
    },
}

/// A part of a trusted root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootPart {
    /// `certificateAuthorities`.
    CertificateAuthorities,
    /// `ctlogs`.
    CertificateLogs,
    /// `timestampAuthorities`.
    TimestampAuthorities,
    /// `tlogs`.
    TransparencyLogs,
}

/// Where in a trusted root something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootPlace {
    /// Its index in that part, from 0.
    pub index: usize,
    /// The part.
    pub part: RootPart,
}

impl TrustedRootError {
    /// Whether the file exceeds a limit; it may still be valid.
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Json { error } => error.is_limit(),
            Self::Limit { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for RootPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.part {
            RootPart::CertificateAuthorities => "certificateAuthorities",
            RootPart::CertificateLogs => "ctlogs",
            RootPart::TimestampAuthorities => "timestampAuthorities",
            RootPart::TransparencyLogs => "tlogs",
        };
        write!(f, "{name}[{}]", self.index)
    }
}
