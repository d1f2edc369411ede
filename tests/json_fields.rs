//! Field names in every strict JSON format: one that stands twice, or that a reader without regard to case takes for another
//! one, is refused. Go's `encoding/json` reads `LAYERS` as `layers`, and keeps the later of the two.
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

#[path = "support/vectors.rs"]
mod vectors;

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::Evidence;
use bulla::envelope::FileDocument;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::UnsignedStatement;
use bulla::envelope::pre_authentication_encoding;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Document;
use bulla::oci::ImageConfig;
use bulla::oci::media_type;
use bulla::request::LogChain;
use bulla::time::Time;
use bulla::transparency::TransparencyLogEntry;
use bulla::trust::AuthenticationContext;
use bulla::trust::RevocationBundle;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::notation::TrustPolicyDocument;
use bulla::trust::sigstore::SigningConfig;
use bulla::trust::sigstore::TrustedRoot;
use bulla::tuf::TufRoot;
use serde_json::Value;
use serde_json::json;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Fields that no reader here has, so that one of another name alone is ignored as well, and what is in them.
const IGNORED: [&str; 1] = ["envelopeHash"];

/// A format: a document that is accepted, its reader, and the objects in it whose keys are data, as JSON Pointers.
struct Format<'a> {
    document: Value,
    maps: &'a [&'a str],
    name: &'a str,
    read: &'a dyn Fn(&[u8]) -> Result<(), String>,
}

/// What is done to one field of an object.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// Another field of this name is added at the end, with the same value.
    Added,
    /// It gets this name.
    Renamed,
}

impl Format<'_> {
    /// Breaks each field of each object.
    fn check(&self) {
        let read = |text: &str| (self.read)(text.as_bytes());
        let name = self.name;
        let whole = written(&self.document, "", None);
        assert_eq!(read(&whole), Ok(()), "{name}: {whole}");
        let mut fields = Vec::new();
        fields_of(&self.document, "", &mut fields);
        assert!(!fields.is_empty(), "{name}");
        for (object, field) in &fields {
            let broken = |change, new: &str| {
                let text = written(&self.document, "", Some((object, field, change, new)));
                assert!(read(&text).is_err(), "{name}: {change:?} {new:?} in {object:?} is accepted: {text}");
            };
            broken(Change::Added, field);
            let is_ignored = object.split('/').any(|name| IGNORED.contains(&name));
            if is_ignored || self.maps.iter().any(|map| object.starts_with(map)) {
                continue;
            }
            for other in variants(field) {
                broken(Change::Added, &other);
                if !IGNORED.contains(&field.as_str()) {
                    broken(Change::Renamed, &other);
                }
            }
        }
    }
}

/// Names that readers without regard to case take for `name`: Go folds `ſ` to `s`, and the Kelvin sign to `k`.
fn variants(name: &str) -> Vec<String> {
    let first = name.chars().next().unwrap();
    let swapped =
        if first.is_lowercase() { first.to_uppercase().to_string() } else { first.to_lowercase().to_string() };
    let mut all = vec![name.to_uppercase(), name.to_lowercase(), swapped + &name[first.len_utf8()..]];
    all.push(name.replacen('s', "\u{17f}", 1));
    all.push(name.replacen('k', "\u{212a}", 1));
    all.sort();
    all.dedup();
    all.retain(|other| other != name);
    all
}

/// Every field of every object: the JSON Pointer of the object, and the name.
fn fields_of(value: &Value, at: &str, all: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| fields_of(item, &format!("{at}/{index}"), all));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                all.push((at.to_owned(), name.clone()));
                fields_of(value, &format!("{at}/{name}"), all);
            }
        }
        _ => {}
    }
}

/// The document as text, with a change of one field.
fn written(value: &Value, at: &str, change: Option<(&String, &String, Change, &str)>) -> String {
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| written(item, &format!("{at}/{index}"), change));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        Value::Object(fields) => {
            let mut all = Vec::new();
            let mut added = None;
            for (name, value) in fields {
                let text = written(value, &format!("{at}/{name}"), change);
                let quoted = |name: &str| serde_json::to_string(name).unwrap();
                match change.filter(|(object, field, ..)| *object == at && *field == name) {
                    Some((_, _, Change::Renamed, new)) => all.push(format!("{}:{text}", quoted(new))),
                    found => {
                        added = added.or(found.map(|(_, _, _, new)| format!("{}:{text}", quoted(new))));
                        all.push(format!("{}:{text}", quoted(name)));
                    }
                }
            }
            all.extend(added);
            format!("{{{}}}", all.join(","))
        }
        other => other.to_string(),
    }
}

fn told<T, E: ToString>(read: Result<T, E>) -> Result<(), String> {
    read.map(drop).map_err(|error| error.to_string())
}

fn descriptor(media_type: &str) -> Value {
    json!({
        "mediaType": media_type, "digest": DIGEST, "size": 2, "annotations": {"key": "value"},
        "urls": ["https://example.com/x"],
    })
}

#[test]
fn manifests_indexes_and_configs() {
    let document = |kind: &'static str| {
        move |bytes: &[u8]| told(Document::parse(&Content::from_bytes(kind, bytes.to_vec()), &Limits::DEFAULT))
    };
    let layer = descriptor("application/vnd.oci.image.layer.v1.tar");
    Format {
        document: json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "artifactType": "application/x",
            "config": descriptor(media_type::OCI_CONFIG), "layers": [layer], "subject": descriptor(media_type::OCI_MANIFEST),
            "annotations": {"key": "value"},
        }),
        maps: &["/annotations", "/config/annotations", "/layers/0/annotations", "/subject/annotations"],
        name: "manifest",
        read: &document(media_type::OCI_MANIFEST),
    }
    .check();
    let mut entry = descriptor(media_type::OCI_MANIFEST);
    entry["platform"] = json!({"architecture": "arm", "os": "linux", "variant": "v7"});
    Format {
        document: json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [entry], "annotations": {"key": "value"},
        }),
        maps: &["/annotations", "/manifests/0/annotations"],
        name: "index",
        read: &document(media_type::OCI_INDEX),
    }
    .check();
    Format {
        document: json!({
            "architecture": "amd64", "os": "linux", "created": "2026-11-27T00:00:00Z", "author": "a",
            "config": {"Labels": {"key": "value"}}, "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
            "history": [{"created": "2026-11-27T00:00:00Z", "created_by": "x"}],
        }),
        maps: &["/config/Labels"],
        name: "config",
        read: &|bytes| {
            let content = Content::from_bytes(media_type::OCI_CONFIG, bytes.to_vec());
            told(ImageConfig::parse(&content, &Limits::DEFAULT))
        },
    }
    .check();
}

#[test]
fn envelopes_bundles_and_statements() {
    let (limits, kind) = (Limits::DEFAULT, "application/vnd.in-toto+json");
    let envelope = json!({
        "payload": STANDARD.encode("{}"), "payloadType": kind, "signatures": [{"keyid": "k", "sig": STANDARD.encode("s")}],
    });
    Format {
        document: envelope.clone(),
        maps: &[],
        name: "DSSE",
        read: &|bytes| told(Envelope::parse(bytes, &limits)),
    }
    .check();
    let material = json!({"publicKey": {"hint": "k"}});
    let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    Format {
        document: json!({"mediaType": media_type, "verificationMaterial": material, "dsseEnvelope": envelope}),
        maps: &[],
        name: "bundle",
        read: &|bytes| told(Bundle::parse(bytes, &limits)),
    }
    .check();
    let hash = json!({"algorithm": "SHA2_256", "digest": STANDARD.encode([1; 32])});
    let message = json!({"messageDigest": hash, "signature": STANDARD.encode("s")});
    Format {
        document: json!({"mediaType": media_type, "verificationMaterial": material, "messageSignature": message}),
        maps: &[],
        name: "bundle of a file",
        read: &|bytes| told(FileDocument::parse_bundle(bytes, &limits)),
    }
    .check();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "x", "digest": {"sha256": &DIGEST[7..]}}],
        "predicateType": "https://example.com/x", "predicate": {"any": {"thing": 1}},
    });
    Format {
        document: statement.clone(),
        maps: &["/subject/0/digest", "/predicate"],
        name: "unsigned statement",
        read: &|bytes| told(UnsignedStatement::parse(bytes, &limits)),
    }
    .check();
    // The same as a signed payload.
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let trust = TrustRoot::pinned([key.public_key().clone()]).unwrap();
    let payload = |bytes: &[u8]| {
        let signature = key.sign(&pre_authentication_encoding(kind, bytes)).unwrap();
        let envelope = json!({
            "payload": STANDARD.encode(bytes), "payloadType": kind,
            "signatures": [{"sig": STANDARD.encode(signature.as_bytes())}],
        });
        let bundle = json!({"mediaType": media_type, "verificationMaterial": material, "dsseEnvelope": envelope});
        let bundle = Bundle::parse(bundle.to_string().as_bytes(), &limits).unwrap();
        let evidence = Evidence::new(SignedDocument::Bundle(bundle), FoundAt::Subject, Vec::new());
        let time = VerificationTime::now(Time::EPOCH);
        let context = AuthenticationContext { limits: &limits, revocation: None, time };
        let mut found = trust.authenticate(&evidence, context, &mut SignatureBudget::of(10)).authenticated;
        told(found.pop().unwrap().payload().read(&limits))
    };
    Format { document: statement, maps: &["/subject/0/digest", "/predicate"], name: "statement", read: &payload }
        .check();
}

#[test]
fn what_operators_trust() {
    let limits = Limits::DEFAULT;
    Format {
        document: json!({
            "version": "1.0",
            "trustPolicies": [{
                "name": "a", "registryScopes": ["*"], "trustStores": ["ca:acme"],
                "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"],
                "signatureVerification": {
                    "level": "strict", "verifyTimestamp": "always", "override": {"expiry": "log"},
                },
            }],
        }),
        maps: &["/trustPolicies/0/signatureVerification/override"],
        name: "trust policy",
        read: &|bytes| told(TrustPolicyDocument::parse(bytes, &limits)),
    }
    .check();
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let log = json!({
        "baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": STANDARD.encode(key.public_key().spki()), "keyDetails": "PKIX_ED25519",
            "validFor": {"start": "2020-01-01T00:00:00Z", "end": "2030-01-01T00:00:00Z"},
        },
        "logId": {"keyId": STANDARD.encode(key.public_key().id().as_bytes())},
    });
    Format {
        document: json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [log],
        }),
        maps: &[],
        name: "trusted root",
        read: &|bytes| told(TrustedRoot::parse(bytes, &limits)),
    }
    .check();
    let service = json!([{
        "url": "https://log.example", "majorApiVersion": 2, "operator": "example",
        "validFor": {"start": "2020-01-01T00:00:00Z"},
    }]);
    Format {
        document: json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "rekorTlogUrls": service, "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": service, "tsaConfig": {"selector": "EXACT", "count": 1},
        }),
        maps: &[],
        name: "signing config",
        read: &|bytes| told(SigningConfig::parse(bytes, &limits)),
    }
    .check();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut bundle = RevocationBundle::new();
    let crl =
        bulla::x509::CertificateRevocationList::parse(fs::read(testdata.join("revocation/list.crl")).unwrap(), &limits);
    let crl = bulla::trust::RevocationDocument::Crl(crl.unwrap());
    bundle.add(crl, ("http://crl.example/root.crl", Time::EPOCH), &limits).unwrap();
    Format {
        document: serde_json::from_slice(&bundle.to_bytes().unwrap()).unwrap(),
        maps: &[],
        name: "revocation bundle",
        read: &|bytes| told(RevocationBundle::parse(bytes, &limits)),
    }
    .check();
    let root: Value = serde_json::from_slice(&fs::read(testdata.join("tuf/root.json")).unwrap()).unwrap();
    let read = |bytes: &[u8]| told(TufRoot::parse(bytes, &limits));
    Format { document: root, maps: &[], name: "TUF root", read: &read }.check();
}

/// The entries of a bundle, and what each of them says.
#[test]
fn log_entries() {
    let (Some(suite), limits) = (vectors::suite("sigstore-bundles"), Limits::DEFAULT) else { return };
    let bundle = fs::read(suite.join("open/rust-happy-path/bundle.sigstore.json"));
    let bundle = bundle.or_else(|_| fs::read(suite.join("open/rust-happy-path/bundle.json"))).unwrap();
    let document: Value = serde_json::from_slice(&bundle).unwrap();
    let entries = |bytes: &[u8]| {
        let bundle = Bundle::parse(bytes, &limits).map_err(|error| error.to_string())?;
        let mut stored = bundle.verification_material().log_entries.iter();
        stored.try_for_each(|entry| told(TransparencyLogEntry::parse(entry, &limits)))
    };
    Format { document: document.clone(), maps: &[], name: "bundle with log entries", read: &entries }.check();
    let entry = document["verificationMaterial"]["tlogEntries"][0].clone();
    let body = STANDARD.decode(entry["canonicalizedBody"].as_str().unwrap()).unwrap();
    let with_body = |body: &[u8]| {
        let mut changed = document.clone();
        changed["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"] = STANDARD.encode(body).into();
        entries(changed.to_string().as_bytes())
    };
    Format {
        document: serde_json::from_slice(&body).unwrap(),
        maps: &[],
        name: "body of a log entry",
        read: &with_body,
    }
    .check();
}

/// Requests, responses and log lines, as the program writes them.
#[cfg(feature = "cli")]
#[test]
fn signing_requests() {
    use std::process::Command;

    use bulla::request::SigningRequest;
    use bulla::request::SigningResponse;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    fs::write(path("a.key"), &*key.to_pkcs8_pem()).unwrap();
    fs::write(path("a.pub"), key.public_key().to_pem()).unwrap();
    fs::write(path("app.txt"), "release 1.0\n").unwrap();
    let run = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        let output = command.args(line.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("request new --file app.txt -o request --owner a=a.pub");
    run("request sign request --key a.key -o response --yes --log log");
    let limits = Limits::DEFAULT;
    let text = |name: &str| fs::read(path(name)).unwrap();
    let request = SigningRequest::parse(&text("request"), &limits).unwrap();
    let document = |name: &str| serde_json::from_slice(&text(name)).unwrap();
    Format {
        document: document("request"),
        maps: &[],
        name: "signing request",
        read: &|bytes| told(SigningRequest::parse(bytes, &limits)),
    }
    .check();
    Format {
        document: document("response"),
        maps: &[],
        name: "signing response",
        read: &|bytes| told(SigningResponse::parse(bytes, &request, &limits)),
    }
    .check();
    let line = text("log").split(|byte| *byte == b'\n').next().unwrap().to_vec();
    Format {
        document: serde_json::from_slice(&line).unwrap(),
        maps: &[],
        name: "log line",
        read: &|bytes| told(LogChain::default().follow(bytes, &limits)),
    }
    .check();
}
