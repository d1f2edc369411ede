//! Which vulnerabilities of a scan VEX statements clear.
//!
//! The invariant: a vulnerability is cleared only if a quorum of the owners whom the operator names says so, each in the
//! newest of their documents, every newest document of these owners can be read, and no newer statement of another of them
//! says otherwise. The steps:
//!
//! 1. Of each owner, take the newest documents about the platform and those about the index around it; one without a time
//!    may be the newest. So may one by a key that has ended, or whose time is known only as a period: it refuses, and
//!    clears nothing.
//! 2. A document counts if it is new enough, was made for the image name that the requirement wants, and by a key that has
//!    not ended.
//! 3. An owner clears a vulnerability if all of these documents count and clear it. One by a key that has ended has to
//!    clear it as well, and is not enough.
//! 4. The owners who do are a quorum, and the statements of all owners together clear it, in which documents that do not
//!    count clear nothing. The quorum is decided once for the same documents, and all vulnerabilities together have the
//!    steps of one search (`evidence.pairing_steps`). A quorum that cannot be told within them is undetermined.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr;

use crate::limits::Limits;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::policy::UnmetCondition;
use crate::policy::VexRequirement;
use crate::predicate::ImageProduct;
use crate::predicate::ScanFinding;
use crate::predicate::VexDocument;
use crate::predicate::VexStatements;
use crate::time::Time;
use crate::trust::Owner;
use crate::verify::candidate::Candidate;
use crate::verify::candidate::Standing;
use crate::verify::record::DecidingRecord;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;
use crate::verify::record::newest_about_each_manifest;

/// The VEX documents that may clear vulnerabilities of one image.
pub(super) struct Clearing<'r> {
    /// The statements of all owners together. A document that does not count takes back, and clears nothing.
    all: VexStatements<'r>,
    /// The decisions of the quorum, by the numbers of the documents whose owners agree.
    decided: RefCell<BTreeMap<Vec<usize>, Decision>>,
    /// The newest documents of each owner.
    newest: Vec<NewestDocument<'r>>,
    /// All documents of the owners.
    read: Vec<&'r StatementRecord>,
    /// The steps that are left for pairing owners with signers.
    steps: Cell<u64>,
    /// Whether a document of an owner exceeds a limit, or may be about another image.
    undetermined: bool,
    /// Whether a document of an owner cannot be read: it might say that any vulnerability affects the image.
    unreadable: bool,
    vex: &'r VexRequirement,
}

/// One of the newest documents of an owner.
struct NewestDocument<'r> {
    /// Whether it clears nothing, and only keeps its owner from clearing what it does not: its key has ended, or it may be
    /// older than the newest.
    only_refuses: bool,
    record: &'r StatementRecord,
    /// What it says about the image; `None` if it cannot be read.
    says: Option<VexStatements<'r>>,
    /// Why it does not count, with all that it says.
    unfit: Option<UnmetCondition>,
}

impl<'r> NewestDocument<'r> {
    fn owner(&self) -> &'r Owner {
        self.record.signature.signer.owner()
    }

    /// Whether it counts and clears the vulnerability.
    fn clears(&self, finding: &ScanFinding) -> bool {
        self.unfit.is_none() && !self.only_refuses && self.says(finding)
    }

    /// Whether it does not keep its owner from clearing the vulnerability.
    fn allows(&self, finding: &ScanFinding) -> bool {
        matches!(self.unfit, None | Some(UnmetCondition::KeyEnded { .. })) && self.says(finding)
    }

    /// Whether it says that the vulnerability is cleared.
    fn says(&self, finding: &ScanFinding) -> bool {
        self.says.as_ref().is_some_and(|statements| statements.clears(finding))
    }
}

impl<'r> Clearing<'r> {
    /// The documents among `records` about `image`, as of `now`, for `requirement` with `vex`.
    pub(super) fn new(
        (requirement, vex): (&Requirement, &'r VexRequirement),
        records: impl Iterator<Item = &'r StatementRecord>,
        image: &ImageProduct<'_>,
        now: Time,
        limits: &Limits,
    ) -> Self {
        let named = |record: &&StatementRecord| vex.quorum.owners().contains(record.signature.signer.owner());
        let records: Vec<_> = records.filter(|record| record.vex.is_some()).filter(named).collect();
        let (mut newest, mut undetermined, mut unreadable) = (Vec::new(), false, false);
        let mut documents: Vec<(&'r VexDocument, Option<Time>)> = Vec::new();
        for DecidingRecord { only_refuses, record } in newest_about_each_manifest(&records) {
            let document: &'r VexDocument = match &record.vex {
                Some(Ok(document)) => document,
                Some(Err(condition)) => {
                    undetermined |= condition.is_undetermined();
                    unreadable |= !condition.is_undetermined();
                    newest.push(NewestDocument { only_refuses, record, says: None, unfit: Some(condition.clone()) });
                    continue;
                }
                None => continue,
            };
            let unfit = match record.ended {
                Some(end) => Some(UnmetCondition::KeyEnded { end }),
                None => {
                    let is_named = requirement.check_signed_name(record.signature.reference.as_deref());
                    is_named.and_then(|()| vex.max_age.check(record.time, now)).err()
                }
            };
            // What was compared with the clock: the time that the document states, or an earlier one that is proven.
            let latest = record.time.at().map(|(at, _)| at);
            documents.push((document, latest.filter(|_| unfit.is_none() && !only_refuses)));
            let says = Some(VexStatements::about([(document, latest)], image));
            newest.push(NewestDocument { only_refuses, record, says, unfit });
        }
        let all = VexStatements::about(documents, image);
        let (decided, steps) = (RefCell::default(), Cell::new(limits.evidence.pairing_steps));
        Self { all, decided, newest, read: records, steps, undetermined, unreadable, vex }
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
        let clears = move |document: &&NewestDocument<'_>| findings.iter().any(|finding| document.clears(finding));
        self.newest.iter().filter(clears).map(|document| document.record)
    }

    /// What each document of the owners did for scans whose findings are cleared: `findings` of those. A document that says
    /// nothing about them is left out.
    pub(super) fn candidates(&self, findings: &[ScanFinding]) -> Vec<Candidate> {
        let of = |record: &&'r StatementRecord| {
            let Some(document) = self.newest.iter().find(|newest| ptr::eq(newest.record, *record)) else {
                return Some(Candidate::of(record, &StatementResult::Met, Standing::Superseded));
            };
            match &document.unfit {
                Some(why) => Some(Candidate::of(record, &StatementResult::of(Err(why.clone())), Standing::Deciding)),
                None if document.only_refuses && findings.iter().any(|finding| document.says(finding)) => {
                    Some(Candidate::of(record, &StatementResult::Met, Standing::Superseded))
                }
                None if findings.iter().any(|finding| document.clears(finding)) => {
                    Some(Candidate::of(record, &StatementResult::Met, Standing::Counted))
                }
                None => None,
            }
        };
        self.read.iter().filter_map(of).collect()
    }

    fn clears(&self, finding: &ScanFinding) -> Decision {
        if !self.all.clears(finding) {
            return Decision::Unmet;
        }
        let each: Vec<_> = self.newest.iter().map(|one| (one.owner(), one.allows(finding))).collect();
        let agrees = |of: &Owner| each.iter().all(|(by, allows)| *by != of || *allows);
        let agreeing = self.newest.iter().enumerate().filter(|(_, one)| one.clears(finding) && agrees(one.owner()));
        let agreeing: Vec<usize> = agreeing.map(|(number, _)| number).collect();
        if let Some(decision) = self.decided.borrow().get(&agreeing) {
            return *decision;
        }
        let signers = agreeing.iter().filter_map(|number| self.newest.get(*number));
        let signers = signers.map(|one| (one.owner(), one.record.signature.signer.credential()));
        let mut steps = self.steps.get();
        let decision = self.vex.quorum.decide_within(signers, &mut steps).decision;
        self.steps.set(steps);
        self.decided.borrow_mut().insert(agreeing, decision);
        decision
    }
}
