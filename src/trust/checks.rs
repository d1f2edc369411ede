//! The checks of a trust policy of the Notary Project, one by one, for a statement that does not enforce all of them.
//!
//! The invariant: a check is passed only if the rules of an enforced verification hold as far as this check goes. What is
//! made here is a report: no [`VerifiedSigner`](crate::trust::VerifiedSigner) comes out of it. The steps:
//!
//! 1. *integrity*: the certificates can be read, the key of the first one signed, every critical attribute is known.
//! 2. *expiry*: the expiry of the signature has not passed.
//! 3. *authenticity*: the chain of an identity whose names fit, at a time at which all its certificates are valid.
//! 4. *authenticTimestamp*: the same chain at the time of the verification, or at that of a timestamp. The certificates of
//!    its authority must not be revoked, also where *revocation* is logged or skipped (trust-store-trust-policy,
//!    verifyTimestamp).
//! 5. *revocation*: the certificates of the signer's chain.
//!
//! Without 1 nothing else is checked, and without 3 neither 4 nor 5.

use crate::envelope::NotaryEnvelope;
use crate::envelope::Payload;
use crate::nonempty::NonEmpty;
use crate::trust::AuthenticationContext;
use crate::trust::CertificateFault;
use crate::trust::CertificateMeans;
use crate::trust::CertificateRejection;
use crate::trust::RevocationCheck;
use crate::trust::SignatureBudget;
use crate::trust::Unchecked;
use crate::trust::VerificationTime;
use crate::trust::notation::PolicyAction;
use crate::trust::notation::PolicyCheck;
use crate::trust::notation::UnenforcedStatement;
use crate::trust::notation::VerificationLevel;
use crate::trust::signed_envelope::SignedEnvelope;
use crate::trust::verified_chains::VerifiedChains;
use crate::x509::CertificateLabel;
use crate::x509::PresentedChain;
use crate::x509::VerifiedChain;

/// The checks of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedSignature {
    /// Every check, in the order of [`PolicyCheck::ALL`].
    pub checks: Vec<MadeCheck>,
    /// The signer's certificate; `None` if it cannot be read.
    pub signer: Option<CertificateLabel>,
}

/// A check, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MadeCheck {
    /// What happens if it fails.
    pub action: PolicyAction,
    /// The check.
    pub check: PolicyCheck,
    /// What came of it.
    pub outcome: CheckOutcome,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum CheckOutcome {
    /// It failed, or could not be decided.
    Failed(NonEmpty<CertificateFault>),
    /// It was not made: it is skipped, or an earlier check that it depends on failed.
    NotMade,
    /// It passed.
    Passed,
}

impl UnenforcedStatement {
    /// Makes the checks of one signature. The payload is returned if its integrity was established.
    ///
    /// # Errors
    /// [`Unchecked`] if the budget is exhausted.
    pub(crate) fn check(
        &self,
        envelope: &NotaryEnvelope,
        context: AuthenticationContext<'_>,
        budget: &mut SignatureBudget,
    ) -> Result<(CheckedSignature, Option<Payload>), Unchecked> {
        // The chain is verified at a time for the authenticity, and again as a verification does, with its revocation.
        for _ in 0..3 {
            budget.take_for(envelope, context.limits)?;
        }
        let checked =
            |outcomes: Outcomes, signer| CheckedSignature { checks: outcomes.into_checks(self.level()), signer };
        let chains = VerifiedChains::default();
        let signed = match SignedEnvelope::open(envelope, &chains, context) {
            Ok(signed) => signed,
            Err(rejection) => {
                let outcomes = Outcomes::of_integrity(CheckOutcome::Failed(rejection.faults().clone()));
                return Ok((checked(outcomes, rejection.signer().cloned()), None));
            }
        };
        let is_expiry = |fault: &CertificateFault| matches!(fault, CertificateFault::Expired { .. });
        let (expiry, integrity): (Vec<_>, Vec<_>) =
            signed.attribute_faults(context.time).into_iter().partition(is_expiry);
        let mut outcomes = Outcomes::of_integrity(outcome_of(integrity));
        outcomes.expiry = outcome_of(expiry);
        let means: Vec<_> = self.identities().iter().filter_map(|identity| identity.certificates()).collect();
        match signed.authentic(&means, context) {
            Err(faults) => outcomes.authenticity = CheckOutcome::Failed(faults),
            Ok((means, chain)) => {
                outcomes.authenticity = CheckOutcome::Passed;
                let (timestamp, revocation) = self.check_times(&signed, means, &chain, context);
                outcomes.authentic_timestamp = timestamp;
                outcomes.revocation = revocation;
            }
        }
        let payload = match (&outcomes.integrity, signed.signed_payload()) {
            (CheckOutcome::Passed, Ok(payload)) => Some(payload),
            (CheckOutcome::Passed, Err(fault)) => {
                outcomes.integrity = CheckOutcome::Failed(NonEmpty::one(fault));
                None
            }
            (CheckOutcome::Failed(_) | CheckOutcome::NotMade, _) => None,
        };
        Ok((checked(outcomes, Some(signed.label())), payload))
    }

    /// Steps 4 and 5.
    fn check_times(
        &self,
        signed: &SignedEnvelope<'_>,
        means: &CertificateMeans,
        chain: &VerifiedChain,
        context: AuthenticationContext<'_>,
    ) -> (CheckOutcome, CheckOutcome) {
        let without = RevocationCheck::without_evidence();
        let check = context.revocation.unwrap_or(&without);
        let now = context.time.current();
        let in_time = signed.chain_in_time(means, context).and_then(|certified| match certified.timestamp() {
            None => Ok(certified),
            Some(before) => match check.check_authority(before, now, context.limits) {
                Ok(()) => Ok(certified),
                Err(fault) => Err(CertificateFault::TimestampAuthority(fault)),
            },
        });
        let timestamp = in_time.as_ref().err().cloned();
        if self.level().action(PolicyCheck::Revocation) == PolicyAction::Skip {
            return (outcome_of(timestamp), CheckOutcome::NotMade);
        }
        let revocation = match in_time {
            Ok(certified) => signed.not_revoked(certified, check, means, context).err().map(|faults| faults.decides),
            // No time of the signature is known that could help against a revocation.
            Err(_) => {
                let statuses = check.check(chain, None, now, context.limits);
                statuses.err().map(|fault| CertificateFault::Revocation { fault, timestamp: None })
            }
        };
        (outcome_of(timestamp), outcome_of(revocation))
    }
}

impl SignedEnvelope<'_> {
    /// The first of `means` whose names fit and whose chain is valid at a time at which all certificates are, with that
    /// chain: whose signature it is, whenever it was made.
    ///
    /// # Errors
    /// Why it is nobody's.
    fn authentic<'b>(
        &self,
        means: &[&'b CertificateMeans],
        AuthenticationContext { limits, .. }: AuthenticationContext<'_>,
    ) -> Result<(&'b CertificateMeans, VerifiedChain), NonEmpty<CertificateFault>> {
        let at = self.first_valid();
        let presented = PresentedChain { certificates: &self.certificates, extra: &[] };
        let mut faults = Vec::new();
        let fitting = means.iter().copied().filter(|means| means.fits(self.certificates.first()));
        for means in CertificateMeans::judging_differently(fitting) {
            match VerifiedChain::verify(presented, means.anchors(), self.purpose(), means.profile(), at, limits) {
                Ok(chain) => return Ok((means, chain)),
                Err(error) => faults.push(self.not_anchored(means, CertificateFault::Chain(error))),
            }
            // Could-not-tell about one identity must not make the certificate a later one's.
            if faults.last().is_some_and(CertificateFault::is_undetermined) {
                break;
            }
        }
        faults.dedup();
        let names = || NonEmpty::one(CertificateFault::of_names(self.signer()));
        Err(NonEmpty::collect(faults).unwrap_or_else(names))
    }

    /// The payload, which the key of the first certificate signed. Whose certificate that is, is not known.
    ///
    /// # Errors
    /// The fault, which an earlier check has found already.
    fn signed_payload(&self) -> Result<Payload, CertificateFault> {
        let key = self.certificates.first().public_key().map_err(|_| CertificateFault::NoCertificate)?;
        self.payload_by(&key).map_err(CertificateFault::Envelope)
    }
}

impl CheckedSignature {
    /// Why an enforced check is not passed, as a rejection; `None` if all of them are. One that was not made is
    /// could-not-tell.
    pub(crate) fn rejection(&self, time: VerificationTime) -> Option<CertificateRejection> {
        let rejected = |faults| CertificateRejection::new(self.signer.clone(), faults, time.judged());
        let enforced = || self.checks.iter().filter(|made| made.action == PolicyAction::Enforce);
        let failed = |made: &MadeCheck| match &made.outcome {
            CheckOutcome::Failed(faults) => faults.iter().cloned().collect::<Vec<_>>(),
            CheckOutcome::NotMade | CheckOutcome::Passed => Vec::new(),
        };
        if let Some(faults) = NonEmpty::collect(enforced().flat_map(failed)) {
            return Some(rejected(faults));
        }
        if enforced().all(|made| made.outcome == CheckOutcome::Passed) {
            return None;
        }
        // A check was not made since one failed that is not enforced.
        let faults = NonEmpty::collect(self.checks.iter().flat_map(failed));
        let faults = faults.unwrap_or_else(|| NonEmpty::one(CertificateFault::NoCertificate));
        Some(rejected(faults).undetermined())
    }
}

impl CheckOutcome {
    /// The stable name in reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::NotMade => "notMade",
            Self::Passed => "passed",
        }
    }
}

/// What came of each check.
struct Outcomes {
    authentic_timestamp: CheckOutcome,
    authenticity: CheckOutcome,
    expiry: CheckOutcome,
    integrity: CheckOutcome,
    revocation: CheckOutcome,
}

impl Outcomes {
    const fn of_integrity(integrity: CheckOutcome) -> Self {
        Self {
            authentic_timestamp: CheckOutcome::NotMade,
            authenticity: CheckOutcome::NotMade,
            expiry: CheckOutcome::NotMade,
            integrity,
            revocation: CheckOutcome::NotMade,
        }
    }

    fn into_checks(self, level: &VerificationLevel) -> Vec<MadeCheck> {
        let Self { authentic_timestamp, authenticity, expiry, integrity, revocation } = self;
        let outcomes = [
            (PolicyCheck::AuthenticTimestamp, authentic_timestamp),
            (PolicyCheck::Authenticity, authenticity),
            (PolicyCheck::Expiry, expiry),
            (PolicyCheck::Integrity, integrity),
            (PolicyCheck::Revocation, revocation),
        ];
        let made = |(check, outcome)| MadeCheck { action: level.action(check), check, outcome };
        outcomes.into_iter().map(made).collect()
    }
}

fn outcome_of(faults: impl IntoIterator<Item = CertificateFault>) -> CheckOutcome {
    NonEmpty::collect(faults).map_or(CheckOutcome::Passed, CheckOutcome::Failed)
}
