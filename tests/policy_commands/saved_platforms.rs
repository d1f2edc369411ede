//! Archives of `docker save` with one platform of an index, judged by policy files.

use std::fs;

use serde_json::json;

use crate::documents::APPROVAL;
use crate::documents::approval;
use crate::saved::BY_ALICE;
use crate::scene::Scene;
use crate::support::image;

fn about(scene: &Scene, about: &str) {
    scene.policy(&format!("signature: {{ by: [alice], about: {about} }}"));
}

fn sign_child(scene: &Scene, child: usize) {
    let reference = format!("oci:build@{}", scene.multi.children[child].digest());
    scene.bench.ok(&["sign", &reference, "--key", "alice.key"]);
}

#[test]
fn the_index_or_the_platform() {
    let scene = Scene::new();
    let [one, two] = scene.multi.children.as_slice() else { panic!("two platforms") };
    scene.saved(&[one]);
    scene.sign("multi", "alice", &[]);
    for (word, code) in [("index", 0), ("platforms", 1), ("either", 0), ("both", 1)] {
        about(&scene, word);
        let image = scene.judged(&[], code)["images"][0].clone();
        if code == 0 {
            assert_eq!(image["digest"], scene.multi.digest().to_string());
            assert_eq!(image["manifest"], one.digest().to_string());
        }
    }
    // Only a platform is signed: it is let in by itself, and borrows nothing from the index.
    let scene = Scene::new();
    scene.saved(&[one]);
    sign_child(&scene, 0);
    for (word, code) in [("index", 1), ("platforms", 0), ("either", 0), ("both", 1)] {
        about(&scene, word);
        let image = scene.judged(&[], code)["images"][0].clone();
        if code == 0 {
            assert_eq!(image["digest"], one.digest().to_string());
        }
    }
    // The other platform is not.
    for images in [&[two][..], &[one, two]] {
        scene.saved(images);
        about(&scene, "either");
        scene.judged(&[], 1);
    }
    sign_child(&scene, 1);
    assert_eq!(scene.judged(&[], 0)["images"][1]["digest"], scene.multi.digest().to_string());
}

#[test]
fn the_platform_that_is_asked_for() {
    let scene = Scene::new();
    scene.policy(BY_ALICE);
    scene.sign("multi", "alice", &[]);
    scene.sign("v1", "alice", &[]);
    scene.saved(&[&scene.multi.children[1]]);
    let result = scene.judged(&["--platform", "linux/arm64"], 0);
    assert_eq!(result["images"][0]["manifest"], scene.multi.children[1].digest().to_string());
    for other in ["linux/amd64", "linux/s390x"] {
        scene.not_let_in(&["--platform", other], 1, 0, "other-platform");
    }
    // Also if each platform is signed by itself.
    sign_child(&scene, 0);
    sign_child(&scene, 1);
    scene.not_let_in(&["--platform", "linux/amd64"], 1, 0, "other-platform");
    scene.saved(&[&scene.multi.children[0], &scene.multi.children[1]]);
    scene.not_let_in(&["--platform", "linux/amd64"], 1, 1, "other-platform");
    scene.saved(&[&scene.one]);
    scene.judged(&["--platform", "linux/amd64"], 0);
    scene.not_let_in(&["--platform", "linux/arm64"], 1, 0, "other-platform");
    // `about: platforms` is about those that are asked for.
    let scene = Scene::new();
    scene.saved(&[&scene.multi.children[0]]);
    about(&scene, "platforms");
    scene.not_let_in(&["--platform", "linux/amd64"], 1, 0, "policy-refused");
    sign_child(&scene, 0);
    scene.judged(&["--platform", "linux/amd64"], 0);
}

// Nothing is required of an attestation manifest, so an index that is let in does not vouch for it.
#[test]
fn what_is_in_the_index_and_no_platform() {
    let scene = Scene::new();
    let platform = image::image(70);
    let attestation = image::buildkit_attestation(&platform);
    let index = image::index_of(vec![platform.clone(), attestation.clone()]);
    scene.bench.layout("build", &[("kit", &index)]);
    let child = format!("oci:build@{}", platform.digest());
    scene.bench.ok(&["sign", &child, "--key", "alice.key"]);
    for word in ["platforms", "either", "index"] {
        about(&scene, word);
        if word == "index" {
            // Nor does a signature of its own.
            scene.bench.ok(&["sign", "oci:build:kit", "--key", "alice.key", "--all-platforms"]);
        }
        scene.saved(&[&platform]);
        assert_eq!(scene.judged(&[], 0)["images"][0]["digest"], index.digest().to_string());
        scene.saved(&[&attestation]);
        scene.not_let_in(&[], 1, 0, "not-an-image");
        scene.saved(&[&platform, &attestation]);
        scene.not_let_in(&[], 1, 1, "not-an-image");
    }
}

/// States what was decided about a part of `build`, on this day.
fn decide(scene: &Scene, reference: &str, decision: &str, time: &str) {
    let mut document = approval(&json!(decision));
    document["timestamp"] = json!(time);
    fs::write(scene.bench.path("decision.json"), document.to_string()).unwrap();
    let attest = ["attest", reference, "--key", "alice.key", "--type", APPROVAL, "--predicate", "decision.json"];
    scene.bench.ok(&attest);
}

fn approved_policy(about: &str) -> String {
    let fields = "fields: [{ at: /decision, equals: approved }]";
    format!("statement: {{ by: [alice], type: \"{APPROVAL}\", max-age: none, about: {about}, {fields} }}")
}

const OLD: &str = "2025-01-01T00:00:00Z";
const NEW: &str = "2025-02-01T00:00:00Z";

// A manifest by itself is no way around what is said about its index.
#[test]
fn a_newer_statement_about_the_index_refuses_its_platforms() {
    let scene = Scene::new();
    let [one, two] = scene.multi.children.as_slice() else { panic!("two platforms") };
    let at = |digest: bulla::digest::Digest| format!("oci:build@{digest}");
    decide(&scene, &at(one.digest()), "approved", OLD);
    scene.saved(&[one]);
    scene.policy(&approved_policy("either"));
    // Nothing is said about the index, and what is said about the other platform is not asked.
    for decision in ["", "rejected"] {
        if !decision.is_empty() {
            decide(&scene, &at(two.digest()), decision, NEW);
        }
        let image = scene.judged(&[], 0)["images"][0].clone();
        assert_eq!(image["digest"], one.digest().to_string());
        scene.judged(&["--platform", "linux/amd64"], 0);
    }
    decide(&scene, "oci:build:multi", "rejected", NEW);
    for (word, code) in [("either", 1), ("named", 1), ("both", 1), ("index", 1), ("platforms", 0)] {
        scene.policy(&approved_policy(word));
        for more in [&[][..], &["--platform", "linux/amd64"]] {
            match code {
                0 => drop(scene.judged(more, 0)),
                _ => scene.not_let_in(more, 1, 0, "policy-refused"),
            }
        }
        scene.bench.ends(
            &[
                "verify",
                "oci:build:multi",
                "--policy",
                "policy.yaml",
                "--as",
                "registry.example/app",
                "--platform",
                "linux/amd64",
            ],
            code,
        );
    }
    decide(&scene, "oci:build:multi", "approved", "2025-03-01T00:00:00Z");
    scene.policy(&approved_policy("either"));
    assert_eq!(
        scene.judged(&["--platform", "linux/amd64"], 0)["images"][0]["digest"],
        scene.multi.digest().to_string()
    );
}

// What cannot be read about the index may say no.
#[test]
fn an_index_that_cannot_be_evaluated_is_could_not_tell() {
    let scene = Scene::new();
    let [one, two] = scene.multi.children.as_slice() else { panic!("two platforms") };
    scene.saved(&[one]);
    scene.policy(&approved_policy("either"));
    decide(&scene, &format!("oci:build@{}", one.digest()), "approved", OLD);
    scene.judged(&[], 0);
    let known = scene.bench.snapshot("build/blobs/sha256");
    decide(&scene, "oci:build:multi", "rejected", NEW);
    let added: Vec<_> =
        scene.bench.snapshot("build/blobs/sha256").into_iter().filter(|it| !known.contains(it)).collect();
    assert!(!added.is_empty());
    for (name, _) in &added {
        fs::remove_file(scene.bench.path("build/blobs/sha256").join(name)).unwrap();
    }
    for more in [&[][..], &["--platform", "linux/amd64"]] {
        scene.not_let_in(more, 2, 0, "policy-refused");
    }
    for (name, bytes) in &added {
        fs::write(scene.bench.path("build/blobs/sha256").join(name), bytes).unwrap();
    }
    scene.judged(&[], 1);
    // A manifest that may be blocked, or have a blocked config.
    let scene = Scene::new();
    scene.saved(&[one]);
    sign_child(&scene, 0);
    scene.policy(BY_ALICE);
    let file = scene.bench.path("policy.yaml");
    let blocked = format!("blocked: [{{ digest: \"sha256:{}\", reason: backdoor }}]\nimages:", "0".repeat(64));
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("images:", &blocked)).unwrap();
    scene.judged(&[], 0);
    fs::remove_file(scene.bench.path(&format!("build/blobs/sha256/{}", two.digest().hex()))).unwrap();
    for more in [&[][..], &["--platform", "linux/amd64"]] {
        scene.judged(more, 2);
    }
}
