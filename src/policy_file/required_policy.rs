//! From the requirements of a policy file to the [`Policy`] that is evaluated.
//!
//! The invariant: every requirement of the file becomes one of the policy with every field that is written, or the whole is
//! an error. The name of each is its place in the file, `images[0].require[1].sbom`, also where exceptions waive others.

mod documents;
mod error;
mod reading;
mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::nonempty::NonEmpty;
use crate::oci::RepositoryName;
use crate::policy::Condition;
use crate::policy::Policy;
use crate::policy::Requirement;
use crate::policy::Rule;
use crate::policy::SignedNameRule;
use crate::policy::StatementKind;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::RequiredOf;
use crate::policy_file::document::IgnoreDocument;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::last_compiled::CompiledFor;
use crate::policy_file::required_policy::documents::ignored_vulnerability;
use crate::policy_file::required_policy::reading::RequirementReading;
use crate::policy_file::walk;
use crate::predicate::IgnoredVulnerability;
use crate::time::Time;
use crate::trust::TrustRoot;

pub use error::RequiredPolicyError;
pub use error::RequirementValueError;

impl RequiredOf<'_> {
    /// The policy of the baseline and of the requirements that are left, for evaluation with `trust`.
    ///
    /// # Errors
    /// [`RequiredPolicyError`].
    pub fn policy(&self, trust: &TrustRoot) -> Result<Policy, RequiredPolicyError> {
        let mut names = BTreeMap::new();
        name_all("baseline", self.baseline, &mut names);
        let block = format!("images[{}].require", self.block.index);
        name_all(&block, &self.block.block.require, &mut names);
        let signed_name = self.signed_name.as_ref().map(|(repository, tag)| {
            let mut rule = SignedNameRule::new(repository.clone());
            rule.tag.clone_from(tag);
            rule
        });
        let reading =
            RequirementReading { builders: self.builders, name: &self.name, names, now: self.now, signed_name, trust };
        let all = self.baseline.iter().chain(self.requirements.iter().map(Cow::as_ref));
        let rules = all.map(|requirement| reading.rule(requirement)).collect::<Result<Vec<_>, _>>()?;
        let rules = NonEmpty::collect(rules).ok_or(RequiredPolicyError::Nothing)?;
        Ok(Policy::new(Rule::All(rules))?)
    }

    /// The entry of `ignore` in the scan at this line by which `ignored` is ignored.
    pub fn ignore_entry(&self, line: u32, ignored: &IgnoredVulnerability) -> Option<&IgnoreDocument> {
        let own = self.requirements.iter().map(|requirement| std::slice::from_ref(requirement.as_ref()));
        let all = std::iter::once(self.baseline).chain(own).flat_map(walk::below);
        let scans = all.filter(|requirement| requirement.position.line == line);
        let mut entries = scans.flat_map(|requirement| match &requirement.rule {
            RequirementRule::Scan(scan) => scan.ignore.as_slice(),
            _ => &[],
        });
        let is_it = |entry: &&IgnoreDocument| ignored_vulnerability(entry).is_ok_and(|one| one == *ignored);
        entries.find(|entry| !entry.until.value.has_ended(self.now) && is_it(entry))
    }
}

impl LoadedPolicy {
    /// The policy of `required`, which [`LoadedPolicy::decide_for`] of this policy file returned, unchanged.
    ///
    /// # Errors
    /// As [`RequiredOf::policy`], and if this file has no identities.
    pub(crate) fn compiled(&self, required: &RequiredOf<'_>) -> Result<Policy, RequiredPolicyError> {
        let made_for = CompiledFor {
            block: required.block.index,
            name: required.name.clone(),
            now: required.now,
            signed_name: required.signed_name.clone(),
            used: required.used.iter().map(|exception| exception.position).collect(),
        };
        let trust = self.trust().ok_or(RequiredPolicyError::Nothing)?;
        self.last_compiled().get_or(made_for, || required.policy(trust))
    }

    /// One requirement of the policy, as it is evaluated with `trust` where no signed name is compared; `None` if it is more
    /// than one, or cannot be evaluated. It is for comparison, never for a verification: it has no name.
    pub(super) fn evaluated(&self, required: &RequirementDocument, trust: &TrustRoot) -> Option<Requirement> {
        let Ok(name) = RepositoryName::normalised("registry.example/image") else { return None };
        let (builders, names) = (self.document().builders.as_slice(), BTreeMap::new());
        let reading = RequirementReading { builders, name: &name, names, now: Time::EPOCH, signed_name: None, trust };
        match reading.rule(required) {
            Ok(Rule::One(requirement)) => Some(requirement),
            Ok(Rule::All(_) | Rule::Any(_)) | Err(_) => None,
        }
    }
}

/// Names each requirement by its place, also inside `any` and `all`. The depth of a document is bounded.
pub(super) fn name_all(start: &str, requirements: &[RequirementDocument], names: &mut BTreeMap<(u32, u32), String>) {
    for (index, requirement) in requirements.iter().enumerate() {
        let place = format!("{start}[{index}]");
        let name = match &requirement.rule {
            RequirementRule::All(inner) => {
                name_all(&format!("{place}.all"), inner, names);
                continue;
            }
            RequirementRule::Any(inner) => {
                name_all(&format!("{place}.any"), inner, names);
                continue;
            }
            rule => rule.word().map_or(place.clone(), |word| format!("{place}.{}", word.word())),
        };
        names.insert((requirement.position.line, requirement.position.column), name);
    }
}

impl RequirementReading<'_> {
    fn rule(&self, document: &RequirementDocument) -> Result<Rule, RequiredPolicyError> {
        let at = document.position;
        let requirement = match &document.rule {
            RequirementRule::All(all) => return Ok(Rule::All(self.rules(all)?)),
            RequirementRule::Any(any) => return Ok(Rule::Any(self.rules(any)?)),
            RequirementRule::Annotation(annotation) => {
                let signature = self.signed(at, &annotation.signers, StatementKind::ImageSignature)?;
                annotation.annotations.iter().fold(signature, |requirement, (key, value)| {
                    requirement.and(Condition::Annotation { key: key.value.clone(), value: value.value.clone() })
                })
            }
            RequirementRule::Provenance(provenance) => self.provenance(at, provenance)?,
            RequirementRule::Sbom(sbom) => self.sbom(at, sbom)?,
            RequirementRule::Scan(scan) => self.scan(at, scan)?,
            RequirementRule::Signature(signature) => {
                self.signed(at, &signature.signers, StatementKind::ImageSignature)?
            }
            RequirementRule::Statement(statement) => self.statement(at, statement)?,
            RequirementRule::Test(test) => self.test(at, test)?,
            RequirementRule::Vsa(vsa) => self.summary(at, vsa)?,
        };
        Ok(Rule::One(requirement))
    }

    fn rules(&self, inner: &[RequirementDocument]) -> Result<NonEmpty<Rule>, RequiredPolicyError> {
        let rules = inner.iter().map(|one| self.rule(one)).collect::<Result<Vec<_>, _>>()?;
        NonEmpty::collect(rules).ok_or(RequiredPolicyError::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use crate::digest::Digest;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::limits::Limits;
    use crate::oci::RepositoryName;
    use crate::policy_file::ImageAsked;
    use crate::policy_file::LoadOptions;
    use crate::policy_file::LoadedPolicy;
    use crate::policy_file::PolicyFiles;
    use crate::policy_file::PolicyFilesError;
    use crate::policy_file::PolicyFor;
    use crate::time::Time;

    struct OneKey(Vec<u8>);

    impl PolicyFiles for OneKey {
        fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, PolicyFilesError> {
            Ok(self.0.clone())
        }
    }

    // Whatever came before: another name, block, tag, digest or time is judged by its own requirements.
    #[test]
    fn it_is_the_policy_of_the_image_at_hand() {
        let excepted = Digest::sha256(b"excepted");
        let text = format!(
            "bulla-policy: 1
identities: {{ release: {{ keys: [{{ file: k.pub }}] }} }}
images:
  - match: [registry.example/a/**]
    signed-name: ghcr.io/example/**
    signed-tag: same
    require:
      - signature: {{ by: [release] }}
      - sbom: {{ by: [release], formats: [spdx], max-age: 1d }}
    exceptions:
      - {{ repository: registry.example/a/one, digests: [\"{excepted}\"], waives: [sbom], reason: r, owner: release, until: 2026-11-30 }}
  - match: [registry.example/b]
    require: [{{ signature: {{ by: [release] }} }}]
"
        );
        // 2026-11-18, and twenty days later.
        let (soon, later) = (1_795_000_000, 1_796_728_000);
        let (soon, later) = (Time::from_unix(soon).unwrap(), Time::from_unix(later).unwrap());
        let key = OneKey(PrivateKey::generate(KeyKind::P256).unwrap().public_key().to_pem().into_bytes());
        let options = LoadOptions::new(soon, &Limits::DEFAULT);
        let policy = LoadedPolicy::load(text.as_bytes(), &key, options).unwrap();
        let trust = policy.trust().unwrap();
        let mut seen = Vec::new();
        for now in [soon, later, soon] {
            for (name, tag) in [("a/one", "1"), ("a/one", "2"), ("a/two", "1"), ("b", "1")] {
                for digest in [Digest::sha256(b"other"), excepted, Digest::sha256(b"other")] {
                    let name = RepositoryName::normalised(&format!("registry.example/{name}")).unwrap();
                    let asked = ImageAsked::new(&name, &digest).with_tag(Some(tag));
                    let PolicyFor::Required(required) = policy.decide_for(asked, now) else { panic!("required") };
                    let own = required.policy(trust).unwrap();
                    for _ in 0..2 {
                        assert_eq!(policy.compiled(&required).unwrap(), own, "{name}:{tag} {digest} {now}");
                    }
                    seen.push(own.id());
                }
            }
        }
        seen.sort_unstable();
        seen.dedup();
        // By tag and name in the first block, with and without the exception, and the SBOM by the time; one in the other block.
        assert!(seen.len() >= 6, "{}", seen.len());
    }
}
