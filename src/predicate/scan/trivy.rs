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
    if let Some(system) = metadata.optional_object("OS")? {
        match system.optional("EOSL")? {
            Some(ended) if ended.boolean()? => return Err(ended.error(PredicateProblem::EndOfLife)),
            _ => {}
        }
    }
    let findings = results(report, limits)?;
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

/// The findings of all results.
///
/// # Errors
/// [`PredicateError`] if no packages were scanned, or not for vulnerabilities: with several scanners a result without
/// vulnerabilities is all the same as one of packages that were listed only.
fn results(report: &JsonObject<'_>, limits: &Limits) -> Result<FindingList, PredicateError> {
    let mut findings = FindingList::new(limits);
    let (mut has_packages, mut has_list, mut has_others) = (false, false, false);
    let refuse = |problem| Err(PredicateError::at(&report.path_of("Results"), problem));
    let Some(results) = report.optional("Results")? else { return refuse(PredicateProblem::NoPackages) };
    results.each(&mut |result| {
        let result = result.object()?;
        let class = result.optional_text("Class")?.unwrap_or_default();
        has_packages |= matches!(class.as_str(), "os-pkgs" | "lang-pkgs");
        has_others |= matches!(class.as_str(), "config" | "secret") || class.starts_with("license");
        if let Some(list) = result.optional("Vulnerabilities")? {
            has_list = true;
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
    match findings.is_empty() {
        true if !has_packages => refuse(PredicateProblem::NoPackages),
        true if has_others && !has_list => refuse(PredicateProblem::NoVulnerabilityScan),
        _ => Ok(findings),
    }
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
    // The identifiers of vendors in a report are those of advisories, which may stand for several vulnerabilities.
    let mut related = Vec::new();
    if let Some(list) = found.optional("VendorIDs")? {
        list.each(&mut |node| {
            related.push(node.text()?.into_owned());
            Ok(())
        })?;
    }
    Ok(ScanFinding {
        alias: None,
        fix,
        id: found.required_text("VulnerabilityID")?,
        package: package(purl),
        related,
        severity: Severity::of_word(&found.optional_text("Severity")?.unwrap_or_default()),
    })
}
