//! Extractors: what trivy, grype and clair print becomes an in-toto vulns predicate v0.2.
//!
//! Only what a policy reads is copied: identifiers, severities, fix states and package URLs. Secrets that a scanner
//! found, descriptions and the configuration of the image are never copied.

use serde_json::Value;
use serde_json::json;

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanFinding;
use crate::predicate::ScanReport;
use crate::predicate::Scanner;
use crate::predicate::scan::annotation;
use crate::predicate::scan::read_scanner_report;
use crate::time::Time;

/// The predicate type that [`extract`] writes.
pub const EXTRACTED_PREDICATE_TYPE: &str = "https://in-toto.io/attestation/vulns/v0.2";

/// How a scanner report is made into a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtractOptions {
    /// The date of the vulnerability database.
    pub database: DatabaseDate,
    /// When the scan finished, for a report without a time. A report with another time is refused.
    pub finished: Option<Time>,
}

/// Where the date of the vulnerability database comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseDate {
    /// From the operator, who read it with [`database_date`], for a report that does not have it. A report with another
    /// date is refused.
    Given(Time),
    /// From the report alone.
    InReport,
    /// From the report if it has it; otherwise the predicate is without one, as the operator said.
    MayBeMissing,
}

/// The predicate made of a scanner report, and the report, whose target must be the image that is attested.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtractedScan {
    /// The in-toto vulns predicate v0.2, as JSON.
    pub predicate: Vec<u8>,
    /// The report, with the time and the database date that the predicate states.
    pub report: ScanReport,
    /// The scanner.
    pub scanner: Scanner,
}

impl ExtractOptions {
    /// Options with this source of the database date, for a report that has the time of the scan.
    pub const fn new(database: DatabaseDate) -> Self {
        Self { database, finished: None }
    }
}

/// Makes an in-toto vulns predicate v0.2 of what trivy (`--format json`), grype (`-o json`) or clair printed.
///
/// # Errors
/// [`PredicateError`] if the report is of no known scanner, not about an image or without packages; if the time of the
/// scan or the date of the database is not known, or is given and differs from the one that the report states; or if the
/// database is newer than the scan.
pub fn extract(report: &[u8], options: ExtractOptions, limits: &Limits) -> Result<ExtractedScan, PredicateError> {
    let (scanner, mut report) = read_scanner_report(&JsonNode::parse(report, limits)?, limits)?;
    let problem = |problem| PredicateError::at("", problem);
    let finished = match (report.finished, options.finished) {
        (Some(stated), Some(given)) if stated != given => {
            return Err(problem(PredicateProblem::OtherTime { given, stated }));
        }
        (Some(time), _) | (None, Some(time)) => time,
        (None, None) => return Err(problem(PredicateProblem::NoTime)),
    };
    report.finished = Some(finished);
    report.database = match (report.database, options.database) {
        (Some(stated), DatabaseDate::Given(given)) if stated != given => {
            return Err(problem(PredicateProblem::OtherDatabaseDate { given, stated }));
        }
        (Some(stated), _) => Some(stated),
        (None, DatabaseDate::Given(given)) => Some(given),
        (None, DatabaseDate::MayBeMissing) => None,
        (None, DatabaseDate::InReport) => return Err(problem(PredicateProblem::NoDatabaseDate)),
    };
    if let Some(database) = report.database.filter(|database| *database > finished) {
        return Err(problem(PredicateProblem::DatabaseAfterScan { database, finished }));
    }
    let predicate = predicate(scanner, &report, finished).to_string().into_bytes();
    Ok(ExtractedScan { predicate, report, scanner })
}

/// The date of trivy's vulnerability database, from the output of `trivy version --format json`.
///
/// # Errors
/// [`PredicateError`] if the document is something else, or trivy had no database.
pub fn database_date(version: &[u8], limits: &Limits) -> Result<Time, PredicateError> {
    let database = JsonNode::parse(version, limits)?.object()?.required_object("VulnerabilityDB")?;
    let missing = || PredicateError::at(&database.path_of("UpdatedAt"), PredicateProblem::Missing);
    database.optional_time("UpdatedAt")?.ok_or_else(missing)
}

fn predicate(scanner: Scanner, report: &ScanReport, finished: Time) -> Value {
    let mut of_scanner = json!({
        "db": {},
        "result": report.findings.iter().map(|finding| result(scanner, finding)).collect::<Vec<_>>(),
        "uri": scanner.uri(),
    });
    if let Some(version) = &report.version {
        set(&mut of_scanner, "version", json!(version));
    }
    if let Some(database) = report.database {
        set(&mut of_scanner, "db", json!({ "lastUpdate": database.to_string() }));
    }
    // Scanners state one time. The scan began at that time or before.
    let finished = finished.to_string();
    json!({ "metadata": { "scanFinishedOn": finished, "scanStartedOn": finished }, "scanner": of_scanner })
}

fn result(scanner: Scanner, finding: &ScanFinding) -> Value {
    let package = finding.package.as_ref().map(|package| (annotation::PACKAGE, package.to_string()));
    let alias = finding.alias.as_ref().map(|alias| (annotation::ALIAS, alias.clone()));
    let fix = Some((annotation::FIX, finding.fix.name().to_owned()));
    let related = finding.related.iter().map(|related| (annotation::RELATED, related.clone()));
    let annotations = [package, fix, alias].into_iter().flatten().chain(related);
    let annotations: Vec<_> = annotations.map(|(name, value)| json!({ name: value })).collect();
    json!({
        "annotations": annotations,
        "id": finding.id,
        "severity": [{ "method": scanner.name(), "score": finding.severity.name() }],
    })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
