//! `verify --policy` of docker-archives: what `docker load` loads, evaluated by policy files, by the manifests and evidence at
//! the place of `--evidence`, or else in the archive itself.

use std::sync::Arc;

use bulla::digest::Digest;
use bulla::oci::TagOrDigest;
use bulla::ops::OpsError;
use bulla::ops::pinned;
use bulla::ops::saved;
use bulla::ops::saved::ArchiveNotProven;
use bulla::ops::saved::ImageFault as _;
use bulla::ops::saved::ProvenArchive;
use bulla::ops::saved::SavedImageLetIn;
use bulla::ops::saved::SavedPolicyFault;
use bulla::ops::saved::SavedVerdict;
use bulla::report::CheckResult;
use bulla::report::CheckedImage;
use bulla::report::PolicyPlace;
use bulla::report::RequirementCheck;
use bulla::report::SavedResult;
use bulla::store::Source;

use super::args::ResultsOutput;
use super::exit::Exit;
use super::exit::Failure;
use super::line::Foreign;
use super::line::shortened;
use super::policy_evaluator::EvaluatedByPolicies;
use super::policy_evaluator::EvaluatedName;
use super::policy_evaluator::PolicyEvaluator;
use super::policy_reports::PolicyReports;
use super::policy_set::PolicySet;
use super::policy_verdict;
use super::render::note;
use super::results::Results;
use super::stores;
use super::stores::Stores;
use super::verify_saved;
use super::verify_saved::named;

/// What the policies say of a docker-archive that could be read.
pub(super) type ArchiveAnswer<'a> =
    Result<ProvenArchive<SavedImageLetIn<'a>>, ArchiveNotProven<SavedImageLetIn<'a>, SavedPolicyFault<'a>>>;

/// What the policies say of one image.
type ImageVerdict<'a> = SavedVerdict<SavedImageLetIn<'a>, SavedPolicyFault<'a>>;

/// The place of `--evidence`.
pub(super) struct EvidencePlace {
    /// The image whose manifests and evidence are meant; `None` for all images there.
    image: Option<TagOrDigest>,
    reference: String,
    source: Arc<dyn Source>,
}

impl EvidencePlace {
    pub(super) fn open(stores: &Stores, reference: String) -> Result<Self, Failure> {
        let (source, image) = stores.evidence(&reference)?;
        Ok(Self { image, reference, source })
    }

    pub(super) fn reference(&self) -> &str {
        &self.reference
    }
}

/// Judges the docker-archive `reference` by the name that was typed, which stands for every image in it. Without a place
/// the archive must hold the manifests and the evidence itself.
pub(super) async fn answer<'a>(
    stores: &Stores,
    reference: &str,
    place: Option<&EvidencePlace>,
    judged_as: Option<&str>,
    evaluator: PolicyEvaluator<'a>,
) -> Result<ArchiveAnswer<'a>, Failure> {
    let (local, source, image) = match place {
        Some(EvidencePlace { image, source, .. }) => {
            (verify_saved::docker_archive(reference)?, Arc::clone(source), image.as_ref())
        }
        None => {
            let (source, named) = stores.source(reference)?;
            // A name is not signed: it must be there, and all images are evaluated.
            pinned::resolve(source.as_ref(), &named).await?;
            (verify_saved::local_archive(reference)?, source, None)
        }
    };
    let name = EvaluatedName::of(reference, judged_as)?;
    let archive = stores.saved(&local)?;
    let (policies, options) = (evaluator.policies.named(), evaluator.options(&name));
    match saved::verify_by_policies(&archive, source.as_ref(), image, &policies, options).await {
        Err(ArchiveNotProven::Error(error)) => Err(failure(error, evaluator.platform.is_some())),
        answer => Ok(answer),
    }
}

/// Why an archive cannot be evaluated. With a platform, only that one of an index is let in.
fn failure(error: OpsError, is_one_platform: bool) -> Failure {
    let failure = Failure::from(error);
    match is_one_platform && failure.code == "contradiction" {
        true => failure.hint("leave out --platform: the file has an index, and a loader may take any platform of it"),
        false => failure,
    }
}

/// Reports the answer for the archive `reference`, and returns its exit code. The evidence is at `place`.
pub(super) fn report(
    output: ResultsOutput,
    (reference, place): (&str, &str),
    answer: &ArchiveAnswer<'_>,
    policies: &PolicySet,
    (results, reports): (&mut Results, &mut PolicyReports<'_>),
) -> Exit {
    let exit = match answer {
        Ok(_) => Exit::Yes,
        Err(not_let_in) if not_let_in.is_refusal() => Exit::Refused,
        Err(_) => Exit::Unknown,
    };
    match answer {
        Ok(archive) => archive.images().iter().for_each(|image| reports.add(|| checked((reference, place), image))),
        Err(ArchiveNotProven::Images(verdicts)) => verdicts.iter().for_each(|verdict| {
            reports.add(|| match verdict {
                SavedVerdict::Accepted(image) => checked((reference, place), image),
                verdict => not_let_in_check((reference, place), verdict, policies),
            });
        }),
        Err(error) => reports.add_failure(Some(reference), &Failure { exit, ..Failure::unknown(error.to_string()) }),
    }
    match (output, answer) {
        (ResultsOutput::Text, Ok(archive)) => archive.images().iter().for_each(|image| let_in(reference, image)),
        (ResultsOutput::Text, Err(ArchiveNotProven::Images(verdicts))) => {
            not_let_in((reference, place), &verdicts.iter().collect::<Vec<_>>(), exit);
        }
        (ResultsOutput::Text, Err(error)) => note(format_args!("error: `{}`: {error}", Foreign(reference))),
        _ => {
            if let Ok(archive) = answer {
                archive.images().iter().for_each(notes);
            }
            results.add(SavedResult::by_policies(reference, answer));
        }
    }
    exit
}

/// Prints what is loaded of one image, and why it is let in.
fn let_in(reference: &str, image: &SavedImageLetIn<'_>) {
    let evaluated = EvaluatedByPolicies::from(image.evaluation().clone());
    policy_verdict::evaluated(reference, &evaluated);
    verify_saved::loaded(image.image(), evaluated.digest());
}

/// Prints what the operator lets in nevertheless.
fn notes(image: &SavedImageLetIn<'_>) {
    image.evaluation().outcomes.iter().for_each(|(file, outcome)| policy_verdict::notes(file, outcome));
}

/// Prints why an archive is not let in, with all images in it.
fn not_let_in((reference, place): (&str, &str), verdicts: &[&ImageVerdict<'_>], exit: Exit) {
    let word = if exit == Exit::Refused { "refused" } else { "undetermined" };
    let shown = Foreign(reference);
    note(format_args!("error: `{shown}` {word}: `docker load` loads every image in it, and not all are let in"));
    let mut hint = None;
    for verdict in verdicts {
        match verdict {
            SavedVerdict::Accepted(image) => {
                let image = image.image();
                note(format_args!("  let in    {}", named(image.config(), image.names())));
            }
            SavedVerdict::NotAccepted { config, names, faults } => {
                for fault in faults.iter() {
                    let reason = shortened(&fault.to_string());
                    note(format_args!("  not       {}: {}", named(config, names), Foreign(reason)));
                    let SavedPolicyFault::NotLetIn { evaluation, subject } = fault else { continue };
                    let evaluated = EvaluatedByPolicies::from(evaluation.clone());
                    policy_verdict::reasons(&evaluated);
                    hint.get_or_insert_with(|| {
                        policy_verdict::hint_of(&at(place, subject), &evaluated, evaluated.exit())
                    });
                }
            }
            _ => {}
        }
    }
    hint.iter().for_each(|hint| note(format_args!("hint: {hint}")));
}

/// An image of the archive `reference` by its id, for reports.
fn image_reference(reference: &str, config: &Digest) -> String {
    format!("{reference} {config}")
}

/// The evaluated manifest or index at the place of the evidence.
fn at(place: &str, evaluated: &Digest) -> String {
    stores::reference_of(place, None, Some(*evaluated)).unwrap_or_else(|_| place.to_owned())
}

fn checked((reference, place): (&str, &str), image: &SavedImageLetIn<'_>) -> CheckedImage {
    let evaluated = EvaluatedByPolicies::from(image.evaluation().clone());
    policy_verdict::checked_at(
        &image_reference(reference, image.image().config()),
        &at(place, image.evaluated()),
        &evaluated,
    )
}

/// An image that is not let in: what the policies say of the first manifest that they refuse, and every other reason.
fn not_let_in_check(
    (reference, place): (&str, &str),
    verdict: &ImageVerdict<'_>,
    policies: &PolicySet,
) -> CheckedImage {
    let SavedVerdict::NotAccepted { config, faults, .. } = verdict else {
        return CheckedImage { checks: Vec::new(), digest: None, name: None, reference: reference.to_owned() };
    };
    let reference = image_reference(reference, config);
    let evaluated = faults.iter().find_map(|fault| match fault {
        SavedPolicyFault::NotLetIn { evaluation, subject } => {
            Some((EvaluatedByPolicies::from(evaluation.clone()), at(place, subject)))
        }
        _ => None,
    });
    let mut image = match &evaluated {
        Some((evaluated, at)) => policy_verdict::checked_at(&reference, at, evaluated),
        None => CheckedImage { checks: Vec::new(), digest: None, name: None, reference },
    };
    let mut said = evaluated.is_some();
    for fault in faults.iter() {
        if matches!(fault, SavedPolicyFault::NotLetIn { .. }) && std::mem::take(&mut said) {
            continue;
        }
        let (code, message) = (fault.code(), fault.to_string());
        let result = match fault.is_refusal() {
            true => CheckResult::Unmet { code, message },
            false => CheckResult::Undetermined { code, message },
        };
        let file = policies.entries().first().map(|entry| entry.file.clone()).unwrap_or_default();
        let place = PolicyPlace { column: None, file, line: None };
        image.checks.push(RequirementCheck { place, requirement: "image".to_owned(), result });
    }
    image
}
