//! `timestamp attach --bundle`: no bundle is replaced until every answer was verified and found to be about one.

use std::path::Path;
use std::path::PathBuf;

use bulla::digest::Digest;
use bulla::files;
use bulla::files::Overwrite;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::ops::timestamp::BundleSignature;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::witness::WitnessTrust;
use bulla::report::Report;
use bulla::report::TimestampAttachResult;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files as cli_files;
use crate::cli::render;
use crate::cli::timestamp::answers::Answer;
use crate::cli::timestamp::answers::not_attached;
use crate::cli::timestamp::trust::bundle;
use crate::cli::timestamp::trust::refused;

/// A bundle in a file, and what was done with the answers.
struct FileJob<'a> {
    lines: Vec<String>,
    original: Digest,
    path: &'a Path,
    result: TimestampAttachResult,
    /// The signature in the bundle, with the timestamps that were added.
    signature: BundleSignature,
}

/// Adds the timestamps to the bundles, and replaces the files of those that got one. Each is replaced in one step, the first
/// when all are complete under temporary names. If a later one fails then, those before it have their timestamp already.
pub(super) fn attach(
    bundles: &[PathBuf],
    (keys, trust): (&[PublicKey], WitnessTrust<'_>),
    answers: &[Answer],
    output: Output,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let mut jobs: Vec<FileJob<'_>> = Vec::new();
    for path in bundles {
        // A link would be replaced, and its target would not get the timestamp.
        files::regular(path)?;
        if jobs.iter().any(|job| job.path == path) {
            return Err(Failure::unknown(format!("{}: this bundle is given twice", path.display())));
        }
        let signature = bundle(path, keys, limits)?;
        let original = *signature.bundle().digest();
        let result = TimestampAttachResult::new(&path.display().to_string());
        jobs.push(FileJob { lines: Vec::new(), original, path, result, signature });
    }
    for (file, response) in answers {
        let mut is_placed = false;
        for job in jobs.iter_mut().filter(|job| job.signature.is_stamped_by(response.token())) {
            let added =
                job.signature.timestamped(response, trust, limits).map_err(|error| not_attached(file, &error))?;
            match added {
                None => {
                    job.result.add_timestamped_bundle(&job.original, file);
                    job.lines.push(format!("already timestamped {}  {}", job.path.display(), file.display()));
                }
                Some(made) => {
                    job.result.add_bundle(&job.original, &made, file);
                    job.lines.push(format!("timestamped {}  {}", job.path.display(), file.display()));
                    job.lines.push(format!("  timestamp {}", made.proof().at()));
                    let again = BundleSignature::read(made.bundle(), keys, limits);
                    job.signature = again.map_err(|error| refused(job.path, &error))?;
                }
            }
            is_placed = true;
        }
        if !is_placed {
            let failure = refused(file, &TimestampingError::NoSignature);
            let message = format!("{}; nothing was attached", failure.message);
            return Err(Failure { message, ..failure }.hint("give the bundles of all tokens in one command"));
        }
    }
    let changed = jobs.iter().filter(|job| *job.signature.bundle().digest() != job.original);
    let changed: Vec<_> = changed.map(|job| (job.path, job.signature.bundle().bytes())).collect();
    cli_files::write_together(&changed, Overwrite::Replace)?;
    match output {
        Output::Json => {
            let results = jobs.into_iter().map(|job| job.result).collect();
            render::report(&Report::new("timestamp attach", results));
        }
        Output::Text => jobs.iter().flat_map(|job| &job.lines).for_each(|line| render::line(format_args!("{line}"))),
    }
    Ok(Exit::Yes)
}
