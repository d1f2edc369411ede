//! A policy as an OCI artifact: pushed with its files, signed as an image is, used by `--policy`.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::scene::Scene;
use crate::support::image;
use crate::support::image::TestImage;

/// A layer: media type, title and bytes.
type Layer<'a> = (&'a str, Option<&'a str>, Vec<u8>);

const KIND: &str = "application/vnd.bulla.policy.v1+yaml";

/// A policy in a directory, which names keys below it by their digests.
pub fn policy(scene: &Scene) -> String {
    fs::create_dir_all(scene.bench.path("rules/keys")).unwrap();
    let key = fs::read(scene.bench.path("alice.pub")).unwrap();
    fs::write(scene.bench.path("rules/keys/alice.pub"), &key).unwrap();
    let sha256 = bulla::digest::Digest::sha256(&key).hex();
    let text = format!(
        "bulla-policy: 1\nexpires: 2099-12-31\nidentities:\n  alice: {{ keys: [{{ file: keys/alice.pub, sha256: \"{sha256}\" }}] }}\nimages:\n  - match: [registry.example/app]\n    require: [{{ signature: {{ by: [alice] }} }}]\n"
    );
    fs::write(scene.bench.path("rules/policy.yaml"), &text).unwrap();
    text
}

pub fn verify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["verify", "oci:build:v1", "--as", "registry.example/app"][..], more].concat()
}

#[test]
fn a_pushed_policy_decides_as_its_file_does() {
    let scene = Scene::new();
    policy(&scene);
    scene.bench.ok(&["policy", "push", "rules/policy.yaml", "oci:policies:prod"]);
    for place in ["rules/policy.yaml", "oci:policies:prod"] {
        scene.bench.refused(&verify(&["--policy", place]));
    }
    scene.sign("v1", "alice", &[]);
    for place in ["rules/policy.yaml", "oci:policies:prod"] {
        scene.bench.ok(&verify(&["--policy", place]));
    }
    let check = |place: &str| -> Value {
        serde_json::from_str(&scene.bench.ok(&["policy", "check", place, "--output", "json"]).out).unwrap()
    };
    let (file, artifact) = (check("rules/policy.yaml"), check("oci:policies:prod"));
    assert_eq!(file["results"][0]["id"], artifact["results"][0]["id"]);
    assert_eq!(file["results"][0]["files"], artifact["results"][0]["files"]);
    // An archive, copied with everything that belongs to it.
    scene.bench.ok(&["copy", "oci:policies:prod", "oci-archive:policies.tar:prod"]);
    scene.bench.ok(&verify(&["--policy", "oci-archive:policies.tar:prod"]));
    // A name that is taken, and no name.
    fs::write(scene.bench.path("other.yaml"), policy(&scene).replace("keys/alice.pub", "rules/keys/alice.pub"))
        .unwrap();
    scene.bench.unknown(&["policy", "push", "other.yaml", "oci:policies:prod"]);
    scene.bench.ok(&["policy", "push", "other.yaml", "oci:policies:prod", "--overwrite"]);
    scene.bench.unknown(&["policy", "push", "rules/policy.yaml", "oci:policies"]);
    fs::write(scene.bench.path("broken.yaml"), "bulla-policy: 1\n").unwrap();
    scene.bench.unknown(&["policy", "push", "broken.yaml", "oci:new:prod"]);
    assert!(!scene.bench.path("new").exists());
}

#[test]
fn a_policy_key_wants_the_signature_of_the_manifest() {
    let scene = Scene::new();
    policy(&scene);
    scene.sign("v1", "alice", &[]);
    scene.bench.ok(&["policy", "push", "rules/policy.yaml", "oci:policies:prod"]);
    let signed = verify(&["--policy", "oci:policies:prod", "--policy-key", "bob.pub"]);
    let printed = scene.bench.unknown(&signed);
    assert!(printed.err.contains("not signed by a key that is trusted for policies"), "{}", printed.err);
    scene.bench.ok(&["sign", "oci:policies:prod", "--key", "importer.key"]);
    scene.bench.unknown(&signed);
    // An attestation about it is no signature of it.
    fs::write(scene.bench.path("predicate.json"), "{}").unwrap();
    let attest = ["attest", "oci:policies:prod", "--key", "bob.key", "--type", "https://example.com/a", "--predicate"];
    scene.bench.ok(&[&attest[..], &["predicate.json"]].concat());
    scene.bench.unknown(&signed);
    scene.bench.ok(&["sign", "oci:policies:prod", "--key", "bob.key"]);
    scene.bench.ok(&signed);
    let report: Value =
        serde_json::from_str(&scene.bench.ok(&[&signed[..], &["--output", "json"]].concat()).out).unwrap();
    assert!(report["results"][0]["policies"][0]["policy"]["signedBy"].is_string(), "{report}");
    // Another policy under the same name is not the one that was signed.
    let changed = policy(&scene).replace("2099-12-31", "2098-12-31");
    fs::write(scene.bench.path("rules/policy.yaml"), changed).unwrap();
    scene.bench.ok(&["policy", "push", "rules/policy.yaml", "oci:policies:prod", "--overwrite"]);
    scene.bench.unknown(&signed);
}

#[test]
fn a_signed_policy_without_an_end_or_digests_is_not_used() {
    let scene = Scene::new();
    let text = policy(&scene);
    scene.sign("v1", "alice", &[]);
    let start = text.split(", sha256").next().unwrap().to_owned();
    let unpinned = text.replace(&text[start.len()..text.find(" }] }\nimages").unwrap()], "");
    for (name, text) in [("endless", text.replace("expires: 2099-12-31\n", "")), ("unpinned", unpinned)] {
        fs::write(scene.bench.path("rules/policy.yaml"), text).unwrap();
        let place = format!("oci:policies:{name}");
        scene.bench.ok(&["policy", "push", "rules/policy.yaml", &place]);
        scene.bench.ok(&["sign", &place, "--key", "bob.key"]);
        scene.bench.ok(&verify(&["--policy", &place]));
        scene.bench.unknown(&verify(&["--policy", &place, "--policy-key", "bob.pub"]));
    }
}

/// An artifact with these layers.
fn artifact(kind: &str, layers: &[Layer<'_>]) -> TestImage {
    let mut made = image::image(1);
    made.config = b"{}".to_vec();
    made.layers = layers.iter().map(|(.., bytes)| bytes.clone()).collect();
    let layer = |(media_type, title, bytes): &Layer<'_>| {
        let mut layer = serde_json::to_value(bulla::oci::Descriptor::of(media_type, bytes)).unwrap();
        if let Some(title) = title {
            layer["annotations"] = json!({"org.opencontainers.image.title": title});
        }
        layer
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": kind,
        "config": bulla::oci::Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    });
    made.manifest = manifest.to_string().into_bytes();
    made.descriptor = bulla::oci::Descriptor::of("application/vnd.oci.image.manifest.v1+json", &made.manifest);
    made
}

#[test]
fn an_artifact_that_is_no_policy_is_not_used() {
    let scene = Scene::new();
    let text = policy(&scene).into_bytes();
    let key = fs::read(scene.bench.path("alice.pub")).unwrap();
    scene.sign("v1", "alice", &[]);
    let file = "application/octet-stream";
    let rules = || (KIND, Some("policy.yaml"), text.clone());
    let named = |title| (file, Some(title), key.clone());
    let good = named("keys/alice.pub");
    let many: Vec<String> = (0..64).map(|number| format!("file-{number}")).collect();
    let too_many: Vec<_> = many.iter().map(|title| (file, Some(title.as_str()), b"x".to_vec())).collect();
    let cases: Vec<(&str, Vec<Layer<'_>>, &str)> = vec![
        ("application/vnd.other", vec![rules(), good.clone()], "no policy"),
        (KIND, vec![good.clone()], "0 policy files"),
        (KIND, vec![rules(), (KIND, Some("second.yaml"), text.clone()), good.clone()], "2 policy files"),
        (KIND, vec![rules(), named("../alice.pub"), good.clone()], "no title"),
        (KIND, vec![rules(), named("/keys/alice.pub"), good.clone()], "no title"),
        (KIND, vec![rules(), good.clone(), named("Keys/alice.pub")], "no title"),
        (KIND, vec![rules(), (file, None, key.clone())], "no title"),
        (KIND, vec![rules(), good.clone(), (file, Some("big"), vec![b'x'; (1 << 20) + 1])], "the bytes of a layer"),
        (KIND, [vec![rules()], too_many].concat(), "the number of its layers"),
        (KIND, vec![rules(), named("other.pub")], "no such file"),
    ];
    let accepted = artifact(KIND, &[rules(), good.clone()]);
    image::layout(&scene.bench.path("made"), &[(Some("prod"), &accepted)]);
    scene.bench.ok(&verify(&["--policy", "oci:made:prod"]));
    for (number, (kind, layers, says)) in cases.into_iter().enumerate() {
        let place = format!("made-{number}");
        image::layout(&scene.bench.path(&place), &[(Some("prod"), &artifact(kind, &layers))]);
        let printed = scene.bench.unknown(&verify(&["--policy", &format!("oci:{place}:prod")]));
        assert!(printed.err.contains(says), "{says}: {}", printed.err);
    }
    // A file with the name of a reference is neither.
    fs::write(scene.bench.path("oci:made:prod"), &text).unwrap();
    scene.bench.unknown(&verify(&["--policy", "oci:made:prod"]));
    fs::remove_file(scene.bench.path("oci:made:prod")).unwrap();
    // An image, and a tag of a registry, which is a file that is not there.
    scene.bench.unknown(&verify(&["--policy", "oci:build:v1"]));
    scene.bench.unknown(&verify(&["--policy", "registry.example/policies:prod"]));
}
