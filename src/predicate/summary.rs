//! `PredicateSummary`: what a predicate says, in a few facts, for people who sign it or look at it.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::predicate::BuildSource;
use crate::predicate::PredicateError;
use crate::predicate::PredicateKind;
use crate::predicate::Provenance;
use crate::predicate::Sbom;
use crate::predicate::ScanReport;
use crate::predicate::TestResult;
use crate::predicate::VerificationResult;
use crate::predicate::VerificationSummary;
use crate::predicate::VexDocument;
use crate::predicate::VexStatus;
use crate::text::Untrusted;
use crate::time::Time;

/// What a predicate says, in a few facts for people: claims of its author, which decide nothing. Provenance, verification
/// summaries and test results are one fact each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredicateSummary(Vec<(&'static str, String)>);

impl PredicateSummary {
    /// The summary of a document of a known type; empty for other types.
    ///
    /// # Errors
    /// [`PredicateError`] if it is not a document of the kind that its type names, or exceeds a limit.
    pub fn read(predicate_type: &str, predicate: &[u8], limits: &Limits) -> Result<Self, PredicateError> {
        Ok(Self(match PredicateKind::of(predicate_type) {
            PredicateKind::Sbom(format) => of_sbom(&Sbom::read(predicate, format, limits)?),
            PredicateKind::Scan(_) => of_scan(&ScanReport::read(predicate, predicate_type, limits)?),
            PredicateKind::Vex => of_vex(&VexDocument::read(predicate, limits)?),
            PredicateKind::Provenance => of_provenance(&Provenance::read(predicate, predicate_type, limits)?),
            PredicateKind::TestResult => of_test(&TestResult::read(predicate, predicate_type, limits)?),
            PredicateKind::VerificationSummary => {
                of_summary(&VerificationSummary::read(predicate, predicate_type, limits)?)
            }
            PredicateKind::Other => Vec::new(),
        }))
    }

    /// Whether predicates of this type have a summary of one line, and are small: those of builds, tests and verifications.
    pub fn is_one_line(predicate_type: &str) -> bool {
        use PredicateKind::{Provenance, TestResult, VerificationSummary};
        matches!(PredicateKind::of(predicate_type), Provenance | TestResult | VerificationSummary)
    }

    /// The facts, each with its name.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

fn of_sbom(sbom: &Sbom) -> Vec<(&'static str, String)> {
    vec![
        ("SBOM", format!("{} {}", sbom.format, shown(&sbom.version))),
        ("made", time(sbom.time)),
        ("about", sbom.subject.as_deref().map_or_else(|| "not stated".to_owned(), shown)),
        ("components", sbom.components.to_string()),
    ]
}

fn of_scan(scan: &ScanReport) -> Vec<(&'static str, String)> {
    let by_severity = counts(scan.findings.iter().map(|finding| finding.severity.name()));
    let parts = [scan.scanner.as_deref(), scan.version.as_deref()];
    vec![
        ("scanner", shown(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))),
        ("scanned", time(scan.finished)),
        ("database", time(scan.database)),
        ("findings", by_severity),
    ]
}

fn of_vex(vex: &VexDocument) -> Vec<(&'static str, String)> {
    let statuses = counts(vex.statements.iter().map(|statement| status(statement.status)));
    vec![("made", time(vex.time)), ("statements", statuses)]
}

fn of_provenance(provenance: &Provenance) -> Vec<(&'static str, String)> {
    let source = match &provenance.source {
        Ok(BuildSource { repository, reference: None, .. }) => shown(&repository.to_string()),
        Ok(BuildSource { repository, reference: Some(reference), .. }) => {
            format!("{} at {}", shown(&repository.to_string()), shown(reference))
        }
        Err(unknown) => format!("a source that is not known ({})", unknown.code()),
    };
    let finished = provenance.finished.or(provenance.started);
    vec![("built", format!("by {} from {source}, {}", shown(&provenance.builder), when(finished)))]
}

fn of_summary(summary: &VerificationSummary) -> Vec<(&'static str, String)> {
    let result = match summary.result {
        VerificationResult::Failed => "failed",
        VerificationResult::Passed => "passed",
    };
    let levels: Vec<_> = summary.levels.iter().map(|level| shown(level)).collect();
    let levels = if levels.is_empty() { String::new() } else { format!(" as {}", levels.join(" and ")) };
    let exceptions = match summary.exceptions {
        None => String::new(),
        Some(count) => format!(", with {count} exceptions"),
    };
    let (resource, verifier) = (shown(&summary.resource_uri), shown(&summary.verifier));
    let text = format!("{result}: {resource}{levels} by {verifier}{exceptions}, {}", when(summary.time_verified));
    vec![("verified", text)]
}

fn of_test(result: &TestResult) -> Vec<(&'static str, String)> {
    let counts = [(result.failed.len(), "failed"), (result.warned.len(), "warned")];
    let counts: String =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!(", {count} {name}")).collect();
    let place = result.url.as_deref().map_or_else(String::new, |url| format!(", at {}", shown(url)));
    vec![("tests", format!("{}{counts}{place}", result.outcome.name()))]
}

const fn status(status: VexStatus) -> &'static str {
    match status {
        VexStatus::Affected => "affected",
        VexStatus::Fixed => "fixed",
        VexStatus::NotAffected => "not affected",
        VexStatus::NotAffectedUnjustified => "not affected, without a justification",
        VexStatus::UnderInvestigation => "under investigation",
    }
}

/// How many there are, and how many of each name.
fn counts<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut each: BTreeMap<&str, usize> = BTreeMap::new();
    names.for_each(|name| *each.entry(name).or_default() += 1);
    let all: usize = each.values().sum();
    let each: Vec<_> = each.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if each.is_empty() { "none".to_owned() } else { format!("{all}: {}", each.join(", ")) }
}

fn time(time: Option<Time>) -> String {
    time.map_or_else(|| "not stated".to_owned(), |time| time.to_string())
}

/// The same at the end of a sentence.
fn when(time: Option<Time>) -> String {
    time.map_or_else(|| "at a time that is not stated".to_owned(), |time| time.to_string())
}

fn shown(text: &str) -> String {
    Untrusted::within(text, SHOWN).to_string()
}

/// How much of a foreign text a fact shows, in characters.
const SHOWN: usize = 200;
