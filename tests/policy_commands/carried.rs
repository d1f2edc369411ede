//! What an import by a policy carries along: what counted, and what the same owners stated otherwise where only the newest
//! counts. At the destination nothing older may decide.

use serde_json::Value;
use serde_json::json;

use crate::documents::scan;
use crate::documents::test_result;
use crate::scene::Scene;
use crate::scene::vex;

const OLD: &str = "2025-01-01T00:00:00Z";
const NEW: &str = "2025-02-01T00:00:00Z";
const LAST: &str = "2025-03-01T00:00:00Z";

fn tested(result: &str, time: &str) -> Value {
    let mut document = test_result(result);
    document["timestamp"] = json!(time);
    document
}

/// Imports an image by the policy at hand.
fn import(scene: &Scene, image: &str) {
    let (from, to) = (format!("oci:build:{image}"), format!("oci:inside:{image}"));
    scene.bench.ok(&["import", &from, &to, "--policy", "policy.yaml", "--as", "registry.example/app"]);
}

/// The code of the first requirement at both places, where the policy refuses it.
fn refused_at_both(scene: &Scene, image: &str, code: &str) {
    for place in ["build", "inside"] {
        let report = scene.verify_image(&format!("oci:{place}:{image}"), &[], 1);
        assert_eq!(report["requirements"][0]["code"], code, "{place}: {report}");
    }
}

#[test]
fn a_newer_statement_that_does_not_hold_goes_along() {
    let scene = Scene::new();
    scene.attest("alice", "test-result", &tested("PASSED", OLD), &[]);
    scene.attest("alice", "test-result", &tested("FAILED", NEW), &[]);
    scene.attest("bob", "test-result", &tested("PASSED", OLD), &[]);
    scene.policy("test: { by: [alice, bob], at-least: 1, max-age: none }");
    import(&scene, "v1");
    // Alice does not count, and is not said to have been accepted.
    let by = ["--policy", "policy.yaml", "--as", "registry.example/app", "--output", "json"];
    for place in ["oci:build:v1", "oci:inside:v1"] {
        let report = scene.bench.json(&[&["verify", place][..], &by].concat());
        let accepted = report["results"][0]["acceptedSignatures"].as_array().unwrap();
        assert_eq!(accepted.iter().map(|one| one["owner"].as_str().unwrap()).collect::<Vec<_>>(), ["bob"], "{place}");
    }
    scene.policy("test: { by: [alice], max-age: none }");
    refused_at_both(&scene, "v1", "test-outcome");
    scene.policy("test: { by: [alice, bob], at-least: 2, max-age: none }");
    refused_at_both(&scene, "v1", "test-outcome");
}

// What does not count because it failed goes along, and what its signer has superseded does not.
#[test]
fn what_its_signer_has_superseded_stays_behind() {
    let scene = Scene::new();
    for (owner, result, time) in
        [("alice", "FAILED", OLD), ("alice", "PASSED", NEW), ("bob", "PASSED", OLD), ("bob", "FAILED", LAST)]
    {
        scene.attest(owner, "test-result", &tested(result, time), &[]);
    }
    scene.policy("test: { by: [alice, bob], at-least: 1, max-age: none }");
    import(&scene, "v1");
    for (place, count) in [("build", 4), ("inside", 2)] {
        let report = scene.verify_image(&format!("oci:{place}:v1"), &[], 0);
        let candidates = report["requirements"][0]["candidates"].as_array().unwrap();
        assert_eq!(candidates.len(), count, "{place}: {report}");
        let superseded = candidates.iter().filter(|one| one["code"] == "superseded").count();
        assert_eq!(superseded, count - 2, "{place}: {report}");
    }
    scene.policy("test: { by: [bob], max-age: none }");
    refused_at_both(&scene, "v1", "test-outcome");
}

// The statement about the index counts for one platform, and must not count alone for the other one.
#[test]
fn a_statement_about_a_platform_goes_along_with_one_about_the_index() {
    let scene = Scene::new();
    let platform = format!("oci:build@{}", scene.multi.children[0].digest());
    scene.attest_to("multi", "alice", "test-result", &tested("PASSED", NEW), &[]);
    std::fs::write(scene.bench.path("failed.json"), tested("FAILED", OLD).to_string()).unwrap();
    let failed = ["attest", &platform, "--key", "alice.key", "--type", "test-result", "--predicate", "failed.json"];
    scene.bench.ok(&failed);
    scene.attest_to("multi", "bob", "test-result", &tested("PASSED", OLD), &[]);
    scene.policy("test: { by: [alice, bob], at-least: 1, max-age: none }");
    import(&scene, "multi");
    scene.policy("test: { by: [alice], max-age: none }");
    refused_at_both(&scene, "multi", "test-outcome");
}

#[test]
fn all_vex_documents_are_carried() {
    let scene = Scene::new();
    let with_vex = |vex: &str| {
        format!("scan: {{ by: [alice], highest-allowed: low, max-age: none, database-max-age: none, vex: {vex} }}")
    };
    scene.attest("alice", "vulns", &scan(OLD, &["high"]), &[]);
    scene.attest("bob", "vex", &vex(&scene, OLD, "not_affected"), &[]);
    scene.attest("bob", "vex", &vex(&scene, NEW, "affected"), &[]);
    scene.attest("importer", "vex", &vex(&scene, LAST, "not_affected"), &[]);
    scene.attest("alice", "vex", &vex(&scene, LAST, "affected"), &[]);
    scene.policy(&with_vex("{ by: [bob, importer], at-least: 1, max-age: none }"));
    import(&scene, "v1");
    // Alice is named for scans alone.
    scene.bench.ok(&["verify", "oci:inside:v1", "--key", "bob.pub", "--type", "vex"]);
    scene.bench.refused(&["verify", "oci:inside:v1", "--key", "alice.pub", "--type", "vex"]);
    scene.policy(&with_vex("{ by: [bob], max-age: none }"));
    refused_at_both(&scene, "v1", "vulnerabilities");
}

// An owner counts for the requirements that name them. What else they sign is told, and does not go along.
#[test]
fn statements_of_an_owner_whom_no_requirement_names_stay_behind() {
    let scene = Scene::new();
    scene.policy_with(&["signature: { by: [alice] }", "test: { by: [bob], max-age: none }"], "");
    scene.sign("v1", "alice", &[]);
    scene.attest("bob", "test-result", &tested("PASSED", OLD), &[]);
    scene.sign("v1", "bob", &[]);
    scene.attest("alice", "test-result", &tested("FAILED", NEW), &[]);
    import(&scene, "v1");
    let by = ["--policy", "policy.yaml", "--as", "registry.example/app", "--output", "json"];
    let report = scene.bench.json(&[&["import", "oci:build:v1", "oci:again:v1"][..], &by].concat());
    let accepted = report["results"][0]["acceptedSignatures"].as_array().unwrap();
    let mut owners: Vec<_> = accepted.iter().map(|one| one["owner"].as_str().unwrap()).collect();
    owners.sort_unstable();
    assert_eq!(owners, ["alice", "bob"], "{report}");
    let findings = report["results"][0]["findings"].as_array().unwrap();
    assert_eq!(findings.iter().filter(|one| one["code"] == "owner-not-named").count(), 2, "{report}");
    scene.bench.ok(&["verify", "oci:inside:v1", "--key", "alice.pub"]);
    scene.bench.refused(&["verify", "oci:inside:v1", "--key", "bob.pub"]);
    scene.bench.refused(&["verify", "oci:inside:v1", "--key", "alice.pub", "--type", "test-result"]);
}
