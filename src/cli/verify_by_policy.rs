//! The command `verify --policy`.

use std::sync::Arc;

use bulla::envelope::AttestationFile;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::layers::Layers;
use bulla::ops::pinned;
use bulla::ops::policy;
use bulla::report::PolicyVerifyResult;
use bulla::report::VerifyResult;
use bulla::store::LimitedSource;
use bulla::store::Source;
use bulla::store::Task;
use bulla::time::Time;

use super::args::ResultsOutput;
use super::args::VerifyArgs;
use super::args::VerifyOutput;
use super::attestation_files;
use super::envelope_reader;
use super::exit::Exit;
use super::exit::Failure;
use super::hints;
use super::in_order::Concurrency;
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
use super::runtime::Work;
use super::stores;
use super::stores::Stores;
use super::verdict;
use super::verify;
use super::verify_saved;
use super::verify_saved_by_policy;
use super::verify_saved_by_policy::ArchiveAnswer;
use super::verify_saved_by_policy::EvidencePlace;

pub(super) fn verify(args: &VerifyArgs, now: Time) -> Result<Exit, Failure> {
    let mut reports = PolicyReports::begin(&args.policy, "verify", now)?;
    let done = run(args, now, &mut reports);
    reports.end(done)
}

fn run(args: &VerifyArgs, now: Time, reports: &mut PolicyReports<'_>) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let output = match args.output {
        VerifyOutput::Json => ResultsOutput::Json,
        VerifyOutput::Jsonl => ResultsOutput::Jsonl,
        VerifyOutput::Text => ResultsOutput::Text,
        VerifyOutput::Predicate => {
            return Err(
                Failure::unknown("--policy prints no predicates").hint("--type TYPE --key PUB, without --policy")
            );
        }
    };
    let policies = PolicySet::load(&args.policy, (&args.required.token, &args.registry), now, &limits, reports)?;
    let (place, evidence) = evidence(args, &limits)?;
    let platform = args.platform.as_deref().map(verify::platform).transpose()?;
    let references = reference_list::expand(&args.references)?;
    let stores = Stores::new(&args.registry, references.iter().chain(&place))?;
    let place = place.map(|place| EvidencePlace::open(&stores, place)).transpose()?;
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let local = lookup.is_none() && place.is_none() && stores::are_local(&references)?;
    let work = if args.layers || place.is_some() { Work::Moving } else { Work::Waiting };
    let concurrency = Concurrency { jobs: args.jobs, local, work };
    let (certificates, asked) = (&args.required.certificates, Some(&args.required.lookup));
    let revocation =
        revocation::check_by_policies(&certificates.revocation, asked, policies.identities(), &limits)?.map(Arc::new);
    let evaluator = PolicyEvaluator {
        evidence: &evidence,
        limits: &limits,
        lookup: lookup.as_ref(),
        now,
        platform: platform.as_ref(),
        policies: &policies,
        revocation: revocation.as_ref(),
        strictness: envelope_reader::by_policies(certificates.envelope_reader, policies.identities())?,
    };
    let task = PolicyVerification { args, evaluator, place: place.as_ref(), stores: &stores };
    let (mut results, mut exits) = (Results::of("verify", output), Vec::new());
    let place = place.as_ref().map(EvidencePlace::reference);
    let report = AnswerReport { output, place, policies: &policies, references: &references };
    task.of_all(&references, concurrency, |reference, answer| {
        exits.push(report.add(reference, &answer, (&mut results, reports)));
    })?;
    results.end();
    revocation::report_problems(lookup);
    match exits.len() == references.len() {
        true => Ok(exits.into_iter().fold(Exit::Yes, Exit::and)),
        false => Err(Failure::unknown("an internal task failed")),
    }
}

/// The place and the files of `--evidence`.
fn evidence(args: &VerifyArgs, limits: &Limits) -> Result<(Option<String>, Vec<AttestationFile>), Failure> {
    let (files, places): (Vec<_>, Vec<_>) =
        args.evidence.iter().cloned().partition(|typed| attestation_files::is_one(typed));
    let place = match places.as_slice() {
        [] => None,
        [file] if attestation_files::is_one_bundle(file) => return Err(attestation_files::not_lines(file)),
        [place] => Some(verify_saved::place(place)),
        _ => {
            let message = "--evidence names one place, besides files of attestations, and here are several";
            return Err(Failure::unknown(message).hint("JSON lines, in files whose names end in .jsonl; and one place"));
        }
    };
    if args.references.first().is_some_and(|first| first == verify::IMAGE_ID) {
        let message = "image ids are not judged by a policy file: an engine has loaded their layers already";
        return Err(Failure::unknown(message).hint("bulla verify image-id sha256:… --evidence PLACE --key PUB"));
    }
    Ok((place, attestation_files::read(&files, limits)?))
}

/// The answer for one reference.
enum PolicyAnswer<'a> {
    /// A docker-archive, with all images in it.
    Archive(ArchiveAnswer<'a>),
    /// An image.
    Image(ImageAnswer<'a>),
}

/// What the policies say of one image, and the layers that were read.
struct ImageAnswer<'a> {
    evaluated: EvaluatedByPolicies<'a>,
    layers: Layers,
    /// Why an image that the policies let in could not be read whole.
    damaged: Option<Failure>,
}

impl ImageAnswer<'_> {
    fn exit(&self) -> Exit {
        match &self.damaged {
            Some(failure) => self.evaluated.exit().and(failure.exit),
            None => self.evaluated.exit(),
        }
    }
}

/// How the answers are reported.
#[derive(Clone, Copy)]
struct AnswerReport<'a> {
    output: ResultsOutput,
    place: Option<&'a str>,
    policies: &'a PolicySet,
    references: &'a [String],
}

impl AnswerReport<'_> {
    /// Reports the answer for one reference, and returns its exit code.
    fn add(
        self,
        reference: &str,
        answer: &Result<PolicyAnswer<'_>, Failure>,
        reports: (&mut Results, &mut PolicyReports<'_>),
    ) -> Exit {
        let Self { output, place, policies, references } = self;
        match answer {
            Ok(PolicyAnswer::Archive(answer)) => {
                let at = (reference, place.unwrap_or(reference));
                verify_saved_by_policy::report(output, at, answer, policies, reports)
            }
            Ok(PolicyAnswer::Image(answer)) => report(output, reference, references, Ok(answer), reports),
            Err(failure) => report(output, reference, references, Err(failure), reports),
        }
    }
}

/// Reports the answer for one image, and returns its exit code.
fn report(
    output: ResultsOutput,
    reference: &str,
    references: &[String],
    answer: Result<&ImageAnswer<'_>, &Failure>,
    (results, reports): (&mut Results, &mut PolicyReports<'_>),
) -> Exit {
    match answer {
        Ok(answer) => {
            reports.add(|| policy_verdict::checked(reference, &answer.evaluated));
            answer.damaged.iter().for_each(|failure| reports.add_failure(Some(reference), failure));
            verdict::unread_foreign_layers(reference, &answer.layers);
        }
        Err(failure) => reports.add_failure(Some(reference), failure),
    }
    match (output, answer) {
        (ResultsOutput::Text, Ok(ImageAnswer { damaged: Some(failure), .. })) => {
            render::failure(&failure.clone().of(reference, references));
        }
        (ResultsOutput::Text, Ok(answer)) => {
            policy_verdict::evaluated(reference, &answer.evaluated);
            if answer.exit() == Exit::Yes {
                verdict::layers_line(&answer.layers);
            }
        }
        (ResultsOutput::Text, Err(failure)) => render::failure(&failure.clone().of(reference, references)),
        (_, Ok(ImageAnswer { damaged: Some(failure), .. }) | Err(failure)) => {
            results.add(VerifyResult::failed(reference, failure.exit.into(), failure.reported()));
        }
        (_, Ok(answer)) => {
            answer.evaluated.outcomes.iter().for_each(|(file, outcome)| policy_verdict::notes(file, outcome));
            let (outcomes, verdict) = (&answer.evaluated.outcomes, answer.exit().into());
            results.add(PolicyVerifyResult::of(reference, outcomes, verdict, &answer.layers));
        }
    }
    match answer {
        Ok(answer) => answer.exit(),
        Err(failure) => failure.exit,
    }
}

/// The arguments that are the same for every reference.
#[derive(Clone, Copy)]
struct PolicyVerification<'a> {
    args: &'a VerifyArgs,
    evaluator: PolicyEvaluator<'a>,
    place: Option<&'a EvidencePlace>,
    stores: &'a Stores,
}

impl<'a> PolicyVerification<'a> {
    /// Verifies all `references`, several at a time, and reports the answers in their order.
    fn of_all(
        self,
        references: &'a [String],
        concurrency: Concurrency,
        mut report: impl FnMut(&str, Result<PolicyAnswer<'a>, Failure>),
    ) -> Result<(), Failure> {
        let reference = move |number: usize| references.get(number).map_or("", String::as_str);
        let several = references.len() > 1 && !self.args.layers;
        let parallel_pass = move |number| -> Task<'a, Option<Result<PolicyAnswer<'a>, Failure>>> {
            Box::pin(async move {
                // A docker-archive is read whole, and its other images are found by its list.
                match several && !self.is_archive(reference(number)) {
                    true => self.within_limit(reference(number)).await,
                    false => None,
                }
            })
        };
        let whole = move |number| -> Task<'a, Result<PolicyAnswer<'a>, Failure>> {
            Box::pin(async move {
                let reference = reference(number);
                if self.is_archive(reference) {
                    let (place, name) = (self.place, self.args.policy.judged_as.as_deref());
                    let answer = verify_saved_by_policy::answer(self.stores, reference, place, name, self.evaluator);
                    return answer.await.map(PolicyAnswer::Archive);
                }
                let (source, tag_or_digest) = self.stores.source(reference)?;
                self.of(reference, &source, &tag_or_digest).await
            })
        };
        concurrency.run(references.len(), parallel_pass, whole, |number, result| report(reference(number), result))
    }

    /// Whether `reference` is evaluated as a docker-archive, with all images in it. By evidence from elsewhere nothing else is.
    fn is_archive(self, reference: &str) -> bool {
        self.place.is_some() || matches!(reference.parse(), Ok(Reference::DockerArchive(_)))
    }

    /// Verifies `reference` within a limit of bytes; `None` if it needs more.
    async fn within_limit(self, reference: &str) -> Option<Result<PolicyAnswer<'a>, Failure>> {
        let limit = verify::bytes_in_parallel(self.args.jobs);
        let (source, tag_or_digest) = match self.stores.limited_source(reference, limit) {
            Ok((source, tag_or_digest)) => (Arc::new(source), tag_or_digest),
            Err(failure) => return Some(Err(failure)),
        };
        let shared: Arc<dyn Source> = Arc::<LimitedSource>::clone(&source);
        let answer = self.of(reference, &shared, &tag_or_digest).await;
        (!source.is_over()).then_some(answer)
    }

    async fn of(
        self,
        reference: &str,
        source: &Arc<dyn Source>,
        tag_or_digest: &TagOrDigest,
    ) -> Result<PolicyAnswer<'a>, Failure> {
        let name = EvaluatedName::of(reference, self.args.policy.judged_as.as_deref())?;
        let root = pinned::resolve(source.as_ref(), tag_or_digest).await?;
        let evaluated = self.evaluator.evaluate(source.as_ref(), &root, self.evaluator.options(&name)).await?;
        let read = match (self.args.layers, evaluated.exit()) {
            (true, Exit::Yes) => policy::read_layers(source, &root, self.evaluator.limits).await.map(Layers::Read),
            _ => Ok(Layers::NotRead),
        };
        Ok(PolicyAnswer::Image(match read {
            Ok(layers) => ImageAnswer { evaluated, layers, damaged: None },
            Err(error) => {
                let failure = Failure::from(error).hint(hints::DAMAGED);
                ImageAnswer { evaluated, layers: Layers::NotRead, damaged: Some(failure) }
            }
        }))
    }
}
