//! `NotaryError`: which rule an envelope of the Notary Project breaks, or by which it cannot be judged.

use crate::envelope::notary::rule::NotaryRule;
use crate::json::JsonError;
use crate::limits::count;
use crate::text::Untrusted;

/// Why an envelope of the Notary Project was not read, not verified or not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotaryError {
    /// The JSON is not that of this part.
    #[error("not the JSON of a {part}: {error}")]
    Json {
        /// The name of the part.
        part: &'static str,
        /// The error of the JSON reader.
        error: JsonError,
    },
    /// The envelope exceeds a limit: the answer is could-not-tell.
    #[error("{what}: {got}, more than the limit of {limit}")]
    Limit {
        /// The kind of limit.
        what: &'static str,
        /// The number that was found.
        got: u64,
        /// The limit.
        limit: u64,
    },
    /// The envelope breaks a rule: the answer is no.
    #[error("{}", explained(*rule, found.as_ref()))]
    Refused {
        /// What was found, where the rule alone does not say it.
        found: Option<Untrusted>,
        /// The rule.
        rule: NotaryRule,
    },
    /// The envelope needs something that is not supported: the answer is could-not-tell.
    #[error("could not be verified: {}", explained(*rule, found.as_ref()))]
    Undetermined {
        /// What was found, where the rule alone does not say it.
        found: Option<Untrusted>,
        /// The rule.
        rule: NotaryRule,
    },
}

impl NotaryError {
    pub(super) const fn refused(rule: NotaryRule) -> Self {
        Self::Refused { found: None, rule }
    }

    pub(super) fn found(rule: NotaryRule, found: &str) -> Self {
        Self::Refused { found: Some(Untrusted::within(found, SHOWN)), rule }
    }

    pub(super) fn bounded(what: &'static str, got: usize, limit: u64) -> Result<(), Self> {
        match count(got) > limit {
            true => Err(Self::Limit { what, got: count(got), limit }),
            false => Ok(()),
        }
    }

    /// The rule, where one is broken or cannot be judged.
    pub const fn rule(&self) -> Option<NotaryRule> {
        match self {
            Self::Refused { rule, .. } | Self::Undetermined { rule, .. } => Some(*rule),
            Self::Json { .. } | Self::Limit { .. } => None,
        }
    }

    /// The stable code in reports: that of the rule, where there is one.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json { .. } => "envelope-unreadable",
            Self::Limit { .. } => "limit",
            Self::Refused { rule, .. } | Self::Undetermined { rule, .. } => rule.code(),
        }
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Json { error, .. } => error.is_limit(),
            Self::Limit { .. } | Self::Undetermined { .. } => true,
            Self::Refused { .. } => false,
        }
    }
}

fn explained(rule: NotaryRule, found: Option<&Untrusted>) -> String {
    let found = found.map(|found| format!(" ({found:?})")).unwrap_or_default();
    format!("{}{found}: {}", rule.broken(), rule.clause())
}

/// How much of a name or value a message shows, in characters.
const SHOWN: usize = 80;
