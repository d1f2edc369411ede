//! `TimestampingError`: why a signature gets no timestamp; `TimestampAuthorityError`: why an authority gave no response.

use std::error::Error;
use std::fmt;

use crate::envelope::EnvelopeError;
use crate::envelope::NotaryError;
use crate::time::Time;
use crate::time::ValidityPeriod;
use crate::x509::CertificateError;
use crate::x509::CertificateLabel;
use crate::x509::TimestampError;

/// Why a signature gets no timestamp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampingError {
    /// The time of the timestamp is ahead of the clock: one of the two clocks is wrong.
    #[error("the timestamp is of {time}, ahead of this machine's clock ({now})")]
    Ahead {
        /// The current time.
        now: Time,
        /// The time of the timestamp.
        time: Time,
    },
    /// The authority that made the timestamp is not in the trusted root, but another one under the same anchor is.
    #[error("the timestamp is by {certificate}, and the trusted root lists another authority under the same anchor")]
    AuthorityUnlisted {
        /// The certificate of the signer of the timestamp.
        certificate: CertificateLabel,
    },
    /// The authority was not trusted at the time of the timestamp: the trusted root says for when it is.
    #[error("the timestamp is of {time}, and its authority is trusted {validity}")]
    AuthorityValidity {
        /// The time of the timestamp.
        time: Time,
        /// The validity period of the authority.
        validity: ValidityPeriod,
    },
    /// A certificate in the envelope cannot be read.
    #[error("certificate {number} of the signer's chain: {error}")]
    Certificate {
        /// Why it cannot be read.
        error: CertificateError,
        /// Its number, from 1.
        number: usize,
    },
    /// The envelope is not signed by the key of its certificate, or breaks another rule, or cannot be judged.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A key alone made the signature in a bundle, and none that was given: it is not known whether it is genuine.
    #[error("the bundle has no certificate, and no key that was given made its signature")]
    KeyAlone,
    /// No signature of the image is the one that the token is about: no hash of a signature is its message imprint.
    #[error("the timestamp is about none of the signatures")]
    NoSignature,
    /// The key of its certificate did not make the signature in a bundle.
    #[error("the key of its certificate did not make the signature")]
    NotSigned,
    /// The signature is about another image.
    #[error("the signature is not about this image")]
    OtherSubject,
    /// A certificate of the signer is not valid at the time of the timestamp, so no verifier would accept the signature by
    /// it.
    #[error(
        "the timestamp is of {earliest} to {latest}, and the signer's certificate {certificate} is valid from {begin} to {end}"
    )]
    SignerValidity {
        /// The begin of its validity.
        begin: Time,
        /// The certificate.
        certificate: CertificateLabel,
        /// The lower bound of the time of the timestamp.
        earliest: Time,
        /// The end of its validity.
        end: Time,
        /// The upper bound of the time of the timestamp.
        latest: Time,
    },
    /// The signing authority states the time itself, and no verifier looks at a timestamp (Notary Project, signing-scheme,
    /// `notary.x509.signingAuthority`).
    #[error("a signing authority states the time: the signature needs no timestamp")]
    SigningAuthority,
    /// A timestamp in a bundle cannot be read, is about something else or is there twice, so that verifiers may refuse the
    /// bundle for it.
    #[error("the bundle has a timestamp that cannot be read, that is not about its signature, or that is there twice")]
    StoredTimestamp,
    /// The token does not verify, or the authority granted none.
    #[error(transparent)]
    Token(#[from] TimestampError),
}

impl TimestampingError {
    /// The stable code in reports: that of the rule, where there is one.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ahead { .. } => "time-ahead",
            Self::AuthorityUnlisted { .. } => "timestamp-authority-unlisted",
            Self::AuthorityValidity { .. } => "timestamp-authority-validity",
            Self::Certificate { .. } => "certificate-unreadable",
            Self::Envelope(EnvelopeError::Notary(error)) => error.code(),
            Self::Envelope(_) => "envelope-unreadable",
            Self::KeyAlone => "timestamp-key",
            Self::NoSignature => "timestamp-no-signature",
            Self::NotSigned => "signature",
            Self::OtherSubject => "other-subject",
            Self::SignerValidity { .. } => "timestamp-signer-validity",
            Self::SigningAuthority => "signing-authority",
            Self::StoredTimestamp => "timestamp-stored",
            Self::Token(error) => error.code(),
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Ahead { .. } | Self::KeyAlone | Self::NoSignature => true,
            Self::Certificate { error, .. } => error.is_undetermined(),
            Self::Envelope(error) => error.is_limit(),
            Self::AuthorityUnlisted { .. }
            | Self::AuthorityValidity { .. }
            | Self::NotSigned
            | Self::OtherSubject
            | Self::SignerValidity { .. }
            | Self::SigningAuthority
            | Self::StoredTimestamp => false,
            Self::Token(error) => error.is_undetermined(),
        }
    }
}

impl From<NotaryError> for TimestampingError {
    fn from(error: NotaryError) -> Self {
        Self::Envelope(error.into())
    }
}

/// Why a timestamp authority gave no response: the error of the connection.
#[derive(Debug)]
pub struct TimestampAuthorityError {
    code: &'static str,
    error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for TimestampAuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for TimestampAuthorityError {
    /// The cause of the error of the connection, whose own message is this one's.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl TimestampAuthorityError {
    /// The error with this cause, and the stable code by which reports name it.
    pub fn new(code: &'static str, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, error: error.into() }
    }

    /// The stable code in reports.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}
