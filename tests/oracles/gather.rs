//! The vectors as lists: keys, signed layers, bundles.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::key::PublicKey;
use serde_json::Value;
use sigstore::crypto::CosignVerificationKey;

use crate::vectors::suite;

/// A key as we read it and as the oracle does.
#[derive(Clone)]
pub struct Key {
    pub name: String,
    pub ours: PublicKey,
    pub theirs: CosignVerificationKey,
}

impl Key {
    pub fn new(name: &str, pem: &[u8]) -> Self {
        let ours = PublicKey::parse(pem).unwrap_or_else(|error| panic!("{name}: {error}"));
        let theirs = CosignVerificationKey::try_from_pem(pem).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), ours, theirs }
    }
}

/// A layer of a manifest that carries signed documents.
pub struct Layer {
    pub case: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub annotations: BTreeMap<String, String>,
}

/// A bundle as it is stored.
pub struct Stored {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The keys that lie in the suite of the peers.
pub fn keys(suite: &Path) -> Vec<Key> {
    let mut files = list(&suite.join("shared/keys"));
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pub"));
    files.iter().map(|file| Key::new(&name(file), &fs::read(file).unwrap())).collect()
}

/// Every layer of every manifest of every layout of the suite.
pub fn layers(suite: &Path) -> Vec<Layer> {
    let mut layers = Vec::new();
    for case in list(&suite.join("open")).into_iter().filter(|case| case.join("index.json").is_file()) {
        for blob in list(&case.join("blobs/sha256")) {
            let Ok(manifest) = serde_json::from_slice::<Value>(&fs::read(blob).unwrap()) else { continue };
            for layer in manifest["layers"].as_array().into_iter().flatten() {
                let hex = layer["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
                let annotations = serde_json::from_value(layer["annotations"].clone()).unwrap_or_default();
                layers.push(Layer {
                    case: name(&case),
                    media_type: layer["mediaType"].as_str().unwrap().to_owned(),
                    bytes: fs::read(case.join("blobs/sha256").join(hex)).unwrap_or_default(),
                    annotations,
                });
            }
        }
    }
    layers
}

/// The bundles of the suites that are there, and how many suites that are.
pub fn bundles() -> Vec<Stored> {
    let mut found = Vec::new();
    for (folder, file) in [("sigstore-bundles", "bundle.json"), ("sigstore-conformance", "bundle.sigstore.json")] {
        let Some(suite) = suite(folder) else { continue };
        let before = found.len();
        for case in list(&suite.join("open")).into_iter().filter(|case| case.is_dir()) {
            let bytes = fs::read(case.join(file)).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
            found.push(Stored { name: format!("{folder}/{}", name(&case)), bytes });
        }
        assert!(found.len() >= before + 40, "{folder}: only {} bundles", found.len() - before);
    }
    if let Some(suite) = suite("peer-goldens") {
        for layer in layers(&suite).into_iter().filter(is_bundle) {
            found.push(Stored { name: format!("peer-goldens/{}", layer.case), bytes: layer.bytes });
        }
    }
    found
}

pub fn is_bundle(layer: &Layer) -> bool {
    layer.media_type.starts_with("application/vnd.dev.sigstore.bundle")
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
