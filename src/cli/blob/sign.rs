//! The command `sign-blob`.

use std::path::Path;

use bulla::files::Overwrite;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::ops::file;
use bulla::ops::file::FileSigningError;
use bulla::ops::file::MadeFileSignature;
use bulla::report::FileSignResult;

use crate::cli::args::ResultsOutput;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::render;
use crate::cli::results::Results;

use super::args::SignBlobArgs;
use super::input::BlobInput;
use super::target;
use super::target::BundleKind;
use super::target::BundleTarget;
use super::target::Sources;

pub(super) fn sign(args: &SignBlobArgs) -> Result<Exit, Failure> {
    let inputs: Vec<_> = args.files.iter().map(|word| BlobInput::file(word)).collect();
    let overwrite = target::overwrite(&args.target);
    let bundles: Vec<_> = match (&args.output_signature, &args.target.bundle) {
        (Some(_), None) => inputs.iter().map(|_| None).collect(),
        _ => target::bundles(&inputs, &args.target, args.output)?.into_iter().map(Some).collect(),
    };
    let bare = args.output_signature.as_deref();
    if bare.is_some() && inputs.len() != 1 {
        return Err(Failure::unknown("--output-signature is for one file, and several are given"));
    }
    let mut targets: Vec<_> = bundles.iter().flatten().filter_map(BundleTarget::path).collect();
    target::check_kind(&targets, BundleKind::Signature)?;
    targets.extend(bare);
    target::check(&targets, &Sources::of(&inputs, &args.key, &args.keys)?, overwrite)?;
    let signers = keys::signers(std::slice::from_ref(&args.key), &args.keys)?;
    let Some(signer) = signers.first() else { return Err(Failure::unknown("no key was given")) };
    let (mut exit, mut reports) = (Exit::Yes, Results::of("sign-blob", args.output));
    for ((word, input), bundle) in args.files.iter().zip(&inputs).zip(&bundles) {
        let written = one(input, bundle.as_ref(), bare, overwrite, signer.as_ref());
        let result = match (&written, args.output) {
            (Ok((digest, made)), ResultsOutput::Json | ResultsOutput::Jsonl) => {
                let bundle = bundle.as_ref().and_then(BundleTarget::path);
                FileSignResult::signed(word, digest, made.key().id(), made.scheme()).with_files(bundle, bare)
            }
            (Err(failure), ResultsOutput::Json | ResultsOutput::Jsonl) => {
                FileSignResult::failed(word, failure.reported())
            }
            (Ok((digest, made)), ResultsOutput::Text) => {
                if !matches!(bundle, Some(BundleTarget::Stdout)) {
                    render::line(format_args!("signed {digest}  {}", Foreign(word)));
                    let places = bundle.as_ref().and_then(BundleTarget::path).into_iter().chain(bare);
                    let places: Vec<_> = places.map(|path| path.display().to_string()).collect();
                    render::line(format_args!("  key {}  {}", made.key().id().short(), places.join(", ")));
                }
                continue;
            }
            (Err(failure), ResultsOutput::Text) => {
                render::failure(&failure.clone().of(word, &args.files));
                exit = exit.and(failure.exit);
                continue;
            }
        };
        exit = exit.and(written.map_or_else(|failure| failure.exit, |_| Exit::Yes));
        reports.add(result);
    }
    reports.end();
    Ok(exit)
}

/// Signs one file, and writes what was asked for.
fn one(
    input: &BlobInput<'_>,
    bundle: Option<&BundleTarget>,
    bare: Option<&Path>,
    overwrite: Overwrite,
    signer: &dyn Signer,
) -> Result<(String, MadeFileSignature), Failure> {
    let message = input.read_to_sign(signer, &Limits::DEFAULT)?;
    let made = file::sign(&message, signer).map_err(failed)?;
    let bundled = bundle.map(|_| made.to_bundle().map_err(failed)).transpose()?;
    let bare = bare.map(|path| (path, made.as_bytes()));
    match (bundle, &bundled) {
        (Some(BundleTarget::File(path)), Some(bytes)) => {
            let written: Vec<_> = bare.into_iter().chain([(path.as_path(), bytes.as_slice())]).collect();
            files::write_together(&written, overwrite)?;
        }
        (Some(target @ BundleTarget::Stdout), Some(bytes)) => {
            files::write_together(bare.as_slice(), overwrite)?;
            target.write(bytes, overwrite)?;
        }
        _ => files::write_together(bare.as_slice(), overwrite)?,
    }
    let digest = message.message().digests().next().map(ToString::to_string);
    Ok((digest.unwrap_or_default(), made))
}

/// The failure for a file that was not signed.
pub(super) fn failed(error: FileSigningError) -> Failure {
    let failure = Failure { code: "signer", ..Failure::unknown(error.to_string()) };
    match error {
        FileSigningError::SignatureInput(_) => Failure { code: "signature-input", ..failure }.hint(
            "bulla sign signs images, bulla attest statements; to sign the file as a file, pack it into an archive",
        ),
        FileSigningError::Signer(bulla::key::SignerError::MessageNeeded { .. }) => {
            failure.hint("sign it with an ECDSA or RSA key, which signs a hash: bulla key new --type p256")
        }
        _ => failure,
    }
}
