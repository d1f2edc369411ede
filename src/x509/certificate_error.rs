//! `CertificateError`: why bytes are not a certificate that is read.

use crate::x509::Oid;

/// Bytes that are not a certificate, or not one that is read.
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
}
