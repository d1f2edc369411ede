//! The suite `peer-goldens`: images signed by released tools, as layouts, with what was observed of them.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::policy::StatementKind;
use bulla::store::Layout;
use serde_json::Value;

use super::Ask;
use super::attestation;
use super::vectors;

/// The names of the cases that hold images with signatures that are read here.
const READ: [&str; 4] = ["cosign2-", "cosign3-", "registry-quirk-", "skopeo-sigstore"];

/// One case of the suite.
pub struct Case {
    pub name: String,
    pub path: PathBuf,
    pub checks: Vec<Check>,
}

/// One question about a case.
pub struct Check {
    /// As it is written in the suite.
    pub text: String,
    pub accept: bool,
    pub key: PathBuf,
    /// The requested statement kind; none if the suite does not say.
    pub kind: Option<StatementKind>,
    pub annotations: Vec<(String, String)>,
}

impl Check {
    pub fn key(&self) -> PublicKey {
        read_key(&self.key)
    }

    /// The statement kind that the check requires, for an image with statements of `kind`.
    pub fn ask(&self, kind: &StatementKind) -> Ask {
        let ask = Ask::by([self.key()]).kind(kind.clone());
        self.annotations.iter().fold(ask, |ask, (key, value)| ask.annotation(key, value))
    }
}

impl Case {
    pub fn layout(&self) -> Layout {
        Layout::open(&self.path, Limits::DEFAULT).expect("a layout")
    }
}

/// The suite; `None` where there are no vectors, which is then printed.
pub fn suite() -> Option<PathBuf> {
    vectors::suite("peer-goldens")
}

/// The key that others in the suite do not trust.
pub fn other_key(suite: &Path) -> PublicKey {
    read_key(&suite.join("shared/keys/other-p256.pub"))
}

pub fn read_key(path: &Path) -> PublicKey {
    PublicKey::parse(&fs::read(path).expect("a key")).expect("a public key")
}

/// The cases that are read here, and the names of the others.
pub fn cases(suite: &Path) -> (Vec<Case>, Vec<String>) {
    let text = fs::read(suite.join("open/expected.json")).expect("the verdicts");
    let expected: serde_json::Map<String, Value> = serde_json::from_slice(&text).expect("the verdicts");
    let (mut cases, mut others) = (Vec::new(), Vec::new());
    for (name, expected) in expected {
        match READ.iter().any(|prefix| name.starts_with(prefix)) {
            true => cases.push(case(suite, name, &expected)),
            false => others.push(name),
        }
    }
    (cases, others)
}

fn case(suite: &Path, name: String, expected: &Value) -> Case {
    let path = suite.join("open").join(&name);
    // Known defects of released tools are noted beside the verdict.
    let whole = expected["expect"].as_str().filter(|word| matches!(*word, "accept" | "reject"));
    let listed = expected["checks"].as_array().cloned().unwrap_or_default();
    let mut checks: Vec<Check> = listed.iter().map(|check| check_of(suite, check, whole)).collect();
    if let Some(key) = expected["key"].as_str() {
        let accept = whole == Some("accept");
        let text = "expect".to_owned();
        checks.push(Check { text, accept, key: path.join(key), kind: None, annotations: Vec::new() });
    }
    assert!(!checks.is_empty(), "{name} asks nothing");
    Case { name, path, checks }
}

fn check_of(suite: &Path, check: &Value, whole: Option<&str>) -> Check {
    let text = check["check"].as_str().expect("a command").to_owned();
    let observed = check["observed"].as_str().expect("a verdict");
    let accept = whole.map_or_else(|| observed.starts_with("accept"), |whole| whole == "accept");
    let key = suite.join("shared").join(check["trust"].as_str().expect("a key"));
    let words: Vec<&str> = text.split([' ', ',']).collect();
    let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1).copied());
    let kind = match words.contains(&"verify-attestation") {
        true => attestation(predicate_type(after("--type").expect("a type"))),
        false => StatementKind::ImageSignature,
    };
    let annotations = after("-a").and_then(|pair| pair.split_once('='));
    let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    Check { text, accept, key, kind: Some(kind), annotations }
}

/// cosign's short names.
fn predicate_type(name: &str) -> &str {
    match name {
        "custom" => "https://cosign.sigstore.dev/attestation/v1",
        "cyclonedx" => "https://cyclonedx.org/bom",
        "openvex" => "https://openvex.dev/ns",
        "slsaprovenance" => "https://slsa.dev/provenance/v0.2",
        "slsaprovenance1" => "https://slsa.dev/provenance/v1",
        "spdx" | "spdxjson" => "https://spdx.dev/Document",
        "vuln" => "https://cosign.sigstore.dev/attestation/vuln/v1",
        uri => uri,
    }
}
