//! `Verifier`: a trust root and a policy, one function for every format and every place.

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::policy::QuorumError;
use crate::time::Time;
use crate::trust::TrustRoot;
use crate::verify::AcceptedSignature;
use crate::verify::Evaluation;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;
use crate::verify::evaluation::EvaluationTerms;
use crate::verify::evaluation::Predicates;

/// A trust root and a policy: evaluates the evidence about a subject, in every format and from every place
/// (threats: check-lost-in-one-format).
#[derive(Clone, Debug)]
pub struct Verifier {
    limits: Limits,
    policy: Policy,
    predicates: Predicates,
    trust: TrustRoot,
}

/// Why a policy cannot be evaluated with a trust root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// A quorum of the policy could never be met.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
}

impl Verifier {
    /// Evaluates `policy` with the identities of `trust`.
    ///
    /// # Errors
    /// [`VerifierError`] where the identities could never meet a quorum of the policy.
    pub fn new(trust: TrustRoot, policy: Policy, limits: Limits) -> Result<Self, VerifierError> {
        policy
            .requirements()
            .iter()
            .map(|requirement| requirement.quorum())
            .try_for_each(|quorum| quorum.fits(&trust))?;
        Ok(Self { limits, policy, predicates: Predicates::Dropped, trust })
    }

    /// The same, which keeps the predicate of each accepted attestation. They may be large.
    #[must_use]
    pub fn with_predicates(self) -> Self {
        Self { predicates: Predicates::Kept, ..self }
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
    /// [`Refusal`] with the requirements that are not met, and one finding for each piece of evidence that did not count.
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

    /// Begins the evaluation of `subject` as of `now`, for evidence that arrives piece by piece.
    pub fn evaluation(&self, subject: Digest, now: Time) -> Evaluation<'_> {
        let Self { limits, policy, predicates, trust } = self;
        Evaluation::begin(EvaluationTerms { limits, policy, predicates: *predicates, trust }, subject, now)
    }

    /// The same verified subject, with those accepted signatures alone that are to be kept; `None` where they do not meet
    /// the policy any more, or where this verifier did not accept it.
    pub fn restrict(
        &self,
        verified: &VerifiedSubject,
        keep: impl Fn(&AcceptedSignature) -> bool,
    ) -> Option<VerifiedSubject> {
        if (verified.policy(), verified.trust()) != (self.policy.id(), self.trust.version()) {
            return None;
        }
        let kept: Vec<_> = verified.accepted().iter().filter(|accepted| keep(accepted)).cloned().collect();
        let evaluation = self.evaluation(*verified.digest(), verified.verified_at()).with(kept);
        evaluation.is_met().then(|| evaluation.conclude()).and_then(Result::ok)
    }
}
