//! The results of `cert lint`.

use serde::Serialize;

use crate::report::certificate::ReportedCertificate;
use crate::x509::Lint;
use crate::x509::LintFinding;
use crate::x509::LintOutcome;
use crate::x509::LintRemark;

/// The rules of a profile, checked for the certificates of one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LintResult {
    at: String,
    certificates: Vec<ReportedLint>,
    file: String,
    not_checked: Vec<ReportedOmission>,
    profile: &'static str,
    purpose: &'static str,
    remarks: Vec<ReportedRemark>,
    verdict: &'static str,
}

/// The rules for one certificate.
#[derive(Debug, Serialize)]
struct ReportedLint {
    certificate: ReportedCertificate,
    role: &'static str,
    rules: Vec<ReportedRule>,
}

/// One rule.
#[derive(Debug, Serialize)]
struct ReportedRule {
    clause: &'static str,
    code: &'static str,
    found: Option<String>,
    message: Option<&'static str>,
    openssl: Option<&'static str>,
    outcome: &'static str,
    wanted: Option<String>,
}

/// What was not checked.
#[derive(Debug, Serialize)]
struct ReportedOmission {
    code: &'static str,
    message: &'static str,
}

/// What the profile allows a certificate, and others do not.
#[derive(Debug, Serialize)]
struct ReportedRemark {
    certificate: usize,
    code: &'static str,
    message: &'static str,
}

impl ReportedRemark {
    fn of(remark: LintRemark) -> Self {
        Self { certificate: remark.certificate, code: remark.kind.code(), message: remark.kind.text() }
    }
}

impl LintResult {
    /// The result for the certificates of `file`.
    pub fn new(file: String, lint: &Lint) -> Self {
        let certificates = lint.certificates().iter().enumerate().map(|(index, certificate)| ReportedLint {
            certificate: ReportedCertificate::of(certificate),
            role: lint.role(index).name(),
            rules: lint.findings().filter(|found| found.certificate == index).map(ReportedRule::of).collect(),
        });
        let not_checked = lint.omissions().iter().map(|one| ReportedOmission { code: one.code(), message: one.text() });
        Self {
            at: lint.at().to_string(),
            certificates: certificates.collect(),
            file,
            not_checked: not_checked.collect(),
            profile: lint.profile(),
            purpose: lint.purpose().name(),
            remarks: lint.remarks().into_iter().map(ReportedRemark::of).collect(),
            verdict: lint.outcome().name(),
        }
    }
}

impl ReportedRule {
    fn of(finding: &LintFinding) -> Self {
        let failed = finding.outcome != LintOutcome::Passed;
        Self {
            clause: finding.clause,
            code: finding.rule.code(),
            found: finding.found.clone(),
            message: failed.then(|| finding.rule.broken()),
            openssl: finding.openssl,
            outcome: finding.outcome.name(),
            wanted: finding.wanted.clone(),
        }
    }
}
