//! Files in memory for policies: keys, a root certificate and a trusted root.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bulla::digest::Digest;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::RepositoryName;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFileError;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
use bulla::time::Time;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::x509::SerialNumber;
use bulla::x509::TestAuthority;

/// Files beside a policy.
#[derive(Clone)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl PolicyFiles for MemoryFiles {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        let bytes = self.0.get(path).ok_or(PolicyFilesError::Absent)?;
        match bytes.len() as u64 > limit {
            true => Err(PolicyFilesError::TooLarge { limit }),
            false => Ok(bytes.clone()),
        }
    }
}

/// Keys by the names of their files, without `.pub`.
pub const KEYS: [&str; 5] = ["release", "security", "ci", "importer", "other"];

static FILES: LazyLock<MemoryFiles> = LazyLock::new(|| {
    let mut files = BTreeMap::new();
    for name in KEYS {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        files.insert(format!("{name}.pub"), key.public_key().to_pem().into_bytes());
    }
    let key = || PrivateKey::generate(KeyKind::P256).unwrap();
    let serial = |byte| SerialNumber::from_random([byte; 16]);
    let validity = (time("2026-01-01"), time("2036-01-01"));
    for name in ["ca", "tsa"] {
        let authority = TestAuthority::new(key(), key(), &[serial(1), serial(2)], validity).unwrap();
        files.insert(format!("{name}.der"), authority.root().der().to_vec());
    }
    let root = SigstoreInstance::from_name("public-good").unwrap();
    files.insert("trusted_root.json".to_owned(), root.trusted_root_json().to_vec());
    MemoryFiles(files)
});

pub fn files() -> MemoryFiles {
    FILES.clone()
}

pub fn key(name: &str) -> PublicKey {
    PublicKey::parse(&FILES.0[&format!("{name}.pub")]).unwrap()
}

/// The beginning of a day.
pub fn time(day: &str) -> Time {
    Time::parse(&format!("{day}T00:00:00Z")).unwrap()
}

/// When the policies of these tests are loaded.
pub fn now() -> Time {
    time("2026-11-26")
}

pub fn name(text: &str) -> RepositoryName {
    RepositoryName::normalised(text).unwrap()
}

pub fn digest(text: &str) -> Digest {
    Digest::sha256(text.as_bytes())
}

pub fn try_load(text: &str) -> Result<LoadedPolicy, NonEmpty<PolicyFileError>> {
    LoadedPolicy::load(text.as_bytes(), &files(), LoadOptions::new(now(), &Limits::DEFAULT))
}

pub fn load(text: &str) -> LoadedPolicy {
    try_load(text).unwrap_or_else(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}\n{text}", faults.join("\n"))
    })
}

/// `LINE:CODE` of every fault.
pub fn faults(text: &str) -> Vec<String> {
    let faults = try_load(text).err().map(|faults| faults.to_vec()).unwrap_or_default();
    faults.iter().map(|fault| format!("{}:{}", fault.position.line, fault.problem.code())).collect()
}

/// Identities of all kinds, five lines.
pub const IDENTITIES: &str = "bulla-policy: 1
identities:
  release: { keys: [{ file: release.pub }] }
  security: { keys: [{ file: security.pub }] }
  ci: { keys: [{ file: ci.pub }] }
  importer: { keys: [{ file: importer.pub }] }
";

/// The identities, and `rest` from line 7 on.
pub fn policy(rest: &str) -> String {
    format!("{IDENTITIES}{rest}")
}
