//! What is checked of a whole policy file: names that must be there, quorums that can be met, expiry.

use std::collections::BTreeMap;

use crate::ordered;
use crate::policy::Quorum;
use crate::policy::Threshold;
use crate::policy_file::LoadOptions;
use crate::policy_file::LoadProblem;
use crate::policy_file::Pins;
use crate::policy_file::document::Located;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::ProvenanceDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::SignersDocument;
use crate::policy_file::identities::Fault;
use crate::policy_file::walk;
use crate::predicate;
use crate::text::Untrusted;
use crate::trust::Owner;
use crate::trust::TrustRoot;
use crate::yaml::Position;

/// A policy that has expired, and a signed one that never would.
pub(super) fn expiry(document: &PolicyDocument, options: LoadOptions<'_>) -> Vec<Fault> {
    match &document.expires {
        Some(expires) if expires.value.has_ended(options.now) => {
            vec![(expires.position, LoadProblem::Expired(expires.value))]
        }
        None if options.pins == Pins::Required => vec![(Position { column: 1, line: 1 }, LoadProblem::NoExpiry)],
        Some(_) | None => Vec::new(),
    }
}

/// Names of owners and builders that are not there, levels that no builder has, and owners of verification summaries who
/// are named elsewhere.
pub(super) fn names(document: &PolicyDocument) -> Vec<Fault> {
    let owners = ordered::set(document.identities.iter().map(|identity| identity.name.value.as_str()));
    let builders: BTreeMap<_, _> =
        document.builders.iter().map(|builder| (builder.name.value.as_str(), builder)).collect();
    let mut faults = Vec::new();
    let unknown = |name: &Located<String>| {
        let problem = LoadProblem::UnknownIdentity(Untrusted::new(&name.value));
        (!owners.contains(name.value.as_str())).then_some((name.position, problem))
    };
    faults.extend(document.builders.iter().filter_map(|builder| unknown(&builder.signed_by)));
    for requirement in walk::requirements(document) {
        faults.extend(walk::named_owners(&requirement.rule).into_iter().filter_map(unknown));
        match &requirement.rule {
            RequirementRule::Provenance(provenance) => {
                for name in provenance.builders.iter().filter(|name| !builders.contains_key(name.value.as_str())) {
                    faults.push((name.position, LoadProblem::UnknownBuilder(Untrusted::new(&name.value))));
                }
                let levels = provenance.builders.iter().filter_map(|name| builders.get(name.value.as_str()));
                faults.extend(level(provenance, levels.map(|builder| builder.level.value).max()));
            }
            RequirementRule::Statement(statement) => {
                let typed = &statement.predicate_type;
                if predicate::predicate_type(&typed.value).is_err() {
                    let problem = LoadProblem::UnknownPredicateType(Untrusted::new(&typed.value));
                    faults.push((typed.position, problem));
                }
            }
            _ => (),
        }
    }
    faults.extend(summary_owners(document));
    faults
}

fn level(provenance: &ProvenanceDocument, highest: Option<u8>) -> Option<Fault> {
    let wanted = provenance.slsa_level.as_ref()?;
    (highest? < wanted.value).then_some((wanted.position, LoadProblem::BuilderLevel(wanted.value)))
}

/// Owners who make verification summaries sign nothing else: an importer that signs what it summarises would vouch for
/// itself.
fn summary_owners(document: &PolicyDocument) -> Vec<Fault> {
    let builders = document.builders.iter();
    let mut elsewhere = ordered::set(builders.map(|builder| builder.signed_by.value.as_str()));
    let is_summary = |rule: &RequirementRule| matches!(rule, RequirementRule::Vsa(_));
    let all = walk::requirements(document);
    for requirement in all.iter().filter(|requirement| !is_summary(&requirement.rule)) {
        elsewhere.extend(walk::named_owners(&requirement.rule).into_iter().map(|name| name.value.as_str()));
    }
    let summaries = all.iter().filter(|requirement| is_summary(&requirement.rule));
    let named = summaries.flat_map(|requirement| walk::named_owners(&requirement.rule));
    let named = named.filter(|name| elsewhere.contains(name.value.as_str()));
    named.map(|name| (name.position, LoadProblem::VsaOwner(Untrusted::new(&name.value)))).collect()
}

/// Quorums that the owners could never meet.
pub(super) fn quorums(document: &PolicyDocument, trust: &TrustRoot) -> Vec<Fault> {
    let known = trust.owners();
    let check = |signers: &SignersDocument| {
        let owners = ordered::set(signers.by.iter().map(|name| Owner::Named(name.value.clone())));
        // A name that is not there is a fault of its own.
        if !owners.is_subset(&known) {
            return None;
        }
        let quorum = Threshold::new(signers.at_least.value).and_then(|least| Quorum::among(trust, owners, least));
        quorum.err().map(|error| (signers.at_least.position, LoadProblem::Quorum(error)))
    };
    let all = walk::requirements(document);
    all.iter().flat_map(|requirement| walk::signers(&requirement.rule)).filter_map(check).collect()
}
