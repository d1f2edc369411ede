//! Opens a policy file: its signature, its id and the files that it names are checked before anything is decided by it.

use std::path::Path;

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::ops::file::FileEvidence;
use bulla::ops::file::FileRefusal;
use bulla::ops::file::SignedPolicyFile;
use bulla::policy::PolicyId;
use bulla::policy::Quorum;
use bulla::policy::Threshold;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::time::Time;
use bulla::trust::TrustRoot;

use crate::cli::args::RegistryArgs;
use crate::cli::args::TokenArgs;
use crate::cli::blob;
use crate::cli::exit::Failure;
use crate::cli::files;
use crate::cli::keys;
use crate::cli::policy::args::PolicyTrustArgs;
use crate::cli::policy::artifact;
use crate::cli::policy::files::DirectoryFiles;
use crate::cli::policy::not_opened::NotOpened;

/// Opens one policy, a file or an artifact. Of several `--policy-digest` one must be its id.
pub(in crate::cli) fn open(
    path: &Path,
    args: &PolicyTrustArgs,
    (token, registry): (&TokenArgs, &RegistryArgs),
    now: Time,
    limits: &Limits,
) -> Result<LoadedPolicy, NotOpened> {
    let policy = match artifact::reference_of(path).map_err(NotOpened::Failed)? {
        Some(reference) => artifact::open(reference, (&args.policy_key, token, registry), now, limits)?,
        None => file(path, (&args.policy_key, token), now, limits)?,
    };
    let id = policy.id();
    if !args.policy_digest.is_empty() && !args.policy_digest.contains(id.digest()) {
        let message = format!("{}: the policy has the id {id}, and --policy-digest wants another one", path.display());
        return Err(NotOpened::Failed(Failure { code: "policy-digest", ..Failure::unknown(message) }));
    }
    Ok(policy)
}

/// Opens a policy file. With `policy_keys` one of them must have signed it.
fn file(
    path: &Path,
    (policy_keys, token): (&[String], &TokenArgs),
    now: Time,
    limits: &Limits,
) -> Result<LoadedPolicy, NotOpened> {
    let bytes = files::read(path, limits.yaml.bytes).map_err(NotOpened::Failed)?;
    let beside = DirectoryFiles::beside(path);
    let policy = match policy_keys {
        [] => LoadedPolicy::load(&bytes, &beside, LoadOptions::new(now, limits)),
        policy_keys => {
            let signed = signed(path, bytes, (policy_keys, token), now, limits).map_err(NotOpened::Failed)?;
            signed.load(&beside, now, limits)
        }
    };
    policy.map_err(NotOpened::faults)
}

/// Wants each digest of `--policy-digest` to be the id of one of the policies: otherwise one policy, given twice, could stand
/// in the place of two.
pub(in crate::cli) fn each_is_an_id(digests: &[Digest], policies: &[PolicyId]) -> Result<(), Failure> {
    match digests.iter().find(|digest| !policies.iter().any(|id| id.digest() == *digest)) {
        Some(digest) => {
            let failure = Failure::unknown(format!("no policy has the id {digest} of --policy-digest"));
            Err(Failure { code: "policy-digest", ..failure })
        }
        None => Ok(()),
    }
}

/// Verifies the signature beside a policy file: the bundle of `sign-blob`.
fn signed(
    path: &Path,
    bytes: Vec<u8>,
    (policy_keys, token): (&[String], &TokenArgs),
    now: Time,
    limits: &Limits,
) -> Result<SignedPolicyFile, Failure> {
    let to_failure = |error: &dyn std::fmt::Display| Failure::unknown(error.to_string());
    let trust = TrustRoot::pinned(keys::public_keys(policy_keys, token)?).map_err(|error| to_failure(&error))?;
    let quorum = Quorum::of_all(&trust, Threshold::ONE).map_err(|error| to_failure(&error))?;
    let bundle = blob::bundle_of(path);
    let mut evidence = FileEvidence::new();
    let unsigned = |failure: Failure| {
        let hint = format!("bulla sign-blob {} --key <the key of --policy-key>", path.display());
        Failure { code: "policy-not-signed", ..failure }.hint(hint)
    };
    let read = files::read(&bundle, limits.evidence.attestation_bytes).map_err(unsigned)?;
    evidence.add_bundle(&bundle.display().to_string(), &read, limits);
    SignedPolicyFile::verify(bytes, &evidence, (&trust, &quorum), now, limits)
        .map_err(|refusal| not_signed(path, &refusal))
}

/// A policy without the signature that is wanted: could-not-tell, since no image was judged.
fn not_signed(path: &Path, refusal: &FileRefusal) -> Failure {
    let message = format!("{}: the policy is not signed by a key of --policy-key", path.display());
    let details = refusal.findings.iter().map(|finding| format!("{}: {}", finding.place, finding.reason)).collect();
    Failure { code: "policy-not-signed", details, ..Failure::unknown(message) }
}
