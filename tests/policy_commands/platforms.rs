//! Requirements about the platforms of an index, and blocked digests in it.

use std::fs;

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
