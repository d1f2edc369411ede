//! `RequirementPool`: decides one requirement over the statements that may count for it.
//!
//! The invariant: a requirement is met only if enough owners, each paired with a signer of their own
//! ([`Quorum`](crate::policy::Quorum)), have a statement in the pool that meets every condition. The steps:
//!
//! 1. Take the statements that decide: all of an owner's, or, where only the newest counts, those with the latest time.
//!    One without a time might be the newest, so it always decides, and it is unmet.
//! 2. Where only the newest counts, an owner counts if all of these statements hold, otherwise if one of them does.
//! 3. Met, if those owners are a quorum; undetermined, if statements that could not be judged, or evidence that could
//!    not be read, might complete it; else unmet.
//! 4. Where only the newest counts, a yes is undetermined if a newer statement may be among what could not be read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ptr;

use crate::policy::CountedStatements;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::SignerCredential;
use crate::verify::candidate::Candidate;
use crate::verify::candidate::Standing;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;

/// What could not be read of the evidence about a manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unread {
    /// Something that might complete a quorum.
    pub(super) evidence: bool,
    /// Something that might hold a newer statement of an owner: a list, a document that the store could not deliver, or
    /// one whose signatures were not checked. What somebody else attached that is too large is not among it: anybody can
    /// attach that.
    pub(super) newer: bool,
}

impl Unread {
    /// What could not be read of two manifests.
    pub(super) const fn or(self, other: Self) -> Self {
        Self { evidence: self.evidence || other.evidence, newer: self.newer || other.newer }
    }
}

/// The statements that may count for one requirement.
pub(super) struct RequirementPool<'r> {
    position: usize,
    records: Vec<&'r StatementRecord>,
    requirement: &'r Requirement,
    unread: Unread,
}

/// What one requirement comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolDecision {
    pub(super) decision: Decision,
    /// The number of owners who count.
    pub(super) got: usize,
    /// How many more owners have to sign.
    pub(super) missing: u32,
}

impl<'r> RequirementPool<'r> {
    /// The statements among `records` that the requirement at `position` reads and that an owner of its quorum signed.
    pub(super) fn new(
        (position, requirement): (usize, &'r Requirement),
        records: impl Iterator<Item = &'r StatementRecord>,
        unread: Unread,
    ) -> Self {
        let owners = requirement.quorum().owners();
        let read = |record: &&StatementRecord| {
            record.result(position).is_some() && owners.contains(record.signature.signer.owner())
        };
        Self { position, records: records.filter(read).collect(), requirement, unread }
    }

    /// The decision.
    pub(super) fn decide(&self) -> PoolDecision {
        let quorum = self.requirement.quorum();
        let met: Vec<_> = self.counted().iter().map(|record| signer(record)).collect();
        let (got, missing) = (quorum.count(met.iter().copied()), quorum.missing(met.iter().copied()));
        let newest = self.requirement.counted() == CountedStatements::Newest;
        let decision = match missing {
            0 if newest && self.unread.newer => Decision::Undetermined,
            0 => Decision::Met,
            _ if self.unread.evidence || self.unread.newer => Decision::Undetermined,
            _ => Decision::Unmet,
        };
        PoolDecision { decision, got, missing }
    }

    /// Step 2: the statements by which owners count.
    pub(super) fn counted(&self) -> Vec<&'r StatementRecord> {
        let deciding = self.deciding();
        let spoiled: BTreeSet<&Owner> = match self.requirement.counted() {
            CountedStatements::Any => BTreeSet::new(),
            CountedStatements::Newest => {
                let unmet = deciding.iter().filter(|record| !self.is_met(record));
                unmet.map(|record| record.signature.signer.owner()).collect()
            }
        };
        let counts =
            |record: &&StatementRecord| self.is_met(record) && !spoiled.contains(record.signature.signer.owner());
        deciding.into_iter().filter(counts).collect()
    }

    /// Step 1: the statements that decide.
    pub(super) fn deciding(&self) -> Vec<&'r StatementRecord> {
        if self.requirement.counted() == CountedStatements::Any {
            return self.records.clone();
        }
        let mut newest: BTreeMap<&Owner, Time> = BTreeMap::new();
        for record in &self.records {
            if let Some((at, _)) = record.time.at() {
                let known = newest.entry(record.signature.signer.owner()).or_insert(at);
                *known = at.max(*known);
            }
        }
        let is_newest = |record: &&StatementRecord| match record.time.at() {
            Some((at, _)) => newest.get(record.signature.signer.owner()) == Some(&at),
            None => true,
        };
        self.records.iter().copied().filter(is_newest).collect()
    }

    /// Every statement that the requirement reads, and how it stands.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let (counted, deciding) = (self.counted(), self.deciding());
        let is_among = |list: &[&StatementRecord], one: &StatementRecord| list.iter().any(|other| ptr::eq(*other, one));
        let candidate = |record: &StatementRecord| {
            let standing = match (is_among(&counted, record), is_among(&deciding, record)) {
                (true, _) => Standing::Counted,
                (false, true) => Standing::Deciding,
                (false, false) => Standing::Superseded,
            };
            record.result(self.position).map(|result| Candidate::of(record, result, standing))
        };
        self.records.iter().filter_map(|record| candidate(record)).collect()
    }

    fn is_met(&self, record: &StatementRecord) -> bool {
        matches!(record.result(self.position), Some(StatementResult::Met))
    }
}

fn signer(record: &StatementRecord) -> (&Owner, SignerCredential) {
    let signer = &record.signature.signer;
    (signer.owner(), signer.credential())
}
