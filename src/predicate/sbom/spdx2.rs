//! SBOMs in SPDX 2.2 and 2.3, JSON (ISO/IEC 5962).

use crate::predicate::JsonObject;
use crate::predicate::PredicateError;
use crate::predicate::Sbom;
use crate::predicate::SbomFormat;
use crate::predicate::sbom::document::Described;
use crate::predicate::sbom::document::unknown_version;

/// 1. Find what the document is about: `documentDescribes`, or relationships from or to the document.
/// 2. Count packages and files, without what the document is about.
pub(super) fn read(document: &JsonObject<'_>) -> Result<Sbom, PredicateError> {
    let stated = document.required_text("spdxVersion")?;
    let version = match stated.as_str() {
        "SPDX-2.2" => "2.2",
        "SPDX-2.3" => "2.3",
        other => return Err(unknown_version(document, "spdxVersion", other)),
    };
    let creation = document.required_object("creationInfo")?;
    let described = described(document)?;
    let (mut components, mut subject) = (0_u64, None);
    for (list, name) in [("packages", "name"), ("files", "fileName")] {
        let Some(list) = document.optional(list)? else { continue };
        list.each(&mut |node| {
            let element = node.object()?;
            let (id, name) = (element.required("SPDXID")?, element.required(name)?.filled_text()?);
            match described.only() {
                Some(only) if id.filled_text()? == only => subject = Some(name.into_owned()),
                _ => components = components.saturating_add(1),
            }
            Ok(())
        })?;
    }
    let time = creation.optional_time("created")?;
    Ok(Sbom { components, format: SbomFormat::Spdx, subject, time, version: version.to_owned() })
}

fn described(document: &JsonObject<'_>) -> Result<Described, PredicateError> {
    let mut described = Described::default();
    if let Some(list) = document.optional("documentDescribes")? {
        list.each(&mut |node| {
            described.add(node.text()?);
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
                described.add(relationship.required(to)?.text()?);
            }
            Ok(())
        })?;
    }
    Ok(described)
}
