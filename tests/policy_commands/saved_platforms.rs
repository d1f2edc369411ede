//! Archives of `docker save` with one platform of an index, judged by policy files.

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
