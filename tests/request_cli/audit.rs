//! `request log verify --against`: matches the signatures on an image with the log, and misses none.

use std::fs;

use bulla::digest::Digest;
use bulla::envelope::Envelope;
use bulla::envelope::base64;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::request::LogChain;
use serde_json::Value;
use serde_json::json;

use crate::bench::Bench;
use crate::bench::ProgramOutput;
use crate::support::image;

/// An image that alice signed by a request, with its log.
fn signed_once() -> Bench {
    let bench = Bench::new(&["alice"]);
    bench.layout("build", &[("v1", &image::image(1))]);
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"]);
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    bench.ok(&["request", "attach", "r", "a"]);
    assert_eq!(audit(&bench).code, Some(0));
    bench
}

/// The same, and signed once more, outside.
fn signed_twice() -> Bench {
    let bench = signed_once();
    bench.ok(&["sign", "oci:build:v1", "--key", "alice.key", "-a", "evil=1"]);
    bench
}

fn audit(bench: &Bench) -> ProgramOutput {
    bench.run(&["request", "log", "verify", "log", "--against", "oci:build:v1", "--key", "alice.pub"])
}

fn blob(bench: &Bench, digest: &str) -> Value {
    serde_json::from_slice(&fs::read(bench.path("build/blobs").join(digest.replace(':', "/"))).unwrap()).unwrap()
}

fn put(bench: &Bench, bytes: &[u8]) -> (String, usize) {
    let digest = Digest::sha256(bytes).to_string();
    fs::write(bench.path("build/blobs").join(digest.replace(':', "/")), bytes).unwrap();
    (digest, bytes.len())
}

/// Every descriptor of `old` becomes one of `new`.
fn repoint(value: &mut Value, old: &str, new: &(String, usize)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| repoint(item, old, new)),
        Value::Object(fields) if fields.get("digest") == Some(&json!(old)) => {
            fields.insert("digest".to_owned(), json!(new.0));
            fields.insert("size".to_owned(), json!(new.1));
            fields.remove("data");
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| repoint(field, old, new)),
        _ => {}
    }
}

/// Changes the bundle whose payload contains `says`, and everything that names it.
fn alter(bench: &Bench, says: &str, change: impl Fn(&Value) -> Vec<u8>) {
    let index = || serde_json::from_slice::<Value>(&fs::read(bench.path("build/index.json")).unwrap()).unwrap();
    let mut root = index();
    let tagged = |entry: &&Value| {
        entry["annotations"]["org.opencontainers.image.ref.name"]
            .as_str()
            .is_some_and(|name| name.starts_with("sha256-"))
    };
    let fallback = root["manifests"].as_array().unwrap().iter().find(tagged).unwrap()["digest"].as_str().unwrap();
    let fallback = fallback.to_owned();
    let mut list = blob(bench, &fallback);
    for entry in list["manifests"].as_array().unwrap().clone() {
        let old = entry["digest"].as_str().unwrap();
        let mut manifest = blob(bench, old);
        let layer = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
        let bundle = blob(bench, &layer);
        let payload = base64::decode("payload", bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        if !String::from_utf8(payload).unwrap().contains(says) {
            continue;
        }
        let new = put(bench, &change(&bundle));
        repoint(&mut manifest["layers"], &layer, &new);
        let new = put(bench, manifest.to_string().as_bytes());
        // A layout finds whatever refers to an image among its blobs.
        fs::remove_file(bench.path("build/blobs").join(old.replace(':', "/"))).unwrap();
        repoint(&mut list, old, &new);
        repoint(&mut root, old, &new);
    }
    let new = put(bench, list.to_string().as_bytes());
    repoint(&mut root, &fallback, &new);
    fs::write(bench.path("build/index.json"), root.to_string()).unwrap();
}

fn signatures(bundle: &mut Value) -> &mut Vec<Value> {
    bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap()
}

fn logged(bench: &Bench) -> Value {
    let answer: Value = serde_json::from_slice(&fs::read(bench.path("a")).unwrap()).unwrap();
    answer["signers"][0]["signatures"][0]["signature"].clone()
}

/// A yes about nothing would be one about every log.
#[test]
fn an_image_without_a_signature_by_the_keys_is_could_not_tell() {
    let bench = signed_once();
    let other = Bench::new(&["mallory"]);
    fs::copy(other.path("mallory.pub"), bench.path("mallory.pub")).unwrap();
    bench.layout("unsigned", &[("v1", &image::image(2))]);
    let audit = |more: &[&str]| bench.run(&[&["request", "log", "verify", "log"], more].concat());
    for (more, name, rows) in [
        (&["--key", "mallory.pub", "--against", "oci:build:v1"][..], "oci:build:v1", "oci:build:v1: 0 of 0"),
        (&["--key", "alice.pub", "--against", "oci:unsigned:v1"], "oci:unsigned:v1", "oci:unsigned:v1: 0 of 0"),
        // One that is signed and logged beside it does not hide it, in either order.
        (
            &["--key", "alice.pub", "--against", "oci:unsigned:v1", "--against", "oci:build:v1"],
            "oci:unsigned:v1",
            "oci:build:v1: 1 of 1",
        ),
        (
            &["--key", "alice.pub", "--against", "oci:build:v1", "--against", "oci:unsigned:v1"],
            "oci:unsigned:v1",
            "oci:build:v1: 1 of 1",
        ),
    ] {
        let found = audit(more);
        assert_eq!(found.code, Some(2), "{more:?}: {}", found.err);
        assert!(found.err.contains(&format!("nothing compared  {name}")), "{more:?}: {}", found.err);
        assert!(found.out.contains(&format!("matched  {rows} signatures")), "{more:?}: {}", found.out);
        assert_eq!(found.err.matches("nothing compared  ").count(), 1, "{more:?}: {}", found.err);
    }
    // A key alone compares nothing, also not with the keys that the log names.
    for key in ["alice.pub", "mallory.pub"] {
        let found = audit(&["--key", key]);
        assert!(found.code == Some(2) && found.err.contains("--against"), "{found:?}");
    }
    // A signature without a line is a refusal, whatever else has none.
    bench.ok(&["sign", "oci:build:v1", "--key", "alice.key", "-a", "evil=1"]);
    let found = audit(&["--key", "alice.pub", "--against", "oci:unsigned:v1", "--against", "oci:build:v1"]);
    assert!(found.code == Some(1) && found.err.contains("1 of 2 signatures have no line"), "{}", found.err);
}

#[test]
fn a_log_line_counts_for_one_signature_only() {
    let bench = signed_twice();
    assert_eq!(audit(&bench).code, Some(1));
    let borrowed = logged(&bench);
    for first in [true, false] {
        alter(&bench, "evil", |bundle| {
            let mut bundle = bundle.clone();
            let at = if first { 0 } else { signatures(&mut bundle).len() };
            signatures(&mut bundle).insert(at, json!({ "sig": borrowed }));
            bundle.to_string().into_bytes()
        });
        bench.ok(&["verify", "oci:build:v1", "--key", "alice.pub", "-a", "evil=1"]);
        let output = audit(&bench);
        assert_eq!(output.code, Some(1), "{}", output.err);
        assert!(output.err.contains("1 of 2 signatures have no line"), "{}", output.err);
    }
}

#[test]
fn a_foreign_signature_in_the_same_document_is_ignored() {
    let bench = signed_once();
    let mallory = PrivateKey::generate(bulla::key::KeyKind::P256).unwrap();
    let junk = base64::encode(mallory.sign(b"anything").unwrap().as_bytes());
    alter(&bench, "predicateType", |bundle| {
        let mut bundle = bundle.clone();
        signatures(&mut bundle).insert(0, json!({ "sig": junk }));
        bundle.to_string().into_bytes()
    });
    assert_eq!(audit(&bench).code, Some(0), "{}", audit(&bench).err);
}

/// Unreadable evidence is reported, since another verifier may be able to read it.
#[test]
fn unreadable_evidence_is_reported() {
    for how in ["padded", "no JSON", "without content", "gone"] {
        let bench = signed_twice();
        alter(&bench, "evil", |bundle| {
            let mut bundle = bundle.clone();
            match how {
                "padded" => signatures(&mut bundle).extend(vec![json!({ "sig": "AAAA" }); 16]),
                "without content" => drop(bundle.as_object_mut().unwrap().remove("dsseEnvelope")),
                "gone" => {}
                _ => return b"{".to_vec(),
            }
            bundle.to_string().into_bytes()
        });
        if how == "gone" {
            alter(&bench, "evil", |bundle| {
                let mut bundle = bundle.clone();
                bundle["gone"] = json!(1);
                bundle.to_string().into_bytes()
            });
            for (path, bytes) in bench.snapshot("build/blobs/sha256") {
                if bytes.windows(6).any(|part| part == b"\"gone\"") {
                    fs::remove_file(bench.path("build/blobs/sha256").join(path)).unwrap();
                }
            }
        }
        let output = audit(&bench);
        assert_eq!(output.code, Some(2), "{how}: {}", output.err);
        assert!(output.err.contains("not read  ") && output.err.contains("@sha256:"), "{how}: {}", output.err);
    }
}

/// A list of materials is by its type no signature of anybody.
#[test]
fn a_manifest_that_cannot_hold_a_signature_is_not_a_finding() {
    let bench = Bench::new(&["alice"]);
    let image = image::image(1);
    let materials = image::referrer(&image.descriptor, "application/spdx+json", b"{}");
    let mut listed = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json" });
    listed["manifests"] = json!([materials.descriptor]);
    bench.layout("build", &[("v1", &image), ("materials", &materials)]);
    bench.ok(&["request", "new", "oci:build:v1", "-o", "r", "--owner", "alice=alice.pub"]);
    bench.ok(&["request", "sign", "r", "--key", "alice.key", "-o", "a", "--yes", "--log", "log"]);
    bench.ok(&["request", "attach", "r", "a"]);
    let (digest, size) = put(&bench, listed.to_string().as_bytes());
    let mut root: Value = serde_json::from_slice(&fs::read(bench.path("build/index.json")).unwrap()).unwrap();
    let name = format!("{}", image.descriptor.digest).replace(':', "-");
    let entries = root["manifests"].as_array_mut().unwrap();
    entries.retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] != json!(name));
    entries.push(json!({
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": size,
        "annotations": { "org.opencontainers.image.ref.name": name },
    }));
    fs::write(bench.path("build/index.json"), root.to_string()).unwrap();
    assert_eq!(audit(&bench).code, Some(0), "{}", audit(&bench).err);
}

/// A carrier can rewrite an ECDSA signature on its way; the rewritten one still has its line in the log.
#[test]
fn the_malleable_form_of_a_signature_matches_its_line() {
    let bench = signed_once();
    alter(&bench, "predicateType", |bundle| {
        let mut bundle = bundle.clone();
        let sig = &mut signatures(&mut bundle)[0]["sig"];
        let made = base64::decode("sig", sig.as_str().unwrap()).unwrap();
        *sig = json!(base64::encode(&p256::ecdsa::Signature::from_der(&made).map(twin).unwrap()));
        bundle.to_string().into_bytes()
    });
    bench.ok(&["verify", "oci:build:v1", "--key", "alice.pub"]);
    assert_eq!(audit(&bench).code, Some(0), "{}", audit(&bench).err);
}

fn twin(signature: p256::ecdsa::Signature) -> Vec<u8> {
    let (r, s) = signature.split_scalars();
    p256::ecdsa::Signature::from_scalars(r, -s).unwrap().to_der().as_bytes().to_vec()
}

#[test]
fn an_empty_log_is_could_not_tell() {
    let bench = Bench::new(&[]);
    fs::write(bench.path("log"), "").unwrap();
    let output = bench.unknown(&["request", "log", "verify", "log"]);
    assert!(output.err.contains("no lines"), "{}", output.err);
    bench.refused(&["request", "log", "verify", "log", "--head", &Digest::sha256(b"").to_string()]);
}

/// A payload that evaluation does not read states nothing that a line could be compared with, even if it would be an
/// in-toto statement under another type: a line for it is no yes, and without a line it is a no.
#[test]
fn a_payload_of_an_unknown_type_is_unread() {
    let bench = signed_twice();
    let pem = fs::read(bench.path("alice.key")).unwrap();
    let key = PrivateKey::parse(&pem, &Limits::DEFAULT, || panic!("it is not encrypted")).unwrap();
    let made = std::cell::RefCell::new(Vec::new());
    alter(&bench, "evil", |bundle| {
        let mut bundle = bundle.clone();
        let payload = base64::decode("payload", bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        let envelope = Envelope::sign("application/vnd.example.statement+json", &payload, &key).unwrap();
        bundle["dsseEnvelope"] = serde_json::from_slice(&envelope.to_json().unwrap()).unwrap();
        let signature = envelope.signatures().next().unwrap();
        *made.borrow_mut() = key.public_key().canonical_signature(signature).into_owned();
        bundle.to_string().into_bytes()
    });
    let output = audit(&bench);
    assert_eq!(output.code, Some(1), "{}", output.err);
    assert!(output.err.contains("1 of 2 signatures have no line"), "{}", output.err);

    let (mut log, mut chain, mut last) = (Vec::new(), LogChain::default(), None);
    for line in bench.lines("log") {
        let entry = chain.follow(line.as_bytes(), &Limits::DEFAULT).unwrap();
        log.extend([line.as_bytes(), b"\n"].concat());
        last = last.or(Some(entry));
    }
    let entry = bulla::request::LogEntry { signature: Digest::sha256(&made.borrow()), ..last.unwrap() };
    log.extend(chain.append(&entry, &Limits::DEFAULT).unwrap());
    log.push(b'\n');
    fs::write(bench.path("log"), log).unwrap();
    let output = audit(&bench);
    assert_eq!(output.code, Some(2), "{}", output.err);
    assert!(output.err.contains("not read  ") && output.err.contains("payload type"), "{}", output.err);
}

/// Manifests beyond those that are followed below one image may hold a signature.
#[test]
fn more_manifests_than_the_limit_are_no_answer() {
    for (more, code) in [(false, 0), (true, 2)] {
        let bench = signed_once();
        let image = image::image(1);
        // Beside the signature.
        for n in 1..Limits::DEFAULT.graph.manifests {
            let other = image::referrer(&image.descriptor, "application/spdx+json", n.to_string().as_bytes());
            put(&bench, &other.manifest);
        }
        if more {
            let other = image::referrer(&image::image(2).descriptor, "application/spdx+json", b"one more");
            put(&bench, &other.manifest);
            let mut root: Value = serde_json::from_slice(&fs::read(bench.path("build/index.json")).unwrap()).unwrap();
            let mut entry = json!(other.descriptor);
            entry["annotations"]["org.opencontainers.image.ref.name"] = json!(format!("{}.sig", image.fallback_tag()));
            root["manifests"].as_array_mut().unwrap().push(entry);
            fs::write(bench.path("build/index.json"), root.to_string()).unwrap();
        }
        let output = audit(&bench);
        assert_eq!(output.code, Some(code), "{}", output.err);
        assert_eq!(output.err.contains("more than 1000 manifests below one image"), more, "{}", output.err);
    }
}
