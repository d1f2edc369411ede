//! `StatementRecord`: an authenticated statement about one manifest, and what each requirement made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy::CountedStatements;
use crate::policy::Requirement;
use crate::policy::StatementKind;
use crate::policy::StatementTime;
use crate::policy::UnmetCondition;
use crate::predicate::IgnoredVulnerability;
use crate::predicate::VexDocument;
use crate::time::Time;
use crate::verify::AcceptedSignature;
use crate::verify::Reason;
use crate::verify::subject_claims::SubjectClaims;

/// A statement that an owner signed about one manifest, of a kind that a requirement reads. Its payload was read once; the
/// results of the conditions that need this statement alone are kept, and decisions are made over them.
#[derive(Clone, Debug)]
pub(super) struct StatementRecord {
    /// The manifest that it is about.
    pub(super) about: Digest,
    /// What it does for each requirement that counts unsigned statements in the index that it signs: it covers them if it is
    /// met.
    pub(super) covering: Vec<(usize, StatementResult)>,
    /// The last second of the key that signed it, if that has passed and nothing proves an earlier signature. It counts for
    /// nothing then; what it says against an image stands until the owner makes a newer statement.
    pub(super) ended: Option<Time>,
    /// Of a scan, what the operator ignores and it would not pass without, by the position of the requirement.
    pub(super) ignored: Vec<(usize, IgnoredVulnerability)>,
    /// The index that holds it unsigned: `signature` is that of the owner who signed the index. `None` for a signed statement.
    pub(super) index: Option<Digest>,
    /// Whether an import carries it even if it does not count: only the newest of its kind counts, or it is a VEX document,
    /// and it may still decide (`carried.rs`).
    pub(super) is_carried: bool,
    /// The result for each requirement whose kinds include its kind, by the position of the requirement in the policy.
    pub(super) results: Vec<(usize, StatementResult)>,
    /// The signature. Its `requirements` are those for which it may count.
    pub(super) signature: AcceptedSignature,
    pub(super) time: StatementTime,
    pub(super) vex: Option<VexReading>,
}

/// A VEX document that may clear vulnerabilities, or why it cannot be read.
pub(super) type VexReading = Result<Arc<VexDocument>, UnmetCondition>;

/// What the conditions of a requirement say about one statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StatementResult {
    /// It meets all of them.
    Met,
    /// It is not known whether it does.
    Undetermined(UnmetCondition),
    /// It does not meet this one.
    Unmet(UnmetCondition),
}

/// What a payload states about the subject, and what the requirements that read its kind make of it.
pub(super) struct StatementClaims {
    pub(super) claims: SubjectClaims,
    pub(super) ignored: Vec<(usize, IgnoredVulnerability)>,
    pub(super) kind: StatementKind,
    pub(super) results: Vec<(usize, StatementResult)>,
    pub(super) time: StatementTime,
    pub(super) vex: Option<VexReading>,
}

impl StatementResult {
    pub(super) fn of(checked: Result<(), UnmetCondition>) -> Self {
        match checked {
            Ok(()) => Self::Met,
            Err(condition) if condition.is_undetermined() => Self::Undetermined(condition),
            Err(condition) => Self::Unmet(condition),
        }
    }

    /// Whether the statement may count for `requirement`: it does on its own, or if VEX statements clear what it found.
    pub(super) const fn may_count(&self, requirement: &Requirement) -> bool {
        match self {
            Self::Met => true,
            Self::Unmet(UnmetCondition::Vulnerabilities(_)) => requirement.vex().is_some(),
            Self::Undetermined(_) | Self::Unmet(_) => false,
        }
    }
}

impl StatementRecord {
    /// The record of a statement about `about` that covers no others, clears nothing, and is no scan.
    pub(super) fn alone(
        about: Digest,
        signature: AcceptedSignature,
        results: Vec<(usize, StatementResult)>,
        time: StatementTime,
    ) -> Self {
        let (covering, ended, ignored, index) = (Vec::new(), None, Vec::new(), None);
        Self { about, covering, ended, ignored, index, is_carried: false, results, signature, time, vex: None }
    }

    /// The same record of a statement whose signer's key ended at `end`. It is read for the requirements alone that count only
    /// the newest statement.
    pub(super) fn of_ended_key(mut self, end: Time, requirements: &NonEmpty<&Requirement>) -> Self {
        let newest = |position: usize| {
            requirements.iter().nth(position).is_some_and(|one| one.counted() == CountedStatements::Newest)
        };
        self.results.retain(|(position, _)| newest(*position));
        self.signature.requirements.clear();
        Self { covering: Vec::new(), ended: Some(end), ..self }
    }

    /// The same record without its document, which an import does not carry.
    pub(super) fn left_behind(self) -> Self {
        Self { is_carried: false, signature: self.signature.without_document(), ..self }
    }

    /// Why it counts for no requirement; `None` if it may count for one.
    pub(super) fn unmet_reason(&self) -> Option<Reason> {
        match (self.signature.requirements.is_empty(), &self.vex) {
            (false, None | Some(Ok(_))) => None,
            (_, Some(Err(condition))) => Some(Reason::Condition(condition.clone())),
            (true, _) => unmet_reason(&self.results).or_else(|| unmet_reason(&self.covering)),
        }
    }

    /// Whether it signs an index for the requirement at `position`, which counts unsigned statements in that index.
    pub(super) fn covers(&self, position: usize) -> bool {
        self.covering.contains(&(position, StatementResult::Met))
    }

    /// Whether it signs an index for any requirement that counts unsigned statements in that index.
    pub(super) fn is_covering(&self) -> bool {
        self.covering.iter().any(|(_, result)| *result == StatementResult::Met)
    }

    /// What the operator ignores and it would not pass without, for the requirement at `position`.
    pub(super) fn ignored(&self, position: usize) -> Vec<IgnoredVulnerability> {
        let ignored = self.ignored.iter().filter(|(of, _)| *of == position);
        ignored.map(|(_, ignored)| ignored.clone()).collect()
    }

    /// The result for the requirement at `position`; `None` if that does not read this kind.
    pub(super) fn result(&self, position: usize) -> Option<&StatementResult> {
        self.results.iter().find(|(of, _)| *of == position).map(|(_, result)| result)
    }
}

/// The first reason in `results`, if none of them is met.
pub(super) fn unmet_reason(results: &[(usize, StatementResult)]) -> Option<Reason> {
    let mut reason = None;
    for (_, result) in results {
        match result {
            StatementResult::Met => return None,
            StatementResult::Undetermined(condition) | StatementResult::Unmet(condition) => {
                reason = reason.or_else(|| Some(condition.clone().into()));
            }
        }
    }
    reason
}

/// A statement that decides where only the newest of an owner counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecidingRecord<'r> {
    /// Whether it only keeps its owner from counting, and makes nobody count: its signer's key has ended, or it may be older
    /// than the newest.
    pub(super) only_refuses: bool,
    pub(super) record: &'r StatementRecord,
}

impl<'r> DecidingRecord<'r> {
    /// A statement where any of an owner is enough.
    pub(super) const fn any(record: &'r StatementRecord) -> Self {
        Self { only_refuses: record.ended.is_some(), record }
    }
}

/// Of each owner, and of each manifest that the owner made statements about, the records with the latest time, and those
/// without a time, which might be the newest: a newer statement about an index supersedes none about a platform, nor the
/// other way round.
///
/// A statement whose signer's key has ended supersedes nothing, and all of them are taken that the owner has not superseded
/// since. They are dated no later than the end of the key, so that the owner can always make a newer one. So is one whose
/// time is known as a period, and ends no earlier than the newest time: from the beginning of its certificate to the upper
/// bound of its signing time. It may be the newest, so it may refuse.
pub(super) fn newest_about_each_manifest<'r>(records: &[&'r StatementRecord]) -> Vec<DecidingRecord<'r>> {
    let of = |record: &'r StatementRecord| (record.signature.signer.owner(), record.about);
    let at = |record: &StatementRecord| record.time.at().map(|(at, _)| at);
    let mut newest: BTreeMap<_, Time> = BTreeMap::new();
    for record in records.iter().copied().filter(|record| record.ended.is_none()) {
        if let Some(at) = at(record) {
            let known = newest.entry(of(record)).or_insert(at);
            *known = at.max(*known);
        }
    }
    let deciding = |record: &'r StatementRecord| {
        let newest = newest.get(&of(record));
        let may_be_newest = |latest: Time| newest.is_none_or(|newest| latest >= *newest);
        let (decides, only_refuses) = match (at(record), record.ended) {
            (at, Some(end)) => (may_be_newest(at.map_or(end, |at| at.min(end))), true),
            (None, None) => (true, false),
            (Some(at), None) if newest == Some(&at) => (true, false),
            (Some(_), None) => (record.time.latest().is_some_and(may_be_newest), true),
        };
        decides.then_some(DecidingRecord { only_refuses, record })
    };
    records.iter().copied().filter_map(deciding).collect()
}
