//! `ScanFinding`: a vulnerability in a package, and the rule by which a policy counts it.

use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::limits::count;
use crate::predicate::FixState;
use crate::predicate::JsonNode;
use crate::predicate::PackageUrl;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::Severity;

/// A vulnerability in a package, as a scanner reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanFinding {
    /// The only other identifier that the scanner gives the vulnerability, such as the CVE of a GHSA. An advisory that
    /// stands for several vulnerabilities has none: what is true of one of them is not true of the advisory.
    pub alias: Option<String>,
    /// Whether an update fixes it.
    pub fix: FixState,
    /// The identifier: a CVE, a GHSA, or that of an advisory.
    pub id: String,
    /// The vulnerable package, if the report states its package URL.
    pub package: Option<PackageUrl>,
    /// Other identifiers that the scanner relates to it: the vulnerabilities that an advisory stands for, or the advisories
    /// about a vulnerability. What is said of one of them clears nothing, and may take back what was cleared.
    pub related: Vec<String>,
    /// The severity, the highest one if the report states several.
    pub severity: Severity,
}

/// Which findings of a scan a policy blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRule {
    /// Which findings are counted at all.
    pub count: FindingsCounted,
    /// The highest severity that is allowed; `None` if no finding is, whatever its severity.
    pub highest_allowed: Option<Severity>,
    /// The vulnerabilities that the operator ignores. Those whose term has ended are not in the list.
    pub ignored: Vec<IgnoredVulnerability>,
}

/// Which findings of a scan are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingsCounted {
    /// Every finding.
    All,
    /// Those that an update fixes, and those for which the scanner does not say.
    Fixable,
}

/// A vulnerability that the operator ignores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredVulnerability {
    /// The package in which it is ignored; everywhere without one.
    pub package: Option<PackageUrl>,
    /// Its identifier, compared exactly.
    pub vulnerability: String,
}

impl ScanFinding {
    /// Whether `vulnerability` is an identifier of this finding, compared exactly.
    pub fn is(&self, vulnerability: &str) -> bool {
        self.id == vulnerability || self.alias.as_deref() == Some(vulnerability)
    }
}

impl FindingRule {
    /// Whether the rule does not allow this finding.
    pub fn is_blocked_by(&self, finding: &ScanFinding) -> bool {
        self.is_over(finding) && !self.ignored.iter().any(|ignored| ignored.is(finding))
    }

    /// The entries without which the rule would not allow this finding.
    pub fn ignoring(&self, finding: &ScanFinding) -> impl Iterator<Item = &IgnoredVulnerability> {
        let is_over = self.is_over(finding);
        self.ignored.iter().filter(move |ignored| is_over && ignored.is(finding))
    }

    /// Whether the finding counts, and is more severe than is allowed.
    fn is_over(&self, finding: &ScanFinding) -> bool {
        let counts = match self.count {
            FindingsCounted::All => true,
            FindingsCounted::Fixable => finding.fix.is_fixable(),
        };
        counts && self.highest_allowed.is_none_or(|allowed| finding.severity.counted() > allowed)
    }
}

impl IgnoredVulnerability {
    /// Whether this entry is about the finding.
    fn is(&self, finding: &ScanFinding) -> bool {
        let in_package = match (&self.package, &finding.package) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ignored), Some(found)) => ignored.covers(found),
        };
        in_package && finding.is(&self.vulnerability)
    }
}

/// The findings of a report while it is read: at most as many as a document may have values.
pub(super) struct FindingList {
    found: Vec<ScanFinding>,
    limit: u64,
}

impl FindingList {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { found: Vec::new(), limit: limits.json.values }
    }

    /// Adds a finding, which is at `node`.
    pub(super) fn add(&mut self, node: &JsonNode<'_>, finding: ScanFinding) -> Result<(), PredicateError> {
        if count(self.found.len()) >= self.limit {
            return Err(
                node.error(PredicateProblem::TooMany { what: "vulnerabilities in one report", limit: self.limit })
            );
        }
        self.found.push(finding);
        Ok(())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn all(self) -> Vec<ScanFinding> {
        self.found
    }
}

/// The alias of the vulnerability `id`, if a scanner relates exactly one other identifier to it, and the related identifiers
/// if there are several.
pub(super) fn alias(id: &str, related: BTreeSet<String>) -> (Option<String>, Vec<String>) {
    let mut others: Vec<_> = related.into_iter().filter(|related| related != id && !related.is_empty()).collect();
    match others.len() {
        1 => (others.pop(), Vec::new()),
        _ => (None, others),
    }
}

/// A package URL as a scanner writes it. One that cannot be read is not compared with anything.
pub(super) fn package(text: Option<String>) -> Option<PackageUrl> {
    text.and_then(|text| text.parse().ok())
}

/// Annotations of findings in the predicates that are made of scanner reports.
pub(in crate::predicate) mod annotation {
    /// The other identifier of the vulnerability.
    pub(in crate::predicate) const ALIAS: &str = "bulla.alias";
    /// The fix state of the vulnerability.
    pub(in crate::predicate) const FIX: &str = "bulla.fix";
    /// The package URL of the vulnerable package.
    pub(in crate::predicate) const PACKAGE: &str = "bulla.package";
    /// One of several identifiers that the scanner relates to the vulnerability.
    pub(in crate::predicate) const RELATED: &str = "bulla.related";
}
