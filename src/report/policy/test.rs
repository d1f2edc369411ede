//! The results of `policy test`: what a policy file says of the image of each case, and what was expected.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::ordered;
use crate::policy::Decision;
use crate::policy_file::CaseVerdict;
use crate::policy_file::PolicyCase;
use crate::policy_file::RequirementPlace;
use crate::report::ReportedError;
use crate::report::checks::CheckResult;
use crate::report::policy::explain;

/// What a policy file says of the image of a test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    codes: BTreeSet<&'static str>,
    refused: BTreeSet<String>,
    verdict: CaseVerdict,
}

impl CaseOutcome {
    /// The outcome of a policy that was evaluated on the image.
    pub fn of(outcome: &PolicyOutcome<'_>) -> Self {
        let verdict = match &outcome.verdict {
            PolicyVerdict::Accepted(..) => CaseVerdict::Accepted,
            PolicyVerdict::Exempted(_) => CaseVerdict::AcceptedUnsigned,
            _ if outcome.is_refusal() => CaseVerdict::Refused,
            _ => CaseVerdict::CouldNotTell,
        };
        let checks = explain::checks("", outcome);
        let codes = checks.iter().filter_map(|check| match &check.result {
            CheckResult::Undetermined { code, .. } | CheckResult::Unmet { code, .. } => Some(*code),
            CheckResult::Met | CheckResult::Waived { .. } => None,
        });
        let unmet = explain::requirements(outcome).iter().filter(|requirement| requirement.decision == Decision::Unmet);
        let refused = unmet.filter(|_| verdict == CaseVerdict::Refused).map(|requirement| requirement.id.to_string());
        Self { codes: codes.collect(), refused: refused.collect(), verdict }
    }

    /// The outcome where an error decides: refused, or could-not-tell, with its code.
    pub fn failed(code: &'static str, is_refusal: bool) -> Self {
        let verdict = if is_refusal { CaseVerdict::Refused } else { CaseVerdict::CouldNotTell };
        Self { codes: ordered::set([code]), refused: BTreeSet::new(), verdict }
    }

    /// Whether it is what `case` expects: the verdict, and exactly its codes if it names any.
    pub fn is_expected_by(&self, case: &PolicyCase) -> bool {
        let expected = ordered::set(case.codes.iter().map(|code| code.value.as_str()));
        self.verdict == case.expect.value && (expected.is_empty() || expected == self.codes)
    }

    /// The codes of everything that is missing, each once.
    pub const fn codes(&self) -> &BTreeSet<&'static str> {
        &self.codes
    }

    /// The requirements that are not met, by the names of their places, if the image is refused.
    pub const fn refused(&self) -> &BTreeSet<String> {
        &self.refused
    }

    /// The verdict.
    pub const fn verdict(&self) -> CaseVerdict {
        self.verdict
    }
}

/// The result of `policy test` for one directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTestResult {
    cases: Vec<PolicyCaseResult>,
    directory: String,
    never_refused: Vec<NeverRefused>,
    policy: String,
}

/// The result of one test case of a policy file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyCaseResult {
    as_expected: bool,
    at: String,
    case: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ReportedError>,
    expected: ReportedOutcome,
    found: Option<ReportedOutcome>,
    image: String,
    line: u32,
    name: String,
}

/// A verdict with its codes.
#[derive(Debug, Serialize)]
struct ReportedOutcome {
    codes: Vec<String>,
    verdict: &'static str,
}

/// A requirement that no case has refused.
#[derive(Debug, Serialize)]
struct NeverRefused {
    id: String,
    line: u32,
}

impl PolicyTestResult {
    /// The result for the cases in `directory` of the policy file `policy`, with the requirements that none has refused.
    pub fn new(
        directory: String,
        policy: String,
        cases: Vec<PolicyCaseResult>,
        never_refused: &[RequirementPlace],
    ) -> Self {
        let place = |place: &RequirementPlace| NeverRefused { id: place.id.clone(), line: place.line };
        Self { cases, directory, never_refused: never_refused.iter().map(place).collect(), policy }
    }
}

impl PolicyCaseResult {
    /// The result of `case`: its outcome, or why it could not be run.
    pub fn new(case: &PolicyCase, outcome: Result<&CaseOutcome, ReportedError>) -> Self {
        let expected = ReportedOutcome {
            codes: case.codes.iter().map(|code| code.value.clone()).collect(),
            verdict: case.expect.value.word(),
        };
        let found = outcome.as_ref().ok().map(|outcome| ReportedOutcome {
            codes: outcome.codes.iter().map(|code| (*code).to_owned()).collect(),
            verdict: outcome.verdict.word(),
        });
        Self {
            as_expected: outcome.as_ref().is_ok_and(|outcome| outcome.is_expected_by(case)),
            at: case.at.value.to_string(),
            case: case.case.value.clone(),
            expected,
            found,
            image: case.image.value.clone(),
            line: case.position.line,
            name: case.name.value.clone(),
            error: outcome.err(),
        }
    }
}
