//! `Policy`: what must be true before an image is accepted.

pub mod rule;

use crate::trust::Threshold;

pub use rule::PREDICATE_TYPES;
pub use rule::PredicateTypeError;
pub use rule::Rule;
pub use rule::StatementKind;
pub use rule::predicate_type;

/// What has to be signed, by how many, and what else has to be true. There is no default: a policy always says what
/// it wants signed.
///
/// ```compile_fail,E0599
/// let anything = bulla::policy::Policy::default();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    kind: StatementKind,
    rules: Vec<Rule>,
    threshold: Threshold,
}

impl Policy {
    /// Wants statements of `kind` by as many owners as `threshold` says.
    pub const fn new(kind: StatementKind, threshold: Threshold) -> Self {
        Self { kind, rules: Vec::new(), threshold }
    }

    /// Wants `rule` to hold as well, for each statement that is counted. A rule can only take away.
    #[must_use]
    pub fn and(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Which kind of statement is wanted.
    pub const fn kind(&self) -> &StatementKind {
        &self.kind
    }

    /// What else has to hold.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// By how many.
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }
}
