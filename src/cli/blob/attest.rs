//! The command `attest-blob`.

use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::ops::file;
use bulla::ops::file::FileAttestation;
use bulla::ops::file::MadeFileAttestation;
use bulla::predicate::predicate_type;
use bulla::report::FileSignResult;

use crate::cli::args::ResultsOutput;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::keys;
use crate::cli::line::Foreign;
use crate::cli::predicate;
use crate::cli::render;
use crate::cli::results::Results;

use super::args::AttestBlobArgs;
use super::input::BlobInput;
use super::sign::failed;
use super::target;
use super::target::BundleKind;
use super::target::BundleTarget;
use super::target::Sources;

pub(super) fn attest(args: &AttestBlobArgs) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let inputs: Vec<_> = args.files.iter().map(|word| BlobInput::file(word)).collect();
    let overwrite = target::overwrite(&args.target);
    let targets = target::bundles(&inputs, &args.target, args.output)?;
    let paths: Vec<_> = targets.iter().filter_map(BundleTarget::path).collect();
    target::check_kind(&paths, BundleKind::Attestation)?;
    let sources = Sources::of(&inputs, &args.key, &args.keys)?.with_predicate(&args.predicate);
    target::check(&paths, &sources, overwrite)?;
    let predicate_type = predicate_type(&args.predicate_type)?;
    let predicate = predicate::read(&args.predicate, predicate_type, &limits)?;
    let signers = keys::signers(std::slice::from_ref(&args.key), &args.keys)?;
    let Some(signer) = signers.first() else { return Err(Failure::unknown("no key was given")) };
    let (mut exit, mut reports) = (Exit::Yes, Results::of("attest-blob", args.output));
    for ((word, input), target) in args.files.iter().zip(&inputs).zip(&targets) {
        let name = input.path().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        let attestation = FileAttestation { name: name.as_deref(), predicate: &predicate, predicate_type };
        let made = one(input, &attestation, signer.as_ref(), &limits);
        let written =
            made.and_then(|(digest, made)| target.write(&made.bundle, overwrite).map(|()| (digest, made.scheme)));
        let key = signer.public_key().id();
        let result = match (&written, args.output) {
            (Ok((digest, scheme)), ResultsOutput::Json | ResultsOutput::Jsonl) => {
                FileSignResult::signed(word, digest, key, *scheme)
                    .with_files(target.path(), None)
                    .with_predicate_type(predicate_type)
            }
            (Err(failure), ResultsOutput::Json | ResultsOutput::Jsonl) => {
                FileSignResult::failed(word, failure.reported())
            }
            (Ok((digest, _)), ResultsOutput::Text) => {
                if let BundleTarget::File(path) = target {
                    render::line(format_args!("attested {digest}  {}", Foreign(word)));
                    render::line(format_args!("  key {}  {predicate_type}  {}", key.short(), path.display()));
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

fn one(
    input: &BlobInput<'_>,
    attestation: &FileAttestation<'_>,
    signer: &dyn Signer,
    limits: &Limits,
) -> Result<(String, MadeFileAttestation), Failure> {
    let message = input.read_to_attest(file::hasher_for_signers(&[], limits))?;
    let made = file::attest(&message, attestation, signer, limits).map_err(failed)?;
    let digest = message.digests().next().map(ToString::to_string);
    Ok((digest.unwrap_or_default(), made))
}
