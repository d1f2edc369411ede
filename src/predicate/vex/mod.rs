//! VEX: statements about the exploitability of vulnerabilities, from OpenVEX, CycloneDX and CSAF.

mod clear;
mod csaf;
mod cyclonedx;
mod document;
mod openvex;
mod product;

pub use clear::VexStatements;
pub use document::VexDocument;
pub use document::VexFormat;
pub use document::VexStatement;
pub use document::VexStatus;
pub use product::ImageProduct;
pub use product::VexParts;
pub use product::VexProduct;

pub(super) use document::is_justification;

use crate::json;
use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::sbom::read_wrapped;

impl VexDocument {
    /// Reads an OpenVEX, CycloneDX or CSAF VEX document, told apart by the fields that only they have.
    ///
    /// # Errors
    /// [`PredicateError`] if it is of another format or of a version that is not known, or malformed where it is read.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, PredicateError> {
        let node = JsonNode::parse(document, limits)?;
        let object = node.object()?;
        let has = |name: &str| object.keys().any(|key| key == name);
        match (has("@context"), has("bomFormat"), has("document")) {
            (true, false, false) => openvex::read(&object, limits),
            (false, true, false) => cyclonedx::read(&object, limits),
            (false, false, true) => csaf::read(&object, limits),
            _ => Err(node.error(PredicateProblem::WrongDocument {
                found: "a document of another kind",
                wanted: "an OpenVEX, CycloneDX or CSAF document",
            })),
        }
    }

    /// Reads the VEX document that a CycloneDX SBOM is too; `None` if it has no field `vulnerabilities`. An empty list is
    /// a VEX document without statements.
    ///
    /// # Errors
    /// [`PredicateError`] if the document is malformed where it is read.
    pub fn read_in_sbom(predicate: &[u8], limits: &Limits) -> Result<Option<Self>, PredicateError> {
        read_wrapped(predicate, limits, |node| {
            let document = node.object()?;
            match document.keys().any(|key| json::fold_case(key) == "vulnerabilities") {
                true => cyclonedx::read(&document, limits).map(Some),
                false => Ok(None),
            }
        })
    }
}
