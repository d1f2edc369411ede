//! What a scanner itself printed, read by the scanner that it is of.

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanReport;
use crate::predicate::Scanner;
use crate::predicate::scan::clair;
use crate::predicate::scan::grype;
use crate::predicate::scan::trivy;

/// Reads what a scanner printed.
///
/// # Errors
/// [`PredicateError`] if it is of no known scanner, not about an image, or does not hold what such a report has.
pub(in crate::predicate) fn read_scanner_report(
    node: &JsonNode<'_>,
    limits: &Limits,
) -> Result<(Scanner, ScanReport), PredicateError> {
    let unknown = || node.error(PredicateProblem::UnknownScanner);
    if !node.is_object() {
        return Err(unknown());
    }
    let report = node.object()?;
    let scanner = Scanner::of(&report).ok_or_else(unknown)?;
    let read = match scanner {
        Scanner::Clair => clair::read(&report, limits)?,
        Scanner::Grype => grype::read(&report, limits)?,
        Scanner::Trivy => trivy::read(&report, limits)?,
    };
    Ok((scanner, read))
}
