//! `Rescue`: whether a signature from before a revocation stays valid.

use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::x509::Purpose;
use crate::x509::Revocation;
use crate::x509::RevocationReason;

/// By which rule a signature from before a revocation may stay valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RescueRule {
    /// Signers and all certificate authorities: the reason is superseded, cessationOfOperation or affiliationChanged.
    BeforeRevocation,
    /// Timestamp authorities, RFC 3161 section 4: the reason may also be unspecified, but must be there.
    Rfc3161Section4,
}

/// Whether a signature stays valid although its certificate is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescue {
    /// It does not.
    Denied {
        /// Why.
        obstacle: RescueObstacle,
        /// The rule that was applied.
        rule: RescueRule,
    },
    /// It was made before the revocation, which for its reason is not a statement about the time before.
    Rescued {
        /// The rule that was applied.
        rule: RescueRule,
    },
}

/// Why a signature is not rescued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RescueObstacle {
    /// The upper bound of the signing time is not before the invalidity date.
    #[error("the signature is not proven to be older than the invalidity date {invalidity}: by {signed_before}")]
    Invalidity {
        /// The invalidity date.
        invalidity: Time,
        /// The upper bound.
        signed_before: Time,
    },
    /// The revocation has no reason code.
    #[error("the revocation has no reason, which may be a compromise")]
    NoReason,
    /// The reason says or may say something about the time before the revocation.
    #[error("the reason of the revocation is {0}")]
    Reason(RevocationReason),
    /// The upper bound of the signing time is not before the revocation date.
    #[error("the signature is not proven to be older than the revocation at {revoked}: by {signed_before}")]
    Revoked {
        /// The revocation date.
        revoked: Time,
        /// The upper bound.
        signed_before: Time,
    },
}

impl RescueRule {
    /// The rule for the certificate at `position` of a path that was verified for `purpose`; the signer's stands at 0.
    pub const fn of(purpose: Purpose, position: usize) -> Self {
        match (purpose, position) {
            (Purpose::TimeStamping, 0) => Self::Rfc3161Section4,
            (Purpose::Signing | Purpose::SigningAuthority | Purpose::TimeStamping, _) => Self::BeforeRevocation,
        }
    }

    /// The name of the rule in reports, which does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BeforeRevocation => "signed-before-revocation",
            Self::Rfc3161Section4 => "rfc3161-section-4",
        }
    }

    /// The clauses that the rule follows.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::BeforeRevocation => "RFC 5280 sections 5.3.1 and 5.3.2",
            Self::Rfc3161Section4 => "RFC 3161 section 4",
        }
    }

    /// Whether a signature that was made at `signed_before` at the latest stays valid although its certificate is
    /// revoked: the reason allows it, and the bound lies before the revocation date and before the invalidity date.
    pub fn apply(self, revocation: &Revocation, signed_before: Time) -> Rescue {
        let obstacle = match revocation.reason {
            None => Some(RescueObstacle::NoReason),
            Some(reason) if !self.allows(reason) => Some(RescueObstacle::Reason(reason)),
            Some(_) if signed_before >= revocation.at => {
                Some(RescueObstacle::Revoked { revoked: revocation.at, signed_before })
            }
            Some(_) => {
                let invalidity = revocation.invalidity.filter(|invalidity| signed_before >= *invalidity);
                invalidity.map(|invalidity| RescueObstacle::Invalidity { invalidity, signed_before })
            }
        };
        match obstacle {
            Some(obstacle) => Rescue::Denied { obstacle, rule: self },
            None => Rescue::Rescued { rule: self },
        }
    }

    /// As [`RescueRule::apply`] for each of several revocations of one certificate: all of them must allow it.
    pub fn apply_to_all(self, revocations: &NonEmpty<Revocation>, signed_before: Time) -> Rescue {
        let mut answers = revocations.iter().map(|revocation| self.apply(revocation, signed_before));
        answers.find(|answer| matches!(answer, Rescue::Denied { .. })).unwrap_or(Rescue::Rescued { rule: self })
    }

    const fn allows(self, reason: RevocationReason) -> bool {
        match reason {
            RevocationReason::AffiliationChanged
            | RevocationReason::CessationOfOperation
            | RevocationReason::Superseded => true,
            RevocationReason::Unspecified => matches!(self, Self::Rfc3161Section4),
            RevocationReason::AaCompromise
            | RevocationReason::CaCompromise
            | RevocationReason::CertificateHold
            | RevocationReason::KeyCompromise
            | RevocationReason::PrivilegeWithdrawn
            | RevocationReason::RemoveFromCrl
            | RevocationReason::Undefined(_) => false,
        }
    }
}
