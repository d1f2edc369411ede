//! `PredicateError`: what is wrong with a predicate, and where.

use std::fmt;

use crate::json::JsonError;
use crate::predicate::SourceUnknown;
use crate::text::Untrusted;
use crate::time::Time;

/// What is wrong with a predicate, and at which JSON Pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredicateError {
    /// The JSON Pointer of the value that is wrong or missing; empty for the whole predicate.
    path: Untrusted,
    /// What is wrong with it.
    problem: PredicateProblem,
}

/// What is wrong with a value of a predicate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateProblem {
    /// A key differs from a known field in case only: readers that ignore case take it for that field.
    #[error("the key {0:?} is ambiguous: readers that ignore case take it for another field")]
    AmbiguousKey(Untrusted),
    /// The vulnerability database is newer than the scan, so the scan was made with another one.
    #[error("the vulnerability database of {database} is newer than the scan of {finished}")]
    DatabaseAfterScan {
        /// When the database was built.
        database: Time,
        /// When the scan finished.
        finished: Time,
    },
    /// The value is empty.
    #[error("is empty")]
    Empty,
    /// The operating system of the image has reached its end of life, so its vendor publishes no advisories that a scanner
    /// could find.
    #[error("the operating system has reached its end of life, and scanners have no advisories for it")]
    EndOfLife,
    /// The build ended before it began.
    #[error("the build ended before it began")]
    EndBeforeStart,
    /// The SBOM lists no component beside the one that it is about.
    #[error("an SBOM without components")]
    EmptySbom,
    /// The scanner states that its vulnerability database is not valid.
    #[error("the scanner had no valid vulnerability database")]
    InvalidDatabase,
    /// The predicate is not JSON that all readers understand alike, or exceeds a limit of JSON documents.
    #[error("{0}")]
    Json(JsonError),
    /// A field is missing, or `null`.
    #[error("is missing")]
    Missing,
    /// The date of the vulnerability database is not known.
    #[error("the date of the vulnerability database is not known")]
    NoDatabaseDate,
    /// The scanner found no packages: nothing was scanned.
    #[error("no packages were scanned")]
    NoPackages,
    /// The result of the scan is missing, or `null`.
    #[error("a scan without result")]
    NoResult,
    /// The scanner report does not say which image was scanned.
    #[error("the scanned image has no digest")]
    NoTarget,
    /// The time at which the document was made, or the scan finished, is not known.
    #[error("the time is missing")]
    NoTime,
    /// The report has the results of other scanners, and no list of vulnerabilities, so it is not known whether there was a
    /// scan for vulnerabilities.
    #[error("results of other scanners and no list of vulnerabilities: scan for vulnerabilities alone")]
    NoVulnerabilityScan,
    /// The value does not have the form of what it stands for.
    #[error("{found:?} is not {wanted}")]
    NotA {
        /// What it stands for.
        wanted: &'static str,
        /// The value.
        found: Untrusted,
    },
    /// The scanner looked at something other than an image, such as a directory.
    #[error("{0:?} was scanned, not an image")]
    NotAnImage(Untrusted),
    /// Another date of the vulnerability database is given than the one that the report states.
    #[error("the report states that its vulnerability database is of {stated}, and {given} is given")]
    OtherDatabaseDate {
        /// The date that is given beside the report.
        given: Time,
        /// The date in the report.
        stated: Time,
    },
    /// Another time of the scan is given than the one that the report states.
    #[error("the report states that the scan ended at {stated}, and {given} is given")]
    OtherTime {
        /// The time that is given beside the report.
        given: Time,
        /// The time in the report.
        stated: Time,
    },
    /// The source of the build cannot be compared with a policy.
    #[error("{0}")]
    Source(SourceUnknown),
    /// Two fields state the same thing.
    #[error("is stated twice")]
    StatedTwice,
    /// Tests failed or warned, and the result as a whole says otherwise.
    #[error("the lists of failed and warned tests contradict the result")]
    TestsContradict,
    /// More than a limit allows.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The report is not one of trivy, grype or clair.
    #[error("not a report of trivy, grype or clair")]
    UnknownScanner,
    /// The predicate type is known, and its version is not.
    #[error("a version that is not supported: {0:?}")]
    UnknownVersion(Untrusted),
    /// The document is of another kind than the predicate type says.
    #[error("{found}, not {wanted}")]
    WrongDocument {
        /// What it is.
        found: &'static str,
        /// What the predicate type wants.
        wanted: &'static str,
    },
    /// The value is of another JSON type.
    #[error("is not {wanted}")]
    WrongType {
        /// The JSON type that is wanted.
        wanted: &'static str,
    },
}

impl PredicateError {
    /// The error `problem` at the JSON Pointer `path`.
    pub fn at(path: &str, problem: PredicateProblem) -> Self {
        Self { path: Untrusted::new(path), problem }
    }

    /// The error in a document that stands as a text at the JSON Pointer `path` of another one.
    #[must_use]
    pub(super) fn inside(self, path: &str) -> Self {
        Self { path: Untrusted::new(&format!("{path}{}", self.path)), problem: self.problem }
    }

    /// The JSON Pointer (RFC 6901) of the value that is wrong or missing; empty for the whole predicate.
    pub const fn path(&self) -> &Untrusted {
        &self.path
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &PredicateProblem {
        &self.problem
    }

    /// Whether the predicate exceeds a limit or is of an unknown version: it may be valid, so a decision on it is
    /// could-not-tell.
    pub const fn is_limit(&self) -> bool {
        match &self.problem {
            PredicateProblem::Json(error) => error.is_limit(),
            PredicateProblem::TooMany { .. } | PredicateProblem::UnknownVersion(_) => true,
            _ => false,
        }
    }

    /// The stable code of the problem.
    pub const fn code(&self) -> &'static str {
        match &self.problem {
            PredicateProblem::AmbiguousKey(_) => "ambiguous-key",
            PredicateProblem::DatabaseAfterScan { .. } => "database-after-scan",
            PredicateProblem::Empty => "empty",
            PredicateProblem::EmptySbom => "empty-sbom",
            PredicateProblem::EndOfLife => "end-of-life",
            PredicateProblem::EndBeforeStart => "end-before-start",
            PredicateProblem::InvalidDatabase => "invalid-database",
            PredicateProblem::Json(error) if error.is_limit() => "too-large",
            PredicateProblem::Json(_) => "not-json",
            PredicateProblem::Missing => "missing",
            PredicateProblem::NoDatabaseDate => "no-database-date",
            PredicateProblem::NoPackages => "no-packages",
            PredicateProblem::NoResult => "no-result",
            PredicateProblem::NoTarget => "no-target",
            PredicateProblem::NoTime => "no-time",
            PredicateProblem::NoVulnerabilityScan => "no-vulnerability-scan",
            PredicateProblem::NotA { .. } => "malformed",
            PredicateProblem::NotAnImage(_) => "not-an-image",
            PredicateProblem::OtherDatabaseDate { .. } => "other-database-date",
            PredicateProblem::OtherTime { .. } => "other-time",
            PredicateProblem::Source(unknown) => unknown.code(),
            PredicateProblem::StatedTwice => "stated-twice",
            PredicateProblem::TestsContradict => "tests-contradict",
            PredicateProblem::TooMany { .. } => "too-large",
            PredicateProblem::UnknownScanner => "unknown-scanner",
            PredicateProblem::UnknownVersion(_) => "unknown-version",
            PredicateProblem::WrongDocument { .. } => "wrong-document",
            PredicateProblem::WrongType { .. } => "wrong-type",
        }
    }
}

/// `PATH: PROBLEM`; a problem of the whole predicate without a path.
impl fmt::Display for PredicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.to_string() {
            path if path.is_empty() => write!(f, "the predicate: {}", self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl std::error::Error for PredicateError {}
