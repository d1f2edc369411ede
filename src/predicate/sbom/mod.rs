//! Software bills of materials (SBOM). A document of tens of megabytes is read without keeping it in another form: each element is looked at and forgotten.

mod cyclonedx;
mod document;
mod spdx2;
mod spdx3;

use std::borrow::Cow;

use crate::limits::Limits;
use crate::predicate::JsonNode;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::SbomFormat;

pub use document::Sbom;

pub(super) use cyclonedx::version as cyclonedx_version;

impl Sbom {
    /// Reads a CycloneDX 1.4 to 1.7 or SPDX 2.2, 2.3 or 3 document in JSON, as the predicate itself or as older versions
    /// of cosign wrap it: as a string, or in the field `Data`.
    ///
    /// # Errors
    /// [`PredicateError`] if it is of another format than `format` or of a version that is not known, or malformed where
    /// it is read.
    pub fn read(predicate: &[u8], format: SbomFormat, limits: &Limits) -> Result<Self, PredicateError> {
        read_wrapped(predicate, limits, |node| read_document(node, format))
    }
}

/// Reads a document with `read`, as the predicate itself or as older versions of cosign wrap it.
pub(super) fn read_wrapped<T>(
    predicate: &[u8],
    limits: &Limits,
    read: impl Fn(&JsonNode<'_>) -> Result<T, PredicateError>,
) -> Result<T, PredicateError> {
    let node = JsonNode::parse(predicate, limits)?;
    match wrapped(&node)? {
        None => read(&node),
        Some(Wrapped::Object(node)) => read(&node),
        Some(Wrapped::Text { path, text }) => {
            let inside = |error: PredicateError| error.inside(&path);
            let node = JsonNode::parse(text.as_bytes(), limits).map_err(inside)?;
            read(&node).map_err(inside)
        }
    }
}

/// A document that cosign wrapped.
enum Wrapped<'a> {
    Object(JsonNode<'a>),
    Text { path: String, text: Cow<'a, str> },
}

/// The document that is wrapped in the predicate, if it is.
fn wrapped<'a>(node: &JsonNode<'a>) -> Result<Option<Wrapped<'a>>, PredicateError> {
    let data = match node.is_text() {
        true => node.clone(),
        false => {
            let object = node.object()?;
            match object.optional("Data")? {
                Some(data) if object.keys().all(|key| matches!(key, "Data" | "Timestamp")) => data,
                _ => return Ok(None),
            }
        }
    };
    if data.is_text() {
        return Ok(Some(Wrapped::Text { path: data.path().to_owned(), text: data.text()? }));
    }
    Ok(Some(Wrapped::Object(data)))
}

fn read_document(node: &JsonNode<'_>, format: SbomFormat) -> Result<Sbom, PredicateError> {
    let document = node.object()?;
    let has = |name: &str| document.keys().any(|key| key == name);
    let found = match (has("bomFormat"), has("spdxVersion"), has("@graph")) {
        (true, false, false) => SbomFormat::CycloneDx,
        (false, true, false) | (false, false, true) => SbomFormat::Spdx,
        _ => {
            let wanted = "an SBOM in CycloneDX or SPDX";
            let found = "a document of another kind";
            return Err(node.error(PredicateProblem::WrongDocument { found, wanted }));
        }
    };
    if found != format {
        let (found, wanted) = (document_name(found), document_name(format));
        return Err(node.error(PredicateProblem::WrongDocument { found, wanted }));
    }
    match format {
        SbomFormat::CycloneDx => cyclonedx::read(&document),
        SbomFormat::Spdx if has("spdxVersion") => spdx2::read(&document),
        SbomFormat::Spdx => spdx3::read(&document),
    }
}

const fn document_name(format: SbomFormat) -> &'static str {
    match format {
        SbomFormat::CycloneDx => "a CycloneDX document",
        SbomFormat::Spdx => "an SPDX document",
    }
}
