//! Vulnerability reports of Clair 4. They name the manifest, and have neither a time nor the date of the database.

use crate::limits::Limits;
use crate::ordered;
use crate::predicate::FixState;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanFinding;
use crate::predicate::ScanReport;
use crate::predicate::ScanTarget;
use crate::predicate::Scanner;
use crate::predicate::Severity;
use crate::predicate::scan::finding::FindingList;
use crate::predicate::scan::target::digest;

pub(super) fn read(report: &JsonObject<'_>, limits: &Limits) -> Result<ScanReport, PredicateError> {
    let manifest = report.required("manifest_hash")?;
    let manifest = digest(&manifest, &manifest.text()?)?;
    let packages = report.required_object("packages")?;
    if packages.keys().next().is_none() {
        return Err(PredicateError::at(packages.path(), PredicateProblem::NoPackages));
    }
    let vulnerabilities = report.required_object("vulnerabilities")?;
    let mut findings = FindingList::new(limits);
    for (_, node) in vulnerabilities.entries() {
        let finding = finding(&node.object()?)?;
        findings.add(&node, finding)?;
    }
    all_are_described(report, &vulnerabilities)?;
    Ok(ScanReport {
        database: None,
        finished: None,
        findings: findings.all(),
        scanner: Some(Scanner::Clair.name().to_owned()),
        target: Some(ScanTarget { config: None, manifests: vec![manifest] }),
        version: None,
    })
}

/// Checks that each vulnerability of a package is among `vulnerabilities`: otherwise the report lacks a part.
fn all_are_described(report: &JsonObject<'_>, vulnerabilities: &JsonObject<'_>) -> Result<(), PredicateError> {
    let known = ordered::set(vulnerabilities.keys());
    let Some(by_package) = report.optional_object("package_vulnerabilities")? else { return Ok(()) };
    for (_, list) in by_package.entries().filter(|(_, list)| !list.is_null()) {
        list.each(&mut |id| match known.contains(id.text()?.as_ref()) {
            true => Ok(()),
            false => Err(PredicateError::at(&vulnerabilities.path_of(&id.text()?), PredicateProblem::Missing)),
        })?;
    }
    Ok(())
}

fn finding(found: &JsonObject<'_>) -> Result<ScanFinding, PredicateError> {
    Ok(ScanFinding {
        alias: None,
        // A report does not distinguish packages without a fix from packages whose fix is unknown.
        fix: if found.optional_text("fixed_in_version")?.is_some() { FixState::Fixed } else { FixState::Unknown },
        id: found.required_text("name")?,
        // Clair states names and versions of packages, and no package URL.
        package: None,
        related: Vec::new(),
        severity: Severity::of_word(&found.optional_text("normalized_severity")?.unwrap_or_default()),
    })
}
