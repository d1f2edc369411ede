//! `Rejection`: why a document is not signed by an owner.

use crate::envelope::SignedWith;
use crate::key::KeyId;
use crate::time::Time;
use crate::trust::CertificateFault;
use crate::trust::CertificateRejection;

/// Why a document is not signed by an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// It is signed with a certificate that is not a trusted identity's, or that could not be judged.
    Certificate(CertificateRejection),
    /// It names a trusted key, and that key's signature does not verify.
    Damaged {
        /// The key that the document names.
        key: KeyId,
    },
    /// A key made it whose end has passed, and nothing that the operator trusts proves that it was made before.
    KeyEnded {
        /// The last second at which the key was valid.
        end: Time,
        /// The key.
        key: KeyId,
    },
    /// The operator trusts nobody by the means that this format has: keys, or certificates.
    NoSuchMeans(SignedWith),
    /// A trusted key made a signature, but what the operator wants beside it is not there: logs that vouch for it.
    Unlogged {
        /// The check that failed.
        fault: CertificateFault,
        /// The key.
        key: KeyId,
    },
    /// No trusted key made any of its signatures.
    Untrusted {
        /// The key that the document claims: a hint for people, never trusted.
        claimed: Option<String>,
    },
}

impl Rejection {
    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Certificate(rejection) => rejection.is_undetermined(),
            Self::Unlogged { fault, .. } => fault.is_undetermined(),
            Self::Damaged { .. } | Self::KeyEnded { .. } | Self::NoSuchMeans(_) | Self::Untrusted { .. } => false,
        }
    }
}
