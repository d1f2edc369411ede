//! `TransparencyError`: which rule of transparency logs is broken, or which could not be judged.

use crate::json::JsonError;
use crate::text::Untrusted;
use crate::transparency::TransparencyRule;

/// Why a log entry, a checkpoint, a proof or a certificate timestamp was not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransparencyError {
    /// It breaks a rule: the answer is no.
    #[error("{}", explained(*rule, found))]
    Refused {
        /// What was found, where the rule alone does not say it.
        found: Option<Untrusted>,
        /// The rule.
        rule: TransparencyRule,
    },
    /// It has something that is not supported, or exceeds the limits: the answer is could-not-tell.
    #[error("could not be verified: {}", explained(*rule, found))]
    Undetermined {
        /// What was found, where the rule alone does not say it.
        found: Option<Untrusted>,
        /// The rule.
        rule: TransparencyRule,
    },
}

impl TransparencyError {
    /// The rule.
    pub const fn rule(&self) -> TransparencyRule {
        match self {
            Self::Refused { rule, .. } | Self::Undetermined { rule, .. } => *rule,
        }
    }

    /// The stable code of the rule.
    pub const fn code(&self) -> &'static str {
        self.rule().code()
    }

    /// Whether the answer is could-not-tell rather than no.
    pub const fn is_undetermined(&self) -> bool {
        matches!(self, Self::Undetermined { .. })
    }

    pub(super) const fn refused(rule: TransparencyRule) -> Self {
        Self::Refused { found: None, rule }
    }

    pub(super) const fn undetermined(rule: TransparencyRule) -> Self {
        Self::Undetermined { found: None, rule }
    }

    /// The error for JSON that is not read as a part of a log entry.
    pub(super) fn json(rule: TransparencyRule, error: &JsonError) -> Self {
        match error.is_limit() {
            true => Self::undetermined(TransparencyRule::Limit).by(error),
            false => Self::refused(rule).by(error),
        }
    }

    /// Checks that `got` is at most `limit`.
    pub(super) fn bounded(what: &str, got: u64, limit: u64) -> Result<(), Self> {
        match got > limit {
            true => {
                Err(Self::undetermined(TransparencyRule::Limit).by(format_args!("{what}: {got}, more than {limit}")))
            }
            false => Ok(()),
        }
    }

    /// This error, with what was found.
    pub(super) fn by(mut self, what: impl ToString) -> Self {
        let (Self::Refused { found, .. } | Self::Undetermined { found, .. }) = &mut self;
        *found = Some(Untrusted::new(&what.to_string()));
        self
    }
}

fn explained(rule: TransparencyRule, found: &Option<Untrusted>) -> String {
    let found = found.as_ref().map(|found| format!(" ({found})")).unwrap_or_default();
    format!("{}{found}: {}", rule.broken(), rule.clause())
}
