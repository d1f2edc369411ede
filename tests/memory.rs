//! What hostile input may cost: the real program, in an address space far smaller than it used to need. Where it does not
//! suffice the program is killed, and no exit code is the one that is wanted.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

mod proof;
mod support;

#[path = "timestamp/draft.rs"]
#[allow(dead_code, reason = "the tests of timestamps use the rest")]
mod draft;
#[path = "witnesses/log.rs"]
#[allow(dead_code, reason = "the tests of witnesses use the rest")]
mod log;
#[path = "x509/made.rs"]
#[allow(dead_code, reason = "the tests of chains use the rest")]
mod made;
#[path = "witnesses/scene.rs"]
#[allow(dead_code, reason = "the tests of witnesses use the rest")]
mod scene;

use std::fs;
use std::fs::File;
use std::io::BufWriter;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::LazyLock;

use bulla::envelope::base64;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::oci::referrer::cosign_tag;
use bulla::policy::StatementKind;
use bulla::store::Layout;
use bulla::transparency::LogEntryRequest;
use bulla::transparency::LoggedVerifier;
use bulla::x509::Certificate;
use bulla::x509::HashAlgorithm;
use bulla::x509::MessageImprint;
use bulla::x509::TimestampRequest;
use log::Does;
use log::TestLog;
use proof::forms::Format;
use proof::forms::Location;
use proof::forms::SignedLayer;
use proof::forms::TestPayload;
use proof::forms::TestStore;
use scene::SCENE;
use scene::Stamps;
use scene::TestAuthority;
use serde_json::Value;
use serde_json::json;
use support::missing;
use support::tar::end;
use support::tar::file;
use tempfile::TempDir;

/// The memory of a verification beside the code of the program, in MB. With the code of a release build, which is smaller
/// than 14 MB, it is below the 100 MB that SECURITY.md promises.
const BAR: u64 = 50;

/// A layout that nobody checked while it was made.
struct Hostile {
    dir: TempDir,
    entries: Vec<Value>,
    image: Descriptor,
}

impl Hostile {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("l/blobs/sha256")).unwrap();
        fs::write(dir.path().join("l/oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        fs::write(dir.path().join("k.pub"), proof::public(proof::key()).to_pem()).unwrap();
        let image = Descriptor::of("", b"");
        let mut hostile = Self { dir, entries: Vec::new(), image };
        let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
        let config = hostile.blob(media_type::OCI_CONFIG, config.to_string().as_bytes());
        hostile.image = hostile.manifest(&json!({"config": config, "layers": []}));
        hostile.name(&hostile.image.clone(), "v");
        hostile
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("l")
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type, bytes);
        fs::write(self.path().join("blobs/sha256").join(descriptor.digest.hex()), bytes).unwrap();
        descriptor
    }

    /// A manifest with these fields.
    fn manifest(&self, fields: &Value) -> Descriptor {
        let mut manifest = json!({"schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST});
        manifest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.blob(media_type::OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    fn index(&self, manifests: &Value) -> Descriptor {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests});
        self.blob(media_type::OCI_INDEX, index.to_string().as_bytes())
    }

    /// A referrer with these layers, different for each number.
    fn refer(&mut self, layers: &[Descriptor], number: usize, padding: &str) {
        let config = self.blob(media_type::OCI_EMPTY, b"{}");
        let pad = json!({"mediaType": "a/b", "size": 2, "digest": config.digest, "annotations": {"p": padding}});
        let pads = vec![pad; if padding.is_empty() { 0 } else { 55 }];
        let layers = layers.iter().map(|layer| json!(layer)).chain(pads).collect::<Vec<_>>();
        let annotations = json!({"n": number.to_string()});
        let subject = &self.image;
        let fields = json!({
            "artifactType": "", "config": config, "layers": layers, "subject": subject, "annotations": annotations,
        });
        let referrer = self.manifest(&fields);
        self.entries.push(json!(referrer));
    }

    fn name(&mut self, descriptor: &Descriptor, name: &str) {
        let mut entry = json!(descriptor);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        self.entries.push(entry);
    }

    fn write_index(&self) {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": self.entries});
        fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    /// The exit code of the program in an address space of so many MB beside its code.
    fn run(&self, megabytes: u64, command: &str, more: &[&str]) -> Option<i32> {
        self.write_index();
        let from = format!("oci:{}:v", self.path().display());
        self.start(megabytes, &[&[command, from.as_str()], more].concat())
    }

    fn start(&self, megabytes: u64, arguments: &[&str]) -> Option<i32> {
        let key = self.dir.path().join("k.pub");
        let with_key = [arguments, &["--key", key.to_str().unwrap()]].concat();
        self.start_without_key(megabytes, if arguments.contains(&"--key") { arguments } else { &with_key })
    }

    fn start_without_key(&self, megabytes: u64, arguments: &[&str]) -> Option<i32> {
        let (code, printed) = self.output(megabytes, arguments);
        println!("{printed}");
        code
    }

    /// The exit code, and the end of what was printed.
    fn output(&self, megabytes: u64, arguments: &[&str]) -> (Option<i32>, String) {
        let kib = ((megabytes * 1_000_000 + *CODE) / 1024).to_string();
        let mut program = Command::new("sh");
        program.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", &kib, env!("CARGO_BIN_EXE_bulla")]).args(arguments);
        // Each thread that allocates may reserve 64 MB of address space for an arena of its own, and whether it comes to
        // that before the limit is reached is a matter of scheduling: with one arena the space is what is in use.
        let output = program.env_remove("RUST_BACKTRACE").env("MALLOC_ARENA_MAX", "1").output().unwrap();
        // A report may be long, and what went wrong stands at its end.
        let end = |bytes: &[u8]| String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(2_000)..]).into_owned();
        (output.status.code(), format!("{}{}", end(&output.stdout), end(&output.stderr)))
    }
}

/// What the program itself takes of its address space, in bytes: the segments that are loaded from its file (elf(5),
/// `PT_LOAD`), without symbols and debug information. It is several times as much in a build without optimisation.
static CODE: LazyLock<u64> = LazyLock::new(|| {
    let program = fs::read(env!("CARGO_BIN_EXE_bulla")).unwrap();
    assert_eq!(program[..6], *b"\x7fELF\x02\x01", "64 bits, little endian");
    let number = |at: usize, length: usize| {
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(&program[at..at + length]);
        u64::from_le_bytes(bytes)
    };
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let segments = (0..count).map(|n| (start + n * size) as usize);
    segments.filter(|at| number(*at, 4) == 1).map(|at| number(at + 40, 8)).sum()
});

fn signed(hostile: &Hostile) -> Descriptor {
    let word = TestPayload::about(Format::Simple, &StatementKind::ImageSignature, &hostile.image.digest);
    let signed_layer = word.sign(Format::Simple, &[proof::key()]);
    hostile.blob(&signed_layer.media_type, &signed_layer.bytes);
    signed_layer.descriptor()
}

/// The memory of the verification of one image signature beside the code of the program, in MB. With the code of a release
/// build, which is smaller than 14 MB, it is below 20.
const ONE_SIGNATURE: u64 = 6;

#[test]
fn one_image_signature_takes_little() {
    let hostile = Hostile::new();
    let by_certificate = "oci:testdata/layouts/cosign-tag-certificate:v1 --certificate-identity release@example.com \
                          --trusted-root testdata/layouts/cosign-tag-certificate/trusted_root.json --timestamps 1 \
                          --certificate-oidc-issuer-any --transparency-logs 0 --certificate-logs 0";
    for image in [by_certificate, "oci:testdata/layouts/cosign-bundle:v1 --key testdata/keys/cosign.pub"] {
        let arguments: Vec<_> = ["verify"].into_iter().chain(image.split_whitespace()).collect();
        assert_eq!(hostile.start_without_key(ONE_SIGNATURE, &arguments), Some(0), "{image}");
    }
}

// It took 5.8 GB: each finding kept its own copy of the key id, and one envelope was read 6,000 times.
#[test]
fn a_claimed_key_is_not_kept() {
    let mut hostile = Hostile::new();
    let signatures = json!([{"sig": "AA==", "keyid": "K".repeat(1_000_000)}]);
    let envelope = json!({"payload": "e30=", "payloadType": "a/b", "signatures": signatures});
    let envelope = hostile.blob(media_type::DSSE_ENVELOPE, envelope.to_string().as_bytes());
    (0..60).for_each(|n| hostile.refer(&vec![envelope.clone(); 100], n, ""));
    assert_eq!(hostile.run(BAR, "verify", &[]), Some(1));
    assert_eq!(hostile.run(BAR, "tree", &[]), Some(0));
}

// Each entry was a copy of the annotations of the manifest; from 10,000 entries on it was aborted at 6 GiB.
#[test]
fn a_manifest_that_is_listed_again_is_read_once() {
    let mut hostile = Hostile::new();
    let config = hostile.blob(media_type::OCI_EMPTY, b"{}");
    let annotations = json!({"a": "x".repeat(4_000_000)});
    let fields = json!({"config": config, "layers": [], "subject": hostile.image, "annotations": annotations});
    let large = hostile.manifest(&fields);
    hostile.entries.extend(vec![json!(large); 5_000]);
    assert_eq!(hostile.run(BAR, "verify", &[]), Some(2));
}

// It took 1.2 GiB and room was left for fifty times as many.
#[test]
fn a_list_that_many_annotations_name_is_read_once() {
    let mut hostile = Hostile::new();
    let entry = |n: usize| {
        let digest = format!("sha256:{n:064x}");
        json!({"mediaType": media_type::OCI_MANIFEST, "size": 1, "digest": digest, "annotations": {"a": "x".repeat(3_500)}})
    };
    let mut list = json!(hostile.index(&json!((0..950).map(entry).collect::<Vec<_>>())));
    list["annotations"] = json!({"org.olareg.referrer.subject": hostile.image.digest});
    hostile.entries.extend(vec![list; 300]);
    assert_eq!(hostile.run(BAR, "verify", &[]), Some(2));
}

// Each of a hundred layers was a copy of the manifest, three times: 2.8 GiB.
#[test]
fn a_manifest_is_not_copied_for_each_layer() {
    let mut hostile = Hostile::new();
    let layer = signed(&hostile);
    (0..8).for_each(|n| hostile.refer(&vec![layer.clone(); 100], n, &"x".repeat(65_000)));
    let to = format!("oci:{}:v", hostile.dir.path().join("to").display());
    assert_eq!(hostile.run(BAR, "import", &[&to]), Some(0));
    assert_eq!(hostile.run(BAR, "verify", &[]), Some(0));
}

// Accepted evidence is kept because import copies it: as received, and not in parsed form as well.
#[test]
fn imported_evidence_is_in_memory_once() {
    let mut hostile = Hostile::new();
    let word = TestPayload::about(Format::Bundle, &StatementKind::ImageSignature, &hostile.image.digest);
    let signed_layer = word.sign(Format::Bundle, &[proof::key()]);
    let mut bundle: Value = serde_json::from_slice(&signed_layer.bytes).unwrap();
    for n in 0..56 {
        // As long as a chain may be, and the bundle as long as a signature may be.
        let certificates = vec![json!({"rawBytes": base64::encode(&vec![n; 64 << 10])}); 10];
        let entry = json!({"canonicalizedBody": base64::encode(&vec![n; 104_000])});
        bundle["verificationMaterial"] =
            json!({"x509CertificateChain": {"certificates": certificates}, "tlogEntries": [entry]});
        let layer = hostile.blob(&signed_layer.media_type, bundle.to_string().as_bytes());
        hostile.refer(&[layer], usize::from(n), "");
    }
    let to = format!("oci:{}:v", hostile.dir.path().join("to").display());
    assert_eq!(hostile.run(BAR + 30, "import", &[&to]), Some(0));
}

// Parsed indexes waited for their turn: 746 MiB, and room for a thousand million more.
#[test]
fn indexes_that_wait_are_only_named() {
    let mut hostile = Hostile::new();
    let child = |n: usize| {
        let digest = format!("sha256:{n:064x}");
        json!({"mediaType": media_type::OCI_MANIFEST, "size": 1, "digest": digest, "annotations": {"a": "x".repeat(4_000)}})
    };
    let inner = |n: usize| hostile.index(&json!((0..950).map(|m| child(n * 1_000 + m)).collect::<Vec<_>>()));
    let root = hostile.index(&json!((0..30).map(inner).collect::<Vec<_>>()));
    hostile.entries.clear();
    hostile.name(&root, "v");
    assert_eq!(hostile.run(BAR, "verify", &["--all-platforms"]), Some(2));
    assert_eq!(hostile.run(BAR, "tree", &[]), Some(2));
}

const SPDX: &str = "https://spdx.dev/Document";

impl Hostile {
    /// A statement about the image whose envelope is over 32 MiB long.
    fn large_statement(&self) -> TestPayload {
        let part = "x".repeat(6_300_000);
        TestPayload::json(&json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": self.image.digest.hex()}}],
            "predicateType": SPDX,
            "predicate": {"a": part, "b": part, "c": part, "d": part},
        }))
    }
}

// One text, its decoded form and what its signature is over: they were there seven times.
#[test]
fn a_large_attestation_is_in_memory_once() {
    let mut hostile = Hostile::new();
    let signed_layer = hostile.large_statement().sign(Format::Bundle, &[proof::key()]);
    assert!(signed_layer.bytes.len() > 32 << 20);
    let bundle = hostile.blob(&signed_layer.media_type, &signed_layer.bytes);
    hostile.refer(&[bundle], 0, "");
    assert_eq!(hostile.run(BAR + 30, "verify", &["--type", SPDX]), Some(0));
    assert_eq!(hostile.run(BAR + 30, "tree", &[]), Some(0));
}

/// The memory of the verification of a keyless attestation of 32 MiB beside the code of the program, in MB: 64 are enough, its
/// text of 34 and its payload of 25 among them. With the code of a release build, which is smaller than 14 MB, it is below 100.
const LARGE_KEYLESS: u64 = 68;

// Certificate, log entry and timestamp are verified beside the one text and its decoded form.
#[test]
fn a_large_keyless_attestation_is_in_memory_once() {
    let mut hostile = Hostile::new();
    let Some((bundle, root)) = keyless(&hostile.large_statement()) else { return };
    assert!(bundle.len() > 32 << 20);
    let bundle = hostile.blob(media_type::SIGSTORE_BUNDLE, &bundle);
    hostile.refer(&[bundle], 0, "");
    hostile.write_index();
    let path = hostile.dir.path().join("root.json");
    fs::write(&path, root).unwrap();
    let image = format!("oci:{}:v", hostile.path().display());
    let line = "--certificate-identity release@acme.example --certificate-oidc-issuer-any \
                --transparency-logs 1 --timestamps 1 --certificate-logs 0 --trusted-root";
    let fixed = ["verify", &image, "--type", SPDX].into_iter().chain(line.split_whitespace());
    let arguments: Vec<_> = fixed.chain([path.to_str().unwrap()]).collect();
    assert_eq!(hostile.start_without_key(LARGE_KEYLESS, &arguments), Some(0));
    // The bound is a tight one.
    assert_ne!(hostile.start_without_key(LARGE_KEYLESS - 8, &arguments), Some(0));
}

/// A bundle with the certificate of its signer, a log entry and a timestamp, and the trusted root for it. `None` where
/// openssl is missing.
fn keyless(payload: &TestPayload) -> Option<(Vec<u8>, Vec<u8>)> {
    let scene = SCENE.as_ref()?;
    let log = TestLog::new("log.example", Does::Adds);
    let message = payload.message(Format::Bundle);
    let signature = scene::key(&scene.leaf).sign(&message).unwrap();
    let signer = LoggedVerifier::Certificate(&scene.leaf.certificate);
    let request = LogEntryRequest::new(&message, signature.as_bytes(), signer).unwrap();
    let entry: Value = serde_json::from_slice(&log.answer(request.as_json())).unwrap();
    let imprint = MessageImprint::of(HashAlgorithm::Sha256, signature.as_bytes());
    // All certificates are valid by then, and no clock is behind it.
    let time = scene::later(scene.now(), -60);
    let authority = TestAuthority { time, ..scene.authority(Stamps::Granted) };
    let token = authority.response(&TimestampRequest::new(imprint, None)).unwrap();
    let bundle = json!({
        "mediaType": media_type::SIGSTORE_BUNDLE,
        "verificationMaterial": {
            "certificate": {"rawBytes": base64::encode(scene.leaf.certificate.der())},
            "tlogEntries": [entry],
            "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": base64::encode(&token)}]},
        },
        "dsseEnvelope": {
            "payload": base64::encode(&payload.payload),
            "payloadType": payload.payload_type,
            "signatures": [{"sig": base64::encode(signature.as_bytes())}],
        },
    });
    Some((bundle.to_string().into_bytes(), scene.trusted_root_json(&[&log], "2020-01-01T00:00:00Z")))
}

/// The DER of each PEM block.
fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let body = |block: &str| block.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    blocks.map(|block| base64::decode("PEM", &body(block)).unwrap()).collect()
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

// Two envelopes as large as they may be, and by nobody.
#[test]
fn large_documents_are_held_one_by_one() {
    let mut hostile = Hostile::new();
    for n in 0..2 {
        let word = TestPayload::statement(vec![b'0' + n; 24_000_000]);
        let signed_layer: SignedLayer = word.within(Format::Dsse, &json!([{"sig": "AA=="}]));
        let envelope = hostile.blob(&signed_layer.media_type, &signed_layer.bytes);
        hostile.refer(&[envelope], usize::from(n), "");
    }
    assert_eq!(hostile.run(BAR + 30, "verify", &["--type", "spdx"]), Some(1));
}

// The signature is read by anybody, and the payload is signed: only what lies around it grew.
#[test]
fn unused_fields_around_a_signature_are_not_kept() {
    let mut hostile = Hostile::new();
    let kind = proof::attestation("https://spdx.dev/Document");
    let children: Vec<_> = (0..4)
        .map(|n| {
            let fields = json!({"config": hostile.image, "layers": [], "annotations": {"n": n.to_string()}});
            let child = hostile.manifest(&fields);
            let mut signed_layer =
                TestPayload::about(Format::Dsse, &kind, &child.digest).sign(Format::Dsse, &[proof::key()]);
            signed_layer.bytes.resize(30_000_000, b' ');
            let layers = [hostile.blob(&signed_layer.media_type, &signed_layer.bytes)];
            let config = hostile.blob(media_type::OCI_EMPTY, b"{}");
            let signature_manifest = hostile.manifest(&json!({"config": config, "layers": layers}));
            hostile.name(&signature_manifest, &cosign_tag(&child.digest, "att"));
            child
        })
        .collect();
    let root = hostile.index(&json!(children));
    hostile.entries.retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] != "v");
    hostile.name(&root, "v");
    let more = ["--all-platforms", "--type", "https://spdx.dev/Document"];
    assert_eq!(hostile.run(BAR, "verify", &more), Some(0), "each platform has one");
}

/// The predicate type of CycloneDX.
const CYCLONEDX: &str = "https://cyclonedx.org/bom";

/// A CycloneDX SBOM of this many bytes as syft writes it, or a component more.
fn large_sbom(bytes: usize) -> String {
    let mut sbom = String::with_capacity(bytes + 1_000);
    sbom.push_str(r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-11-20T00:00:00Z"},"components":["#);
    let mut count = 0;
    while sbom.len() < bytes {
        let comma = if count == 0 { "" } else { "," };
        sbom.push_str(&format!(
            r#"{comma}{{"bom-ref":"{count}","type":"library","name":"lib{count}","version":"1","purl":"pkg:deb/debian/lib{count}@1?arch=amd64","properties":[{{"name":"syft:package:foundBy","value":"dpkg-db-cataloger"}},{{"name":"syft:location:0:path","value":"/var/lib/dpkg/status"}}]}}"#
        ));
        count += 1;
    }
    sbom.push_str("]}");
    sbom
}

impl Hostile {
    /// A bundle of a statement about the image.
    fn attestation(&self, predicate_type: &str, predicate: &str) -> Vec<u8> {
        let subject = self.image.digest.hex();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{subject}"}}}}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
        );
        TestPayload::statement(statement.into_bytes()).sign(Format::Bundle, &[proof::key()]).bytes
    }

    /// Attaches a bundle, labelled as `sign` and `attest` label it, and returns its manifest.
    fn attach(&mut self, bundle: &[u8], predicate_type: &str) -> Descriptor {
        let layer = self.blob(media_type::SIGSTORE_BUNDLE, bundle);
        let config = self.blob(media_type::OCI_EMPTY, b"{}");
        let manifest = self.manifest(&json!({
            "artifactType": media_type::SIGSTORE_BUNDLE, "config": config, "layers": [layer], "subject": self.image,
            "annotations": {"dev.sigstore.bundle.predicateType": predicate_type},
        }));
        self.entries.push(json!(manifest));
        manifest
    }

    /// Writes the policy `p.yaml` with this requirement.
    fn policy(&self, requirement: &str) {
        let policy = format!(
            "bulla-policy: 1\nidentities:\n  release: {{ keys: [{{ file: k.pub }}] }}\nimages:\n  \
             - match: [registry.example/app]\n    require:\n      - {requirement}\n"
        );
        fs::write(self.dir.path().join("p.yaml"), policy).unwrap();
    }

    /// The exit code of `verify --policy` beside its code, and what it printed.
    fn judged(&self, megabytes: u64, requirement: &str) -> (Option<i32>, String) {
        self.policy(requirement);
        self.write_index();
        let from = format!("oci:{}:v", self.path().display());
        let policy = self.dir.path().join("p.yaml");
        let policy = policy.to_str().unwrap();
        let arguments = ["verify", &from, "--policy", policy, "--as", "registry.example/app"];
        self.output(megabytes, &arguments)
    }
}

// An SBOM is authenticated, and its predicate read, only for a requirement that reads it. Without one not even its blob is.
#[test]
fn a_large_sbom_is_read_only_for_a_requirement() {
    let mut hostile = Hostile::new();
    let signature = StatementKind::ImageSignature;
    let signed = TestPayload::about(Format::Bundle, &signature, &hostile.image.digest);
    hostile.attach(&signed.sign(Format::Bundle, &[proof::key()]).bytes, media_type::COSIGN_SIGN_PREDICATE);
    let sbom = hostile.attestation(CYCLONEDX, &large_sbom(30_000_000));
    assert!(sbom.len() > 40_000_000);
    hostile.attach(&sbom, CYCLONEDX);
    assert_eq!(hostile.judged(SBOM_READ, READS_SBOM).0, Some(0));
    // The limit is a tight one: less by an eighth is not enough.
    assert_ne!(hostile.judged(SBOM_READ / 8 * 7, READS_SBOM).0, Some(0));
    assert_eq!(hostile.judged(SBOM_NOT_READ, "signature: { by: [release] }").0, Some(0));
}

/// What a policy takes that reads an SBOM of 30 MB, and one that has no such requirement, in MB. The bar for the first one
/// is 150 MB with the code of a release build.
const SBOM_READ: u64 = 84;
const SBOM_NOT_READ: u64 = 12;

/// As large as one attestation may be, and as all evidence of one subject may be, in bytes.
const LARGEST: usize = 64 << 20;
const LARGEST_TOGETHER: usize = 128 << 20;

/// What a policy takes that reads an attestation as large as one may be, in MB: its text of 67 MB, the payload of 50 MB in it,
/// and what an image without it takes. With the code of a release build it is below the 150 MB that SECURITY.md promises.
const LARGEST_READ: u64 = 132;

/// Fills a bundle up to exactly this length.
fn filled(mut bundle: Vec<u8>, length: usize) -> Vec<u8> {
    assert!(bundle.len() <= length && bundle.len() > length - 5_000, "{}", bundle.len());
    bundle.resize(length, b' ');
    bundle
}

impl Hostile {
    /// A bundle of an approval with a log, which is exactly this long.
    fn approval(&self, predicate_type: &str, length: usize) -> Vec<u8> {
        let line = "x".repeat((length / 4 * 3 - 2_000) / 7);
        let predicate = json!({"decision": "approved", "log": vec![line; 7], "timestamp": "2026-11-20T00:00:00Z"});
        let predicate = predicate.to_string();
        filled(self.attestation(predicate_type, &predicate), length)
    }
}

/// A requirement of an approval.
fn reads_approval(predicate_type: &str) -> String {
    let fields = "fields: [{ at: /decision, equals: approved }]";
    format!("statement: {{ by: [release], type: \"{predicate_type}\", max-age: none, {fields} }}")
}

const READS_SBOM: &str = "sbom: { by: [release], formats: [cyclonedx] }";
const APPROVAL: &str = "https://example.com/approval/v1";

// The text was held in a buffer of twice its length.
#[test]
fn the_largest_attestation_is_read_within_the_bound() {
    let mut hostile = Hostile::new();
    let sbom = hostile.attestation(CYCLONEDX, &large_sbom(LARGEST / 4 * 3 - 2_000));
    hostile.attach(&filled(sbom, LARGEST), CYCLONEDX);
    assert_eq!(hostile.judged(LARGEST_READ, READS_SBOM).0, Some(0));
    // The bound is a tight one.
    assert_ne!(hostile.judged(LARGEST_READ - 12, READS_SBOM).0, Some(0));
}

#[test]
fn a_larger_attestation_is_not_read() {
    for (more, want) in [(0, 0), (1, 2)] {
        let mut hostile = Hostile::new();
        let mut bundle = hostile.approval(APPROVAL, LARGEST);
        bundle.resize(LARGEST + more, b' ');
        hostile.attach(&bundle, APPROVAL);
        let (code, printed) = hostile.judged(LARGEST_READ, &reads_approval(APPROVAL));
        assert_eq!(code, Some(want), "{printed}");
        assert_eq!(printed.contains("(evidence.attestation_bytes)"), more > 0, "{printed}");
    }
}

// One after the other: both together would take twice as much.
#[test]
fn all_evidence_of_one_subject_is_read_within_the_bound() {
    let (one, other) = ("https://example.com/a/v1", "https://example.com/b/v1");
    let both = format!("{}\n      - {}", reads_approval(one), reads_approval(other));
    for (more, want) in [(0, 0), (1, 2)] {
        let mut hostile = Hostile::new();
        let first = hostile.approval(one, LARGEST);
        let manifest = hostile.attach(&first, one).size as usize;
        let mut second = hostile.approval(other, LARGEST - 2 * manifest);
        second.resize(LARGEST_TOGETHER - LARGEST - 2 * manifest + more, b' ');
        // Manifests of bundles whose lengths have as many digits have the same length.
        assert_eq!(hostile.attach(&second, other).size as usize, manifest);
        let (code, printed) = hostile.judged(LARGEST_READ, &both);
        assert_eq!(code, Some(want), "{printed}");
        assert_eq!(printed.contains("(evidence.bytes)"), more > 0, "{printed}");
    }
}

// The body of the response is the only copy of the text.
#[test]
#[cfg(feature = "registry")]
fn the_largest_attestation_is_fetched_within_the_bound() {
    let mut hostile = Hostile::new();
    hostile.attach(&hostile.approval(APPROVAL, LARGEST), APPROVAL);
    hostile.policy(&reads_approval(APPROVAL));
    hostile.write_index();
    let registry = support::registry::Registry::start(support::registry::Quirks::polite());
    let there = format!("{}/app:v", registry.address());
    let policy = hostile.dir.path().join("p.yaml");
    let text = fs::read_to_string(&policy).unwrap().replace("registry.example", &registry.address());
    fs::write(&policy, text).unwrap();
    let layout = format!("oci:{}:v", hostile.path().display());
    let copied = Command::new(env!("CARGO_BIN_EXE_bulla")).args(["copy", &layout, &there]).output().unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let arguments = ["verify", &there, "--policy", policy.to_str().unwrap()];
    let (code, printed) = hostile.output(FETCHED, &arguments);
    assert_eq!(code, Some(0), "{printed}");
}

/// What the largest attestation takes where a registry delivers it, in MB: connections and their threads come to it.
#[cfg(feature = "registry")]
const FETCHED: u64 = 160;

/// An index `v` of this many images. Each of them lists the same hundred unreadable referrers.
fn shared_junk(images: usize) -> Hostile {
    let mut hostile = Hostile::new();
    hostile.entries.clear();
    let config = hostile.blob(media_type::OCI_CONFIG, b"{}");
    let junk = |n: usize| {
        let junk = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":"{}{n}"}}"#,
            media_type::OCI_MANIFEST,
            "x".repeat(700)
        );
        let mut entry = json!(hostile.blob(media_type::OCI_MANIFEST, junk.as_bytes()));
        entry["artifactType"] = json!("application/vnd.dev.sigstore.bundle.v0.3+json");
        entry
    };
    let list = hostile.index(&json!((0..100).map(junk).collect::<Vec<_>>()));
    let image = |n: usize| {
        let fields = json!({"config": config, "layers": [], "annotations": {"n": n.to_string()}});
        let image = hostile.manifest(&fields);
        let mut entry = json!(image);
        entry["platform"] = json!({"os": "linux", "architecture": format!("a{n}")});
        (image, entry)
    };
    let (images, entries): (Vec<_>, Vec<_>) = (0..images).map(image).unzip();
    let root = hostile.index(&json!(entries));
    hostile.name(&root, "v");
    for image in images {
        hostile.name(&list, &referrer::fallback_tag(&image.digest));
    }
    hostile
}

// 99,000 findings of 844 KB: each was kept, and then all of them once more as a report: 447 MB.
#[test]
fn findings_about_many_images_are_kept_once() {
    // At three hundred images it was 135 MB.
    let hostile = shared_junk(300);
    let json = ["--all-platforms", "--output", "json"];
    assert_eq!(hostile.run(BAR, "verify", &json), Some(1));
    let to = format!("oci:{}:v", hostile.dir.path().join("to").display());
    assert_eq!(hostile.run(BAR, "import", &[&[to.as_str()], &json[..]].concat()), Some(1));
    assert!(!hostile.dir.path().join("to").exists());
    assert_eq!(hostile.run(BAR, "tree", &["--output", "json"]), Some(2));
}

// Thirty-two references at a time, each with an envelope as large as it may be: all of them were held together, 605 MB.
#[test]
#[cfg(feature = "registry")]
fn large_references_are_verified_one_by_one() {
    let mut hostile = Hostile::new();
    let word = TestPayload::statement(vec![b'x'; 23_000_000]);
    let signed_layer: SignedLayer = word.within(Format::Dsse, &json!([{"sig": "AA=="}]));
    let envelope = hostile.blob(&signed_layer.media_type, &signed_layer.bytes);
    hostile.refer(&[envelope], 0, "");
    hostile.run(BAR, "tree", &[]);
    let registry = support::registry::Registry::start(support::registry::Quirks::polite());
    let there: Vec<_> = (0..12).map(|n| format!("{}/app{n}:v", registry.address())).collect();
    for place in &there {
        let layout = format!("oci:{}:v", hostile.path().display());
        let copied = Command::new(env!("CARGO_BIN_EXE_bulla")).args(["copy", &layout, place]).output().unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    }
    let mut arguments = vec!["verify", "--type", "spdx", "--jobs", "12"];
    arguments.extend(there.iter().map(String::as_str));
    assert_eq!(hostile.start(BAR + 50, &arguments), Some(1));
}

// Everything in it was there five times: 318 MB for 54 MB.
#[test]
fn a_large_request_is_read_without_copies_of_it() {
    let hostile = Hostile::new();
    let predicate = hostile.dir.path().join("p.json");
    fs::write(&predicate, format!(r#"{{"a":"{}"}}"#, "x".repeat(6_000_000))).unwrap();
    hostile.write_index();
    let (request, answer) = (hostile.dir.path().join("q.json"), hostile.dir.path().join("a.json"));
    let of = |path: &Path| path.to_str().unwrap().to_owned();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys");
    let key = keys.join("release.key");
    let image = format!("oci:{}:v", hostile.path().display());
    let attest = |kind: &str| ["--attest".to_owned(), format!("{kind}={}", of(&predicate))];
    let owner = format!("a={}", of(&keys.join("release.pub")));
    let new = ["request", "new", &image, "--attest-only", "--owner", &owner, "-o", &of(&request)];
    let mut new = new.map(str::to_owned).to_vec();
    new.extend(attest("urn:test:spdx").into_iter().chain(attest("custom")));
    let run = |arguments: &[String]| {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        hostile.start_without_key(BAR + 55, &arguments)
    };
    assert_eq!(run(&new), Some(0));
    assert!(fs::metadata(&request).unwrap().len() > 12_000_000);
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(run(&words(format!("request show {}", of(&request)))), Some(0));
    let sign = format!("request sign {} --key {} -o {} --yes", of(&request), of(&key), of(&answer));
    assert_eq!(run(&words(sign)), Some(0));
    assert_eq!(run(&words(format!("request attach {} {}", of(&request), of(&answer)))), Some(0));
    // One that is larger than it may be is not read at all.
    fs::write(&request, vec![b' '; 54_000_000]).unwrap();
    assert_eq!(run(&words(format!("request show {}", of(&request)))), Some(2));
}

// The name of each member was kept twice.
#[test]
fn names_in_an_archive_are_not_kept() {
    let hostile = Hostile::new();
    let path = hostile.dir.path().join("names.tar");
    let mut archive = BufWriter::new(File::create(&path).unwrap());
    for n in 0..100_000 {
        let mut header = [0_u8; 512];
        header[..99].copy_from_slice(format!("{n:099}").as_bytes());
        header[100..148].copy_from_slice(b"0000644\x000000000\x000000000\x0000000000000\x0000000000000\0");
        header[148..157].copy_from_slice(b"        0");
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[345..495].fill(b'p');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.write_all(&header).unwrap();
    }
    archive.write_all(&[0; 1024]).unwrap();
    archive.into_inner().unwrap().sync_all().unwrap();
    let from = format!("oci-archive:{}:v", path.display());
    // It has no layout, which is only known when all of it was read.
    assert_eq!(hostile.start(20, &["verify", &from]), Some(2));
}

/// Docker's list may name one config for many images, with other layers each time.
#[test]
fn a_config_that_is_listed_again_is_in_memory_once() {
    let mut hostile = Hostile::new();
    let rootfs = json!({"type": "layers", "diff_ids": [Descriptor::of("", b"l").digest]});
    let config =
        json!({"architecture": "amd64", "os": "linux", "rootfs": rootfs, "x": "y".repeat(4_000_000)}).to_string();
    let (parts, layer) = (hostile.blob(media_type::OCI_CONFIG, config.as_bytes()), Descriptor::of("a/b", b"l"));
    hostile.entries.clear();
    hostile.image = hostile.manifest(&json!({"config": parts, "layers": [layer]}));
    hostile.name(&hostile.image.clone(), "v");
    let signature = signed(&hostile);
    hostile.refer(&[signature], 0, "");
    hostile.write_index();
    let entry = |n: usize| json!({"Config": "c.json", "RepoTags": [format!("app:{n}")], "Layers": vec!["l"; n]});
    let list = json!((1..=60).map(entry).collect::<Vec<_>>()).to_string();
    let files = [file("c.json", config.as_bytes()), file("l", b"l"), file("manifest.json", list.as_bytes())];
    let path = hostile.dir.path().join("d.tar");
    fs::write(&path, end(files.to_vec())).unwrap();
    let (archive, evidence) =
        (format!("docker-archive:{}", path.display()), format!("oci:{}", hostile.path().display()));
    let key = hostile.dir.path().join("k.pub").display().to_string();
    let (code, printed) = hostile.output(BAR, &["verify", &archive, "--evidence", &evidence, "--key", &key]);
    assert_eq!((code, printed.contains("it has 60 layers, and the config names 1")), (Some(1), true), "{printed}");
}

/// The list of a layout is read whole, and lies beside everything else that is read.
#[test]
fn a_full_layout_leaves_room() {
    let mut hostile = Hostile::new();
    let padding = "p".repeat(60);
    for n in 0..12_000 {
        let digest = format!("sha256:{n:064x}");
        let annotations = json!({"org.opencontainers.image.ref.name": format!("{padding}:{n}")});
        let media_type = media_type::OCI_MANIFEST;
        hostile.entries.push(json!({"mediaType": media_type, "size": 1, "digest": digest, "annotations": annotations}));
    }
    let layer = signed(&hostile);
    let config = referrer::empty_config();
    hostile.blob(media_type::OCI_EMPTY, config.bytes());
    hostile.refer(&[layer], 0, "");
    assert_eq!(hostile.run(BAR, "verify", &[]), Some(0));
}

/// The memory limit of a copy or import for heap and stacks, in MB, for any image. 24 are enough today.
const MOVING: u64 = 60;

/// A layout with a signed image `v` of one layer, which is so long and takes no room on the disk.
fn long_image(dir: &Path, length: u64) {
    use sha2::Digest as _;

    let zeros = vec![0; 1 << 20];
    let mut hash = sha2::Sha256::new();
    (0..length >> 20).for_each(|_| hash.update(&zeros));
    let digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let layer = format!("sha256:{digest}");
    let fixture = TestStore {
        sink: Box::new(Layout::create(dir.join("source"), Limits::DEFAULT).unwrap()),
        memory: None,
        dir: None,
    };
    let rootfs = json!({"type": "layers", "diff_ids": [layer]});
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).to_string();
    let config = Content::from_bytes(media_type::OCI_CONFIG, config.into_bytes());
    let image = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": length}],
    });
    let image = Content::from_bytes(media_type::OCI_MANIFEST, image.to_string().into_bytes());
    fixture.push(&[config], &image, Some("v"));
    let kind = StatementKind::ImageSignature;
    let signed_layer = TestPayload::about(Format::Bundle, &kind, image.digest()).sign(Format::Bundle, &[proof::key()]);
    fixture.attach(&image, Location::Referrers, &kind, Format::Bundle, &[signed_layer]);
    fixture.settle();
    File::create(dir.join("source/blobs/sha256").join(digest)).unwrap().set_len(length).unwrap();
}

/// Nothing in the program holds a layer: seven times the image takes no more. Bounded are heap and stacks, not files.
#[test]
#[cfg(feature = "registry")]
fn layers_are_streamed_and_never_in_memory() {
    for megabytes in [30, 200] {
        let dir = support::temp_dir();
        long_image(dir.path(), megabytes << 20);
        fs::write(dir.path().join("k.pub"), proof::public(proof::key()).to_pem()).unwrap();
        let registry = support::registry::Registry::start(support::registry::Quirks::polite());
        for (line, done_with) in [
            ("copy oci:source:v oci:layout:v", "layout"),
            ("copy oci:source:v oci-archive:archive.tar:v", ""),
            ("copy oci:source:v REG/app:v", ""),
            ("import oci-archive:archive.tar:v REG/second:v --key k.pub", "archive.tar"),
            ("import REG/app:v oci:layout:v --key k.pub", "layout"),
            ("import REG/second:v oci-archive:archive.tar:v --key k.pub", "archive.tar"),
        ] {
            let kib = (MOVING * 1_000_000 / 1024).to_string();
            let mut program = Command::new("sh");
            program.args(["-c", "ulimit -d \"$0\" && exec \"$@\"", &kib, env!("CARGO_BIN_EXE_bulla")]);
            program.args(line.replace("REG", &registry.address()).split(' ')).current_dir(dir.path());
            let output = program
                .env_clear()
                .env("HOME", dir.path())
                .env("TOKIO_WORKER_THREADS", "2")
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let printed = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{megabytes} MB: {line}: {:?} {printed}", output.status);
            if !done_with.is_empty() {
                let path = dir.path().join(done_with);
                if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
            }
        }
    }
}
