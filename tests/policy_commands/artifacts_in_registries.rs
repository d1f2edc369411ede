//! A policy as an OCI artifact in a registry: pushed, signed, and used by its digest.

use std::fs;

use serde_json::Value;

use crate::artifacts;
use crate::scene::Scene;
use crate::support::registry::Quirks;
use crate::support::registry::Registry;

/// A registry with the policy of `artifacts`, under the tag `prod`: the reference by tag, and by digest.
fn pushed(scene: &Scene, registry: &Registry) -> (String, String) {
    artifacts::policy(scene);
    let tag = format!("{}/policies:prod", registry.address());
    let printed = scene.bench.ok(&["policy", "push", "rules/policy.yaml", &tag]).out;
    let digest = printed.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap().to_owned();
    (tag, format!("{}/policies@{digest}", registry.address()))
}

// A tag can be moved by others, so it names no policy.
#[test]
fn a_policy_in_a_registry_is_named_by_its_digest() {
    for quirks in ["referrers=on", "referrers=off"] {
        let scene = Scene::new();
        let registry = Registry::start(Quirks::polite().with(quirks));
        let (tag, pinned) = pushed(&scene, &registry);
        let verify = |place: &str, more: &[&str], code: i32| {
            scene.bench.ends(&[&artifacts::verify(&["--policy", place])[..], more].concat(), code)
        };
        verify(&pinned, &[], 1);
        scene.sign("v1", "alice", &[]);
        verify(&pinned, &[], 0);
        verify(&tag, &[], 2);
        let id = |place: &str| -> Value {
            let checked = scene.bench.ok(&["policy", "check", place, "--output", "json"]).out;
            serde_json::from_str::<Value>(&checked).unwrap()["results"][0]["id"].clone()
        };
        assert_eq!(id(&pinned), id("rules/policy.yaml"));
        // Signed as an image is, by the digest or by the tag.
        let signed = |key: &str, code: i32| verify(&pinned, &["--policy-key", key], code);
        signed("bob.pub", 2);
        scene.bench.ok(&["sign", &tag, "--key", "importer.key"]);
        signed("bob.pub", 2);
        scene.bench.ok(&["sign", &pinned, "--key", "bob.key"]);
        signed("bob.pub", 0);
        signed("alice.pub", 2);
        // A copy has the signatures, and the same digest.
        let copied = format!("{}/copied", registry.address());
        let (_, digest) = pinned.split_once('@').unwrap();
        scene.bench.ok(&["copy", &pinned, &format!("{copied}:prod")]);
        verify(&format!("{copied}@{digest}"), &["--policy-key", "bob.pub"], 0);
        // Another policy under the same tag has another digest, and nobody signed it.
        let changed = fs::read_to_string(scene.bench.path("rules/policy.yaml")).unwrap().replace("2099", "2098");
        fs::write(scene.bench.path("rules/policy.yaml"), changed).unwrap();
        let printed = scene.bench.ok(&["policy", "push", "rules/policy.yaml", &tag]).out;
        assert!(!printed.contains(digest), "{printed}");
        signed("bob.pub", 0);
        let other = printed.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
        let other = format!("{}/policies@{other}", registry.address());
        verify(&other, &["--policy-key", "bob.pub"], 2);
        verify(&other, &[], 0);
    }
}

// What cannot be fetched decides nothing.
#[test]
fn a_policy_that_is_not_there_is_could_not_tell() {
    let scene = Scene::new();
    scene.sign("v1", "alice", &[]);
    let registry = Registry::start(Quirks::polite());
    let (_, pinned) = pushed(&scene, &registry);
    let missing = format!("{}/other@{}", registry.address(), pinned.split_once('@').unwrap().1);
    scene.bench.unknown(&artifacts::verify(&["--policy", &missing]));
    drop(registry);
    scene.bench.unknown(&artifacts::verify(&["--policy", &pinned, "--timeout", "3s"]));
    fs::write(scene.bench.path("broken.yaml"), "bulla-policy: 1\n").unwrap();
    scene.bench.unknown(&["policy", "push", "broken.yaml", "127.0.0.1:1/policies:prod"]);
}
