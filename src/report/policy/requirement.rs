//! The requirements of a policy in reports, each with the statements that were considered for it.

use serde::Serialize;

use crate::digest::Digest;
use crate::policy::Decision;
use crate::policy::StatementTimeSource;
use crate::report::list::LazyList;
use crate::verify::Candidate;
use crate::verify::RequirementVerdict;

/// A requirement, and whether it is met.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedRequirement<'a> {
    about: &'static str,
    candidates: LazyList<'a, ReportedCandidate<'a>>,
    code: &'static str,
    got: usize,
    id: String,
    lacking: &'a [Digest],
    line: Option<u32>,
    verdict: &'static str,
    want: u32,
}

/// A statement that was considered for a requirement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedCandidate<'a> {
    about: &'a Digest,
    code: Option<&'static str>,
    counted: bool,
    evidence: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    owner: String,
    time: Option<String>,
    time_from: Option<&'static str>,
}

impl<'a> ReportedRequirement<'a> {
    pub(super) fn of(verdict: &'a RequirementVerdict) -> Self {
        Self {
            about: verdict.about.name(),
            candidates: LazyList::new(|| verdict.candidates.iter().chain(&verdict.vex).map(ReportedCandidate::of)),
            code: verdict.code,
            got: verdict.got,
            id: verdict.id.to_string(),
            lacking: &verdict.lacking,
            line: verdict.line,
            verdict: decision(verdict.decision),
            want: verdict.want,
        }
    }
}

impl<'a> ReportedCandidate<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        Self {
            about: &candidate.about,
            code: candidate.code,
            counted: candidate.counted,
            evidence: candidate.evidence.as_ref(),
            index: candidate.index.as_ref(),
            message: candidate.reason.as_ref().map(ToString::to_string),
            owner: candidate.owner.to_string(),
            time: candidate.time.map(|(time, _)| time.to_string()),
            time_from: candidate.time.map(|(_, source)| match source {
                StatementTimeSource::Certificate => "certificate",
                StatementTimeSource::Document => "document",
                StatementTimeSource::UpperBound => "trusted",
            }),
        }
    }
}

const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Met => "met",
        Decision::Undetermined => "undetermined",
        Decision::Unmet => "unmet",
    }
}
