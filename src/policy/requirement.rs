//! `Requirement`: the kind of statement that a quorum of owners has to sign, and its conditions.

use std::collections::BTreeMap;
use std::fmt;

use crate::policy::Quorum;
use crate::policy::StatementKind;

/// The name of a requirement, which reports show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequirementId(String);

/// A requirement: statements of one kind, signed by a quorum of owners, where each counted statement meets all
/// conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    conditions: Vec<Condition>,
    id: RequirementId,
    kind: StatementKind,
    quorum: Quorum,
}

/// A condition on a statement, without which it does not count: a closed set. A condition can only turn a yes into a
/// no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// This annotation was signed with exactly this value.
    Annotation {
        /// The annotation key.
        key: String,
        /// The annotation value.
        value: String,
    },
    /// The statement was made for exactly this image name.
    SignedReference(String),
}

/// A condition that a statement does not meet. [`UnmetCondition::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// The annotation was not signed, or with another value.
    #[error("annotation {key}={want} is wanted, {}", shown(got.as_ref()))]
    Annotation {
        /// The annotation key.
        key: String,
        /// The value that was signed.
        got: Option<String>,
        /// The value that is required.
        want: String,
    },
    /// The statement was made for another image name, or for none.
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

    /// Adds `condition`, which each counted statement has to meet too.
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
    /// Checks a statement with these annotations and this image name.
    ///
    /// # Errors
    /// [`UnmetCondition`] if it does not meet the condition.
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

    /// The texts that identify the condition in the digest of a policy: its kind, and its values.
    pub(super) fn words(&self) -> Vec<&str> {
        match self {
            Self::Annotation { key, value } => vec!["annotation", key, value],
            Self::SignedReference(name) => vec!["signed reference", name],
        }
    }
}

impl UnmetCondition {
    /// The stable code of this reason in reports.
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
