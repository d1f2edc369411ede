//! CycloneDX documents with analyses of vulnerabilities. CycloneDX 1.4 to 1.7, `vulnerabilities`.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::limits::count;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::VexDocument;
use crate::predicate::VexFormat;
use crate::predicate::VexParts;
use crate::predicate::VexProduct;
use crate::predicate::VexStatement;
use crate::predicate::VexStatus;
use crate::predicate::sbom::cyclonedx_version;
use crate::predicate::vex::document::Statements;
use crate::predicate::vex::document::not_known;
use crate::time::Time;

/// Reasons why a product is not affected. CycloneDX, `impactAnalysisJustification`.
const JUSTIFICATIONS: [&str; 9] = [
    "code_not_present",
    "code_not_reachable",
    "protected_at_perimeter",
    "protected_at_runtime",
    "protected_by_compiler",
    "protected_by_mitigating_control",
    "requires_configuration",
    "requires_dependency",
    "requires_environment",
];

/// The components of a document: the product, and its parts by `bom-ref`, each with the package URL if it has one.
struct Components {
    parts: BTreeMap<String, Option<String>>,
    product: Vec<String>,
    product_ref: Option<String>,
}

pub(super) fn read(document: &JsonObject<'_>, limits: &Limits) -> Result<VexDocument, PredicateError> {
    cyclonedx_version(document)?;
    let metadata = document.optional_object("metadata")?;
    let time = metadata.as_ref().map(|metadata| metadata.optional_time("timestamp")).transpose()?.flatten();
    let components = Components::read(document, metadata.as_ref(), limits)?;
    let mut statements = Statements::new(limits);
    if let Some(list) = document.optional("vulnerabilities")? {
        list.each(&mut |node| match statement(&node.object()?, &components)? {
            Some(statement) => statements.add(&node, statement),
            None => Ok(()),
        })?;
    }
    Ok(VexDocument { format: VexFormat::CycloneDx, statements: statements.all, time })
}

impl Components {
    fn read(
        document: &JsonObject<'_>,
        metadata: Option<&JsonObject<'_>>,
        limits: &Limits,
    ) -> Result<Self, PredicateError> {
        let mut components = Self { parts: BTreeMap::new(), product: Vec::new(), product_ref: None };
        if let Some(product) = metadata.map(|metadata| metadata.optional_object("component")).transpose()?.flatten() {
            components.product_ref = product.optional_text("bom-ref")?;
            components.product.extend(product.optional_text("purl")?);
            // syft has the digest of an image as its version.
            components.product.extend(product.optional_text("version")?);
        }
        // Only documents with statements need the parts.
        let (true, Some(list)) = (document.optional("vulnerabilities")?.is_some(), document.optional("components")?)
        else {
            return Ok(components);
        };
        list.each(&mut |node| {
            let part = node.object()?;
            if count(components.parts.len()) >= limits.json.values {
                let limit = limits.json.values;
                return Err(node.error(PredicateProblem::TooMany { what: "components", limit }));
            }
            let Some(reference) = part.optional_text("bom-ref")? else { return Ok(()) };
            // An analysis of this reference would be about the product as a whole, or about this part of it.
            let is_product = components.product_ref.as_ref() == Some(&reference);
            match components.parts.insert(reference, part.optional_text("purl")?) {
                None if !is_product => Ok(()),
                _ => Err(node.error(PredicateProblem::StatedTwice)),
            }
        })?;
        Ok(components)
    }

    /// The product as a whole.
    fn whole(&self) -> VexProduct {
        VexProduct::named(self.product.iter().map(String::as_str), None)
    }

    /// The product that `reference` means: the product as a whole, or limited to one of its parts. A reference to
    /// anything else is a part that is not known.
    fn product(&self, reference: &str) -> VexProduct {
        let parts = match self.product_ref.as_deref() == Some(reference) {
            true => None,
            false => {
                let mut parts = VexParts::default();
                parts.add(self.parts.get(reference).into_iter().flatten().map(String::as_str));
                Some(parts)
            }
        };
        VexProduct::named(self.product.iter().map(String::as_str), parts)
    }
}

/// The statement of a vulnerability with an analysis; `None` for one without: an unassessed vulnerability.
fn statement(entry: &JsonObject<'_>, components: &Components) -> Result<Option<VexStatement>, PredicateError> {
    let Some(analysis) = entry.optional_object("analysis")? else { return Ok(None) };
    let status = status(&analysis)?;
    let mut products = Vec::new();
    if let Some(list) = entry.optional("affects")? {
        list.each(&mut |node| {
            let affected = node.object()?;
            // An analysis for some versions only may not be for the one in the image, so it clears nothing.
            if affected.optional("versions")?.is_none() || !status.clears() {
                products.push(components.product(&affected.required_text("ref")?));
            }
            Ok(())
        })?;
    }
    if products.is_empty() && !status.clears() {
        products.push(components.whole());
    }
    let mut aliases = Vec::new();
    if let Some(list) = entry.optional("references")? {
        list.each(&mut |node| {
            aliases.extend(node.object()?.optional_text("id")?);
            Ok(())
        })?;
    }
    Ok(Some(VexStatement {
        aliases,
        products,
        status,
        time: time(&analysis)?,
        vulnerability: entry.required_text("id")?,
    }))
}

fn time(analysis: &JsonObject<'_>) -> Result<Option<Time>, PredicateError> {
    Ok(analysis.optional_time("lastUpdated")?.max(analysis.optional_time("firstIssued")?))
}

fn status(analysis: &JsonObject<'_>) -> Result<VexStatus, PredicateError> {
    let Some(node) = analysis.optional("state")? else { return Ok(VexStatus::UnderInvestigation) };
    let text = node.text()?;
    match text.as_ref() {
        "exploitable" => Ok(VexStatus::Affected),
        // A false positive has no justification that could be checked.
        "false_positive" => Ok(VexStatus::NotAffectedUnjustified),
        "in_triage" => Ok(VexStatus::UnderInvestigation),
        "not_affected" => Ok(match analysis.optional_text("justification")? {
            Some(label) if JUSTIFICATIONS.contains(&label.as_str()) => VexStatus::NotAffected,
            _ => VexStatus::NotAffectedUnjustified,
        }),
        "resolved" | "resolved_with_pedigree" => Ok(VexStatus::Fixed),
        other => Err(not_known(&node, "a state of an analysis", other)),
    }
}
