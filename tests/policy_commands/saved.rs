//! Archives of `docker save`, judged by policy files, by evidence that is kept elsewhere or in the archive.

use std::fs;
use std::fs::File;
use std::process::Command;

use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::oci::Descriptor;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;

use crate::documents::APPROVAL;
use crate::documents::approval;
use crate::scene::Scene;
use crate::support::docker_archive::docker_archive;
use crate::support::docker_archive::with_layout;
use crate::support::image;
use crate::support::image::TestImage;
use crate::support::schema;

pub const BY_ALICE: &str = "signature: { by: [alice] }";
const VERIFY: [&str; 8] = [
    "verify",
    "docker-archive:a.tar",
    "--policy",
    "policy.yaml",
    "--as",
    "registry.example/app",
    "--evidence",
    "oci:build",
];

impl Scene {
    /// Writes the archive `a.tar` of these images, without a layout.
    pub fn saved(&self, images: &[&TestImage]) {
        fs::write(self.bench.path("a.tar"), docker_archive(images)).unwrap();
    }

    /// Verifies `a.tar` from the file and from a pipe, by all that is in `build`; returns the report of the file.
    pub fn judged(&self, more: &[&str], code: i32) -> Value {
        let line = [&VERIFY[..], more, &["--output", "json"]].concat();
        let printed = self.bench.ends(&line, code);
        let report: Value = serde_json::from_str(&printed.out).unwrap();
        let faults = schema::faults_of_report(&report);
        assert!(faults.is_empty(), "{faults:?}");
        let (mut piped, mut result) = (self.piped(&line, code), report["results"][0].clone());
        // The reports say when and what.
        piped["reference"] = result["reference"].clone();
        let error = piped["error"].as_str().map(|text| text.replace("docker-archive:-", VERIFY[1]));
        error.into_iter().for_each(|error| piped["error"] = json!(error));
        for report in [&mut piped, &mut result] {
            let images = report["images"].as_array_mut().into_iter().flatten();
            let policies = images.filter_map(|image| image["policies"].as_array_mut()).flatten();
            policies.for_each(|policy| policy["now"] = Value::Null);
        }
        assert_eq!(piped, result);
        result
    }

    /// The same line, with the archive on standard input.
    fn piped(&self, line: &[&str], code: i32) -> Value {
        let line = line.iter().map(|word| if *word == VERIFY[1] { "docker-archive:-" } else { word });
        let mut program = Command::new(env!("CARGO_BIN_EXE_bulla"));
        let archive = File::open(self.bench.path("a.tar")).unwrap();
        let output = program.args(line).current_dir(self.bench.path("")).stdin(archive).output().unwrap();
        let says = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{says}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["results"][0].clone()
    }

    /// `a.tar` is not let in, with this exit code, for this reason about this image.
    pub fn not_let_in(&self, more: &[&str], code: i32, image: usize, reason: &str) {
        let result = self.judged(more, code);
        let codes: Vec<_> =
            result["images"][image]["faults"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
        assert!(codes.contains(&&json!(reason)), "{result:#}");
        assert_eq!(result["accepted"], false);
    }

    /// Puts a line before the block of the policy.
    fn in_policy(&self, line: &str) {
        let file = self.bench.path("policy.yaml");
        let policy = fs::read_to_string(&file).unwrap();
        fs::write(&file, policy.replace("images:", &format!("{line}\nimages:"))).unwrap();
    }
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.sign("v1", "alice", &[]);
    scene.saved(&[&scene.one]);
    scene.policy(BY_ALICE);
    scene
}

#[test]
fn the_chain_is_named() {
    let scene = scene();
    let result = scene.judged(&[], 0);
    let image = &result["images"][0];
    assert_eq!((&result["accepted"], &result["verdict"]), (&json!(true), &json!("verified")));
    for field in ["digest", "manifest"] {
        assert_eq!(image[field], scene.one.digest().to_string());
    }
    assert_eq!((&image["layers"], &image["policies"][0]["verdict"]), (&json!(2), &json!("verified")));
    let text = scene.bench.ok(&VERIFY).out;
    for part in [
        format!("verified {}  docker-archive:a.tar\n  policy policy.yaml:", scene.one.digest()),
        format!("  image id {}\n  layers read: 2 layers (", image["imageId"].as_str().unwrap()),
    ] {
        assert!(text.contains(&part), "{text}");
    }
    // In every form of evidence.
    scene.bench.ok(&["copy", "--evidence", "oci:build:v1", "oci-archive:e.tar"]);
    for place in ["oci:build:v1", "oci-archive:e.tar", "e.tar", "build"] {
        scene.bench.ok(&[&VERIFY[..7], &[place]].concat());
    }
    scene.bench.refused(&[&VERIFY[..7], &["oci:build:multi"]].concat());
    // The layers are read anyway.
    scene.bench.ok(&[&VERIFY[..], &["--layers"]].concat());
}

#[test]
fn a_policy_that_refuses() {
    let scene = scene();
    scene.policy("signature: { by: [bob] }");
    scene.not_let_in(&[], 1, 0, "policy-refused");
    let refused = scene.bench.refused(&VERIFY);
    assert!(refused.err.contains("no-statement") || refused.err.contains("policy.yaml:12"), "{}", refused.err);
    assert!(refused.err.contains(&format!("hint: bulla tree oci:build@{}", scene.one.digest())), "{}", refused.err);
    scene.policy_with(&[BY_ALICE, "sbom: { by: [alice] }"], "");
    scene.not_let_in(&[], 1, 0, "policy-refused");
    // No block is for the name.
    scene.policy(BY_ALICE);
    let other: Vec<_> = VERIFY.iter().map(|word| word.replace("example/app", "example/other")).collect();
    scene.bench.refused(&other.iter().map(String::as_str).collect::<Vec<_>>());
    // An expired policy decides nothing.
    scene.in_policy("expires: 2026-01-01");
    assert!(scene.bench.unknown(&VERIFY).err.contains("policy-expired"));
    // All must let it in.
    scene.policy("signature: { by: [bob] }");
    fs::rename(scene.bench.path("policy.yaml"), scene.bench.path("other.yaml")).unwrap();
    scene.policy(BY_ALICE);
    scene.judged(&[], 0);
    scene.not_let_in(&["--policy", "other.yaml"], 1, 0, "policy-refused");
    scene.sign("v1", "bob", &[]);
    let result = scene.judged(&["--policy", "other.yaml"], 0);
    assert_eq!(result["images"][0]["policies"].as_array().unwrap().len(), 2);
}

// A name in the archive, or at the place of the evidence, is nobody's word.
#[test]
fn the_name_is_typed() {
    let scene = scene();
    let without = [&VERIFY[..4], &VERIFY[6..]].concat();
    let unknown = scene.bench.unknown(&without);
    assert!(unknown.err.contains("--as HOST/REPOSITORY"), "{}", unknown.err);
    let named = [&["verify", "docker-archive:a.tar:registry.example/app:1.0"], &VERIFY[2..]].concat();
    assert!(scene.bench.unknown(&named).err.contains("names one image"));
    for (more, says) in [
        (&["--evidence", "oci:build"][..], "one place"),
        (&["--all-platforms"], "--all-platforms"),
        (&["--type", "spdx"], "--type"),
        (&["--output", "predicate"], "predicates"),
    ] {
        let unknown = scene.bench.unknown(&[&VERIFY[..], more].concat());
        assert!(unknown.err.contains(says), "{}", unknown.err);
    }
    let other = [&["verify", "oci:build:v1"], &VERIFY[2..]].concat();
    assert!(scene.bench.unknown(&other).err.contains("is no docker-archive"));
    let id = [&["verify", "image-id", "sha256:0"], &VERIFY[2..]].concat();
    assert!(scene.bench.unknown(&id).err.contains("not judged by a policy file"));
    // With a key, --platform stays what it was.
    let by_key = ["verify", "docker-archive:a.tar", "--evidence", "oci:build", "--key", "alice.pub"];
    scene.bench.ok(&by_key);
    scene.bench.unknown(&[&by_key[..], &["--platform", "linux/amd64"]].concat());
}

#[test]
fn every_image_and_every_layer() {
    let scene = scene();
    let mut changed = scene.one.clone();
    changed.layers[1][7] ^= 1;
    scene.saved(&[&changed]);
    scene.not_let_in(&[], 1, 0, "layers-differ");
    changed.layers.pop();
    scene.saved(&[&changed]);
    scene.not_let_in(&[], 1, 0, "layers-differ");
    let two = image::image(2);
    scene.saved(&[&scene.one, &two]);
    scene.not_let_in(&[], 1, 1, "config-unknown");
    scene.bench.layout("more", &[("two", &two)]);
    scene.bench.ok(&["copy", "oci:more:two", "oci:build:two"]);
    scene.not_let_in(&[], 1, 1, "policy-refused");
    assert_eq!(scene.judged(&[], 1)["images"][0]["verdict"], "verified");
    let refused = scene.bench.refused(&VERIFY).err;
    assert!(refused.contains("not all are let in") && refused.contains("\n  let in    sha256:"), "{refused}");
    scene.sign("two", "alice", &[]);
    assert_eq!(scene.judged(&[], 0)["images"].as_array().unwrap().len(), 2);
}

// Another manifest with the same content does not clear a blocked one, nor a part of a blocked index.
#[test]
fn a_blocked_digest() {
    let scene = scene();
    let mut manifest: Value = serde_json::from_slice(&scene.one.manifest).unwrap();
    manifest["annotations"] = json!({"copy": "second"});
    let manifest = manifest.to_string().into_bytes();
    let descriptor = Descriptor::of(&scene.one.descriptor.media_type, &manifest);
    let second = TestImage { manifest, descriptor, ..scene.one.clone() };
    scene.bench.layout("more", &[("second", &second)]);
    scene.bench.ok(&["copy", "oci:more:second", "oci:build:second"]);
    scene.sign("second", "alice", &[]);
    scene.bench.ok(&["sign", "oci:build:multi", "--key", "alice.key", "--all-platforms"]);
    let child = &scene.multi.children[1];
    let digest = |bytes: &[u8]| Digest::sha256(bytes);
    for (image, blocked) in [
        (&scene.one, scene.one.digest()),
        (&scene.one, second.digest()),
        (&scene.one, digest(&scene.one.config)),
        (&scene.one, digest(&scene.one.layers[1])),
        (child, scene.multi.digest()),
        (child, child.digest()),
    ] {
        scene.saved(&[image]);
        scene.policy(BY_ALICE);
        scene.judged(&[], 0);
        scene.in_policy(&format!("blocked: [{{ digest: \"{blocked}\", reason: backdoor }}]"));
        scene.not_let_in(&[], 1, 0, "blocked");
        assert!(scene.bench.refused(&VERIFY).err.contains("is blocked: backdoor"));
    }
    // A blocked platform refuses its index, and does not give way to the manifest of another one.
    scene.policy(BY_ALICE);
    scene.in_policy(&format!("blocked: [{{ digest: \"{}\", reason: backdoor }}]", scene.multi.children[0].digest()));
    scene.not_let_in(&[], 1, 0, "policy-refused");
    // By whatever algorithm.
    let second = Digest::of(DigestAlgorithm::Sha512, &second.manifest);
    scene.saved(&[&scene.one]);
    scene.policy(BY_ALICE);
    scene.in_policy(&format!("blocked: [{{ digest: \"{second}\", reason: backdoor }}]"));
    scene.not_let_in(&[], 1, 0, "blocked");
}

// The archive has unpacked layers, and the manifest names packed ones.
#[test]
fn a_layer_that_cannot_be_compared_with_a_blocked_digest() {
    let scene = Scene::new();
    let layers: Vec<_> = (0..2).map(|number| format!("packed {number}").into_bytes()).collect();
    let mut manifest: Value = serde_json::from_slice(&scene.one.manifest).unwrap();
    let described = |layer: &Vec<u8>| Descriptor::of("application/vnd.oci.image.layer.v1.tar+gzip", layer);
    manifest["layers"] = json!(layers.iter().map(described).collect::<Vec<_>>());
    let manifest = manifest.to_string().into_bytes();
    let descriptor = Descriptor::of(media_type::OCI_MANIFEST, &manifest);
    let packed = TestImage { manifest, descriptor, layers, ..scene.one.clone() };
    scene.bench.layout("build", &[("packed", &packed)]);
    scene.sign("packed", "alice", &[]);
    scene.saved(&[&scene.one]);
    let judged = |bytes: &[u8], algorithm: DigestAlgorithm, code: i32, reason: &str| {
        scene.policy(BY_ALICE);
        let blocked = Digest::of(algorithm, bytes);
        scene.in_policy(&format!("blocked: [{{ digest: \"{blocked}\", reason: backdoor }}]"));
        if code == 0 {
            scene.judged(&[], 0);
        } else {
            scene.not_let_in(&[], code, 0, reason);
        }
    };
    let (sha256, sha512) = (DigestAlgorithm::Sha256, DigestAlgorithm::Sha512);
    judged(b"another", sha256, 0, "");
    judged(&scene.one.layers[1], sha256, 1, "blocked");
    judged(&packed.layers[1], sha256, 1, "blocked");
    judged(&scene.one.config, sha512, 1, "blocked");
    judged(&packed.manifest, sha512, 1, "blocked");
    judged(&packed.layers[1], sha512, 1, "policy-refused");
    judged(&scene.one.layers[1], sha512, 2, "layer-not-compared");
    judged(b"another", sha512, 2, "layer-not-compared");
    // What is refused anyway is no question.
    scene.policy("signature: { by: [bob] }");
    scene.in_policy(&format!("blocked: [{{ digest: \"{}\", reason: backdoor }}]", Digest::of(sha512, b"another")));
    scene.not_let_in(&[], 1, 0, "policy-refused");
    // The blobs of the manifest were compared.
    scene.bench.layout("build", &[("v1", &scene.one)]);
    scene.sign("v1", "alice", &[]);
    judged(b"another", sha512, 0, "");
    judged(&scene.one.layers[1], sha512, 1, "policy-refused");
}

// What is exempted is what the evidence has, and nothing else.
#[test]
fn an_exemption_is_for_what_the_evidence_has() {
    let scene = scene();
    let exempting = "bulla-policy: 1
identities:
  alice: { keys: [{ file: alice.pub }] }
images:
  - match: [registry.example/app]
    accept-unsigned: { reason: not signed upstream, owner: platform, until: 2099-01-01 }
";
    fs::write(scene.bench.path("policy.yaml"), exempting).unwrap();
    scene.saved(&[&scene.multi.children[0]]);
    let result = scene.judged(&[], 0);
    assert_eq!((&result["accepted"], &result["verdict"]), (&json!(true), &json!("exempted")));
    assert_eq!(result["images"][0]["verdict"], "exempted");
    let printed = scene.bench.ok(&VERIFY);
    assert!(printed.out.starts_with(&format!("accepted unsigned {}", scene.multi.digest())), "{}", printed.out);
    assert!(printed.err.contains("warning: accepted unsigned"), "{}", printed.err);
    assert!(printed.out.contains("  image id sha256:"), "{}", printed.out);
    scene.judged(&["--platform", "linux/amd64"], 0);
    scene.not_let_in(&["--platform", "linux/arm64"], 1, 0, "other-platform");
    scene.saved(&[&image::image(9)]);
    scene.not_let_in(&[], 1, 0, "config-unknown");
}

// With an OCI layout in the file, some loaders use that.
#[test]
fn an_image_beside_the_list() {
    let scene = scene();
    let write = |listed: &[&TestImage], entries: &[&TestImage]| {
        let entries: Vec<_> = entries.iter().map(|image| (*image, None)).collect();
        fs::write(scene.bench.path("a.tar"), with_layout(listed, &entries)).unwrap();
    };
    write(&[&scene.one], &[&scene.one]);
    scene.judged(&[], 0);
    write(&[&scene.one], &[&scene.one, &image::image(5)]);
    assert_eq!(scene.judged(&[], 1)["code"], "contradiction");
    scene.sign("multi", "alice", &[]);
    let one = &scene.multi.children[0];
    write(&[one], &[&scene.multi]);
    scene.judged(&[], 0);
    // For one platform the index is not judged whole.
    assert_eq!(scene.judged(&["--platform", "linux/amd64"], 1)["code"], "contradiction");
    let refused = scene.bench.refused(&[&VERIFY[..], &["--platform", "linux/amd64"]].concat());
    assert!(refused.err.contains("leave out --platform"), "{}", refused.err);
    write(&[one], &[one]);
    scene.judged(&["--platform", "linux/amd64"], 0);
}

// The archive holds its manifests and signatures itself.
#[test]
fn one_file_for_all() {
    let scene = scene();
    scene.sign("multi", "alice", &[]);
    scene.bench.ok(&["copy", "oci:build:v1", "docker-archive:all.tar"]);
    let verify = |reference: &str, more: &[&str], code: i32| {
        let printed = scene.bench.ends(&[&["verify", reference], &VERIFY[2..6], more].concat(), code);
        printed.out + &printed.err
    };
    let text = verify("docker-archive:all.tar", &[], 0);
    assert!(text.contains("  image id sha256:") && text.contains("layers read: 2 layers"), "{text}");
    assert!(verify("docker-archive:-", &[], 2).contains("--evidence PLACE"));
    fs::write(scene.bench.path("bare.tar"), docker_archive(&[&scene.one])).unwrap();
    assert!(verify("docker-archive:bare.tar", &[], 2).contains("--evidence PLACE"));
    scene.policy("signature: { by: [bob] }");
    verify("docker-archive:all.tar", &[], 1);
    scene.policy(BY_ALICE);
    // All images of the file must be let in, whichever is named.
    scene.bench.layout("more", &[("two", &image::image(2))]);
    scene.bench.ok(&["copy", "oci:more:two", "oci:build:two"]);
    scene.bench.ok(&["copy", "oci:build:two", "docker-archive:all.tar"]);
    for reference in ["docker-archive:all.tar:v1", "docker-archive:all.tar:two"] {
        assert!(verify(reference, &[], 1).contains("not all are let in"));
    }
    scene.sign("two", "alice", &[]);
    scene.bench.ok(&["copy", "oci:build:two", "docker-archive:all.tar"]);
    verify("docker-archive:all.tar:v1", &[], 0);
    assert!(verify("docker-archive:all.tar:none", &[], 2).contains("none"));
    // One platform is loaded: the index is signed, so its other ones are let in too.
    scene.bench.ok(&["copy", "oci:build:multi", "docker-archive:m.tar", "--platform", "linux/arm64"]);
    verify("docker-archive:m.tar", &[], 0);
    verify("docker-archive:m.tar", &["--platform", "linux/amd64"], 1);
    let several = ["docker-archive:m.tar", "--layers"];
    verify("docker-archive:all.tar:v1", &several, 0);
}

// Files of attestations are read beside the place.
#[test]
fn files_of_attestations() {
    let scene = scene();
    scene.attest("alice", APPROVAL, &approval(&json!("approved")), &[]);
    let mut lines = String::new();
    for (_, bytes) in scene.bench.snapshot("build/blobs/sha256") {
        if let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(&bytes)
            && document.contains_key("dsseEnvelope")
        {
            lines.push_str(&format!("{}\n", Value::Object(document)));
        }
    }
    fs::write(scene.bench.path("all.jsonl"), lines).unwrap();
    scene.bench.layout("bare", &[("v1", &scene.one)]);
    let line = [&VERIFY[..7], &["oci:bare"]].concat();
    scene.bench.refused(&line);
    scene.bench.ok(&[&line[..], &["--evidence", "all.jsonl"]].concat());
    scene.bench.ok(&[&VERIFY[..7], &["all.jsonl", "--evidence", "oci:bare"]].concat());
    // They say which manifest was attested, and not that the archive has it.
    scene.saved(&[&image::image(2)]);
    scene.bench.refused(&[&line[..], &["--evidence", "all.jsonl"]].concat());
}

#[test]
fn reports_name_each_image() {
    let scene = scene();
    let two = image::image(2);
    scene.saved(&[&scene.one, &two, &scene.multi.children[0]]);
    let reports = ["--report", "sarif=r.sarif", "--report", "junit=r.xml"];
    scene.bench.refused(&[&VERIFY[..], &reports].concat());
    let sarif = fs::read_to_string(scene.bench.path("r.sarif")).unwrap();
    let junit = fs::read_to_string(scene.bench.path("r.xml")).unwrap();
    let name = |image: &TestImage| format!("docker-archive:a.tar {}", Digest::sha256(&image.config));
    for image in [&scene.one, &two, &scene.multi.children[0]] {
        assert!(junit.contains(&format!("<testsuite name=\"{}\"", name(image))), "{junit}");
    }
    assert!(sarif.contains(&name(&two)) && sarif.contains("config-unknown"), "{sarif}");
    assert!(sarif.contains(&name(&scene.multi.children[0])) && !sarif.contains(&name(&scene.one)), "{sarif}");
    assert_eq!(junit.matches("failures=\"0\" errors=\"0\"").count(), 1, "{junit}");
    // The same if the archive as a whole is refused.
    fs::write(scene.bench.path("a.tar"), with_layout(&[&scene.one], &[(&scene.one, None), (&two, None)])).unwrap();
    scene.bench.refused(&[&VERIFY[..], &reports].concat());
    let sarif = fs::read_to_string(scene.bench.path("r.sarif")).unwrap();
    assert!(sarif.contains("contradiction"), "{sarif}");
}
