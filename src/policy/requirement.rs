//! `Requirement`: the kinds of statements that a quorum of owners has to sign, and their conditions.

use std::fmt;

use crate::envelope::FormStatements;
use crate::policy::About;
use crate::policy::Condition;
use crate::policy::MaxAgeRule;
use crate::policy::PredicateView;
use crate::policy::Quorum;
use crate::policy::SignedAttestations;
use crate::policy::SignedIndexRule;
use crate::policy::StatementFacts;
use crate::policy::StatementKind;
use crate::policy::StatementKinds;
use crate::policy::TimeEvidence;
use crate::policy::UnmetCondition;
use crate::policy::VexRequirement;
use crate::predicate::IgnoredVulnerability;
use crate::predicate::PredicateKind;
use crate::predicate::SbomFormat;
use crate::predicate::ScanFinding;
use crate::trust::Owner;

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
    signed_index: Option<SignedIndexRule>,
    vex: Option<VexRequirement>,
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
            signed_index: None,
            vex: None,
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

    /// The same requirement, where statements count that an index holds unsigned, if an owner of the quorum signed the index.
    #[must_use]
    pub fn with_signed_index(self, rule: SignedIndexRule) -> Self {
        Self { signed_index: Some(rule), ..self }
    }

    /// The same requirement, where VEX statements clear vulnerabilities that a scan found.
    #[must_use]
    pub fn with_vex(self, vex: VexRequirement) -> Self {
        Self { vex: Some(vex), ..self }
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

    /// Whether and how unsigned statements in a signed index count; `None` if they do not.
    pub const fn signed_index(&self) -> Option<&SignedIndexRule> {
        self.signed_index.as_ref()
    }

    /// Whose VEX statements clear vulnerabilities; `None` if nobody's do.
    pub const fn vex(&self) -> Option<&VexRequirement> {
        self.vex.as_ref()
    }

    /// Whether a statement about the index counts for its platforms, if the requirement is about either. A scan does not: a
    /// scanner looks at one platform, and its report does not say at which. It may still keep an owner from counting.
    pub fn counts_for_platforms(&self) -> bool {
        !self.conditions.iter().any(|condition| matches!(condition, Condition::Scan(_)))
    }

    /// Whether only the newest statement of an owner counts, of those that it reads: a newer one may turn a yes into a no.
    pub fn needs_newest(&self) -> bool {
        self.counted == CountedStatements::Newest || self.vex.is_some()
    }

    /// Checks the conditions that need one statement alone. Where only the newest statement counts, it has to have a time.
    ///
    /// # Errors
    /// [`UnmetCondition`]: the first that it does not meet; [`UnmetCondition::Vulnerabilities`], which VEX statements may
    /// clear, only if it meets all others, and then with what each of them blocks.
    pub(crate) fn check(&self, facts: &StatementFacts<'_>) -> Result<(), UnmetCondition> {
        if self.counted == CountedStatements::Newest {
            MaxAgeRule { limit: None, time: TimeEvidence::Document }.check(facts.time, facts.now)?;
        }
        let mut found: Vec<ScanFinding> = Vec::new();
        for condition in &self.conditions {
            match condition.check(facts) {
                Ok(()) => {}
                Err(UnmetCondition::Vulnerabilities(more)) if found.is_empty() => found = more,
                // What any of the conditions blocks has to be cleared.
                Err(UnmetCondition::Vulnerabilities(more)) => found.extend(more),
                Err(unmet) => return Err(unmet),
            }
        }
        if found.is_empty() { Ok(()) } else { Err(UnmetCondition::Vulnerabilities(found)) }
    }

    /// The vulnerabilities that the operator ignores, and that a scan found, which would not be allowed otherwise.
    pub(crate) fn ignored(&self, view: &PredicateView) -> Vec<IgnoredVulnerability> {
        let PredicateView::Scan(scan) = view else { return Vec::new() };
        let rules = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Scan(rule) => Some(&rule.findings),
            _ => None,
        });
        rules.flat_map(|rule| scan.ignored(rule)).collect()
    }

    /// Checks the image name that a statement was made for: a VEX document, or the signature of an index in which unsigned
    /// statements are.
    ///
    /// # Errors
    /// [`UnmetCondition`] if it was made for another name.
    pub(crate) fn check_signed_name(&self, reference: Option<&str>) -> Result<(), UnmetCondition> {
        self.conditions.iter().try_for_each(|condition| condition.check_name(reference))
    }

    /// Whether signed statements of `kind` count: with [`SignedAttestations::DoNotCount`] none does.
    pub(crate) fn counts(&self, kind: &StatementKind) -> bool {
        self.counts_signed() && self.kinds.contains(kind)
    }

    /// Whether signed statements count.
    pub(crate) fn counts_signed(&self) -> bool {
        self.signed_index.as_ref().is_none_or(|rule| rule.attestations == SignedAttestations::Count)
    }

    /// Whether a statement of `kind` about an index covers the unsigned statements in it: an image signature does.
    pub(crate) fn is_covered_by(&self, kind: &StatementKind) -> bool {
        self.signed_index.is_some() && *kind == StatementKind::ImageSignature
    }

    /// Whether signed statements of `kind` count if `owner` signed them.
    pub(crate) fn counts_by(&self, kind: &StatementKind, owner: &Owner) -> bool {
        self.counts(kind) && self.quorum.owners().contains(owner)
    }

    /// Whether statements of `kind` may clear vulnerabilities if `owner` signed them.
    pub(crate) fn clears_by(&self, kind: &StatementKind, owner: &Owner) -> bool {
        self.reads_as_vex(kind) && self.vex.as_ref().is_some_and(|vex| vex.quorum.owners().contains(owner))
    }

    /// Whether statements of `kind` are read: those that count, and VEX statements that clear vulnerabilities. The image
    /// signatures of an index, which cover unsigned statements in it, are not among them.
    pub fn reads(&self, kind: &StatementKind) -> bool {
        self.counts(kind) || self.reads_as_vex(kind)
    }

    /// Whether statements at a tag of cosign, which holds `statements` alone, could be read.
    pub fn reads_form(&self, statements: FormStatements) -> bool {
        let vex = self.vex.is_some() && statements == FormStatements::Attestations;
        vex || self.counts_signed() && self.kinds.could_be(statements)
    }

    /// Whether the predicate of statements of `kind` is read, or its time.
    pub(crate) fn reads_view(&self, kind: &StatementKind) -> bool {
        let needs_view = |condition: &Condition| {
            !matches!(
                condition,
                Condition::Annotation { .. } | Condition::SignedName(_) | Condition::SignedReference(_)
            )
        };
        let reads = self.counted == CountedStatements::Newest || self.conditions.iter().any(needs_view);
        reads && self.kinds.contains(kind) || self.reads_as_vex(kind)
    }

    /// Whether statements of `kind` may clear vulnerabilities: OpenVEX and CSAF, and CycloneDX, whose predicate type is that
    /// of SBOMs.
    pub fn reads_as_vex(&self, kind: &StatementKind) -> bool {
        let is_vex = |predicate_type: &str| {
            matches!(PredicateKind::of(predicate_type), PredicateKind::Vex | PredicateKind::Sbom(SbomFormat::CycloneDx))
        };
        match kind {
            StatementKind::Attestation { predicate_type } => self.vex.is_some() && is_vex(predicate_type),
            StatementKind::ImageSignature => false,
        }
    }

    /// Whether all statements of `kind` are read, since a newer one may decide otherwise than an older one.
    pub fn reads_all(&self, kind: &StatementKind) -> bool {
        self.counted == CountedStatements::Newest && self.kinds.contains(kind) || self.reads_as_vex(kind)
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
