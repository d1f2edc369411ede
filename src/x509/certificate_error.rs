//! `CertificateError`: why bytes are not a certificate that is read.

use crate::x509::Oid;
use crate::x509::der::DerError;

/// Bytes that are not a certificate, or not one that is read. [`CertificateError::is_undetermined`] tells the two apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// An extension that is there twice.
    #[error("certificate has the extension {id} twice (RFC 5280 section 4.2)")]
    DuplicateExtension {
        /// Which extension.
        id: Oid,
    },
    /// Bytes that are not what they should be.
    #[error("{what} cannot be read ({clause})")]
    Malformed {
        /// What they should be.
        what: &'static str,
        /// The clause that says how it is encoded.
        clause: &'static str,
    },
    /// More bytes than allowed.
    #[error("certificate has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// More extensions than are read.
    #[error("certificate has more than {limit} extensions")]
    TooManyExtensions {
        /// The limit.
        limit: u64,
    },
    /// More values than are read: the parts of its DER encoding.
    #[error("certificate has more than {limit} values in its DER encoding")]
    TooManyValues {
        /// The limit.
        limit: u64,
    },
    /// An encoding that DER allows and this library does not support.
    #[error("certificate has {what}, which is not supported")]
    Unsupported {
        /// What is not supported.
        what: &'static str,
    },
}

impl CertificateError {
    /// Whether the answer is could-not-tell rather than no: the certificate exceeds a limit, or has an encoding that is not
    /// supported.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::DuplicateExtension { .. } | Self::Malformed { .. } => false,
            Self::TooLarge { .. }
            | Self::TooManyExtensions { .. }
            | Self::TooManyValues { .. }
            | Self::Unsupported { .. } => true,
        }
    }

    /// The error of strict DER; `malformed` if the bytes are not DER.
    pub(super) fn of(error: DerError, malformed: Self) -> Self {
        match error {
            DerError::Malformed => malformed,
            DerError::TooManyValues { limit } => Self::TooManyValues { limit },
            DerError::Unsupported { what } => Self::Unsupported { what },
        }
    }
}
