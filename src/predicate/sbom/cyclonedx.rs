//! SBOMs in CycloneDX 1.4 to 1.7, JSON (ECMA-424).

use crate::predicate::JsonNode;
use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::sbom::document::unknown_version;
use crate::text::Untrusted;

pub(super) fn read(document: &JsonObject<'_>) -> Result<Sbom, PredicateError> {
    let version = version(document)?;
    let metadata = document.optional_object("metadata")?;
    let time = metadata.as_ref().map(|metadata| metadata.optional_time("timestamp")).transpose()?.flatten();
    let product = metadata.map(|metadata| metadata.optional_object("component")).transpose()?.flatten();
    let mut components = 0_u64;
    if let Some(list) = document.optional("components")? {
        list.each(&mut |node| {
            if is_software(&component(&node)?) {
                components = components.saturating_add(1);
            }
            Ok(())
        })?;
    }
    let subject = product.map(|product| product.optional_text("name")).transpose()?.flatten();
    Ok(Sbom { components, format: SbomFormat::CycloneDx, subject, time, version })
}

/// The version of a CycloneDX document.
///
/// # Errors
/// [`PredicateError`] if it is no CycloneDX document, or of a version that is not known.
pub(in crate::predicate) fn version(document: &JsonObject<'_>) -> Result<String, PredicateError> {
    let format = document.required("bomFormat")?;
    if format.text()? != "CycloneDX" {
        let found = Untrusted::within(&format.text()?, 40);
        return Err(format.error(PredicateProblem::NotA { wanted: "CycloneDX", found }));
    }
    let version = document.required_text("specVersion")?;
    match version.as_str() {
        "1.4" | "1.5" | "1.6" | "1.7" => Ok(version),
        other => Err(unknown_version(document, "specVersion", other)),
    }
}

/// Checks the fields that every component has, and returns its type.
fn component(node: &JsonNode<'_>) -> Result<String, PredicateError> {
    let component = node.object()?;
    component.required("name")?.filled_text()?;
    component.required_text("type")
}

/// Whether a component of this type is software in the image: not the operating system as a whole, and no file.
fn is_software(kind: &str) -> bool {
    !matches!(kind, "file" | "operating-system")
}
