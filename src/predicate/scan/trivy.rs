//! Reports of trivy, `trivy image --format json`, schema version 2.
//!
//! A report does not say which vulnerabilities trivy was told to leave out by severity, and has no date of the
//! vulnerability database. FindingList that an ignore file or a VEX document changed are kept apart by trivy, and counted
//! here.

use crate::limits::Limits;
use crate::predicate::FixState;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanFinding;
use crate::predicate::ScanReport;
use crate::predicate::ScanTarget;
use crate::predicate::Scanner;
use crate::predicate::Severity;
use crate::predicate::scan::finding::FindingList;
use crate::predicate::scan::finding::package;
use crate::predicate::scan::target::optional_digest;
use crate::predicate::scan::target::repository_digests;
use crate::text::Untrusted;

pub(super) fn read(report: &JsonObject<'_>, limits: &Limits) -> Result<ScanReport, PredicateError> {
    let schema = report.required("SchemaVersion")?;
    if schema.json() != "2" {
        return Err(schema.error(PredicateProblem::UnknownVersion(Untrusted::within(schema.json(), 40))));
    }
    let artifact = report.required("ArtifactType")?;
    if artifact.text()? != "container_image" {
        return Err(artifact.error(PredicateProblem::NotAnImage(Untrusted::within(&artifact.text()?, 40))));
    }
    let metadata = report.required_object("Metadata")?;
    let (config, manifests) = (optional_digest(&metadata, "ImageID")?, repository_digests(&metadata, "RepoDigests")?);
    let (has_packages, findings) = results(report, limits)?;
    if !has_packages {
        return Err(PredicateError::at(&report.path_of("Results"), PredicateProblem::NoPackages));
    }
    let program = report.optional_object("Trivy")?;
    Ok(ScanReport {
        database: None,
        finished: report.optional_time("CreatedAt")?,
        findings: findings.all(),
        scanner: Some(Scanner::Trivy.name().to_owned()),
        target: Some(ScanTarget::of(&metadata, config, manifests)?),
        version: program.map(|program| program.optional_text("Version")).transpose()?.flatten(),
    })
}

/// The findings of all results, and whether any result is about packages.
fn results(report: &JsonObject<'_>, limits: &Limits) -> Result<(bool, FindingList), PredicateError> {
    let mut findings = FindingList::new(limits);
    let mut has_packages = false;
    let Some(results) = report.optional("Results")? else { return Ok((false, findings)) };
    results.each(&mut |result| {
        let result = result.object()?;
        has_packages |= matches!(result.optional_text("Class")?.as_deref(), Some("os-pkgs" | "lang-pkgs"));
        if let Some(list) = result.optional("Vulnerabilities")? {
            list.each(&mut |node| {
                let finding = finding(&node.object()?)?;
                findings.add(&node, finding)
            })?;
        }
        if let Some(list) = result.optional("ExperimentalModifiedFindings")? {
            list.each(&mut |node| modified(&node, &mut findings))?;
        }
        Ok(())
    })?;
    Ok((has_packages || !findings.is_empty(), findings))
}

/// Adds a finding that an ignore file or a VEX document changed, if it is a vulnerability: if it has the identifier of one.
/// Secrets and misconfigurations are no part of a scan for vulnerabilities.
fn modified(node: &JsonNode<'_>, findings: &mut FindingList) -> Result<(), PredicateError> {
    let entry = node.object()?;
    let is_other = entry.optional_text("Type")?.is_some_and(|kind| kind != "vulnerability");
    let found = entry.required_object("Finding")?;
    match is_other && found.optional("VulnerabilityID")?.is_none() {
        true => Ok(()),
        false => findings.add(node, finding(&found)?),
    }
}

fn finding(found: &JsonObject<'_>) -> Result<ScanFinding, PredicateError> {
    let identifier = found.optional_object("PkgIdentifier")?;
    let purl = identifier.map(|identifier| identifier.optional_text("PURL")).transpose()?.flatten();
    let fix = match (found.optional_text("FixedVersion")?, found.optional_text("Status")?.as_deref()) {
        (Some(_), _) | (None, Some("fixed")) => FixState::Fixed,
        (None, Some("affected" | "end_of_life" | "fix_deferred" | "will_not_fix")) => FixState::NotFixed,
        _ => FixState::Unknown,
    };
    Ok(ScanFinding {
        // The identifiers of vendors in a report are those of advisories, which may stand for several vulnerabilities.
        alias: None,
        fix,
        id: found.required_text("VulnerabilityID")?,
        package: package(purl),
        severity: Severity::of_word(&found.optional_text("Severity")?.unwrap_or_default()),
    })
}
