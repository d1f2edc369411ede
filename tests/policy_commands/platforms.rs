//! Requirements about the platforms of an index, and blocked digests in it.

use std::fs;

use serde_json::json;

use crate::documents::APPROVAL;
use crate::documents::approval;
use crate::documents::sbom;
use crate::scene::Scene;

const MULTI: &str = "oci:build:multi";

/// Attests an SBOM to one platform of the index.
fn attest_to_platform(scene: &Scene, platform: usize) {
    let reference = format!("oci:build@{}", scene.multi.children[platform].digest());
    fs::write(scene.bench.path("sbom.json"), sbom("syft-spdx-2.3.json").to_string()).unwrap();
    scene.bench.ok(&["attest", &reference, "--key", "alice.key", "--type", "spdx", "--predicate", "sbom.json"]);
}

#[test]
fn an_sbom_of_one_platform_is_none_of_the_other() {
    for about in ["", ", about: platforms"] {
        let scene = Scene::new();
        scene.policy(&format!("sbom: {{ by: [alice]{about} }}"));
        attest_to_platform(&scene, 0);
        let report = scene.verify_image(MULTI, &[], 1);
        assert_eq!(report["requirements"][0]["code"], "no-statement", "{report}");
        let _report = scene.verify_image(MULTI, &["--platform", "linux/amd64"], 0);
        let _report = scene.verify_image(MULTI, &["--platform", "linux/arm64"], 1);
        attest_to_platform(&scene, 1);
        let _report = scene.verify_image(MULTI, &[], 0);
    }
}

#[test]
fn a_child_by_digest_does_not_borrow_from_its_index() {
    let scene = Scene::new();
    scene.policy("signature: { by: [alice] }");
    scene.sign("multi", "alice", &[]);
    let _report = scene.verify_image(MULTI, &[], 0);
    let _report = scene.verify_image(MULTI, &["--platform", "linux/amd64"], 0);
    let child = format!("oci:build@{}", scene.multi.children[0].digest());
    assert_eq!(scene.verify_image(&child, &[], 1)["requirements"][0]["code"], "no-statement");
    scene.policy("signature: { by: [alice], about: index }");
    let _report = scene.verify_image(MULTI, &[], 0);
    assert_eq!(scene.verify_image(&child, &[], 1)["requirements"][0]["code"], "no-index");
    scene.policy("signature: { by: [alice], about: platforms }");
    assert_eq!(scene.verify_image(MULTI, &[], 1)["requirements"][0]["code"], "no-statement");
    scene.policy("signature: { by: [alice], about: both }");
    assert_eq!(scene.verify_image(MULTI, &[], 1)["requirements"][0]["code"], "no-statement");
    scene.bench.ok(&["sign", MULTI, "--key", "alice.key", "--all-platforms"]);
    let _report = scene.verify_image(MULTI, &[], 0);
}

#[test]
fn a_blocked_child_refuses_the_index() {
    let scene = Scene::new();
    scene.sign("multi", "alice", &[]);
    scene.policy("signature: { by: [alice] }");
    let file = scene.bench.path("policy.yaml");
    let policy = fs::read_to_string(&file).unwrap();
    let child = scene.multi.children[1].digest();
    let blocked = format!("blocked: [{{ digest: \"{child}\", reason: backdoor }}]\nimages:");
    fs::write(&file, policy.replace("images:", &blocked)).unwrap();
    for (reference, more) in
        [(MULTI, &[][..]), (MULTI, &["--platform", "linux/amd64"]), (&format!("oci:build@{child}"), &[])]
    {
        let report = scene.verify_image(reference, more, 1);
        assert!(report.to_string().contains("\"blocked\""), "{report}");
    }
    let import = ["import", MULTI, "oci:inside:multi", "--policy", "policy.yaml", "--as", "registry.example/app"];
    let refused = scene.bench.refused(&import);
    assert!(refused.err.contains("backdoor"), "{}", refused.err);
    assert!(!scene.bench.path("inside").exists());
    fs::write(&file, policy).unwrap();
    scene.bench.ok(&import);
}

/// Copies one platform of the index into `taken` by the policy, which ends with this exit code.
fn copy_platform(scene: &Scene, more: &[&str], code: i32) -> String {
    let line = ["copy", MULTI, "oci:taken:multi", "--platform", "linux/amd64", "--policy", "policy.yaml"];
    let printed = scene.bench.ends(&[&line[..], &["--as", "registry.example/app"], more].concat(), code);
    assert_eq!(scene.bench.path("taken").exists(), code == 0 && !more.contains(&"--dry-run"));
    printed.out + &printed.err
}

// What the policy says about the index is not left behind with it.
#[test]
fn a_platform_that_is_copied_out_of_a_blocked_index() {
    let scene = Scene::new();
    scene.bench.ok(&["sign", MULTI, "--key", "alice.key", "--all-platforms"]);
    scene.policy("signature: { by: [alice] }");
    let file = scene.bench.path("policy.yaml");
    let policy = fs::read_to_string(&file).unwrap();
    for blocked in [&scene.multi, &scene.multi.children[1], &scene.multi.children[0]] {
        let blocked = format!("blocked: [{{ digest: \"{}\", reason: backdoor }}]\nimages:", blocked.digest());
        fs::write(&file, policy.replace("images:", &blocked)).unwrap();
        for more in [&[][..], &["--dry-run"], &["--without-referrers"]] {
            let said = copy_platform(&scene, more, 1);
            assert!(said.contains("backdoor"), "{said}");
        }
    }
    fs::write(&file, policy).unwrap();
    let said = copy_platform(&scene, &["--dry-run"], 0);
    let (index, child) = (scene.multi.digest(), scene.multi.children[0].digest());
    assert!(said.starts_with(&format!("verified {child}  {MULTI}\n  policy policy.yaml:")), "{said}");
    assert!(said.contains(&format!("of `{MULTI}` ({index}) only {child} is copied")), "{said}");
    copy_platform(&scene, &[], 0);
    let verify = ["verify", "oci:taken:multi", "--policy", "policy.yaml", "--as", "registry.example/app"];
    scene.bench.ok(&verify);
}

#[test]
fn a_newer_statement_about_the_index_refuses_the_copy_of_a_platform() {
    let scene = Scene::new();
    let child = format!("oci:build@{}", scene.multi.children[0].digest());
    fs::write(scene.bench.path("approved.json"), approval(&json!("approved")).to_string()).unwrap();
    let approve = ["attest", &child, "--key", "alice.key", "--type", APPROVAL, "--predicate", "approved.json"];
    scene.bench.ok(&approve);
    let fields = "fields: [{ at: /decision, equals: approved }]";
    scene.policy(&format!("statement: {{ by: [alice], type: \"{APPROVAL}\", max-age: none, {fields} }}"));
    copy_platform(&scene, &["--dry-run"], 0);
    let mut newer = approval(&json!("rejected"));
    newer["timestamp"] = json!("2025-02-01T00:00:00Z");
    scene.attest_to("multi", "alice", APPROVAL, &newer, &[]);
    let _report = scene.verify_image(MULTI, &["--platform", "linux/amd64"], 1);
    let said = copy_platform(&scene, &[], 1);
    assert!(said.contains(": field: "), "{said}");
    // What is copied has no index at the destination.
    newer["decision"] = json!("approved");
    newer["timestamp"] = json!("2025-03-01T00:00:00Z");
    scene.attest_to("multi", "alice", APPROVAL, &newer, &[]);
    copy_platform(&scene, &[], 0);
}

// The signature of the index stays behind, and the name would stand for a manifest that the policy refuses.
#[test]
fn a_platform_that_only_its_index_vouches_for_is_not_copied_out_of_it() {
    let scene = Scene::new();
    scene.sign("multi", "alice", &[]);
    scene.policy("signature: { by: [alice] }");
    let _report = scene.verify_image(MULTI, &["--platform", "linux/amd64"], 0);
    for more in [&[][..], &["--output", "json"]] {
        let said = copy_platform(&scene, more, 1);
        assert!(said.contains("as a part of the index, and not alone: copy the whole index"), "{said}");
    }
    let archive = ["copy", MULTI, "docker-archive:all.tar", "--platform", "linux/amd64", "--policy", "policy.yaml"];
    scene.bench.ok(&[&archive[..], &["--as", "registry.example/app"]].concat());
}
