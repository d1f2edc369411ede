//! Why a file of credentials, certificates or keys is refused. Its content is never shown.

use crate::text::Untrusted;

/// Why a credential file is refused. Its text is never shown, since it contains secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialFileFault {
    /// The credential in an entry is invalid.
    #[error("the entry `{name}`: {fault}")]
    Entry {
        /// The fault.
        fault: CredentialEntryFault,
        /// The name of the entry.
        name: Untrusted,
    },
    /// It is not a regular file.
    #[error("not a regular file")]
    NotAFile,
    /// It is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// It cannot be parsed.
    #[error("not a readable credential file")]
    Unreadable,
}

/// Why the `auth` field of an entry is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialEntryFault {
    /// It is not base64.
    #[error("its `auth` is not base64")]
    Base64,
    /// It is not a user name and a password.
    #[error("its `auth` is not USER:PASSWORD in base64")]
    Form,
    /// It is not UTF-8.
    #[error("its `auth` is not UTF-8")]
    Utf8,
}

/// Why a file with certificates or a private key for TLS is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFileFault {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// The private key is encrypted.
    #[error("the private key is encrypted; decrypt it with `openssl pkey -in FILE -out PLAIN`")]
    EncryptedKey,
    /// It contains no certificate.
    #[error("it holds no certificate, but {0}")]
    NoCertificate(PemBlock),
    /// It contains no private key.
    #[error("it holds no private key that can be read, but {0}")]
    NoPrivateKey(PemBlock),
    /// It is not a certificate in any supported format.
    #[error("it is no certificate, neither PEM nor DER")]
    NotACertificate,
    /// It is not a private key in any supported format.
    #[error("it is no private key, neither PEM nor DER")]
    NotAPrivateKey,
    /// Its text is not UTF-8.
    #[error("it holds text that is not UTF-8")]
    NotUtf8,
    /// A PEM block is truncated or not base64.
    #[error("it holds a PEM block that is cut off or no base64")]
    PemBlock,
    /// A certificate cannot be parsed.
    #[error("certificate {0} in it cannot be read")]
    Unreadable(usize),
}

/// A PEM block, RFC 7468, by its label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemBlock {
    /// A block with another label.
    #[error("a block {0:?}")]
    Other(Untrusted),
    /// A PKCS#7 container.
    #[error("PKCS#7: `openssl pkcs7 -print_certs -in FILE` writes the certificates")]
    Pkcs7,
}
