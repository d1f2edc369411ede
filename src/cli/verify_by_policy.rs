//! The command `verify --policy`.

use std::sync::Arc;

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
use super::policy_judge::Judged;
use super::policy_judge::JudgedName;
use super::policy_judge::PolicyJudge;
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
    let evidence = attestation_files::read(&args.evidence, &limits)?;
    let platform = args.platform.as_deref().map(verify::platform).transpose()?;
    let references = reference_list::expand(&args.references)?;
    let stores = Stores::new(&args.registry, &references)?;
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let local = lookup.is_none() && stores::are_local(&references)?;
    let work = if args.layers { Work::Moving } else { Work::Waiting };
    let concurrency = Concurrency { jobs: args.jobs, local, work };
    let (certificates, asked) = (&args.required.certificates, Some(&args.required.lookup));
    let revocation =
        revocation::check_by_policies(&certificates.revocation, asked, policies.identities(), &limits)?.map(Arc::new);
    let judge = PolicyJudge {
        evidence: &evidence,
        limits: &limits,
        lookup: lookup.as_ref(),
        now,
        platform: platform.as_ref(),
        policies: &policies,
        revocation: revocation.as_ref(),
        strictness: envelope_reader::by_policies(certificates.envelope_reader, policies.identities())?,
    };
    let task = PolicyVerification { args, judge, stores: &stores };
    let (mut results, mut exits) = (Results::of("verify", output), Vec::new());
    task.of_all(&references, concurrency, |reference, answer| {
        exits.push(report(output, reference, &references, &answer, (&mut results, reports)));
    })?;
    results.end();
    revocation::report_problems(lookup);
    match exits.len() == references.len() {
        true => Ok(exits.into_iter().fold(Exit::Yes, Exit::and)),
        false => Err(Failure::unknown("an internal task failed")),
    }
}

/// The answer for one reference: what the policies say, and the layers that were read.
struct PolicyAnswer<'a> {
    judged: Judged<'a>,
    layers: Layers,
    /// Why an image that the policies let in could not be read whole.
    damaged: Option<Failure>,
}

impl PolicyAnswer<'_> {
    fn exit(&self) -> Exit {
        match &self.damaged {
            Some(failure) => self.judged.exit().and(failure.exit),
            None => self.judged.exit(),
        }
    }
}

/// Reports the answer for one reference, and returns its exit code.
fn report(
    output: ResultsOutput,
    reference: &str,
    references: &[String],
    answer: &Result<PolicyAnswer<'_>, Failure>,
    (results, reports): (&mut Results, &mut PolicyReports<'_>),
) -> Exit {
    match answer {
        Ok(answer) => {
            reports.add(|| policy_verdict::checked(reference, &answer.judged));
            answer.damaged.iter().for_each(|failure| reports.add_failure(Some(reference), failure));
            verdict::unread_foreign_layers(reference, &answer.layers);
        }
        Err(failure) => reports.add_failure(Some(reference), failure),
    }
    match (output, answer) {
        (ResultsOutput::Text, Ok(PolicyAnswer { damaged: Some(failure), .. })) => {
            render::failure(&failure.clone().of(reference, references));
        }
        (ResultsOutput::Text, Ok(answer)) => {
            policy_verdict::judged(reference, &answer.judged);
            if answer.exit() == Exit::Yes {
                verdict::layers_line(&answer.layers);
            }
        }
        (ResultsOutput::Text, Err(failure)) => render::failure(&failure.clone().of(reference, references)),
        (_, Ok(PolicyAnswer { damaged: Some(failure), .. }) | Err(failure)) => {
            results.add(VerifyResult::failed(reference, failure.exit.into(), failure.reported()));
        }
        (_, Ok(answer)) => {
            answer.judged.outcomes.iter().for_each(|(file, outcome)| policy_verdict::notes(file, outcome));
            let (outcomes, verdict) = (&answer.judged.outcomes, answer.exit().into());
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
    judge: PolicyJudge<'a>,
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
                match several {
                    true => self.within_limit(reference(number)).await,
                    false => None,
                }
            })
        };
        let whole = move |number| -> Task<'a, Result<PolicyAnswer<'a>, Failure>> {
            Box::pin(async move {
                let reference = reference(number);
                let (source, tag_or_digest) = self.stores.source(reference)?;
                self.of(reference, &source, &tag_or_digest).await
            })
        };
        concurrency.run(references.len(), parallel_pass, whole, |number, result| report(reference(number), result))
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
        if let Ok(Reference::DockerArchive(_)) = reference.parse() {
            let message = format!("`{reference}`: images of `docker save` are not judged by a policy file yet");
            return Err(Failure::unknown(message).hint("carry the image itself: bulla copy REF oci-archive:app.tar"));
        }
        let name = JudgedName::of(reference, self.args.policy.judged_as.as_deref())?;
        let root = pinned::resolve(source.as_ref(), tag_or_digest).await?;
        let judged = self.judge.judge(source.as_ref(), &root, self.judge.options(&name)).await?;
        let read = match (self.args.layers, judged.exit()) {
            (true, Exit::Yes) => policy::read_layers(source, &root, self.judge.limits).await.map(Layers::Read),
            _ => Ok(Layers::NotRead),
        };
        Ok(match read {
            Ok(layers) => PolicyAnswer { judged, layers, damaged: None },
            Err(error) => {
                let failure = Failure::from(error).hint(hints::DAMAGED);
                PolicyAnswer { judged, layers: Layers::NotRead, damaged: Some(failure) }
            }
        })
    }
}
