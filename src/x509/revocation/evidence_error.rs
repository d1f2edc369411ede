//! `StatusEvidenceError`: why bytes are not a CRL or an OCSP response that is read.

use crate::x509::Oid;

/// Bytes that are not a CRL or an OCSP response, or not one that is read. Evidence that cannot be read is could-not-tell:
/// it might have held a revocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusEvidenceError {
    /// An extension that is there twice.
    #[error("{what} has the extension {id} twice (RFC 5280 section 4.2)")]
    DuplicateExtension {
        /// Which extension.
        id: Oid,
        /// What has it.
        what: &'static str,
    },
    /// Bytes that are not what they should be.
    #[error("{what} cannot be read ({clause})")]
    Malformed {
        /// The clause that says how it is encoded.
        clause: &'static str,
        /// What they should be.
        what: &'static str,
    },
    /// An OCSP response whose status is not `successful`, which says nothing about any certificate.
    #[error("OCSP responder answered `{status}` instead of a status (RFC 6960 section 4.2.1)")]
    ResponseStatus {
        /// The name of the status in RFC 6960.
        status: &'static str,
    },
    /// More bytes than allowed.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// What is too large.
        what: &'static str,
    },
    /// More than allowed of something else.
    #[error("more than {limit} {what}")]
    TooMany {
        /// The limit.
        limit: u64,
        /// What there are too many of.
        what: &'static str,
    },
}
