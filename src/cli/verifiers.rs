//! `Verifiers`: the verifier of each reference: one for all, or that of a statement of a trust policy.

use bulla::limits::Limits;
use bulla::policy::Condition;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::QuorumError;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;

use super::args::RequirementArgs;
use super::exit::Failure;
use super::revocation;
use super::trust;
use super::trust_policy::TrustPolicy;

/// The verifier of each reference.
pub(super) enum Verifiers {
    /// The statement that is for the repository of the reference decides.
    ByPolicy(Box<TrustPolicy<Verifier>>),
    /// The keys and certificates of the command line decide, for all references.
    Same(Box<Verifier>),
}

impl Verifiers {
    /// The verifiers for what the command line trusts and requires, each changed by `change`.
    pub(super) fn new(
        required: &RequirementArgs,
        kind: &StatementKind,
        limits: &Limits,
        change: impl Fn(Verifier) -> Verifier,
    ) -> Result<Self, Failure> {
        let check = revocation::check(&required.certificates, &required.notation, limits)?;
        let checked = |verifier: Verifier| match &check {
            Some(check) => verifier.with_revocation(check.clone()),
            None => verifier,
        };
        let make = |trust| verifier(trust, required, kind.clone(), limits).map(|verifier| change(checked(verifier)));
        let of_notation = &required.notation;
        match (&of_notation.trust_policy, &of_notation.trust_store) {
            (Some(policy), Some(store)) => {
                let policy = TrustPolicy::read(policy, store, of_notation.scope.as_deref(), limits, make)?;
                Ok(Self::ByPolicy(Box::new(policy)))
            }
            _ => make(trust::trust_root(&required.key, &required.certificates, &required.token, limits)?)
                .map(|verifier| Self::Same(Box::new(verifier))),
        }
    }

    /// The verifier for `reference`.
    pub(super) fn of(&self, reference: &str) -> Result<&Verifier, Failure> {
        match self {
            Self::ByPolicy(policy) => policy.of(reference),
            Self::Same(verifier) => Ok(verifier),
        }
    }
}

/// The verifier for a trust root and what the command line requires.
fn verifier(
    trust: TrustRoot,
    required: &RequirementArgs,
    kind: StatementKind,
    limits: &Limits,
) -> Result<Verifier, Failure> {
    let to_failure = |error: QuorumError| Failure::unknown(error.to_string());
    let quorum = Quorum::of_all(&trust, Threshold::new(required.threshold).map_err(to_failure)?).map_err(to_failure)?;
    let mut requirement = Requirement::new("signed", kind, quorum);
    check_annotations(&required.annotations)?;
    for (key, value) in &required.annotations {
        requirement = requirement.and(Condition::Annotation { key: key.clone(), value: value.clone() });
    }
    if let Some(name) = &required.signed_reference {
        requirement = requirement.and(Condition::SignedReference(name.clone()));
    }
    let verifier = Verifier::new(trust, Policy::one(requirement), limits.clone());
    verifier.map_err(|error| Failure::unknown(error.to_string()))
}

/// Refuses an annotation with two values: signing would drop one of them, and no signature could meet both.
pub(super) fn check_annotations(annotations: &[(String, String)]) -> Result<(), Failure> {
    for (position, (key, value)) in annotations.iter().enumerate() {
        if let Some((_, other)) =
            annotations.iter().skip(position + 1).find(|(again, other)| again == key && other != value)
        {
            let message = format!("annotation `{key}` is given twice, as `{value}` and as `{other}`");
            return Err(Failure::unknown(message).hint(format!("-a {key}={value}")));
        }
    }
    Ok(())
}
