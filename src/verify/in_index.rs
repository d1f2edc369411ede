//! The statements that BuildKit keeps in an index, unsigned, beside the platforms: they count if the index is signed.
//!
//! The invariant: such a statement counts only for the platform that it names, which is a sibling of its manifest in the index
//! that was named, and only for an owner whose image signature of that very index is authenticated: its digest covers them.
//! The steps:
//!
//! 1. While statements about the index are discovered, keep for each requirement the image signatures that cover the index:
//!    of any owner, for the image name that must be signed.
//! 2. Read an unsigned statement strictly, and require that it is about the platform.
//! 3. Check the conditions as if each owner had signed it who signed the index, and keep a record for each of them. It is as
//!    old as it says itself, or as a trusted time of the signature of the index proves it to be.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::FoundAt;
use crate::envelope::UnsignedStatement;
use crate::policy::CountedStatements;
use crate::policy::PredicateView;
use crate::policy::Requirement;
use crate::policy::StatementFacts;
use crate::policy::StatementKind;
use crate::policy::StatementTime;
use crate::policy::UnmetCondition;
use crate::predicate::PredicateError;
use crate::trust::Owner;
use crate::verify::AcceptedSignature;
use crate::verify::Evaluation;
use crate::verify::Finding;
use crate::verify::Reason;
use crate::verify::certificate_claims::SignerClaims;
use crate::verify::evaluation::Predicates;
use crate::verify::image_part::ImagePart;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;

/// An unsigned statement, read once.
struct ReadStatement<'s> {
    /// It may be about the platform, and may be not.
    doubt: Option<UnmetCondition>,
    kind: StatementKind,
    predicate: &'s [u8],
    view: Result<PredicateView, PredicateError>,
}

impl<'a> Evaluation<'a> {
    /// Whether unsigned statements in the index could still count for a requirement about this platform, if the index is
    /// signed.
    pub(crate) fn wants_unsigned(&self) -> bool {
        self.open_in_index().any(|(position, requirement)| self.decide(position, requirement).missing > 0)
    }

    /// Whether signed statements about this subject could count, or cover unsigned ones: else none is looked for.
    pub(crate) fn reads_signed(&self) -> bool {
        let reads = |requirement: &Requirement| requirement.counts_signed() || requirement.vex().is_some();
        self.is_index() || self.open_requirements().any(|(_, requirement)| reads(requirement))
    }

    /// Whether an unsigned statement with this predicate type could count. Without a type it could.
    pub(crate) fn reads_unsigned(&self, claimed: Option<&str>) -> bool {
        let kind = claimed.map(StatementKind::of_predicate);
        let reads = |requirement: &Requirement| kind.as_ref().is_none_or(|kind| requirement.kinds().contains(kind));
        self.open_in_index().any(|(_, requirement)| reads(requirement))
    }

    /// Whether an owner signed the index around this platform, so that unsigned statements in it may count.
    pub(crate) fn is_index_signed(&self) -> bool {
        self.open_in_index().any(|(position, _)| self.covering().any(|record| record.covers(position)))
    }

    /// Adds the unsigned statement `statement` of the attestation manifest `manifest`, which the index lists and which names
    /// this platform: it counts for the owners who signed the index, or a finding says why not.
    pub(crate) fn add_unsigned(&mut self, manifest: Digest, statement: &[u8]) {
        let reasons = match self.read_unsigned(manifest, statement) {
            Ok(records) => {
                let mut reasons: Vec<Reason> = Vec::new();
                for reason in records.iter().filter_map(StatementRecord::unmet_reason) {
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
                self.add_records(records);
                reasons
            }
            Err(reason) => vec![reason],
        };
        let finding = |reason| Finding { digest: Some(manifest), place: FoundAt::Index, reason };
        reasons.into_iter().for_each(|reason| self.add_finding(finding(reason)));
    }

    /// Steps 2 and 3.
    fn read_unsigned(&self, manifest: Digest, statement: &[u8]) -> Result<Vec<StatementRecord>, Reason> {
        let limits = self.context.limits;
        let statement = UnsignedStatement::parse(statement, limits).map_err(Reason::Envelope)?;
        let kind = StatementKind::of_predicate(statement.predicate_type());
        let mut reading: Vec<_> =
            self.open_in_index().filter(|(_, requirement)| requirement.kinds().contains(&kind)).collect();
        let Some((_, first)) = self.open_in_index().next() else { return Ok(Vec::new()) };
        if reading.is_empty() {
            return Err(Reason::WrongKind { got: kind, want: first.kinds().clone() });
        }
        let doubt = match statement.is_about(&self.subject) {
            true => None,
            false => {
                // Where any statement counts, one that may be about another image changes nothing.
                reading.retain(|(_, requirement)| requirement.counted() == CountedStatements::Newest);
                let signs = statement.shown_subjects();
                if reading.is_empty() || !statement.may_be_about(&self.subject) {
                    return Err(Reason::OtherSubject { signs });
                }
                Some(UnmetCondition::SubjectNotCompared { signs })
            }
        };
        let unreadable = |error| Reason::Envelope(EnvelopeError::Json { format: "in-toto statement", error });
        let predicate = statement.predicate().map_err(unreadable)?.get().as_bytes();
        let view = PredicateView::read(&kind, Some(predicate), limits);
        let read = ReadStatement { doubt, kind, predicate, view };
        let mut records: BTreeMap<_, StatementRecord> = BTreeMap::new();
        for covering in self.covering() {
            let signer = &covering.signature.signer;
            let covered: Vec<_> = reading.iter().filter(|(position, _)| covering.covers(*position)).copied().collect();
            let positions: Vec<_> = covered.iter().map(|(position, _)| *position).collect();
            // Of the signatures by one signer, which may prove different times, one that meets a requirement is enough.
            let by = (signer.owner(), signer.credential(), positions);
            let is_met = records.get(&by).is_some_and(|known| !known.signature.requirements.is_empty());
            if covered.is_empty() || is_met {
                continue;
            }
            let record = self.unsigned_record(&read, manifest, covering, &covered);
            if !record.signature.requirements.is_empty() || !records.contains_key(&by) {
                records.insert(by, record);
            }
        }
        match records.is_empty() {
            true => Err(Reason::IndexNotSigned),
            false => Ok(records.into_values().collect()),
        }
    }

    /// Step 3 for one owner.
    fn unsigned_record(
        &self,
        read: &ReadStatement<'_>,
        manifest: Digest,
        covering: &StatementRecord,
        covered: &[(usize, &Requirement)],
    ) -> StatementRecord {
        let signature = &covering.signature;
        let signer = &signature.signer;
        let stated = read.view.as_ref().map_or(None, PredicateView::time);
        let time = StatementTime::of_document(stated).with_upper_bound(signer.signed_no_later_than());
        let claims = SignerClaims::of(Some(signer));
        let annotations = Default::default();
        let result = |requirement: &Requirement| match (&read.doubt, &read.view) {
            (Some(doubt), _) => StatementResult::of(Err(doubt.clone())),
            (None, Err(error)) => StatementResult::of(Err(UnmetCondition::Predicate(error.clone()))),
            (None, Ok(view)) => StatementResult::of(requirement.check(&StatementFacts {
                annotations: &annotations,
                claims: claims.claims(),
                config: self.config.as_ref(),
                limits: self.context.limits,
                now: self.time.current(),
                owner: Some(signer.owner()),
                predicate: Some(read.predicate),
                reference: signature.reference.as_deref(),
                signed_index: requirement.signed_index(),
                subject: &self.subject,
                time,
                view,
            })),
        };
        let results: Vec<_> = covered.iter().map(|(position, requirement)| (*position, result(requirement))).collect();
        let met = covered.iter().zip(&results).filter(|(_, (_, result))| *result == StatementResult::Met);
        let requirements = met.map(|((_, requirement), _)| requirement.id().clone()).collect();
        let keep = self.context.predicates == Predicates::Kept;
        let signature = AcceptedSignature {
            annotations,
            evidence: signature.evidence.of_index(manifest),
            kind: read.kind.clone(),
            predicate: keep.then(|| read.predicate.to_vec().into()),
            reference: signature.reference.clone(),
            requirements,
            signer: signer.clone(),
        };
        let index = self.part().and_then(ImagePart::index);
        StatementRecord { index, ..StatementRecord::alone(self.subject, signature, results, time) }
    }

    /// The open requirements for which unsigned statements in an index count, with their positions in the policy.
    fn open_in_index(&self) -> impl Iterator<Item = (usize, &'a Requirement)> {
        self.open_requirements().filter(|(_, requirement)| requirement.signed_index().is_some())
    }

    /// The signatures of the index around this platform that cover it.
    fn covering(&self) -> impl Iterator<Item = &StatementRecord> {
        let around = self.part().map(ImagePart::around).unwrap_or_default();
        around.iter().map(AsRef::as_ref).filter(|record| !record.covering.is_empty())
    }

    /// Step 1: what an image signature of this index by `owner` does for each requirement that counts unsigned statements in it,
    /// by the position of the requirement; nothing for another owner or kind of statement, or about something else than an
    /// index.
    pub(super) fn covering_results(
        &self,
        kind: &StatementKind,
        reference: Option<&str>,
        owner: &Owner,
    ) -> Vec<(usize, StatementResult)> {
        if !self.is_index() {
            return Vec::new();
        }
        let requirements = self.context.policy.requirements();
        let is_covered = |requirement: &Requirement| {
            requirement.is_covered_by(kind) && requirement.quorum().owners().contains(owner)
        };
        let covered = requirements.iter().enumerate().filter(|(_, requirement)| is_covered(requirement));
        let result = |requirement: &Requirement| StatementResult::of(requirement.check_index_signature(reference));
        covered.map(|(position, requirement)| (position, result(requirement))).collect()
    }

    /// Whether this is the index of an image: its signatures may cover unsigned statements in it.
    pub(super) fn is_index(&self) -> bool {
        self.part().is_some_and(ImagePart::is_index)
    }

    /// Whether statements of `kind` could count for `requirement`: by themselves, or since they cover others.
    pub(super) fn reads_for(&self, requirement: &Requirement, kind: &StatementKind) -> bool {
        requirement.reads(kind) || self.is_index() && requirement.is_covered_by(kind)
    }

    /// Whether every owner of a requirement signed this index, so that no more signatures could cover it.
    pub(super) fn is_covered(&self, position: usize, requirement: &Requirement) -> bool {
        requirement.quorum().owners().iter().all(|owner| {
            let records = &mut self.records().iter();
            records.any(|record| record.covers(position) && record.signature.signer.owner() == owner)
        })
    }
}
