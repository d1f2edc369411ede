//! `verify --evidence`: what `docker load` loads from an archive, by evidence that is kept elsewhere.

use std::fs;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::oci::LocalReference;
use bulla::oci::Reference;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::layers::Depth;
use bulla::ops::revocation::RevocationLookup;
use bulla::ops::saved;
use bulla::ops::saved::ArchiveNotProven;
use bulla::ops::saved::MatchedImage;
use bulla::ops::saved::ProvenArchive;
use bulla::ops::saved::SavedFault;
use bulla::ops::saved::SavedVerdict;
use bulla::ops::saved::VerifiedSavedImage;
use bulla::ops::verify::Verdict;
use bulla::ops::verify::VerifyOptions;
use bulla::report::SavedResult;
use bulla::report::VerifyResult;
use bulla::store::Source;
use bulla::time::Time;
use bulla::verify::Verifier;

use super::args::RequirementArgs;
use super::args::ResultsOutput;
use super::args::VerifyArgs;
use super::args::VerifyOutput;
use super::exit::Exit;
use super::exit::Failure;
use super::line::Foreign;
use super::quantity::amount;
use super::quantity::count;
use super::reference_list;
use super::render;
use super::render::line;
use super::render::note;
use super::results::Results;
use super::revocation;
use super::runtime::Runtime;
use super::runtime::Work;
use super::signatures::accepted_lines;
use super::stores::Stores;
use super::verdict;
use super::verifiers::Verifiers;

/// Why an archive is not verified by signatures.
type NotVerified = ArchiveNotProven<VerifiedSavedImage, SavedFault>;

pub(super) fn verify(args: &VerifyArgs, place: &str, verifiers: &Verifiers, now: Time) -> Result<Exit, Failure> {
    let references = reference_list::expand(&args.references)?;
    let limits = Limits::DEFAULT;
    let output = results_output(args)?;
    let stores = Stores::new(&args.registry, references.iter().map(String::as_str).chain([place]))?;
    let runtime = Runtime::new(Work::Moving)?;
    let (source, image) = stores.evidence(place)?;
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let options = options(verifiers.of(place)?, now, lookup.as_ref(), &limits);
    let mut reports = Results::of("verify", output).by(verifiers.trusted_root());
    let mut exit = Exit::Yes;
    for reference in &references {
        let opened = docker_archive(reference).and_then(|local| stores.saved(&local));
        let result =
            opened.map(|archive| runtime.block_on(saved::verify(&archive, source.as_ref(), image.as_ref(), options)));
        exit = exit.and(match &result {
            Ok(Ok(_)) => Exit::Yes,
            Ok(Err(not_verified)) if not_verified.is_refusal() => Exit::Refused,
            Ok(Err(_)) => Exit::Unknown,
            Err(failure) => failure.exit,
        });
        match (output, result) {
            (ResultsOutput::Text, Ok(result)) => outcome((reference, &references), place, result, &args.required),
            (ResultsOutput::Text, Err(failure)) => render::failure(&failure.of(reference, &references)),
            (_, Ok(result)) => reports.add(SavedResult::of(reference, &result)),
            (_, Err(failure)) => {
                reports.add(VerifyResult::failed(reference, failure.exit.into(), failure.reported()));
            }
        }
    }
    reports.end();
    revocation::report_problems(lookup);
    Ok(exit)
}

/// The reference of a place of evidence. A path alone, which is no reference, is that of a layout or of an OCI archive, as
/// `copy --evidence` writes them.
pub(super) fn place(typed: &str) -> String {
    match (typed.parse::<Reference>(), fs::metadata(typed)) {
        (Err(_), Ok(found)) if found.is_dir() => format!("oci:{typed}"),
        (Err(_), Ok(_)) => format!("oci-archive:{typed}"),
        _ => typed.to_owned(),
    }
}

/// The form of the report, if it has no predicates.
pub(super) fn results_output(args: &VerifyArgs) -> Result<ResultsOutput, Failure> {
    match args.output {
        VerifyOutput::Json => Ok(ResultsOutput::Json),
        VerifyOutput::Jsonl => Ok(ResultsOutput::Jsonl),
        VerifyOutput::Text => Ok(ResultsOutput::Text),
        VerifyOutput::Predicate => Err(Failure::unknown("--evidence reports no predicates")),
    }
}

/// The options of a verification by evidence that is kept elsewhere.
pub(super) const fn options<'a>(
    verifier: &'a Verifier,
    now: Time,
    revocation: Option<&'a RevocationLookup>,
    limits: &'a Limits,
) -> VerifyOptions<'a> {
    let (until, depth) = (DiscoverUntil::PolicyMet, Depth::Manifests);
    VerifyOptions { verifier, until, now, depth, revocation, limits, files: &[] }
}

/// Verifies every image in the docker-archive `local`, in which one was chosen by name and is verified already, by the
/// manifests and signatures in the archive itself (`source`).
///
/// # Errors
/// [`Failure`] with the images that are not verified.
pub(super) async fn whole_file(
    stores: &Stores,
    reference: &str,
    local: &LocalReference,
    source: &dyn Source,
    options: VerifyOptions<'_>,
) -> Result<(), Failure> {
    let archive = stores.saved(local)?;
    let Err(not_verified) = saved::verify(&archive, source, None, options).await else { return Ok(()) };
    let message = format!("`{reference}`: `docker load` loads every image in the file, and not all are verified");
    let refused = not_verified.is_refusal();
    let failure = if refused { Failure::refused(message) } else { Failure::unknown(message) };
    let images = match not_verified {
        ArchiveNotProven::Images(images) => images,
        ArchiveNotProven::Error(error) => return Err(error.into()),
        _ => return Err(failure),
    };
    let other = |verdict: &SavedVerdict<_, _>| match verdict {
        SavedVerdict::NotAccepted { config, names, .. } => Some(format!("not verified: {}", named(config, names))),
        _ => None,
    };
    let details = images.iter().filter_map(other).collect();
    Err(Failure { code: "contradiction", details, ..failure }
        .hint("copy the image that you want into a file of its own"))
}

/// The docker-archive of `reference`, which --evidence is about. A name in it cannot be chosen.
pub(super) fn docker_archive(reference: &str) -> Result<LocalReference, Failure> {
    match reference.parse::<Reference>()? {
        Reference::DockerArchive(_) => whole_archive(reference),
        _ => {
            let message = format!("`{reference}` is no docker-archive, and --evidence is about what such a file loads");
            Err(Failure::unknown(message).hint("docker-archive:FILE, or leave out --evidence"))
        }
    }
}

/// The docker-archive of `reference`, without the name of an image: `docker load` loads all of them.
pub(super) fn whole_archive(reference: &str) -> Result<LocalReference, Failure> {
    let local = local_archive(reference)?;
    match local.tag_or_digest {
        None => Ok(local),
        Some(_) => {
            let message = format!("`{reference}` names one image, but `docker load` loads all images in the file");
            Err(Failure::unknown(message).hint(format!("docker-archive:{}", local.path.display())))
        }
    }
}

/// The docker-archive of `reference`, in which a name may be chosen.
pub(super) fn local_archive(reference: &str) -> Result<LocalReference, Failure> {
    match reference.parse::<Reference>()? {
        Reference::DockerArchive(local) => Ok(local),
        _ => Err(Failure::unknown(format!("`{reference}` is no docker-archive")).hint("docker-archive:FILE")),
    }
}

/// Prints the verdict on one archive.
fn outcome(
    (reference, references): (&str, &[String]),
    place: &str,
    result: Result<ProvenArchive<VerifiedSavedImage>, NotVerified>,
    required: &RequirementArgs,
) {
    match result {
        Ok(verified) => verified.images().iter().for_each(|image| accepted(reference, image)),
        Err(ArchiveNotProven::Images(verdicts)) => {
            not_accepted(reference, place, &verdicts.iter().collect::<Vec<_>>(), required);
        }
        Err(ArchiveNotProven::Error(error)) => render::failure(&Failure::from(error).of(reference, references)),
        Err(other) => render::failure(&Failure::unknown(other.to_string())),
    }
}

/// Prints the chain of one image: the signed digest, the manifest, the config, the layers.
fn accepted(reference: &str, image: &VerifiedSavedImage) {
    line(format_args!("verified {}  {}", image.signed(), Foreign(reference)));
    for counted in image.subject().accepted().iter() {
        accepted_lines(counted).iter().for_each(|shown| line(format_args!("  {shown}")));
    }
    let revocation = verdict::revocation_lines(image.subject().accepted().iter().map(|counted| &counted.signer));
    revocation.iter().for_each(|shown| line(format_args!("  {shown}")));
    loaded(image.image(), Some(*image.signed()));
}

/// Prints what is loaded of one image: the manifest, unless it is what was `shown`, the image id, the layers that were read,
/// and the unsigned names.
pub(super) fn loaded(image: &MatchedImage, shown: Option<Digest>) {
    if shown != Some(*image.manifest()) {
        line(format_args!("  manifest {}", image.manifest()));
    }
    line(format_args!("  image id {}", image.config()));
    line(format_args!("  layers read: {}", layers(image)));
    for name in image.names() {
        line(format_args!("  name in the archive, not signed: {}", Foreign(name)));
    }
}

/// The number of layers of an image, and their size in the archive.
pub(super) fn layers(image: &MatchedImage) -> String {
    let bytes = image.layers().iter().fold(0, |sum: u64, layer| sum.saturating_add(*layer));
    format!("{} ({})", count(image.layers().len(), "layer"), amount(bytes))
}

/// Prints why an archive is not accepted, with all images in it.
fn not_accepted(
    reference: &str,
    place: &str,
    verdicts: &[&SavedVerdict<VerifiedSavedImage, SavedFault>],
    required: &RequirementArgs,
) {
    let word = if verdicts.iter().any(|verdict| verdict.is_refusal()) { "refused" } else { "undetermined" };
    let shown = Foreign(reference);
    note(format_args!("error: `{shown}` {word}: `docker load` loads every image in it, and not all are verified"));
    for verdict in verdicts {
        match verdict {
            SavedVerdict::Accepted(image) => {
                let image = image.image();
                note(format_args!("  verified  {}", named(image.config(), image.names())));
            }
            SavedVerdict::NotAccepted { config, names, faults } => {
                for fault in faults.iter() {
                    note(format_args!("  not       {}: {}", named(config, names), Foreign(fault)));
                    signature((reference, place), config, fault, required);
                }
            }
            _ => {}
        }
    }
}

/// Prints the verdict on the manifest of an image that is not accepted. Hints are about the manifest at `place`, where the
/// evidence is.
pub(super) fn signature(
    (reference, place): (&str, &str),
    config: &Digest,
    fault: &SavedFault,
    required: &RequirementArgs,
) {
    let SavedFault::Signature { verdict } = fault else { return };
    let at = match (&**verdict, place.parse::<Reference>()) {
        (Verdict::Refused(refusal), Ok(parsed)) => format!("{}@{}", parsed.location(), refusal.subject),
        _ => place.to_owned(),
    };
    verdict::verdict(reference, &at, config, verdict, required);
}

/// An image by its id and the unsigned names in the archive.
pub(super) fn named(config: &Digest, names: &[String]) -> String {
    match names {
        [] => config.to_string(),
        names => format!("{config} ({})", Foreign(names.join(", "))),
    }
}
