//! `UnenforcedVerifier`: makes the checks of a trust policy statement that does not enforce all of them, for a report.

use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::Evidence;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::policy::Condition;
use crate::policy::Policy;
use crate::policy::Quorum;
use crate::policy::QuorumError;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::policy::Threshold;
use crate::time::Time;
use crate::trust::RevocationCheck;
use crate::trust::TrustRoot;
use crate::trust::notation::UnenforcedStatement;
use crate::verify::Evaluation;
use crate::verify::NotEnforced;
use crate::verify::Refusal;
use crate::verify::Verifier;
use crate::verify::VerifierError;

/// A statement of a trust policy that does not enforce every check, and the conditions that always hold. It makes the
/// checks for a report, and verifies nothing.
#[derive(Clone, Debug)]
pub struct UnenforcedVerifier {
    statement: UnenforcedStatement,
    /// None if the statement skips verification.
    verifier: Option<Verifier>,
}

impl UnenforcedVerifier {
    /// A verifier for image signatures that meet all `conditions`.
    ///
    /// # Errors
    /// [`VerifierError`] if nobody could ever sign, or there is a condition and the statement skips verification.
    pub fn new(
        statement: UnenforcedStatement,
        conditions: impl IntoIterator<Item = Condition>,
        limits: Limits,
    ) -> Result<Self, VerifierError> {
        let mut conditions = conditions.into_iter().peekable();
        if statement.level().is_skip() {
            return match conditions.peek() {
                Some(_) => Err(VerifierError::ConditionsSkipped(statement.name())),
                None => Ok(Self { statement, verifier: None }),
            };
        }
        let nobody = QuorumError::TooFewKeys { got: 0, want: Threshold::ONE.count() };
        let trust = TrustRoot::new(statement.identities().to_vec()).map_err(|_| nobody)?;
        let quorum = Quorum::of_all(&trust, Threshold::ONE)?;
        let mut requirement = Requirement::new("signed", StatementKind::ImageSignature, quorum);
        for condition in conditions {
            requirement = requirement.and(condition);
        }
        let verifier = Verifier::new(trust, Policy::one(requirement), limits)?;
        Ok(Self { statement, verifier: Some(verifier) })
    }

    /// The same, and expiry is judged as of `time`: [`Verifier::with_expiry_at`].
    #[must_use]
    pub fn with_expiry_at(self, time: Time) -> Self {
        Self { verifier: self.verifier.map(|verifier| verifier.with_expiry_at(time)), ..self }
    }

    /// The same, and envelopes are read as strictly as this: [`Verifier::with_envelope_reader`].
    #[must_use]
    pub fn with_envelope_reader(self, strictness: Strictness) -> Self {
        Self { verifier: self.verifier.map(|verifier| verifier.with_envelope_reader(strictness)), ..self }
    }

    /// The same with revocation evidence: [`Verifier::with_revocation`].
    #[must_use]
    pub fn with_revocation(self, check: impl Into<Arc<RevocationCheck>>) -> Self {
        Self { verifier: self.verifier.map(|verifier| verifier.with_revocation(check)), ..self }
    }

    /// The statement.
    pub const fn statement(&self) -> &UnenforcedStatement {
        &self.statement
    }

    /// The verifier whose signatures are checked; `None` if verification is skipped.
    pub(crate) const fn verifier(&self) -> Option<&Verifier> {
        self.verifier.as_ref()
    }

    /// Makes the checks of `evidence` about `subject` as of `now`; none if verification is skipped.
    ///
    /// # Errors
    /// [`Refusal`] if no signature passed the checks that are enforced.
    pub fn check<'a>(
        &self,
        subject: Digest,
        evidence: impl IntoIterator<Item = &'a Evidence>,
        now: Time,
    ) -> Result<NotEnforced, Refusal> {
        let Some(mut evaluation) = self.evaluation(subject, now) else { return Ok(self.skipped(subject)) };
        evidence.into_iter().for_each(|evidence| evaluation.add(evidence));
        evaluation.conclude_unenforced()
    }

    /// Begins an evaluation of `subject` as of `now`, which never ends as a verified subject; `None` if verification is
    /// skipped.
    pub(crate) fn evaluation(&self, subject: Digest, now: Time) -> Option<Evaluation<'_>> {
        self.verifier.as_ref().map(|verifier| verifier.evaluation(subject, now).without_enforcing(&self.statement))
    }

    /// The verdict on `subject` if verification is skipped.
    pub(crate) fn skipped(&self, subject: Digest) -> NotEnforced {
        NotEnforced::of(&self.statement, subject, Vec::new(), Vec::new())
    }
}
