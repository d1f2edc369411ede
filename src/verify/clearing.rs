//! Which vulnerabilities of a scan VEX statements clear.
//!
//! The invariant: a vulnerability is cleared only if a quorum of the owners whom the operator names says so, each in the
//! newest of their documents, every newest document of these owners can be read, and no newer statement of another of them
//! says otherwise. The steps:
//!
//! 1. Of each owner, take the newest documents about the platform and those about the index around it; one without a time
//!    may be the newest.
//! 2. An owner clears a vulnerability if all of these are new enough and clear it.
//! 3. The owners who do are a quorum, and the statements of all owners together clear it. The quorum is decided once for
//!    the same documents, and all vulnerabilities together have the steps of one search (`evidence.pairing_steps`). A
//!    quorum that cannot be told within them is undetermined.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr;

use crate::limits::Limits;
use crate::policy::Decision;
use crate::policy::VexRequirement;
use crate::predicate::ImageProduct;
use crate::predicate::ScanFinding;
use crate::predicate::VexDocument;
use crate::predicate::VexStatements;
use crate::time::Time;
use crate::trust::Owner;
use crate::verify::candidate::Candidate;
use crate::verify::candidate::Standing;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;
use crate::verify::record::newest_about_each_manifest;

/// The VEX documents that may clear vulnerabilities of one image.
pub(super) struct Clearing<'r> {
    /// The statements of all owners together.
    all: VexStatements<'r>,
    /// The decisions of the quorum, by the numbers of the documents whose owners agree.
    decided: RefCell<BTreeMap<Vec<usize>, Decision>>,
    now: Time,
    /// All documents of the owners.
    read: Vec<&'r StatementRecord>,
    /// The newest documents of each owner, each with its statements if it is new enough.
    single: Vec<(&'r StatementRecord, Option<VexStatements<'r>>)>,
    /// The steps that are left for pairing owners with signers.
    steps: Cell<u64>,
    /// Whether a document of an owner exceeds a limit, or may be about another image.
    undetermined: bool,
    /// Whether a document of an owner cannot be read: it might say that any vulnerability affects the image.
    unreadable: bool,
    vex: &'r VexRequirement,
}

impl<'r> Clearing<'r> {
    /// The documents among `records` about `image`, as of `now`.
    pub(super) fn new(
        vex: &'r VexRequirement,
        records: impl Iterator<Item = &'r StatementRecord>,
        image: &ImageProduct<'_>,
        now: Time,
        limits: &Limits,
    ) -> Self {
        let named = |record: &&StatementRecord| vex.quorum.owners().contains(record.signature.signer.owner());
        let records: Vec<_> = records.filter(|record| record.vex.is_some()).filter(named).collect();
        let (mut single, mut undetermined, mut unreadable) = (Vec::new(), false, false);
        let mut documents: Vec<&'r VexDocument> = Vec::new();
        for record in newest_about_each_manifest(&records) {
            let in_time = vex.max_age.check(record.time, now).is_ok();
            let statements = match &record.vex {
                Some(Ok(document)) => {
                    documents.push(document);
                    in_time.then(|| VexStatements::about([&**document], image))
                }
                Some(Err(condition)) => {
                    undetermined |= condition.is_undetermined();
                    unreadable |= !condition.is_undetermined();
                    None
                }
                None => None,
            };
            single.push((record, statements));
        }
        let (all, decided) = (VexStatements::about(documents, image), RefCell::default());
        let steps = Cell::new(limits.evidence.pairing_steps);
        Self { all, decided, now, read: records, single, steps, undetermined, unreadable, vex }
    }

    /// Whether all of `findings` are cleared.
    pub(super) fn decide(&self, findings: &[ScanFinding]) -> Decision {
        match (self.unreadable, self.undetermined) {
            (true, _) => Decision::Unmet,
            (false, true) => Decision::Undetermined,
            (false, false) => {
                let mut decisions = findings.iter().map(|finding| self.clears(finding));
                // The first that is not cleared decides.
                decisions.find(|decision| *decision != Decision::Met).unwrap_or(Decision::Met)
            }
        }
    }

    /// Whether it is not known if all of `findings` are cleared, since the limit of a quorum was reached.
    pub(super) fn is_at_limit(&self, findings: &[ScanFinding]) -> bool {
        !self.undetermined && self.decide(findings) == Decision::Undetermined
    }

    /// The documents that clear one of `findings`.
    pub(super) fn documents_for<'f>(
        &'f self,
        findings: &'f [ScanFinding],
    ) -> impl Iterator<Item = &'r StatementRecord> + 'f {
        let clears = |statements: &VexStatements<'_>| findings.iter().any(|finding| statements.clears(finding));
        let single = self.single.iter().filter(move |(_, statements)| statements.as_ref().is_some_and(clears));
        single.map(|(record, _)| *record)
    }

    /// What each document of the owners did for scans whose findings are cleared: `findings` of those. A document that says
    /// nothing about them is left out.
    pub(super) fn candidates(&self, findings: &[ScanFinding]) -> Vec<Candidate> {
        let of = |record: &&'r StatementRecord| {
            let Some((_, statements)) = self.single.iter().find(|(newest, _)| ptr::eq(*newest, *record)) else {
                return Some(Candidate::of(record, &StatementResult::Met, Standing::Superseded));
            };
            let result = match (statements, &record.vex) {
                (Some(one), _) if findings.iter().any(|finding| one.clears(finding)) => {
                    return Some(Candidate::of(record, &StatementResult::Met, Standing::Counted));
                }
                (Some(_), _) | (None, None) => return None,
                (None, Some(Err(condition))) => Err(condition.clone()),
                (None, Some(Ok(_))) => self.vex.max_age.check(record.time, self.now),
            };
            Some(Candidate::of(record, &StatementResult::of(result), Standing::Deciding))
        };
        self.read.iter().filter_map(of).collect()
    }

    fn clears(&self, finding: &ScanFinding) -> Decision {
        if !self.all.clears(finding) {
            return Decision::Unmet;
        }
        let owner = |record: &'r StatementRecord| record.signature.signer.owner();
        let clears = |(record, statements): &(&'r StatementRecord, Option<VexStatements<'_>>)| {
            (owner(record), statements.as_ref().is_some_and(|one| one.clears(finding)))
        };
        let each: Vec<_> = self.single.iter().map(clears).collect();
        let agrees = |of: &Owner| each.iter().all(|(by, clears)| *by != of || *clears);
        let agreeing: Vec<usize> =
            each.iter().enumerate().filter(|(_, (of, _))| agrees(of)).map(|(number, _)| number).collect();
        if let Some(decision) = self.decided.borrow().get(&agreeing) {
            return *decision;
        }
        let signers = agreeing.iter().filter_map(|number| self.single.get(*number));
        let signers = signers.map(|(record, _)| (owner(record), record.signature.signer.credential()));
        let mut steps = self.steps.get();
        let decision = self.vex.quorum.decide_within(signers, &mut steps).decision;
        self.steps.set(steps);
        self.decided.borrow_mut().insert(agreeing, decision);
        decision
    }
}
