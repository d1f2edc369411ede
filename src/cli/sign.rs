//! The command `sign`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulla::envelope::Forms;
use bulla::limits::Limits;
use bulla::oci::NotaryManifest;
use bulla::oci::Subject;
use bulla::ops::OpsError;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::sign::Signed;
use bulla::ops::sign::SignedPlatforms;
use bulla::report::SignResult;
use bulla::store::Sink;
use bulla::store::Task;
use bulla::store::parallel;
use bulla::time::Time;

use super::args::ImageFormat;
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
use super::signing_chains;
use super::stores::Stores;
use super::verifiers;
use super::witnesses;
use super::witnesses::AskedWitnesses;

/// The number of references that are signed at the same time.
const AT_ONCE: usize = 16;

/// The signatures of one reference, and the store that they are in.
type SignedIn = (Arc<dyn Sink>, SignOutcome);

/// The signatures that were made, and the failure that ended the work, if there was one.
pub(super) type SignOutcome = (Vec<Signed>, Option<Failure>);

/// The future that signs one subject. Its error may say what was signed before it.
pub(super) type SignTask<'a> = Task<'a, Result<Vec<Signed>, OpsError>>;

/// A store, and the subjects in it to sign.
pub(super) type Pinned = (Arc<dyn Sink>, Vec<Subject>);

pub(super) fn sign(args: &SignArgs, now: Time) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.references)?;
    let limits = Limits::DEFAULT;
    verifiers::check_annotations(&args.annotations)?;
    let forms = ImageFormat::forms(&args.format);
    let chains = signing_chains::read(args, &forms, now, &limits)?;
    let named = witnesses::read(&args.certificates.witnesses, &forms, &args.registry.tls_ca, now, &limits)?;
    let asked = named.asked();
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, &references)?;
    let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    // Deriving a key from the passphrase is slow by design, so the references are resolved at the same time.
    let (signers, pinned) = std::thread::scope(|scope| {
        let signers = scope.spawn(|| keys::signers(&args.key, &args.keys));
        let pinned = runtime.block_on(resolve(&stores, &references, platforms, &limits));
        (signers.join(), pinned)
    });
    let signers = signers.map_err(|_| Failure::unknown("the keys could not be read"))??;
    let signers = signing_chains::identities(&signers, &chains, &forms)?;
    let options = options(args, forms, now, &asked)?;
    let when = when(args.if_missing);
    let (given, options, limits) = (signers.as_slice(), &options, &limits);
    let sign = |sink: Arc<dyn Sink>, subject| -> SignTask<'_> {
        Box::pin(async move {
            let sink = sink.as_ref();
            match args.dry_run {
                true => sign::plan(sink, &subject, given, options, when, limits).await,
                false => sign::sign(sink, &subject, given, options, when, limits).await,
            }
        })
    };
    let mut exit = Exit::Yes;
    let mut reports = Results::of("sign", args.output);
    runtime.block_on(for_each(&references, &pinned, sign, |reference, outcome| {
        let (signed, failure) = &outcome;
        match args.output {
            ResultsOutput::Text => {
                match args.dry_run {
                    true => signatures::would_sign(reference, signed, &options.forms),
                    false => signatures::signed(reference, signed),
                }
                failure.iter().for_each(|failure| render::failure(&failure.clone().of(reference, &references)));
            }
            ResultsOutput::Json | ResultsOutput::Jsonl => {
                let result = report(reference, &outcome);
                reports.add(if args.dry_run { result.as_dry_run() } else { result });
            }
        }
        exit = exit.and(failure.as_ref().map_or(Exit::Yes, |failure| failure.exit));
    }));
    reports.end();
    Ok(exit)
}

fn options<'a>(
    args: &SignArgs,
    forms: Forms,
    now: Time,
    asked: &'a AskedWitnesses<'_>,
) -> Result<SignOptions<'a>, Failure> {
    Ok(SignOptions {
        annotations: args.annotations.iter().cloned().collect(),
        created: now,
        expiry: signing_chains::expiry(args.certificates.expiry, now)?,
        forms,
        notary_manifest: args.certificates.notary_manifest.map(NotaryManifest::from).unwrap_or_default(),
        reference: args.signed_reference.clone(),
        timestamping: asked.timestamping(),
        witnessing: asked.witnessing(),
    })
}

/// The result for one reference, for a JSON report.
pub(super) fn report<'a>(reference: &str, (signed, failure): &'a SignOutcome) -> SignResult<'a> {
    match failure {
        None => SignResult::of(reference, signed),
        Some(failure) => SignResult::failed(reference, signed, failure.reported()),
    }
}

/// The meaning of `--if-missing`.
pub(super) const fn when(if_missing: bool) -> SignWhen {
    if if_missing { SignWhen::IfMissing } else { SignWhen::Always }
}

/// Resolves references to subjects, each once.
pub(super) async fn resolve(
    stores: &Stores,
    references: &[String],
    platforms: SignedPlatforms,
    limits: &Limits,
) -> Vec<Result<Pinned, Failure>> {
    let tasks = references.iter().map(|reference| -> Task<'_, Result<Pinned, Failure>> {
        Box::pin(async move {
            let (sink, tag_or_digest) = stores.existing_sink(reference)?;
            let subjects = sign::subjects(sink.as_ref(), &tag_or_digest, platforms, limits).await?;
            Ok((sink, subjects))
        })
    });
    parallel::run(tasks.collect(), AT_ONCE).await
}

/// Calls `work` with each subject, finishes each store once, and reports the results in the order of the references. A
/// result is reported as soon as it and all earlier ones are known, so a run that is killed has reported what it did.
/// Results of a layout or archive are reported after it was finished. A subject that fails ends the work on its
/// reference; the signatures that were attached before that remain, and are reported.
pub(super) async fn for_each<'a>(
    references: &[String],
    pinned: &'a [Result<Pinned, Failure>],
    work: impl Fn(Arc<dyn Sink>, Subject) -> SignTask<'a> + Sync,
    mut report: impl FnMut(&str, SignOutcome),
) {
    let reference = |number: usize| references.get(number).map_or("", String::as_str);
    let work = &work;
    let lost = || Failure::unknown("an internal task failed");
    let failed = |failure| -> SignOutcome { (Vec::new(), Some(failure)) };
    let sign = |number: usize| -> Task<'_, Result<SignedIn, Failure>> {
        let pinned = pinned.get(number).cloned().unwrap_or_else(|| Err(lost()));
        Box::pin(async move {
            let (sink, subjects) = pinned?;
            let mut signed = Vec::new();
            for subject in subjects {
                match work(Arc::clone(&sink), subject).await {
                    Ok(more) => signed.extend(more),
                    Err(error) => {
                        signed.extend_from_slice(error.partly_signed());
                        return Ok((sink, (signed, Some(error.into()))));
                    }
                }
            }
            Ok((sink, (signed, None)))
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
            false => report(reference(number), result.map_or_else(failed, |(_, outcome)| outcome)),
        }
    };
    parallel::in_order(references.len(), AT_ONCE, first_try, sign, take).await;
    held.extend((taken..references.len()).map(|number| (number, Err(lost()))));
    // Each store is finished once. If that fails, nothing in it was signed.
    let mut unfinished = BTreeMap::new();
    let sinks: BTreeMap<_, _> = pinned.iter().flatten().map(|(sink, _)| (sink.origin().to_string(), sink)).collect();
    for (origin, sink) in sinks {
        if let Err(error) = sink.finish().await {
            unfinished.insert(origin, Failure::from(error));
        }
    }
    for (number, result) in held {
        let kept = |(sink, outcome): SignedIn| match unfinished.get(&sink.origin().to_string()) {
            Some(failure) => failed(failure.clone()),
            None => outcome,
        };
        report(reference(number), result.map_or_else(failed, kept));
    }
}
