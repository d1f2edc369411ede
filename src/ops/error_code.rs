//! The stable codes of `OpsError`, and which of them are refusals.

use crate::ops::OpsError;
use crate::store::StoreError;

impl OpsError {
    /// The stable error code for reports. Errors of a store have the code of the store.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Config(_) => "config-unreadable",
            Self::Envelope(_) => "envelope-unreadable",
            Self::EvidenceOnly { .. } | Self::EvidencePlace { .. } => "evidence-only",
            Self::EvidenceUnread { .. } | Self::SignatureUnread { .. } => "evidence-unreadable",
            Self::Incomplete { first, .. } => first.code(),
            Self::Json(_) => "json",
            Self::LogEntry { error, .. } => error.code(),
            Self::Manifest(_) => "manifest-unreadable",
            Self::NoChild { error, .. } => error.code(),
            Self::IndexNotSigned { .. }
            | Self::EvidenceLeftOut
            | Self::ExpiryNotNow
            | Self::ImportOfNewest(_)
            | Self::ImportOfPlatforms
            | Self::LayersNotRead
            | Self::NoIndex { .. }
            | Self::NoName { .. }
            | Self::NotATag { .. }
            | Self::NothingLoaded { .. }
            | Self::OtherDigest { .. }
            | Self::PlatformTwice { .. }
            | Self::SeveralNames { .. } => "bad-argument",
            Self::NoPlatform { .. } | Self::PlatformMissing { .. } => "no-platform",
            Self::NoPlatforms { .. } => "no-platforms",
            Self::NotLoadable { .. } => "not-loadable",
            Self::NotSigned(_) => "not-signed",
            Self::PartlyAttached { error, .. } => error.code(),
            Self::PlatformNotChosen { .. } => "platform-not-chosen",
            Self::Policy(_) | Self::Verifier(_) => "policy-not-evaluated",
            Self::ReadBack { .. } => "read-back",
            Self::ReferrersTooDeep { .. } => "too-deep",
            Self::SamePlatform { .. } => "same-platform",
            Self::SignatureLog(error) => error.code(),
            Self::Signer(_) => "signer",
            Self::Store(error) => error.code(),
            Self::Task => "internal",
            Self::Timestamp { error, .. } => error.code(),
            Self::TimestampAuthority(error) => error.code(),
            Self::TooDeep { .. } => "too-deep",
            Self::TooMany { .. } => "too-many",
            Self::TwoSizes { .. } => "content-mismatch",
        }
    }

    /// Whether the checked bytes themselves are the reason, so that a retry gives the same answer. An exceeded limit is
    /// not such a reason.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Manifest(error) => error.is_contradiction(),
            Self::NoPlatforms { .. } | Self::SamePlatform { .. } | Self::Store(StoreError::Contradiction { .. }) => {
                true
            }
            Self::PartlyAttached { error, .. } => error.is_refusal(),
            Self::LogEntry { error, .. } => !error.is_undetermined(),
            Self::Timestamp { error, .. } => !error.is_undetermined(),
            _ => false,
        }
    }
}
