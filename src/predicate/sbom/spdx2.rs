//! SBOMs in SPDX 2.2 and 2.3, JSON (ISO/IEC 5962).

use std::collections::BTreeSet;

use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::sbom::document::Packages;
use crate::predicate::sbom::document::unknown_version;

/// 1. Find what the document is about: `documentDescribes`, or relationships from or to the document.
/// 2. Count packages, without what the document is about. Files are not counted.
pub(super) fn read(document: &JsonObject<'_>) -> Result<Sbom, PredicateError> {
    let stated = document.required_text("spdxVersion")?;
    let version = match stated.as_str() {
        "SPDX-2.2" => "2.2",
        "SPDX-2.3" => "2.3",
        other => return Err(unknown_version(document, "spdxVersion", other)),
    };
    let creation = document.required_object("creationInfo")?;
    let described = described(document)?;
    let mut packages = Packages::default();
    if let Some(list) = document.optional("packages")? {
        let (is_only, image) = (list.items()?.len() == 1, document.optional_text("name")?);
        list.each(&mut |node| {
            let package = node.object()?;
            let (id, name) = (package.required_text("SPDXID")?, package.required_text("name")?);
            // Without other packages, the document need not say that it is about the one of its name.
            let is_described = described.contains(&id) || is_only && image.as_ref() == Some(&name);
            if is_described || is_software(&package)? {
                packages.add(Some(name), is_described);
            }
            Ok(())
        })?;
    }
    if let Some(list) = document.optional("files")? {
        list.each(&mut |node| {
            let file = node.object()?;
            file.required("SPDXID")?.filled_text()?;
            file.required("fileName")?.filled_text().map(drop)
        })?;
    }
    let time = creation.optional_time("created")?;
    let components = packages.components();
    Ok(Sbom { components, format: SbomFormat::Spdx, subject: packages.subject(), time, version: version.to_owned() })
}

/// Whether a package is software in the image: not the image or operating system as a whole, and no file.
fn is_software(package: &JsonObject<'_>) -> Result<bool, PredicateError> {
    let purpose = package.optional_text("primaryPackagePurpose")?;
    Ok(!matches!(purpose.as_deref(), Some("CONTAINER" | "FILE" | "OPERATING-SYSTEM" | "OPERATING_SYSTEM")))
}

/// The identifiers of the elements that the document is about.
fn described(document: &JsonObject<'_>) -> Result<BTreeSet<String>, PredicateError> {
    let mut described = BTreeSet::new();
    if let Some(list) = document.optional("documentDescribes")? {
        list.each(&mut |node| {
            described.insert(node.text()?.into_owned());
            Ok(())
        })?;
    }
    if let Some(list) = document.optional("relationships")? {
        list.each(&mut |node| {
            let relationship = node.object()?;
            let (from, to) = match relationship.required("relationshipType")?.text()?.as_ref() {
                "DESCRIBES" => ("spdxElementId", "relatedSpdxElement"),
                "DESCRIBED_BY" => ("relatedSpdxElement", "spdxElementId"),
                _ => return Ok(()),
            };
            if relationship.required(from)?.text()? == "SPDXRef-DOCUMENT" {
                described.insert(relationship.required(to)?.text()?.into_owned());
            }
            Ok(())
        })?;
    }
    Ok(described)
}
