//! The results of `policy check` and `policy explain`.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::policy::PolicyOutcome;
use crate::policy_file::ExplainedBlock;
use crate::policy_file::ExplainedRequirement;
use crate::policy_file::LoadedFile;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::NameExplanation;
use crate::policy_file::PolicyFileError;
use crate::policy_file::PolicyLint;
use crate::policy_file::document::ExceptionDocument;
use crate::report::ReportedError;
use crate::report::policy;
use crate::report::policy::SuppliedRequirement;
use crate::report::reported_verdict::ReportedVerdict;
use crate::time::Time;

/// A policy file that was checked.
#[derive(Debug, Serialize)]
pub struct PolicyCheckResult {
    file: String,
    files: Vec<ReportedFile>,
    id: Option<String>,
    problems: Vec<ReportedProblem>,
    valid: bool,
}

/// What a policy file wants of images with one name.
#[derive(Debug, Serialize)]
pub struct PolicyExplainResult {
    at: String,
    block: Option<ReportedBlock>,
    blocked: usize,
    file: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ReportedImage>,
    name: String,
}

/// What an image has of what the policy wants.
#[derive(Debug, Serialize)]
struct ReportedImage {
    digest: Digest,
    reference: String,
    requirements: Vec<SuppliedRequirement>,
    unread: Vec<ReportedError>,
    verdict: ReportedVerdict,
}

/// A file that a policy names.
#[derive(Debug, Serialize)]
struct ReportedFile {
    path: String,
    sha256: String,
}

/// An error, a warning or a note about a policy file.
#[derive(Debug, Serialize)]
struct ReportedProblem {
    code: &'static str,
    column: u32,
    hint: Option<String>,
    line: u32,
    message: String,
    severity: &'static str,
}

/// The block that decides.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedBlock {
    accept_unsigned: Option<ReportedWord>,
    exceptions: Vec<ReportedWaiver>,
    line: u32,
    pattern: String,
    refuse: Option<String>,
    requirements: Vec<ReportedSentence>,
    signed_name: Option<String>,
}

/// `accept-unsigned`.
#[derive(Debug, Serialize)]
struct ReportedWord {
    ended: bool,
    owner: String,
    reason: String,
    until: String,
}

/// An exception for the name.
#[derive(Debug, Serialize)]
struct ReportedWaiver {
    digests: Vec<String>,
    ended: bool,
    line: u32,
    owner: String,
    reason: String,
    until: String,
    waives: Vec<&'static str>,
}

/// A requirement.
#[derive(Debug, Serialize)]
struct ReportedSentence {
    id: String,
    line: u32,
    owners: Vec<String>,
    sentence: String,
}

impl PolicyCheckResult {
    /// The result for a policy with errors.
    pub fn invalid(file: String, faults: &[PolicyFileError]) -> Self {
        let problems = faults.iter().map(|fault| ReportedProblem {
            code: fault.problem.code(),
            column: fault.position.column,
            hint: Some(fault.problem.hint()),
            line: fault.position.line,
            message: fault.problem.to_string(),
            severity: "error",
        });
        Self { file, files: Vec::new(), id: None, problems: problems.collect(), valid: false }
    }

    /// The result for a policy that can be used.
    pub fn valid(file: String, policy: &LoadedPolicy, lints: &[PolicyLint]) -> Self {
        let problems = lints.iter().map(|lint| ReportedProblem {
            code: lint.rule.code(),
            column: lint.position.column,
            hint: Some(lint.rule.hint().to_owned()),
            line: lint.position.line,
            message: lint.rule.to_string(),
            severity: if lint.rule.is_note() { "note" } else { "warning" },
        });
        let named = |file: &LoadedFile| ReportedFile { path: file.path.clone(), sha256: file.sha256.to_string() };
        let files = policy.files().iter().map(named).collect();
        Self { file, files, id: Some(policy.id().to_string()), problems: problems.collect(), valid: true }
    }
}

impl PolicyExplainResult {
    /// The result for `explanation` by the policy in `file`, as of `now`.
    pub fn new(file: String, policy: &LoadedPolicy, explanation: &NameExplanation<'_>, now: Time) -> Self {
        Self {
            at: now.to_string(),
            block: explanation.block.as_ref().map(ReportedBlock::of),
            blocked: explanation.blocked,
            file,
            id: policy.id().to_string(),
            image: None,
            name: explanation.name.to_string(),
        }
    }

    /// The same with what the image `reference` has of it.
    #[must_use]
    pub fn with_image(
        self,
        reference: &str,
        outcome: &PolicyOutcome<'_>,
        requirements: Vec<SuppliedRequirement>,
    ) -> Self {
        let image = ReportedImage {
            digest: outcome.digest(),
            reference: reference.to_owned(),
            requirements,
            unread: outcome.unread.iter().map(ReportedError::from).collect(),
            verdict: policy::verdict(outcome),
        };
        Self { image: Some(image), ..self }
    }
}

impl ReportedBlock {
    fn of(block: &ExplainedBlock<'_>) -> Self {
        let sentence = |one: &ExplainedRequirement| ReportedSentence {
            id: one.id.clone(),
            line: one.line,
            owners: one.owners.clone(),
            sentence: one.sentence.clone(),
        };
        Self {
            accept_unsigned: block.accept_unsigned.map(|unsigned| ReportedWord {
                ended: block.unsigned_ended,
                owner: unsigned.owner.value.clone(),
                reason: unsigned.reason.value.clone(),
                until: unsigned.until.value.to_string(),
            }),
            exceptions: block
                .exceptions
                .iter()
                .map(|(exception, ended)| ReportedWaiver::of(exception, *ended))
                .collect(),
            line: block.line,
            pattern: block.pattern.clone(),
            refuse: block.refuse.map(|refuse| refuse.reason.value.clone()),
            requirements: block.requirements.iter().map(sentence).collect(),
            signed_name: block.signed_name.as_ref().map(ToString::to_string),
        }
    }
}

impl ReportedWaiver {
    fn of(exception: &ExceptionDocument, ended: bool) -> Self {
        Self {
            digests: exception.digests.iter().map(|digest| digest.value.to_string()).collect(),
            ended,
            line: exception.position.line,
            owner: exception.owner.value.clone(),
            reason: exception.reason.value.clone(),
            until: exception.until.value.to_string(),
            waives: exception.waives.iter().map(|word| word.value.word()).collect(),
        }
    }
}
