//! A Rekor v2 log for tests: a Merkle tree (RFC 9162 section 2.1) in memory, with checkpoints that its Ed25519 key signs.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::ops::witness::SignatureLog;
use bulla::ops::witness::SignatureLogError;
use bulla::store::Task;
use bulla::transparency::LogEntryRequest;
use bulla::transparency::MerkleHash;
use serde_json::Value;
use serde_json::json;

/// What a log does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Does {
    #[default]
    Adds,
    /// Answers with the entry before this one.
    Another,
    /// Adds fields that no verifier knows.
    Chatters,
    /// Changes a byte of the checkpoint's signature.
    Forges,
    /// Answers with a page, as a login portal does.
    Page,
    /// Logs the key of the certificate, not the certificate.
    SwapsVerifier,
    /// Leaves out the checkpoint.
    Uncommitted,
    /// Cannot be reached.
    Unreachable,
}

pub struct TestLog {
    pub does: Does,
    pub key: PrivateKey,
    pub leaves: Mutex<Vec<Vec<u8>>>,
    pub name: &'static str,
}

impl TestLog {
    /// A log whose first entry is about something else.
    pub fn new(name: &'static str, does: Does) -> Self {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        Self { does, key, leaves: Mutex::new(vec![b"another entry".to_vec()]), name }
    }

    pub fn len(&self) -> usize {
        self.leaves.lock().unwrap().len() - 1
    }

    /// The public key of the log.
    pub fn public_key_pem(&self) -> String {
        self.key.public_key().to_pem()
    }

    /// Its place in a trusted root.
    pub fn in_root(&self) -> Value {
        let key = json!({
            "rawBytes": STANDARD.encode(self.key.public_key().spki()),
            "keyDetails": "PKIX_ED25519",
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        });
        json!({
            "baseUrl": format!("https://{}", self.name),
            "hashAlgorithm": "SHA2_256",
            "publicKey": key,
            "logId": {"keyId": STANDARD.encode(self.id())},
        })
    }

    fn id(&self) -> Vec<u8> {
        let raw = self.key.public_key().spki();
        let key = &raw[raw.len() - 32..];
        Digest::sha256(&[self.name.as_bytes(), b"\n\x01", key].concat()).as_bytes().to_vec()
    }

    fn checkpoint(&self, size: usize, root: MerkleHash) -> String {
        let text = format!("{}\n{size}\n{}\n", self.name, STANDARD.encode(root.as_bytes()));
        let mut signature = self.key.sign(text.as_bytes()).unwrap().as_bytes().to_vec();
        if self.does == Does::Forges {
            signature[0] ^= 1;
        }
        let signature = [&self.id()[..4], &signature].concat();
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(signature))
    }

    /// The answer to a request in JSON.
    pub fn answer(&self, request: &[u8]) -> Vec<u8> {
        let request: Value = serde_json::from_slice(request).unwrap();
        let asked = &request["hashedRekordRequestV002"];
        let (member, raw) = match asked["signature"]["verifier"].get("x509Certificate") {
            Some(certificate) => ("x509Certificate", certificate["rawBytes"].as_str().unwrap()),
            None => ("publicKey", asked["signature"]["verifier"]["publicKey"]["rawBytes"].as_str().unwrap()),
        };
        let member = if self.does == Does::SwapsVerifier { "publicKey" } else { member };
        let details = asked["signature"]["verifier"]["keyDetails"].as_str().unwrap();
        let hash = if details.ends_with("512") {
            "SHA2_512"
        } else if details.ends_with("384") {
            "SHA2_384"
        } else {
            "SHA2_256"
        };
        // RFC 8785: members in order, no spaces.
        let body = format!(
            r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":{{"algorithm":"{hash}","digest":"{}"}},"signature":{{"content":"{}","verifier":{{"keyDetails":"{details}","{member}":{{"rawBytes":"{raw}"}}}}}}}}}}}}"#,
            asked["digest"].as_str().unwrap(),
            asked["signature"]["content"].as_str().unwrap(),
        );
        let mut leaves = self.leaves.lock().unwrap();
        leaves.push(body.into_bytes());
        let index = if self.does == Does::Another { leaves.len() - 2 } else { leaves.len() - 1 };
        let hashes: Vec<_> = leaves.iter().map(|leaf| MerkleHash::of_leaf(leaf)).collect();
        let root = root(&hashes);
        let path: Vec<_> = path(index, &hashes).iter().map(|hash| STANDARD.encode(hash.as_bytes())).collect();
        let mut entry = json!({
            "logIndex": index.to_string(),
            "logId": {"keyId": STANDARD.encode(self.id())},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0",
            "inclusionPromise": null,
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": STANDARD.encode(root.as_bytes()),
                "treeSize": leaves.len().to_string(),
                "hashes": path,
                "checkpoint": {"envelope": self.checkpoint(leaves.len(), root)},
            },
            "canonicalizedBody": STANDARD.encode(&leaves[index]),
        });
        match self.does {
            Does::Chatters => entry["advertisement"] = "another log is better".into(),
            Does::Uncommitted => entry["inclusionProof"]["checkpoint"] = Value::Null,
            _ => {}
        }
        match self.does {
            Does::Page => b"<p>log in".to_vec(),
            _ => serde_json::to_vec_pretty(&entry).unwrap(),
        }
    }
}

impl SignatureLog for TestLog {
    fn add<'a>(&'a self, request: &'a LogEntryRequest) -> Task<'a, Result<Vec<u8>, SignatureLogError>> {
        Box::pin(async move {
            match self.does {
                Does::Unreachable => Err(SignatureLogError::new("unreachable", "connection refused")),
                _ => Ok(self.answer(request.as_json())),
            }
        })
    }
}

/// The root of a tree: RFC 9162 section 2.1.1.
fn root(hashes: &[MerkleHash]) -> MerkleHash {
    match hashes {
        [leaf] => *leaf,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len()));
            MerkleHash::of_node(&root(left), &root(right))
        }
    }
}

/// The inclusion proof of a leaf: RFC 9162 section 2.1.3.1.
fn path(index: usize, hashes: &[MerkleHash]) -> Vec<MerkleHash> {
    if hashes.len() == 1 {
        return Vec::new();
    }
    let (left, right) = hashes.split_at(split(hashes.len()));
    let (mut path, other) = match index < left.len() {
        true => (path(index, left), root(right)),
        false => (path(index - left.len(), right), root(left)),
    };
    path.push(other);
    path
}

/// The largest power of two that is less than `count`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}
