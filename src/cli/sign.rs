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

/// The signatures of one reference, and the store that they are in.
type SignedIn = (Arc<dyn Sink>, Vec<Signed>);

/// The signatures of one subject, on their way.
pub(super) type SignTask<'a> = Task<'a, Result<Vec<Signed>, Failure>>;

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
    let sign = |sink: Arc<dyn Sink>, subject| -> SignTask<'_> {
        Box::pin(async move {
            let sink = sink.as_ref();
            Ok(match args.dry_run {
                true => sign::plan(sink, &subject, given, terms, repeat, limits).await?,
                false => sign::sign(sink, &subject, given, terms, repeat, limits).await?,
            })
        })
    };
    let mut exit = Exit::Yes;
    let mut reports = Results::of("sign", args.output);
    runtime.block_on(for_each(&references, &pinned, sign, |reference, result| {
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
    }));
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

/// Calls `work` with each subject, finishes each store once, and tells the result of each reference, in their order: as soon
/// as it and all before it are known, so that a run that is killed has told what it did. What a layout or archive holds
/// back until it is finished is told afterwards.
pub(super) async fn for_each<'a>(
    references: &[String],
    pinned: &'a [Result<Pinned, Failure>],
    work: impl Fn(Arc<dyn Sink>, Subject) -> SignTask<'a> + Sync,
    mut tell: impl FnMut(&str, Result<Vec<Signed>, Failure>),
) {
    let reference = |number: usize| references.get(number).map_or("", String::as_str);
    let work = &work;
    let lost = || Failure::unknown("an internal task failed");
    let sign = |number: usize| -> Task<'_, Result<SignedIn, Failure>> {
        let pinned = pinned.get(number).cloned().unwrap_or_else(|| Err(lost()));
        Box::pin(async move {
            let (sink, subjects) = pinned?;
            let mut signed = Vec::new();
            for subject in subjects {
                signed.extend(work(Arc::clone(&sink), subject).await?);
            }
            Ok((sink, signed))
        })
    };
    let sign = &sign;
    let first_try = |number| -> Task<'_, Option<_>> {
        let signed = sign(number);
        Box::pin(async move { Some(signed.await) })
    };
    let (mut held, mut taken) = (Vec::new(), 0);
    let take = |number, result: Result<SignedIn, Failure>| {
        taken = number + 1;
        let holds_back = result.as_ref().is_ok_and(|(sink, _)| !sink.moves_names());
        match holds_back || !held.is_empty() {
            true => held.push((number, result)),
            false => tell(reference(number), result.map(|(_, signed)| signed)),
        }
    };
    parallel::in_order(references.len(), AT_ONCE, first_try, sign, take).await;
    held.extend((taken..references.len()).map(|number| (number, Err(lost()))));
    // A store is finished once, whatever was signed in it; what it then does not keep is not signed.
    let mut unfinished = BTreeMap::new();
    let sinks: BTreeMap<_, _> = pinned.iter().flatten().map(|(sink, _)| (sink.origin().to_string(), sink)).collect();
    for (origin, sink) in sinks {
        if let Err(error) = sink.finish().await {
            unfinished.insert(origin, Failure::from(error));
        }
    }
    for (number, result) in held {
        let kept = |(sink, signed): SignedIn| match unfinished.get(&sink.origin().to_string()) {
            Some(failure) => Err(failure.clone()),
            None => Ok(signed),
        };
        tell(reference(number), result.and_then(kept));
    }
}
