//! The verdict on one subject: its signatures are discovered, and the policy is evaluated over them.

use tracing::Instrument as _;
use tracing::info;
use tracing::info_span;

use crate::envelope::FoundAt;
use crate::limits::Limits;
use crate::ops::discover;
use crate::ops::discover::DiscoverOptions;
use crate::ops::discover::DiscoverUntil;
use crate::ops::discover::ReferrerSubject;
use crate::ops::discover::signature_manifest;
use crate::ops::file_evidence;
use crate::ops::outcome::Verdict;
use crate::ops::pinned;
use crate::ops::verify_options::VerifyOptions;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::Evaluation;
use crate::verify::Finding;

/// Discovers the signatures of one subject in `source` and evaluates the policy, without the layers.
pub(super) async fn evaluate_signatures(
    source: &dyn Source,
    subject: impl Into<ReferrerSubject<'_>>,
    options: VerifyOptions<'_>,
) -> Verdict {
    let subject = subject.into();
    let span = info_span!("verify", subject = %subject.digest, place = %source.origin());
    let verdict = discover_and_evaluate(source, subject, options).instrument(span.clone()).await;
    info!(parent: &span, verdict = verdict.name(), "evaluated the policy");
    verdict
}

/// Discovers the signatures of one subject and evaluates the policy over them.
async fn discover_and_evaluate(
    source: &dyn Source,
    subject: ReferrerSubject<'_>,
    options: VerifyOptions<'_>,
) -> Verdict {
    let VerifyOptions { verifier, until, now, revocation, limits, files, .. } = options;
    // All evidence is pooled before anything is evaluated.
    let pooled = match revocation {
        Some(lookup) => Some(lookup.verifier(verifier, source, &subject.digest, now, limits).await),
        None => None,
    };
    let verifier = pooled.as_ref().unwrap_or(verifier);
    let evaluation = verifier.evaluation(subject.digest, now);
    let mut evaluation = match subject.descriptor {
        Some(descriptor) => evaluation.with_descriptor(descriptor.bare()),
        None => evaluation,
    };
    file_evidence::add(&mut evaluation, files, subject, until);
    let (evaluation, unread) = discover_into(evaluation, source, subject, until, limits).await;
    match evaluation.conclude() {
        Ok(verified) => Verdict::Accepted(verified),
        Err(refusal) if refusal.is_undetermined() => Verdict::Unknown { refusal, unread },
        Err(refusal) => Verdict::Refused(refusal),
    }
}

/// Discovers the signatures of one subject and adds them to `evaluation`. Returns what could not be read, which is marked
/// in the evaluation.
pub(super) async fn discover_into<'a>(
    mut evaluation: Evaluation<'a>,
    source: &dyn Source,
    subject: ReferrerSubject<'_>,
    until: DiscoverUntil,
    limits: &Limits,
) -> (Evaluation<'a>, Vec<StoreError>) {
    if let Some(descriptor) = subject.descriptor {
        evaluation = evaluation.with_descriptor(descriptor.bare());
    }
    let unread = discover::discover(DiscoverOptions { source, subject, until, limits }, &mut evaluation).await;
    let mismatch = pinned::digest_header_mismatch(source, &subject.digest, &FoundAt::Subject);
    mismatch.into_iter().for_each(|finding| evaluation.add_finding(finding));
    if evaluation.is_met() {
        // An accepted subject stays accepted. Report what could not be read.
        for error in &unread {
            let reason = signature_manifest::unreadable(error);
            evaluation.add_finding(Finding { digest: None, place: FoundAt::Referrers, reason });
        }
    }
    if !unread.is_empty() {
        evaluation.mark_list_unread();
    }
    (evaluation, unread)
}
