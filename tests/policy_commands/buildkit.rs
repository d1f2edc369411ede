//! Provenance that BuildKit keeps in an index, unsigned: it counts if an owner signed the index that lists it.

use std::fs;
use std::path::Path;

use bulla::oci::Descriptor;
use bulla::oci::Platform;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;

use crate::documents::BUILDER;
use crate::documents::provenance;
use crate::documents::sbom;
use crate::documents::summary;
use crate::documents::test_result;
use crate::scene::Scene;
use crate::support::image;
use crate::support::image::TestImage;

const KIT: &str = "oci:build:kit";
const FROM_INDEX: &str = "provenance: { builders: [trusted], from: [signed-index] }";
const SLSA: &str = "https://slsa.dev/provenance/v1";

/// What BuildKit says of a build, as in its provenance of SLSA 1.
fn built(builder: &str, context: Option<&str>) -> Value {
    let source = context.map_or_else(
        || json!({"configSource": {"path": "Dockerfile"}}),
        |uri| json!({"configSource": {"uri": uri, "digest": {"sha1": "38eb9cf3cf40ba0bdf8ac0ca8ed2cbc4ff9ec6cb"}}}),
    );
    json!({
        "buildDefinition": {
            "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
            "externalParameters": source,
            "internalParameters": {},
        },
        "runDetails": {
            "builder": {"id": builder},
            "metadata": {"startedOn": "2025-01-01T00:00:00Z", "finishedOn": "2025-01-01T00:10:00Z"},
        },
    })
}

fn statement(about: &TestImage, kind: &str, predicate: &Value) -> Vec<u8> {
    let subject = json!([{"name": "pkg:docker/app@kit", "digest": {"sha256": about.digest().hex()}}]);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "subject": subject, "predicate": predicate,
    });
    statement.to_string().into_bytes()
}

/// A manifest in which BuildKit keeps statements about a platform, each with the predicate type on its label.
fn attestation_manifest(about: &TestImage, statements: Vec<(Option<&str>, Vec<u8>)>) -> TestImage {
    let layer = |(label, statement): &(Option<&str>, Vec<u8>)| {
        let mut layer = Descriptor::of(media_type::IN_TOTO, statement);
        layer.annotations.extend(label.map(|label| ("in-toto.io/predicate-type".to_owned(), label.to_owned())));
        layer
    };
    let config = b"{}".to_vec();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": Descriptor::of(media_type::OCI_EMPTY, &config),
        "layers": statements.iter().map(layer).collect::<Vec<_>>(),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut descriptor = Descriptor::of(media_type::OCI_MANIFEST, &manifest);
    descriptor.platform = Platform::parse("unknown/unknown");
    descriptor.annotations.insert("vnd.docker.reference.type".to_owned(), "attestation-manifest".to_owned());
    descriptor.annotations.insert("vnd.docker.reference.digest".to_owned(), about.digest().to_string());
    let layers = statements.into_iter().map(|(_, statement)| statement).collect();
    TestImage { config, layers, children: Vec::new(), manifest, descriptor }
}

fn slsa(about: &TestImage, predicate: &Value) -> TestImage {
    attestation_manifest(about, vec![(Some(SLSA), statement(about, SLSA, predicate))])
}

fn platform(n: u64) -> TestImage {
    image::image_for(70 + n, if n == 0 { "linux/amd64" } else { "linux/arm64" }, 1, 300)
}

/// A scene with this index as `kit`, and a policy with one requirement.
fn scene(children: Vec<TestImage>, requirement: &str) -> (Scene, TestImage) {
    let scene = Scene::new();
    let index = image::index_of(children);
    scene.bench.layout("build", &[("v1", &scene.one), ("kit", &index)]);
    scene.policy(requirement);
    (scene, index)
}

/// An index of two platforms, each with such provenance.
fn two(predicate: &Value) -> Vec<TestImage> {
    let (amd, arm) = (platform(0), platform(1));
    let (of_amd, of_arm) = (slsa(&amd, predicate), slsa(&arm, predicate));
    vec![amd, arm, of_amd, of_arm]
}

fn refused(scene: &Scene, code: &str) {
    let report = scene.verify_image(KIT, &[], 1);
    assert_eq!(report["requirements"][0]["code"], code, "{report}");
}

fn accepted(scene: &Scene) -> Value {
    scene.verify_image(KIT, &[], 0)
}

#[test]
fn counts_if_the_signer_of_the_builder_signed_the_index() {
    let (scene, index) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    refused(&scene, "index-not-signed");
    scene.sign("kit", "bob", &[]);
    refused(&scene, "index-not-signed");
    scene.sign("kit", "alice", &[]);
    let report = accepted(&scene);
    let candidates = report["requirements"][0]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2, "{report}");
    for (n, candidate) in candidates.iter().enumerate() {
        assert_eq!(candidate["about"], index.children[n].digest().to_string());
        assert_eq!(candidate["evidence"], index.children[n + 2].digest().to_string());
        assert_eq!(candidate["index"], index.digest().to_string());
        assert_eq!((&candidate["owner"], &candidate["counted"]), (&json!("alice"), &json!(true)));
    }
    for platform in ["linux/amd64", "linux/arm64"] {
        let _report = scene.verify_image(KIT, &["--platform", platform], 0);
    }
    // Text reports say where it is.
    let verify = ["verify", "--policy", "policy.yaml", "--as", "registry.example/app", KIT];
    let text = scene.bench.ok(&verify).out;
    assert!(text.contains("in the signed index"), "{text}");
}

/// The marks of the attestation manifests in the tree, each with the number of the platform that it is about.
fn marks(scene: &Scene) -> Vec<(String, Vec<String>)> {
    let args = ["tree", KIT, "--policy", "policy.yaml", "--as", "registry.example/app", "--output", "json"];
    let tree: Value = serde_json::from_str(&scene.bench.run(&args).out).unwrap();
    let nodes = tree["results"][0]["attached"].as_array().unwrap();
    let word = |mark: &Value| {
        format!("{} {}", mark["owner"].as_str().unwrap_or("-"), mark["code"].as_str().unwrap_or("counted"))
    };
    let marks = |node: &Value| node["marks"].as_array().into_iter().flatten().map(word).collect();
    let labelled = nodes.iter().filter(|node| node.get("attestation").is_some());
    labelled.map(|node| (node["attestation"]["about"].as_str().unwrap().to_owned(), marks(node))).collect()
}

// They are marked where they stand: below the index, each for its own platform.
#[test]
fn a_tree_marks_what_counts_in_a_signed_index() {
    let good = built(BUILDER, None);
    let (amd, arm) = (platform(0), platform(1));
    let (of_amd, of_arm) = (slsa(&amd, &good), slsa(&arm, &built("https://mallory.example", None)));
    let (scene, index) = scene(vec![amd, arm, of_amd, of_arm], FROM_INDEX);
    let about = |n: usize| index.children[n].digest().to_string();
    let all = |one: &str, other: &str| vec![(about(0), vec![one.to_owned()]), (about(1), vec![other.to_owned()])];
    assert_eq!(marks(&scene), all("- index-not-signed", "- index-not-signed"));
    scene.sign("kit", "alice", &[]);
    assert_eq!(marks(&scene), all("alice counted", "alice unknown-builder"));
}

// Signed attestations are another place.
#[test]
fn attestations_count_only_where_the_policy_says_so() {
    let (scene, _) = scene(two(&built("https://mallory.example", None)), FROM_INDEX);
    scene.sign("kit", "alice", &[]);
    refused(&scene, "unknown-builder");
    scene.attest_to("kit", "alice", "slsa", &provenance(BUILDER, "github.com/example/app", "refs/tags/v1"), &[]);
    refused(&scene, "unknown-builder");
    scene.policy("provenance: { builders: [trusted], from: [attestation, signed-index] }");
    let _report = accepted(&scene);
    scene.policy("provenance: { builders: [trusted], from: [attestation] }");
    let _report = accepted(&scene);
}

#[test]
fn one_platform_by_attestation_and_the_other_by_the_index() {
    let (amd, arm) = (platform(0), platform(1));
    let of_amd = slsa(&amd, &built(BUILDER, None));
    let both = "provenance: { builders: [trusted], from: [attestation, signed-index] }";
    let (scene, index) = scene(vec![amd, arm, of_amd], both);
    scene.sign("kit", "alice", &[]);
    let report = scene.verify_image(KIT, &[], 1);
    assert_eq!(report["requirements"][0]["lacking"], json!([index.children[1].digest().to_string()]), "{report}");
    let _report = scene.verify_image(KIT, &["--platform", "linux/amd64"], 0);
    let _report = scene.verify_image(KIT, &["--platform", "linux/arm64"], 1);
    let arm = format!("oci:build@{}", index.children[1].digest());
    let predicate = provenance(BUILDER, "github.com/example/app", "refs/tags/v1");
    fs::write(scene.bench.path("p.json"), predicate.to_string()).unwrap();
    scene.bench.ok(&["attest", &arm, "--key", "alice.key", "--type", "slsa", "--predicate", "p.json"]);
    let _report = accepted(&scene);
}

// Nobody but those who sign for the builder is worth more than level 1.
#[test]
fn another_owner_vouches_at_level_one() {
    let (scene, _) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    scene.sign("kit", "bob", &[]);
    scene.policy("provenance: { builders: [trusted], from: [signed-index], by: [bob] }");
    let _report = accepted(&scene);
    scene.policy("provenance: { builders: [trusted], from: [signed-index], by: [bob], slsa-level: 1 }");
    let _report = accepted(&scene);
    scene.policy("provenance: { builders: [trusted], from: [signed-index], by: [bob], slsa-level: 2 }");
    refused(&scene, "slsa-level");
    scene.sign("kit", "alice", &[]);
    let _report = accepted(&scene);
    // The builder must be one of the rule in any case, and `by` adds nobody who attests.
    scene.policy("provenance: { builders: [other], from: [signed-index], by: [alice] }");
    refused(&scene, "unknown-builder");
    scene.policy("provenance: { builders: [trusted], from: [attestation, signed-index], by: [importer] }");
    let _report = accepted(&scene);
}

#[test]
fn a_signature_of_something_else_covers_nothing() {
    let children = two(&built(BUILDER, None));
    let (scene, index) = scene(children, FROM_INDEX);
    // The platforms, and an attestation about the index, are no signature of the index.
    for child in &index.children[..2] {
        scene.bench.ok(&["sign", &format!("oci:build@{}", child.digest()), "--key", "alice.key"]);
    }
    scene.attest_to("kit", "alice", "https://example.com/seen/v1", &json!({"seen": true}), &[]);
    refused(&scene, "index-not-signed");
    // Another index with the same manifests has another digest.
    let mut changed = index.clone();
    changed.manifest = [&index.manifest[..], b" "].concat();
    changed.descriptor = Descriptor::of(media_type::OCI_INDEX, &changed.manifest);
    scene.sign("kit", "alice", &[]);
    let _report = accepted(&scene);
    let layout = scene.bench.path("build/index.json");
    let text = fs::read_to_string(&layout).unwrap();
    let renamed = text.replacen(&index.digest().to_string(), &changed.digest().to_string(), 1);
    let size = |image: &TestImage| format!("\"size\":{}", image.manifest.len());
    fs::write(&layout, renamed.replacen(&size(&index), &size(&changed), 1)).unwrap();
    fs::write(scene.bench.path("build/blobs/sha256").join(changed.digest().hex()), &changed.manifest).unwrap();
    refused(&scene, "index-not-signed");
}

#[test]
fn a_platform_by_its_digest_borrows_from_no_index() {
    let (scene, index) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    scene.sign("kit", "alice", &[]);
    let child = format!("oci:build@{}", index.children[0].digest());
    for (requirement, code) in [
        (FROM_INDEX, "no-index"),
        ("provenance: { builders: [trusted], from: [signed-index], about: platforms }", "no-index"),
        ("provenance: { builders: [trusted], from: [attestation, signed-index] }", "no-statement"),
    ] {
        scene.policy(requirement);
        let report = scene.verify_image(&child, &[], 1);
        assert_eq!(report["requirements"][0]["code"], code, "{report}");
        let _report = accepted(&scene);
    }
}

#[test]
fn about_another_manifest_than_its_platform_does_not_count() {
    let (amd, arm) = (platform(0), platform(1));
    let predicate = built(BUILDER, None);
    let elsewhere = platform(2);
    // A statement about nothing in the index, and one about the other platform.
    for about in [&elsewhere, &arm] {
        let foreign = attestation_manifest(&amd, vec![(Some(SLSA), statement(about, SLSA, &predicate))]);
        let of_arm = slsa(&arm, &predicate);
        let (scene, _) = scene(vec![amd.clone(), arm.clone(), foreign, of_arm], FROM_INDEX);
        scene.sign("kit", "alice", &[]);
        refused(&scene, "other-subject");
        let _report = scene.verify_image(KIT, &["--platform", "linux/arm64"], 0);
    }
    // Its manifest names no sibling: then it is a platform, which has no provenance.
    let strange = slsa(&elsewhere, &predicate);
    let of_amd = slsa(&amd, &predicate);
    let (scene, _) = scene(vec![amd, of_amd, strange], FROM_INDEX);
    scene.sign("kit", "alice", &[]);
    refused(&scene, "no-statement");
}

// The index that was named is signed, and not the one inside it.
#[test]
fn an_index_inside_the_index_vouches_for_nothing() {
    let inner = image::index_of(two(&built(BUILDER, None)));
    let (scene, _) = scene(vec![inner], FROM_INDEX);
    scene.sign("kit", "alice", &[]);
    refused(&scene, "no-statement");
}

#[test]
fn the_source_is_that_of_a_remote_context_alone() {
    let rule = "provenance: { builders: [trusted], from: [signed-index], source: github.com/example/app";
    let context = "https://github.com/example/app.git#refs/tags/v1.2";
    for (context, more, code) in [
        (Some(context), "", None),
        (Some(context), ", ref: refs/tags/v*", None),
        (Some(context), ", ref: refs/heads/main", Some("other-ref")),
        (Some("https://github.com/mallory/app.git#refs/tags/v1.2"), "", Some("other-source")),
        (None, "", Some("no-source")),
    ] {
        let (scene, _) = scene(two(&built(BUILDER, context)), &format!("{rule}{more} }}"));
        scene.sign("kit", "alice", &[]);
        match code {
            None => drop(accepted(&scene)),
            Some(code) => refused(&scene, code),
        }
    }
}

#[test]
fn its_age_is_that_of_the_document() {
    let (scene, _) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    scene.sign("kit", "alice", &[]);
    for (age, code) in [
        ("max-age: 36500d", None),
        ("max-age: 30d", Some("too-old")),
        ("max-age: 36500d, time: trusted", Some("no-trusted-time")),
    ] {
        scene.policy(&format!("provenance: {{ builders: [trusted], from: [signed-index], {age} }}"));
        match code {
            None => drop(accepted(&scene)),
            Some(code) => refused(&scene, code),
        }
    }
}

#[test]
fn the_signature_of_the_index_is_for_the_signed_name() {
    let (scene, _) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    let named = "    signed-name: registry.example/original\n";
    scene.policy_with(&[FROM_INDEX, "signature: { by: [bob] }"], named);
    scene.sign("kit", "bob", &["--signed-reference", "registry.example/original"]);
    scene.sign("kit", "alice", &["--signed-reference", "registry.example/mallory"]);
    refused(&scene, "index-not-signed");
    scene.sign("kit", "alice", &["--signed-reference", "registry.example/original"]);
    let _report = accepted(&scene);
}

// A label chooses what is fetched and decides nothing.
#[test]
fn labels_decide_nothing() {
    let (amd, predicate) = (platform(0), built(BUILDER, None));
    let signed = |statements| {
        let amd = amd.clone();
        let kit = attestation_manifest(&amd, statements);
        let (scene, _) = scene(vec![amd, kit], FROM_INDEX);
        scene.sign("kit", "alice", &[]);
        scene
    };
    let spdx = "https://spdx.dev/Document";
    let boms = || (Some(spdx), statement(&amd, spdx, &sbom("syft-spdx-2.3.json")));
    let _report = accepted(&signed(vec![boms(), (None, statement(&amd, SLSA, &predicate))]));
    refused(&signed(vec![(Some(SLSA), statement(&amd, spdx, &predicate))]), "wrong-kind");
    refused(&signed(vec![(Some(SLSA), b"{}".to_vec())]), "envelope-unreadable");
    refused(&signed(vec![boms()]), "no-statement");
    // An SBOM counts in signed attestations alone.
    let scene = signed(vec![boms()]);
    scene.policy("sbom: { by: [alice] }");
    refused(&scene, "no-statement");
}

// What cannot be read is could-not-tell where it might count.
#[test]
fn a_statement_that_is_lost_is_could_not_tell() {
    let (scene, index) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    let lost = Descriptor::of(media_type::IN_TOTO, &index.children[2].layers[0]).digest;
    let blob = scene.bench.path("build/blobs/sha256").join(lost.hex());
    let bytes = fs::read(&blob).unwrap();
    let report = |code| scene.verify_image(KIT, &[], code)["requirements"][0].clone();
    for (wrong, more) in
        [(None, "lost"), (Some([&bytes[..], b" "].concat()), "longer"), (Some(vec![b' '; bytes.len()]), "changed")]
    {
        match wrong {
            None => fs::remove_file(&blob).unwrap(),
            Some(wrong) => fs::write(&blob, wrong).unwrap(),
        }
        assert_eq!(report(1)["code"], "index-not-signed", "{more}: nothing is read if the index is not signed");
    }
    scene.sign("kit", "alice", &[]);
    assert_eq!(report(2)["verdict"], "undetermined");
    let _report = scene.verify_image(KIT, &["--platform", "linux/arm64"], 0);
    let manifest = scene.bench.path("build/blobs/sha256").join(index.children[3].digest().hex());
    fs::write(&blob, &bytes).unwrap();
    assert_eq!(report(0)["verdict"], "met");
    fs::remove_file(manifest).unwrap();
    assert_eq!(report(2)["verdict"], "undetermined");
    let _report = scene.verify_image(KIT, &["--platform", "linux/arm64"], 2);
    let _report = scene.verify_image(KIT, &["--platform", "linux/amd64"], 0);
}

#[test]
fn an_import_carries_the_signature_of_the_index() {
    let (scene, _) = scene(two(&built(BUILDER, None)), FROM_INDEX);
    let import = ["import", KIT, "oci:inside:kit", "--policy", "policy.yaml", "--as", "registry.example/app"];
    scene.bench.refused(&import);
    assert!(!scene.bench.path("inside").exists());
    scene.sign("kit", "bob", &[]);
    scene.sign("kit", "alice", &[]);
    scene.bench.ok(&import);
    let _report = scene.verify_image("oci:inside:kit", &[], 0);
    scene.bench.ok(&["verify", "oci:inside:kit", "--key", "alice.pub"]);
    scene.bench.refused(&["verify", "oci:inside:kit", "--key", "bob.pub"]);
}

#[test]
fn a_tree_shows_what_is_attested_about_which_platform() {
    let context = "https://github.com/example/app.git#refs/tags/v1.2";
    let (amd, arm) = (platform(0), platform(1));
    let of_amd = slsa(&amd, &built(BUILDER, Some(context)));
    let spdx = "https://spdx.dev/Document";
    let foreign = attestation_manifest(
        &arm,
        vec![(Some(SLSA), statement(&amd, SLSA, &built(BUILDER, None))), (Some(spdx), b"not read".to_vec())],
    );
    let (scene, index) = scene(vec![amd, arm, of_amd, foreign], FROM_INDEX);
    let text = scene.bench.unknown(&["tree", KIT]).out;
    let shown = format!(
        "attestations of linux/amd64  {}\n│    unsigned: attestation {SLSA}\n│      built by {BUILDER} from github.com/example/app \
         at refs/tags/v1.2, 2025-01-01T00:10:00Z\n",
        index.children[2].digest()
    );
    assert!(text.contains(&shown), "{text}");
    let about =
        format!("is about sha256:{}, not about {}", index.children[0].digest().hex(), index.children[1].digest());
    assert!(text.contains("attestations of linux/arm64") && text.contains(&about), "{text}");
    let tree: Value = serde_json::from_str(&scene.bench.unknown(&["tree", KIT, "--output", "json"]).out).unwrap();
    let nodes = &tree["results"][0]["attached"];
    assert!(nodes[0].get("attestation").is_none() && nodes[1].get("attestation").is_none(), "{nodes}");
    let attestation = &nodes[2]["attestation"];
    assert_eq!(attestation["about"], index.children[0].digest().to_string());
    assert_eq!(attestation["platform"], "linux/amd64");
    assert_eq!(attestation["statements"][0]["predicateType"], SLSA);
    // The statement is about another platform than its manifest, and the SBOM is not fetched.
    assert_eq!(nodes[3]["attestation"]["statements"][0]["summary"], Value::Null);
    assert_eq!(nodes[3]["attestation"]["statements"][1], json!({"predicateType": spdx, "summary": null}));
    let text = scene.bench.ok(&["inspect", KIT]).out;
    assert!(text.contains("attestations of linux/amd64") && text.contains("attestations of linux/arm64"), "{text}");
}

#[test]
fn trees_and_reports_summarise_signed_statements_in_one_line() {
    let scene = Scene::new();
    scene.attest("alice", "slsa", &provenance(BUILDER, "github.com/example/app", "refs/tags/v1"), &[]);
    scene.attest("bob", "test-result", &test_result("WARNED"), &[]);
    let mut made = summary("https://verifier.example", "registry.example/app", "PASSED", &["SLSA_BUILD_LEVEL_2"]);
    made["bulla_exceptions"] = json!([]);
    scene.attest("importer", "vsa", &made, &[]);
    let text = scene.bench.ok(&["tree", "oci:build:v1"]).out;
    for line in [
        format!("built by {BUILDER} from github.com/example/app at refs/tags/v1, 2025-01-01T00:10:00Z"),
        "tests warned".to_owned(),
        "verified passed: registry.example/app as SLSA_BUILD_LEVEL_2 by https://verifier.example, with 0 exceptions, \
         2025-01-01T00:00:00Z"
            .to_owned(),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

// An index as docker buildx makes it, and not one of ours.
#[test]
fn provenance_of_the_real_buildkit() {
    let scene = Scene::new();
    let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layouts/buildkit");
    copy_folder(&layout, &scene.bench.path("real"));
    let real = "oci:real:2";
    let policy = |builder: &str, more: &str| {
        scene.policy(&format!("provenance: {{ builders: [{builder}], from: [signed-index]{more} }}"));
        let file = scene.bench.path("policy.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("https://builder.example/a@refs/tags/v*", "https://builder.example/a")).unwrap();
    };
    let code = |more: &[&str]| scene.verify_image(real, more, 1)["requirements"][0]["code"].clone();
    policy("trusted", "");
    assert_eq!(code(&[]), "index-not-signed");
    scene.bench.ok(&["sign", real, "--key", "alice.key"]);
    let report = scene.verify_image(real, &[], 0);
    assert_eq!(report["requirements"][0]["candidates"].as_array().unwrap().len(), 2, "{report}");
    let _report = scene.verify_image(real, &["--platform", "linux/arm64"], 0);
    policy("trusted", ", source: github.com/example/app");
    assert_eq!(code(&[]), "no-source");
    policy("other", ", by: [alice]");
    assert_eq!(code(&[]), "unknown-builder");
    let tree = scene.bench.ok(&["tree", real]).out;
    let built = "built by https://builder.example/a from a source that is not known (no-source), 2026-11-27T00:55:2";
    assert_eq!(tree.matches(built).count(), 2, "{tree}");
    assert!(tree.contains("attestations of linux/amd64") && tree.contains("attestations of linux/arm64"), "{tree}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}
