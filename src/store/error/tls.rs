//! `TlsFault`: why a TLS connection to a server failed.

/// Why a TLS connection failed, or is missing. Names are those of the certificate, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// A certificate in the chain of the server has expired.
    #[error("its certificate, or one above it, expired at {at}")]
    Expired {
        /// The time of expiry.
        at: String,
    },
    /// The handshake failed in another way.
    #[error("the TLS handshake failed: {detail}")]
    Handshake {
        /// The error of the TLS library.
        detail: String,
    },
    /// Neither the operating system nor the operator has CA certificates.
    #[error("its certificate cannot be verified: this machine has no CA certificates, and none are given")]
    NoRoots,
    /// The server speaks plain HTTP where TLS is required.
    #[error("it speaks plain http, not TLS")]
    NoTls,
    /// A certificate in the chain is not valid yet.
    #[error(
        "its certificate, or one above it, is valid only from {from} on; what this machine takes for now is before"
    )]
    NotYetValid {
        /// The beginning of its validity.
        from: String,
    },
    /// The certificate is for other names.
    #[error("its certificate is not for {wanted}, but for {}", listed(.names))]
    OtherName {
        /// The expected name.
        wanted: String,
        /// The names in the certificate (`subjectAltName`).
        names: Vec<String>,
    },
    /// The server speaks TLS where plain HTTP is required.
    #[error("it speaks TLS, not plain http")]
    OnlyTls,
    /// The certificate is not for servers (extended key usage).
    #[error("its certificate, or one above it, is not for TLS servers (extended key usage)")]
    Purpose,
    /// The certificate is self-signed and was not given as trusted.
    #[error("its certificate is signed by itself, and not trusted")]
    SelfSigned,
    /// The certificate cannot be parsed.
    #[error("the TLS handshake failed: its certificate cannot be read")]
    UnreadableCertificate,
    /// The authority above the certificate is not trusted.
    #[error("its certificate is issued by {issuer:?}, and no path leads from there to a trusted authority")]
    Untrusted {
        /// The issuer of the server's certificate.
        issuer: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
}
