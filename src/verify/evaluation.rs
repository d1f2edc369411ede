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
//! 5. Check the conditions of each of these requirements, and keep a record of the results.
//!
//! Requirements are decided over the records (`pool.rs`). Owners are counted by [`Quorum`](crate::policy::Quorum) alone.

use std::ptr;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::Evidence;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::oci::Descriptor;
use crate::policy::About;
use crate::policy::Decision;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::Requirement;
use crate::policy::StatementTime;
use crate::time::Time;
use crate::trust::Authentication;
use crate::trust::AuthenticationContext;
use crate::trust::RevocationCheck;
use crate::trust::SignatureBudget;
use crate::trust::TrustRoot;
use crate::trust::TrustVersion;
use crate::trust::TrustedMeans;
use crate::trust::VerificationTime;
use crate::trust::notation::UnenforcedStatement;
use crate::verify::AcceptedSignature;
use crate::verify::ExaminedSignature;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::Refusal;
use crate::verify::UnmetRequirement;
use crate::verify::VerifiedSubject;
use crate::verify::image_part::ImagePart;
use crate::verify::image_part::SubjectEvidence;
use crate::verify::pool::PoolDecision;
use crate::verify::pool::RequirementPool;
use crate::verify::pool::Unread;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;

/// Whether the predicates of accepted attestations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predicates {
    Dropped,
    Kept,
}

/// Whether the documents of accepted statements are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
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
    pub(super) budget: SignatureBudget,
    /// The descriptor of the subject, if it is known: some formats sign media type and size too.
    pub(super) descriptor: Option<Descriptor>,
    /// The digest of the config of the subject, if it is known: scanners name images by it.
    pub(super) config: Option<Digest>,
    /// The decision on each requirement, by its position, once it was asked for; forgotten where something is added.
    decided: Vec<OnceLock<PoolDecision>>,
    pub(super) documents: Documents,
    pub(super) findings: Vec<Arc<Finding>>,
    /// What is known of the image that the subject is a part of; none if it is judged by its own statements alone.
    part: Option<ImagePart>,
    records: Vec<Arc<StatementRecord>>,
    pub(super) subject: Digest,
    pub(super) context: EvaluationContext<'a>,
    pub(super) time: VerificationTime,
    /// A statement that does not enforce every check, and the signatures that passed those that it enforces. With it no
    /// signature is ever accepted.
    pub(super) unenforced: Option<(&'a UnenforcedStatement, Vec<ExaminedSignature>)>,
    /// Whether a list of evidence could not be read, so that its entries are unknown.
    pub(super) unread_list: bool,
}

impl<'a> Evaluation<'a> {
    pub(super) fn begin(context: EvaluationContext<'a>, subject: Digest, time: VerificationTime) -> Self {
        let budget = SignatureBudget::of(context.limits.evidence.signature_checks);
        Self {
            budget,
            config: None,
            decided: vec![OnceLock::new(); context.policy.requirements().count()],
            descriptor: None,
            documents: Documents::Kept,
            findings: Vec::new(),
            part: None,
            records: Vec::new(),
            subject,
            context,
            time,
            unenforced: None,
            unread_list: false,
        }
    }

    /// The same evaluation of a part of an image: a requirement may be met by statements about other parts too.
    pub(super) fn within(mut self, part: ImagePart) -> Self {
        self.forget_decisions();
        Self { part: Some(part), ..self }
    }

    /// The same evaluation with signatures that this verifier accepted about this subject earlier.
    pub(super) fn with_accepted(mut self, accepted: Vec<AcceptedSignature>) -> Self {
        self.forget_decisions();
        let requirements = self.context.policy.requirements();
        let known = |accepted: &AcceptedSignature| {
            let positions = requirements.iter().enumerate();
            let met = positions.filter(|(_, requirement)| {
                // Where only the newest counts, the others are needed to decide.
                let counts = !requirement.needs_newest() && requirement.counts(&accepted.kind);
                counts && accepted.requirements.contains(requirement.id())
            });
            met.map(|(position, _)| (position, StatementResult::Met)).collect()
        };
        self.records = accepted
            .into_iter()
            .map(|signature| {
                let (results, time) = (known(&signature), StatementTime::default());
                Arc::new(StatementRecord::alone(self.subject, signature, results, time))
            })
            .collect();
        self
    }

    /// The same evaluation of a subject whose descriptor is known. Formats that sign media type and size are held to them.
    #[must_use]
    pub fn with_descriptor(self, descriptor: Descriptor) -> Self {
        Self { descriptor: Some(descriptor), ..self }
    }

    /// The same evaluation, which keeps no documents: they may be large, and only an import carries them further.
    #[must_use]
    pub fn without_documents(self) -> Self {
        Self { documents: Documents::Dropped, ..self }
    }

    /// The same evaluation of a subject whose config is known.
    #[must_use]
    pub fn with_config(self, config: Digest) -> Self {
        Self { config: Some(config), ..self }
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
        let Authentication { authenticated, ended, rejected, undetermined } =
            self.context.trust.authenticate(evidence, context, &mut self.budget);
        let mut reasons = Vec::new();
        for statement in &authenticated {
            let (record, reason) = match self.read(evidence, statement) {
                Ok(record) => {
                    let reason = record.unmet_reason();
                    (Some(record), reason)
                }
                Err(reason) => (None, Some(reason)),
            };
            self.records.extend(record.map(Arc::new));
            self.forget_decisions();
            reasons.extend(reason.filter(|reason| !reasons.contains(reason)));
        }
        self.add_ended(evidence, &ended);
        reasons.extend(rejected.map(Reason::from));
        reasons.extend(undetermined.map(|unchecked| Reason::SignaturesNotChecked { limit: unchecked.limit }));
        reasons.into_iter().for_each(|reason| self.add_finding(Finding::about(evidence, reason)));
    }

    /// Adds a finding about something other than a signed document.
    pub fn add_finding(&mut self, finding: Finding) {
        self.forget_decisions();
        self.findings.push(Arc::new(finding));
    }

    /// Records that a list of evidence could not be read. From then on the decision is met or undetermined, never
    /// unmet.
    pub fn mark_list_unread(&mut self) {
        self.forget_decisions();
        self.unread_list = true;
    }

    /// Whether the evidence so far meets the policy, or, of a part of an image, all that statements about it decide. More
    /// evidence does not change a yes, except where only the newest statement counts ([`Evaluation::needs_newest`]).
    pub fn is_met(&self) -> bool {
        let all = || self.open_requirements().all(|(position, requirement)| self.is_settled(position, requirement));
        self.decision() == Decision::Met || self.part.is_some() && all()
    }

    /// Whether the requirement is met, and no further statement about this subject can change that. A requirement that counts
    /// unsigned statements in this index is settled, too, once every owner who may sign the index did, if no statement about
    /// the index counts for it.
    fn is_settled(&self, position: usize, requirement: &Requirement) -> bool {
        let met = self.decision_on(position, requirement) == Decision::Met;
        let more = requirement.counts_signed() && requirement.about().reads_index();
        met || !more && self.is_covered(position, requirement)
    }

    /// The means by which the owners are known. Discovery fetches nothing that could not count.
    pub fn means(&self) -> TrustedMeans {
        self.context.trust.means()
    }

    /// How strictly envelopes of the Notary Project are read. Discovery reads them so.
    pub const fn strictness(&self) -> Strictness {
        self.context.strictness
    }

    /// Ends the evaluation.
    ///
    /// # Errors
    /// [`Refusal`] if the policy is not met; its decision says whether that is a no or could-not-tell.
    pub fn conclude(self) -> Result<VerifiedSubject, Refusal> {
        let (policy, trust) = (self.context.policy.id(), self.context.trust.version());
        match NonEmpty::collect(self.accepted()) {
            Some(accepted) if self.part.is_none() && self.is_met() => {
                Ok(VerifiedSubject::proven(self.subject, accepted, self.findings, policy, trust, self.time))
            }
            _ => Err(self.refuse()),
        }
    }

    /// Ends the evaluation as a refusal, even if the policy is met: then as could-not-tell.
    pub fn refuse(self) -> Refusal {
        let requirements = self.context.policy.requirements();
        let unmet = |(requirement, decision): (&Requirement, PoolDecision)| UnmetRequirement {
            got: decision.got,
            kinds: requirement.kinds().clone(),
            requirement: requirement.id().clone(),
            want: requirement.quorum().threshold().count(),
        };
        let decided = requirements.iter().enumerate();
        let decided: Vec<_> = decided.map(|(at, requirement)| (*requirement, self.decide(at, requirement))).collect();
        let lacking = decided.iter().filter(|(_, decision)| decision.decision != Decision::Met);
        let unmet = NonEmpty::collect(lacking.copied().map(unmet))
            .unwrap_or_else(|| NonEmpty::one(unmet((requirements.first(), self.decide(0, requirements.first())))));
        let decision = match self.decision() {
            // The caller gave up although the policy is met: undetermined.
            Decision::Met | Decision::Undetermined => Decision::Undetermined,
            Decision::Unmet => Decision::Unmet,
        };
        let accepted = self.accepted();
        let mut findings = self.findings;
        if decided.iter().any(|(_, decision)| decision.is_at_limit) {
            findings.push(Arc::new(Finding::pairing_limit(self.context.limits)));
        }
        Refusal { accepted, decision, findings, subject: self.subject, unmet }
    }

    /// Whether this is the evaluation of `subject` as a part of an image, by this policy and trust root, as of `now`.
    pub(super) fn is_of(&self, subject: Digest, by: (PolicyId, TrustVersion), now: Time) -> bool {
        let EvaluationContext { policy, trust, .. } = self.context;
        self.part.is_some()
            && self.unenforced.is_none()
            && self.subject == subject
            && self.time.current() == now
            && (policy.id(), trust.version()) == by
    }

    /// What was found about this subject, for the evaluation of the image that it is a part of.
    pub(super) fn into_evidence(self) -> SubjectEvidence {
        let unread = self.unread();
        let found = SubjectEvidence { digest: self.subject, findings: self.findings, records: self.records, unread };
        found.without_superseded(self.documents, self.context.policy)
    }

    /// The statements that meet all conditions of a requirement.
    fn accepted(&self) -> Vec<AcceptedSignature> {
        let signatures = self.records.iter().map(|record| &record.signature);
        signatures.filter(|signature| !signature.requirements.is_empty()).cloned().collect()
    }

    /// The decision on the evidence so far.
    fn decision(&self) -> Decision {
        let requirements = self.context.policy.requirements();
        let decided: Vec<_> = requirements
            .iter()
            .enumerate()
            .map(|(position, requirement)| (*requirement, self.decision_on(position, requirement)))
            .collect();
        // The rule and the list refer to the same requirements.
        let of = |requirement: &Requirement| {
            let found = decided.iter().find(|(one, _)| ptr::eq(*one, requirement));
            found.map_or(Decision::Unmet, |(_, decision)| *decision)
        };
        self.context.policy.rule().decide(&of)
    }

    /// The decision on one requirement: by the statements about this subject, unless another part of the image decides.
    fn decision_on(&self, position: usize, requirement: &Requirement) -> Decision {
        let elsewhere = self.part.as_ref().and_then(|part| part.decided_elsewhere(position));
        match elsewhere {
            Some(decision) => decision,
            // It is open for the signatures that cover the index alone.
            None if self.is_index() && !requirement.about().reads_index() => Decision::Unmet,
            None => self.decide(position, requirement).decision,
        }
    }

    pub(super) const fn part(&self) -> Option<&ImagePart> {
        self.part.as_ref()
    }

    pub(super) fn records(&self) -> &[Arc<StatementRecord>] {
        &self.records
    }

    /// Forgets every decision. It is called with each change of what decisions depend on: records, findings, unread lists, and
    /// the part of an image.
    fn forget_decisions(&mut self) {
        self.decided.iter_mut().for_each(|decided| *decided = OnceLock::new());
    }

    pub(super) fn add_records(&mut self, records: Vec<StatementRecord>) {
        self.forget_decisions();
        self.records.extend(records.into_iter().map(Arc::new));
    }

    /// The decision on the requirement at `position` of the policy, by the statements about this subject.
    pub(super) fn decide(&self, position: usize, requirement: &Requirement) -> PoolDecision {
        match self.decided.get(position) {
            Some(decided) => *decided.get_or_init(|| self.decide_anew(position, requirement)),
            None => self.decide_anew(position, requirement),
        }
    }

    fn decide_anew(&self, position: usize, requirement: &Requirement) -> PoolDecision {
        let borrows = requirement.about() == About::Either;
        let part = self.part.as_ref().filter(|_| borrows);
        let around = part.map(ImagePart::around).unwrap_or_default();
        // A signature of the index that was not read may cover what is in the index.
        let near = self.part.as_ref().filter(|_| borrows || requirement.signed_index().is_some());
        let unread = near.map_or(self.unread(), |part| self.unread().or(part.unread()));
        let records = self.records.iter().chain(around).map(AsRef::as_ref);
        let digests: Vec<_> = std::iter::once(self.subject).chain(part.and_then(ImagePart::index)).collect();
        let by = (self.time.current(), self.context.limits);
        RequirementPool::new((position, requirement), records, &self.product(&digests), unread, by).decide()
    }

    /// What could not be read. It might be a statement of any kind by any owner, so it could complete any quorum.
    fn unread(&self) -> Unread {
        // What is undetermined about a statement of an owner is known exactly: its record says so.
        let reasons = || {
            let reasons = self.findings.iter().map(|finding| &finding.reason);
            reasons.filter(|reason| !matches!(reason, Reason::Condition(_)))
        };
        let evidence = self.unread_list || reasons().any(Reason::is_undetermined);
        Unread { evidence, newer: self.unread_list || reasons().any(Reason::may_hide_newer) }
    }

    /// The requirements that statements about this subject decide, with their positions in the policy.
    pub(super) fn open_requirements(&self) -> impl Iterator<Item = (usize, &'a Requirement)> {
        let requirements = self.context.policy.requirements().into_iter().enumerate();
        let is_open = |position| self.part.as_ref().is_none_or(|part| part.decided_elsewhere(position).is_none());
        requirements.filter(move |(position, _)| is_open(*position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::envelope::FoundAt;
    use crate::envelope::SignedDocument;
    use crate::envelope::Statement;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::oci::media_type;
    use crate::policy::Condition;
    use crate::policy::Quorum;
    use crate::policy::Rule;
    use crate::policy::StatementKind;
    use crate::policy::Threshold;
    use crate::verify::UnreadReason;
    use crate::verify::Verifier;
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// Whatever an evaluation is given after a decision was asked for has a say in the next one.
    #[test]
    fn each_change_is_decided_anew() {
        let (index, platform) = (Digest::sha256(b"index"), Digest::sha256(b"platform"));
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
        let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
        let signature = |of: &Digest| {
            let payload = Statement::image_signature(of, None, &BTreeMap::new()).unwrap();
            let envelope = Envelope::sign(media_type::IN_TOTO, &payload, &key).unwrap();
            Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
        };
        let signed = |of: &Digest| {
            let mut evaluation = verifier.evaluation(*of, Time::EPOCH);
            evaluation.add(&signature(of));
            evaluation
        };
        // An evaluation that has been asked for its decision before.
        let decided = || {
            let evaluation = verifier.evaluation(platform, Time::EPOCH);
            assert_eq!((evaluation.decision(), evaluation.missing()), (Decision::Unmet, 1));
            evaluation
        };
        let part = ImagePart::new(vec![None]).of_index(&signed(&index).into_evidence());
        let accepted = signed(&platform).accepted();
        let records: Vec<_> = signed(&platform).records.iter().map(|record| StatementRecord::clone(record)).collect();
        let reason = Reason::Unreadable(UnreadReason::SignaturesLost);
        let change = |change: &dyn Fn(&mut Evaluation<'_>)| {
            let mut evaluation = decided();
            change(&mut evaluation);
            evaluation.decision()
        };
        assert_eq!(decided().within(part).decision(), Decision::Met);
        assert_eq!(decided().with_accepted(accepted).decision(), Decision::Met);
        assert_eq!(change(&|evaluation| evaluation.add(&signature(&platform))), Decision::Met);
        assert_eq!(change(&|evaluation| evaluation.add_records(records.clone())), Decision::Met);
        let finding = Finding { digest: None, place: FoundAt::Referrers, reason };
        assert_eq!(change(&|evaluation| evaluation.add_finding(finding.clone())), Decision::Undetermined);
        let unread = change(&|evaluation| {
            evaluation.mark_list_unread();
        });
        assert_eq!(unread, Decision::Undetermined);
    }

    /// Only what this policy and trust root found about this part, as of now, counts as its evidence.
    #[test]
    fn an_evaluation_is_of_one_part_one_policy_and_one_time() {
        let (subject, now) = (Digest::sha256(b"platform"), Time::EPOCH);
        let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()]).unwrap();
        let verifier = |id: &str| {
            let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
            let policy = Policy::one(Requirement::new(id, StatementKind::ImageSignature, quorum));
            Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap()
        };
        let (verifier, other) = (verifier("signed"), verifier("other"));
        let by = |verifier: &Verifier| (verifier.policy().id(), verifier.trust().version());
        let part = verifier.evaluation(subject, now).within(ImagePart::new(vec![None]));
        assert!(part.is_of(subject, by(&verifier), now));
        assert!(!verifier.evaluation(subject, now).is_of(subject, by(&verifier), now));
        assert!(!part.is_of(Digest::sha256(b"another"), by(&verifier), now));
        assert!(!part.is_of(subject, by(&verifier), Time::from_unix(1).unwrap()));
        assert!(!part.is_of(subject, by(&other), now));
    }

    /// What was accepted for one requirement counts for no other one, and for none by which the newest counts.
    #[test]
    fn an_accepted_signature_counts_for_the_requirements_that_it_met() {
        let subject = Digest::sha256(b"image");
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let of = |id: &str| Requirement::new(id, StatementKind::ImageSignature, quorum.clone());
        let annotated = of("annotated").and(Condition::Annotation { key: "env".to_owned(), value: "a".to_owned() });
        let verifier = |requirements: Vec<Requirement>| {
            let rules = NonEmpty::collect(requirements.into_iter().map(Rule::One)).unwrap();
            Verifier::new(trust.clone(), Policy::new(Rule::All(rules)).unwrap(), Limits::DEFAULT).unwrap()
        };
        let one = verifier(vec![of("signed")]);
        let payload = Statement::image_signature(&subject, None, &BTreeMap::new()).unwrap();
        let envelope = Envelope::sign(media_type::IN_TOTO, &payload, &key).unwrap();
        let mut evaluation = one.evaluation(subject, Time::EPOCH);
        let signature = Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new());
        evaluation.add(&signature);
        let accepted = evaluation.accepted();
        let again =
            |verifier: &Verifier| verifier.evaluation(subject, Time::EPOCH).with_accepted(accepted.clone()).decision();
        assert_eq!(again(&one), Decision::Met);
        // Of several requirements those are named that the signature meets, and no others.
        let attested = StatementKind::Attestation { predicate_type: "https://example.com/build/v1".to_owned() };
        let built = Requirement::new("built", attested, quorum.clone());
        let several = verifier(vec![of("signed"), annotated.clone(), built]);
        let mut evaluation = several.evaluation(subject, Time::EPOCH);
        evaluation.add(&signature);
        let [accepted_by_one] = &evaluation.accepted()[..] else { panic!("not one signature is accepted") };
        assert!(accepted_by_one.requirements.iter().eq([of("signed").id()]));
        assert_eq!(again(&verifier(vec![of("signed"), annotated])), Decision::Unmet);
        assert_eq!(again(&verifier(vec![of("signed").newest_only()])), Decision::Unmet);
    }

    /// What meets no condition is not accepted beside what does, and a reason is told once for each document.
    #[test]
    fn what_meets_no_requirement_is_not_accepted() {
        let subject = Digest::sha256(b"image");
        let keys = [0, 1].map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap());
        let trust = TrustRoot::pinned(keys.iter().map(|key| key.public_key().clone())).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let annotated = Condition::Annotation { key: "env".to_owned(), value: "a".to_owned() };
        let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum).and(annotated));
        let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
        // One envelope with a signature by each key.
        let signed = |annotations: &BTreeMap<String, String>, keys: &[PrivateKey]| {
            let payload = Statement::image_signature(&subject, None, annotations).unwrap();
            let sign =
                |key: &PrivateKey| Envelope::sign(media_type::IN_TOTO, &payload, key).unwrap().to_json().unwrap();
            let each: Vec<Value> = keys.iter().map(|key| serde_json::from_slice(&sign(key)).unwrap()).collect();
            let signatures: Vec<_> = each.iter().map(|one| one["signatures"][0].clone()).collect();
            let mut all = each[0].clone();
            all["signatures"] = signatures.into();
            let envelope = Envelope::parse(all.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
            Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
        };
        let annotations = BTreeMap::from([("env".to_owned(), "a".to_owned())]);
        let evidence = [signed(&BTreeMap::new(), &keys), signed(&annotations, &keys[..1])];
        let verified = verifier.verify(subject, &evidence, Time::EPOCH).unwrap();
        assert_eq!((verified.accepted().count(), verified.findings().len()), (1, 1));
        assert_eq!(verified.accepted().first().annotations, annotations);
    }
}
