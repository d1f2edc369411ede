//! `timestamp attach --bundle`: no bundle is replaced until every answer was verified and found to be about one.

use std::path::Path;
use std::path::PathBuf;

use bulla::digest::Digest;
use bulla::files;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::ops::timestamp::BundleSignature;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::witness::WitnessTrust;
use bulla::report::Report;
use bulla::report::TimestampAttachResult;
use bulla::x509::SignedBefore;

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
    original: Digest,
    path: &'a Path,
    /// Each answer about the signature, with the timestamp that was added; `None` if there was one already.
    placed: Vec<(&'a Path, Option<SignedBefore>)>,
    /// The signature in the bundle, with the timestamps that were added.
    signature: BundleSignature,
}

/// Adds the timestamps to the bundles, and replaces the files of those that got one. Each is replaced in one step, the first
/// when all are complete under temporary names. If a later one fails then, those before it have their timestamp already.
pub(super) fn attach<'a>(
    bundles: &'a [PathBuf],
    (keys, trust): (&[PublicKey], WitnessTrust<'_>),
    answers: &'a [Answer],
    output: Output,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let mut jobs: Vec<FileJob<'a>> = Vec::new();
    for path in bundles {
        // A link would be replaced, and its target would not get the timestamp.
        files::regular(path)?;
        if jobs.iter().any(|job| job.path == path) {
            return Err(Failure::unknown(format!("{}: this bundle is given twice", path.display())));
        }
        let signature = bundle(path, keys, limits)?;
        let original = *signature.bundle().digest();
        jobs.push(FileJob { original, path, placed: Vec::new(), signature });
    }
    for (file, response) in answers {
        let mut is_placed = false;
        for job in jobs.iter_mut().filter(|job| job.signature.is_stamped_by(response.token())) {
            let added =
                job.signature.timestamped(response, trust, limits).map_err(|error| not_attached(file, &error))?;
            let proof = added.as_ref().map(|made| made.proof().clone());
            if let Some(made) = added {
                let again = BundleSignature::read(made.bundle(), keys, limits);
                job.signature = again.map_err(|error| refused(job.path, &error))?;
            }
            job.placed.push((file, proof));
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
    cli_files::replace_together(&changed)?;
    match output {
        Output::Json => {
            render::report(&Report::new("timestamp attach", jobs.iter().map(FileJob::result).collect()));
        }
        Output::Text => jobs.iter().for_each(FileJob::shown),
    }
    Ok(Exit::Yes)
}

impl FileJob<'_> {
    /// The result, with the digest of the bundle that has all timestamps.
    fn result(&self) -> TimestampAttachResult {
        let mut result = TimestampAttachResult::new(&self.path.display().to_string());
        for (file, proof) in &self.placed {
            match proof {
                None => result.add_timestamped_bundle(&self.original, file),
                Some(proof) => {
                    result.add_bundle(&self.original, self.signature.bundle().digest(), proof, file);
                }
            }
        }
        result
    }

    fn shown(&self) {
        for (file, proof) in &self.placed {
            let done = if proof.is_some() { "timestamped" } else { "already timestamped" };
            render::line(format_args!("{done} {}  {}", self.path.display(), file.display()));
            proof.iter().for_each(|proof| render::line(format_args!("  timestamp {}", proof.at())));
        }
    }
}
