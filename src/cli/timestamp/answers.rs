//! The answers of timestamp authorities in files, and the failure for one that is not attached.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::limits::Limits;
use bulla::ops::timestamp::TimestampingError;
use bulla::x509::TimestampResponse;

use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::timestamp::trust::refused;

/// An answer, and the file that it was read from.
pub(super) type Answer = (PathBuf, TimestampResponse);

/// Reads the answers in files and in the files of directories.
pub(super) fn read(paths: &[PathBuf], limits: &Limits) -> Result<Vec<Answer>, Failure> {
    let mut answers: Vec<Answer> = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            // Base64 in lines of 64 characters is longer by three eighths.
            let most = limits.envelope.timestamp_bytes.saturating_add(limits.envelope.timestamp_bytes / 2);
            let bytes = files::read(&file, most)?;
            let response = TimestampResponse::parse_answer(&bytes, limits);
            let response = response.map_err(|error| not_attached(&file, &error.into()))?;
            answers.push((file, response));
        }
    }
    Ok(answers)
}

/// The file itself, or the files of a directory by name, but for the requests beside the answers.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let to_failure = |error: std::io::Error| Failure::unknown(format!("{}: {error}", path.display()));
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(to_failure)? {
        files.push(entry.map_err(to_failure)?.path());
    }
    files.retain(|file| file.extension().is_none_or(|extension| extension != "tsq"));
    files.sort();
    match files.is_empty() {
        true => Err(Failure::unknown(format!("{}: there is no answer of a timestamp authority in it", path.display()))),
        false => Ok(files),
    }
}

/// The failure for an answer that is not attached: with the file and the reason.
pub(super) fn not_attached(file: &Path, error: &TimestampingError) -> Failure {
    let failure = refused(file, error);
    let failure = Failure { message: format!("{}; nothing was attached", failure.message), ..failure };
    match error {
        TimestampingError::NoSignature => {
            failure.hint("give the images of all tokens in one command; --all-platforms if they are in an index")
        }
        _ => failure,
    }
}
