//! `Candidate`: a statement that was considered for a requirement, for reports.

use crate::digest::Digest;
use crate::policy::StatementTimeSource;
use crate::policy::UnmetCondition;
use crate::predicate::IgnoredVulnerability;
use crate::time::Time;
use crate::trust::Owner;
use crate::verify::record::StatementRecord;
use crate::verify::record::StatementResult;

/// A statement that was considered for a requirement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// The manifest that it is about.
    pub about: Digest,
    /// The stable code of the reason why it does not count; `None` if it counts.
    pub code: Option<&'static str>,
    /// Whether it counts for its owner.
    pub counted: bool,
    /// The digest of the manifest that carries it; `None` for a file.
    pub evidence: Option<Digest>,
    /// Of a scan that counts, the vulnerabilities that the operator ignores and that it would not pass without.
    pub ignored: Vec<IgnoredVulnerability>,
    /// The index that holds it unsigned, and that the owner signed; `None` for a signed statement.
    pub index: Option<Digest>,
    /// The owner who signed it.
    pub owner: Owner,
    /// Why it does not count, if a condition says so.
    pub reason: Option<UnmetCondition>,
    /// When it was made, and where that time comes from.
    pub time: Option<(Time, StatementTimeSource)>,
}

impl Candidate {
    /// The candidate that `record` is for a requirement, which found `result`.
    pub(super) fn of(record: &StatementRecord, result: &StatementResult, standing: Standing) -> Self {
        let reason = match result {
            StatementResult::Met => (standing == Standing::OfIndex).then_some(UnmetCondition::ScanOfIndex),
            StatementResult::Undetermined(condition) | StatementResult::Unmet(condition) => Some(condition.clone()),
        };
        let code = match standing {
            Standing::Counted => None,
            Standing::Superseded => Some("superseded"),
            Standing::Deciding | Standing::OfIndex => Some(reason.as_ref().map_or("tie", UnmetCondition::code)),
        };
        let signature = &record.signature;
        Self {
            about: record.about,
            code,
            counted: standing == Standing::Counted,
            evidence: signature.evidence.digest().copied(),
            ignored: Vec::new(),
            index: record.index,
            owner: signature.signer.owner().clone(),
            reason: reason.filter(|_| matches!(standing, Standing::Deciding | Standing::OfIndex)),
            time: record.time.at(),
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.about, self.code, self.evidence, &self.owner, self.time)
            == (other.about, other.code, other.evidence, &other.owner, other.time)
            && self.reason == other.reason
    }
}

/// How a statement stands among those of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Counted,
    /// It decides, and does not count.
    Deciding,
    /// It decides, and does not count for a platform, since it is a scan of the index.
    OfIndex,
    /// A newer one decides.
    Superseded,
}
