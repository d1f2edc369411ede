//! `RequirementReading`: what all requirements have in common: who signs, about what, how old it may be, for which name.

use std::collections::BTreeMap;

use crate::oci::RepositoryName;
use crate::ordered;
use crate::policy::About;
use crate::policy::Condition;
use crate::policy::MaxAgeRule;
use crate::policy::Quorum;
use crate::policy::Requirement;
use crate::policy::SignedNameRule;
use crate::policy::StatementKinds;
use crate::policy::Threshold;
use crate::policy::TimeEvidence;
use crate::policy_file::document::AboutWord;
use crate::policy_file::document::BuilderDocument;
use crate::policy_file::document::Located;
use crate::policy_file::document::MaxAge;
use crate::policy_file::document::SignersDocument;
use crate::policy_file::document::TimeWord;
use crate::policy_file::required_policy::error::RequiredPolicyError;
use crate::time::Time;
use crate::trust::Owner;
use crate::trust::TrustRoot;
use crate::yaml::Position;

/// What all requirements have in common.
pub(super) struct RequirementReading<'a> {
    pub(super) builders: &'a [BuilderDocument],
    /// The name that is judged.
    pub(super) name: &'a RepositoryName,
    pub(super) names: BTreeMap<(u32, u32), String>,
    pub(super) now: Time,
    pub(super) signed_name: Option<SignedNameRule>,
    pub(super) trust: &'a TrustRoot,
}

/// What statements are about, and how old they may be.
#[derive(Clone, Copy)]
pub(super) struct AboutAndAge<'a> {
    pub(super) about: Option<&'a Located<AboutWord>>,
    pub(super) max_age: Option<&'a Located<MaxAge>>,
    pub(super) time: Option<&'a Located<TimeWord>>,
}

impl RequirementReading<'_> {
    /// A requirement of statements of `kinds`, signed by these owners, of each the newest alone.
    pub(super) fn newest(
        &self,
        at: Position,
        signers: &SignersDocument,
        kinds: impl Into<StatementKinds>,
    ) -> Result<Requirement, RequiredPolicyError> {
        match signers.max_age {
            Some(_) => Ok(self.signed(at, signers, kinds)?.newest_only()),
            None => Err(RequiredPolicyError::NoMaxAge { line: at.line }),
        }
    }

    /// A requirement of statements of `kinds`, signed by these owners.
    pub(super) fn signed(
        &self,
        at: Position,
        signers: &SignersDocument,
        kinds: impl Into<StatementKinds>,
    ) -> Result<Requirement, RequiredPolicyError> {
        let quorum = self.quorum(at, signers)?;
        Ok(self.requirement(at, kinds.into(), quorum, AboutAndAge::of(signers)))
    }

    pub(super) fn quorum(&self, at: Position, signers: &SignersDocument) -> Result<Quorum, RequiredPolicyError> {
        let owners = ordered::set(signers.by.iter().map(|name| Owner::Named(name.value.clone())));
        Threshold::new(signers.at_least.value)
            .and_then(|threshold| Quorum::among(self.trust, owners, threshold))
            .map_err(|error| RequiredPolicyError::Quorum { error, line: at.line })
    }

    /// A requirement of statements of `kinds` by `quorum`, made for the name that must have been signed.
    pub(super) fn requirement(
        &self,
        at: Position,
        kinds: StatementKinds,
        quorum: Quorum,
        about: AboutAndAge<'_>,
    ) -> Requirement {
        let name = self.names.get(&(at.line, at.column)).cloned().unwrap_or_else(|| format!("line {}", at.line));
        let requirement = Requirement::new(name, kinds, quorum).at_line(at.line).with_about(about.about());
        let requirement = match &self.signed_name {
            Some(rule) => requirement.and(Condition::SignedName(rule.clone())),
            None => requirement,
        };
        match about.max_age() {
            Some(rule) => requirement.and(Condition::MaxAge(rule)),
            None => requirement,
        }
    }
}

impl<'a> AboutAndAge<'a> {
    pub(super) const fn of(signers: &'a SignersDocument) -> Self {
        let (about, max_age, time) = (signers.about.as_ref(), signers.max_age.as_ref(), signers.time.as_ref());
        Self { about, max_age, time }
    }

    fn about(self) -> About {
        match self.about.map(|about| about.value) {
            Some(AboutWord::Both) => About::Both,
            Some(AboutWord::Either) | None => About::Either,
            Some(AboutWord::Index) => About::Index,
            Some(AboutWord::Named) => About::Named,
            Some(AboutWord::Platforms) => About::Platforms,
        }
    }

    /// How old a statement may be; `None` if that is not written.
    pub(super) fn max_age(self) -> Option<MaxAgeRule> {
        let time = match self.time.map(|time| time.value) {
            Some(TimeWord::Trusted) => TimeEvidence::Trusted,
            Some(TimeWord::Stated) | None => TimeEvidence::Document,
        };
        self.max_age.map(|age| MaxAgeRule { limit: age.value.seconds(), time })
    }
}
