//! JSON reports: the results of each command, versioned, with the schemas in `docs/schemas`.
//!
//! A report is an object with `command`, `results` and `version`. A result is made from the types that operations return.
//! Its fields are private and are written in alphabetical order. Reports are only written, never read back.

mod certificate;
mod checks;
mod copy;
mod file;
mod image;
mod inspect;
mod json;
mod key;
mod keyless;
mod lint;
mod list;
mod material;
mod notary;
mod policy;
mod policy_file;
mod reported_verdict;
mod request;
mod request_archive;
mod request_file;
mod request_log;
mod revocation;
mod saved;
mod sign;
mod stream;
mod timestamp;
mod tree;
mod trust_import;
mod trust_show;
mod trusted_root;
mod unenforced;
mod verify;

use serde::Serialize;

use crate::envelope::NotaryError;
use crate::store::StoreError;

pub use checks::Annotations;
pub use checks::CheckResult;
pub use checks::CheckedImage;
pub use checks::PolicyPlace;
pub use checks::RequirementCheck;
pub use checks::SARIF_RESULTS;
pub use checks::annotations;
pub use checks::is_junit;
pub use checks::is_sarif;
pub use checks::write_junit;
pub use checks::write_sarif;
pub use copy::CopyResult;
pub use copy::CopySummary;
pub use copy::ImportResult;
pub use file::FileSignResult;
pub use file::FileVerifyResult;
pub use image::ImageResult;
pub use inspect::InspectReport;
pub use inspect::Inspected;
pub use inspect::ShownPayload;
pub use json::write;
pub use json::write_line;
pub use key::FileKeyResult;
pub use key::KeyReport;
pub use key::TokenKeyResult;
pub use lint::LintResult;
pub use policy::CaseOutcome;
pub use policy::PolicyCaseResult;
pub use policy::PolicyResult;
pub use policy::PolicyTestResult;
pub use policy::PolicyVerifyResult;
pub use policy::SuppliedRequirement;
pub use policy::Supplier;
pub use policy::WithPolicies;
pub use policy::checks;
pub use policy::supplied;
pub use policy_file::PolicyCheckResult;
pub use policy_file::PolicyExplainResult;
pub use reported_verdict::ReportedVerdict;
pub use request::AttachResult;
pub use request::RequestResult;
pub use request_log::LogResult;
pub use revocation::RevocationAttachResult;
pub use revocation::RevocationFetchResult;
pub use revocation::RevocationShowResult;
pub use saved::SavedResult;
pub use sign::SignResult;
pub use stream::LineResult;
pub use stream::ReportStream;
pub use stream::StreamForm;
pub use timestamp::FetchVerification;
pub use timestamp::TimestampAttachResult;
pub use timestamp::TimestampFetchResult;
pub use timestamp::TimestampRequestResult;
pub use tree::TreeResult;
pub use trust_import::TrustImportResult;
pub use trust_show::TrustShowResult;
pub use trusted_root::ReportedTrustedRoot;
pub use trusted_root::WithTrustedRoot;
pub use verify::VerifyResult;

/// The version of all reports. It changes when a field changes its meaning or is removed, not when one is added.
pub const VERSION: u32 = 1;

/// A report whose results are all known. [`ReportStream`] writes results as they come.
#[derive(Clone, Debug, Serialize)]
pub struct Report<R> {
    command: &'static str,
    results: Vec<R>,
    version: u32,
}

impl<R> Report<R> {
    /// The report of `command` with these results.
    pub fn new(command: &'static str, results: Vec<R>) -> Self {
        Self { command, results, version: VERSION }
    }
}

/// An error in a report: a stable code, and a message for people.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedError {
    code: &'static str,
    message: String,
}

impl ReportedError {
    /// The error with this code and message.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<&NotaryError> for ReportedError {
    fn from(error: &NotaryError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<&StoreError> for ReportedError {
    fn from(error: &StoreError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
