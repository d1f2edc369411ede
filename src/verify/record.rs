//! `StatementRecord`: an authenticated statement about one manifest, and what each requirement made of it.

use crate::digest::Digest;
use crate::policy::StatementKind;
use crate::policy::StatementTime;
use crate::policy::UnmetCondition;
use crate::verify::AcceptedSignature;
use crate::verify::Reason;
use crate::verify::subject_claims::SubjectClaims;

/// A statement that an owner signed about one manifest, of a kind that a requirement reads. Its payload was read once; the
/// results of the conditions that need this statement alone are kept, and decisions are made over them.
#[derive(Clone, Debug)]
pub(super) struct StatementRecord {
    /// The manifest that it is about.
    pub(super) about: Digest,
    /// The result for each requirement that reads its kind, by the position of the requirement in the policy.
    pub(super) results: Vec<(usize, StatementResult)>,
    /// The signature. Its `requirements` are those whose conditions it meets on its own.
    pub(super) signature: AcceptedSignature,
    pub(super) time: StatementTime,
}

/// What the conditions of a requirement say about one statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StatementResult {
    /// It meets all of them.
    Met,
    /// It does not meet this one.
    Unmet(UnmetCondition),
}

/// What a payload states about the subject, and what the requirements that read its kind make of it.
pub(super) struct StatementClaims {
    pub(super) claims: SubjectClaims,
    pub(super) kind: StatementKind,
    pub(super) results: Vec<(usize, StatementResult)>,
    pub(super) time: StatementTime,
}

impl StatementRecord {
    /// Why it counts for no requirement; `None` if it counts for one.
    pub(super) fn unmet_reason(&self) -> Option<Reason> {
        unmet_reason(&self.results)
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
            StatementResult::Unmet(condition) => reason = reason.or_else(|| Some(condition.clone().into())),
        }
    }
    reason
}
