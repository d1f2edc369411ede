//! `IdentityMismatch`: why a certificate is not the one of an identity.

use crate::text::Untrusted;
use crate::x509::FulcioError;
use crate::x509::NamePattern;

/// Why a certificate is not the one of an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityMismatch {
    /// The subject has an attribute twice, or several in one part.
    #[error("the subject of the certificate has an attribute twice, or several in one part")]
    AmbiguousSubject,
    /// The certificate does not say whose it is.
    #[error("{0}")]
    Fulcio(FulcioError),
    /// The certificate does not have this name.
    #[error("the certificate does not have: {}", Untrusted::new(&.0.to_string()))]
    Name(NamePattern),
}

impl IdentityMismatch {
    /// Whether the certificate could not be judged, which is no refusal: a limit was exceeded.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::AmbiguousSubject | Self::Name(_) => false,
            Self::Fulcio(error) => error.is_undetermined(),
        }
    }
}
