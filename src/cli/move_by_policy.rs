//! The commands `copy --policy` and `import --policy`: an image is evaluated by its name at the destination, and moved only if
//! every policy lets it in.

use std::sync::Arc;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Reference;
use bulla::ops::graph::Closure;
use bulla::ops::layers::Layers;
use bulla::ops::local_name::LocalName;
use bulla::ops::pinned;
use bulla::ops::policy::PolicyGraph;
use bulla::ops::policy::PolicyOutcome;
use bulla::report::CopyResult;
use bulla::report::ImportResult;
use bulla::report::PolicyVerifyResult;
use bulla::report::VerifyResult;
use bulla::time::Time;

use super::args::CopyArgs;
use super::args::ImportArgs;
use super::args::PolicyArgs;
use super::args::ResultsOutput;
use super::args::TokenArgs;
use super::attestation_files;
use super::envelope_reader;
use super::exit::Exit;
use super::exit::Failure;
use super::move_image;
use super::move_image::MoveJob;
use super::moves;
use super::moves::MovedImage;
use super::policy_evaluator::EvaluatedByPolicies;
use super::policy_evaluator::EvaluatedName;
use super::policy_evaluator::PolicyEvaluator;
use super::policy_reports::PolicyReports;
use super::policy_set::PolicySet;
use super::policy_verdict;
use super::reference_list;
use super::render;
use super::results::Results;
use super::revocation;
use super::revocation::args::CopyRevocationArgs;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores;
use super::stores::Stores;
use super::target::Sinks;
use super::target::Target;
use super::verify;

/// What was done with one image.
struct MoveAnswer<'a> {
    evaluated: EvaluatedByPolicies<'a>,
    /// The index and the manifest of the platform, where every policy lets in the platform in the index, and not all of them
    /// the manifest alone.
    left_index: Option<(Digest, Digest)>,
    /// None if a policy does not let it in.
    moved: Option<MovedImage>,
}

/// What the report of a command needs of its arguments.
#[derive(Clone, Copy)]
struct MoveReport<'a> {
    command: &'static str,
    dry_run: bool,
    output: ResultsOutput,
    sources: &'a [String],
    target: &'a str,
}

pub(super) fn copy(args: &CopyArgs, now: Time) -> Result<Exit, Failure> {
    let mut reports = PolicyReports::begin(&args.policy, "copy", now)?;
    let done = copy_all(args, now, &mut reports);
    reports.end(done)
}

fn copy_all(args: &CopyArgs, now: Time, reports: &mut PolicyReports<'_>) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let policies = PolicySet::load(&args.policy, (&TokenArgs::default(), &args.registry), now, &limits, reports)?;
    let platform = args.platform.as_deref().map(verify::platform).transpose()?;
    let typed = reference_list::expand(&args.places.sources)?;
    attestation_files::is_no_image(&typed)?;
    let target = Target::parse(&args.places.target)?;
    let stores = Stores::for_sides(&args.registry, &args.sides, &typed, &target.any_reference())?;
    let CopyRevocationArgs { evidence, lookup: asked, envelope_reader: reader } = &args.revocation;
    let lookup = revocation::lookup(asked, &args.registry)?;
    let revocation =
        revocation::check_by_policies(evidence, Some(asked), policies.identities(), &limits)?.map(Arc::new);
    let runtime = Runtime::new(Work::Moving)?;
    let sources = if args.all { runtime.block_on(move_image::all_images(&stores, &typed))? } else { typed };
    target.check_count(&sources)?;
    one_name(&args.policy, &sources)?;
    let evaluator = PolicyEvaluator {
        evidence: &[],
        limits: &limits,
        lookup: lookup.as_ref(),
        now,
        platform: None,
        policies: &policies,
        revocation: revocation.as_ref(),
        strictness: envelope_reader::by_policies(*reader, policies.identities())?,
    };
    let job = MoveJob {
        closure: move_image::closure(args),
        dry_run: args.dry_run,
        limits: limits.clone(),
        platform,
        stores: &stores,
        on_conflict: move_image::name_conflict(args.overwrite),
        target: &target,
    };
    let (dry_run, output) = (args.dry_run, args.output);
    let report = MoveReport { command: "copy", dry_run, output, sources: &sources, target: &args.places.target };
    let exit = move_all(report, &runtime, reports, async |sinks, source| {
        copy_one(&job, sinks, source, &args.policy, evaluator).await
    });
    revocation::report_problems(lookup);
    exit
}

/// Judges one image by its name at the destination, and copies it only if every policy lets it in. One platform that is
/// taken out of an index has to be let in twice: in the index that was named, so that what says no about the index is not
/// left behind, and alone, as it will be at the destination.
async fn copy_one<'a>(
    job: &MoveJob<'_>,
    sinks: &mut Sinks,
    source: &str,
    args: &PolicyArgs,
    evaluator: PolicyEvaluator<'a>,
) -> Result<MoveAnswer<'a>, Failure> {
    let mut found = move_image::find(job, sinks, source).await?;
    let root = found.graph.root().cloned().ok_or_else(|| Failure::unknown("nothing to copy"))?;
    let (name, names) = name_at(&found.to, &found.names, args)?;
    found.names = names;
    let options = evaluator.options(&name);
    // The whole index goes into a docker-archive.
    let whole = options.with_platform(job.platform.as_ref().filter(|_| found.index.is_some()));
    let mut evaluated = evaluator.evaluate(found.source.as_ref(), &found.named, whole).await?;
    let mut left_index = None;
    if let (Exit::Yes, Some(index)) = (evaluated.exit(), found.index) {
        evaluated = evaluator.evaluate(found.source.as_ref(), &root, options).await?;
        left_index = Some((index, found.digest)).filter(|_| evaluated.exit() != Exit::Yes);
    }
    let moved = match evaluated.exit() {
        Exit::Yes => Some(move_image::copy_found(job, sinks, found).await?),
        Exit::Refused | Exit::Unknown => None,
    };
    Ok(MoveAnswer { evaluated, left_index, moved })
}

pub(super) fn import(args: &ImportArgs, now: Time) -> Result<Exit, Failure> {
    let mut reports = PolicyReports::begin(&args.policy, "import", now)?;
    let done = import_all(args, now, &mut reports);
    reports.end(done)
}

fn import_all(args: &ImportArgs, now: Time, reports: &mut PolicyReports<'_>) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let files = move_image::evidence_files(args, &limits)?;
    let policies = PolicySet::load(&args.policy, (&args.required.token, &args.registry), now, &limits, reports)?;
    let typed = reference_list::expand(&args.places.sources)?;
    let target = Target::parse(&args.places.target)?;
    let stores = Stores::for_sides(&args.registry, &args.sides, &typed, &target.any_reference())?;
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let (certificates, asked) = (&args.required.certificates, Some(&args.required.lookup));
    let revocation =
        revocation::check_by_policies(&certificates.revocation, asked, policies.identities(), &limits)?.map(Arc::new);
    let runtime = Runtime::new(Work::Moving)?;
    let sources = if args.all { runtime.block_on(move_image::all_images(&stores, &typed))? } else { typed };
    target.check_count(&sources)?;
    one_name(&args.policy, &sources)?;
    let evaluator = PolicyEvaluator {
        evidence: &files,
        limits: &limits,
        lookup: lookup.as_ref(),
        now,
        platform: None,
        policies: &policies,
        revocation: revocation.as_ref(),
        strictness: envelope_reader::by_policies(certificates.envelope_reader, policies.identities())?,
    };
    let job = MoveJob {
        closure: Closure::Image,
        dry_run: args.dry_run,
        limits: limits.clone(),
        platform: None,
        stores: &stores,
        on_conflict: move_image::name_conflict(args.overwrite),
        target: &target,
    };
    let (dry_run, output) = (args.dry_run, args.output);
    let report = MoveReport { command: "import", dry_run, output, sources: &sources, target: &args.places.target };
    let exit = move_all(report, &runtime, reports, async |sinks, source| {
        import_one(&job, sinks, source, &args.policy, evaluator).await
    });
    revocation::note_left_behind(lookup.as_ref());
    revocation::report_problems(lookup);
    exit
}

/// Judges one image by its name at the destination, and pushes it with the evidence that counted only if every policy lets
/// it in.
async fn import_one<'a>(
    job: &MoveJob<'_>,
    sinks: &mut Sinks,
    reference: &str,
    args: &PolicyArgs,
    evaluator: PolicyEvaluator<'a>,
) -> Result<MoveAnswer<'a>, Failure> {
    let (source, tag_or_digest) = job.stores.source(reference)?;
    let root: Content = pinned::resolve(source.as_ref(), &tag_or_digest).await?;
    let digest = *root.digest();
    let names = source.names_of(&tag_or_digest);
    let to = job.target.reference_for(reference, &names)?;
    let names = job.stores.names(reference, &to, &names, &digest)?;
    let (name, names) = name_at(&to, &names, args)?;
    let options = evaluator.options(&name).with_all_evidence();
    let evaluated = evaluator.evaluate(source.as_ref(), &root, options).await?;
    let outcomes: Vec<&PolicyOutcome<'a>> = evaluated.outcomes.iter().map(|(_, outcome)| outcome).collect();
    let Ok(graph) = PolicyGraph::collect(source.as_ref(), &outcomes, options).await? else {
        return Ok(MoveAnswer { evaluated, left_index: None, moved: None });
    };
    let (place, sink) = sinks.open(job.stores, &to)?;
    sinks.check_unused(&place, &names, &digest)?;
    let (copied, read) = match job.dry_run {
        true => {
            let (planned, read) = graph.plan(&source, &sink, &names, job.on_conflict, options).await?;
            (planned, Some(read))
        }
        false => {
            sink.mark();
            let copied = graph.push(&source, &sink, &names, job.on_conflict, options).await;
            (copied.inspect_err(|_| sink.rollback())?, None)
        }
    };
    sinks.record(&place, &names, &digest);
    let written = stores::written(&to, &copied.named)?;
    let moved = MovedImage { copied, digest, index: None, loaded: None, place, read, written };
    Ok(MoveAnswer { evaluated, left_index: None, moved: Some(moved) })
}

/// The name by which an image is evaluated, and the names that are written: the same one, since it will be pulled by it. `names`
/// come from the source: none of them is written into a layout or archive.
fn name_at(to: &str, names: &[String], args: &PolicyArgs) -> Result<(EvaluatedName, Vec<String>), Failure> {
    let name = EvaluatedName::of(to, args.judged_as.as_deref())?;
    if name.is_of_registry {
        let tag = match names {
            [one] => Some(one.clone()),
            _ => None,
        };
        return Ok((EvaluatedName { tag, ..name }, names.to_vec()));
    }
    let reference: Reference = to.parse()?;
    let written =
        LocalName::new(reference.tag_or_digest(), &name.repository, name.tag.as_deref()).map_err(|error| {
            let failure = Failure { code: "other-name", ..Failure::unknown(error.to_string()) };
            failure.hint(format!("leave out the name in `{to}`, or type the same one after --as"))
        })?;
    Ok((EvaluatedName { tag: written.tag, ..name }, written.name.into_iter().collect()))
}

/// Refuses one `--as` for several images: each has a name of its own.
fn one_name(args: &PolicyArgs, sources: &[String]) -> Result<(), Failure> {
    match &args.judged_as {
        Some(name) if sources.len() > 1 => {
            let message = format!("`--as {name}` is one name, and {} images would be judged by it", sources.len());
            Err(Failure::unknown(message).hint("move each image by itself, with its own --as"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Moves each image with `move_one`, makes the writes to layouts and archives visible, and reports all images in their order.
fn move_all<'a>(
    report: MoveReport<'_>,
    runtime: &Runtime,
    reports: &mut PolicyReports<'_>,
    move_one: impl AsyncFn(&mut Sinks, &str) -> Result<MoveAnswer<'a>, Failure>,
) -> Result<Exit, Failure> {
    let mut sinks = Sinks::default();
    let mut answers = Vec::new();
    for source in report.sources {
        answers.push(runtime.block_on(move_one(&mut sinks, source)));
    }
    let lost = if report.dry_run { Default::default() } else { runtime.block_on(sinks.finish()) };
    let mut results = Results::of(report.command, report.output);
    let mut exit = Exit::Yes;
    for (source, answer) in report.sources.iter().zip(answers) {
        let answer = answer.and_then(|answer| match answer.moved.as_ref().and_then(|moved| lost.get(&moved.place)) {
            Some(failure) => Err(failure.clone()),
            None => Ok(answer),
        });
        exit = exit.and(report_one(report, source, &answer, &mut results, reports));
    }
    results.end();
    Ok(exit)
}

/// Notes what was left behind, for every output format.
fn notes(source: &str, answer: &MoveAnswer<'_>) {
    if let Some((index, manifest)) = &answer.left_index {
        moves::note_not_alone(source, index, manifest);
    }
    if let Some(moved) = &answer.moved {
        moves::note_skipped(source, &moved.copied);
        moves::note_index_signatures(source, moved);
        moves::note_loaded(source, moved);
    }
}

/// Reports what was done with one image, and returns its exit code.
fn report_one(
    report: MoveReport<'_>,
    source: &str,
    answer: &Result<MoveAnswer<'_>, Failure>,
    results: &mut Results,
    reports: &mut PolicyReports<'_>,
) -> Exit {
    let MoveReport { command, dry_run, output, sources, target } = report;
    match answer {
        Ok(answer) => {
            reports.add(|| policy_verdict::checked(source, &answer.evaluated));
            notes(source, answer);
        }
        Err(failure) => reports.add_failure(Some(source), failure),
    }
    match (output, answer) {
        (ResultsOutput::Text, Ok(MoveAnswer { evaluated, moved, .. })) => {
            policy_verdict::evaluated(source, evaluated);
            match (command, moved) {
                ("copy", Some(moved)) => moves::copied(source, target, dry_run, moved),
                (_, Some(moved)) => moves::imported(source, target, dry_run, &[], moved),
                (_, None) => {}
            }
        }
        (ResultsOutput::Text, Err(failure)) => render::failure(&failure.clone().of(source, sources)),
        (_, Ok(MoveAnswer { evaluated, moved, .. })) => {
            evaluated.outcomes.iter().for_each(|(file, outcome)| policy_verdict::notes(file, outcome));
            match (command, moved) {
                ("copy", Some(moved)) => {
                    let copied = CopyResult::of(moved.summary(source, target, dry_run), moved.digest, moved.index);
                    results.add(copied.by_policies(&evaluated.outcomes));
                }
                ("copy", None) => {
                    results.add(CopyResult::declined(source, target, dry_run).by_policies(&evaluated.outcomes))
                }
                (_, Some(moved)) => {
                    let summary = moved.summary(source, target, dry_run);
                    let imported = ImportResult::of(summary, &moved.digest, &[], moved.read.as_ref());
                    results.add(imported.by_policies(&evaluated.outcomes));
                }
                (_, None) => {
                    let verdict = evaluated.exit().into();
                    results.add(PolicyVerifyResult::of(source, &evaluated.outcomes, verdict, &Layers::NotRead));
                }
            }
        }
        (_, Err(failure)) if command == "copy" => {
            results.add(CopyResult::failed(source, target, dry_run, failure.reported()));
        }
        (_, Err(failure)) => results.add(VerifyResult::failed(source, failure.exit.into(), failure.reported())),
    }
    match answer {
        Ok(MoveAnswer { evaluated, .. }) => evaluated.exit(),
        Err(failure) => failure.exit,
    }
}
