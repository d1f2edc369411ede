//! Lints of policy files: what is allowed and probably not meant.

mod ages;
mod never;
mod owners;
mod refused;
pub(super) mod rule;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::ordered;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::blocks::LoadedBlock;
use crate::policy_file::document::Date;
use crate::policy_file::document::IdentityDocument;
use crate::policy_file::document::KeylessName;
use crate::policy_file::document::Located;
use crate::policy_file::document::MeansDocument;
use crate::policy_file::document::PatternOrAny;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::RequirementWord;
use crate::policy_file::lint::rule::PolicyLint;
use crate::policy_file::lint::rule::PolicyLintRule;
use crate::policy_file::walk;
use crate::text::Untrusted;
use crate::time::Time;

impl LoadedPolicy {
    /// What is allowed in this policy and probably not meant, as of `now`, in the order of the file.
    pub fn lints(&self, now: Time) -> Vec<PolicyLint> {
        let mut lints = Vec::new();
        self.document().identities.iter().for_each(|identity| lints.extend(wide(identity)));
        lints.extend(self.unused());
        lints.extend(self.ends(now));
        lints.extend(narrower(&self.blocks));
        lints.extend(refused::beaten(&self.blocks));
        lints.extend(owners::alone(self.document()));
        lints.extend(owners::twice(self.document()));
        lints.extend(never::counting(self.document()));
        lints.extend(ages::without_effect(self.document()));
        lints.sort_by_key(|lint| (lint.position.line, lint.position.column));
        lints
    }

    fn unused(&self) -> Vec<PolicyLint> {
        let document = self.document();
        let requirements = walk::requirements(document);
        let mut owners: BTreeSet<&str> = BTreeSet::new();
        let mut builders: BTreeSet<&str> = BTreeSet::new();
        for requirement in requirements {
            owners.extend(walk::named_owners(&requirement.rule).iter().map(|name| name.value.as_str()));
            if let RequirementRule::Provenance(provenance) = &requirement.rule {
                builders.extend(provenance.builders.iter().map(|name| name.value.as_str()));
            }
        }
        owners.extend(document.builders.iter().map(|builder| builder.signed_by.value.as_str()));
        let lint = |name: &Located<String>, rule: fn(Untrusted) -> PolicyLintRule| PolicyLint {
            position: name.position,
            rule: rule(Untrusted::new(&name.value)),
        };
        let names = document.identities.iter().map(|identity| &identity.name);
        let unused = names.filter(|name| !owners.contains(name.value.as_str()));
        let mut lints: Vec<_> = unused.map(|name| lint(name, PolicyLintRule::UnusedIdentity)).collect();
        let names = document.builders.iter().map(|builder| &builder.name);
        let unused = names.filter(|name| !builders.contains(name.value.as_str()));
        lints.extend(unused.map(|name| lint(name, PolicyLintRule::UnusedBuilder)));
        lints
    }

    /// What has ended, and what ends within thirty days.
    fn ends(&self, now: Time) -> Vec<PolicyLint> {
        let document = self.document();
        let mut days: Vec<(&Located<Date>, &'static str)> = Vec::new();
        days.extend(document.expires.as_ref().map(|expires| (expires, "the policy")));
        for identity in &document.identities {
            if let MeansDocument::Keys(keys) = &identity.means {
                days.extend(keys.keys.iter().filter_map(|key| key.until.as_ref()).map(|until| (until, "the key")));
            }
        }
        for block in &document.images {
            days.extend(block.accept_unsigned.as_ref().map(|unsigned| (&unsigned.until, "`accept-unsigned`")));
            days.extend(block.exceptions.iter().map(|exception| (&exception.until, "the exception")));
        }
        for requirement in walk::requirements(document) {
            if let RequirementRule::Scan(scan) = &requirement.rule {
                days.extend(scan.ignore.iter().map(|ignore| (&ignore.until, "the entry of `ignore`")));
            }
        }
        let soon = Time::from_unix(now.unix().saturating_add(SOON)).unwrap_or(Time::LAST);
        let lint = |(day, what): (&Located<Date>, &'static str)| {
            let until = day.value;
            let rule = match (until.has_ended(now), until.has_ended(soon)) {
                (true, _) => PolicyLintRule::HasEnded { until, what },
                (false, true) => PolicyLintRule::EndsSoon { until, what },
                (false, false) => return None,
            };
            Some(PolicyLint { position: day.position, rule })
        };
        days.into_iter().filter_map(lint).collect()
    }
}

/// Identities of every workflow, or of every ref, of a repository.
fn wide(identity: &IdentityDocument) -> Vec<PolicyLint> {
    let MeansDocument::Keyless(keyless) = &identity.means else { return Vec::new() };
    let (repository, file, reference) = match &keyless.name {
        KeylessName::GitHub { reference, repository, workflow, .. } => (repository, workflow, reference),
        KeylessName::GitLab { config, reference, repository, .. } => (repository, config, reference),
        KeylessName::Email(_) | KeylessName::Name(_) | KeylessName::Uri(_) => return Vec::new(),
    };
    let is_any = |pattern: &PatternOrAny, whole: fn(&str) -> bool| match pattern {
        PatternOrAny::Any => true,
        PatternOrAny::Pattern(text) => whole(text),
    };
    let name = || Untrusted::new(&repository.value);
    let mut lints = Vec::new();
    if is_any(&file.value, |path| matches!(path.rsplit('/').next(), Some("*" | "*.yml" | "*.yaml" | "**"))) {
        lints.push(PolicyLint { position: file.position, rule: PolicyLintRule::AnyWorkflow(name()) });
    }
    if is_any(&reference.value, |reference| matches!(reference, "refs/**" | "refs/heads/**" | "refs/heads/*")) {
        lints.push(PolicyLint { position: reference.position, rule: PolicyLintRule::AnyRef(name()) });
    }
    lints
}

/// Blocks without a kind of requirement that a wider block has.
fn narrower(blocks: &[LoadedBlock]) -> Vec<PolicyLint> {
    let words = |block: &LoadedBlock| -> BTreeMap<RequirementWord, &'static str> {
        let below = walk::below(&block.document.require).into_iter();
        ordered::map(below.filter_map(|requirement| requirement.rule.word()).map(|word| (word, word.word())))
    };
    let mut lints = Vec::new();
    for block in blocks.iter().filter(|block| !block.document.require.is_empty()) {
        let own = words(block);
        for wider in blocks.iter().filter(|wider| !std::ptr::eq(*wider, block)) {
            let lacks = words(wider).into_iter().filter(|(word, _)| !own.contains_key(word));
            let lacks: Vec<_> = lacks.map(|(_, word)| word).collect();
            let covering = wider.patterns.iter().find(|wide| block.patterns.iter().any(|own| wide.covers(own)));
            if let (Some(pattern), false) = (covering, lacks.is_empty()) {
                let (line, wider) = (wider.document.position.line, Untrusted::new(&pattern.to_string()));
                let rule = PolicyLintRule::NarrowerLacks { lacks, line, wider };
                lints.push(PolicyLint { position: block.document.position, rule });
            }
        }
    }
    lints
}

/// What ends so soon is told: thirty days, in seconds.
const SOON: i64 = 30 * 86_400;
