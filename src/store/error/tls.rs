//! `TlsFault`: why a TLS connection to a server failed.

/// Why a TLS connection failed, or why there is none. Names are those of the certificate, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// A certificate, that of the server or one above it, has expired.
    #[error("its certificate, or one above it, expired at {at}")]
    Expired {
        /// When.
        at: String,
    },
    /// The handshake failed in another way.
    #[error("the TLS handshake failed: {detail}")]
    Handshake {
        /// What the TLS library says.
        detail: String,
    },
    /// The server speaks plain HTTP where TLS is wanted.
    #[error("it speaks plain http, not TLS")]
    NoTls,
    /// A certificate is valid only from later on.
    #[error(
        "its certificate, or one above it, is valid only from {from} on; what this machine takes for now is before"
    )]
    NotYetValid {
        /// From when.
        from: String,
    },
    /// The certificate is for other names.
    #[error("its certificate is not for {wanted}, but for {}", listed(.names))]
    OtherName {
        /// The name that was wanted.
        wanted: String,
        /// Names in the certificate (`subjectAltName`).
        names: Vec<String>,
    },
    /// The server speaks TLS where plain HTTP is wanted.
    #[error("it speaks TLS, not plain http")]
    OnlyTls,
    /// The certificate is not for servers (extended key usage).
    #[error("its certificate, or one above it, is not for TLS servers (extended key usage)")]
    Purpose,
    /// The certificate is signed by itself, and was not given as trusted.
    #[error("its certificate is signed by itself, and not trusted")]
    SelfSigned,
    /// The certificate cannot be read.
    #[error("the TLS handshake failed: its certificate cannot be read")]
    UnreadableCertificate,
    /// The authority above the certificate is not trusted.
    #[error("its certificate is issued by {issuer:?}, and no path leads from there to a trusted authority")]
    Untrusted {
        /// Who issued the certificate of the server.
        issuer: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
}
