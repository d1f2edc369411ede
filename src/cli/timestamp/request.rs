//! The command `timestamp request`: writes a request for each signature without a timestamp.

use std::path::Path;
use std::path::PathBuf;

use bulla::digest::Digest;
use bulla::files::FileError;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::ops::sign;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::timestamp;
use bulla::ops::timestamp::ImageSignatures;
use bulla::ops::timestamp::UnstampedSignature;
use bulla::ops::witness::WitnessTrust;
use bulla::report::Report;
use bulla::report::TimestampRequestResult;
use bulla::time::Time;
use bulla::x509::TimestampRequest;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::reference_list;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use crate::cli::timestamp::args::TimestampRequestArgs;
use crate::cli::timestamp::left_out::left_out;
use crate::cli::timestamp::nonce;
use crate::cli::timestamp::trust::NamedAuthorities;
use crate::cli::timestamp::whole;

/// What was found for a reference or a bundle, and what is missing.
struct RequestJob {
    /// Could-not-tell: signatures were left out because of a limit.
    left_out: Option<Failure>,
    /// For each missing timestamp what the request is about, its file, and whether it was there already.
    missing: Vec<(String, PathBuf, bool)>,
    notes: Vec<String>,
    reference: String,
    result: TimestampRequestResult,
    /// Each signature without a timestamp, with the image or bundle that it belongs to.
    unstamped: Vec<(Digest, UnstampedSignature)>,
}

pub(super) fn request(args: &TimestampRequestArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let authorities = NamedAuthorities::read(&args.timestamp_roots, args.trusted_root.as_deref(), now, &limits)?;
    let keys = keys::public_keys(&args.signatures.key, &args.signatures.token)?;
    let mut jobs = match args.signatures.bundle.as_slice() {
        [] => image_jobs(args, &keys, authorities.trust(), &limits)?,
        bundles => bundles
            .iter()
            .map(|path| file_job(path, &keys, authorities.trust(), &limits))
            .collect::<Result<Vec<_>, _>>()?,
    };
    let mut new = Vec::new();
    for job in &mut jobs {
        for (subject, signature) in &job.unstamped {
            let Some(first) = signature.places().first() else { continue };
            let file = file_of(&args.out, first);
            let already = is_requested(&file, signature, &new, &limits)?;
            if !already {
                let nonce = nonce::nonce().map_err(|error| Failure::unknown(format!("no nonce: {error}")))?;
                new.push((file.clone(), signature.request(nonce).to_der()));
            }
            job.result.add(subject, signature, &file, already);
            job.missing.push((first.to_string(), file, already));
        }
    }
    if !new.is_empty() {
        whole::directory(&args.out)?;
        whole::write_all(&new)?;
    }
    let exit = if jobs.iter().any(|job| job.left_out.is_some()) { Exit::Unknown } else { Exit::Yes };
    match args.output {
        Output::Json => {
            let results = jobs.into_iter().map(|job| job.result).collect();
            render::report(&Report::new("timestamp request", results));
        }
        Output::Text => {
            for job in &jobs {
                if job.left_out.is_none() || !job.missing.is_empty() {
                    shown(&job.reference, &job.missing);
                }
                job.left_out.iter().for_each(render::failure);
            }
            jobs.iter().flat_map(|job| &job.notes).for_each(|note| render::note(format_args!("{note}")));
        }
    }
    Ok(exit)
}

/// What the images of each reference lack.
fn image_jobs(
    args: &TimestampRequestArgs,
    keys: &[PublicKey],
    trust: Option<WitnessTrust<'_>>,
    limits: &Limits,
) -> Result<Vec<RequestJob>, Failure> {
    let references = reference_list::expand(&args.signatures.references)?;
    let found = find(args, &references, keys, limits)?;
    let mut jobs = Vec::new();
    for (reference, images) in references.iter().zip(&found) {
        let signatures = images.iter().map(ImageSignatures::count).sum();
        if signatures == 0 {
            return Err(none(reference, images));
        }
        let mut result = TimestampRequestResult::new(reference, signatures);
        images.iter().flat_map(ImageSignatures::skipped).for_each(|skipped| result.skip(skipped));
        let of_image = |image: &ImageSignatures| {
            let subject = *image.subject().digest();
            image.without_timestamp(trust, limits).into_iter().map(move |signature| (subject, signature))
        };
        jobs.push(RequestJob {
            left_out: left_out(reference, images),
            missing: Vec::new(),
            notes: images.iter().flat_map(notes).collect(),
            reference: reference.clone(),
            result,
            unstamped: images.iter().flat_map(of_image).collect(),
        });
    }
    Ok(jobs)
}

/// What the bundle in a file lacks.
fn file_job(
    path: &Path,
    keys: &[PublicKey],
    trust: Option<WitnessTrust<'_>>,
    limits: &Limits,
) -> Result<RequestJob, Failure> {
    let signature = super::trust::bundle(path, keys, limits)?;
    let reference = path.display().to_string();
    let unstamped = UnstampedSignature::of_file(&signature, trust, limits);
    Ok(RequestJob {
        left_out: None,
        missing: Vec::new(),
        notes: Vec::new(),
        result: TimestampRequestResult::new(&reference, 1),
        reference,
        unstamped: unstamped.into_iter().map(|unstamped| (*signature.bundle().digest(), unstamped)).collect(),
    })
}

/// The signatures of the images of each reference.
fn find(
    args: &TimestampRequestArgs,
    references: &[String],
    keys: &[PublicKey],
    limits: &Limits,
) -> Result<Vec<Vec<ImageSignatures>>, Failure> {
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, references)?;
    let platforms = if args.signatures.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    runtime.block_on(async {
        let mut found = Vec::new();
        for reference in references {
            let (source, tag_or_digest) = stores.source(reference)?;
            let mut images = Vec::new();
            for subject in sign::subjects(source.as_ref(), &tag_or_digest, platforms, limits).await? {
                images.push(timestamp::find_all(source.as_ref(), &subject, keys, limits).await?);
            }
            found.push(images);
        }
        Ok(found)
    })
}

/// The file of the request for a signature, named by its signature manifest or bundle.
fn file_of(directory: &Path, place: &Digest) -> PathBuf {
    directory.join(format!("{}-{}.tsq", place.algorithm().name(), place.hex()))
}

/// Whether a request for this signature is in the file already, or will be. Its nonce stays, since an answer to it may be
/// on its way.
fn is_requested(
    file: &Path,
    signature: &UnstampedSignature,
    new: &[(PathBuf, Vec<u8>)],
    limits: &Limits,
) -> Result<bool, Failure> {
    if new.iter().any(|(other, _)| other == file) {
        return Ok(true);
    }
    let Some(bytes) = files::read_if_there(file, limits.envelope.timestamp_bytes)? else { return Ok(false) };
    match TimestampRequest::parse(&bytes, limits) {
        Ok(there) if signature.is_requested_by(&there) => Ok(true),
        _ => Err(FileError::Exists { path: file.to_owned() }.into()),
    }
}

/// The failure for a reference without a signature that can get a timestamp.
fn none(reference: &str, images: &[ImageSignatures]) -> Failure {
    let why = "it has no signature with a certificate that can be timestamped";
    let mut failure = Failure::unknown(format!("{reference}: {why}"));
    failure.code = "timestamp-no-signature";
    for skipped in images.iter().flat_map(ImageSignatures::skipped) {
        failure.details.push(format!("skipped  {}: {}", skipped.manifest, Foreign(&skipped.reason)));
    }
    failure
        .hint("bulla tree REF   # shows the signatures; --all-platforms if they are in an index, --key PUB for those of a key")
}

fn shown(reference: &str, missing: &[(String, PathBuf, bool)]) {
    if missing.is_empty() {
        render::line(format_args!("no request is needed: every signature has a timestamp  {reference}"));
    }
    for (manifest, file, already) in missing {
        let done = if *already { "already requested" } else { "requested" };
        render::line(format_args!("{done} {manifest}  {reference}"));
        render::line(format_args!("  {}", file.display()));
    }
}

/// The signatures of an image that get no timestamp, with the reasons.
fn notes(image: &ImageSignatures) -> impl Iterator<Item = String> {
    let skipped = image.skipped().filter(|skipped| !skipped.reason.is_left_out());
    skipped.map(|skipped| format!("note: no timestamp for {}: {}", skipped.manifest, Foreign(&skipped.reason)))
}
