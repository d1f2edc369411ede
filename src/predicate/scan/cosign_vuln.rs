//! The vulnerability predicate of cosign: the result is whatever the scanner printed. cosign,
//! `specs/COSIGN_VULN_ATTESTATION_SPEC.md`.

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanReport;
use crate::predicate::scan::report::earlier;
use crate::predicate::scan::scanner_report::read_scanner_report;

pub(super) fn read(node: &JsonNode<'_>, limits: &Limits) -> Result<ScanReport, PredicateError> {
    let predicate = node.object()?;
    let scanner = predicate.required_object("scanner")?;
    let Some(result) = scanner.optional("result")? else {
        return Err(PredicateError::at(&scanner.path_of("result"), PredicateProblem::NoResult));
    };
    let (_, mut report) = read_scanner_report(&result, limits)?;
    let metadata = predicate.optional_object("metadata")?;
    let finished = metadata.map(|metadata| metadata.optional_time("scanFinishedOn")).transpose()?.flatten();
    // The predicate may have been made long after the scan.
    report.finished = earlier(report.finished, finished);
    let db = scanner.optional_object("db")?;
    let database = db.map(|db| db.optional_time("lastUpdate")).transpose()?.flatten();
    report.database = earlier(report.database, database);
    report.version = scanner.optional_text("version")?.or(report.version);
    Ok(report)
}
