//! `FulcioError`: why a certificate does not say whose it is.

use crate::text::Untrusted;
use crate::x509::FulcioExtension;

/// Why a certificate does not say whose it is: no identity matches it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FulcioError {
    /// Both extensions with the issuer of the token are there, and differ.
    #[error("certificate names two OIDC issuers: {old:?} (1.3.6.1.4.1.57264.1.1) and {new:?} (1.3.6.1.4.1.57264.1.8)")]
    Issuers {
        /// The issuer in 1.3.6.1.4.1.57264.1.8.
        new: Untrusted,
        /// The issuer in 1.3.6.1.4.1.57264.1.1.
        old: Untrusted,
    },
    /// An extension that is not one text, in the encoding that is defined for it.
    #[error("certificate has an extension {extension} ({}) that is not one text", extension.id())]
    Malformed {
        /// Which extension.
        extension: FulcioExtension,
    },
    /// Not one subject alternative name.
    #[error("certificate has {found} subject alternative names: an identity is one")]
    NameCount {
        /// How many there are.
        found: usize,
    },
    /// The subject alternative name is of a kind that names no signer.
    #[error("certificate has a subject alternative name that is no URI, no email address and no user name")]
    NameKind,
    /// A text that is longer than those that are compared.
    #[error("certificate has a text of {got} bytes in its identity, and the limit is {limit}")]
    TooLong {
        /// How long it is.
        got: u64,
        /// The limit.
        limit: u64,
    },
}

impl FulcioError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Issuers { .. } => "oidc-issuers-differ",
            Self::Malformed { .. } => "identity-extension-malformed",
            Self::NameCount { .. } => "identity-name-count",
            Self::NameKind => "identity-name-kind",
            Self::TooLong { .. } => "identity-too-long",
        }
    }

    /// Whether the certificate could not be judged, which is no refusal: a limit was exceeded.
    pub const fn is_undetermined(&self) -> bool {
        matches!(self, Self::TooLong { .. })
    }
}
