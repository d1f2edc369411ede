//! The command `verify`.

use crate::flow::hear::Effort;
use crate::flow::verify;
use crate::flow::verify::Outcome;
use crate::flow::verify::Platforms;
use crate::flow::verify::Verdict;
use crate::limits::Limits;
use crate::oci::Platform;
use crate::policy;
use crate::policy::Kind;
use crate::policy::Policy;
use crate::policy::Rule;
use crate::store::Task;
use crate::store::parallel;
use crate::trust::Threshold;
use crate::trust::TrustRoot;
use crate::verify::Verifier;

use super::Exit;
use super::Failure;
use super::args::VerifyArgs;
use super::args::VerifyOutput;
use super::args::WantArgs;
use super::keys;
use super::reference_list;
use super::render;
use super::report;
use super::runtime::Runtime;
use super::runtime::Work;
use super::stores::Stores;

pub(super) fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.references)?;
    let limits = Limits::DEFAULT;
    let verifier = verifier(&args.want, wanted_kind(args.predicate_type.as_deref())?, &limits)?;
    let (verifier, effort) = match wants_predicates(args)? {
        true => (verifier.with_predicates(), Effort::Everything),
        false => (verifier, Effort::UntilMet),
    };
    let platforms = platforms(args)?;
    let stores = Stores::new(&args.registry, &references)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (verifier, platforms, stores, limits) = (&verifier, &platforms, &stores, &limits);
    let tasks = references.iter().map(|reference| -> Task<'_, Result<Outcome, Failure>> {
        Box::pin(async move {
            let (source, selector) = stores.source(reference)?;
            let outcome = verify::verify(source.as_ref(), &selector, platforms, verifier, effort, limits).await?;
            loaded(reference, stores, outcome).map(Outcome::without_documents)
        })
    });
    let results = runtime.block_on(parallel::run(tasks.collect(), args.jobs));
    let mut exit = Exit::Yes;
    let mut reports = Vec::new();
    for (reference, result) in references.iter().zip(&results) {
        match (args.output, result) {
            (VerifyOutput::Text, Ok(outcome)) => render::outcome(reference, outcome, &args.want),
            (VerifyOutput::Predicate, Ok(outcome)) => render::predicates(reference, outcome, &args.want),
            (VerifyOutput::Predicate | VerifyOutput::Text, Err(failure)) => render::failure(failure),
            (VerifyOutput::Json, _) => reports.push(report::outcome(reference, result)),
            (VerifyOutput::Jsonl, _) => {
                render::json_lines(&report::whole("verify", vec![report::outcome(reference, result)]));
            }
        }
        exit = exit.and(result.as_ref().map_or_else(|failure| failure.exit, exit_of));
    }
    if args.output == VerifyOutput::Json {
        render::json(&report::whole("verify", reports));
    }
    Ok(exit)
}

/// Whether the predicates are wanted: all of them, not only as many as are needed for a yes.
fn wants_predicates(args: &VerifyArgs) -> Result<bool, Failure> {
    match (args.output, &args.predicate_type) {
        (VerifyOutput::Predicate, None) => {
            Err(Failure::unknown("an image signature has no predicate").hint("--output predicate --type TYPE"))
        }
        (VerifyOutput::Predicate, Some(_)) => Ok(true),
        _ => Ok(args.with_predicates),
    }
}

/// Which platform of an archive is loaded, `docker load` decides by a list of its own: a platform that is signed by
/// itself, in an index that is not, may be another one.
fn loaded(reference: &str, stores: &Stores, outcome: Outcome) -> Result<Outcome, Failure> {
    let by_itself = match &outcome.verdict {
        Verdict::Accepted(verified) => *verified.digest() != outcome.subject,
        _ => false,
    };
    match by_itself && stores.is_for_docker(reference)? {
        true => {
            let message =
                format!("`{reference}`: a platform is signed, but not the index that `docker load` chooses from");
            Err(Failure::unknown(message).hint("verify it without --platform, or from its registry"))
        }
        false => Ok(outcome),
    }
}

/// How a command ends that came to this outcome.
pub(super) fn exit_of(outcome: &Outcome) -> Exit {
    let exit = |verdict: &Verdict| match verdict {
        Verdict::Accepted(_) => Exit::Yes,
        Verdict::Refused(_) => Exit::Refused,
        Verdict::Unknown { .. } => Exit::Unknown,
    };
    outcome.children.iter().map(|(_, _, verdict)| exit(verdict)).fold(exit(&outcome.verdict), Exit::and)
}

/// A verifier for what the command line asks for.
pub(super) fn verifier(want: &WantArgs, kind: Kind, limits: &Limits) -> Result<Verifier, Failure> {
    let keys = keys::publics(&want.key, &want.token)?;
    let told = |error: crate::trust::TrustError| Failure::unknown(error.to_string());
    let trust = TrustRoot::pinned(keys).map_err(told)?;
    let threshold = Threshold::new(want.threshold).map_err(told)?;
    let mut policy = Policy::new(kind, threshold);
    once(&want.annotations)?;
    for (key, value) in &want.annotations {
        policy = policy.and(Rule::Annotation { key: key.clone(), value: value.clone() });
    }
    if let Some(name) = &want.signed_reference {
        policy = policy.and(Rule::Reference(name.clone()));
    }
    Verifier::new(trust, policy, limits.clone()).map_err(told)
}

/// Refuses an annotation that is given with two values: one of them would be lost, or none could be met.
pub(super) fn once(annotations: &[(String, String)]) -> Result<(), Failure> {
    for (position, (key, value)) in annotations.iter().enumerate() {
        if let Some((_, other)) =
            annotations.iter().skip(position + 1).find(|(again, other)| again == key && other != value)
        {
            let message = format!("annotation `{key}` is given twice, as `{value}` and as `{other}`");
            return Err(Failure::unknown(message).hint(format!("-a {key}={value}")));
        }
    }
    Ok(())
}

/// The kind that `--type` means.
fn wanted_kind(predicate_type: Option<&str>) -> Result<Kind, Failure> {
    let Some(typed) = predicate_type else { return Ok(Kind::ImageSignature) };
    Ok(Kind::of_predicate(policy::predicate_type(typed)?))
}

fn platforms(args: &VerifyArgs) -> Result<Platforms, Failure> {
    match &args.platform {
        _ if args.all_platforms => Ok(Platforms::All),
        None => Ok(Platforms::Root),
        Some(text) => platform(text).map(Platforms::One),
    }
}

/// A platform as typed.
pub(super) fn platform(text: &str) -> Result<Platform, Failure> {
    Platform::parse(text)
        .ok_or_else(|| Failure::unknown(format!("`{text}` is not a platform")).hint("--platform linux/amd64"))
}
