//! Scanner reports: what trivy, grype or clair printed becomes an in-toto vulns predicate.

use std::path::Path;

use serde_json::value::RawValue;

use bulla::limits::Limits;
use bulla::ops::scanned::ScannedError;
use bulla::predicate::PredicateError;
use bulla::predicate::PredicateProblem;
use bulla::predicate::ScanTarget;
use bulla::predicate::scanner;
use bulla::predicate::scanner::DatabaseDate;
use bulla::predicate::scanner::ExtractOptions;
use bulla::request::Attestation;
use bulla::time::Time;

use super::args::ScannerArgs;
use super::exit::Failure;
use super::predicate;

/// Reads a report and makes a predicate of it. Every error is a bad argument.
pub(super) fn read(path: &Path, args: &ScannerArgs, limits: &Limits) -> Result<(Box<RawValue>, ScanTarget), Failure> {
    let failed = |error: &PredicateError| failure(path, error);
    let database = match &args.scanner_db {
        Some(version) => {
            let date = scanner::database_date(&predicate::bytes(version, limits)?, limits);
            DatabaseDate::Given(date.map_err(|error| not_a_version(version, &error))?)
        }
        None if args.no_database_date => DatabaseDate::MayBeMissing,
        None => DatabaseDate::InReport,
    };
    let mut options = ExtractOptions::new(database);
    options.finished = args.scanned_at;
    let scan = scanner::extract(&predicate::bytes(path, limits)?, options, limits).map_err(|error| failed(&error))?;
    let no_target = || failed(&PredicateError::at("", PredicateProblem::NoTarget));
    let target = scan.report.target.clone().ok_or_else(no_target)?;
    let predicate = Attestation::predicate(&scan.predicate, limits);
    let predicate = predicate.map_err(|error| Failure::unknown(format!("{}: {error}", path.display())))?;
    Ok((predicate, target))
}

/// Refuses a time of the scan (`--scanned-at`) that has not come yet: no policy accepts it. Clocks may differ by as much as
/// policies allow.
///
/// # Errors
/// A bad argument.
pub(super) fn check_time(args: &ScannerArgs, now: Time) -> Result<(), Failure> {
    match args.scanned_at.filter(|time| time.unix() > now.unix().saturating_add(TOLERANCE)) {
        Some(time) => Err(Failure::unknown(format!("--scanned-at {time} is in the future: it is {now}"))),
        None => Ok(()),
    }
}

fn not_a_version(path: &Path, error: &PredicateError) -> Failure {
    let failure = Failure { code: error.code(), ..Failure::unknown(format!("{}: {error}", path.display())) };
    failure.hint("--scanner-db takes what trivy version --format json prints once trivy has a database")
}

fn failure(path: &Path, error: &PredicateError) -> Failure {
    let failure = Failure { code: error.code(), ..Failure::unknown(format!("{}: {error}", path.display())) };
    match error.problem() {
        PredicateProblem::NoDatabaseDate => failure.hint(
            "--scanner-db FILE with the output of trivy version --format json; or --no-database-date attests it without",
        ),
        PredicateProblem::NoTime => failure.hint("--scanned-at TIME says when the scan ended"),
        PredicateProblem::OtherDatabaseDate { .. } => failure.hint("leave out --scanner-db: the report says it itself"),
        PredicateProblem::OtherTime { .. } => failure.hint("leave out --scanned-at: the report says it itself"),
        _ => failure,
    }
}

/// The failure for a report about another image, or an image that cannot be read.
pub(super) fn other_image(file: &str, error: &ScannedError) -> Failure {
    let failure = Failure { code: error.code(), ..Failure::unknown(format!("{file}: {error}")) };
    match error {
        ScannedError::Index { .. } => {
            failure.hint("--all-platforms --scanner-report linux/amd64=FILE, once for each platform")
        }
        _ => failure,
    }
}

/// How far a time may be ahead of the clock, in seconds.
const TOLERANCE: i64 = 5 * 60;
