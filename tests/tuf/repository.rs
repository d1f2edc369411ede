//! A repository made by hand: each role has a key, and everything in it can be changed before it is signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::tuf::ExpiryRule;
use bulla::tuf::RepositoryFile;
use bulla::tuf::RepositoryFileError;
use bulla::tuf::RepositorySource;
use bulla::tuf::TufError;
use bulla::tuf::TufRoot;
use bulla::tuf::TufState;
use bulla::tuf::VerifiedRepository;
use bulla::tuf::VerifiedTarget;
use serde_json::Value;
use serde_json::json;

pub const NOW: &str = "2026-11-26T12:00:00Z";
pub const LATER: &str = "2027-01-01T00:00:00Z";
pub const CONTENT: &[u8] = b"the content of the target\n";

/// Files by name.
#[derive(Clone, Default)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl RepositorySource for Files {
    fn read(&self, file: &RepositoryFile, limit: u64) -> Result<Option<Vec<u8>>, RepositoryFileError> {
        match self.0.get(&file.name()) {
            Some(bytes) if bytes.len() as u64 > limit => Err(RepositoryFileError::TooLong { limit }),
            found => Ok(found.cloned()),
        }
    }
}

#[derive(Clone)]
pub struct Key(Arc<PrivateKey>);

impl Key {
    pub fn new() -> Self {
        Self(Arc::new(PrivateKey::generate(KeyKind::Ed25519).unwrap()))
    }

    pub fn spki(&self) -> Vec<u8> {
        self.0.public_key().spki().to_vec()
    }

    pub fn id(&self) -> String {
        Digest::sha256(&self.spki()).hex()
    }

    pub fn json(&self) -> Value {
        let bare: String = self.spki()[12..].iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": bare}})
    }

    pub fn signature(&self, signed: &Value) -> Value {
        // Keys are sorted and there is no white space: for plain ASCII that is the canonical form.
        let signature = self.0.sign(signed.to_string().as_bytes()).unwrap();
        let hex: String = signature.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"keyid": self.id(), "sig": hex})
    }
}

/// A signed document.
pub fn signed(signed: &Value, keys: &[&Key]) -> Vec<u8> {
    let signatures: Vec<_> = keys.iter().map(|key| key.signature(signed)).collect();
    json!({"signed": signed, "signatures": signatures}).to_string().into_bytes()
}

/// The keys of a repository, and the parts that are signed.
#[derive(Clone)]
pub struct Repository {
    pub root: Key,
    pub online: Key,
    pub release: Key,
    pub parts: BTreeMap<&'static str, Value>,
    pub files: Files,
}

pub fn digest(bytes: &[u8]) -> String {
    Digest::sha256(bytes).hex()
}

impl Repository {
    pub fn new() -> Self {
        let (root, online, release) = (Key::new(), Key::new(), Key::new());
        let common = |kind: &str, version: u32| json!({"_type": kind, "version": version, "spec_version": "1.0", "expires": LATER});
        let with = |mut part: Value, more: Value| {
            part.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            part
        };
        let role = |key: &Key| json!({"keyids": [key.id()], "threshold": 1});
        let roles = json!({
            "consistent_snapshot": true,
            "keys": {root.id(): root.json(), online.id(): online.json(), release.id(): release.json()},
            "roles": {"root": role(&root), "timestamp": role(&online), "snapshot": role(&online), "targets": role(&release)},
        });
        let target = json!({"length": CONTENT.len(), "hashes": {"sha256": digest(CONTENT)}});
        let parts = BTreeMap::from([
            ("root", with(common("root", 1), roles)),
            ("timestamp", with(common("timestamp", 7), json!({"meta": {"snapshot.json": {"version": 5}}}))),
            (
                "snapshot",
                with(
                    common("snapshot", 5),
                    json!({"meta": {"targets.json": {"version": 3}, "more.json": {"version": 2}}}),
                ),
            ),
            ("targets", with(common("targets", 3), json!({"targets": {"trusted_root.json": target}}))),
        ]);
        let mut repository = Self { root, online, release, parts, files: Files::default() };
        repository.files.0.insert(format!("{}.trusted_root.json", digest(CONTENT)), CONTENT.to_vec());
        repository.sign();
        repository
    }

    /// Changes a part at a JSON pointer.
    pub fn set(&mut self, part: &str, pointer: &str, value: Value) -> &mut Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        self.parts.get_mut(part).unwrap().pointer_mut(parent).unwrap()[key] = value;
        self
    }

    pub fn version(&self, part: &str) -> u64 {
        self.parts[part]["version"].as_u64().unwrap()
    }

    /// Signs timestamp, snapshot and targets as they are, under the names that their versions give them.
    pub fn sign(&mut self) -> &mut Self {
        for (part, key) in [("snapshot", &self.online), ("targets", &self.release)] {
            let bytes = signed(&self.parts[part], &[key]);
            self.files.0.insert(format!("{}.{part}.json", self.version(part)), bytes);
        }
        self.files.0.insert("timestamp.json".to_owned(), signed(&self.parts["timestamp"], &[&self.online]));
        self
    }

    pub fn trusted(&self) -> TufRoot {
        TufRoot::parse(&signed(&self.parts["root"], &[&self.root]), &Limits::DEFAULT).unwrap()
    }

    pub fn verify_with(
        &self,
        root: &TufRoot,
        previous: Option<&TufState>,
        expiry: ExpiryRule,
    ) -> Result<VerifiedRepository, TufError> {
        VerifiedRepository::verify(root, previous, &self.files, expiry, Time::parse(NOW).unwrap(), &Limits::DEFAULT)
    }

    pub fn verify(&self) -> Result<VerifiedRepository, TufError> {
        self.verify_with(&self.trusted(), None, ExpiryRule::Refuse)
    }

    pub fn after(&self, previous: &TufState) -> Result<VerifiedRepository, TufError> {
        self.verify_with(&self.trusted(), Some(previous), ExpiryRule::Refuse)
    }

    /// The target, after the metadata was verified.
    pub fn target(&self) -> Result<VerifiedTarget, TufError> {
        VerifiedTarget::read(&self.verify()?, "trusted_root.json", &self.files, &Limits::DEFAULT)
    }
}
