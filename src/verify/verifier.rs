//! `Verifier`: a trust root and a policy, with one function for every signature format and every store.

use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::policy::Quorum;
use crate::policy::QuorumError;
use crate::text::Untrusted;
use crate::time::Time;
use crate::trust::RevocationCheck;
use crate::trust::TrustRoot;
use crate::trust::VerificationTime;
use crate::verify::AcceptedSignature;
use crate::verify::Evaluation;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;
use crate::verify::evaluation::EvaluationContext;
use crate::verify::evaluation::Predicates;

/// A trust root and a policy. It evaluates the evidence about a subject in every format and from every store
/// (threats: check-lost-in-one-format).
#[derive(Clone, Debug)]
pub struct Verifier {
    expiry_at: Option<Time>,
    limits: Limits,
    policy: Policy,
    predicates: Predicates,
    revocation: Option<Arc<RevocationCheck>>,
    strictness: Strictness,
    trust: TrustRoot,
}

/// Why a policy cannot be evaluated with a trust root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// A statement of a trust policy skips verification, so that no condition can be checked.
    #[error("statement {0:?} skips verification, so that no annotation and no name can be checked")]
    ConditionsSkipped(Untrusted),
    /// A quorum of the policy could never be met.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
}

impl Verifier {
    /// A verifier of `policy` with the identities of `trust`.
    ///
    /// # Errors
    /// [`VerifierError`] if the identities could never meet a quorum of the policy.
    pub fn new(trust: TrustRoot, policy: Policy, limits: Limits) -> Result<Self, VerifierError> {
        let mut checked: Vec<&Quorum> = Vec::new();
        for quorum in policy.requirements().iter().map(|requirement| requirement.quorum()) {
            // Most requirements have the same few quorums.
            if !checked.contains(&quorum) {
                quorum.check_satisfiable(&trust)?;
                checked.push(quorum);
            }
        }
        let (predicates, strictness) = (Predicates::Dropped, Strictness::Strict);
        Ok(Self { expiry_at: None, limits, policy, predicates, revocation: None, strictness, trust })
    }

    /// The same verifier, which keeps the predicate of each accepted attestation. Predicates may be large.
    #[must_use]
    pub fn with_predicates(self) -> Self {
        Self { predicates: Predicates::Kept, ..self }
    }

    /// The same verifier, which judges the expiry of signatures and certificates as of `time`, and nothing else: every
    /// revocation that is known counts, and `now` stays the current time. What it accepts may be expired now, so
    /// [`import`](crate::ops::import) refuses it.
    #[must_use]
    pub fn with_expiry_at(self, time: Time) -> Self {
        Self { expiry_at: Some(time), ..self }
    }

    /// The same verifier, which checks the revocation status of certificates. Without this it checks none.
    #[must_use]
    pub fn with_revocation(self, check: impl Into<Arc<RevocationCheck>>) -> Self {
        Self { revocation: Some(check.into()), ..self }
    }

    /// The check of the revocation status of certificates, if there is one.
    pub fn revocation(&self) -> Option<&RevocationCheck> {
        self.revocation.as_deref()
    }

    /// The same check, shared.
    pub(crate) const fn shared_revocation(&self) -> Option<&Arc<RevocationCheck>> {
        self.revocation.as_ref()
    }

    /// The same verifier, which reads envelopes of the Notary Project as strictly as this. By default it refuses every
    /// envelope that only the lenient reader reads ([`Strictness::AsNotation`]), even if it was read leniently already.
    #[must_use]
    pub fn with_envelope_reader(self, strictness: Strictness) -> Self {
        Self { strictness, ..self }
    }

    /// The reader of envelopes of the Notary Project.
    pub const fn envelope_reader(&self) -> Strictness {
        self.strictness
    }

    /// The time at which expiry is judged, if it is not the current one.
    pub const fn expiry_at(&self) -> Option<Time> {
        self.expiry_at
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The limits within which evidence is read.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The trust root.
    pub const fn trust(&self) -> &TrustRoot {
        &self.trust
    }

    /// Evaluates `evidence` about `subject` as of `now`. More evidence never turns a yes into a no.
    ///
    /// # Errors
    /// [`Refusal`] with the requirements that are not met, and a finding for each piece of evidence that did not count.
    pub fn verify<'a>(
        &self,
        subject: Digest,
        evidence: impl IntoIterator<Item = &'a Evidence>,
        now: Time,
    ) -> Result<VerifiedSubject, Refusal> {
        let mut evaluation = self.evaluation(subject, now);
        evidence.into_iter().for_each(|evidence| evaluation.add(evidence));
        evaluation.conclude()
    }

    /// Begins an evaluation of `subject` as of `now`, to which evidence is added piece by piece.
    pub fn evaluation(&self, subject: Digest, now: Time) -> Evaluation<'_> {
        let Self { expiry_at, limits, policy, predicates, revocation, strictness, trust } = self;
        let time = VerificationTime::now(now);
        let time = expiry_at.map_or(time, |expiry_at| time.with_expiry_at(expiry_at));
        Evaluation::begin(
            EvaluationContext {
                limits,
                policy,
                predicates: *predicates,
                revocation: revocation.as_deref(),
                strictness: *strictness,
                trust,
            },
            subject,
            time,
        )
    }

    /// The same verified subject with only those accepted signatures that `keep` selects; `None` if they do not meet
    /// the policy, or if this verifier did not accept the subject.
    pub fn restrict(
        &self,
        verified: &VerifiedSubject,
        keep: impl Fn(&AcceptedSignature) -> bool,
    ) -> Option<VerifiedSubject> {
        let expiry_at = self.expiry_at.unwrap_or_else(|| verified.verified_at());
        if (verified.policy(), verified.trust(), verified.expiry_judged_at())
            != (self.policy.id(), self.trust.version(), expiry_at)
        {
            return None;
        }
        let reads = |accepted: &AcceptedSignature| {
            self.strictness == Strictness::AsNotation || accepted.evidence.document().strict_error().is_none()
        };
        let kept = verified.accepted().iter().filter(|accepted| keep(accepted) && reads(accepted));
        let kept: Vec<_> = kept.cloned().collect();
        let evaluation = self.evaluation(*verified.digest(), verified.verified_at()).with_accepted(kept);
        evaluation.is_met().then(|| evaluation.conclude()).and_then(Result::ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::policy::Requirement;
    use crate::policy::StatementKind;
    use crate::policy::Threshold;
    use crate::trust::Owner;

    /// A policy that the identities of the trust root could never meet makes no verifier.
    #[test]
    fn every_quorum_can_be_met_by_the_trust_root() {
        let owned: Vec<_> = ["ann", "bob"]
            .map(|name| {
                let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
                (Owner::Named(name.to_owned()), key.public_key().clone())
            })
            .into();
        let both = TrustRoot::owned(owned.clone()).unwrap();
        let quorum = Quorum::of_all(&both, Threshold::ONE).unwrap();
        let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
        let verifier = Verifier::new(both, policy.clone(), Limits::DEFAULT).unwrap();
        assert_eq!(verifier.expiry_at(), None);
        assert_eq!(verifier.with_expiry_at(Time::EPOCH).expiry_at(), Some(Time::EPOCH));
        let ann = TrustRoot::owned(owned.into_iter().take(1)).unwrap();
        let error = Verifier::new(ann, policy, Limits::DEFAULT).unwrap_err();
        assert_eq!(error, VerifierError::Quorum(QuorumError::UnknownOwner(Owner::Named("bob".to_owned()))));
    }
}
