//! The command `sign`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulla::envelope::SigningIdentity;
use bulla::limits::Limits;
use bulla::oci::Subject;
use bulla::ops::sign;
use bulla::ops::sign::Extent;
use bulla::ops::sign::Repeat;
use bulla::ops::sign::Signed;
use bulla::ops::sign::Terms;
use bulla::report::SignResult;
use bulla::store::Sink;
use bulla::store::Task;
use bulla::store::parallel;
use bulla::time::Time;

use super::args::ResultsOutput;
use super::args::SignArgs;
use super::exit::Exit;
use super::exit::Failure;
use super::keys;
use super::reference_list;
use super::render;
use super::results::Results;
use super::runtime::Runtime;
use super::runtime::Work;
use super::signatures;
use super::stores::Stores;
use super::verify;

/// How many references are signed at a time.
const AT_ONCE: usize = 16;

/// A store, and what in it is to be signed.
pub(super) type Pinned = (Arc<dyn Sink>, Vec<Subject>);

pub(super) fn sign(args: &SignArgs, now: Time) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.references)?;
    let limits = Limits::DEFAULT;
    verify::check_annotations(&args.annotations)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, &references)?;
    let extent = if args.all_platforms { Extent::AllPlatforms } else { Extent::Root };
    // While the passphrase is turned into a key, which is made to take long, the references are resolved.
    let (signers, pinned) = std::thread::scope(|scope| {
        let signers = scope.spawn(|| keys::signers(&args.key, &args.keys));
        let pinned = runtime.block_on(resolve(&stores, &references, extent, &limits));
        (signers.join(), pinned)
    });
    let signers = signers.map_err(|_| Failure::unknown("the keys could not be read"))??;
    let signers: Vec<_> = signers.iter().map(|signer| SigningIdentity::new(signer.as_ref())).collect();
    let terms = Terms {
        annotations: args.annotations.iter().cloned().collect(),
        created: now,
        forms: args.format.signature(),
        reference: args.signed_reference.clone(),
    };
    let repeat = repeat(args.if_missing);
    let (given, terms, limits) = (signers.as_slice(), &terms, &limits);
    let results = runtime.block_on(for_each(pinned, |sink, subject| {
        Box::pin(async move {
            let sink = sink.as_ref();
            Ok(match args.dry_run {
                true => sign::plan(sink, &subject, given, terms, repeat, limits).await?,
                false => sign::sign(sink, &subject, given, terms, repeat, limits).await?,
            })
        })
    }));
    let mut exit = Exit::Yes;
    let mut reports = Results::of("sign", args.output);
    for (reference, result) in references.iter().zip(results) {
        match (args.output, &result) {
            (ResultsOutput::Text, Ok(signed)) if args.dry_run => signatures::would_sign(reference, signed),
            (ResultsOutput::Text, Ok(signed)) => signatures::signed(reference, signed),
            (ResultsOutput::Text, Err(failure)) => render::failure(&failure.clone().of(reference, &references)),
            (ResultsOutput::Json | ResultsOutput::Jsonl, _) => {
                let result = report(reference, &result);
                reports.add(if args.dry_run { result.as_dry_run() } else { result });
            }
        }
        exit = exit.and(result.map_or_else(|failure| failure.exit, |_| Exit::Yes));
    }
    reports.end();
    Ok(exit)
}

/// What came of one reference, as a report has it.
pub(super) fn report<'a>(reference: &str, result: &'a Result<Vec<Signed>, Failure>) -> SignResult<'a> {
    match result {
        Ok(signed) => SignResult::of(reference, signed),
        Err(failure) => SignResult::failed(reference, failure.reported()),
    }
}

/// What `--if-missing` means.
pub(super) const fn repeat(if_missing: bool) -> Repeat {
    if if_missing { Repeat::IfMissing } else { Repeat::Always }
}

/// The subjects that references stand for, each resolved once.
pub(super) async fn resolve(
    stores: &Stores,
    references: &[String],
    extent: Extent,
    limits: &Limits,
) -> Vec<Result<Pinned, Failure>> {
    let tasks = references.iter().map(|reference| -> Task<'_, Result<Pinned, Failure>> {
        Box::pin(async move {
            let (sink, tag_or_digest) = stores.existing_sink(reference)?;
            let subjects = sign::subjects(sink.as_ref(), &tag_or_digest, extent, limits).await?;
            Ok((sink, subjects))
        })
    });
    parallel::run(tasks.collect(), AT_ONCE).await
}

/// Does `work` for each subject, and brings each store up to date once.
pub(super) async fn for_each<'a>(
    pinned: Vec<Result<Pinned, Failure>>,
    work: impl Fn(Arc<dyn Sink>, Subject) -> Task<'a, Result<Vec<Signed>, Failure>> + Sync,
) -> Vec<Result<Vec<Signed>, Failure>> {
    let work = &work;
    let sinks: BTreeMap<_, _> =
        pinned.iter().flatten().map(|(sink, _)| (sink.origin().to_string(), sink.clone())).collect();
    let task = |pinned: Result<Pinned, Failure>| -> Task<'_, Result<(String, Vec<Signed>), Failure>> {
        Box::pin(async move {
            let (sink, subjects) = pinned?;
            let mut signed = Vec::new();
            for subject in subjects {
                signed.extend(work(Arc::clone(&sink), subject).await?);
            }
            Ok((sink.origin().to_string(), signed))
        })
    };
    let signed = parallel::run(pinned.into_iter().map(task).collect(), AT_ONCE).await;
    // A store is brought up to date once, whatever was signed in it; what it then does not keep is not signed.
    let mut unfinished = BTreeMap::new();
    for (origin, sink) in sinks {
        if let Err(error) = sink.finish().await {
            unfinished.insert(origin, Failure::from(error));
        }
    }
    let kept = |(origin, signed)| match unfinished.get(&origin) {
        Some(failure) => Err(failure.clone()),
        None => Ok(signed),
    };
    signed.into_iter().map(|signed| signed.and_then(kept)).collect()
}
