//! From the requirements of a policy file to the [`Policy`] that is evaluated.
//!
//! The invariant: every requirement of the file becomes one of the policy, or the whole is refused. The name of each is its
//! place in the file, `images[0].require[1].sbom`, also where exceptions waive others.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::nonempty::NonEmpty;
use crate::policy::About;
use crate::policy::Condition;
use crate::policy::MaxAgeRule;
use crate::policy::Policy;
use crate::policy::PolicyError;
use crate::policy::Quorum;
use crate::policy::QuorumError;
use crate::policy::Requirement;
use crate::policy::Rule;
use crate::policy::SignedNameRule;
use crate::policy::StatementKind;
use crate::policy::Threshold;
use crate::policy::TimeEvidence;
use crate::policy_file::RequiredOf;
use crate::policy_file::document::AboutWord;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::RequirementDocument;
use crate::policy_file::document::RequirementRule;
use crate::policy_file::document::RequirementWord;
use crate::policy_file::document::SignersDocument;
use crate::policy_file::document::TimeWord;
use crate::trust::Owner;
use crate::trust::TrustRoot;
use crate::yaml::Position;

/// Why the requirements of a policy file cannot be evaluated: could-not-tell about every image that they are for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequiredPolicyError {
    /// Nothing is required.
    #[error("nothing is required")]
    Nothing,
    /// Two requirements have one name.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A quorum cannot be met.
    #[error("line {line}: {error}")]
    Quorum {
        /// Why.
        error: QuorumError,
        /// The line of the requirement.
        line: u32,
    },
    /// This version evaluates no requirement of this kind.
    #[error("line {line}: `{}` is not evaluated by this version", word.word())]
    Unsupported {
        /// The line of the requirement.
        line: u32,
        /// Its word.
        word: RequirementWord,
    },
}

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
        let reading = RequirementReading { names, signed_name, trust };
        let all = self.baseline.iter().chain(&self.requirements);
        let rules = all.map(|requirement| reading.rule(requirement)).collect::<Result<Vec<_>, _>>()?;
        let rules = NonEmpty::collect(rules).ok_or(RequiredPolicyError::Nothing)?;
        Ok(Policy::new(Rule::All(rules))?)
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
        names.insert(key(requirement.position), name);
    }
}

const fn key(position: Position) -> (u32, u32) {
    (position.line, position.column)
}

/// What all requirements have in common.
struct RequirementReading<'a> {
    names: BTreeMap<(u32, u32), String>,
    signed_name: Option<SignedNameRule>,
    trust: &'a TrustRoot,
}

impl RequirementReading<'_> {
    fn rule(&self, document: &RequirementDocument) -> Result<Rule, RequiredPolicyError> {
        let line = document.position.line;
        let inner = |inner: &[RequirementDocument]| {
            let rules = inner.iter().map(|one| self.rule(one)).collect::<Result<Vec<_>, _>>()?;
            NonEmpty::collect(rules).ok_or(RequiredPolicyError::Nothing)
        };
        let requirement = match &document.rule {
            RequirementRule::All(all) => return Ok(Rule::All(inner(all)?)),
            RequirementRule::Any(any) => return Ok(Rule::Any(inner(any)?)),
            RequirementRule::Annotation(annotation) => {
                let signature = self.signature(document, &annotation.signers)?;
                annotation.annotations.iter().fold(signature, |requirement, (key, value)| {
                    requirement.and(Condition::Annotation { key: key.value.clone(), value: value.value.clone() })
                })
            }
            RequirementRule::Signature(signature) => self.signature(document, &signature.signers)?,
            other => {
                let word = other.word().unwrap_or(RequirementWord::Statement);
                return Err(RequiredPolicyError::Unsupported { line, word });
            }
        };
        Ok(Rule::One(requirement))
    }

    /// A requirement of image signatures, for the name that must have been signed.
    fn signature(
        &self,
        document: &RequirementDocument,
        signers: &SignersDocument,
    ) -> Result<Requirement, RequiredPolicyError> {
        let requirement = self.signed(document, signers, StatementKind::ImageSignature)?;
        Ok(match &self.signed_name {
            Some(rule) => requirement.and(Condition::SignedName(rule.clone())),
            None => requirement,
        })
    }

    /// A requirement of statements of `kind`, signed by these owners.
    fn signed(
        &self,
        document: &RequirementDocument,
        signers: &SignersDocument,
        kind: StatementKind,
    ) -> Result<Requirement, RequiredPolicyError> {
        let line = document.position.line;
        let owners: BTreeSet<_> = signers.by.iter().map(|name| Owner::Named(name.value.clone())).collect();
        let quorum = Threshold::new(signers.at_least.value)
            .and_then(|threshold| Quorum::among(self.trust, owners, threshold))
            .map_err(|error| RequiredPolicyError::Quorum { error, line })?;
        let name = self.names.get(&key(document.position)).cloned().unwrap_or_else(|| format!("line {line}"));
        let requirement = Requirement::new(name, kind, quorum).at_line(line);
        let requirement = requirement.with_about(about(signers.about.as_ref().map(|about| about.value)));
        Ok(match &signers.max_age {
            Some(age) => requirement.and(Condition::MaxAge(MaxAgeRule {
                limit: match age.value {
                    MaxAge::Unlimited => None,
                    MaxAge::Within(age) => Some(age.as_secs()),
                },
                time: match signers.time.as_ref().map(|time| time.value) {
                    Some(TimeWord::Trusted) => TimeEvidence::Trusted,
                    Some(TimeWord::Stated) | None => TimeEvidence::Document,
                },
            })),
            None => requirement,
        })
    }
}

const fn about(word: Option<AboutWord>) -> About {
    match word {
        Some(AboutWord::Both) => About::Both,
        Some(AboutWord::Either) | None => About::Either,
        Some(AboutWord::Index) => About::Index,
        Some(AboutWord::Platforms) => About::Platforms,
    }
}
