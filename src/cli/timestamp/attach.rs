//! The command `timestamp attach`: pushes nothing until every token was verified and found to be about a signature.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::limits::Limits;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::timestamp;
use bulla::ops::timestamp::NotarySignatures;
use bulla::ops::timestamp::TimestampTrust;
use bulla::ops::timestamp::TimestampingError;
use bulla::report::Report;
use bulla::report::TimestampAttachResult;
use bulla::store::Sink;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::x509::Purpose;
use bulla::x509::TimestampToken;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::reference_list;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::sign;
use crate::cli::stores::Stores;
use crate::cli::timestamp::args::TimestampAttachArgs;
use crate::cli::timestamp::left_out::left_out;
use crate::cli::trust;

/// A token, and the file that it was read from.
type TokenFile = (PathBuf, TimestampToken);

/// The images of one reference, their signatures, and what was done with the tokens.
struct AttachJob {
    images: Vec<NotarySignatures>,
    /// What was done with the tokens, for each image in the order of `images`.
    lines: Vec<Placed>,
    reference: String,
    result: TimestampAttachResult,
    sink: Arc<dyn Sink>,
}

/// What was done with a token: a line of the report for people.
struct Placed {
    done: &'static str,
    referrer: String,
    subject: String,
    token: PathBuf,
}

pub(super) fn attach(args: &TimestampAttachArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let anchors = trust::anchors_of(&[(&args.timestamp_roots, Purpose::TimeStamping)], &limits)?;
    let trust = TimestampTrust { anchors: &anchors, time: VerificationTime::now(now) };
    let tokens = tokens(&args.token, &limits)?;
    let references = reference_list::expand(&args.references)?;
    let stores = Stores::new(&args.registry, &references)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    let mut jobs = runtime.block_on(find(&stores, &references, platforms, &limits))?;
    for token in &tokens {
        place(token, &mut jobs, trust, &limits)?;
    }
    let failures = runtime.block_on(push(&jobs, &limits));
    let mut exit = Exit::Yes;
    for (job, failure) in jobs.iter_mut().zip(&failures) {
        if let Some(failure) = failure {
            exit = exit.and(failure.exit);
            job.result = TimestampAttachResult::failed(&job.reference, failure.reported());
        } else if job.images.iter().any(|image| image.left_out().next().is_some()) {
            exit = exit.and(Exit::Unknown);
        }
    }
    match args.output {
        Output::Json => {
            let results = jobs.into_iter().map(|job| job.result).collect();
            render::report(&Report::new("timestamp attach", results));
        }
        Output::Text => {
            for (job, failure) in jobs.iter().zip(failures) {
                match failure {
                    None => {
                        job.shown();
                        left_out(&job.reference, &job.images).iter().for_each(render::failure);
                    }
                    Some(failure) => render::failure(&failure.of(&job.reference, &references)),
                }
            }
        }
    }
    Ok(exit)
}

/// Reads the tokens in files and in the files of directories.
fn tokens(paths: &[PathBuf], limits: &Limits) -> Result<Vec<TokenFile>, Failure> {
    let mut tokens: Vec<TokenFile> = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            // Base64 in lines of 64 characters is longer by three eighths.
            let most = limits.envelope.timestamp_bytes.saturating_add(limits.envelope.timestamp_bytes / 2);
            let bytes = files::read(&file, most)?;
            let token = TimestampToken::parse_answer(&bytes, limits);
            let token = token.map_err(|error| refused(&file, &error.into()))?;
            tokens.push((file, token));
        }
    }
    Ok(tokens)
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

/// The signatures of the images of each reference.
async fn find(
    stores: &Stores,
    references: &[String],
    platforms: SignedPlatforms,
    limits: &Limits,
) -> Result<Vec<AttachJob>, Failure> {
    let mut jobs = Vec::new();
    for (reference, pinned) in references.iter().zip(sign::resolve(stores, references, platforms, limits).await) {
        let (sink, subjects) = pinned.map_err(|failure| failure.of(reference, references))?;
        let mut images = Vec::new();
        for subject in &subjects {
            let found = timestamp::find(sink.as_ref(), subject, limits).await;
            images.push(found.map_err(|error| Failure::from(error).of(reference, references))?);
        }
        let (reference, mut result) = (reference.clone(), TimestampAttachResult::new(reference));
        images.iter().flat_map(NotarySignatures::left_out).for_each(|skipped| result.skip(skipped));
        jobs.push(AttachJob { images, lines: Vec::new(), reference, result, sink });
    }
    Ok(jobs)
}

/// Adds a token to the signatures that it is about, in all images.
fn place(
    (file, token): &TokenFile,
    jobs: &mut [AttachJob],
    trust: TimestampTrust<'_>,
    limits: &Limits,
) -> Result<(), Failure> {
    let (mut is_placed, mut fault) = (false, TimestampingError::NoSignature);
    for AttachJob { images, lines, result, .. } in jobs {
        for image in images {
            let placed = match image.add(token, trust, limits) {
                Ok(placed) => placed,
                Err(TimestampingError::NoSignature) => continue,
                Err(error) => {
                    fault = error;
                    continue;
                }
            };
            is_placed = true;
            let subject = *image.subject().digest();
            let mut line = |done, referrer: String| {
                lines.push(Placed { done, referrer, subject: subject.to_string(), token: file.clone() });
            };
            for referrer in &placed.already {
                result.add_timestamped(&subject, referrer, file);
                line("already timestamped", format!("referrer {referrer}"));
            }
            let old = image.added().len().saturating_sub(placed.added);
            for made in image.added().iter().skip(old) {
                result.add(&subject, made, file);
                let (referrer, latest) = (made.attachment().manifest.digest(), made.proof().at());
                line("timestamped", format!("signature {}  referrer {referrer}  at {latest}", made.original()));
            }
        }
    }
    if is_placed { Ok(()) } else { Err(refused(file, &fault)) }
}

/// Pushes the new signature manifests. Each store is finished once, and only if something was pushed to it. Returns the
/// failure of each job.
async fn push(jobs: &[AttachJob], limits: &Limits) -> Vec<Option<Failure>> {
    let mut failures = Vec::new();
    let mut sinks: BTreeMap<String, &Arc<dyn Sink>> = BTreeMap::new();
    for AttachJob { images, sink, .. } in jobs {
        let mut failure = None;
        for image in images.iter().filter(|image| !image.added().is_empty()) {
            sinks.insert(sink.origin().to_string(), sink);
            if let Err(error) = image.attach(sink.as_ref(), limits).await {
                failure = Some(error.into());
                break;
            }
        }
        failures.push(failure);
    }
    for (origin, sink) in sinks {
        let Err(error) = sink.finish().await else { continue };
        let failure = Failure::from(error);
        let here = jobs.iter().zip(&mut failures).filter(|(job, _)| job.sink.origin().to_string() == origin);
        here.for_each(|(_, lost)| *lost = Some(failure.clone()));
    }
    failures
}

/// The failure for a token that is not attached: with the file and the reason.
fn refused(file: &Path, error: &TimestampingError) -> Failure {
    let message = format!("{}: {error}; nothing was attached", file.display());
    let failure = if error.is_undetermined() { Failure::unknown(message) } else { Failure::refused(message) };
    let failure = Failure { code: error.code(), ..failure };
    match error {
        TimestampingError::NoSignature => {
            failure.hint("give the images of all tokens in one command; --all-platforms if they are in an index")
        }
        _ => failure,
    }
}

impl AttachJob {
    fn shown(&self) {
        for Placed { done, referrer, subject, token } in &self.lines {
            render::line(format_args!("{done} {subject}  {}", self.reference));
            render::line(format_args!("  {referrer}  {}", token.display()));
        }
    }
}
