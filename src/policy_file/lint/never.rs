//! Lints about owners whose statements cannot count for a requirement, whatever they sign: statements without a time where
//! an age is wanted, without a trusted time where that is wanted, and attestations by those who sign none.

use crate::policy_file::document::IdentityDocument;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::MeansDocument;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::ProvenanceFrom;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::SignersDocument;
use crate::policy_file::document::TimeWord;
use crate::policy_file::lint::rule::PolicyLint;
use crate::policy_file::lint::rule::PolicyLintRule;
use crate::policy_file::walk;
use crate::predicate::PredicateKind;
use crate::text::Untrusted;
use crate::x509::Profile;

/// The lints of all requirements.
pub(super) fn counting(document: &PolicyDocument) -> Vec<PolicyLint> {
    let mut lints = Vec::new();
    for requirement in walk::requirements(document) {
        let Some(word) = requirement.rule.word() else { continue };
        for signing in signing(&requirement.rule, document) {
            let named = document.identities.iter().find(|identity| identity.name.value == signing.owner.value);
            let rule = named.and_then(|identity| never(identity, &signing, word.word()));
            let lint = rule.map(|rule| PolicyLint { position: signing.owner.position, rule });
            // Several requirements may name one builder.
            lints.extend(lint.filter(|lint| !lints.contains(lint)));
        }
    }
    lints
}

/// An owner in a requirement, and what is wanted of the statement.
struct Signing<'a> {
    attestation: Attestation,
    has_max_age: bool,
    owner: &'a Located<String>,
    wants_trusted_time: bool,
}

/// What is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attestation {
    /// An image signature.
    None,
    /// A predicate that states its time, as far as its type says.
    Predicate,
    /// A test result of in-toto, whose type has no field for a time.
    TestResult,
}

/// The owners whose statements a requirement reads. Those who sign for builders are named in `builders`.
fn signing<'a>(rule: &'a RequirementRule, document: &'a PolicyDocument) -> Vec<Signing<'a>> {
    let attestation = match rule {
        RequirementRule::Annotation(_) | RequirementRule::Signature(_) => Attestation::None,
        // Without a test of a field, and at any age, a statement has to be there, and its time is not read.
        RequirementRule::Statement(statement)
            if is_test_result(&statement.predicate_type.value)
                && (!statement.fields.is_empty() || !is_any_age(&statement.signers)) =>
        {
            Attestation::TestResult
        }
        RequirementRule::Test(_) => Attestation::TestResult,
        _ => Attestation::Predicate,
    };
    if let RequirementRule::Provenance(provenance) = rule {
        let is_named = |name: &str| provenance.builders.iter().any(|builder| builder.value == name);
        let builders = document.builders.iter().filter(|builder| is_named(&builder.name.value));
        let (has_max_age, wants_trusted_time) = (provenance.max_age.is_some(), wants_trusted(provenance.time.as_ref()));
        // With `signed-index` they sign the index: an image signature.
        let attestation = match provenance.from.iter().any(|from| from.value == ProvenanceFrom::SignedIndex) {
            true => Attestation::None,
            false => attestation,
        };
        // The age is that of the build, which the provenance states.
        let has_max_age = has_max_age && attestation == Attestation::Predicate;
        return builders
            .map(|builder| Signing { attestation, has_max_age, owner: &builder.signed_by, wants_trusted_time })
            .collect();
    }
    let of = |signers: &'a SignersDocument| {
        let (has_max_age, wants_trusted_time) = (signers.max_age.is_some(), wants_trusted(signers.time.as_ref()));
        signers.by.iter().map(move |owner| Signing { attestation, has_max_age, owner, wants_trusted_time })
    };
    walk::signers(rule).into_iter().flat_map(of).collect()
}

fn wants_trusted(time: Option<&Located<TimeWord>>) -> bool {
    time.is_some_and(|time| time.value == TimeWord::Trusted)
}

fn is_any_age(signers: &SignersDocument) -> bool {
    signers.max_age.as_ref().is_some_and(|age| age.value == MaxAge::Unlimited)
}

fn is_test_result(predicate_type: &str) -> bool {
    predicate_type == "test-result" || PredicateKind::of(predicate_type) == PredicateKind::TestResult
}

/// Why no statement of this owner counts.
fn never(identity: &IdentityDocument, signing: &Signing<'_>, requirement: &'static str) -> Option<PolicyLintRule> {
    let owner = || Untrusted::new(&identity.name.value);
    let Signing { attestation, has_max_age, wants_trusted_time, .. } = *signing;
    let (states_time, may_attest, has_time) = match &identity.means {
        // An envelope of the Notary Project states when it was signed, and is an image signature.
        MeansDocument::Certificate(certificate) => {
            let profile = certificate.profile.as_ref().map(|profile| profile.value.as_str());
            (true, profile == Some(Profile::SIGSTORE.name()), !certificate.timestamp_roots.is_empty())
        }
        MeansDocument::Keyless(_) => (true, true, true),
        MeansDocument::Keys(keys) => (false, true, keys.logs.is_some()),
    };
    if attestation != Attestation::None && !may_attest {
        return Some(PolicyLintRule::NeverAttests { owner: owner(), requirement });
    }
    if wants_trusted_time && !has_time {
        return Some(PolicyLintRule::TimeNeverTrusted { owner: owner(), requirement });
    }
    match (attestation, has_max_age && !states_time) {
        (Attestation::None, true) => Some(PolicyLintRule::AgeNeverKnown { owner: owner(), requirement }),
        (Attestation::TestResult, true) => Some(PolicyLintRule::TestResultWithoutTime { owner: owner() }),
        _ => None,
    }
}
