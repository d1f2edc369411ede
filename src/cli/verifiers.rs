//! `Verifiers`: the verifier of each reference: one for all, or that of a statement of a trust policy.

use bulla::limits::Limits;
use bulla::policy::Condition;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::QuorumError;
use bulla::policy::Requirement;
use bulla::policy::StatementKinds;
use bulla::policy::Threshold;
use bulla::report::ReportedTrustedRoot;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::trust::notation::UnenforcedStatement;
use bulla::verify::NotEnforced;
use bulla::verify::UnenforcedVerifier;
use bulla::verify::Verifier;
use bulla::verify::VerifierError;

use super::args::RequirementArgs;
use super::envelope_reader;
use super::exit::Failure;
use super::revocation;
use super::trust;
use super::trust_policy::StatementTrust;
use super::trust_policy::TrustPolicy;

/// The verifier of each reference.
pub(super) enum Verifiers {
    /// The statement that is for the repository of the reference decides.
    ByPolicy(Box<TrustPolicy<StatementVerifier>>),
    /// The keys and certificates of the command line decide, for all references.
    Same {
        /// The value of `--trusted-root`, for reports.
        trusted_root: Option<Box<ReportedTrustedRoot>>,
        verifier: Box<Verifier>,
    },
}

/// The verifier of a statement.
pub(super) enum StatementVerifier {
    /// Every check is enforced.
    Enforced(Box<Verifier>),
    /// A check is logged or skipped, so that nothing can be verified: the failure says so.
    Unenforced(Failure, Box<UnenforcedVerifier>),
}

impl Verifiers {
    /// The verifiers for what the command line trusts and requires, each changed by `change`.
    pub(super) fn new(
        required: &RequirementArgs,
        kinds: &StatementKinds,
        now: Time,
        limits: &Limits,
        change: impl Fn(Verifier) -> Verifier,
    ) -> Result<Self, Failure> {
        let check = revocation::check(&required.certificates, Some(&required.lookup), &required.notation, limits)?;
        let strictness = envelope_reader::strictness(&required.certificates, &required.notation)?;
        let checked = |verifier: Verifier| match &check {
            Some(check) => verifier.with_envelope_reader(strictness).with_revocation(check.clone()),
            None => verifier.with_envelope_reader(strictness),
        };
        let make = |trust| verifier(trust, required, kinds.clone(), limits).map(|verifier| change(checked(verifier)));
        let of_notation = &required.notation;
        match (&of_notation.trust_policy, &of_notation.trust_store) {
            (Some(policy), Some(store)) => {
                let make = |trust| match trust {
                    StatementTrust::Enforced(trust) => make(trust).map(Box::new).map(StatementVerifier::Enforced),
                    StatementTrust::Unenforced { failure, statement } => {
                        let verifier = unenforced(*statement, required, limits)?.with_envelope_reader(strictness);
                        let verifier = match &check {
                            Some(check) => verifier.with_revocation(check.clone()),
                            None => verifier,
                        };
                        Ok(StatementVerifier::Unenforced(failure, Box::new(verifier)))
                    }
                };
                let policy = TrustPolicy::read(policy, store, of_notation.scope.as_deref(), limits, make)?;
                Ok(Self::ByPolicy(Box::new(policy)))
            }
            _ => {
                let (certificates, lookup) = (&required.certificates, Some(&required.lookup));
                let trust = trust::trust_root(&required.key, certificates, &required.token, now, limits)?;
                revocation::require_certificates(&certificates.revocation, lookup, trust.root.identities().iter())?;
                Ok(Self::Same { trusted_root: trust.trusted_root, verifier: Box::new(make(trust.root)?) })
            }
        }
    }

    /// The verifier for `reference`.
    ///
    /// # Errors
    /// A statement that does not enforce every check verifies nothing.
    pub(super) fn of(&self, reference: &str) -> Result<&Verifier, Failure> {
        match self {
            Self::ByPolicy(policy) => match policy.of(reference)? {
                StatementVerifier::Enforced(verifier) => Ok(verifier),
                StatementVerifier::Unenforced(failure, _) => Err(failure.clone()),
            },
            Self::Same { verifier, .. } => Ok(verifier),
        }
    }

    /// The statement for `reference`, if it does not enforce every check.
    pub(super) fn unenforced_of(&self, reference: &str) -> Option<&UnenforcedVerifier> {
        match self {
            Self::ByPolicy(policy) => match policy.of(reference) {
                Ok(StatementVerifier::Unenforced(_, verifier)) => Some(verifier),
                Ok(StatementVerifier::Enforced(_)) | Err(_) => None,
            },
            Self::Same { .. } => None,
        }
    }

    /// The trusted root that the verdicts rely on.
    pub(super) fn trusted_root(&self) -> Option<&ReportedTrustedRoot> {
        match self {
            Self::ByPolicy(_) => None,
            Self::Same { trusted_root, .. } => trusted_root.as_deref(),
        }
    }
}

/// The conditions of the command line.
fn conditions(required: &RequirementArgs) -> Result<Vec<Condition>, Failure> {
    check_annotations(&required.annotations)?;
    let annotations = required.annotations.iter();
    let annotations = annotations.map(|(key, value)| Condition::Annotation { key: key.clone(), value: value.clone() });
    let reference = required.signed_reference.iter().cloned().map(Condition::SignedReference);
    Ok(annotations.chain(reference).collect())
}

/// The verifier of a statement that does not enforce every check.
fn unenforced(
    statement: UnenforcedStatement,
    required: &RequirementArgs,
    limits: &Limits,
) -> Result<UnenforcedVerifier, Failure> {
    let to_failure = |error: VerifierError| Failure { code: NotEnforced::CODE, ..Failure::unknown(error.to_string()) };
    UnenforcedVerifier::new(statement, conditions(required)?, limits.clone()).map_err(to_failure)
}

/// The verifier for a trust root and what the command line requires.
pub(super) fn verifier(
    trust: TrustRoot,
    required: &RequirementArgs,
    kinds: StatementKinds,
    limits: &Limits,
) -> Result<Verifier, Failure> {
    let to_failure = |error: QuorumError| Failure::unknown(error.to_string());
    let quorum = Quorum::of_all(&trust, Threshold::new(required.threshold).map_err(to_failure)?).map_err(to_failure)?;
    let mut requirement = Requirement::new("signed", kinds, quorum);
    for condition in conditions(required)? {
        requirement = requirement.and(condition);
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
