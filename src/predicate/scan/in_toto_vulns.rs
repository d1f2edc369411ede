//! The vulnerability predicates of in-toto, versions 0.1 and 0.2: `spec/predicates/vuln.md` and `vulns_02.md` of the
//! attestation framework. The example of version 0.1 differs from its text, so both shapes are read in both versions.

use crate::limits::Limits;
use crate::predicate::FixState;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::ScanFinding;
use crate::predicate::ScanReport;
use crate::predicate::Severity;
use crate::predicate::scan::finding::FindingList;
use crate::predicate::scan::finding::annotation;
use crate::predicate::scan::finding::package;

pub(super) fn read(node: &JsonNode<'_>, limits: &Limits) -> Result<ScanReport, PredicateError> {
    let predicate = node.object()?;
    let scanner = predicate.required_object("scanner")?;
    let Some(result) = scanner.optional("result")? else {
        return Err(PredicateError::at(&scanner.path_of("result"), PredicateProblem::NoResult));
    };
    let mut findings = FindingList::new(limits);
    result.each(&mut |node| {
        let finding = finding(&node.object()?)?;
        findings.add(&node, finding)
    })?;
    let metadata = predicate.optional_object("metadata")?;
    let db = scanner.optional_object("db")?;
    Ok(ScanReport {
        database: db.map(|db| db.optional_time("lastUpdate")).transpose()?.flatten(),
        finished: metadata.map(|metadata| metadata.optional_time("scanFinishedOn")).transpose()?.flatten(),
        findings: findings.all(),
        scanner: scanner.optional_text("uri")?,
        // The subject of the statement says what was scanned.
        target: None,
        version: scanner.optional_text("version")?,
    })
}

/// A finding: identifier and severity are in `vulnerability`, or beside the annotations. Of severities in both places the
/// highest counts.
fn finding(entry: &JsonObject<'_>) -> Result<ScanFinding, PredicateError> {
    let nested = entry.optional_object("vulnerability")?;
    if let Some((_, twice)) = nested.as_ref().zip(entry.optional("id")?) {
        return Err(twice.error(PredicateProblem::StatedTwice));
    }
    let vulnerability = nested.as_ref().unwrap_or(entry);
    let mut severity = None;
    for place in [vulnerability, entry] {
        if let Some(node) = place.optional("severity")? {
            severity = severity.max(Some(highest(&node)?));
        }
    }
    let mut finding = ScanFinding {
        alias: None,
        fix: FixState::Unknown,
        id: vulnerability.required_text("id")?,
        package: None,
        related: Vec::new(),
        severity: severity.unwrap_or(Severity::Unknown),
    };
    annotations(entry, &mut finding)?;
    Ok(finding)
}

/// The highest of the severities, which are a list or one of them.
fn highest(node: &JsonNode<'_>) -> Result<Severity, PredicateError> {
    if node.is_object() {
        return Ok(severity(&node.object()?)?.unwrap_or(Severity::Unknown));
    }
    let mut highest = None;
    node.each(&mut |node| {
        highest = highest.max(severity(&node.object()?)?);
        Ok(())
    })?;
    Ok(highest.unwrap_or(Severity::Unknown))
}

/// A severity by its method and score: a word, or the number of a CVSS score. `None` for an EPSS score, which is a
/// probability and no severity.
fn severity(stated: &JsonObject<'_>) -> Result<Option<Severity>, PredicateError> {
    let method = stated.optional_text("method")?.unwrap_or_default().to_ascii_lowercase();
    if method.contains("epss") {
        return Ok(None);
    }
    let Some(score) = stated.optional("score")? else { return Ok(Some(Severity::Unknown)) };
    let text = if score.is_text() { score.text()? } else { score.json().into() };
    let is_cvss = method.contains("cvss") || method.contains("nvd");
    Ok(Some(match Severity::of_word(&text) {
        Severity::Unknown if is_cvss => Severity::of_cvss_score(&text),
        word => word,
    }))
}

/// Reads the annotations that [`extract`](crate::predicate::scanner::extract) writes, and leaves out all others.
fn annotations(entry: &JsonObject<'_>, finding: &mut ScanFinding) -> Result<(), PredicateError> {
    let Some(annotations) = entry.optional("annotations")? else { return Ok(()) };
    let (mut url, mut fix) = (None, None);
    annotations.each(&mut |node| {
        if !node.is_object() {
            return Ok(());
        }
        let entry = node.object()?;
        for (name, into) in
            [(annotation::PACKAGE, &mut url), (annotation::FIX, &mut fix), (annotation::ALIAS, &mut finding.alias)]
        {
            let Some(text) = entry.optional_text(name)? else { continue };
            if into.replace(text).is_some() {
                return Err(node.error(PredicateProblem::StatedTwice));
            }
        }
        finding.related.extend(entry.optional_text(annotation::RELATED)?);
        Ok(())
    })?;
    finding.package = package(url);
    finding.fix = fix.map_or(FixState::Unknown, |name: String| FixState::of_name(&name));
    Ok(())
}
