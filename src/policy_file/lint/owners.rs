//! Lints about who signs: one owner for several requirements, and one party under two names.

use std::collections::BTreeMap;

use crate::ordered;
use crate::policy_file::document::IdentityDocument;
use crate::policy_file::document::KeylessName;
use crate::policy_file::document::Located;
use crate::policy_file::document::MeansDocument;
use crate::policy_file::document::PolicyDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::lint::rule::PolicyLint;
use crate::policy_file::lint::rule::PolicyLintRule;
use crate::policy_file::walk;
use crate::text::Untrusted;

/// Owners who alone can meet several requirements for the images of one block, those of the baseline among them.
pub(super) fn alone(document: &PolicyDocument) -> Vec<PolicyLint> {
    let mut lints = Vec::new();
    for block in document.images.iter().filter(|block| !block.require.is_empty()) {
        let required: Vec<_> = document.baseline.iter().chain(&block.require).collect();
        let mut met: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        for requirement in &required {
            for (owner, word) in sole(requirement, document) {
                met.entry(owner).or_default().push(word);
            }
        }
        for (owner, requirements) in met.into_iter().filter(|(_, requirements)| requirements.len() > 1) {
            let owner = Untrusted::new(owner);
            let rule = match requirements.len() == required.len() {
                true => PolicyLintRule::OneOwnerMeetsAll { owner, requirements },
                false => PolicyLintRule::OneOwnerMeetsSeveral { owner, requirements },
            };
            lints.push(PolicyLint { position: block.position, rule });
        }
    }
    lints
}

/// The owners each of whom can meet a requirement alone, and its word.
fn sole<'a>(requirement: &'a RequirementDocument, document: &'a PolicyDocument) -> BTreeMap<&'a str, &'static str> {
    match &requirement.rule {
        // An owner who meets all of them alone.
        RequirementRule::All(inner) => {
            let mut each = inner.iter().map(|one| sole(one, document));
            let first = each.next().unwrap_or_default();
            each.fold(first, |all, one| ordered::map(all.into_iter().filter(|(owner, _)| one.contains_key(owner))))
        }
        RequirementRule::Any(inner) => ordered::map(inner.iter().flat_map(|one| sole(one, document))),
        RequirementRule::Provenance(provenance) => {
            let named = ordered::set(provenance.builders.iter().map(|name| name.value.as_str()));
            let builders = document.builders.iter().filter(|builder| named.contains(builder.name.value.as_str()));
            ordered::map(builders.map(|builder| (builder.signed_by.value.as_str(), "provenance")))
        }
        rule => {
            let (Some(word), Some(signers)) = (rule.word(), walk::signers(rule).into_iter().next()) else {
                return BTreeMap::new();
            };
            let alone = signers.at_least.value == 1;
            ordered::map(signers.by.iter().filter(|_| alone).map(|name| (name.value.as_str(), word.word())))
        }
    }
}

/// Quorums of two or more that count two identities of one party.
pub(super) fn twice(document: &PolicyDocument) -> Vec<PolicyLint> {
    let mut lints = Vec::new();
    for requirement in walk::requirements(document) {
        for signers in walk::signers(&requirement.rule).into_iter().filter(|signers| signers.at_least.value > 1) {
            for (at, second) in signers.by.iter().enumerate() {
                let first =
                    signers.by.iter().take(at).find_map(|first| Some((first, common(first, second, document)?)));
                if let Some((first, why)) = first {
                    let (first, shown) = (Untrusted::new(&first.value), Untrusted::new(&second.value));
                    let rule = PolicyLintRule::SameOwnerTwice { first, second: shown, why };
                    lints.push(PolicyLint { position: second.position, rule });
                }
            }
        }
    }
    lints
}

/// What two identities have in common that says that one party holds both.
fn common(one: &Located<String>, other: &Located<String>, document: &PolicyDocument) -> Option<&'static str> {
    let named = |name: &Located<String>| document.identities.iter().find(|identity| identity.name.value == name.value);
    let (one, other) = (party(named(one)?)?, party(named(other)?)?);
    (one == other).then_some(one.0)
}

/// Who is behind an identity, as far as its names say it: the repository of a build, or the names of a certificate.
fn party(identity: &IdentityDocument) -> Option<(&'static str, Vec<String>)> {
    match &identity.means {
        MeansDocument::Certificate(certificate) => {
            let of_kinds = certificate.subject.iter().chain(&certificate.othername);
            let mut names: Vec<_> = of_kinds.map(|(_, text)| text.value.clone()).collect();
            let other = [&certificate.dns, &certificate.email, &certificate.uri, &certificate.dirname];
            names.extend(other.into_iter().flatten().map(|text| text.value.clone()));
            names.extend(certificate.ip.iter().map(|address| address.value.to_string()));
            names.extend(certificate.rid.iter().map(|id| id.value.to_string()));
            names.sort_unstable();
            Some(("certificates with the same names", names))
        }
        MeansDocument::Keyless(keyless) => match &keyless.name {
            KeylessName::Email(text) | KeylessName::Name(text) | KeylessName::Uri(text) => {
                Some(("the same name", vec![text.value.clone()]))
            }
            KeylessName::GitHub { host, repository, .. } | KeylessName::GitLab { host, repository, .. } => {
                let host = host.as_ref().map(|host| host.value.clone()).unwrap_or_default();
                Some(("workflows of the same repository", vec![host, repository.value.clone()]))
            }
        },
        MeansDocument::Keys(_) => None,
    }
}
