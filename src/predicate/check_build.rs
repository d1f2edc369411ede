//! The mistakes in provenance, verification summaries and test results that matter, before they are attested.

use crate::limits::Limits;
use crate::predicate::PredicateError;
use crate::predicate::PredicateKind;
use crate::predicate::PredicateProblem;
use crate::predicate::Provenance;
use crate::predicate::SourceUnknown;
use crate::predicate::TestResult;
use crate::predicate::VerificationResult;
use crate::predicate::VerificationSummary;

/// The mistakes of a predicate of one of these kinds, each with its JSON Pointer.
///
/// # Errors
/// [`PredicateError`] of the reader, by which no policy could read it either.
pub(super) fn mistakes(
    kind: PredicateKind,
    predicate_type: &str,
    predicate: &[u8],
    limits: &Limits,
) -> Result<Vec<(&'static str, PredicateProblem)>, PredicateError> {
    match kind {
        PredicateKind::Provenance => Provenance::read(predicate, predicate_type, limits).map(|read| provenance(&read)),
        PredicateKind::TestResult => TestResult::read(predicate, predicate_type, limits).map(|_| Vec::new()),
        PredicateKind::VerificationSummary => {
            VerificationSummary::read(predicate, predicate_type, limits).map(|read| summary(&read))
        }
        PredicateKind::Other | PredicateKind::Sbom(_) | PredicateKind::Scan(_) | PredicateKind::Vex => Ok(Vec::new()),
    }
}

/// A build type that is not known, or a source that is not stated, is no mistake: a policy may ask for the builder alone.
fn provenance(read: &Provenance) -> Vec<(&'static str, PredicateProblem)> {
    let mut mistakes = Vec::new();
    match &read.source {
        Err(unknown @ (SourceUnknown::Ambiguous | SourceUnknown::Malformed { .. })) => {
            mistakes.push(("", PredicateProblem::Source(unknown.clone())));
        }
        Ok(_) | Err(SourceUnknown::NotStated | SourceUnknown::UnknownBuildType(_)) => {}
    }
    if read.started.zip(read.finished).is_some_and(|(started, finished)| finished < started) {
        mistakes.push(("", PredicateProblem::EndBeforeStart));
    }
    mistakes
}

/// A policy about summaries names the verifier, the digest of the policy, the levels and the age.
fn summary(read: &VerificationSummary) -> Vec<(&'static str, PredicateProblem)> {
    let mut mistakes = Vec::new();
    if read.time_verified.is_none() {
        mistakes.push(("/timeVerified", PredicateProblem::NoTime));
    }
    if read.policy_digests.is_empty() {
        mistakes.push(("/policy/digest", PredicateProblem::Missing));
    }
    if read.result == VerificationResult::Passed && read.levels.is_empty() {
        mistakes.push(("/verifiedLevels", PredicateProblem::Empty));
    }
    mistakes
}
