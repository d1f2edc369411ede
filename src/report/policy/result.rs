//! `PolicyResult`: what one policy file says of an image.

use serde::Serialize;

use crate::ops::policy::PolicyOutcome;
use crate::ops::policy::PolicyVerdict;
use crate::report::policy::exception::ReportedException;
use crate::report::policy::exception::ReportedExemption;
use crate::report::policy::exception::ReportedIgnore;
use crate::report::policy::explain;
use crate::report::policy::requirement::ReportedRequirement;
use crate::report::reported_verdict::ReportedVerdict;

/// What one policy file says of an image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyResult<'a> {
    block: Option<ReportedBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    exceptions: Vec<ReportedException>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exemption: Option<ReportedExemption>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<ReportedIgnore>,
    name: String,
    now: String,
    policy: ReportedPolicy<'a>,
    requirements: Vec<ReportedRequirement<'a>>,
    verdict: ReportedVerdict,
}

/// The block that decides.
#[derive(Debug, Serialize)]
struct ReportedBlock {
    line: u32,
}

/// A policy file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedPolicy<'a> {
    file: &'a str,
    files: Vec<ReportedFile<'a>>,
    id: String,
    /// The key that signed it: the signature beside a policy file is one.
    signed_by: Option<String>,
}

/// A file that a policy names.
#[derive(Debug, Serialize)]
struct ReportedFile<'a> {
    path: &'a str,
    sha256: String,
}

impl<'a> PolicyResult<'a> {
    /// What the policy in `file` says of an image.
    pub fn of(file: &'a str, outcome: &'a PolicyOutcome<'_>) -> Self {
        let (files, signed_by) = (outcome.policy.files().iter(), outcome.policy.signed_by());
        let policy = ReportedPolicy {
            file,
            files: files.map(|file| ReportedFile { path: &file.path, sha256: file.sha256.to_string() }).collect(),
            id: outcome.policy.id().to_string(),
            signed_by: signed_by.first().map(ToString::to_string),
        };
        let refusal = explain::refusal(outcome);
        let requirements = explain::requirements(outcome).iter().map(ReportedRequirement::of).collect();
        let (used, ended) = explain::exceptions(outcome);
        let used = used.iter().map(|exception| ReportedException::of(exception, true));
        let ended = ended.iter().map(|exception| ReportedException::of(exception, false));
        let exemption = match &outcome.verdict {
            PolicyVerdict::Exempted(exemption) => exemption.block.block.accept_unsigned.as_ref(),
            _ => None,
        };
        Self {
            block: explain::block(outcome).map(|line| ReportedBlock { line }),
            code: refusal.as_ref().map(|(code, ..)| *code),
            error: refusal.map(|(_, _, message)| message),
            exceptions: used.chain(ended).collect(),
            exemption: exemption.map(ReportedExemption::of),
            ignored: explain::ignored(outcome).into_iter().map(ReportedIgnore::of).collect(),
            name: outcome.name.to_string(),
            now: outcome.now.to_string(),
            policy,
            requirements,
            verdict: verdict(outcome),
        }
    }
}

/// The verdict in the words of reports.
pub(in crate::report) fn verdict(outcome: &PolicyOutcome<'_>) -> ReportedVerdict {
    match &outcome.verdict {
        PolicyVerdict::Accepted(..) => ReportedVerdict::Verified,
        PolicyVerdict::Exempted(_) => ReportedVerdict::Exempted,
        _ if outcome.is_refusal() => ReportedVerdict::Refused,
        _ => ReportedVerdict::Unknown,
    }
}
