//! SBOMs in SPDX 3, JSON-LD. Contexts are not fetched: the names of the SPDX context are read as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::sbom::document::Described;
use crate::predicate::sbom::document::unknown_version;
use crate::time::Time;

/// The elements of a document that say what it is: one `SpdxDocument`, the SBOMs in it, and who made them when.
#[derive(Default)]
struct Frame {
    /// The creation information of the document, by reference.
    creation: Option<String>,
    /// The creation information of the document, in place.
    created: Option<Time>,
    /// The times of creation information, by identifier.
    creations: BTreeMap<String, Option<Time>>,
    documents: usize,
    roots: Described,
    /// The roots of each SBOM, by identifier.
    sboms: BTreeMap<String, Described>,
}

/// 1. Read the `SpdxDocument`, its creation information, and its root elements; the root of a `software_Sbom` stands for
///    the SBOM.
/// 2. Count packages and files, without the only root.
pub(super) fn read(document: &JsonObject<'_>) -> Result<Sbom, PredicateError> {
    let context = document.required("@context")?.text()?.into_owned();
    let version = context.strip_prefix("https://spdx.org/rdf/").and_then(|rest| rest.split('/').next());
    let Some(version) = version.filter(|version| version.starts_with("3.0") || version.starts_with("3.1")) else {
        return Err(unknown_version(document, "@context", &context));
    };
    let graph = document.required("@graph")?;
    let mut frame = Frame::default();
    graph.each(&mut |node| frame.add(&node))?;
    if frame.documents != 1 {
        let (found, wanted) = ("an SPDX 3 graph without its document, or with several", "one SpdxDocument");
        return Err(graph.error(PredicateProblem::WrongDocument { found, wanted }));
    }
    let root = frame.root();
    let (mut components, mut subject) = (0_u64, None);
    graph.each(&mut |node| {
        let element = node.object()?;
        if !is_component(&kind(&element)?) {
            return Ok(());
        }
        match (root, identifier(&element)?) {
            (Some(root), Some(id)) if id == root => subject = element.optional_text("name")?,
            _ => components = components.saturating_add(1),
        }
        Ok(())
    })?;
    Ok(Sbom { components, format: SbomFormat::Spdx, subject, time: frame.time(), version: version.to_owned() })
}

impl Frame {
    fn add(&mut self, node: &JsonNode<'_>) -> Result<(), PredicateError> {
        let element = node.object()?;
        match kind(&element)?.as_ref() {
            "CreationInfo" => {
                if let Some(id) = identifier(&element)? {
                    self.creations.insert(id.into_owned(), element.optional_time("created")?);
                }
            }
            "SpdxDocument" => {
                self.documents = self.documents.saturating_add(1);
                roots(&element, &mut self.roots)?;
                match element.optional("creationInfo")? {
                    Some(node) if node.is_text() => self.creation = Some(node.text()?.into_owned()),
                    Some(node) => self.created = node.object()?.optional_time("created")?,
                    None => {}
                }
            }
            "software_Sbom" => {
                let mut described = Described::default();
                roots(&element, &mut described)?;
                if let Some(id) = identifier(&element)? {
                    self.sboms.insert(id.into_owned(), described);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// When the document was made.
    fn time(&self) -> Option<Time> {
        let referred = self.creation.as_ref().and_then(|id| self.creations.get(id)).copied().flatten();
        self.created.or(referred)
    }

    /// The identifier of the only thing that the document is about.
    fn root(&self) -> Option<&str> {
        let root = self.roots.only()?;
        match self.sboms.get(root) {
            Some(described) => described.only(),
            None => Some(root),
        }
    }
}

fn roots(element: &JsonObject<'_>, described: &mut Described) -> Result<(), PredicateError> {
    let Some(list) = element.optional("rootElement")? else { return Ok(()) };
    if list.is_text() {
        described.add(list.text()?);
        return Ok(());
    }
    list.each(&mut |node| {
        described.add(node.text()?);
        Ok(())
    })
}

/// The type of an element.
fn kind<'a>(element: &JsonObject<'a>) -> Result<Cow<'a, str>, PredicateError> {
    match element.optional("type")? {
        Some(node) => node.text(),
        None => element.required("@type")?.text(),
    }
}

/// The identifier of an element.
fn identifier<'a>(element: &JsonObject<'a>) -> Result<Option<Cow<'a, str>>, PredicateError> {
    match element.optional("spdxId")?.or(element.optional("@id")?) {
        Some(node) => node.text().map(Some),
        None => Ok(None),
    }
}

fn is_component(kind: &str) -> bool {
    matches!(kind, "ai_AIPackage" | "dataset_DatasetPackage" | "software_File" | "software_Package")
}
