//! Reports of vulnerability scanners, read from any of their predicates.

mod clair;
mod cosign_vuln;
mod finding;
mod grype;
mod in_toto_vulns;
mod report;
mod scanner;
mod scanner_report;
mod target;
mod trivy;

pub use finding::FindingRule;
pub use finding::FindingsCounted;
pub use finding::IgnoredVulnerability;
pub use finding::ScanFinding;
pub use report::ScanReport;
pub use scanner::Scanner;
pub use target::ScanTarget;

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateKind;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanFormat;
use crate::predicate::split_version;
use crate::text::Untrusted;

pub(super) use finding::annotation;
pub(super) use scanner_report::read_scanner_report;

impl ScanReport {
    /// Reads a predicate of a vulnerability scan: cosign's with the result of trivy, grype or clair, or in-toto's v0.1
    /// and v0.2.
    ///
    /// # Errors
    /// [`PredicateError`] if the predicate type is no scan or its version is not known, if there is no result, or the
    /// result is that of an unknown scanner, about something other than an image, or without packages.
    pub fn read(predicate: &[u8], predicate_type: &str, limits: &Limits) -> Result<Self, PredicateError> {
        let (_, version) = split_version(predicate_type);
        let unknown_version = || {
            let version = Untrusted::within(predicate_type, SHOWN);
            PredicateError::at("", PredicateProblem::UnknownVersion(version))
        };
        let node = JsonNode::parse(predicate, limits)?;
        match (PredicateKind::of(predicate_type), version) {
            (PredicateKind::Scan(ScanFormat::CosignVuln), Some("1")) => cosign_vuln::read(&node, limits),
            (PredicateKind::Scan(ScanFormat::InTotoVulns), Some("0.1" | "0.2")) => in_toto_vulns::read(&node, limits),
            _ => Err(unknown_version()),
        }
    }

    /// The findings that `rule` does not allow, in the order of the report. VEX statements may clear each of them, see
    /// [`VexStatements::clears`](crate::predicate::VexStatements::clears).
    pub fn blocking(&self, rule: &FindingRule) -> impl Iterator<Item = &ScanFinding> {
        self.findings.iter().filter(|finding| rule.is_blocked_by(finding))
    }

    /// The vulnerabilities that the operator ignores, and that `rule` would not allow without that, each once.
    pub fn ignored(&self, rule: &FindingRule) -> Vec<IgnoredVulnerability> {
        let mut used: Vec<IgnoredVulnerability> = Vec::new();
        // Without an entry no finding is compared with any.
        let findings = self.findings.iter().filter(|_| !rule.ignored.is_empty());
        for ignored in findings.flat_map(|finding| rule.ignoring(finding)) {
            if !used.contains(ignored) {
                used.push(ignored.clone());
            }
        }
        used
    }
}

/// The longest text that a message quotes, in characters.
const SHOWN: usize = 120;
