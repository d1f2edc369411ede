//! Reports of grype, `grype -o json`.

use std::collections::BTreeSet;

use crate::limits::Limits;
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
use crate::predicate::scan::finding::alias;
use crate::predicate::scan::finding::package;
use crate::predicate::scan::target::optional_digest;
use crate::predicate::scan::target::repository_digests;
use crate::text::Untrusted;
use crate::time::Time;

pub(super) fn read(report: &JsonObject<'_>, limits: &Limits) -> Result<ScanReport, PredicateError> {
    let descriptor = report.required_object("descriptor")?;
    let name = descriptor.required("name")?;
    if name.text()? != "grype" {
        return Err(name.error(PredicateProblem::UnknownScanner));
    }
    let source = report.required_object("source")?;
    let kind = source.required("type")?;
    if kind.text()? != "image" {
        return Err(kind.error(PredicateProblem::NotAnImage(Untrusted::within(&kind.text()?, 40))));
    }
    let target = source.required_object("target")?;
    let mut manifests = repository_digests(&target, "repoDigests")?;
    manifests.extend(optional_digest(&target, "manifestDigest")?);
    let mut findings = FindingList::new(limits);
    let ignored = report.optional("ignoredMatches")?;
    for list in [Some(report.required("matches")?), ignored].into_iter().flatten() {
        list.each(&mut |node| {
            let finding = finding(&node.object()?)?;
            findings.add(&node, finding)
        })?;
    }
    Ok(ScanReport {
        database: database(&descriptor)?,
        finished: descriptor.optional_time("timestamp")?,
        findings: findings.all(),
        scanner: Some(Scanner::Grype.name().to_owned()),
        target: Some(ScanTarget::of(&target, optional_digest(&target, "imageID")?, manifests)?),
        version: descriptor.optional_text("version")?,
    })
}

/// When the database was built: grype has the time in `db`, since version 0.88 in `db.status`.
///
/// # Errors
/// [`PredicateError`] if grype states that the database is not valid, or an error of it.
fn database(descriptor: &JsonObject<'_>) -> Result<Option<Time>, PredicateError> {
    let Some(db) = descriptor.optional_object("db")? else { return Ok(None) };
    let status = db.optional_object("status")?;
    for place in [Some(&db), status.as_ref()].into_iter().flatten() {
        if let Some(valid) = place.optional("valid")?
            && !valid.boolean()?
        {
            return Err(valid.error(PredicateProblem::InvalidDatabase));
        }
        if let Some(error) = place.optional("error")?
            && error.json() != "\"\""
        {
            return Err(error.error(PredicateProblem::InvalidDatabase));
        }
    }
    match status {
        Some(status) => status.optional_time("built"),
        None => db.optional_time("built"),
    }
}

fn finding(found: &JsonObject<'_>) -> Result<ScanFinding, PredicateError> {
    let vulnerability = found.required_object("vulnerability")?;
    let id = vulnerability.required_text("id")?;
    let artifact = found.required_object("artifact")?;
    let mut related = BTreeSet::new();
    if let Some(list) = found.optional("relatedVulnerabilities")? {
        list.each(&mut |node| {
            related.insert(node.object()?.required_text("id")?);
            Ok(())
        })?;
    }
    let (alias, related) = alias(&id, related);
    Ok(ScanFinding {
        alias,
        fix: fix(&vulnerability)?,
        id,
        package: package(artifact.optional_text("purl")?),
        related,
        severity: Severity::of_word(&vulnerability.optional_text("severity")?.unwrap_or_default()),
    })
}

fn fix(vulnerability: &JsonObject<'_>) -> Result<FixState, PredicateError> {
    let Some(fix) = vulnerability.optional_object("fix")? else { return Ok(FixState::Unknown) };
    let mut has_version = false;
    if let Some(versions) = fix.optional("versions")? {
        versions.each(&mut |_| {
            has_version = true;
            Ok(())
        })?;
    }
    Ok(match fix.optional_text("state")?.as_deref() {
        _ if has_version => FixState::Fixed,
        Some("fixed") => FixState::Fixed,
        Some("not-fixed" | "wont-fix") => FixState::NotFixed,
        _ => FixState::Unknown,
    })
}
