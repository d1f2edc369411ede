//! The reading of one signed payload: steps 2 to 5 of `evaluation.rs`.

use std::sync::Arc;

use crate::envelope::Evidence;
use crate::envelope::NotaryAttributes;
use crate::envelope::NotaryEnvelope;
use crate::envelope::Payload;
use crate::policy::CountedStatements;
use crate::policy::PredicateView;
use crate::policy::Requirement;
use crate::policy::StatementFacts;
use crate::policy::StatementKind;
use crate::policy::StatementTime;
use crate::policy::UnmetCondition;
use crate::predicate::PredicateError;
use crate::time::Time;
use crate::trust::AuthenticatedStatement;
use crate::trust::EndedStatement;
use crate::trust::VerifiedSigner;
use crate::verify::AcceptedSignature;
use crate::verify::Evaluation;
use crate::verify::Reason;
use crate::verify::certificate_claims::SignerClaims;
use crate::verify::evaluation::Documents;
use crate::verify::evaluation::Predicates;
use crate::verify::record::StatementClaims;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;
use crate::verify::record::VexReading;
use crate::verify::subject_claims::SubjectClaims;

impl Evaluation<'_> {
    /// Adds the records of statements whose signers' keys have ended, where only the newest counts. Elsewhere they decide
    /// nothing. One that cannot be read is left out: it has no date that a newer statement of the owner could be compared
    /// with, so a thief of the key could keep every image out for ever.
    pub(super) fn add_ended(&mut self, evidence: &Evidence, ended: &[EndedStatement]) {
        let records = ended.iter().filter_map(|EndedStatement { end, signed }| {
            let Ok(record) = self.read(evidence, signed) else { return None };
            record.is_carried.then(|| record.of_ended_key(*end, &self.context.policy.requirements()))
        });
        let records: Vec<_> = records.collect();
        if !records.is_empty() {
            self.add_records(records);
        }
    }

    /// Steps 2 to 5 for a statement that an owner signed: the record of it.
    pub(super) fn read(
        &self,
        evidence: &Evidence,
        statement: &AuthenticatedStatement,
    ) -> Result<StatementRecord, Reason> {
        let signer = statement.signer();
        let StatementClaims { claims, ignored, kind, results, time, vex } =
            self.claims(statement.payload(), evidence, Some(signer))?;
        let requirements = self.context.policy.requirements();
        let owner = signer.owner();
        let covering = match claims.doubt {
            None => self.covering_results(&kind, claims.reference.as_deref(), owner),
            Some(_) => Vec::new(),
        };
        let is_named = requirements.iter().any(|requirement| concerns(requirement, &kind, Some(signer)));
        if covering.is_empty() && !is_named {
            return Err(Reason::OwnerNotNamed { kind, owner: owner.clone() });
        }
        let counts = |(position, requirement): (usize, &Requirement)| {
            let covers = covering.contains(&(position, StatementResult::Met));
            let result = results.iter().find(|(of, _)| *of == position).map(|(_, result)| result);
            let is_vex = vex.is_some() && requirement.clears_by(&kind, owner);
            covers || is_vex || result.is_some_and(|result| result.may_count(requirement))
        };
        let met = requirements.iter().enumerate().filter(|(position, requirement)| counts((*position, requirement)));
        let met: Vec<_> = met.map(|(_, requirement)| requirement.id().clone()).collect();
        let is_carried = requirements.iter().any(|requirement| {
            let is_newest = requirement.counted() == CountedStatements::Newest && requirement.counts_by(&kind, owner);
            is_newest || vex.is_some() && requirement.clears_by(&kind, owner)
        });
        let evidence = match (self.documents, met.is_empty() && !is_carried) {
            (Documents::Dropped, _) | (_, true) => evidence.without_bytes(),
            (Documents::Kept, false) => evidence.without_second_copy(),
        };
        let signature = AcceptedSignature {
            annotations: claims.annotations,
            evidence,
            kind,
            predicate: claims.predicate.filter(|_| self.context.predicates == Predicates::Kept),
            reference: claims.reference,
            requirements: met,
            signer: signer.clone(),
        };
        let (about, ended, index) = (self.subject, None, None);
        Ok(StatementRecord { about, covering, ended, ignored, index, is_carried, results, signature, time, vex })
    }

    /// Steps 2 to 5 for a payload: its kind, its claims, and the result for each requirement that names the signer for this
    /// kind. The predicate is read once, and only if one of these reads it.
    pub(super) fn claims(
        &self,
        payload: &Payload,
        evidence: &Evidence,
        signer: Option<&VerifiedSigner>,
    ) -> Result<StatementClaims, Reason> {
        let limits = self.context.limits;
        let payload = payload.read(limits).map_err(Reason::Payload)?;
        let kind = StatementKind::of(&payload);
        let requirements = self.context.policy.requirements();
        if !requirements.iter().any(|requirement| self.reads_for(requirement, &kind)) {
            let want = requirements.first().kinds().clone();
            return Err(Reason::WrongKind { got: kind, want });
        }
        let claims = SubjectClaims::of(&payload, &self.subject, self.descriptor.as_ref())?;
        let predicate = claims.predicate.as_deref();
        let concerned = || requirements.iter().filter(|requirement| concerns(requirement, &kind, signer));
        let view = match concerned().any(|requirement| requirement.reads_view(&kind)) {
            true => PredicateView::read(&kind, predicate, limits),
            false => Ok(PredicateView::Other { time: None }),
        };
        let time = time_of(view.as_ref().map_or(None, PredicateView::time), evidence, signer);
        let signer_claims = SignerClaims::of(signer);
        let doubt = claims.doubt.clone().map(|signs| UnmetCondition::SubjectNotCompared { signs });
        let result = |requirement: &Requirement| match (&doubt, &view) {
            (Some(doubt), _) => StatementResult::of(Err(doubt.clone())),
            (None, Err(error)) => StatementResult::of(Err(UnmetCondition::Predicate(error.clone()))),
            (None, Ok(view)) => StatementResult::of(requirement.check(&StatementFacts {
                annotations: &claims.annotations,
                claims: signer_claims.claims(),
                config: self.config.as_ref(),
                limits,
                now: self.time.current(),
                owner: signer.map(VerifiedSigner::owner),
                predicate,
                reference: claims.reference.as_deref(),
                signed_index: None,
                subject: &self.subject,
                time,
                view,
            })),
        };
        let asked = requirements.iter().enumerate().filter(|(_, requirement)| counts(requirement, &kind, signer));
        let asked: Vec<_> = asked.filter(|(_, requirement)| may_decide(requirement, doubt.as_ref())).collect();
        let results = asked.iter().map(|(position, requirement)| (*position, result(requirement))).collect();
        let ignoring = asked.iter().flat_map(|(position, requirement)| {
            let ignored = view.as_ref().map_or_else(|_| Vec::new(), |view| requirement.ignored(view));
            ignored.into_iter().map(|ignored| (*position, ignored))
        });
        let ignored = ignoring.collect();
        let clears = concerned().any(|requirement| clears(requirement, &kind, signer));
        let vex = clears.then(|| vex_of(view, doubt.as_ref())).flatten();
        if let (Some(signs), true, None) = (&claims.doubt, asked.is_empty(), &vex) {
            return Err(Reason::OtherSubject { signs: signs.clone() });
        }
        Ok(StatementClaims { claims, ignored, kind, results, time, vex })
    }
}

/// When a statement was made: what its predicate or envelope states, with what proves a bound.
fn time_of(stated: Option<Time>, evidence: &Evidence, signer: Option<&VerifiedSigner>) -> StatementTime {
    let attributes = evidence.document().notary_envelope().map(NotaryEnvelope::unverified_attributes);
    StatementTime::of_document(stated.or(attributes.map(NotaryAttributes::signing_time)))
        .with_upper_bound(signer.and_then(VerifiedSigner::signed_no_later_than))
        .with_certificate(signer.and_then(VerifiedSigner::keyless_certificate_start))
        .with_certificate_end(signer.and_then(VerifiedSigner::keyless_certificate_end))
}

/// Whether `requirement` reads statements of `kind` by this signer: one of its owners, or of those whose VEX statements clear
/// vulnerabilities. Without a signer the kind decides.
fn concerns(requirement: &Requirement, kind: &StatementKind, signer: Option<&VerifiedSigner>) -> bool {
    counts(requirement, kind, signer) || clears(requirement, kind, signer)
}

/// Whether a statement with this doubt about its subject decides anything: where any statement counts, one that may be about
/// another image changes nothing.
fn may_decide(requirement: &Requirement, doubt: Option<&UnmetCondition>) -> bool {
    doubt.is_none() || requirement.counted() == CountedStatements::Newest
}

fn counts(requirement: &Requirement, kind: &StatementKind, signer: Option<&VerifiedSigner>) -> bool {
    match signer.map(VerifiedSigner::owner) {
        Some(owner) => requirement.counts_by(kind, owner),
        None => requirement.counts(kind),
    }
}

fn clears(requirement: &Requirement, kind: &StatementKind, signer: Option<&VerifiedSigner>) -> bool {
    match signer.map(VerifiedSigner::owner) {
        Some(owner) => requirement.clears_by(kind, owner),
        None => requirement.reads_as_vex(kind),
    }
}

/// The VEX document in a predicate, or why it is not read; `None` for another kind of predicate.
fn vex_of(view: Result<PredicateView, PredicateError>, doubt: Option<&UnmetCondition>) -> Option<VexReading> {
    let read = match view {
        Ok(view) => view.into_vex()?.map(Arc::new),
        Err(error) => Err(error),
    };
    Some(match doubt {
        Some(doubt) => Err(doubt.clone()),
        None => read.map_err(UnmetCondition::Predicate),
    })
}
