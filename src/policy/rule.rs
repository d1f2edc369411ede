//! `Policy`: a rule over requirements, and the digest that names it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::policy::About;
use crate::policy::CountedStatements;
use crate::policy::Decision;
use crate::policy::Requirement;
use crate::policy::RequirementId;
use crate::trust::Owner;

/// A rule over requirements: which statements have to be signed, by whom, and under which conditions. There is no
/// default policy.
///
/// ```compile_fail,E0599
/// let anything = bulla::policy::Policy::default();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    id: PolicyId,
    /// Shared, since one policy is for many images.
    rule: Arc<Rule>,
}

/// The digest of a policy. A verdict names the policy that it was made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(Digest);

/// Why a rule is not a valid policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Two requirements have the same name.
    #[error("two requirements are called `{0}`")]
    DuplicateRequirement(RequirementId),
}

/// Requirements, and how they combine. There is no negation: more evidence never turns a yes into a no.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// All of these rules.
    All(NonEmpty<Self>),
    /// At least one of these rules.
    Any(NonEmpty<Self>),
    /// One requirement.
    One(Requirement),
}

impl Policy {
    /// A policy of `rule`.
    ///
    /// # Errors
    /// [`PolicyError::DuplicateRequirement`] if two requirements have one name: signatures for one would count for the
    /// other.
    pub fn new(rule: Rule) -> Result<Self, PolicyError> {
        let mut names = BTreeSet::new();
        let twice = rule.requirements().into_iter().find(|requirement| !names.insert(requirement.id()));
        match twice {
            Some(requirement) => Err(PolicyError::DuplicateRequirement(requirement.id().clone())),
            None => Ok(Self::described(rule)),
        }
    }

    /// A policy of one requirement.
    pub fn one(requirement: Requirement) -> Self {
        Self::described(Rule::One(requirement))
    }

    fn described(rule: Rule) -> Self {
        let mut text = String::from("bulla policy 1\n");
        rule.describe(&mut text);
        Self { id: PolicyId(Digest::sha256(text.as_bytes())), rule: Arc::new(rule) }
    }

    /// The digest of the policy: equal for equal rules.
    pub const fn id(&self) -> PolicyId {
        self.id
    }

    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Every requirement in it, at least one, in the order in which they were written.
    pub fn requirements(&self) -> NonEmpty<&Requirement> {
        self.rule.requirements()
    }
}

impl Rule {
    /// The decision on the rule, given the decision on each requirement.
    pub fn decide(&self, of: &impl Fn(&Requirement) -> Decision) -> Decision {
        match self {
            Self::All(rules) => Decision::all(rules.iter().map(|rule| rule.decide(of))),
            Self::Any(rules) => Decision::any(rules.iter().map(|rule| rule.decide(of))),
            Self::One(requirement) => of(requirement),
        }
    }

    /// Whether the rule cannot be met without a requirement for which `is` holds.
    pub(crate) fn needs(&self, is: &impl Fn(&Requirement) -> bool) -> bool {
        match self {
            Self::All(rules) => rules.iter().any(|rule| rule.needs(is)),
            Self::Any(rules) => rules.iter().all(|rule| rule.needs(is)),
            Self::One(requirement) => is(requirement),
        }
    }

    fn requirements(&self) -> NonEmpty<&Requirement> {
        match self {
            Self::All(rules) | Self::Any(rules) => {
                let mut all = rules.first().requirements();
                rules.iter().skip(1).for_each(|rule| rule.add_to(&mut all));
                all
            }
            Self::One(requirement) => NonEmpty::one(requirement),
        }
    }

    /// Adds every requirement in it to `all`.
    fn add_to<'a>(&'a self, all: &mut NonEmpty<&'a Requirement>) {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().for_each(|rule| rule.add_to(all)),
            Self::One(requirement) => all.push(requirement),
        }
    }

    /// Writes the rule unambiguously: every text has its length before it, so no two rules give the same text.
    fn describe(&self, text: &mut String) {
        match self {
            Self::All(rules) | Self::Any(rules) => {
                let word = if matches!(self, Self::All(_)) { "all" } else { "any" };
                text.push_str(&format!("{word} {}\n", rules.count()));
                rules.iter().for_each(|rule| rule.describe(text));
            }
            Self::One(requirement) => describe(requirement, text),
        }
    }
}

fn describe(requirement: &Requirement, text: &mut String) {
    let quorum = requirement.quorum();
    let mut line = |words: &[&str]| {
        for word in words {
            text.push_str(&format!("{} {word} ", word.len()));
        }
        text.push('\n');
    };
    let kinds = match requirement.kinds().single() {
        Some(kind) => kind.to_string(),
        None => format!("{:?}", requirement.kinds()),
    };
    line(&["requirement", &requirement.id().to_string(), &kinds]);
    line(&["threshold", &quorum.threshold().count().to_string()]);
    for owner in quorum.owners() {
        match owner {
            Owner::Key(key) => line(&["key", &key.to_string()]),
            Owner::Named(name) => line(&["owner", name]),
        }
    }
    for condition in requirement.conditions() {
        line(&condition.words().iter().map(String::as_str).collect::<Vec<_>>());
    }
    // What a requirement has by default adds nothing, so the digests of policies without these fields stay as they are.
    if requirement.about() != About::default() {
        line(&["about", requirement.about().name()]);
    }
    if requirement.counted() != CountedStatements::default() {
        line(&["newest"]);
    }
    if let Some(rule) = requirement.signed_index() {
        line(&["signed index", &format!("{rule:?}")]);
    }
    if let Some(vex) = requirement.vex() {
        line(&["vex", &format!("{vex:?}")]);
    }
    line(&["end"]);
}

impl PolicyId {
    /// The id of a policy file: the digest of its canonical text.
    pub(crate) const fn of_file(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
