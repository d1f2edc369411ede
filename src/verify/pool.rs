//! `RequirementPool`: decides one requirement over the statements that may count for it.
//!
//! The invariant: a requirement is met only if enough owners, each paired with a signer of their own
//! ([`Quorum`](crate::policy::Quorum)), have a statement in the pool that meets every condition. The steps:
//!
//! 1. Take the statements that decide: all of an owner's, or, where only the newest counts, those with the latest time about
//!    the platform and those about the index around it. One without a time might be the newest, so it always decides, and
//!    it is unmet. One whose signer's key has ended decides too, unless it is older or holds: it keeps an owner from
//!    counting, and makes nobody count. So does one whose time is known only as a period, and that may be the newest.
//! 2. A scan that found vulnerabilities holds if VEX statements clear all of them (`clearing.rs`).
//! 3. Where only the newest counts, an owner counts if all statements that decide hold, otherwise if one of them does. A
//!    scan of the index alone makes nobody count for a platform.
//! 4. Met, if those owners are a quorum; undetermined, if statements that could not be judged, or evidence that could
//!    not be read, might complete it, or if a limit ended the search for it; else unmet.
//! 5. Where only the newest counts, a yes is undetermined if a newer statement may be among what could not be read.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ptr;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::policy::CountedStatements;
use crate::policy::Decision;
use crate::policy::QuorumDecision;
use crate::policy::Requirement;
use crate::policy::UnmetCondition;
use crate::predicate::ImageProduct;
use crate::predicate::ScanFinding;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::SignerCredential;
use crate::verify::candidate::Candidate;
use crate::verify::candidate::Standing;
use crate::verify::clearing::Clearing;
use crate::verify::record::DecidingRecord;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;
use crate::verify::record::newest_about_each_manifest;

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
    clearing: Option<Clearing<'r>>,
    /// The statements that decide, and whether each counts, once that was asked for.
    deciding: OnceCell<Vec<(&'r StatementRecord, Decision)>>,
    /// The manifest that is judged.
    judged: Option<Digest>,
    limits: &'r Limits,
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
    /// Whether it is undetermined because the limit `evidence.pairing_steps` was reached.
    pub(super) is_at_limit: bool,
    /// How many more owners have to sign.
    pub(super) missing: u32,
}

impl<'r> RequirementPool<'r> {
    /// The statements among `records`, about the manifests of `image`, the one that is judged first, that the requirement at
    /// `position` reads and that an owner of its quorum signed, as of `now`.
    pub(super) fn new(
        (position, requirement): (usize, &'r Requirement),
        records: impl Iterator<Item = &'r StatementRecord> + Clone,
        image: &ImageProduct<'_>,
        unread: Unread,
        (now, limits): (Time, &'r Limits),
    ) -> Self {
        let owners = requirement.quorum().owners();
        let read = |record: &&StatementRecord| {
            record.result(position).is_some() && owners.contains(record.signature.signer.owner())
        };
        let judged = image.digests.first().copied();
        let clearing = requirement.vex();
        let clearing = clearing.map(|vex| Clearing::new((requirement, vex), records.clone(), image, now, limits));
        let (deciding, records) = (OnceCell::new(), records.filter(read).collect());
        Self { clearing, deciding, judged, limits, position, records, requirement, unread }
    }

    /// The decision.
    pub(super) fn decide(&self) -> PoolDecision {
        let quorum = self.requirement.quorum();
        let judged = self.judged();
        let by = |least: &[Decision]| -> QuorumDecision {
            let counts = |record: &StatementRecord, decision: &Decision| {
                least.contains(decision) && record.ended.is_none() && !self.is_scan_of_index(record)
            };
            let counted = judged.iter().filter(|(record, one)| counts(record, one));
            quorum.decide(counted.map(|(record, _)| signer(record)), self.limits)
        };
        let QuorumDecision { decision: met, got, missing, .. } = by(&[Decision::Met]);
        let decision = match met {
            Decision::Met if self.requirement.needs_newest() && self.unread.newer => Decision::Undetermined,
            Decision::Met | Decision::Undetermined => met,
            Decision::Unmet if self.unread.evidence => Decision::Undetermined,
            Decision::Unmet => match by(&[Decision::Met, Decision::Undetermined]).decision {
                Decision::Met | Decision::Undetermined => Decision::Undetermined,
                Decision::Unmet => Decision::Unmet,
            },
        };
        let is_at_limit = decision == Decision::Undetermined
            && (met == Decision::Undetermined || judged.iter().any(|(record, _)| self.is_at_limit(record)));
        PoolDecision { decision, got, is_at_limit, missing }
    }

    /// Whether a limit was reached where VEX statements might clear what a scan found.
    fn is_at_limit(&self, record: &StatementRecord) -> bool {
        match (record.result(self.position), &self.clearing) {
            (Some(StatementResult::Unmet(UnmetCondition::Vulnerabilities(found))), Some(clearing)) => {
                clearing.is_at_limit(found)
            }
            _ => false,
        }
    }

    /// Every statement that the requirement reads, and how it stands.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let (judged, newest) = (self.judged(), newest_about_each_manifest(&self.records));
        let candidate = |record: &StatementRecord| {
            if let Some(end) = record.ended.filter(|_| newest.iter().any(|one| ptr::eq(one.record, record))) {
                let why = StatementResult::Unmet(UnmetCondition::KeyEnded { end });
                return Some(Candidate::of(record, &why, Standing::Deciding));
            }
            let found = judged.iter().find(|(other, _)| ptr::eq(*other, record));
            let standing = match found.map(|(_, decision)| *decision) {
                Some(Decision::Met) if self.is_scan_of_index(record) => Standing::OfIndex,
                Some(Decision::Met) => Standing::Counted,
                Some(Decision::Undetermined | Decision::Unmet) => Standing::Deciding,
                None => Standing::Superseded,
            };
            let candidate = Candidate::of(record, record.result(self.position)?, standing);
            let ignored = if candidate.counted { record.ignored(self.position) } else { Vec::new() };
            Some(Candidate { ignored, ..candidate })
        };
        self.records.iter().filter_map(|record| candidate(record)).collect()
    }

    /// The VEX documents of those who may clear what a scan found, where a scan that decides found something.
    pub(super) fn vex_candidates(&self) -> Vec<Candidate> {
        let Some(clearing) = &self.clearing else { return Vec::new() };
        // A document counts if it clears what a scan found that counts.
        match self.found().next().is_some() {
            true => clearing.candidates(&self.cleared()),
            false => Vec::new(),
        }
    }

    /// The statements that count: those of owners who count, and the VEX documents that clear what a scan of them found.
    pub(super) fn counted(&self) -> Vec<&'r StatementRecord> {
        let counts = |(record, decision): &&(&'r StatementRecord, Decision)| {
            *decision == Decision::Met && !self.is_scan_of_index(record)
        };
        let mut counted: Vec<_> = self.judged().iter().filter(counts).map(|(record, _)| *record).collect();
        if let Some(clearing) = &self.clearing {
            counted.extend(clearing.documents_for(&self.cleared()));
        }
        counted
    }

    /// What scans that decide found and is not allowed, and whether VEX statements clear it.
    fn found(&self) -> impl Iterator<Item = (&'r [ScanFinding], Decision)> {
        self.judged().iter().filter_map(|(record, decision)| match record.result(self.position) {
            Some(StatementResult::Unmet(UnmetCondition::Vulnerabilities(found))) => Some((found.as_slice(), *decision)),
            _ => None,
        })
    }

    /// What scans that count found, and VEX statements cleared.
    fn cleared(&self) -> Vec<ScanFinding> {
        let cleared = self.found().filter(|(_, decision)| *decision == Decision::Met);
        cleared.flat_map(|(found, _)| found.iter().cloned()).collect()
    }

    /// Steps 1 to 3: the statements that decide, and whether each counts.
    fn judged(&self) -> &[(&'r StatementRecord, Decision)] {
        self.deciding.get_or_init(|| self.judge_all())
    }

    fn judge_all(&self) -> Vec<(&'r StatementRecord, Decision)> {
        let deciding: Vec<_> = match self.requirement.counted() {
            CountedStatements::Any => self.records.iter().copied().map(DecidingRecord::any).collect(),
            CountedStatements::Newest => newest_about_each_manifest(&self.records),
        };
        let judged = deciding.into_iter().map(|one| (one, self.judge(one.record)));
        let judged = judged.filter(|(one, decision)| !one.only_refuses || *decision != Decision::Met);
        let judged: Vec<_> = judged.map(|(one, decision)| (one.record, decision)).collect();
        if self.requirement.counted() == CountedStatements::Any {
            return judged;
        }
        // All statements of an owner that decide have to hold.
        let mut of_owner: BTreeMap<&Owner, Decision> = BTreeMap::new();
        for (record, decision) in &judged {
            let known = of_owner.entry(record.signature.signer.owner()).or_insert(Decision::Met);
            *known = Decision::all([*known, *decision]);
        }
        let together = |record: &StatementRecord| {
            of_owner.get(record.signature.signer.owner()).copied().unwrap_or(Decision::Unmet)
        };
        judged.iter().map(|(record, _)| (*record, together(record))).collect()
    }

    /// Whether the statement is a scan of the index around the platform that is judged.
    fn is_scan_of_index(&self, record: &StatementRecord) -> bool {
        !self.requirement.counts_for_platforms() && self.judged.is_some_and(|judged| judged != record.about)
    }

    /// Step 2: whether one statement holds.
    fn judge(&self, record: &StatementRecord) -> Decision {
        match (record.result(self.position), &self.clearing) {
            (Some(StatementResult::Met), _) => Decision::Met,
            (Some(StatementResult::Undetermined(_)), _) => Decision::Undetermined,
            (Some(StatementResult::Unmet(UnmetCondition::Vulnerabilities(found))), Some(clearing)) => {
                clearing.decide(found)
            }
            (Some(StatementResult::Unmet(_)) | None, _) => Decision::Unmet,
        }
    }
}

fn signer(record: &StatementRecord) -> (&Owner, &SignerCredential) {
    let signer = &record.signature.signer;
    (signer.owner(), signer.credential())
}
