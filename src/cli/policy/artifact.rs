//! Policies that are named by a reference: OCI artifacts, as `policy push` makes them.

use std::path::Path;

use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::policy::PolicyArtifact;
use bulla::ops::policy::PolicyArtifactError;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::policy_file::LoadedPolicy;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;

use crate::cli::args::RegistryArgs;
use crate::cli::args::TokenArgs;
use crate::cli::exit::Failure;
use crate::cli::keys;
use crate::cli::policy::not_opened::NotOpened;
use crate::cli::runtime::Runtime;
use crate::cli::runtime::Work;
use crate::cli::stores::Stores;

/// The reference that `path` is, if it is written as one: in a layout or archive, or by digest in a registry. A tag of a
/// registry may be moved by others, and names no policy.
///
/// # Errors
/// A file has this name: nobody may put one in the place of the other.
pub(super) fn reference_of(path: &Path) -> Result<Option<&str>, Failure> {
    let Some(text) = path.to_str() else { return Ok(None) };
    let local = text.starts_with("oci:") || text.starts_with("oci-archive:");
    let by_digest = || {
        let reference = text.parse::<Reference>();
        matches!(&reference, Ok(Reference::Registry(one)) if matches!(one.tag_or_digest(), TagOrDigest::Digest(_)))
    };
    match local || by_digest() {
        true if path.symlink_metadata().is_ok() => {
            let failure =
                Failure::unknown(format!("{text}: a file has this name, which is also the reference of a policy"));
            Err(failure.hint(format!("./{text}   for the file")))
        }
        true => Ok(Some(text)),
        false => Ok(None),
    }
}

/// Opens the policy at `reference`. With `policy_keys` one of them must have signed its manifest.
pub(super) fn open(
    reference: &str,
    (policy_keys, token, registry): (&[String], &TokenArgs, &RegistryArgs),
    now: Time,
    limits: &Limits,
) -> Result<LoadedPolicy, NotOpened> {
    let artifact = read(reference, (policy_keys, token, registry), now, limits).map_err(NotOpened::Failed)?;
    artifact.load(now, limits).map_err(NotOpened::faults)
}

fn read(
    reference: &str,
    (policy_keys, token, registry): (&[String], &TokenArgs, &RegistryArgs),
    now: Time,
    limits: &Limits,
) -> Result<PolicyArtifact, Failure> {
    let to_failure = |error: &dyn std::fmt::Display| Failure::unknown(error.to_string());
    let stores = Stores::new(registry, [reference])?;
    let (source, tag_or_digest) = stores.source(reference)?;
    let runtime = Runtime::new(Work::Waiting)?;
    let read = match policy_keys {
        [] => runtime.block_on(PolicyArtifact::read(source.as_ref(), &tag_or_digest, limits)),
        keys => {
            let trust = TrustRoot::pinned(keys::public_keys(keys, token)?).map_err(|error| to_failure(&error))?;
            let quorum = Quorum::of_all(&trust, Threshold::ONE).map_err(|error| to_failure(&error))?;
            let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
            let verifier = Verifier::new(trust, policy, limits.clone()).map_err(|error| to_failure(&error))?;
            let options = VerifyOptions::new(&verifier, now);
            runtime.block_on(PolicyArtifact::read_signed(source.as_ref(), &tag_or_digest, options))
        }
    };
    read.map_err(|error| {
        let code = match &error {
            PolicyArtifactError::NotSigned(_) => "policy-not-signed",
            PolicyArtifactError::Ops(error) => error.code(),
            _ => "policy-artifact",
        };
        let failure = Failure { code, ..Failure::unknown(format!("{reference}: {error}")) };
        match error {
            PolicyArtifactError::NotSigned(_) => failure.hint(format!("bulla sign {reference} --key KEY")),
            PolicyArtifactError::Kind(_) => failure.hint("bulla policy push FILE REF"),
            _ => failure,
        }
    })
}
