//! `Evaluation`: evaluates a policy over the evidence that was discovered, one piece after the other.
//!
//! The invariant: a signature is accepted only if an identity of the trust root made it, over a statement about this
//! very digest, of a kind that a requirement asks for, which meets every condition of that requirement. The steps for
//! each piece of evidence:
//!
//! 1. Refuse an envelope that only the lenient reader reads, unless the verifier has that reader. Authenticate it:
//!    [`TrustRoot::authenticate`](crate::trust::TrustRoot::authenticate).
//! 2. Read the payload: its type is known, and its bytes are of that type.
//! 3. Take the requirements that ask for its kind, before any other field, so that an attestation never counts as a
//!    signature (threats: attestation-as-signature).
//! 4. Require that it is about this digest.
//! 5. Check the conditions of each of these requirements.
//!
//! Owners are counted by [`Quorum`](crate::policy::Quorum) alone.

use std::sync::Arc;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::Payload;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::oci::Descriptor;
use crate::policy::Decision;
use crate::policy::Policy;
use crate::policy::Requirement;
use crate::policy::RequirementId;
use crate::policy::StatementKind;
use crate::trust::AuthenticatedStatement;
use crate::trust::Authentication;
use crate::trust::AuthenticationContext;
use crate::trust::Owner;
use crate::trust::RevocationCheck;
use crate::trust::SignatureBudget;
use crate::trust::SignerCredential;
use crate::trust::TrustRoot;
use crate::trust::TrustedMeans;
use crate::trust::Unchecked;
use crate::trust::VerificationTime;
use crate::trust::notation::UnenforcedStatement;
use crate::verify::AcceptedSignature;
use crate::verify::ExaminedSignature;
use crate::verify::Finding;
use crate::verify::NotEnforced;
use crate::verify::Reason;
use crate::verify::Refusal;
use crate::verify::UnmetRequirement;
use crate::verify::UnreadReason;
use crate::verify::VerifiedSubject;
use crate::verify::subject_claims::SubjectClaims;

/// Whether the predicates of accepted attestations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predicates {
    Dropped,
    Kept,
}

/// The trust root, policy and limits of an evaluation.
#[derive(Clone, Copy, Debug)]
pub(super) struct EvaluationContext<'a> {
    pub(super) limits: &'a Limits,
    pub(super) policy: &'a Policy,
    pub(super) predicates: Predicates,
    pub(super) revocation: Option<&'a RevocationCheck>,
    pub(super) strictness: Strictness,
    pub(super) trust: &'a TrustRoot,
}

/// The evaluation of one subject, to which evidence is added piece by piece.
#[derive(Debug)]
pub struct Evaluation<'a> {
    accepted: Vec<AcceptedSignature>,
    budget: SignatureBudget,
    /// The descriptor of the subject, if it is known: some formats sign media type and size too.
    descriptor: Option<Descriptor>,
    findings: Vec<Arc<Finding>>,
    subject: Digest,
    context: EvaluationContext<'a>,
    time: VerificationTime,
    /// A statement that does not enforce every check, and the signatures that passed those that it enforces. With it no
    /// signature is ever accepted.
    unenforced: Option<(&'a UnenforcedStatement, Vec<ExaminedSignature>)>,
    /// Whether a list of evidence could not be read, so that its entries are unknown.
    unread_list: bool,
}

impl<'a> Evaluation<'a> {
    pub(super) const fn begin(context: EvaluationContext<'a>, subject: Digest, time: VerificationTime) -> Self {
        let budget = SignatureBudget::of(context.limits.evidence.signature_checks);
        Self {
            accepted: Vec::new(),
            budget,
            descriptor: None,
            findings: Vec::new(),
            subject,
            context,
            time,
            unenforced: None,
            unread_list: false,
        }
    }

    /// The same evaluation by a statement that does not enforce every check: the checks are made for a report, and no
    /// signature is accepted.
    pub(super) fn without_enforcing(self, statement: &'a UnenforcedStatement) -> Self {
        Self { accepted: Vec::new(), unenforced: Some((statement, Vec::new())), ..self }
    }

    /// The same evaluation with signatures that this verifier accepted about this subject earlier.
    pub(super) fn with_accepted(self, accepted: Vec<AcceptedSignature>) -> Self {
        Self { accepted, ..self }
    }

    /// The same evaluation of a subject whose descriptor is known. Formats that sign media type and size are held to them.
    #[must_use]
    pub fn with_descriptor(self, descriptor: Descriptor) -> Self {
        Self { descriptor: Some(descriptor), ..self }
    }

    /// Adds one piece of evidence: it is accepted, or a finding says why not.
    pub fn add(&mut self, evidence: &Evidence) {
        if let (Strictness::Strict, Some(error)) = (self.context.strictness, evidence.document().strict_error()) {
            let reason = Reason::Envelope(EnvelopeError::OnlyLenient(error.clone()));
            return self.add_finding(Finding::about(evidence, reason));
        }
        let context =
            AuthenticationContext { limits: self.context.limits, revocation: self.context.revocation, time: self.time };
        if let Some(statement) = self.unenforced.as_ref().map(|(statement, _)| *statement) {
            match self.examine(statement, evidence, context) {
                Ok(examined) => self.unenforced.iter_mut().for_each(|(_, all)| all.push(examined.clone())),
                Err(reason) => self.add_finding(Finding::about(evidence, reason)),
            }
            return;
        }
        let Authentication { authenticated, rejected, undetermined } =
            self.context.trust.authenticate(evidence, context, &mut self.budget);
        let mut reasons = Vec::new();
        for statement in &authenticated {
            match self.accept(evidence, statement) {
                Ok(accepted) => self.accepted.push(accepted),
                Err(reason) if reasons.contains(&reason) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        reasons.extend(rejected.map(Reason::from));
        reasons.extend(undetermined.map(|unchecked| Reason::SignaturesNotChecked { limit: unchecked.limit }));
        reasons.into_iter().for_each(|reason| self.add_finding(Finding::about(evidence, reason)));
    }

    /// Adds a finding about something other than a signed document.
    pub fn add_finding(&mut self, finding: Finding) {
        self.findings.push(Arc::new(finding));
    }

    /// Records that a list of evidence could not be read. From then on the decision is met or undetermined, never
    /// unmet.
    pub const fn mark_list_unread(&mut self) {
        self.unread_list = true;
    }

    /// Whether the evidence so far meets the policy. More evidence does not change a yes.
    pub fn is_met(&self) -> bool {
        self.decision() == Decision::Met
    }

    /// The means by which the owners are known. Discovery fetches nothing that could not count.
    pub fn means(&self) -> TrustedMeans {
        self.context.trust.means()
    }

    /// How strictly envelopes of the Notary Project are read. Discovery reads them so.
    pub const fn strictness(&self) -> Strictness {
        self.context.strictness
    }

    /// The kinds of statements that the policy asks for, each once.
    pub fn kinds(&self) -> Vec<&'a StatementKind> {
        each_once(self.requirements().map(Requirement::kind))
    }

    /// The kinds of statements of which more could still help, each once. Discovery fetches no other kinds.
    pub fn unmet_kinds(&self) -> Vec<&'a StatementKind> {
        let unmet = self.requirements().filter(|requirement| self.missing_of(requirement) > 0);
        each_once(unmet.map(Requirement::kind))
    }

    /// The number of owners who still have to sign for the unmet requirement that needs the fewest.
    pub fn missing(&self) -> u32 {
        let missing = self.requirements().map(|requirement| self.missing_of(requirement));
        missing.filter(|missing| *missing > 0).min().unwrap_or(0)
    }

    /// Ends the evaluation.
    ///
    /// # Errors
    /// [`Refusal`] if the policy is not met; its decision says whether that is a no or could-not-tell.
    pub fn conclude(self) -> Result<VerifiedSubject, Refusal> {
        let (policy, trust) = (self.context.policy.id(), self.context.trust.version());
        match NonEmpty::collect(self.accepted.iter().cloned()) {
            Some(accepted) if self.is_met() => {
                Ok(VerifiedSubject::proven(self.subject, accepted, self.findings, policy, trust, self.time))
            }
            _ => Err(self.refuse()),
        }
    }

    /// Ends the evaluation as a refusal, even if the policy is met: then as could-not-tell.
    pub fn refuse(self) -> Refusal {
        let requirements = self.context.policy.requirements();
        let unmet = |requirement: &Requirement| UnmetRequirement {
            got: requirement.quorum().count(self.signers_for(requirement.id())),
            kind: requirement.kind().clone(),
            requirement: requirement.id().clone(),
            want: requirement.quorum().threshold().count(),
        };
        let lacking = requirements.iter().filter(|requirement| self.missing_of(requirement) > 0);
        let unmet = NonEmpty::collect(lacking.map(|requirement| unmet(requirement)))
            .unwrap_or_else(|| NonEmpty::one(unmet(requirements.first())));
        let decision = match self.decision() {
            // The caller gave up although the policy is met: undetermined.
            Decision::Met | Decision::Undetermined => Decision::Undetermined,
            Decision::Unmet => Decision::Unmet,
        };
        Refusal { accepted: self.accepted, decision, findings: self.findings, subject: self.subject, unmet }
    }

    /// The decision on the evidence so far. Something that could not be read might be a statement of any kind by any
    /// owner, so it could complete any quorum.
    fn decision(&self) -> Decision {
        let undetermined = self.unread_list || self.findings.iter().any(|finding| finding.reason.is_undetermined());
        self.context.policy.rule().decide(&|requirement| match (self.missing_of(requirement), undetermined) {
            (0, _) => Decision::Met,
            (_, true) => Decision::Undetermined,
            (_, false) => Decision::Unmet,
        })
    }

    fn requirements(&self) -> impl Iterator<Item = &'a Requirement> + use<'a> {
        self.context.policy.requirements().into_iter()
    }

    fn missing_of(&self, requirement: &Requirement) -> u32 {
        requirement.quorum().missing(self.signers_for(requirement.id()))
    }

    fn signers_for(&self, requirement: &RequirementId) -> impl Iterator<Item = (&Owner, SignerCredential)> {
        let accepted = self.accepted.iter().filter(move |accepted| accepted.requirements.contains(requirement));
        accepted.map(|accepted| (accepted.signer.owner(), accepted.signer.credential()))
    }

    /// Makes the checks of a signature by a statement that does not enforce all of them. Those that it enforces, and steps
    /// 2 to 5, have to pass.
    fn examine(
        &mut self,
        statement: &UnenforcedStatement,
        evidence: &Evidence,
        context: AuthenticationContext<'_>,
    ) -> Result<ExaminedSignature, Reason> {
        let document = evidence.document();
        let envelope = document.notary_envelope().ok_or_else(|| Reason::NoSuchMeans(document.signed_with()))?;
        let unchecked = |unchecked: Unchecked| Reason::SignaturesNotChecked { limit: unchecked.limit };
        let (checked, payload) = statement.check(envelope, context, &mut self.budget).map_err(unchecked)?;
        if let Some(rejection) = checked.rejection() {
            return Err(Reason::Certificate(rejection));
        }
        let payload = payload.ok_or(Reason::Unreadable(UnreadReason::SignaturesLost))?;
        let (_, claims, _) = self.claims(&payload)?;
        let strict_error = document.strict_error().cloned();
        let (evidence, place) = (evidence.digest().copied(), evidence.found_at().clone());
        Ok(ExaminedSignature { annotations: claims.annotations, checked, evidence, place, strict_error })
    }

    /// Ends an evaluation by a statement that does not enforce every check.
    ///
    /// # Errors
    /// [`Refusal`] if no signature passed the checks that are enforced, or a list could not be read.
    pub(crate) fn conclude_unenforced(mut self) -> Result<NotEnforced, Refusal> {
        match self.unenforced.take() {
            Some((statement, accepted)) if !accepted.is_empty() && !self.unread_list => {
                Ok(NotEnforced::of(statement, self.subject, accepted, self.findings))
            }
            _ => Err(self.refuse()),
        }
    }

    /// Steps 2 to 5: accepts a statement that a trusted key signed only if it is about this digest, is of a kind that a
    /// requirement asks for, and meets all conditions of at least one such requirement.
    fn accept(&self, evidence: &Evidence, statement: &AuthenticatedStatement) -> Result<AcceptedSignature, Reason> {
        let (kind, claims, requirements) = self.claims(statement.payload())?;
        Ok(AcceptedSignature {
            annotations: claims.annotations,
            evidence: evidence.without_second_copy(),
            kind,
            predicate: claims.predicate.filter(|_| self.context.predicates == Predicates::Kept),
            reference: claims.reference,
            requirements,
            signer: statement.signer().clone(),
        })
    }

    /// Steps 2 to 5 for a payload: its kind, its claims, and the requirements all of whose conditions they meet, at least
    /// one.
    fn claims(&self, payload: &Payload) -> Result<(StatementKind, SubjectClaims, Vec<RequirementId>), Reason> {
        let payload = payload.read(self.context.limits).map_err(Reason::Payload)?;
        let kind = StatementKind::of(&payload);
        let asked: Vec<_> = self.requirements().filter(|requirement| *requirement.kind() == kind).collect();
        if asked.is_empty() {
            let want = self.context.policy.requirements().first().kind().clone();
            return Err(Reason::WrongKind { got: kind, want });
        }
        let claims = SubjectClaims::of(&payload, &self.subject, self.descriptor.as_ref())?;
        let mut requirements = Vec::new();
        let mut unmet = None;
        for requirement in asked {
            let mut conditions = requirement.conditions().iter();
            match conditions.try_for_each(|condition| condition.check(&claims.annotations, claims.reference.as_ref())) {
                Ok(()) => requirements.push(requirement.id().clone()),
                Err(condition) => unmet = unmet.or(Some(condition)),
            }
        }
        match unmet {
            Some(condition) if requirements.is_empty() => Err(condition.into()),
            _ => Ok((kind, claims, requirements)),
        }
    }
}

fn each_once<'a>(kinds: impl Iterator<Item = &'a StatementKind>) -> Vec<&'a StatementKind> {
    let mut seen = Vec::new();
    kinds.for_each(|kind| {
        if !seen.contains(&kind) {
            seen.push(kind)
        }
    });
    seen
}
