//! Images as the world makes them, through every verb of the real program: empty platforms, `null` lists, foreign layers,
//! withdrawn manifests, indexes inside indexes, versions of operating systems.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

mod support;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use bulla::oci::Descriptor;
use bulla::oci::media_type;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

/// A directory with keys and a layout `l` that nobody checked while it was made.
struct Work {
    dir: TempDir,
    entries: Vec<Value>,
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr))
    }
}

impl Work {
    fn new() -> Self {
        let dir = support::temp_dir();
        fs::create_dir_all(dir.path().join("l/blobs/sha256")).unwrap();
        fs::write(dir.path().join("l/oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        fs::write(dir.path().join("p.json"), "{}").unwrap();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys");
        for name in ["release.key", "release.pub"] {
            fs::copy(keys.join(name), dir.path().join(name)).unwrap();
        }
        Self { dir, entries: Vec::new() }
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let descriptor = Descriptor::of(media_type, bytes);
        fs::write(self.path(&descriptor.digest.hex()), bytes).unwrap();
        json!(descriptor)
    }

    fn path(&self, hex: &str) -> PathBuf {
        self.dir.path().join("l/blobs/sha256").join(hex)
    }

    fn document(&self, media_type: &str, fields: &Value) -> Value {
        self.blob(media_type, fields.to_string().as_bytes())
    }

    fn image_of(&self, config: &Value, layers: &Value) -> Value {
        let config = self.document(media_type::OCI_CONFIG, config);
        let image =
            json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config, "layers": layers});
        self.document(media_type::OCI_MANIFEST, &image)
    }

    /// An image of one layer for this platform; `seed` makes it another one.
    fn image(&self, platform: &Value, seed: &str) -> Value {
        let layer = self.blob("application/vnd.oci.image.layer.v1.tar", seed.as_bytes());
        self.image_of(&config(platform), &json!([layer]))
    }

    fn index(&self, manifests: &Value) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests});
        self.document(media_type::OCI_INDEX, &index)
    }

    /// Makes `descriptor` the image `v`.
    fn name(&mut self, descriptor: &Value) {
        self.entries.push(with(descriptor, "annotations", json!({"org.opencontainers.image.ref.name": "v"})));
        self.save();
    }

    fn save(&self) {
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        fs::write(self.dir.path().join("l/index.json"), index.to_string()).unwrap();
    }

    fn run(&self, command: &str) -> Ran {
        let words = command.split(' ').filter(|word| !word.is_empty());
        let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(words)
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// As [`Work::run`], for a command that has to end with this code.
    fn ends(&self, code: i32, command: &str) -> Ran {
        let ran = self.run(command);
        assert_eq!(ran.code, code, "{command}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    fn yes(&self, command: &str) -> Ran {
        self.ends(0, command)
    }

    /// Every verb that takes an image takes this one.
    fn every_verb(&self) {
        for command in [
            "sign oci:l:v --key release.key --all-platforms",
            "attest oci:l:v --key release.key --type custom --predicate p.json",
            "verify oci:l:v --key release.pub",
            "verify oci:l:v --key release.pub --all-platforms",
            "verify oci:l:v --key release.pub --type custom",
            "tree oci:l:v --key release.pub",
            "inspect oci:l:v",
            "copy oci:l:v oci:copied:v",
            "copy oci:l:v oci-archive:copied.tar:v",
            "import oci:copied:v oci:imported:v --key release.pub --all-platforms",
            "import oci-archive:copied.tar:v oci:again:v --key release.pub",
            "verify oci:imported:v --key release.pub --all-platforms",
            "request new oci:imported:v -o one.json --owner a=release.pub",
            "request new oci:imported:v -o all.json --owner a=release.pub --all-platforms",
            "request show one.json",
            "request sign all.json --key release.key --log log.jsonl -o answer.json --yes",
            "request attach all.json answer.json",
        ] {
            self.yes(command);
        }
    }
}

fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[field] = value;
    object
}

fn config(platform: &Value) -> Value {
    with(platform, "rootfs", json!({"type": "layers", "diff_ids": []}))
}

fn linux() -> Value {
    json!({"os": "linux", "architecture": "amd64"})
}

#[test]
fn lists_that_are_null_or_empty() {
    for layers in [Value::Null, json!([])] {
        let mut work = Work::new();
        let config = json!({
            "os": "linux", "architecture": "amd64", "os.features": null, "history": null,
            "config": {"Labels": null, "Env": null, "Cmd": null}, "rootfs": {"type": "layers", "diff_ids": null},
        });
        let image = work.image_of(&config, &layers);
        let image = json!({
            "mediaType": image["mediaType"], "digest": image["digest"], "size": image["size"], "annotations": null,
            "urls": null, "platform": {"os": "linux", "architecture": "amd64", "os.features": null},
        });
        let index = work.index(&json!([image]));
        work.name(&index);
        work.every_verb();
    }
}

// An empty layout as `umoci init` writes it.
#[test]
fn a_layout_whose_list_is_null_is_an_empty_one() {
    let work = Work::new();
    fs::write(work.dir.path().join("l/index.json"), "{\"schemaVersion\":2,\"manifests\":null}\n").unwrap();
    assert!(work.ends(2, "tree oci:l:v").stderr.contains("not found"));
    let mut other = Work::new();
    let image = other.image(&linux(), "x");
    other.name(&image);
    let source = other.dir.path().join("l");
    work.yes(&format!("copy oci:{}:v oci:l:v", source.display()));
    work.every_verb();
}

#[test]
fn an_empty_index_is_accepted() {
    let mut work = Work::new();
    let index = work.document(media_type::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": null}));
    work.name(&index);
    work.every_verb();
}

#[test]
fn empty_platforms() {
    let empty = json!({"os": "", "architecture": ""});
    for platform in [
        json!({}),
        empty.clone(),
        json!({"os": "", "architecture": "amd64"}),
        json!({"os": "linux", "architecture": ""}),
        json!({"os": "linux", "architecture": "arm", "variant": ""}),
        json!({"os": "linux", "architecture": "arm", "os.version": "", "variant": null}),
    ] {
        let mut work = Work::new();
        let inside = if platform == json!({}) { &empty } else { &platform };
        let image = work.image(inside, "x");
        let index = work.index(&json!([with(&image, "platform", platform)]));
        work.name(&index);
        work.every_verb();
    }
}

#[test]
fn a_config_without_a_platform() {
    for config in [json!({}), json!({"os": "", "architecture": "", "rootfs": {"type": "layers", "diff_ids": null}})] {
        let mut work = Work::new();
        let image = work.image_of(&config, &json!([]));
        work.name(&image);
        work.every_verb();
    }
}

#[test]
fn nested_indexes_are_followed() {
    let mut work = Work::new();
    let arm = json!({"os": "linux", "architecture": "arm64"});
    let (one, two) = (work.image(&linux(), "1"), work.image(&arm, "2"));
    let inner = work.index(&json!([with(&one, "platform", linux()), with(&two, "platform", arm.clone())]));
    let outer = work.index(&json!([inner]));
    work.name(&outer);
    work.every_verb();
    let report = work.yes("verify oci:l:v --key release.pub --platform linux/arm64 --output json").json();
    assert_eq!(report["results"][0]["digest"], two["digest"]);
    assert_eq!(report["results"][0]["index"], outer["digest"]);
    assert!(work.ends(2, "verify oci:l:v --key release.pub --platform linux/s390x").stderr.contains("linux/arm64"));
}

// Children of a nested index inherit the platform of its entry. If no index is signed, the config of the image decides.
#[test]
fn children_inherit_the_platform_of_a_nested_index() {
    let mut work = Work::new();
    let image = work.image(&linux(), "1");
    let inner = work.index(&json!([image]));
    let outer = work.index(&json!([with(&inner, "platform", linux())]));
    work.name(&outer);
    work.yes(&format!("sign oci:l@{} --key release.key", image["digest"].as_str().unwrap()));
    work.yes("verify oci:l:v --key release.pub --platform linux/amd64");
    let lying = work.index(&json!([with(&inner, "platform", json!({"os": "linux", "architecture": "arm64"}))]));
    work.entries.clear();
    work.name(&lying);
    let ran = work.ends(
        2,
        &format!("verify oci:l@{} --key release.pub --platform linux/arm64", lying["digest"].as_str().unwrap()),
    );
    assert!(!ran.stdout.contains("verified"));
}

fn windows(version: &str) -> Value {
    json!({"os": "windows", "architecture": "amd64", "os.version": version})
}

#[test]
fn versions_of_windows() {
    let mut work = Work::new();
    let versions = ["10.0.17763.5206", "10.0.20348.2227"];
    let images: Vec<_> = versions.iter().map(|version| work.image(&windows(version), version)).collect();
    let entry = |n: usize| with(&images[n], "platform", windows(versions[n]));
    let index = work.index(&json!([entry(0), entry(1), entry(1)]));
    work.name(&index);
    let chosen = |typed: &str| {
        let line = format!("verify oci:l:v --key release.pub --platform {typed} --output json");
        work.yes(&line).json()["results"][0]["digest"].clone()
    };
    work.every_verb();
    assert_eq!(chosen("windows(10.0.20348)/amd64"), images[1]["digest"]);
    assert_eq!(chosen("windows(10.0.20348.2227)/amd64"), images[1]["digest"]);
    assert_eq!(chosen("windows(10.0.17763)/amd64"), images[0]["digest"]);
    for (typed, code) in [("windows(10.0.2034)/amd64", 2), ("windows(10.0.1)/amd64", 2), ("windows/amd64", 1)] {
        let ran = work.ends(code, &format!("verify oci:l:v --key release.pub --platform {typed}"));
        assert!(ran.stderr.contains("windows(10.0.20348.2227)/amd64"), "{}", ran.stderr);
    }
    assert!(work.yes("tree oci:l:v").stdout.contains("windows(10.0.17763.5206)/amd64"));
    assert!(work.yes("request show one.json").stdout.contains("windows(10.0.17763.5206)/amd64"));
}

#[test]
fn variants_of_processors() {
    let mut work = Work::new();
    let arm = |variant: &str| json!({"os": "linux", "architecture": "arm", "variant": variant});
    let entries: Vec<_> =
        ["v5", "v6", "v7"].iter().map(|v| with(&work.image(&arm(v), v), "platform", arm(v))).collect();
    let index = work.index(&json!(entries));
    work.name(&index);
    work.every_verb();
    let report = work.yes("verify oci:l:v --key release.pub --platform linux/arm/v7 --output json").json();
    assert_eq!(report["results"][0]["digest"], entries[2]["digest"]);
    let ran = work.ends(1, "verify oci:l:v --key release.pub --platform linux/arm");
    assert!(ran.stderr.contains("linux/arm/v5, linux/arm/v6, linux/arm/v7"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: --platform 'linux/arm/v5'"), "{}", ran.stderr);
}

#[test]
fn the_maximum_number_of_layers_is_accepted() {
    let mut work = Work::new();
    let layer = work.blob("application/vnd.oci.image.layer.v1.tar", b"x");
    let image = work.image_of(&config(&linux()), &json!(vec![layer.clone(); 8_192]));
    work.name(&image);
    work.every_verb();
    let mut work = Work::new();
    let layer = work.blob("application/vnd.oci.image.layer.v1.tar", b"x");
    let image = work.image_of(&config(&linux()), &json!(vec![layer; 8_193]));
    work.name(&image);
    assert!(work.ends(2, "verify oci:l:v --key release.pub").stderr.contains("8193 layers"));
}

const FOREIGN: [&str; 3] = [
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    // By its type it is like all others; that it is had elsewhere says the list of URLs.
    "application/vnd.oci.image.layer.v1.tar+gzip",
];

/// An image with a layer of this type that the layout holds until `remove` is called.
fn foreign(media_type: &str) -> (Work, Value, String) {
    let mut work = Work::new();
    let base = with(&work.blob(media_type, b"base"), "urls", json!(["https://mcr.example/base"]));
    let own = work.blob("application/vnd.oci.image.layer.v1.tar", b"own");
    let image = work.image_of(&config(&windows("10.0.20348.1")), &json!([base, own]));
    work.name(&image);
    let hex = base["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    (work, base, hex)
}

#[test]
fn missing_foreign_layers_are_reported_and_not_copied() {
    for kind in FOREIGN {
        let (work, base, hex) = foreign(kind);
        fs::remove_file(work.path(&hex)).unwrap();
        work.every_verb();
        let registry = support::registry::Registry::start(support::registry::Quirks::polite());
        let there = format!("{}/win:v", registry.address());
        for (command, source) in [
            (format!("copy oci:l:v {there}"), "oci:l:v"),
            (format!("copy {there} oci:back:v"), there.as_str()),
            ("import oci:l:v oci:in:v --key release.pub".to_owned(), "oci:l:v"),
            (format!("import oci:l:v {there}2 --key release.pub"), "oci:l:v"),
            (format!("import {there} oci-archive:in.tar:v --key release.pub"), there.as_str()),
        ] {
            let ran = work.yes(&format!("{command} --output json"));
            let left = &ran.json()["results"][0]["missingForeignLayers"];
            assert_eq!(left.as_array().map(Vec::len), Some(1), "{command}: {left}");
            assert_eq!((&left[0]["digest"], &left[0]["mediaType"]), (&base["digest"], &base["mediaType"]));
            assert_eq!(left[0]["urls"], json!(["https://mcr.example/base"]));
            assert!(
                ran.stderr.contains(&format!("not copied: the foreign layer {}", base["digest"].as_str().unwrap()))
            );
            assert!(ran.stderr.contains(&format!("`{source}` does not hold")), "{}", ran.stderr);
            assert!(ran.stderr.contains("https://mcr.example/base"));
        }
        work.yes("verify oci:in:v --key release.pub");
        assert!(!work.dir.path().join("in/blobs/sha256").join(&hex).exists());
    }
}

#[test]
fn foreign_layers_at_the_source_are_copied() {
    for kind in FOREIGN {
        let (work, _, hex) = foreign(kind);
        work.yes("sign oci:l:v --key release.key");
        for command in ["copy oci:l:v oci:x:v", "import oci:l:v oci:y:v --key release.pub"] {
            let ran = work.yes(&format!("{command} --output json"));
            assert_eq!(ran.json()["results"][0]["missingForeignLayers"], json!([]));
            assert!(!ran.stderr.contains("not copied"), "{}", ran.stderr);
        }
        for folder in ["x", "y"] {
            assert_eq!(fs::read(work.dir.path().join(folder).join("blobs/sha256").join(&hex)).unwrap(), b"base");
        }
    }
}

// A layer that is an ordinary layer of another image in the same index must be present.
#[test]
fn a_layer_that_is_not_foreign_in_every_image_is_required() {
    let (mut work, base, hex) = foreign(FOREIGN[0]);
    let mut own = base.clone();
    own.as_object_mut().unwrap().remove("urls").unwrap();
    own["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    let first = json!({"mediaType": work.entries[0]["mediaType"], "digest": work.entries[0]["digest"], "size": work.entries[0]["size"]});
    let second = work.image_of(&config(&linux()), &json!([own]));
    work.entries.clear();
    for order in [json!([first, second]), json!([second, first])] {
        work.entries.clear();
        let index = work.index(&order);
        work.name(&index);
        fs::remove_file(work.path(&hex)).ok();
        assert!(work.ends(2, "copy oci:l:v oci:x:v").stderr.contains("not found"));
        assert!(!work.dir.path().join("x/index.json").exists());
    }
}

/// An image with a referrer of this type, and the digests of both.
fn with_referrer(media_type: &str, blobs: &str) -> (Work, Value, Value) {
    let mut work = Work::new();
    let image = work.image(&linux(), "x");
    work.name(&image);
    let scan = work.blob("application/json", b"{\"scan\":1}");
    let mut referrer =
        json!({"mediaType": media_type, "artifactType": "application/vnd.example.scan", "subject": image});
    referrer[blobs] = json!([scan]);
    let referrer = work.document(media_type, &referrer);
    work.entries.push(with(&referrer, "artifactType", json!("application/vnd.example.scan")));
    work.save();
    (work, image, referrer)
}

#[test]
fn withdrawn_artifact_manifests_are_copied() {
    for kind in [media_type::OCI_ARTIFACT, media_type::ORAS_ARTIFACT] {
        let (work, _, referrer) = with_referrer(kind, "blobs");
        let digest = referrer["digest"].as_str().unwrap();
        work.every_verb();
        for quirks in [
            &["artifact-manifests=taken", "accept=strict"][..],
            &["artifact-manifests=taken", "accept=strict", "referrers=off"],
        ] {
            let quirks = quirks.iter().fold(support::registry::Quirks::polite(), |quirks, switch| quirks.with(switch));
            let registry = support::registry::Registry::start(quirks);
            let there = format!("{}/app:v", registry.address());
            work.yes(&format!("copy oci:l:v {there}"));
            let ran = work.yes(&format!("copy {there} oci:back:v --output json"));
            assert_eq!(ran.json()["results"][0]["skippedReferrers"], json!([]), "{kind}");
            let tree = work.yes("tree oci:back:v").stdout;
            assert!(tree.contains(digest) && tree.contains("application/vnd.example.scan"), "{tree}");
            work.yes(&format!("inspect oci:back@{digest}"));
            work.yes(&format!("tree {there} --key release.pub"));
            work.yes(&format!("import {there} oci:in:v --key release.pub"));
            fs::remove_dir_all(work.dir.path().join("back")).unwrap();
            fs::remove_dir_all(work.dir.path().join("in")).unwrap();
        }
        // One of its blobs is not there: it is not whole, as with every referrer.
        let scan = Descriptor::of("application/json", b"{\"scan\":1}").digest.hex();
        fs::remove_file(work.path(&scan)).unwrap();
        work.ends(2, "copy oci:l:v oci:half:v");
    }
}

// The destination no longer has to take them.
#[test]
fn rejected_withdrawn_artifact_manifests_are_reported() {
    for kind in [media_type::OCI_ARTIFACT, media_type::ORAS_ARTIFACT] {
        let (work, _, referrer) = with_referrer(kind, "blobs");
        let registry = support::registry::Registry::start(support::registry::Quirks::polite());
        let ran = work.yes(&format!("copy oci:l:v {}/app:v --output json", registry.address()));
        let left = &ran.json()["results"][0]["skippedReferrers"];
        assert_eq!((&left[0]["digest"], &left[0]["mediaType"]), (&referrer["digest"], &json!(kind)));
        assert!(left[0]["reason"].as_str().unwrap().contains("400"), "{left}");
        assert!(ran.stderr.contains("not copied: the referrer") && ran.stderr.contains(kind), "{}", ran.stderr);
        work.yes(&format!("inspect {}/app:v", registry.address()));
    }
}

#[test]
fn referrers_of_unknown_media_types_are_reported() {
    for kind in
        ["application/vnd.docker.distribution.manifest.v1+prettyjws", "application/vnd.example.manifest.v9+json"]
    {
        let (work, image, referrer) = with_referrer(kind, "things");
        let digest = referrer["digest"].as_str().unwrap();
        work.every_verb();
        let ran = work.yes("copy oci:l:v oci:there:v --output json");
        let left = &ran.json()["results"][0]["skippedReferrers"];
        assert_eq!((&left[0]["digest"], &left[0]["mediaType"]), (&referrer["digest"], &json!(kind)), "{left}");
        assert!(ran.stderr.contains(&format!("not copied: the referrer {digest}")), "{}", ran.stderr);
        assert!(work.yes("tree oci:l:v").stdout.contains(digest));
        work.yes(&format!("verify oci:there@{} --key release.pub", image["digest"].as_str().unwrap()));
    }
}

// Anybody who may push can add one.
#[test]
fn an_unreadable_referrer_is_reported() {
    let (mut work, image, _) = with_referrer(media_type::OCI_ARTIFACT, "blobs");
    let junk =
        json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": 7, "subject": image}).to_string();
    let junk = work.blob(media_type::OCI_MANIFEST, junk.as_bytes());
    work.entries.push(junk.clone());
    work.save();
    let ran = work.yes("copy oci:l:v oci:there:v --output json");
    assert_eq!(ran.json()["results"][0]["skippedReferrers"][0]["digest"], junk["digest"]);
}

// More than is read is no answer, in any verb.
#[test]
fn a_limit_is_never_a_refusal() {
    let mut work = Work::new();
    let mut nested = work.image(&linux(), "x");
    for _ in 0..5 {
        nested = work.index(&json!([nested]));
    }
    work.name(&nested);
    work.yes("sign oci:l:v --key release.key");
    for command in [
        "verify oci:l:v --key release.pub --all-platforms",
        "verify oci:l:v --key release.pub --platform linux/amd64",
        "sign oci:l:v --key release.key --all-platforms",
        "copy oci:l:v oci:there:v",
        "import oci:l:v oci:there:v --key release.pub",
        "request new oci:l:v -o all.json --owner a=release.pub --all-platforms",
    ] {
        let ran = work.ends(2, command);
        assert!(ran.stderr.contains("nested deeper than 3"), "{command}: {}", ran.stderr);
    }
    assert!(!work.dir.path().join("there").exists());

    let mut work = Work::new();
    let image = work.image(&linux(), "x");
    work.name(&image);
    let large = work.blob("application/vnd.dev.sigstore.bundle.v0.3+json", &vec![b' '; (1 << 20) + 1]);
    let empty = work.blob(media_type::OCI_EMPTY, b"{}");
    let signature_manifest = work.document(
        media_type::OCI_MANIFEST,
        &json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": empty, "layers": [large], "subject": image,
            "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        }),
    );
    work.entries.push(signature_manifest);
    work.save();
    let ran = work.ends(2, "verify oci:l:v --key release.pub");
    assert!(ran.stderr.contains("more than the limit of 1048576"), "{}", ran.stderr);
    // With enough signatures beside it nobody asks for it.
    work.yes("sign oci:l:v --key release.key");
    work.yes("verify oci:l:v --key release.pub");
}
