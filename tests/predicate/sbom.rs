//! SBOMs: format, time, subject and number of components.

use std::fs;

use bulla::limits::Limits;
use bulla::predicate::Sbom;
use bulla::predicate::SbomFormat;
use serde_json::Value;
use serde_json::json;

fn read(document: &Value, format: SbomFormat) -> Result<Sbom, String> {
    Sbom::read(document.to_string().as_bytes(), format, &Limits::DEFAULT)
        .map_err(|error| format!("{} {}", error.code(), error.path()))
}

fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "timestamp": "2026-11-20T00:00:00Z", "component": { "type": "container", "name": "app" } },
        "components": [{ "type": "library", "name": "a" }, { "type": "library", "name": "b", "components": [{}] }],
        "vulnerabilities": [{ "id": "CVE-1" }],
    })
}

fn spdx() -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app", "documentNamespace": "https://e.example",
        "creationInfo": { "created": "2026-11-20T00:00:00Z", "creators": ["Tool: t"] },
        "packages": [{ "SPDXID": "SPDXRef-app", "name": "app" }, { "SPDXID": "SPDXRef-a", "name": "a" }],
        "files": [{ "SPDXID": "SPDXRef-f", "fileName": "f" }],
        "relationships": [{ "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
            "relatedSpdxElement": "SPDXRef-app" }],
    })
}

fn spdx3() -> Value {
    json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            { "type": "CreationInfo", "@id": "_:other", "created": "2020-11-20T00:00:00Z" },
            { "type": "CreationInfo", "@id": "_:info", "created": "2026-11-20T00:00:00Z" },
            { "type": "SpdxDocument", "spdxId": "urn:d", "creationInfo": "_:info", "rootElement": ["urn:sbom"] },
            { "type": "software_Sbom", "spdxId": "urn:sbom", "creationInfo": "_:info", "rootElement": ["urn:app"] },
            { "type": "software_Package", "spdxId": "urn:app", "name": "app" },
            { "type": "software_Package", "spdxId": "urn:a", "name": "a" },
            { "type": "software_File", "spdxId": "urn:f", "name": "f" },
            { "type": "Relationship", "spdxId": "urn:r" },
        ],
    })
}

fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    *base.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    base
}

#[test]
fn an_sbom_says_what_a_policy_asks() {
    for (document, format, version, components) in [
        (cyclonedx(), SbomFormat::CycloneDx, "1.6", 2),
        (spdx(), SbomFormat::Spdx, "2.3", 1),
        (spdx3(), SbomFormat::Spdx, "3.0.1", 1),
    ] {
        let sbom = read(&document, format).unwrap();
        assert_eq!((sbom.components, sbom.version.as_str(), sbom.format), (components, version, format));
        assert_eq!(sbom.subject.as_deref(), Some("app"));
        assert_eq!(sbom.time.unwrap().to_string(), "2026-11-20T00:00:00Z");
    }
}

/// What syft writes about an image without packages is one package for the image itself.
#[test]
fn the_subject_is_no_component() {
    let only_described =
        with(with(spdx(), "/packages/1", json!({ "SPDXID": "SPDXRef-app", "name": "app" })), "/files", Value::Null);
    assert_eq!(read(&only_described, SbomFormat::Spdx).unwrap().components, 0);
    let by_list = |ids: Value| {
        let mut document = with(spdx(), "/relationships", Value::Null);
        document["documentDescribes"] = ids;
        read(&document, SbomFormat::Spdx).unwrap()
    };
    assert_eq!(by_list(json!(["SPDXRef-app", "SPDXRef-app"])).components, 1);
    assert_eq!(by_list(json!(["SPDXRef-app", "SPDXRef-missing"])).components, 1);
    // A document that is about all packages has no single subject, and no components.
    let several = by_list(json!(["SPDXRef-app", "SPDXRef-a"]));
    assert_eq!((several.components, several.subject), (0, None));
    assert_eq!(by_list(json!([])).components, 2);
    assert_eq!(by_list(json!(["SPDXRef-f"])).components, 2);
    // The only package is the image, whether the document says so or not.
    for ids in [json!([]), json!(["SPDXRef-missing"]), json!(["SPDXRef-app", "SPDXRef-missing"])] {
        let mut document = with(only_described.clone(), "/relationships", Value::Null);
        document["packages"].as_array_mut().unwrap().truncate(1);
        document["documentDescribes"] = ids.clone();
        assert_eq!(read(&document, SbomFormat::Spdx).unwrap().components, 0, "{ids}");
    }
    let reversed = json!([{ "spdxElementId": "SPDXRef-app", "relationshipType": "DESCRIBED_BY",
        "relatedSpdxElement": "SPDXRef-DOCUMENT" }]);
    assert_eq!(read(&with(spdx(), "/relationships", reversed), SbomFormat::Spdx).unwrap().components, 1);
    let direct = with(spdx3(), "/@graph/2/rootElement", json!("urn:app"));
    assert_eq!(read(&direct, SbomFormat::Spdx).unwrap().components, 1);
    let both = with(spdx3(), "/@graph/3/rootElement", json!(["urn:app", "urn:a", "urn:missing"]));
    assert_eq!(read(&both, SbomFormat::Spdx).unwrap().components, 0);
    let none = with(cyclonedx(), "/components", Value::Null);
    assert_eq!(read(&none, SbomFormat::CycloneDx).unwrap().components, 0);
    assert_eq!(read(&with(cyclonedx(), "/components", json!([])), SbomFormat::CycloneDx).unwrap().components, 0);
}

/// A document that lists these alone says nothing about the software in the image.
#[test]
fn files_and_the_operating_system_are_no_components() {
    let of_types = json!([{ "type": "operating-system", "name": "debian" }, { "type": "file", "name": "f" }]);
    assert_eq!(read(&with(cyclonedx(), "/components", of_types), SbomFormat::CycloneDx).unwrap().components, 0);
    for purpose in ["CONTAINER", "FILE", "OPERATING-SYSTEM", "OPERATING_SYSTEM"] {
        let package = json!({ "SPDXID": "SPDXRef-os", "name": "debian", "primaryPackagePurpose": purpose });
        assert_eq!(read(&with(spdx(), "/packages/1", package), SbomFormat::Spdx).unwrap().components, 0, "{purpose}");
    }
    let files = with(with(spdx(), "/packages", Value::Null), "/relationships", Value::Null);
    assert_eq!(read(&files, SbomFormat::Spdx).unwrap().components, 0);
    for purpose in ["container", "file", "operatingSystem"] {
        let package = json!({ "type": "software_Package", "spdxId": "urn:os", "software_primaryPurpose": purpose });
        assert_eq!(read(&with(spdx3(), "/@graph/5", package), SbomFormat::Spdx).unwrap().components, 0, "{purpose}");
    }
}

#[test]
fn a_missing_time_is_no_time() {
    for (document, format, pointer) in [
        (cyclonedx(), SbomFormat::CycloneDx, "/metadata"),
        (cyclonedx(), SbomFormat::CycloneDx, "/metadata/timestamp"),
        (spdx(), SbomFormat::Spdx, "/creationInfo/created"),
        (spdx3(), SbomFormat::Spdx, "/@graph/1/created"),
        (spdx3(), SbomFormat::Spdx, "/@graph/2/creationInfo"),
    ] {
        assert_eq!(read(&with(document, pointer, Value::Null), format).unwrap().time, None, "{pointer}");
    }
    let zero = with(spdx(), "/creationInfo/created", json!("0001-01-01T00:00:00Z"));
    assert_eq!(read(&zero, SbomFormat::Spdx).unwrap().time, None);
    let inline = with(spdx3(), "/@graph/2/creationInfo", json!({ "created": "2025-01-01T00:00:00Z" }));
    assert_eq!(read(&inline, SbomFormat::Spdx).unwrap().time.unwrap().to_string(), "2025-01-01T00:00:00Z");
}

#[test]
fn what_is_no_sbom_is_refused() {
    use SbomFormat::CycloneDx;
    use SbomFormat::Spdx;
    let document = spdx3()["@graph"][2].clone();
    for (document, format, reason) in [
        (spdx(), CycloneDx, "wrong-document "),
        (spdx3(), CycloneDx, "wrong-document "),
        (cyclonedx(), Spdx, "wrong-document "),
        (json!({}), Spdx, "wrong-document "),
        (json!([]), Spdx, "wrong-type "),
        (json!({ "bomFormat": "CycloneDX", "spdxVersion": "SPDX-2.3" }), Spdx, "wrong-document "),
        (with(cyclonedx(), "/bomFormat", json!("Other")), CycloneDx, "malformed /bomFormat"),
        (with(cyclonedx(), "/specVersion", json!("1.3")), CycloneDx, "unknown-version /specVersion"),
        (with(cyclonedx(), "/specVersion", json!("1.40")), CycloneDx, "unknown-version /specVersion"),
        (with(cyclonedx(), "/specVersion", Value::Null), CycloneDx, "missing /specVersion"),
        (with(cyclonedx(), "/components", json!({})), CycloneDx, "wrong-type /components"),
        (with(cyclonedx(), "/components/1", Value::Null), CycloneDx, "wrong-type /components/1"),
        (with(cyclonedx(), "/components/1/name", json!("")), CycloneDx, "empty /components/1/name"),
        (with(cyclonedx(), "/components/1/type", Value::Null), CycloneDx, "missing /components/1/type"),
        (with(cyclonedx(), "/metadata/timestamp", json!("today")), CycloneDx, "malformed /metadata/timestamp"),
        (with(spdx(), "/spdxVersion", json!("SPDX-2.1")), Spdx, "unknown-version /spdxVersion"),
        (with(spdx(), "/creationInfo", Value::Null), Spdx, "missing /creationInfo"),
        (with(spdx(), "/packages/0/SPDXID", Value::Null), Spdx, "missing /packages/0/SPDXID"),
        (with(spdx(), "/files/0/fileName", Value::Null), Spdx, "missing /files/0/fileName"),
        (with(spdx3(), "/@context", json!("https://spdx.org/rdf/4.0/x")), Spdx, "unknown-version /@context"),
        (with(spdx3(), "/@graph/2", json!({ "type": "Tool" })), Spdx, "wrong-document /@graph"),
        (with(spdx3(), "/@graph/3", document), Spdx, "wrong-document /@graph"),
        (with(spdx3(), "/@graph/0", json!({})), Spdx, "missing /@graph/0/@type"),
    ] {
        assert_eq!(read(&document, format), Err(reason.to_owned()), "{document}");
    }
    let twice =
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[],"components":[{"type":"a","name":"b"}]}"#;
    let error = Sbom::read(twice.as_bytes(), CycloneDx, &Limits::DEFAULT).unwrap_err();
    assert!(error.code() == "not-json" && !error.is_limit(), "{error}");
}

/// cosign before version 2 wrote the document as a text, in `Data` or alone.
#[test]
fn what_cosign_wrapped_is_read() {
    for (document, format) in [(cyclonedx(), SbomFormat::CycloneDx), (spdx(), SbomFormat::Spdx)] {
        let plain = read(&document, format);
        let (object, text) = (document.clone(), json!(document.to_string()));
        for wrapped in
            [text.clone(), json!({ "Data": object }), json!({ "Data": text, "Timestamp": "2020-01-01T00:00:00Z" })]
        {
            assert_eq!(read(&wrapped, format), plain, "{wrapped}");
        }
        let broken = json!({ "Data": with(document.clone(), if format == SbomFormat::Spdx { "/packages/0" } else { "/components/0" }, json!(7)).to_string() });
        let place = if format == SbomFormat::Spdx { "packages" } else { "components" };
        assert_eq!(read(&broken, format), Err(format!("wrong-type /Data/{place}/0")));
        assert_eq!(read(&json!({ "Data": document, "Other": 1 }), format), Err("wrong-document ".to_owned()));
    }
    assert_eq!(read(&json!("SPDXVersion: SPDX-2.2"), SbomFormat::Spdx), Err("not-json ".to_owned()));
}

#[test]
fn sboms_of_syft_are_read() {
    let read = |name: &str, format| {
        let path = format!("{}/testdata/predicates/{name}.json", env!("CARGO_MANIFEST_DIR"));
        Sbom::read(&fs::read(path).unwrap(), format, &Limits::DEFAULT).unwrap()
    };
    // Two packages. The file or the operating system is not counted.
    for (name, format, version) in [
        ("syft-cyclonedx-1.4", SbomFormat::CycloneDx, "1.4"),
        ("syft-cyclonedx-1.6", SbomFormat::CycloneDx, "1.6"),
        ("syft-spdx-2.2", SbomFormat::Spdx, "2.2"),
        ("syft-spdx-2.3", SbomFormat::Spdx, "2.3"),
    ] {
        let sbom = read(name, format);
        assert_eq!(
            (sbom.components, sbom.version.as_str(), sbom.subject.as_deref()),
            (2, version, Some("app")),
            "{name}"
        );
        assert!(sbom.time.is_some());
    }
    for (name, format) in
        [("syft-empty-cyclonedx-1.6", SbomFormat::CycloneDx), ("syft-empty-spdx-2.3", SbomFormat::Spdx)]
    {
        let sbom = read(name, format);
        assert_eq!((sbom.components, sbom.subject.as_deref()), (0, Some("nothing")), "{name}");
    }
}
