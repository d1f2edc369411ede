//! The verdicts on what an index lists: on every manifest, or on those of its platforms.

use crate::digest::Digest;
use crate::oci::Index;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::discover::DiscoverUntil;
use crate::ops::image_platforms::ImagePlatforms;
use crate::ops::outcome::Outcome;
use crate::ops::outcome::Verdict;
use crate::ops::subject_verdict::evaluate_signatures;
use crate::ops::verdict_budget::VerdictBudget;
use crate::ops::verify_options::VerifyOptions;
use crate::ops::walk::Step;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;

/// Evaluates every manifest in `index`, and in nested indexes, each by its own signatures, beside the index itself, whose
/// verdict `outcome` has ([`Platforms::All`](crate::ops::verify::Platforms::All)).
pub(super) async fn evaluate_all(
    source: &dyn Source,
    mut outcome: Outcome,
    index: Index,
    options: VerifyOptions<'_>,
) -> Result<Outcome, OpsError> {
    let limits = options.limits;
    let mut budget = VerdictBudget::new(source, limits);
    outcome.verdict = budget.charge(outcome.verdict)?;
    let mut walk = Walk::new(source, limits);
    walk.descend(0, index);
    while let Some(Step { depth, entry }) = walk.next_child()? {
        let (digest, child) = (entry.digest, entry.bare());
        walk.check_depth(digest, depth)?;
        let verdict = match walk.fetch(&child).await? {
            Ok(content) => {
                if media_type::is_index(&child.media_type) {
                    walk.descend_later(depth, content);
                }
                evaluate_signatures(source, &child, options).await
            }
            Err(error) => unread(options, digest, error),
        };
        outcome.children.push((entry.platform, digest, budget.charge(reported(verdict, options))?));
    }
    Ok(outcome)
}

/// Evaluates the manifest of each platform of `index`, each by its own statements ([`Platforms::Each`](crate::ops::verify::Platforms::Each)).
/// `outcome` has the verdict on the index: it stays if it is yes, and is [`Verdict::NotRequired`] otherwise.
///
/// # Errors
/// [`OpsError::NoPlatforms`] for an index without platforms, even if it is attested itself: nothing was verified of them.
pub(super) async fn evaluate_each(
    source: &dyn Source,
    mut outcome: Outcome,
    index: Index,
    options: VerifyOptions<'_>,
) -> Result<Outcome, OpsError> {
    let limits = options.limits;
    let mut budget = VerdictBudget::new(source, limits);
    outcome.verdict = match outcome.verdict {
        accepted @ Verdict::Accepted(_) => budget.charge(accepted)?,
        _ => Verdict::NotRequired,
    };
    let ImagePlatforms { manifests, unread: missing, .. } =
        ImagePlatforms::of(source, outcome.subject, index, limits).await?;
    let mut walk = Walk::new(source, limits);
    for entry in manifests {
        // The manifest is not needed for the verdict: an image is incomplete without one of them.
        let verdict = match walk.fetch(&entry.bare()).await? {
            Ok(_) => evaluate_signatures(source, &entry.bare(), options).await,
            Err(error) => unread(options, entry.digest, error),
        };
        outcome.children.push((entry.platform, entry.digest, budget.charge(reported(verdict, options))?));
    }
    for (entry, error) in missing {
        outcome.children.push((entry.platform, entry.digest, budget.charge(unread(options, entry.digest, error))?));
    }
    match outcome.children.is_empty() {
        true => Err(OpsError::NoPlatforms { index: outcome.subject }),
        false => Ok(outcome),
    }
}

/// The verdict as it is kept: without the signed documents, unless all are wanted.
fn reported(verdict: Verdict, options: VerifyOptions<'_>) -> Verdict {
    match options.until {
        DiscoverUntil::PolicyMet => verdict.without_documents(),
        DiscoverUntil::AllFound => verdict,
    }
}

/// The verdict on a child that cannot be fetched: could not tell, even if it has signatures
/// (threats: missing-child-manifest).
fn unread(options: VerifyOptions<'_>, digest: Digest, error: StoreError) -> Verdict {
    let mut evaluation = options.verifier.evaluation(digest, options.now);
    evaluation.mark_list_unread();
    Verdict::Unknown { refusal: evaluation.refuse(), unread: vec![error] }
}
