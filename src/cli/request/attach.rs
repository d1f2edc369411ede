//! The command `request attach`: pushes nothing until every response was verified and enough owners signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::line::Foreign;
use crate::cli::render;
use crate::cli::request::args::RequestAttachArgs;
use crate::cli::request::documents;
use crate::cli::request::file_signatures;
use crate::cli::request::file_signatures::FileSignatures;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use bulla::files::Overwrite;
use bulla::limits::Limits;
use bulla::ops;
use bulla::ops::request::AttachedSignatures;
use bulla::report::AttachResult;
use bulla::report::Report;
use bulla::report::ReportedError;
use bulla::request::ApprovedItem;
use bulla::request::ApprovedRequest;
use bulla::request::NotApproved;
use bulla::request::SigningRequest;
use bulla::request::UnapprovedItem;
use bulla::request::approve;
use bulla::store::Sink;
use bulla::store::Task;
use bulla::store::parallel;

/// The number of missing or failed items in a message. The JSON report has all of them.
const SHOWN: usize = 12;

/// The error code if too few owners signed.
const MISSING: &str = "owners-missing";

/// The approved items of one image in one repository, layout or archive.
struct AttachJob<'a> {
    items: Vec<ApprovedItem<'a>>,
    /// The reference of the image, by digest.
    pinned: String,
    place: String,
}

pub(super) fn attach(args: &RequestAttachArgs) -> Result<Exit, Failure> {
    let request = documents::load(&args.request, &args.expected, &args.token)?;
    let response = documents::responses(&args.responses, &request)?;
    let approved = approve(&request, &response).map_err(|error| documents::failure(&args.request, error))?;
    let approved = match approved {
        Ok(approved) => approved,
        Err(missing) => {
            if args.output == Output::Json {
                render::report(&Report::new("request attach", unapproved_results(&request, &missing)));
            }
            return Err(refused(&request, &missing));
        }
    };
    let signatures = FileSignatures::of(&approved, &args.file_dir)?;
    let jobs = jobs(&approved);
    let stores = Stores::new(&args.registry, jobs.iter().map(|job| job.pinned.as_str()))?;
    let runtime = Runtime::new(Work::Waiting)?;
    // From here on every failure says what was written.
    file_signatures::write(&signatures, if args.overwrite { Overwrite::Replace } else { Overwrite::Refuse })?;
    let results = runtime.block_on(push(&stores, &jobs, request.created(), args.jobs));
    if args.output == Output::Json {
        let images = jobs.iter().zip(&results).map(|(job, result)| attach_result(job, result));
        let files = signatures.iter().map(|file| AttachResult::of_file(file.name, file.paths()));
        render::report(&Report::new("request attach", images.chain(files).collect()));
    }
    let failed: Vec<_> =
        jobs.iter().zip(&results).filter_map(|(job, result)| Some((job, result.as_ref().err()?))).collect();
    let done = jobs.len().saturating_sub(failed.len());
    if !failed.is_empty() {
        let mut failure = unfinished(done, &failed);
        failure.details.extend(signatures.iter().map(|file| format!("wrote     {}", written_line(file))));
        return Err(failure);
    }
    if args.output == Output::Text {
        for (job, attached) in jobs.iter().zip(results.iter().flatten()) {
            render::line(format_args!("attached {}", line(job, attached)));
        }
        for file in &signatures {
            render::line(format_args!("wrote    {}", written_line(file)));
        }
    }
    Ok(Exit::Yes)
}

/// The results for the items that too few owners signed, for a JSON report.
fn unapproved_results<'a>(request: &'a SigningRequest, missing: &NotApproved) -> Vec<AttachResult<'a>> {
    let line = |unapproved: &UnapprovedItem| {
        let error = ReportedError::new(MISSING, signers_of(unapproved));
        let file = unapproved.place.checked_sub(request.items().len()).and_then(|place| request.files().get(place));
        match file {
            Some(file) => AttachResult::file_failed(file.name(), error),
            None => AttachResult::failed(request.names().nth(unapproved.place), error),
        }
    };
    missing.items.iter().map(line).collect()
}

fn signers_of(unapproved: &UnapprovedItem) -> String {
    let signed: Vec<_> = unapproved.signed.iter().map(ToString::to_string).collect();
    let by = if signed.is_empty() { "nobody".to_owned() } else { signed.join(", ") };
    format!("signed by {by}, {} more needed", unapproved.missing)
}

/// The refusal, with the owners who are missing and the items that they have not signed.
fn refused(request: &SigningRequest, missing: &NotApproved) -> Failure {
    let message = format!(
        "{} of {} items are not signed by {} owners; nothing was attached",
        missing.items.len(),
        missing.total,
        missing.want
    );
    let mut details: Vec<_> = missing
        .owners
        .iter()
        .filter(|(_, whole)| *whole < missing.total)
        .map(|(owner, whole)| match missing.unfinished.get(owner) {
            Some(count) => format!("missing   {owner}: not finished: {count} of {} signatures", missing.signatures),
            None => format!("missing   {owner}: signed {whole} of {}", missing.total),
        })
        .collect();
    for unapproved in missing.items.iter().take(SHOWN) {
        let name = request.names().nth(unapproved.place).unwrap_or_default();
        details.push(format!("item {}  {name}: {}", unapproved.place.saturating_add(1), signers_of(unapproved)));
    }
    if missing.items.len() > SHOWN {
        details.push(format!("and {} more items", missing.items.len() - SHOWN));
    }
    let hint = "ask a missing owner for a response: bulla request sign REQUEST --key KEY -o RESPONSE";
    Failure { code: MISSING, details, ..Failure::refused(message).hint(hint) }
}

fn jobs<'a>(approved: &ApprovedRequest<'a>) -> Vec<AttachJob<'a>> {
    let mut jobs: BTreeMap<String, AttachJob<'a>> = BTreeMap::new();
    for approved in approved.items() {
        let pinned = approved.item().pinned().to_string();
        let place = approved.item().reference.location();
        let job = jobs.entry(pinned.clone()).or_insert_with(|| AttachJob { items: Vec::new(), pinned, place });
        job.items.push(approved);
    }
    jobs.into_values().collect()
}

/// Pushes all jobs. Each store is opened once and finished once; a job is done when its store is finished.
async fn push(
    stores: &Stores,
    jobs: &[AttachJob<'_>],
    created: bulla::time::Time,
    at_once: usize,
) -> Vec<Result<AttachedSignatures, Failure>> {
    let limits = Limits::DEFAULT;
    let mut sinks: BTreeMap<&str, Result<Arc<dyn Sink>, Failure>> = BTreeMap::new();
    for job in jobs {
        let open = || stores.existing_sink(&job.pinned).map(|(sink, _)| sink);
        sinks.entry(&job.place).or_insert_with(open);
    }
    let (sinks, limits) = (&sinks, &limits);
    let task =
        |job| -> Task<'_, Result<AttachedSignatures, Failure>> { Box::pin(push_one(sinks, job, created, limits)) };
    let mut results = parallel::run(jobs.iter().map(task).collect(), at_once).await;
    for (place, sink) in sinks {
        let Ok(sink) = sink else { continue };
        if let Err(error) = sink.finish().await {
            let failure = Failure::from(error);
            let here = jobs.iter().zip(&mut results).filter(|(job, _)| job.place == *place);
            here.for_each(|(_, result)| *result = Err(failure.clone()));
        }
    }
    results
}

async fn push_one(
    sinks: &BTreeMap<&str, Result<Arc<dyn Sink>, Failure>>,
    job: &AttachJob<'_>,
    created: bulla::time::Time,
    limits: &Limits,
) -> Result<AttachedSignatures, Failure> {
    match sinks.get(job.place.as_str()) {
        Some(Ok(sink)) => Ok(ops::request::attach(sink.as_ref(), &job.items, created, limits).await?),
        Some(Err(failure)) => Err(failure.clone()),
        None => Err(Failure::unknown(format!("{}: it was not opened", job.place))),
    }
}

fn line(job: &AttachJob<'_>, attached: &AttachedSignatures) -> String {
    let referrers = attached.referrers.iter().map(|digest| format!("referrer {digest}"));
    let tags = attached.tags.iter().map(|tag| format!("tag {tag}"));
    format!("{}  {}", job.pinned, referrers.chain(tags).collect::<Vec<_>>().join(", "))
}

/// A file and the paths of its signatures.
fn written_line(file: &FileSignatures<'_>) -> String {
    let paths: Vec<_> = file.paths().map(|path| path.display().to_string()).collect();
    format!("{}  {}", Foreign(&file.name), Foreign(&paths.join(", ")))
}

fn unfinished(done: usize, failed: &[(&AttachJob<'_>, &Failure)]) -> Failure {
    let total = done.saturating_add(failed.len());
    let message = format!("{done} of {total} images are done, {} are not", failed.len());
    let shown =
        failed.iter().take(SHOWN).map(|(job, failure)| format!("not done  {}: {}", job.pinned, failure.message));
    let more = failed.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("and {more} more; --output json has them all"));
    let hint = "run the same command again to attach the rest; images that are done stay as they are";
    Failure { details: shown.chain(more).collect(), ..Failure::unknown(message).hint(hint) }
}

fn attach_result<'a>(job: &AttachJob<'_>, result: &'a Result<AttachedSignatures, Failure>) -> AttachResult<'a> {
    match result {
        Ok(attached) => AttachResult::of(&job.pinned, attached),
        Err(failure) => AttachResult::failed(Some(job.pinned.clone()), failure.reported()),
    }
}
