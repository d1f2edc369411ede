//! The command `timestamp attach`: pushes nothing until every token was verified and found to be about a signature.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::timestamp;
use bulla::ops::timestamp::AddedTimestamp;
use bulla::ops::timestamp::ImageSignatures;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::witness::WitnessTrust;
use bulla::report::Report;
use bulla::report::TimestampAttachResult;
use bulla::store::Sink;
use bulla::time::Time;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::keys;
use crate::cli::reference_list;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::sign;
use crate::cli::stores::Stores;
use crate::cli::timestamp::answers;
use crate::cli::timestamp::answers::Answer;
use crate::cli::timestamp::answers::not_attached;
use crate::cli::timestamp::args::TimestampAttachArgs;
use crate::cli::timestamp::attach_files;
use crate::cli::timestamp::left_out::left_out;
use crate::cli::timestamp::trust::NamedAuthorities;

/// The images of one reference, their signatures, and what was done with the answers.
struct AttachJob {
    images: Vec<ImageSignatures>,
    lines: Vec<Placed>,
    /// What was done with each answer for an image, by its position in `images`.
    placed: Vec<(usize, PathBuf, AddedTimestamp)>,
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
    let authorities = NamedAuthorities::read(&args.timestamp_roots, args.trusted_root.as_deref(), now, &limits)?;
    let trust = authorities.trust().ok_or_else(|| Failure::unknown("no timestamp authority is trusted"))?;
    let keys = keys::public_keys(&args.signatures.key, &args.signatures.token)?;
    let answers = answers::read(&args.answers, &limits)?;
    match args.signatures.bundle.as_slice() {
        [] => attach_to_images(args, &keys, &answers, trust, &limits),
        bundles => attach_files::attach(bundles, (&keys, trust), &answers, args.output, &limits),
    }
}

fn attach_to_images(
    args: &TimestampAttachArgs,
    keys: &[PublicKey],
    answers: &[Answer],
    trust: WitnessTrust<'_>,
    limits: &Limits,
) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.signatures.references)?;
    let stores = Stores::new(&args.registry, &references)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let platforms = if args.signatures.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    let mut jobs = runtime.block_on(find(&stores, &references, platforms, keys, limits))?;
    for answer in answers {
        place(answer, &mut jobs, trust, limits)?;
    }
    jobs.iter_mut().for_each(AttachJob::report);
    let failures = runtime.block_on(push(&jobs, limits));
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

/// The signatures of the images of each reference.
async fn find(
    stores: &Stores,
    references: &[String],
    platforms: SignedPlatforms,
    keys: &[PublicKey],
    limits: &Limits,
) -> Result<Vec<AttachJob>, Failure> {
    let mut jobs = Vec::new();
    for (reference, pinned) in references.iter().zip(sign::resolve(stores, references, platforms, limits).await) {
        let (sink, subjects) = pinned.map_err(|failure| failure.of(reference, references))?;
        let mut images = Vec::new();
        for subject in &subjects {
            let found = timestamp::find_all(sink.as_ref(), subject, keys, limits).await;
            images.push(found.map_err(|error| Failure::from(error).of(reference, references))?);
        }
        let (reference, mut result) = (reference.clone(), TimestampAttachResult::new(reference));
        images.iter().flat_map(ImageSignatures::left_out).for_each(|skipped| result.skip(skipped));
        jobs.push(AttachJob { images, lines: Vec::new(), placed: Vec::new(), reference, result, sink });
    }
    Ok(jobs)
}

/// Adds a timestamp to the signatures that it is about, in all images.
fn place(
    (file, response): &Answer,
    jobs: &mut [AttachJob],
    trust: WitnessTrust<'_>,
    limits: &Limits,
) -> Result<(), Failure> {
    let (mut is_placed, mut fault) = (false, TimestampingError::NoSignature);
    for AttachJob { images, placed, .. } in jobs {
        for (position, image) in images.iter_mut().enumerate() {
            match image.add(response, trust, limits) {
                Ok(answer) => {
                    is_placed = true;
                    placed.push((position, file.clone(), answer));
                }
                Err(TimestampingError::NoSignature) => {}
                Err(error) => fault = error,
            }
        }
    }
    if is_placed { Ok(()) } else { Err(not_attached(file, &fault)) }
}

/// Pushes the new signature manifests. Each store is finished once, and only if something was pushed to it. Returns the
/// failure of each job.
async fn push(jobs: &[AttachJob], limits: &Limits) -> Vec<Option<Failure>> {
    let mut failures = Vec::new();
    let mut sinks: BTreeMap<String, &Arc<dyn Sink>> = BTreeMap::new();
    for AttachJob { images, sink, .. } in jobs {
        let mut failure = None;
        for image in images.iter().filter(|image| image.has_added()) {
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

impl AttachJob {
    /// Says what was done with the answers, once all are placed: a signature manifest may have the timestamps of several.
    fn report(&mut self) {
        for (position, token, answer) in &self.placed {
            let Some(image) = self.images.get(*position) else { continue };
            let subject = image.subject().digest();
            let mut line = |done, referrer: String| {
                self.lines.push(Placed { done, referrer, subject: subject.to_string(), token: token.clone() });
            };
            for referrer in answer.already.iter().map(|already| image.attached_as(already)) {
                self.result.add_timestamped(subject, &referrer, token);
                line("already timestamped", format!("referrer {referrer}"));
            }
            for made in &answer.added {
                let referrer = image.attached_as(made.attachment().manifest.digest());
                self.result.add(subject, made, &referrer, token);
                let (signature, latest) = (made.original(), made.proof().at());
                line("timestamped", format!("signature {signature}  referrer {referrer}  at {latest}"));
            }
        }
    }

    fn shown(&self) {
        for Placed { done, referrer, subject, token } in &self.lines {
            render::line(format_args!("{done} {subject}  {}", self.reference));
            render::line(format_args!("  {referrer}  {}", token.display()));
        }
    }
}
