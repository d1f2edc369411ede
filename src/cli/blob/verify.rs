//! The command `verify-blob`.

use bulla::key::HashedMessage;
use bulla::limits::Limits;
use bulla::ops::file::FileEvidence;
use bulla::ops::file::FileRefusal;
use bulla::ops::file::FileVerification;
use bulla::ops::file::VerifiedFile;
use bulla::policy::FileStatement;
use bulla::policy::Quorum;
use bulla::policy::QuorumError;
use bulla::policy::Threshold;
use bulla::predicate::predicate_type;
use bulla::report::FileVerifyResult;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;

use crate::cli::args::ResultsOutput;
use crate::cli::exit::Exit;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keyless::KeylessOptions;
use crate::cli::render;
use crate::cli::results::Results;
use crate::cli::trust;

use super::args::VerifyBlobArgs;
use super::input::BlobInput;
use super::refusal;
use super::target;

/// The word of `--type` for a signature or an attestation of any type.
const ANY: &str = "any";

pub(super) fn verify(args: &VerifyBlobArgs, now: Time) -> Result<Exit, Failure> {
    let limits = Limits::DEFAULT;
    let statement = statement(args.predicate_type.as_deref())?;
    let identities = args.certificate_identity.iter().map(String::as_str).collect();
    let keyless = KeylessOptions { args: &args.keyless, identities };
    let trust = trust::trust_root_of_files(&args.key, &keyless, &args.token, now, &limits)?;
    let (trust, trusted_root) = (trust.root, trust.trusted_root);
    let to_failure = |error: QuorumError| Failure::unknown(error.to_string());
    let quorum = Quorum::of_all(&trust, Threshold::new(args.threshold).map_err(to_failure)?).map_err(to_failure)?;
    let by = FileVerification {
        limits: &limits,
        quorum: &quorum,
        statement: &statement,
        time: VerificationTime::now(now),
        trust: &trust,
    };
    if args.files.len() > 1 && !(args.bundle.is_empty() && args.signature.is_empty()) {
        let failure = Failure::unknown("--bundle and --signature are for one file, and several are given");
        return Err(failure.hint("leave them out: the bundle of FILE is then FILE.sigstore.json"));
    }
    let (mut exit, mut reports) = (Exit::Yes, Results::of("verify-blob", args.output).by(trusted_root.as_deref()));
    for word in &args.files {
        let verdict = one(word, args, &trust, &by);
        exit = exit.and(match &verdict {
            Ok(Ok(_)) => Exit::Yes,
            Ok(Err(refusal)) if refusal.is_undetermined() => Exit::Unknown,
            Ok(Err(_)) => Exit::Refused,
            Err(failure) => failure.exit,
        });
        match (&verdict, args.output) {
            (Ok(Ok(verified)), ResultsOutput::Text) => refusal::verified(word, verified),
            (Ok(Err(refused)), ResultsOutput::Text) => refusal::refused(word, refused, &statement),
            (Err(failure), ResultsOutput::Text) => render::failure(&failure.clone().of(word, &args.files)),
            (Ok(Ok(verified)), _) => reports.add(FileVerifyResult::verified(word, verified)),
            (Ok(Err(refused)), _) => reports.add(FileVerifyResult::refused(word, refused)),
            (Err(failure), _) => reports.add(FileVerifyResult::failed(word, failure.reported())),
        }
    }
    reports.end();
    Ok(exit)
}

/// Verifies one file.
fn one(
    word: &str,
    args: &VerifyBlobArgs,
    trust: &TrustRoot,
    by: &FileVerification<'_>,
) -> Result<Result<VerifiedFile, Box<FileRefusal>>, Failure> {
    let input = BlobInput::file_or_digest(word)?;
    let mut evidence = FileEvidence::new();
    let beside = input.path().map(target::bundle_of);
    let bundles = match (args.bundle.as_slice(), args.signature.as_slice(), &beside) {
        ([], [], None) => {
            let failure = Failure::unknown(format!("`{word}` has no file name for its bundle"));
            return Err(failure.hint("--bundle FILE"));
        }
        ([], [], Some(beside)) => std::slice::from_ref(beside),
        (given, ..) => given,
    };
    for path in bundles {
        let bytes = files::read_stream(path, by.limits.evidence.attestation_bytes)?;
        evidence.add_bundle(&path.display().to_string(), &bytes, by.limits);
    }
    for path in &args.signature {
        let bytes = files::read_stream(path, by.limits.key.file_bytes)?;
        evidence.add_signature(&path.display().to_string(), &bytes);
    }
    Ok(match &input {
        BlobInput::Digest(digest) => by.verify(&HashedMessage::known_by(*digest), &evidence),
        _ => by.verify_file(&input.read_to_verify(evidence.hasher(trust, by.limits))?, &evidence),
    })
}

fn statement(typed: Option<&str>) -> Result<FileStatement, Failure> {
    match typed {
        None => Ok(FileStatement::Signature),
        Some(ANY) => Ok(FileStatement::Any),
        Some(typed) => Ok(FileStatement::Attestation { predicate_type: predicate_type(typed)?.to_owned() }),
    }
}
