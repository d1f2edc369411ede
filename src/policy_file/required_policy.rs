//! From the requirements of a policy file to the [`Policy`] that is evaluated.
//!
//! The invariant: every requirement of the file becomes one of the policy with every field that is written, or the whole is
//! an error. The name of each is its place in the file, `images[0].require[1].sbom`, also where exceptions waive others.

mod documents;
mod error;
mod reading;
mod values;

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
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::required_policy::reading::RequirementReading;
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
        let all = self.baseline.iter().chain(&self.requirements);
        let rules = all.map(|requirement| reading.rule(requirement)).collect::<Result<Vec<_>, _>>()?;
        let rules = NonEmpty::collect(rules).ok_or(RequiredPolicyError::Nothing)?;
        Ok(Policy::new(Rule::All(rules))?)
    }
}

impl LoadedPolicy {
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
