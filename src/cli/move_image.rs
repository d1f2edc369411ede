//! The commands `copy` and `import`.

use std::sync::Arc;

use bulla::digest::Digest;
use bulla::envelope::AttestationFile;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Platform;
use bulla::oci::Reference;
use bulla::ops::copy;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::graph::Closure;
use bulla::ops::graph::Graph;
use bulla::ops::import;
use bulla::ops::layers::Depth;
use bulla::ops::loaded;
use bulla::ops::loaded::LoadedManifest;
use bulla::ops::naming::NameConflict;
use bulla::ops::pinned;
use bulla::ops::platform;
use bulla::ops::verify::Outcome;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::StatementKind;
use bulla::report::ImportResult;
use bulla::report::VerifyResult;
use bulla::store::Sink;
use bulla::time::Time;
use bulla::verify::VerifiedSubject;

use super::args::CopyArgs;
use super::args::ImportArgs;
use super::args::ResultsOutput;
use super::attestation_files;
use super::exit::Exit;
use super::exit::Failure;
use super::moves;
use super::moves::MovedImage;
use super::reference_list;
use super::render;
use super::results::Results;
use super::revocation;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores;
use super::stores::Stores;
use super::target::Sinks;
use super::target::Target;
use super::verdict;
use super::verifiers::Verifiers;
use super::verify;

/// The result of importing one image.
enum Imported {
    Declined(Box<Outcome>),
    Done(Vec<VerifiedSubject>, Box<MovedImage>),
}

/// The arguments that are the same for every image of a copy or import.
pub(super) struct MoveJob<'a> {
    pub(super) closure: Closure,
    pub(super) dry_run: bool,
    pub(super) limits: Limits,
    pub(super) platform: Option<Platform>,
    pub(super) stores: &'a Stores,
    pub(super) on_conflict: NameConflict,
    pub(super) target: &'a Target,
}

pub(super) fn copy(args: &CopyArgs) -> Result<Exit, Failure> {
    let platform = args.platform.as_deref().map(verify::platform).transpose()?;
    let typed = reference_list::expand(&args.places.sources)?;
    attestation_files::is_no_image(&typed)?;
    let target = Target::parse(&args.places.target)?;
    let stores = Stores::for_sides(&args.registry, &args.sides, &typed, &target.any_reference())?;
    let runtime = Runtime::new(Work::Moving)?;
    let sources = if args.all { runtime.block_on(all_images(&stores, &typed))? } else { typed };
    target.check_count(&sources)?;
    let closure = closure(args);
    let on_conflict = name_conflict(args.overwrite);
    let (dry_run, limits) = (args.dry_run, Limits::DEFAULT);
    let job = MoveJob { closure, dry_run, limits, platform, stores: &stores, on_conflict, target: &target };
    let mut sinks = Sinks::default();
    let mut exit = Exit::Yes;
    let mut reports = Results::of("copy", args.output);
    let mut report = |source: &str, result| exit = exit.and(report_copy(args, &sources, source, &result, &mut reports));
    let mut unfinished = Vec::new();
    for source in &sources {
        let result = runtime.block_on(copy_one(&job, &mut sinks, source));
        match &result {
            Ok(moved) if !args.dry_run && sinks.is_deferred(&moved.place) => unfinished.push((source, result)),
            // Results are reported in the order of the sources.
            _ if !unfinished.is_empty() => unfinished.push((source, result)),
            _ => report(source, result),
        }
    }
    // Each layout and archive is written once, with all that could be copied into it.
    let lost = if args.dry_run { Default::default() } else { runtime.block_on(sinks.finish()) };
    for (source, result) in unfinished {
        let kept = |moved: MovedImage| match lost.get(&moved.place) {
            Some(failure) => Err(failure.clone()),
            None => Ok(moved),
        };
        report(source, result.and_then(kept));
    }
    reports.end();
    Ok(exit)
}

/// What is copied of an image.
pub(super) const fn closure(args: &CopyArgs) -> Closure {
    match (args.evidence, args.without_referrers) {
        (true, _) => Closure::Evidence,
        (false, true) => Closure::Image,
        (false, false) => Closure::WithReferrers,
    }
}

/// Reports the result of copying one image, and returns its exit code.
fn report_copy(
    args: &CopyArgs,
    sources: &[String],
    source: &str,
    result: &Result<MovedImage, Failure>,
    reports: &mut Results,
) -> Exit {
    if let Ok(moved) = result {
        moves::note_skipped(source, &moved.copied);
        moves::note_index_signatures(source, moved);
        moves::note_loaded(source, moved);
    }
    match (args.output, result) {
        (ResultsOutput::Json | ResultsOutput::Jsonl, _) => {
            reports.add(moves::copy_result(source, &args.places.target, args.dry_run, result));
        }
        (ResultsOutput::Text, Ok(moved)) => moves::copied(source, &args.places.target, args.dry_run, moved),
        (ResultsOutput::Text, Err(failure)) => render::failure(&failure.clone().of(source, sources)),
    }
    result.as_ref().map_or_else(|failure| failure.exit, |_| Exit::Yes)
}

/// An image found at its source, with its graph, and the store that it is copied to.
pub(super) struct FoundImage {
    pub(super) digest: Digest,
    pub(super) graph: Graph,
    /// The index that the image is taken out of.
    pub(super) index: Option<Digest>,
    /// What `docker load` loads of it, if it goes into a docker-archive.
    loaded: Option<LoadedManifest>,
    /// What the source resolves the name to: an index, if the image is taken out of one.
    pub(super) named: Content,
    pub(super) names: Vec<String>,
    place: String,
    sink: Arc<dyn Sink>,
    pub(super) source: Arc<dyn bulla::store::Source>,
    pub(super) to: String,
}

pub(super) async fn find(job: &MoveJob<'_>, sinks: &mut Sinks, reference: &str) -> Result<FoundImage, Failure> {
    let (source, tag_or_digest) = job.stores.source(reference)?;
    let named = pinned::resolve(source.as_ref(), &tag_or_digest).await?;
    let root = named.clone();
    let platform = job.platform.as_ref();
    let (root, loaded) = match (platform, job.target.is_docker_archive() && job.closure != Closure::Evidence) {
        // The index stays, so that its signatures hold.
        (_, true) => {
            let loaded = loaded::choose(source.as_ref(), &root, platform, &job.limits).await?;
            (root, Some(loaded))
        }
        (Some(platform), false) => (platform::choose(source.as_ref(), root, platform, &job.limits).await?, None),
        (None, false) => (root, None),
    };
    let digest = *root.digest();
    let names = source.names_of(&tag_or_digest);
    let to = job.target.reference_for(reference, &names)?;
    let names = job.stores.names(reference, &to, &names, &digest)?;
    let graph = Graph::collect(source.as_ref(), root, job.closure, &job.limits).await?;
    // Open the destination only after the graph of the source was read completely.
    let (place, sink) = match job.closure {
        Closure::Evidence => sinks.open_for_evidence(job.stores, &to)?,
        Closure::Image | Closure::WithReferrers => sinks.open_for_copy(job.stores, &to, digest, loaded.as_ref())?,
    };
    let index = Some(*named.digest()).filter(|named| *named != digest);
    Ok(FoundImage { digest, graph, index, loaded, named, names, place, sink, source, to })
}

async fn copy_one(job: &MoveJob<'_>, sinks: &mut Sinks, reference: &str) -> Result<MovedImage, Failure> {
    let found = find(job, sinks, reference).await?;
    copy_found(job, sinks, found).await
}

/// Copies an image that was found, or plans that for a dry run.
pub(super) async fn copy_found(job: &MoveJob<'_>, sinks: &mut Sinks, found: FoundImage) -> Result<MovedImage, Failure> {
    let FoundImage { digest, graph, index, loaded, names, place, sink, source, to, .. } = found;
    sinks.check_unused(&place, &names, &digest)?;
    let copied = match job.dry_run {
        true => copy::plan(&sink, &graph, &names, job.on_conflict).await?,
        false => {
            sink.mark();
            let copied = copy::copy(&source, &sink, &graph, &names, job.on_conflict, &job.limits).await;
            copied.inspect_err(|_| sink.rollback())?
        }
    };
    sinks.record(&place, &names, &digest);
    let written = stores::written(&to, &copied.named)?;
    Ok(MovedImage { copied, digest, index, loaded, place, read: None, written })
}

pub(super) fn import(args: &ImportArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let files = evidence_files(args, &limits)?;
    let kinds = StatementKind::ImageSignature.into();
    let verifiers = Verifiers::new(&args.required, &kinds, now, &limits, |verifier| verifier)?;
    let typed = reference_list::expand(&args.places.sources)?;
    let target = Target::parse(&args.places.target)?;
    let stores = Stores::for_sides(&args.registry, &args.sides, &typed, &target.any_reference())?;
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let runtime = Runtime::new(Work::Moving)?;
    let sources = if args.all { runtime.block_on(all_images(&stores, &typed))? } else { typed };
    target.check_count(&sources)?;
    let platforms = if args.all_platforms { Platforms::All } else { Platforms::Root };
    let on_conflict = name_conflict(args.overwrite);
    let (closure, dry_run) = (Closure::Image, args.dry_run);
    let job = MoveJob { closure, dry_run, limits, platform: None, stores: &stores, on_conflict, target: &target };
    let mut sinks = Sinks::default();
    let mut exit = Exit::Yes;
    let mut reports = Results::of("import", args.output).by(verifiers.trusted_root());
    let mut report =
        |source: &str, imported| exit = exit.and(report_import(args, &sources, source, imported, &mut reports));
    let mut unfinished = Vec::new();
    for source in &sources {
        let imported = verifiers.of(source).and_then(|verifier| {
            let (until, depth) = (DiscoverUntil::AllFound, Depth::Manifests);
            let revocation = lookup.as_ref();
            let (limits, files) = (&job.limits, files.as_slice());
            let options = VerifyOptions { verifier, until, now, depth, revocation, limits, files };
            runtime.block_on(import_one(&job, &mut sinks, source, &platforms, options))
        });
        match &imported {
            Ok(Imported::Done(_, moved)) if !args.dry_run && sinks.is_deferred(&moved.place) => {
                unfinished.push((source, imported));
            }
            // Results are reported in the order of the sources.
            _ if !unfinished.is_empty() => unfinished.push((source, imported)),
            _ => report(source, imported),
        }
    }
    // Each layout and archive is written once, with all that could be imported into it.
    let lost = if args.dry_run { Default::default() } else { runtime.block_on(sinks.finish()) };
    for (source, imported) in unfinished {
        let place = match &imported {
            Ok(Imported::Done(_, moved)) => moved.place.as_str(),
            _ => "",
        };
        match lost.get(place).cloned() {
            Some(failure) => report(source, Err(failure)),
            None => report(source, imported),
        }
    }
    revocation::note_left_behind(lookup.as_ref());
    revocation::report_problems(lookup);
    reports.end();
    Ok(exit)
}

/// Reports the result for one image of an import, and returns its exit code.
fn report_import(
    args: &ImportArgs,
    sources: &[String],
    source: &str,
    imported: Result<Imported, Failure>,
    reports: &mut Results,
) -> Exit {
    let exit = match &imported {
        Ok(Imported::Done(..)) => Exit::Yes,
        Ok(Imported::Declined(outcome)) => verify::exit_of(outcome),
        Err(failure) => failure.exit,
    };
    if let Ok(Imported::Done(_, moved)) = &imported {
        moves::note_skipped(source, &moved.copied);
    }
    match (args.output, imported) {
        (ResultsOutput::Text, Ok(Imported::Declined(outcome))) => verdict::outcome(source, &outcome, &args.required),
        (ResultsOutput::Text, Ok(Imported::Done(verified, moved))) => {
            moves::imported(source, &args.places.target, args.dry_run, &verified, &moved);
        }
        (ResultsOutput::Text, Err(failure)) => render::failure(&failure.of(source, sources)),
        (_, Ok(Imported::Declined(outcome))) => reports.add(VerifyResult::of(source, &outcome)),
        (_, Ok(Imported::Done(verified, moved))) => {
            let summary = moved.summary(source, &args.places.target, args.dry_run);
            reports.add(ImportResult::of(summary, &moved.digest, &verified, moved.read.as_ref()));
        }
        (_, Err(failure)) => reports.add(VerifyResult::failed(source, failure.exit.into(), failure.reported())),
    }
    exit
}

/// The files of `--evidence` of an import. An archive of `docker save` with a place of evidence beside it is not imported.
pub(super) fn evidence_files(args: &ImportArgs, limits: &Limits) -> Result<Vec<AttestationFile>, Failure> {
    if args.evidence.iter().any(|typed| !attestation_files::is_one(typed)) {
        return Err(signed_digest_lost());
    }
    if args.required.notation.trust_policy.is_some() && !args.evidence.is_empty() {
        return Err(attestation_files::no_notary_signatures());
    }
    attestation_files::read(&args.evidence, limits)
}

/// Why an archive of `docker save` with evidence beside it is not imported.
fn signed_digest_lost() -> Failure {
    let message = "an image cannot be imported by evidence from elsewhere and keep the digest that was signed: a file of \
                   `docker save` has the unpacked layers, and the signed manifest names the compressed ones";
    let copy = "carry the image itself: bulla copy REF oci-archive:app.tar, then bulla import oci-archive:app.tar DST";
    Failure { code: "evidence-only", ..Failure::unknown(message) }.hint(copy)
}

/// Verifies one image and pushes it only if it verifies. An image that is refused writes nothing, and does not stop the
/// import of the others.
async fn import_one(
    job: &MoveJob<'_>,
    sinks: &mut Sinks,
    reference: &str,
    platforms: &Platforms,
    options: VerifyOptions<'_>,
) -> Result<Imported, Failure> {
    let (source, tag_or_digest) = job.stores.source(reference)?;
    let graph = match import::check(source.as_ref(), &tag_or_digest, platforms, options).await {
        Ok(graph) => graph,
        Err(not_verified) => {
            return not_verified
                .into_outcome()
                .map(|outcome| Imported::Declined(Box::new(outcome.without_documents())))
                .map_err(Failure::from);
        }
    };
    let Some(digest) = graph.digest().copied() else { return Err(Failure::unknown("nothing to import")) };
    let names = source.names_of(&tag_or_digest);
    let to = job.target.reference_for(reference, &names)?;
    let names = job.stores.names(reference, &to, &names, &digest)?;
    let (place, sink) = sinks.open(job.stores, &to)?;
    sinks.check_unused(&place, &names, &digest)?;
    let (copied, read) = match job.dry_run {
        true => {
            let planned = import::plan(&source, &sink, &graph, &names, job.on_conflict, options).await?;
            (planned.0, Some(planned.1))
        }
        false => {
            sink.mark();
            let copied = import::push(&source, &sink, &graph, &names, job.on_conflict, options).await;
            (copied.inspect_err(|_| sink.rollback())?, None)
        }
    };
    sinks.record(&place, &names, &digest);
    let written = stores::written(&to, &copied.named)?;
    let verified = graph.into_verified().into_iter().map(VerifiedSubject::without_documents).collect();
    let moved = MovedImage { copied, digest, index: None, loaded: None, place, read, written };
    Ok(Imported::Done(verified, Box::new(moved)))
}

/// The references of all images in these layouts, archives and repositories, for `--all`.
pub(super) async fn all_images(stores: &Stores, places: &[String]) -> Result<Vec<String>, Failure> {
    let mut references = Vec::new();
    for place in places {
        if stores::names_an_image(place)? {
            let message = format!("`{place}` names one image, but --all means all images there");
            let reference: Reference = place.parse()?;
            return Err(Failure::unknown(message).hint(format!(
                "{}, or leave out --all: all platforms of an image are copied anyway",
                reference.location()
            )));
        }
        let images = stores.open_to_list(place)?.images().await?;
        if images.is_empty() {
            return Err(Failure::unknown(format!("`{place}` holds no image")));
        }
        for image in images {
            let digest = image.descriptor.map(|descriptor| descriptor.digest);
            references.push(stores::reference_of(place, image.name.as_deref(), digest)?);
        }
    }
    Ok(references)
}

pub(super) fn name_conflict(overwrite: bool) -> NameConflict {
    if overwrite { NameConflict::Overwrite } else { NameConflict::Refuse }
}
