//! `Requirement`: which kind of statement a quorum of owners has to sign, and what it has to say.

use std::collections::BTreeMap;
use std::fmt;

use crate::policy::Quorum;
use crate::policy::StatementKind;

/// The name of a requirement, by which reports speak of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequirementId(String);

/// Statements of one kind, by a quorum of owners, each of which meets all conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    conditions: Vec<Condition>,
    id: RequirementId,
    kind: StatementKind,
    quorum: Quorum,
}

/// What else has to be true of a statement before it counts: a closed set. A condition can only take away.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// This annotation was signed, with exactly this value.
    Annotation {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The statement was made for exactly this name.
    SignedReference(String),
}

/// A condition that a statement does not meet. [`UnmetCondition::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// The annotation was not signed, or with another value.
    #[error("annotation {key}={want} is wanted, {}", shown(got.as_ref()))]
    Annotation {
        /// The key.
        key: String,
        /// The value that was signed.
        got: Option<String>,
        /// The value that is required.
        want: String,
    },
    /// The statement was made for another name, or for none.
    #[error("the name {want:?} is wanted, {}", shown(got.as_ref()))]
    SignedReference {
        /// The name that was signed.
        got: Option<String>,
        /// The name that is required.
        want: String,
    },
}

impl Requirement {
    /// Statements of `kind` by `quorum`, called `id` in reports.
    pub fn new(id: impl Into<String>, kind: StatementKind, quorum: Quorum) -> Self {
        Self { conditions: Vec::new(), id: RequirementId(id.into()), kind, quorum }
    }

    /// Requires `condition` as well, of each statement that is counted.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// The conditions.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The name in reports.
    pub const fn id(&self) -> &RequirementId {
        &self.id
    }

    /// The kind of statement.
    pub const fn kind(&self) -> &StatementKind {
        &self.kind
    }

    /// Who has to sign.
    pub const fn quorum(&self) -> &Quorum {
        &self.quorum
    }
}

impl Condition {
    /// Whether a statement with these annotations and this name meets the condition.
    ///
    /// # Errors
    /// [`UnmetCondition`] where it does not.
    pub fn check(
        &self,
        annotations: &BTreeMap<String, String>,
        reference: Option<&String>,
    ) -> Result<(), UnmetCondition> {
        match self {
            Self::Annotation { key, value } => match annotations.get(key) {
                Some(got) if got == value => Ok(()),
                got => Err(UnmetCondition::Annotation { key: key.clone(), got: got.cloned(), want: value.clone() }),
            },
            Self::SignedReference(want) => match reference {
                Some(got) if got == want => Ok(()),
                got => Err(UnmetCondition::SignedReference { got: got.cloned(), want: want.clone() }),
            },
        }
    }

    /// The condition as the digest of a policy covers it: what kind of condition it is, and every text in it.
    pub(super) fn words(&self) -> Vec<&str> {
        match self {
            Self::Annotation { key, value } => vec!["annotation", key, value],
            Self::SignedReference(name) => vec!["signed reference", name],
        }
    }
}

impl UnmetCondition {
    /// The name by which reports call this reason. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Annotation { .. } => "annotation",
            Self::SignedReference { .. } => "reference",
        }
    }
}

fn shown(got: Option<&String>) -> String {
    got.map_or_else(|| "none was signed".to_owned(), |got| format!("{got:?} was signed"))
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
