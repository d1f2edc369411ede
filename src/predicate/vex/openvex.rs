//! OpenVEX documents, versions 0.0.1 and 0.2. OpenVEX specification, "The VEX Document".

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::VexDocument;
use crate::predicate::VexFormat;
use crate::predicate::VexParts;
use crate::predicate::VexProduct;
use crate::predicate::VexStatement;
use crate::predicate::VexStatus;
use crate::predicate::vex::document::Statements;
use crate::predicate::vex::document::is_justification;
use crate::predicate::vex::document::not_known;
use crate::predicate::vex::document::texts;
use crate::text::Untrusted;
use crate::time::Time;

pub(super) fn read(document: &JsonObject<'_>, limits: &Limits) -> Result<VexDocument, PredicateError> {
    let context = document.required("@context")?;
    let version = context.text()?;
    match version.strip_prefix("https://openvex.dev/ns") {
        Some("" | "/v0.0.1" | "/v0.2.0") => {}
        Some(_) => {
            let found = Untrusted::within(&version, 80);
            return Err(context.error(PredicateProblem::UnknownVersion(found)));
        }
        None => {
            return Err(context.error(PredicateProblem::WrongDocument {
                found: "a JSON-LD document of another kind",
                wanted: "an OpenVEX document",
            }));
        }
    }
    let mut statements = Statements::new(limits);
    document.required("statements")?.each(&mut |node| {
        let statement = statement(&node.object()?, &statements)?;
        statements.add(&node, statement)
    })?;
    Ok(VexDocument { format: VexFormat::OpenVex, statements: statements.all, time: changed(document)? })
}

/// When a document or statement was last changed, or else issued.
fn changed(object: &JsonObject<'_>) -> Result<Option<Time>, PredicateError> {
    Ok(object.optional_time("last_updated")?.max(object.optional_time("timestamp")?))
}

fn statement(entry: &JsonObject<'_>, statements: &Statements) -> Result<VexStatement, PredicateError> {
    // Version 0.0.1 has the name of the vulnerability where version 0.2 has an object.
    let node = entry.required("vulnerability")?;
    let (vulnerability, aliases) = match node.is_text() {
        true => (node.filled_text()?.into_owned(), Vec::new()),
        false => {
            let object = node.object()?;
            (object.required_text("name")?, texts(object.optional("aliases")?)?)
        }
    };
    let shared = match entry.optional("subcomponents")? {
        Some(list) => Some(subcomponents(&list)?),
        None => None,
    };
    let (mut products, mut size) = (Vec::new(), 0_usize);
    if let Some(list) = entry.optional("products")? {
        list.each(&mut |node| {
            // Version 0.0.1 has one list of subcomponents for all products, which each of them gets.
            size = size.saturating_add(1).saturating_add(shared.as_ref().map_or(0, VexParts::len));
            statements.fits(&node, size)?;
            products.push(product(&node, shared.as_ref())?);
            Ok(())
        })?;
    }
    if products.is_empty() {
        products.push(VexProduct::subject(shared));
    }
    Ok(VexStatement { aliases, products, status: status(entry)?, time: changed(entry)?, vulnerability })
}

fn status(entry: &JsonObject<'_>) -> Result<VexStatus, PredicateError> {
    let node = entry.required("status")?;
    let text = node.text()?;
    match text.as_ref() {
        "affected" => Ok(VexStatus::Affected),
        "fixed" => Ok(VexStatus::Fixed),
        "under_investigation" => Ok(VexStatus::UnderInvestigation),
        "not_affected" => Ok(match entry.optional_text("justification")? {
            Some(label) if is_justification(&label) => VexStatus::NotAffected,
            _ => VexStatus::NotAffectedUnjustified,
        }),
        other => Err(not_known(&node, "a status of OpenVEX", other)),
    }
}

fn product(node: &JsonNode<'_>, shared: Option<&VexParts>) -> Result<VexProduct, PredicateError> {
    if node.is_text() {
        return Ok(VexProduct::named([node.text()?.as_ref()], shared.cloned()));
    }
    let object = node.object()?;
    let own = object.optional("subcomponents")?.as_ref().map(subcomponents).transpose()?;
    let identifiers = identifiers(&object)?;
    Ok(VexProduct::named(identifiers.iter().map(String::as_str), own.or_else(|| shared.cloned())))
}

/// The parts that a statement is limited to.
fn subcomponents(list: &JsonNode<'_>) -> Result<VexParts, PredicateError> {
    let mut parts = VexParts::default();
    list.each(&mut |node| {
        let identifiers = match node.is_text() {
            true => vec![node.text()?.into_owned()],
            false => identifiers(&node.object()?)?,
        };
        parts.add(identifiers.iter().map(String::as_str));
        Ok(())
    })?;
    Ok(parts)
}

/// The identifiers of a product or subcomponent: its IRI, its package URL, and its hashes as digests.
fn identifiers(object: &JsonObject<'_>) -> Result<Vec<String>, PredicateError> {
    let mut all: Vec<String> = object.optional_text("@id")?.into_iter().collect();
    if let Some(identifiers) = object.optional_object("identifiers")? {
        all.extend(identifiers.optional_text("purl")?);
    }
    if let Some(hashes) = object.optional_object("hashes")? {
        for (field, name) in [("sha-256", "sha256"), ("sha-512", "sha512")] {
            all.extend(hashes.optional_text(field)?.map(|hash| format!("{name}:{}", hash.to_ascii_lowercase())));
        }
    }
    Ok(all)
}
