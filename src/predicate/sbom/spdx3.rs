//! SBOMs in SPDX 3, JSON-LD. Contexts are not fetched: the names of the SPDX context are read as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::ordered;
use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::sbom::document::Packages;
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
    roots: BTreeSet<String>,
    /// The roots of each SBOM, by identifier.
    sboms: BTreeMap<String, BTreeSet<String>>,
}

/// 1. Read the `SpdxDocument`, its creation information, and its root elements; the root of a `software_Sbom` stands for
///    the SBOM.
/// 2. Count packages, without the roots. Files are not counted.
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
    let described = frame.described();
    let mut packages = Packages::default();
    graph.each(&mut |node| {
        let element = node.object()?;
        if !is_package(&kind(&element)?) {
            return Ok(());
        }
        let is_described = identifier(&element)?.is_some_and(|id| described.contains(id.as_ref()));
        if is_described || is_software(&element)? {
            packages.add(element.optional_text("name")?, is_described);
        }
        Ok(())
    })?;
    let (components, time) = (packages.components(), frame.time());
    Ok(Sbom { components, format: SbomFormat::Spdx, subject: packages.subject(), time, version: version.to_owned() })
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
                let mut described = BTreeSet::new();
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

    /// The identifiers of the elements that the document is about: its roots, and those of SBOMs among them.
    fn described(&self) -> BTreeSet<&str> {
        let of_sboms = self.roots.iter().filter_map(|root| self.sboms.get(root)).flatten();
        ordered::set(self.roots.iter().chain(of_sboms).map(String::as_str))
    }
}

fn roots(element: &JsonObject<'_>, described: &mut BTreeSet<String>) -> Result<(), PredicateError> {
    let Some(list) = element.optional("rootElement")? else { return Ok(()) };
    if list.is_text() {
        described.insert(list.text()?.into_owned());
        return Ok(());
    }
    list.each(&mut |node| {
        described.insert(node.text()?.into_owned());
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

fn is_package(kind: &str) -> bool {
    matches!(kind, "ai_AIPackage" | "dataset_DatasetPackage" | "software_Package")
}

/// Whether a package is software in the image: not the image or operating system as a whole, and no file.
fn is_software(package: &JsonObject<'_>) -> Result<bool, PredicateError> {
    let purpose = package.optional_text("software_primaryPurpose")?;
    Ok(!matches!(purpose.as_deref(), Some("container" | "file" | "operatingSystem")))
}
