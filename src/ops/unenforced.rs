//! The verification by a trust policy statement that does not enforce every check. It ends in [`NotEnforced`], which is no
//! proof, or in a no or could-not-tell.

use crate::limits::Limits;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::discover::DiscoverUntil;
use crate::ops::outcome::NotVerified;
use crate::ops::outcome::Outcome;
use crate::ops::outcome::Verdict;
use crate::ops::pinned;
use crate::ops::revocation::RevocationLookup;
use crate::ops::verify::discover_into;
use crate::store::Source;
use crate::time::Time;
use crate::verify::NotEnforced;
use crate::verify::UnenforcedVerifier;

/// Makes the checks of the signatures of the image at `tag_or_digest`, and of no manifest below it. With the level `skip`
/// the image is resolved, and nothing else is read. With `revocation`, the evidence that it finds is in the pool.
///
/// # Errors
/// [`NotVerified`]: no signature passed the checks that are enforced, or that could not be decided, or the image or a list
/// of signatures could not be read.
pub async fn verify(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    verifier: &UnenforcedVerifier,
    now: Time,
    revocation: Option<&RevocationLookup>,
    limits: &Limits,
) -> Result<NotEnforced, NotVerified> {
    let subject = pinned::resolve(source, tag_or_digest).await?;
    let descriptor = subject.descriptor();
    let pooled = match (revocation, verifier.verifier()) {
        (Some(lookup), Some(signatures)) => {
            let check = lookup.check(signatures, source, &descriptor.digest, now, limits).await;
            Some(verifier.clone().with_revocation(check))
        }
        _ => None,
    };
    let verifier = pooled.as_ref().unwrap_or(verifier);
    let Some(evaluation) = verifier.evaluation(descriptor.digest, now) else {
        return Ok(verifier.skipped(descriptor.digest));
    };
    let (evaluation, unread) =
        discover_into(evaluation, source, descriptor.into(), DiscoverUntil::AllFound, limits).await;
    let verdict = match evaluation.conclude_unenforced() {
        Ok(not_enforced) => return Ok(not_enforced),
        Err(refusal) if refusal.is_undetermined() => Verdict::Unknown { refusal, unread },
        Err(refusal) => Verdict::Refused(refusal),
    };
    match Outcome::of(descriptor.digest, Some(descriptor.media_type.clone()), verdict).conclude() {
        Err(not_verified) => Err(not_verified),
        // Never: there is no accepted verdict in it.
        Ok(_) => Err(OpsError::Task.into()),
    }
}
