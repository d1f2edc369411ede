//! Makes `testdata/tuf`, and holds that it is what its note says.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::tuf::ExpiryRule;
use bulla::tuf::TufRoot;
use bulla::tuf::VerifiedRepository;
use bulla::tuf::VerifiedTarget;
use serde_json::json;

use crate::repository::Files;
use crate::repository::Key;
use crate::repository::NOW;
use crate::repository::Repository;
use crate::repository::digest;
use crate::repository::signed;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tuf");

#[test]
#[ignore = "makes testdata/tuf anew, with other keys, which are not kept"]
fn make_the_fixture() {
    let mut repository = Repository::new();
    let spki = Key::new().spki();
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [{
            "baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(&spki), "keyDetails": "PKIX_ED25519", "validFor": {"start": "2026-01-01T00:00:00Z"},
            },
            "logId": {"keyId": STANDARD.encode(Digest::sha256(&spki).as_bytes())},
        }],
    });
    let content = root.to_string().into_bytes();
    let stated = json!({"length": content.len(), "hashes": {"sha256": digest(&content)}});
    repository.set("targets", "/targets/trusted_root.json", stated);
    for part in ["root", "snapshot", "targets", "timestamp"] {
        repository.set(part, "/expires", json!("2126-01-01T00:00:00Z"));
    }
    repository.sign();
    let folder = Path::new(FOLDER);
    let mirror = folder.join("mirror");
    fs::create_dir_all(mirror.join("targets")).unwrap();
    fs::write(folder.join("root.json"), signed(&repository.parts["root"], &[&repository.root])).unwrap();
    for name in ["timestamp.json", "5.snapshot.json", "3.targets.json"] {
        fs::write(mirror.join(name), &repository.files.0[name]).unwrap();
    }
    fs::write(mirror.join("targets").join(format!("{}.trusted_root.json", digest(&content))), content).unwrap();
    for (file, version, expires) in [("older", 6, "2126-01-01T00:00:00Z"), ("expired", 8, "2026-11-01T00:00:00Z")] {
        repository.set("timestamp", "/version", json!(version)).set("timestamp", "/expires", json!(expires)).sign();
        fs::write(folder.join(format!("{file}-timestamp.json")), &repository.files.0["timestamp.json"]).unwrap();
    }
}

#[test]
fn the_fixture_is_a_repository_with_a_trusted_root() {
    let folder = Path::new(FOLDER);
    let mut files = Files::default();
    for below in ["mirror", "mirror/targets"] {
        for entry in fs::read_dir(folder.join(below)).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_file() {
                files.0.insert(entry.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(entry).unwrap());
            }
        }
    }
    let root = TufRoot::parse(&fs::read(folder.join("root.json")).unwrap(), &Limits::DEFAULT).unwrap();
    let now = Time::parse(NOW).unwrap();
    let mut run = |timestamp: &str| {
        files.0.insert("timestamp.json".to_owned(), fs::read(folder.join(timestamp)).unwrap());
        let verified = VerifiedRepository::verify(&root, None, &files, ExpiryRule::Refuse, now, &Limits::DEFAULT)?;
        VerifiedTarget::read(&verified, "trusted_root.json", &files, &Limits::DEFAULT)
    };
    assert!(run("mirror/timestamp.json").is_ok() && run("older-timestamp.json").is_ok());
    assert_eq!(run("expired-timestamp.json").unwrap_err().code(), "tuf-expired");
}
