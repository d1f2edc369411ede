//! `ScanReport`: the report of a vulnerability scanner, as far as a policy decides about it.

use crate::predicate::ScanFinding;
use crate::predicate::ScanTarget;
use crate::time::Time;

/// The report of a vulnerability scanner about one image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanReport {
    /// When the vulnerability database was built, if that is known.
    pub database: Option<Time>,
    /// When the scan finished, if that is known: the earlier of the scanner's own time and that of the predicate.
    pub finished: Option<Time>,
    /// The vulnerabilities found, also those that the scanner was told to leave out of its result.
    pub findings: Vec<ScanFinding>,
    /// The scanner, as the report names it: a name or a URI.
    pub scanner: Option<String>,
    /// What was scanned, if the report says so. A report about another image than the attested one must be refused, see
    /// [`ScanTarget::is_image`].
    pub target: Option<ScanTarget>,
    /// The version of the scanner, if it is known.
    pub version: Option<String>,
}

/// The earlier of two times, of those that are known.
pub(super) fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
