//! Exceptions and exemptions in reports: what the operator lets in, until when, and who answers for it.

use serde::Serialize;

use crate::policy_file::document::AcceptUnsigned;
use crate::policy_file::document::ExceptionDocument;
use crate::policy_file::document::IgnoreDocument;

/// An exception of a policy file for the repository of an image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedException {
    line: u32,
    owner: String,
    reason: String,
    repository: String,
    until: String,
    /// Whether it waives something, or its last day has passed.
    used: bool,
    waives: Vec<&'static str>,
}

/// What lets an image in without a signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedExemption {
    line: u32,
    owner: String,
    reason: String,
    until: String,
}

/// A vulnerability that a scan found and the operator ignores.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedIgnore {
    line: u32,
    owner: String,
    package: Option<String>,
    reason: String,
    until: String,
    vulnerability: String,
}

impl ReportedIgnore {
    pub(super) fn of(entry: &IgnoreDocument) -> Self {
        Self {
            line: entry.vulnerability.position.line,
            owner: entry.owner.value.clone(),
            package: entry.package.as_ref().map(|package| package.value.clone()),
            reason: entry.reason.value.clone(),
            until: entry.until.value.to_string(),
            vulnerability: entry.vulnerability.value.clone(),
        }
    }
}

impl ReportedException {
    pub(super) fn of(exception: &ExceptionDocument, used: bool) -> Self {
        Self {
            line: exception.position.line,
            owner: exception.owner.value.clone(),
            reason: exception.reason.value.clone(),
            repository: exception.repository.value.clone(),
            until: exception.until.value.to_string(),
            used,
            waives: exception.waives.iter().map(|word| word.value.word()).collect(),
        }
    }
}

impl ReportedExemption {
    pub(super) fn of(unsigned: &AcceptUnsigned) -> Self {
        Self {
            line: unsigned.position.line,
            owner: unsigned.owner.value.clone(),
            reason: unsigned.reason.value.clone(),
            until: unsigned.until.value.to_string(),
        }
    }
}
