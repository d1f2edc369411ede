//! `Condition`: what a statement must meet to count, and the check of it.

use std::collections::BTreeMap;

use crate::policy::MaxAgeRule;
use crate::policy::SignedNameRule;
use crate::policy::StatementTime;
use crate::policy::UnmetCondition;
use crate::time::Time;

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
    /// The statement is at most so old.
    MaxAge(MaxAgeRule),
    /// The statement was made for this repository.
    SignedName(SignedNameRule),
    /// The statement was made for exactly this image name.
    SignedReference(String),
}

/// What is known of an authenticated statement: the input of conditions.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StatementFacts<'a> {
    /// The annotations that were signed.
    pub annotations: &'a BTreeMap<String, String>,
    /// The current time.
    pub now: Time,
    /// The image name that was signed, if there is one.
    pub reference: Option<&'a str>,
    /// When the statement was made.
    pub time: StatementTime,
}

impl<'a> StatementFacts<'a> {
    /// A statement with these signed annotations and this image name, made at `time`, as of `now`.
    pub const fn new(
        annotations: &'a BTreeMap<String, String>,
        reference: Option<&'a str>,
        time: StatementTime,
        now: Time,
    ) -> Self {
        Self { annotations, now, reference, time }
    }
}

impl Condition {
    /// Checks a statement.
    ///
    /// # Errors
    /// [`UnmetCondition`] if it does not meet the condition.
    pub fn check(&self, facts: &StatementFacts<'_>) -> Result<(), UnmetCondition> {
        match self {
            Self::Annotation { key, value } => match facts.annotations.get(key) {
                Some(got) if got == value => Ok(()),
                got => Err(UnmetCondition::Annotation { key: key.clone(), got: got.cloned(), want: value.clone() }),
            },
            Self::MaxAge(rule) => rule.check(facts.time, facts.now),
            Self::SignedName(rule) => rule.check(facts.reference),
            Self::SignedReference(want) => match facts.reference {
                Some(got) if got == want => Ok(()),
                got => Err(UnmetCondition::SignedReference { got: got.map(str::to_owned), want: want.clone() }),
            },
        }
    }

    /// The texts that identify the condition in the digest of a policy: its kind, and its values. A text of `Debug` is
    /// unambiguous: it quotes strings and names fields.
    pub(super) fn words(&self) -> Vec<String> {
        match self {
            Self::Annotation { key, value } => vec!["annotation".to_owned(), key.clone(), value.clone()],
            Self::MaxAge(rule) => vec!["max age".to_owned(), format!("{rule:?}")],
            Self::SignedName(rule) => vec!["signed name".to_owned(), format!("{rule:?}")],
            Self::SignedReference(name) => vec!["signed reference".to_owned(), name.clone()],
        }
    }
}
