//! Files of attestations, JSON lines: beside what is attached to an image, with a policy and without one, and carried along by
//! an import.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::documents::APPROVAL;
use crate::documents::approval;
use crate::scene::Scene;

/// The attestations and signatures of alice about `v1`, `multi` and each platform of that are in `all.jsonl`; the layout `bare`
/// has the same images and nothing attached.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.bench.layout("bare", &[("v1", &scene.one), ("multi", &scene.multi)]);
    scene.sign("v1", "alice", &[]);
    scene.sign("multi", "alice", &["--all-platforms"]);
    for (tag, more) in [("v1", None), ("multi", Some("--all-platforms"))] {
        scene.attest_to(tag, "alice", APPROVAL, &approval(&json!("approved")), more.as_slice());
    }
    let mut lines = String::new();
    for (_, bytes) in scene.bench.snapshot("build/blobs/sha256") {
        if let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(&bytes)
            && document.contains_key("dsseEnvelope")
        {
            lines.push_str(&format!("{}\n", Value::Object(document)));
        }
    }
    // Two statements about each of four manifests.
    assert_eq!(lines.lines().count(), 8);
    fs::write(scene.bench.path("all.jsonl"), lines).unwrap();
    scene
}

const FILE: [&str; 2] = ["--evidence", "all.jsonl"];

#[test]
fn a_verification_with_a_key() {
    let scene = scene();
    let key = ["--key", "alice.pub"];
    let approved = ["--type", APPROVAL];
    for (more, with) in [
        (&["oci:bare:v1"][..], 0),
        (&["oci:bare:multi", "--all-platforms"], 0),
        (&["oci:bare:multi", "--platform", "linux/arm64"], 0),
        (&["oci:bare:v1", "--layers"], 0),
        (&["oci:bare:v1", "--output", "json"], 0),
    ] {
        for kind in [&[][..], &approved] {
            let line = [&["verify"], more, &key, kind].concat();
            scene.bench.refused(&line);
            scene.bench.ends(&[&line[..], &FILE].concat(), with);
            // Owners are asked for, not files.
            let other = [&["verify"], more, &["--key", "bob.pub"], kind, &FILE].concat();
            scene.bench.refused(&other);
        }
    }
    let printed = scene.bench.ok(&[&["verify", "oci:bare:v1"], &key[..], &FILE].concat());
    assert!(printed.out.contains("all.jsonl:"), "{}", printed.out);
}

// A line that cannot be read may hold anything: could not tell, unless the others are enough. One about another image is not
// looked at.
#[test]
fn a_line_that_cannot_be_read() {
    let scene = scene();
    let all = fs::read_to_string(scene.bench.path("all.jsonl")).unwrap();
    fs::write(scene.bench.path("broken.jsonl"), "{\"mediaType\": \"application/vnd.dev.sigstore\n").unwrap();
    let line = ["verify", "oci:bare:v1", "--key", "alice.pub", "--evidence", "broken.jsonl"];
    let printed = scene.bench.unknown(&line);
    assert!(printed.err.contains("broken.jsonl"), "{}", printed.err);
    scene.bench.ok(&[&line[..], &FILE].concat());
    let subject = scene.one.digest().hex();
    let others: String =
        all.lines().filter(|line| !decoded(line).contains(&subject)).map(|line| format!("{line}\n")).collect();
    assert_eq!(others.lines().count(), 6);
    fs::write(scene.bench.path("others.jsonl"), others).unwrap();
    scene.bench.refused(&["verify", "oci:bare:v1", "--key", "alice.pub", "--evidence", "others.jsonl"]);
}

fn decoded(line: &str) -> String {
    let bundle: Value = serde_json::from_str(line).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let payload = bulla::envelope::base64::decode("payload", payload).unwrap();
    String::from_utf8(payload).unwrap()
}

// What counted is attached at the destination, byte for byte, and is enough there without the file.
#[test]
fn an_import_carries_what_counted() {
    let scene = scene();
    scene.policy_with(
        &["signature: { by: [alice] }", &format!("statement: {{ by: [alice], type: \"{APPROVAL}\", max-age: none }}")],
        "",
    );
    let by = ["--policy", "policy.yaml", "--as", "registry.example/app"];
    for image in ["v1", "multi"] {
        let (from, to) = (format!("oci:bare:{image}"), format!("oci:inside-{image}"));
        let import = [&["import", &from, &to], &by[..]].concat();
        scene.bench.refused(&import);
        scene.bench.ok(&[&import[..], &FILE].concat());
        scene.bench.ok(&[&["verify", &to], &by[..]].concat());
        scene.bench.ok(&["verify", &to, "--key", "alice.pub"]);
    }
    // The same, by a key.
    let import = ["import", "oci:bare:v1", "oci:by-key:v1", "--key", "alice.pub"];
    scene.bench.refused(&import);
    assert!(!scene.bench.path("by-key").exists());
    scene.bench.ok(&[&import[..], &FILE].concat());
    scene.bench.ok(&["verify", "oci:by-key:v1", "--key", "alice.pub"]);
    let sent: Vec<_> = fs::read_to_string(scene.bench.path("all.jsonl")).unwrap().lines().map(str::to_owned).collect();
    let kept = scene.bench.snapshot("by-key/blobs/sha256");
    assert_eq!(kept.iter().filter(|(_, bytes)| sent.iter().any(|line| line.as_bytes() == bytes.as_slice())).count(), 1);
    // Another time nothing is new.
    let before = scene.bench.snapshot("by-key");
    scene.bench.ok(&[&import[..], &FILE].concat());
    assert_eq!(scene.bench.snapshot("by-key"), before);
}

// `policy explain` takes the files that `verify` takes.
#[test]
fn an_explanation_with_a_file() {
    let scene = scene();
    scene.policy("signature: { by: [alice] }");
    let explain = ["policy", "explain", "policy.yaml", "oci:bare:v1", "--as", "registry.example/app"];
    let missing = scene.bench.refused(&explain).out;
    assert!(missing.contains("signature") && missing.contains("bulla sign"), "{missing}");
    let met = scene.bench.ok(&[&explain[..], &FILE].concat()).out;
    assert!(met.contains("nothing is missing"), "{met}");
    scene.policy("signature: { by: [bob] }");
    scene.bench.refused(&[&explain[..], &FILE].concat());
    // A name has no evidence.
    let name = ["policy", "explain", "policy.yaml", "registry.example/app"];
    scene.bench.ok(&name);
    let refused = scene.bench.unknown(&[&name[..], &FILE].concat());
    assert!(refused.err.contains("evidence is about an image"), "{}", refused.err);
    scene.bench.unknown(&[&explain[..], &["--evidence", "oci:build:v1"]].concat());
    // Nobody in the policy has a certificate.
    fs::write(scene.bench.path("crl.pem"), "").unwrap();
    let refused = scene.bench.unknown(&[&explain[..], &["--revocation", "crl.pem"]].concat());
    assert!(refused.err.contains("no identity is known by certificates"), "{}", refused.err);
}

// Together they are not larger than all evidence of one image may be.
#[test]
fn files_are_bounded_together() {
    let scene = scene();
    let half = " ".repeat(64 << 20);
    fs::write(scene.bench.path("half.jsonl"), &half).unwrap();
    fs::write(scene.bench.path("more.jsonl"), format!("{half}\n")).unwrap();
    let verify = ["verify", "oci:bare:v1", "--key", "alice.pub", "--evidence", "half.jsonl", "--evidence"];
    scene.bench.refused(&[&verify[..], &["half.jsonl"]].concat());
    let refused = scene.bench.unknown(&[&verify[..], &["more.jsonl"]].concat());
    assert!(refused.err.contains("(evidence.bytes)"), "{}", refused.err);
}

// A file is never taken for a place or an image, nor a place for a file.
#[test]
fn a_file_is_never_mistaken_for_another_place() {
    let scene = scene();
    let key = ["--key", "alice.pub"];
    for (line, says) in [
        (
            &["verify", "oci:bare:v1", "--evidence", "oci:build:v1", "--evidence", "all.jsonl"][..],
            "names one place, or files",
        ),
        (&["verify", "image-id", "sha256:0", "--evidence", "all.jsonl"], "kept elsewhere"),
        (
            &["import", "oci:bare:v1", "oci:other:v1", "--evidence", "oci:build"],
            "cannot be imported by evidence from elsewhere",
        ),
        (&["import", "oci:bare:v1", "oci:other:v1", "--evidence", "missing.jsonl"], "missing.jsonl"),
    ] {
        let printed = scene.bench.unknown(&[line, &key].concat());
        assert!(printed.err.contains(says), "{}", printed.err);
        assert!(!scene.bench.path("other").exists());
    }
    for line in [
        &["copy", "--evidence", "all.jsonl", "oci:bare:v1", "oci:other:v1"][..],
        &["copy", "all.jsonl", "oci:other:v1", "--policy", "policy.yaml", "--as", "registry.example/app"],
    ] {
        scene.policy("signature: { by: [alice] }");
        let printed = scene.bench.unknown(line);
        assert!(printed.err.contains("`all.jsonl` is a file of attestations, and copy takes none"), "{}", printed.err);
        assert!(!scene.bench.path("other").exists());
    }
}
