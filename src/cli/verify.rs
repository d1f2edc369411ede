//! The command `verify`.

use std::sync::Arc;

use bulla::envelope::AttestationFile;
use bulla::limits::Limits;
use bulla::oci::LocalReference;
use bulla::oci::Platform;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::layers;
use bulla::ops::layers::Depth;
use bulla::ops::revocation::RevocationLookup;
use bulla::ops::unenforced;
use bulla::ops::verify::Outcome;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::Verdict;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::StatementKind;
use bulla::policy::StatementKinds;
use bulla::report::VerifyResult;
use bulla::store::LimitedSource;
use bulla::store::Source;
use bulla::store::Task;
use bulla::time::Time;
use bulla::verify::NotEnforced;
use bulla::verify::UnenforcedVerifier;

use super::args::ResultsOutput;
use super::args::VerifyArgs;
use super::args::VerifyOutput;
use super::attestation_files;
use super::exit::Exit;
use super::exit::Failure;
use super::in_order::Concurrency;
use super::not_enforced;
use super::reference_list;
use super::render;
use super::results::Results;
use super::revocation;
use super::runtime::Work;
use super::stores;
use super::stores::Stores;
use super::verdict;
use super::verifiers::Verifiers;
use super::verify_image_id;
use super::verify_saved;

pub(super) fn verify(args: &VerifyArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let wants_predicates = wants_predicates(args)?;
    let kinds = wanted_kinds(args.predicate_type.as_deref())?;
    let verifiers = Verifiers::new(&args.required, &kinds, now, &limits, |verifier| {
        let verifier = match args.at {
            Some(at) => verifier.with_expiry_at(at),
            None => verifier,
        };
        if wants_predicates { verifier.with_predicates() } else { verifier }
    })?;
    let image_ids = args.references.split_first().filter(|(first, _)| *first == IMAGE_ID).map(|(_, ids)| ids);
    match (evidence_place(args)?, image_ids) {
        (Some(place), Some(ids)) => return verify_image_id::verify(args, ids, &place, &verifiers, now),
        (Some(place), None) => return verify_saved::verify(args, &place, &verifiers, now),
        (None, Some(_)) => {
            let message = "an image id is verified by manifests and signatures that are kept elsewhere";
            return Err(Failure::unknown(message).hint("bulla verify image-id sha256:… --evidence PLACE"));
        }
        (None, None) => {}
    }
    let files = attestation_files(args, &limits)?;
    let references = reference_list::expand(&args.references)?;
    let until = if wants_predicates { DiscoverUntil::AllFound } else { DiscoverUntil::PolicyMet };
    let platforms = platforms(args)?;
    let stores = Stores::new(&args.registry, &references)?;
    let (depth, work) = match args.layers {
        true => (Depth::Layers, Work::Moving),
        false => (Depth::Manifests, Work::Waiting),
    };
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let local = lookup.is_none() && stores::are_local(&references)?;
    let concurrency = Concurrency { jobs: args.jobs, local, work };
    let (verifiers, limits, revocation) = (&verifiers, &limits, lookup.as_ref());
    let plain = matches!((depth, &platforms, &args.predicate_type), (Depth::Manifests, Platforms::Root, None));
    let unenforced = plain.then_some(UnenforcedOptions { at: args.at });
    let (platforms, stores) = (&platforms, &stores);
    let files = &files;
    let task = Verification { depth, files, limits, now, unenforced, platforms, revocation, stores, until, verifiers };
    let mut reports = Results::of(
        "verify",
        match args.output {
            VerifyOutput::Json => ResultsOutput::Json,
            VerifyOutput::Jsonl => ResultsOutput::Jsonl,
            VerifyOutput::Predicate | VerifyOutput::Text => ResultsOutput::Text,
        },
    )
    .by(verifiers.trusted_root());
    let mut exits = Vec::new();
    task.of_all(&references, concurrency, |reference, result| {
        exits.push(report(args, reference, &references, &result, &mut reports));
    })?;
    reports.end();
    revocation::report_problems(lookup);
    match exits.len() == references.len() {
        true => Ok(exits.into_iter().fold(Exit::Yes, Exit::and)),
        false => Err(Failure::unknown("an internal task failed")),
    }
}

/// The reference of the place of `--evidence`; `None` if it names files of attestations, or nothing.
fn evidence_place(args: &VerifyArgs) -> Result<Option<String>, Failure> {
    let place = match args.evidence.as_slice() {
        [file] if attestation_files::is_one_bundle(file) => return Err(attestation_files::not_lines(file)),
        [place] if !attestation_files::is_one(place) => place,
        typed if typed.iter().all(|typed| attestation_files::is_one(typed)) => return Ok(None),
        _ => {
            let message = "--evidence names one place, or files of attestations, and here are several";
            return Err(Failure::unknown(message).hint("JSON lines, in files whose names end in .jsonl; or one place"));
        }
    };
    let others = [
        ("--all-platforms", args.all_platforms),
        ("--platform", args.platform.is_some()),
        ("--layers", args.layers),
        ("--with-predicates", args.with_predicates),
    ];
    match others.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            let message = format!("--evidence {place} is about all that `docker load` loads, and {option} is not");
            Err(Failure::unknown(message).hint(format!("leave out {option}")))
        }
        None => Ok(Some(verify_saved::place(place))),
    }
}

/// The files of `--evidence`. Signatures of the Notary Project are in no such file.
fn attestation_files(args: &VerifyArgs, limits: &Limits) -> Result<Vec<AttestationFile>, Failure> {
    if args.required.notation.trust_policy.is_some() && !args.evidence.is_empty() {
        return Err(attestation_files::no_notary_signatures());
    }
    attestation_files::read(&args.evidence, limits)
}

/// Reports the answer for one reference, and returns its exit code.
fn report(
    args: &VerifyArgs,
    reference: &str,
    references: &[String],
    result: &Result<ReferenceResult, Failure>,
    reports: &mut Results,
) -> Exit {
    if let Ok(ReferenceResult::Outcome(outcome)) = result {
        verdict::unread_foreign_layers(reference, &outcome.layers);
    }
    match (args.output, result) {
        (VerifyOutput::Predicate | VerifyOutput::Text, Ok(ReferenceResult::NotEnforced(verdict))) => {
            not_enforced::show(reference, verdict, args.accept_unenforced);
        }
        (VerifyOutput::Text, Ok(ReferenceResult::Outcome(outcome))) => {
            verdict::outcome(reference, outcome, &args.required)
        }
        (VerifyOutput::Predicate, Ok(ReferenceResult::Outcome(outcome))) => {
            verdict::predicates(reference, outcome, &args.required);
        }
        (VerifyOutput::Predicate | VerifyOutput::Text, Err(failure)) => {
            render::failure(&failure.clone().of(reference, references));
        }
        (VerifyOutput::Json | VerifyOutput::Jsonl, Ok(ReferenceResult::NotEnforced(verdict))) => {
            reports.add(VerifyResult::not_enforced(reference, verdict));
        }
        (VerifyOutput::Json | VerifyOutput::Jsonl, Ok(ReferenceResult::Outcome(outcome))) => {
            reports.add(VerifyResult::of(reference, outcome));
        }
        (VerifyOutput::Json | VerifyOutput::Jsonl, Err(failure)) => {
            reports.add(VerifyResult::failed(reference, failure.exit.into(), failure.reported()));
        }
    }
    match result {
        Err(failure) => failure.exit,
        Ok(ReferenceResult::NotEnforced(_)) if args.accept_unenforced => Exit::Yes,
        Ok(ReferenceResult::NotEnforced(_)) => Exit::Unknown,
        Ok(ReferenceResult::Outcome(outcome)) => exit_of(outcome),
    }
}

/// The word before image ids in place of references.
pub(super) const IMAGE_ID: &str = "image-id";
/// The bytes that the parallel pass reads of one reference. A reference that needs more is verified later, alone, so that
/// many large ones together do not exceed the memory of one verification.
const PARALLEL_BYTES: u64 = 128 << 10;
/// The bytes that the parallel pass reads of all references at the same time.
const PARALLEL_BYTES_OF_ALL: u64 = 4 << 20;

/// The bytes that the parallel pass reads of one reference, with so many at a time.
pub(super) fn bytes_in_parallel(jobs: usize) -> u64 {
    let jobs = u64::try_from(jobs.max(1)).unwrap_or(u64::MAX);
    PARALLEL_BYTES.min(PARALLEL_BYTES_OF_ALL / jobs)
}

/// The result for one reference.
enum ReferenceResult {
    /// The statement for it does not enforce every check: nothing was verified.
    NotEnforced(NotEnforced),
    /// The verdicts.
    Outcome(Outcome),
}

/// The arguments that are the same for every reference.
#[derive(Clone, Copy)]
struct Verification<'a> {
    depth: Depth,
    files: &'a [AttestationFile],
    limits: &'a Limits,
    now: Time,
    platforms: &'a Platforms,
    revocation: Option<&'a RevocationLookup>,
    stores: &'a Stores,
    /// Whether a statement that does not enforce every check is evaluated: for the image itself, and for signatures.
    unenforced: Option<UnenforcedOptions>,
    until: DiscoverUntil,
    verifiers: &'a Verifiers,
}

/// How the checks of a statement that does not enforce all of them are made.
#[derive(Clone, Copy)]
struct UnenforcedOptions {
    at: Option<Time>,
}

impl<'a> Verification<'a> {
    /// Verifies all `references`, several at a time, and reports the results in their order.
    fn of_all(
        self,
        references: &'a [String],
        concurrency: Concurrency,
        mut report: impl FnMut(&str, Result<ReferenceResult, Failure>),
    ) -> Result<(), Failure> {
        let jobs = concurrency.jobs;
        let reference = move |number: usize| references.get(number).map_or("", String::as_str);
        let several = references.len() > 1;
        let parallel_pass = move |number| -> Task<'a, Option<Result<ReferenceResult, Failure>>> {
            Box::pin(async move {
                // Layers are read for one image at a time, several layers in parallel.
                // The other images of a docker-archive are found by its list, which a limited source does not give.
                let wanted = self.depth == Depth::Manifests && named_archive(reference(number)).is_none();
                match several && wanted {
                    true => self.within_limit(reference(number), jobs).await,
                    false => None,
                }
            })
        };
        let whole = move |number| -> Task<'a, Result<ReferenceResult, Failure>> {
            Box::pin(async move {
                let reference = reference(number);
                let evaluated = self.evaluated(reference)?;
                let (source, tag_or_digest) = self.stores.source(reference)?;
                self.of(reference, &source, &tag_or_digest, evaluated).await
            })
        };
        concurrency.run(references.len(), parallel_pass, whole, |number, result| report(reference(number), result))
    }

    /// Verifies `reference` within [`PARALLEL_BYTES`]; none if it needs more.
    async fn within_limit(self, reference: &str, jobs: usize) -> Option<Result<ReferenceResult, Failure>> {
        let evaluated = match self.evaluated(reference) {
            Ok(evaluated) => evaluated,
            Err(failure) => return Some(Err(failure)),
        };
        let (source, tag_or_digest) = match self.stores.limited_source(reference, bytes_in_parallel(jobs)) {
            Ok((source, tag_or_digest)) => (Arc::new(source), tag_or_digest),
            Err(failure) => return Some(Err(failure)),
        };
        let shared: Arc<dyn Source> = Arc::<LimitedSource>::clone(&source);
        let result = self.of(reference, &shared, &tag_or_digest, evaluated).await;
        (!source.is_over()).then_some(result)
    }

    /// What one reference is evaluated with.
    fn evaluated(self, reference: &str) -> Result<Evaluated<'a>, Failure> {
        let Self { depth, files, limits, now, revocation, unenforced, until, verifiers, .. } = self;
        match (verifiers.unenforced_of(reference), unenforced) {
            (Some(verifier), Some(UnenforcedOptions { at })) => {
                let verifier = verifier.clone();
                Ok(Evaluated::Unenforced(Box::new(match at {
                    Some(at) => verifier.with_expiry_at(at),
                    None => verifier,
                })))
            }
            _ => {
                let verifier = verifiers.of(reference)?;
                Ok(Evaluated::Enforced(VerifyOptions { verifier, until, now, depth, revocation, limits, files }))
            }
        }
    }

    async fn of(
        self,
        reference: &str,
        source: &Arc<dyn Source>,
        tag_or_digest: &TagOrDigest,
        evaluated: Evaluated<'_>,
    ) -> Result<ReferenceResult, Failure> {
        let outcome = match evaluated {
            Evaluated::Enforced(options) => {
                match layers::verify(source, tag_or_digest, self.platforms, options).await {
                    Ok(image) => {
                        self.other_images(reference, source, options).await?;
                        image.into_outcome()
                    }
                    Err(not_verified) => not_verified.into_outcome()?,
                }
            }
            Evaluated::Unenforced(verifier) => {
                let source = source.as_ref();
                let (now, lookup, limits) = (self.now, self.revocation, self.limits);
                match unenforced::verify(source, tag_or_digest, &verifier, now, lookup, limits).await {
                    Ok(not_enforced) => return Ok(ReferenceResult::NotEnforced(not_enforced)),
                    Err(not_verified) => not_verified.into_outcome()?,
                }
            }
        };
        Ok(ReferenceResult::Outcome(outcome.without_documents()))
    }

    /// Verifies the other images of a docker-archive in which `reference` names one: `docker load` loads all of them.
    async fn other_images(
        self,
        reference: &str,
        source: &Arc<dyn Source>,
        options: VerifyOptions<'_>,
    ) -> Result<(), Failure> {
        match named_archive(reference) {
            Some(local) => {
                let options = VerifyOptions { depth: Depth::Manifests, ..options };
                verify_saved::whole_file(self.stores, reference, &local, source.as_ref(), options).await
            }
            None => Ok(()),
        }
    }
}

/// The docker-archive of `reference`, if it names one image in it.
fn named_archive(reference: &str) -> Option<LocalReference> {
    match reference.parse() {
        Ok(Reference::DockerArchive(local)) => Some(local).filter(|local| local.tag_or_digest.is_some()),
        _ => None,
    }
}

/// What one reference is evaluated with.
enum Evaluated<'a> {
    /// A verifier.
    Enforced(VerifyOptions<'a>),
    /// A statement that does not enforce every check.
    Unenforced(Box<UnenforcedVerifier>),
}

/// Whether the predicates are to be reported. Then all accepted ones are discovered, not only enough for a yes.
fn wants_predicates(args: &VerifyArgs) -> Result<bool, Failure> {
    match (args.output, &args.predicate_type) {
        (VerifyOutput::Predicate, None) => {
            Err(Failure::unknown("an image signature has no predicate").hint("--output predicate --type TYPE"))
        }
        (VerifyOutput::Predicate, Some(_)) => Ok(true),
        _ => Ok(args.with_predicates),
    }
}

/// The exit code for an outcome.
pub(super) fn exit_of(outcome: &Outcome) -> Exit {
    let exit = |verdict: &Verdict| match verdict {
        Verdict::Accepted(_) => Exit::Yes,
        Verdict::Refused(_) => Exit::Refused,
        Verdict::Incomplete { .. } | Verdict::NotRequired | Verdict::Unknown { .. } => Exit::Unknown,
    };
    outcome.required().map(exit).reduce(Exit::and).unwrap_or(Exit::Unknown)
}

/// The statement kinds of `--type`.
pub(super) fn wanted_kinds(predicate_type: Option<&str>) -> Result<StatementKinds, Failure> {
    let Some(typed) = predicate_type else { return Ok(StatementKind::ImageSignature.into()) };
    Ok(StatementKinds::named(typed)?)
}

fn platforms(args: &VerifyArgs) -> Result<Platforms, Failure> {
    match &args.platform {
        _ if args.all_platforms && args.predicate_type.is_some() => Ok(Platforms::Each),
        _ if args.all_platforms => Ok(Platforms::All),
        None => Ok(Platforms::Root),
        Some(text) => platform(text).map(Platforms::One),
    }
}

/// Parses a platform.
pub(super) fn platform(text: &str) -> Result<Platform, Failure> {
    Platform::parse(text)
        .ok_or_else(|| Failure::unknown(format!("`{text}` is not a platform")).hint("--platform linux/amd64"))
}
