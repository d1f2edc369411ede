//! One accepted and one refused image for each kind of requirement and for its fields.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::documents::APPROVAL;
use crate::documents::BUILDER;
use crate::documents::approval;
use crate::documents::provenance;
use crate::documents::sbom;
use crate::documents::summary;
use crate::documents::test_result;
use crate::scene::Scene;

const APP: &str = "github.com/example/app";

#[test]
fn signature() {
    let scene = Scene::new();
    scene.policy("signature: { by: [alice] }");
    scene.refused("no-statement");
    scene.sign("v1", "bob", &[]);
    scene.refused("no-statement");
    scene.sign("v1", "alice", &[]);
    scene.accepted();
    scene.policy("signature: { by: [alice, bob, importer], at-least: 3 }");
    scene.refused("too-few-owners");
    // A signature by a key states no time: the lint `age-never-known` says so.
    for age in ["30d", "none"] {
        scene.policy(&format!("signature: {{ by: [alice], max-age: {age} }}"));
        scene.refused("no-time");
        let check = scene.bench.refused(&["policy", "check", "--strict", "policy.yaml"]).out;
        assert!(check.contains("policy.yaml:12:27: age-never-known: `alice` never counts"), "{check}");
        assert!(check.contains("  hint: leave out `max-age`"), "{check}");
    }
    scene.policy("signature: { by: [alice], about: index }");
    scene.refused("no-index");
}

#[test]
fn annotation() {
    let scene = Scene::new();
    scene.policy("annotation: { by: [alice], annotations: { version: \"1.0\" } }");
    scene.sign("v1", "alice", &["-a", "version=2.0"]);
    scene.refused("annotation");
    scene.sign("v1", "alice", &["-a", "version=1.0"]);
    scene.accepted();
}

#[test]
fn provenance_of_a_builder() {
    let scene = Scene::new();
    scene.policy(
        "provenance: { builders: [trusted], slsa-level: 2, source: github.com/example/app, ref: refs/tags/v* }",
    );
    let built = |repository, reference| provenance(BUILDER, repository, reference);
    scene.attest("alice", "slsa", &built("github.com/mallory/app", "refs/tags/v1"), &[]);
    scene.refused("other-source");
    scene.attest("bob", "slsa", &built(APP, "refs/tags/v1"), &[]);
    scene.refused("other-source");
    scene.attest("alice", "slsa", &built(APP, "refs/tags/v1"), &[]);
    scene.accepted();
    // Older versions of the predicate type are provenance too, and a statement about another ref adds nothing.
    scene.policy("provenance: { builders: [trusted], ref: refs/heads/main }");
    scene.refused("other-ref");
    scene.policy("provenance: { builders: [trusted], max-age: 30d }");
    scene.refused("too-old");
    scene.policy("provenance: { builders: [trusted], max-age: 36500d, time: trusted }");
    scene.refused("no-trusted-time");
}

// An owner who may sign for one builder may not sign for another, and a level is that of the pair.
#[test]
fn provenance_of_an_unlisted_builder() {
    let scene = Scene::new();
    let of = |builder| provenance(builder, APP, "refs/tags/v1");
    scene.policy("provenance: { builders: [trusted, other], slsa-level: 3 }");
    scene.attest("alice", "slsa", &of("https://builder.example/b"), &[]);
    scene.refused("unknown-builder");
    scene.attest("bob", "slsa", &of(BUILDER), &[]);
    scene.refused("unknown-builder");
    scene.attest("alice", "slsa", &of(BUILDER), &[]);
    assert_eq!(scene.verify(1)["requirements"][0]["verdict"], "unmet", "alice's builder has the level 2");
    scene.policy("provenance: { builders: [trusted], slsa-level: 2 }");
    scene.accepted();
    scene.policy("provenance: { builders: [other] }");
    scene.refused("unknown-builder");
    scene.attest("bob", "slsa", &of("https://builder.example/b"), &[]);
    scene.accepted();
}

#[test]
fn sbom_of_a_format() {
    let scene = Scene::new();
    scene.policy("sbom: { by: [alice], formats: [cyclonedx] }");
    scene.attest("alice", "spdx", &sbom("syft-spdx-2.3.json"), &[]);
    scene.refused("sbom-format");
    scene.policy("sbom: { by: [alice] }");
    scene.accepted();
    scene.policy("sbom: { by: [bob] }");
    scene.refused("no-statement");
    scene.attest("bob", "cyclonedx", &sbom("syft-cyclonedx-1.6.json"), &[]);
    scene.policy("sbom: { by: [bob], formats: [cyclonedx] }");
    scene.accepted();
    scene.policy("sbom: { by: [alice, bob], at-least: 2, formats: [cyclonedx, spdx] }");
    scene.accepted();
    scene.policy("sbom: { by: [alice], max-age: 1h }");
    scene.refused("too-old");
}

#[test]
fn test_results() {
    let scene = Scene::new();
    scene.policy("test: { by: [alice], max-age: none }");
    scene.refused("no-statement");
    scene.attest("alice", "test-result", &test_result("WARNED"), &[]);
    scene.refused("test-outcome");
    scene.policy("test: { by: [alice], max-age: none, accept: [passed, warned] }");
    scene.accepted();
    scene.policy("test: { by: [alice], max-age: 30d, accept: [passed, warned] }");
    scene.refused("too-old");
    // The type has no field for a time: without `timestamp` it is not known which is the newest, whatever their age may be.
    let mut without = test_result("PASSED");
    without.as_object_mut().unwrap().remove("timestamp");
    let untimed = Scene::new();
    untimed.attest("alice", "test-result", &without, &[]);
    for age in ["36500d", "none"] {
        untimed.policy(&format!("test: {{ by: [alice], max-age: {age} }}"));
        untimed.refused("no-time");
        let check = untimed.bench.ok(&["policy", "check", "policy.yaml"]).out;
        assert!(check.contains("policy.yaml:12:22: test-result-without-time: a test result by `alice`"), "{check}");
        assert!(check.contains("  hint: write `timestamp`"), "{check}");
    }
    // A failure is the newer statement of the owner.
    let mut failed = test_result("FAILED");
    failed["timestamp"] = json!("2025-02-01T00:00:00Z");
    scene.attest("alice", "test-result", &failed, &[]);
    scene.policy("test: { by: [alice], max-age: none, accept: [passed, warned] }");
    scene.refused("test-outcome");
}

#[test]
fn verification_summaries() {
    let scene = Scene::new();
    let rule = |more: &str| {
        let policy = format!("sha256:{}", "a".repeat(64));
        format!(
            "vsa: {{ by: [importer], max-age: none, verifier: \"https://verifier.example\", policies: [\"{policy}\"]{more} }}"
        )
    };
    let named = "registry.example/app";
    let levels = ["SLSA_BUILD_LEVEL_2"];
    for (document, code) in [
        (summary("https://mallory.example", named, "PASSED", &levels), "other-verifier"),
        (summary("https://verifier.example", "registry.example/other", "PASSED", &levels), "summary-resource"),
        (summary("https://verifier.example", named, "FAILED", &levels), "summary-failed"),
        (summary("https://verifier.example", named, "PASSED", &["SLSA_BUILD_LEVEL_1"]), "summary-level"),
    ] {
        let scene = Scene::new();
        scene.policy(&rule(", exceptions: accept, levels: [SLSA_BUILD_LEVEL_2]"));
        scene.attest("importer", "vsa", &document, &[]);
        scene.refused(code);
    }
    scene.attest("importer", "vsa", &summary("https://verifier.example", named, "PASSED", &levels), &[]);
    scene.policy(&rule(", exceptions: accept, levels: [SLSA_BUILD_LEVEL_1]"));
    scene.accepted();
    scene.policy(&rule(", exceptions: accept, trust-at-least: 12"));
    scene.refused("summary-trust");
    scene.policy(&rule(", exceptions: accept").replace(&"a".repeat(64), &"b".repeat(64)));
    scene.refused("summary-policy");
    // What a summary does not say does not count.
    for unsaid in ["", ", exceptions: refuse"] {
        scene.policy(&rule(unsaid));
        scene.refused("summary-exceptions-not-stated");
    }
}

#[test]
fn verification_summaries_with_exceptions_and_versions_of_trust() {
    let stated = |exceptions: Value, version: Value| {
        let mut document =
            summary("https://verifier.example", "registry.example/app", "PASSED", &["SLSA_BUILD_LEVEL_2"]);
        document["bulla_exceptions"] = exceptions;
        document["bulla_trustVersion"] = version;
        document
    };
    let waived = json!([{"repository": "registry.example/app", "waives": ["sbom"]}]);
    for (document, more, code) in [
        (stated(json!([]), json!(12)), "", None),
        (stated(json!([]), json!(12)), ", exceptions: refuse, trust-at-least: 12", None),
        (stated(json!([]), json!(11)), ", trust-at-least: 12", Some("summary-trust")),
        (stated(json!([]), json!(null)), ", trust-at-least: 1", Some("summary-trust")),
        (stated(json!([]), json!(0)), ", trust-at-least: 1", Some("summary-trust")),
        (stated(waived.clone(), json!(12)), "", Some("summary-exceptions")),
        (stated(waived.clone(), json!(12)), ", exceptions: refuse", Some("summary-exceptions")),
        (stated(waived, json!(12)), ", exceptions: accept, trust-at-least: 12", None),
        (stated(json!(null), json!(12)), ", exceptions: refuse", Some("summary-exceptions-not-stated")),
        (stated(json!(null), json!(12)), ", exceptions: accept", None),
    ] {
        let scene = Scene::new();
        scene.attest("importer", "vsa", &document, &[]);
        let policy = format!("sha256:{}", "a".repeat(64));
        scene.policy(&format!(
            "vsa: {{ by: [importer], max-age: none, verifier: \"https://verifier.example\", policies: [\"{policy}\"]{more} }}"
        ));
        match code {
            None => scene.accepted(),
            Some(code) => scene.refused(code),
        }
    }
    // A field of another type is not read as absent, and is not attested.
    for (field, wrong) in [("bulla_exceptions", json!("none")), ("bulla_trustVersion", json!("12"))] {
        let scene = Scene::new();
        let mut document = stated(json!([]), json!(12));
        document[field] = wrong;
        fs::write(scene.bench.path("vsa.json"), document.to_string()).unwrap();
        let attest = ["attest", "oci:build:v1", "--key", "importer.key", "--type", "vsa", "--predicate", "vsa.json"];
        let printed = scene.bench.run(&attest);
        assert!(printed.code != Some(0) && printed.err.contains(field), "{}", printed.err);
    }
}

#[test]
fn statements_with_fields() {
    let scene = Scene::new();
    let rule = |fields: &str| format!("statement: {{ by: [alice], type: \"{APPROVAL}\", max-age: none{fields} }}");
    scene.policy(&rule(""));
    scene.refused("no-statement");
    scene.attest("alice", APPROVAL, &approval(&json!("approved")), &[]);
    scene.accepted();
    for (field, met) in [
        ("{ at: /decision, equals: approved }", true),
        ("{ at: /decision, equals: denied }", false),
        ("{ at: /decision, one-of: [denied, approved] }", true),
        ("{ at: /decision, one-of: [denied, 1] }", false),
        ("{ at: /score, equals: 7.50 }", true),
        ("{ at: /score, equals: \"7.5\" }", false),
        ("{ at: /score, at-least: 7.5 }", true),
        ("{ at: /score, at-least: 7.6 }", false),
        ("{ at: /score, at-most: 7.5 }", true),
        ("{ at: /score, at-most: -7.5 }", false),
        ("{ at: /decision, exists: any-value }", true),
        ("{ at: /missing, exists: any-value }", false),
    ] {
        scene.policy(&rule(&format!(", fields: [{field}]")));
        if met { scene.accepted() } else { scene.refused("field") }
    }
    // All fields have to hold.
    scene.policy(&rule(", fields: [{ at: /decision, equals: approved }, { at: /score, at-least: 8 }]"));
    scene.refused("field");
}

#[test]
fn alternatives() {
    let scene = Scene::new();
    scene.policy(
        "any: [{ sbom: { by: [alice] } }, { all: [{ signature: { by: [alice] } }, { signature: { by: [bob] } }] }]",
    );
    scene.sign("v1", "alice", &[]);
    let report = scene.verify(1);
    assert_eq!(report["requirements"][0]["id"], "images[0].require[0].any[0].sbom");
    assert_eq!(report["requirements"].as_array().unwrap().len(), 3, "{report}");
    scene.sign("v1", "bob", &[]);
    let _report = scene.verify(0);
}
