//! Exceptions, the baseline, signed names, and what `import` and `copy` carry along.

use std::fs;

use serde_json::json;

use crate::documents::APPROVAL;
use crate::documents::approval;
use crate::documents::scan;
use crate::scene::Scene;

fn exception(until: &str) -> String {
    format!(
        "    exceptions: [{{ repository: registry.example/app, waives: [sbom], reason: old, owner: security, until: {until} }}]\n"
    )
}

#[test]
fn an_exception_waives_until_a_day() {
    let scene = Scene::new();
    scene.sign("v1", "alice", &[]);
    let require = ["sbom: { by: [alice] }", "signature: { by: [alice] }"];
    scene.policy_with(&require, &exception("2025-01-01"));
    let report = scene.verify(1);
    assert_eq!(report["requirements"][0]["code"], "no-statement");
    assert!(report["exceptions"].to_string().contains("2025-01-01"), "{report}");
    scene.policy_with(&require, &exception("9999-12-29"));
    let report = scene.verify(0);
    assert_eq!(report["exceptions"][0]["owner"], "security", "{report}");
    // The other requirement is not waived.
    scene.policy_with(&["sbom: { by: [alice] }", "signature: { by: [bob] }"], &exception("9999-12-29"));
    let _report = scene.verify(1);
}

#[test]
fn the_baseline_holds_beside_every_block() {
    let scene = Scene::new();
    scene.sign("v1", "alice", &[]);
    scene.policy_with(&["signature: { by: [alice] }"], "baseline: [{ test: { by: [bob], max-age: none } }]\n");
    let report = scene.verify(1);
    assert!(report.to_string().contains("baseline[0].test"), "{report}");
}

// The name is compared in every statement that counts, those of the baseline too.
#[test]
fn a_signed_name_is_compared_in_every_statement() {
    let scene = Scene::new();
    let named = "    signed-name: ghcr.io/example/app\n";
    let (upstream, other) = ("ghcr.io/example/app", "ghcr.io/mallory/app");
    let statement = format!("statement: {{ by: [alice], type: \"{APPROVAL}\", max-age: none }}");
    scene.policy_with(&[&statement, "signature: { by: [alice] }"], named);
    scene.sign("v1", "alice", &["--signed-reference", upstream]);
    scene.attest("alice", APPROVAL, &approval(&json!("yes")), &["--signed-reference", other]);
    scene.refused("signed-name");
    let mut newer = approval(&json!("yes"));
    newer["timestamp"] = json!("2025-02-01T00:00:00Z");
    scene.attest("alice", APPROVAL, &newer, &["--signed-reference", upstream]);
    let _report = scene.verify(0);
    let baseline = format!("{named}baseline: [{{ signature: {{ by: [bob] }} }}]\n");
    scene.policy_with(&[&statement, "signature: { by: [alice] }"], &baseline);
    scene.sign("v1", "bob", &["--signed-reference", other]);
    let report = scene.verify(1);
    assert!(report.to_string().contains("\"signed-name\""), "{report}");
    scene.sign("v1", "bob", &["--signed-reference", upstream]);
    let _report = scene.verify(0);
}

// What counted goes along, and is judged again at the destination.
#[test]
fn import_and_copy_carry_the_attestations_that_counted() {
    let scene = Scene::new();
    scene.policy("scan: { by: [alice], highest-allowed: low, max-age: none, database-max-age: none }");
    let by = ["--policy", "policy.yaml", "--as", "registry.example/app"];
    scene.bench.refused(&[&["import", "oci:build:v1", "oci:inside:v1"][..], &by].concat());
    assert!(!scene.bench.path("inside").exists());
    scene.attest("alice", "vulns", &scan("2025-01-01T00:00:00Z", &["low"]), &[]);
    scene.bench.ok(&[&["import", "oci:build:v1", "oci:inside:v1"][..], &by].concat());
    scene.bench.ok(&[&["verify", "oci:inside:v1"][..], &by].concat());
    scene.bench.ok(&[&["copy", "oci:inside:v1", "oci:copied:v1"][..], &by].concat());
    scene.bench.ok(&[&["verify", "oci:copied:v1"][..], &by].concat());
    scene.attest("alice", "vulns", &scan("2025-02-01T00:00:00Z", &["high"]), &[]);
    scene.bench.refused(&[&["copy", "oci:build:v1", "oci:bad:v1"][..], &by].concat());
    assert!(!scene.bench.path("bad").exists());
}

// An invalid tag is an error, not a tag that no signature names.
#[test]
fn a_name_is_evaluated_with_or_without_a_tag() {
    let scene = Scene::new();
    scene.sign("v1", "alice", &[]);
    scene.policy("signature: { by: [alice] }");
    let verify = |name: &str, code: i32| {
        scene.bench.ends(&["verify", "oci:build:v1", "--policy", "policy.yaml", "--as", name], code).err
    };
    verify("registry.example/app", 0);
    verify("registry.example/app:1.0", 0);
    for wrong in ["registry.example/app:", "registry.example/app:-1", "registry.example/app:a b"] {
        let error = verify(wrong, 2);
        assert!(error.contains("is no tag") && error.contains("hint: --as HOST/REPOSITORY[:TAG]"), "{error}");
    }
}

// It would trust every builder of the host, so it is an error.
#[test]
fn a_builder_with_a_wildcard_before_its_ref_is_an_error() {
    let scene = Scene::new();
    scene.policy("provenance: { builders: [trusted] }");
    let file = scene.bench.path("policy.yaml");
    let policy = fs::read_to_string(&file).unwrap();
    fs::write(&file, policy.replace("builder.example/a@refs", "builder.example/*@refs")).unwrap();
    scene.unknown("all of them in the ref behind the @");
}
