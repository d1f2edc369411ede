//! The trusted root in reports of verifications: which one it was, and what an operator should know about it.

use serde::Serialize;

use crate::digest::Digest;
use crate::report::ReportedError;
use crate::report::stream::LineResult;
use crate::time::Time;
use crate::trust::sigstore::TrustedRootFile;
use crate::trust::sigstore::TrustedRootOrigin;

/// The file of trusted roots that a verdict relies on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedTrustedRoot {
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    digest: Digest,
    file: String,
    origin: &'static str,
    warnings: Vec<ReportedError>,
}

/// A result with the trusted root that it relies on, if it relies on one, in the field `trustedRoot`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WithTrustedRoot<'a, R> {
    #[serde(flatten)]
    result: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_root: Option<&'a ReportedTrustedRoot>,
}

impl ReportedTrustedRoot {
    /// The trusted roots that `argument` names, with the remarks on them at `now`.
    pub fn new(argument: &str, file: &TrustedRootFile, now: Time) -> Self {
        Self {
            as_of: file.as_of().map(|time| time.to_string()),
            digest: *file.digest(),
            file: argument.to_owned(),
            origin: origin(file.origin()),
            warnings: warnings(file, now),
        }
    }
}

impl<'a, R> WithTrustedRoot<'a, R> {
    /// `result`, which relies on `trusted_root`.
    pub const fn new(result: R, trusted_root: Option<&'a ReportedTrustedRoot>) -> Self {
        Self { result, trusted_root }
    }
}

impl<R: LineResult> LineResult for WithTrustedRoot<'_, R> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { result: self.result.standalone(command, version), ..self }
    }
}

/// Where trusted roots are from, as reports name it.
pub(super) const fn origin(origin: TrustedRootOrigin) -> &'static str {
    match origin {
        TrustedRootOrigin::File => "file",
        TrustedRootOrigin::Import => "import",
        TrustedRootOrigin::Instance(_) => "program",
    }
}

/// The remarks on trusted roots at `now`.
pub(super) fn warnings(file: &TrustedRootFile, now: Time) -> Vec<ReportedError> {
    file.remarks(now).into_iter().map(|one| ReportedError::new(one.code(), one.to_string())).collect()
}
