//! `verify image-id`: images that an engine has loaded, by the digests of their configs.

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::ops::saved;
use bulla::ops::saved::ImageIdVerdict;
use bulla::ops::saved::SavedFault;
use bulla::ops::saved::VerifiedImageId;
use bulla::report::SavedResult;
use bulla::time::Time;

use super::args::RequirementArgs;
use super::args::ResultsOutput;
use super::args::VerifyArgs;
use super::exit::Exit;
use super::exit::Failure;
use super::line::Foreign;
use super::reference_list;
use super::render::line;
use super::render::note;
use super::results::Results;
use super::revocation;
use super::runtime::Runtime;
use super::runtime::Work;
use super::signatures::accepted_line;
use super::stores::Stores;
use super::verifiers::Verifiers;
use super::verify_saved;

pub(super) fn verify(
    args: &VerifyArgs,
    typed: &[String],
    place: &str,
    verifiers: &Verifiers,
    now: Time,
) -> Result<Exit, Failure> {
    let typed = reference_list::expand(typed)?;
    let ids = typed.iter().map(|text| image_id(text)).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        return Err(
            Failure::unknown("image-id needs an image id").hint("bulla verify image-id sha256:… --evidence PLACE")
        );
    }
    let limits = Limits::DEFAULT;
    let output = verify_saved::results_output(args)?;
    let stores = Stores::new(&args.registry, [place])?;
    let runtime = Runtime::new(Work::Waiting)?;
    let (source, image) = stores.evidence(place)?;
    let lookup = revocation::lookup(&args.required.lookup, &args.registry)?;
    let options = verify_saved::options(verifiers.of(place)?, now, lookup.as_ref(), &limits);
    let verdicts = runtime.block_on(saved::verify_ids(&ids, source.as_ref(), image.as_ref(), options))?;
    let mut reports = Results::of("verify", output).by(verifiers.trusted_root());
    let mut exit = Exit::Yes;
    for (reference, verdict) in typed.iter().zip(&verdicts) {
        exit = exit.and(match verdict {
            ImageIdVerdict::Accepted(_) => Exit::Yes,
            refused if refused.is_refusal() => Exit::Refused,
            _ => Exit::Unknown,
        });
        match output {
            ResultsOutput::Text => outcome(reference, place, verdict, &args.required),
            _ => reports.add(SavedResult::of_id(reference, verdict)),
        }
    }
    reports.end();
    revocation::report_problems(lookup);
    Ok(exit)
}

/// The image id that was typed: a digest, as engines print it; behind `docker://`, as Kubernetes has it from cri-dockerd; or
/// its hexadecimal part alone, as CRI-O and `podman inspect` print it.
fn image_id(text: &str) -> Result<Digest, Failure> {
    let id = text.strip_prefix("docker://").unwrap_or(text);
    let is_hex = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = if is_hex { format!("sha256:{id}") } else { id.to_owned() };
    id.parse().map_err(|error| {
        Failure::unknown(format!("`{text}` is no image id: {error}")).hint("docker images --no-trunc prints image ids")
    })
}

fn outcome(reference: &str, place: &str, verdict: &ImageIdVerdict, required: &RequirementArgs) {
    match verdict {
        ImageIdVerdict::Accepted(verified) => accepted(verified),
        ImageIdVerdict::NotAccepted { id, faults } => {
            let word = if verdict.is_refusal() { "refused" } else { "undetermined" };
            note(format_args!("error: image id `{id}` {word}"));
            for fault in faults.iter() {
                note(format_args!("  not       {id}: {}", Foreign(fault)));
                verify_saved::signature((reference, place), id, fault, required);
            }
            if faults.iter().any(|fault| matches!(fault, SavedFault::NoManifest { .. })) {
                note(format_args!(
                    "hint: bulla verify PLACE@{id}   # if Docker uses containerd's image store: the id is that of a manifest"
                ));
            }
        }
        _ => {}
    }
}

/// Prints what is proven about the image id, and what is not.
fn accepted(verified: &VerifiedImageId) {
    line(format_args!("verified {}  image id {}", verified.signed(), verified.id()));
    verified.subject().accepted().iter().for_each(|counted| line(format_args!("  {}", accepted_line(counted))));
    if verified.manifest() != verified.signed() {
        line(format_args!("  manifest {}", verified.manifest()));
    }
    line(format_args!("  layers not read: the engine that loaded the image had to check them"));
}
