//! `Requirement`: the kinds of statements that a quorum of owners has to sign, and their conditions.

use std::fmt;

use crate::policy::About;
use crate::policy::Condition;
use crate::policy::MaxAgeRule;
use crate::policy::Quorum;
use crate::policy::StatementFacts;
use crate::policy::StatementKind;
use crate::policy::StatementKinds;
use crate::policy::TimeEvidence;
use crate::policy::UnmetCondition;

/// The name of a requirement, which reports show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequirementId(String);

/// A requirement: statements of some kinds, signed by a quorum of owners, where each counted statement meets all
/// conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    about: About,
    conditions: Vec<Condition>,
    counted: CountedStatements,
    id: RequirementId,
    kinds: StatementKinds,
    line: Option<u32>,
    quorum: Quorum,
}

/// Which statements of an owner decide whether the owner counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountedStatements {
    /// One statement that meets every condition is enough: more statements never turn a yes into a no.
    #[default]
    Any,
    /// Only the newest statement of each owner counts; all that have the same time have to meet every condition.
    Newest,
}

impl Requirement {
    /// Statements of `kinds` by `quorum`, called `id` in reports. They may be about the index or the manifest of a
    /// platform ([`About::Either`]), and any statement of an owner is enough.
    pub fn new(id: impl Into<String>, kinds: impl Into<StatementKinds>, quorum: Quorum) -> Self {
        Self {
            about: About::Either,
            conditions: Vec::new(),
            counted: CountedStatements::Any,
            id: RequirementId(id.into()),
            kinds: kinds.into(),
            line: None,
            quorum,
        }
    }

    /// The same requirement for statements about these manifests of an image.
    #[must_use]
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Adds `condition`, which each counted statement has to meet too.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// The same requirement, stated at this line of a policy file, from 1. It decides nothing.
    #[must_use]
    pub fn at_line(self, line: u32) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same requirement, where only the newest statement of each owner counts.
    #[must_use]
    pub fn newest_only(self) -> Self {
        Self { counted: CountedStatements::Newest, ..self }
    }

    /// The manifests of an image that the statements must be about.
    pub const fn about(&self) -> About {
        self.about
    }

    /// The conditions.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Which statements of an owner decide.
    pub const fn counted(&self) -> CountedStatements {
        self.counted
    }

    /// The name in reports.
    pub const fn id(&self) -> &RequirementId {
        &self.id
    }

    /// The kinds of statements that count.
    pub const fn kinds(&self) -> &StatementKinds {
        &self.kinds
    }

    /// The line of a policy file, from 1; `None` if it is not from a file.
    pub const fn line(&self) -> Option<u32> {
        self.line
    }

    /// Who has to sign.
    pub const fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// Checks the conditions that need one statement alone. Where only the newest statement counts, it has to have a time.
    ///
    /// # Errors
    /// [`UnmetCondition`]: the first that it does not meet.
    pub fn check(&self, facts: &StatementFacts<'_>) -> Result<(), UnmetCondition> {
        if self.counted == CountedStatements::Newest {
            MaxAgeRule { limit: None, time: TimeEvidence::Document }.check(facts.time, facts.now)?;
        }
        self.conditions.iter().try_for_each(|condition| condition.check(facts))
    }

    /// Whether statements of `kind` are read.
    pub fn reads(&self, kind: &StatementKind) -> bool {
        self.kinds.contains(kind)
    }

    /// Whether all statements of `kind` are read, since a newer one may decide otherwise than an older one.
    pub fn reads_all(&self, kind: &StatementKind) -> bool {
        self.counted == CountedStatements::Newest && self.kinds.contains(kind)
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
