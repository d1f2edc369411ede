//! The command `timestamp request`: writes a request for each signature without a timestamp.

use std::path::Path;
use std::path::PathBuf;

use bulla::files::FileError;
use bulla::limits::Limits;
use bulla::ops::sign;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::timestamp;
use bulla::ops::timestamp::NotarySignature;
use bulla::ops::timestamp::NotarySignatures;
use bulla::ops::timestamp::TimestampTrust;
use bulla::report::Report;
use bulla::report::TimestampRequestResult;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::x509::Purpose;
use bulla::x509::TimestampRequest;

use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::line::Foreign;
use crate::cli::reference_list;
use crate::cli::render;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;
use crate::cli::timestamp::args::TimestampRequestArgs;
use crate::cli::timestamp::left_out::left_out;
use crate::cli::timestamp::nonce;
use crate::cli::timestamp::whole;
use crate::cli::trust;

pub(super) fn request(args: &TimestampRequestArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let anchors = trust::anchors_of(&[(&args.timestamp_roots, Purpose::TimeStamping)], &limits)?;
    let trust = TimestampTrust { anchors: &anchors, time: VerificationTime::now(now) };
    let trust = (!anchors.is_empty()).then_some(trust);
    let references = reference_list::expand(&args.references)?;
    let found = find(args, &references, &limits)?;
    let (mut new, mut results) = (Vec::new(), Vec::new());
    for (reference, images) in references.iter().zip(&found) {
        let signatures = images.iter().map(|image| image.signatures().len()).sum();
        let mut result = TimestampRequestResult::new(reference, signatures);
        let mut missing = Vec::new();
        for image in images {
            image.skipped().iter().for_each(|skipped| result.skip(skipped));
            for signatures in image.without_timestamp(trust, &limits) {
                let Some(first) = signatures.first() else { continue };
                let file = file_of(&args.out, first);
                let already = is_requested(&file, first, &new, &limits)?;
                if !already {
                    let nonce = nonce::nonce().map_err(|error| Failure::unknown(format!("no nonce: {error}")))?;
                    new.push((file.clone(), first.request(nonce).to_der()));
                }
                result.add(image.subject().digest(), &signatures, &file, already);
                missing.push((first.manifest().to_string(), file, already));
            }
        }
        if signatures == 0 {
            return Err(none(reference, images));
        }
        results.push((result, missing));
    }
    if !new.is_empty() {
        whole::directory(&args.out)?;
        whole::write_all(&new)?;
    }
    match args.output {
        Output::Json => {
            let results = results.into_iter().map(|(result, _)| result).collect();
            render::report(&Report::new("timestamp request", results));
        }
        Output::Text => {
            for ((reference, (_, missing)), images) in references.iter().zip(&results).zip(&found) {
                let left_out = left_out(reference, images);
                if left_out.is_none() || !missing.is_empty() {
                    shown(reference, missing);
                }
                left_out.iter().for_each(render::failure);
            }
            found.iter().flatten().for_each(note_skipped);
        }
    }
    let left_out = found.iter().flatten().flat_map(NotarySignatures::left_out).next();
    Ok(if left_out.is_some() { Exit::Unknown } else { Exit::Yes })
}

/// The signatures of the images of each reference.
fn find(
    args: &TimestampRequestArgs,
    references: &[String],
    limits: &Limits,
) -> Result<Vec<Vec<NotarySignatures>>, Failure> {
    let runtime = Runtime::new(Work::Waiting)?;
    let stores = Stores::new(&args.registry, references)?;
    let platforms = if args.all_platforms { SignedPlatforms::All } else { SignedPlatforms::Root };
    runtime.block_on(async {
        let mut found = Vec::new();
        for reference in references {
            let (source, tag_or_digest) = stores.source(reference)?;
            let mut images = Vec::new();
            for subject in sign::subjects(source.as_ref(), &tag_or_digest, platforms, limits).await? {
                images.push(timestamp::find(source.as_ref(), &subject, limits).await?);
            }
            found.push(images);
        }
        Ok(found)
    })
}

/// The file of the request for a signature, named by its signature manifest.
fn file_of(directory: &Path, signature: &NotarySignature) -> PathBuf {
    let manifest = signature.manifest();
    directory.join(format!("{}-{}.tsq", manifest.algorithm().name(), manifest.hex()))
}

/// Whether a request for this signature is in the file already, or will be. Its nonce stays, since an answer to it may be
/// on its way.
fn is_requested(
    file: &Path,
    signature: &NotarySignature,
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
fn none(reference: &str, images: &[NotarySignatures]) -> Failure {
    let mut failure =
        Failure::unknown(format!("{reference}: it has no Notary Project signature that can be timestamped"));
    failure.code = "timestamp-no-signature";
    for skipped in images.iter().flat_map(NotarySignatures::skipped) {
        failure.details.push(format!("skipped  {}: {}", skipped.manifest, Foreign(&skipped.reason)));
    }
    failure
        .hint("bulla tree REF   # shows the signatures; with --all-platforms those of the manifests in an index count")
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

fn note_skipped(image: &NotarySignatures) {
    for skipped in image.skipped().iter().filter(|skipped| !skipped.reason.is_left_out()) {
        render::note(format_args!("note: no timestamp for {}: {}", skipped.manifest, Foreign(&skipped.reason)));
    }
}
