//! The verdict *not enforced* in the report of `verify`.

use serde::Serialize;

use crate::digest::Digest;
use crate::report::ReportedError;
use crate::trust::CheckOutcome;
use crate::trust::MadeCheck;
use crate::verify::ExaminedSignature;
use crate::verify::NotEnforced;

/// The statement that does not enforce every check, and what came of the checks.
#[derive(Debug, Serialize)]
pub(super) struct ReportedStatement {
    signatures: Vec<ReportedExamined>,
    statement: String,
    unenforced: Vec<ReportedUnenforced>,
}

/// A check that is not enforced.
#[derive(Debug, Serialize)]
struct ReportedUnenforced {
    action: &'static str,
    check: &'static str,
}

/// A signature that passed the enforced checks.
#[derive(Debug, Serialize)]
struct ReportedExamined {
    checks: Vec<ReportedCheck>,
    evidence: Option<Digest>,
    place: String,
    signer: Option<String>,
    #[serde(rename = "strictError", skip_serializing_if = "Option::is_none")]
    strict_error: Option<ReportedError>,
}

/// A check, and what came of it.
#[derive(Debug, Serialize)]
struct ReportedCheck {
    action: &'static str,
    check: &'static str,
    faults: Vec<ReportedError>,
    outcome: &'static str,
}

impl ReportedStatement {
    pub(super) fn of(verdict: &NotEnforced) -> Self {
        let unenforced = verdict.unenforced.iter();
        let unenforced =
            unenforced.map(|(check, action)| ReportedUnenforced { action: action.as_str(), check: check.as_str() });
        Self {
            signatures: verdict.accepted.iter().map(ReportedExamined::of).collect(),
            statement: verdict.statement.to_string(),
            unenforced: unenforced.collect(),
        }
    }
}

impl ReportedExamined {
    fn of(examined: &ExaminedSignature) -> Self {
        Self {
            checks: examined.checked.checks.iter().map(ReportedCheck::of).collect(),
            evidence: examined.evidence,
            place: examined.place.to_string(),
            signer: examined.checked.signer.as_ref().map(ToString::to_string),
            strict_error: examined.strict_error.as_ref().map(ReportedError::from),
        }
    }
}

impl ReportedCheck {
    fn of(made: &MadeCheck) -> Self {
        let faults = match &made.outcome {
            CheckOutcome::Failed(faults) => {
                faults.iter().map(|fault| ReportedError::new(fault.code(), fault.to_string())).collect()
            }
            CheckOutcome::NotMade | CheckOutcome::Passed => Vec::new(),
        };
        Self { action: made.action.as_str(), check: made.check.as_str(), faults, outcome: made.outcome.as_str() }
    }
}
