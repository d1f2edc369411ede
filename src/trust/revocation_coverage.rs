//! `RevocationCoverage`: whether the certificates by which a signature counts were checked for revocation.

use crate::trust::PassedStatus;
use crate::trust::VerifiedSigner;

/// Whether the certificates by which a signature counts were checked for revocation: those of its signer, and those of the
/// authorities whose timestamps count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationCoverage {
    /// All of them were checked.
    Checked,
    /// No status exists: the signature counts by a key, and no authority vouches for keys.
    NoCertificate,
    /// None of them was checked: the operator did not ask for it.
    NotChecked,
}

impl RevocationCoverage {
    /// The stable name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::NoCertificate => "no-certificate",
            Self::NotChecked => "not-checked",
        }
    }

    const fn of(statuses: Option<&[PassedStatus]>) -> Self {
        match statuses {
            Some(_) => Self::Checked,
            None => Self::NotChecked,
        }
    }
}

impl VerifiedSigner {
    /// Whether the certificates by which the signature counts were checked for revocation. `None` for a pinned key that
    /// counts by itself: the operator takes it out of the trust root.
    pub fn revocation_coverage(&self) -> Option<RevocationCoverage> {
        match (self.certified(), self.keyless(), self.transparency()) {
            (Some(certified), ..) => Some(RevocationCoverage::of(certified.statuses())),
            (None, Some(keyless), _) => Some(RevocationCoverage::of(keyless.statuses())),
            (None, None, Some(proof)) if proof.timestamps().is_empty() => Some(RevocationCoverage::NoCertificate),
            (None, None, Some(proof)) if proof.authorities_are_checked() => Some(RevocationCoverage::Checked),
            (None, None, Some(_)) => Some(RevocationCoverage::NotChecked),
            (None, None, None) => None,
        }
    }
}
