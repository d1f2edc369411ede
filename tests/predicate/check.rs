//! The check before a predicate is attested: each mistake with its JSON Pointer.

use bulla::limits::Limits;
use bulla::predicate::check;
use bulla::predicate::predicate_type;
use serde_json::Value;
use serde_json::json;

use crate::scan;

/// The code and path of each mistake.
fn mistakes(short_name: &str, predicate: &Value) -> Vec<String> {
    match check(predicate_type(short_name).unwrap(), predicate.to_string().as_bytes(), &Limits::DEFAULT) {
        Ok(()) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(|mistake| format!("{} {}", mistake.code(), mistake.path())).collect(),
    }
}

fn cyclonedx() -> Value {
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": { "timestamp": "2026-11-20T00:00:00Z" },
        "components": [{ "type": "library", "name": "a" }] })
}

fn spdx() -> Value {
    json!({ "spdxVersion": "SPDX-2.3", "name": "app", "documentNamespace": "https://example.com/app",
        "creationInfo": { "created": "2026-11-20T00:00:00Z" }, "packages": [{ "SPDXID": "SPDXRef-a", "name": "a" }] })
}

fn openvex() -> Value {
    json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex", "author": "a",
        "timestamp": "2026-11-20T00:00:00Z", "version": 1, "statements": [
            { "vulnerability": { "name": "CVE-1" }, "status": "not_affected", "justification": "component_not_present" },
        ] })
}

fn vuln() -> Value {
    json!({ "scanner": { "uri": "pkg:x", "result": scan::trivy() },
        "metadata": { "scanFinishedOn": "2026-11-20T00:00:00Z" } })
}

fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    *base.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    base
}

#[test]
fn a_document_without_mistakes_passes() {
    let vulns = scan::vulns(&json!([]), None);
    for (name, document) in [
        ("cyclonedx", cyclonedx()),
        ("spdx", spdx()),
        ("openvex", openvex()),
        ("vuln", vuln()),
        ("vulns", vulns),
        ("custom", json!({})),
        ("custom", cyclonedx()),
        ("https://example.com/own", json!({ "scanner": 1, "metadata": 2 })),
    ] {
        assert_eq!(mistakes(name, &document), [""; 0], "{name} {document}");
    }
}

#[test]
fn the_mistakes_that_matter_are_found() {
    let newer = json!({ "scanner": { "uri": "pkg:x", "db": null, "result": scan::trivy() },
        "metadata": { "scanFinishedOn": "2026-11-20T00:00:00Z" } });
    let of_scan = |pointer: &str, value| with(vuln(), pointer, value);
    for (name, document, found) in [
        ("cyclonedx", with(cyclonedx(), "/metadata", Value::Null), vec!["no-time /metadata/timestamp"]),
        ("cyclonedx", with(cyclonedx(), "/components", json!([])), vec!["empty-sbom /components"]),
        ("cyclonedx", with(cyclonedx(), "/specVersion", json!("1.2")), vec!["unknown-version /specVersion"]),
        ("cyclonedx", with(cyclonedx(), "/components/0", json!({})), vec!["missing /components/0/name"]),
        (
            "spdx",
            with(with(spdx(), "/packages", Value::Null), "/creationInfo", json!({})),
            vec!["no-time /creationInfo/created", "empty-sbom /packages"],
        ),
        (
            "spdx",
            with(with(spdx(), "/name", Value::Null), "/documentNamespace", json!("")),
            vec!["missing /name", "missing /documentNamespace"],
        ),
        ("openvex", with(openvex(), "/author", Value::Null), vec!["missing /author"]),
        ("openvex", with(openvex(), "/@id", json!("")), vec!["missing /@id"]),
        ("openvex", with(openvex(), "/version", Value::Null), vec!["missing /version"]),
        ("openvex", with(openvex(), "/timestamp", json!("0001-01-01T00:00:00Z")), vec!["no-time /timestamp"]),
        ("openvex", with(openvex(), "/statements", json!([])), vec!["empty /statements"]),
        (
            "openvex",
            with(openvex(), "/statements/0/justification", Value::Null),
            vec!["missing /statements/0/justification"],
        ),
        (
            "openvex",
            with(openvex(), "/statements/0/justification", json!("because")),
            vec!["malformed /statements/0/justification"],
        ),
        ("openvex", with(openvex(), "/statements/0/status", json!("ok")), vec!["malformed /statements/0/status"]),
        ("vuln", of_scan("/metadata", Value::Null), vec![]),
        ("vuln", of_scan("/scanner/result", Value::Null), vec!["no-result /scanner/result"]),
        ("vuln", of_scan("/scanner/result/Results", json!([])), vec!["no-packages /scanner/result/Results"]),
        ("vuln", of_scan("/scanner/uri", json!("")), vec!["missing /scanner/uri"]),
        (
            "vulns",
            with(scan::vulns(&json!([]), None), "/metadata", json!({})),
            vec!["no-time /metadata/scanFinishedOn"],
        ),
        (
            "vulns",
            with(scan::vulns(&json!([]), None), "/scanner/result", Value::Null),
            vec!["no-result /scanner/result"],
        ),
        // A database that is newer than the scan is not the one of the scan.
        ("vulns", scan::vulns(&json!([]), Some("2026-11-20T12:00:01Z")), vec!["database-after-scan /scanner/db"]),
        (
            "vuln",
            with(newer, "/scanner/db", json!({ "lastUpdate": "2026-11-21T00:00:00Z" })),
            vec!["database-after-scan /scanner/db"],
        ),
        ("custom", json!([]), vec!["wrong-type "]),
    ] {
        assert_eq!(mistakes(name, &document), found, "{name} {document}");
    }
    let error = check("https://example.com/own", b"{\"a\":1,\"a\":2}", &Limits::DEFAULT).unwrap_err();
    assert_eq!(error.first().code(), "not-json");
}

/// Every known type refuses every document of another kind, and all types refuse what is around a predicate.
#[test]
fn a_document_of_another_kind_is_refused() {
    let statement =
        json!({ "_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "subject": [], "predicate": {} });
    let envelope = json!({ "payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": [] });
    let bundle = json!({ "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {} });
    let types = ["cyclonedx", "spdx", "openvex", "vuln", "vulns", "slsa", "vsa", "test-result"];
    for whole in [statement, envelope, bundle] {
        for name in types.into_iter().chain(["custom", "https://example.com/own"]) {
            assert_eq!(mistakes(name, &whole), ["wrong-document "], "{name} {whole}");
        }
    }
    let provenance = json!({ "buildDefinition": {}, "runDetails": {} });
    for (document, fitting) in [
        (cyclonedx(), &["cyclonedx", "openvex"][..]),
        (spdx(), &["spdx"]),
        (json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [] }), &["spdx"]),
        (openvex(), &["openvex"]),
        (vuln(), &["vuln", "vulns"]),
        (provenance, &["slsa"]),
        (json!({ "builder": { "id": "x" }, "buildType": "x" }), &["slsa"]),
        (json!({ "verifier": {}, "verificationResult": "PASSED" }), &["vsa"]),
        (json!({ "result": "PASSED", "configuration": [] }), &["test-result"]),
        (json!({ "version": "2.1.0", "runs": [] }), &[]),
        (json!({ "document": {}, "product_tree": {} }), &["openvex"]),
        // What a scanner printed has to be made a predicate first.
        (scan::trivy(), &[]),
        (scan::grype(), &[]),
        (scan::clair(), &[]),
    ] {
        for name in types.into_iter().filter(|name| !fitting.contains(name)) {
            assert_eq!(mistakes(name, &document), ["wrong-document "], "{name} {document}");
        }
    }
}

#[test]
fn the_number_of_mistakes_is_bounded() {
    let statement = json!({ "vulnerability": "CVE-1", "status": "not_affected" });
    assert_eq!(mistakes("openvex", &with(openvex(), "/statements", json!(vec![statement; 100]))).len(), 20);
}
