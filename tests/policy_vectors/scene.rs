//! Policy files with a trusted root or a key beside them, and their verdict on evidence.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::envelope::AttestationFile;
use bulla::envelope::SignedDocument;
use bulla::envelope::UnsignedStatement;
use bulla::limits::Limits;
use bulla::oci::RepositoryName;
use bulla::policy_file::ImageAsked;
use bulla::policy_file::LoadOptions;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFiles;
use bulla::policy_file::PolicyFilesError;
use bulla::policy_file::PolicyFor;
use bulla::predicate::Provenance;
use bulla::time::Time;
use bulla::verify::Verifier;
use bulla::x509::Certificate;
use bulla::x509::FulcioClaims;
use serde_json::Value;

pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
pub const NAME: &str = "registry.example/app";

/// Files beside a policy.
pub struct MemoryFiles(pub BTreeMap<&'static str, Vec<u8>>);

impl PolicyFiles for MemoryFiles {
    fn read(&self, path: &str, _limit: u64) -> Result<Vec<u8>, PolicyFilesError> {
        self.0.get(path).cloned().ok_or(PolicyFilesError::Absent)
    }
}

pub fn now() -> Time {
    Time::parse("2026-11-26T00:00:00Z").unwrap()
}

/// The cases of a suite with what it expects.
pub fn expected(suite: &Path) -> BTreeMap<String, Value> {
    serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap()
}

/// A policy with one identity, one builder, if it is not empty, and one requirement.
pub fn policy(identity: &str, builder: &str, requirement: &str, files: &MemoryFiles) -> LoadedPolicy {
    try_policy(identity, builder, requirement, files).unwrap_or_else(|| panic!("{identity} {builder} {requirement}"))
}

/// The same; `None` if it cannot be loaded.
pub fn try_policy(identity: &str, builder: &str, requirement: &str, files: &MemoryFiles) -> Option<LoadedPolicy> {
    let builders = if builder.is_empty() { String::new() } else { format!("builders:\n  builder: {builder}\n") };
    let text = format!(
        "bulla-policy: 1
identities:
  signer: {identity}
{builders}images:
  - match: [{NAME}]
    require:
      - {requirement}
"
    );
    LoadedPolicy::load(text.as_bytes(), files, LoadOptions::new(now(), &Limits::DEFAULT)).ok()
}

/// A keyless identity of GitHub with this URI as its name.
pub fn keyless(uri: &str) -> String {
    format!("{{ keyless: {{ trusted-root: {{ file: trusted_root.json }}, issuer: \"{GITHUB}\", uri: \"{uri}\" }} }}")
}

pub fn root_of(suite: &Path) -> MemoryFiles {
    let root = fs::read(suite.join("shared/trusted_root.production.json")).unwrap();
    MemoryFiles(BTreeMap::from([("trusted_root.json", root)]))
}

/// What a policy says of the attestations in a file about `subject`: `accepted`, or whether it is a no or could-not-tell,
/// with the codes of the reasons.
pub fn verdict(policy: &LoadedPolicy, subject: Digest, file: &[u8]) -> String {
    let name = RepositoryName::normalised(NAME).unwrap();
    let PolicyFor::Required(required) = policy.decide_for(ImageAsked::new(&name, &subject), now()) else {
        panic!("something is required")
    };
    let trust = policy.trust().unwrap();
    let verifier = Verifier::new(trust.clone(), required.policy(trust).unwrap(), Limits::DEFAULT).unwrap();
    let mut evaluation = verifier.evaluation(subject, now());
    match AttestationFile::read("file", file.to_vec(), &Limits::DEFAULT) {
        Ok(file) => {
            file.evidence(&subject).for_each(|evidence| evaluation.add(&evidence.unwrap()));
            if !file.unread().is_empty() {
                evaluation.mark_list_unread();
            }
        }
        Err(_) => return "not an attestation file".to_owned(),
    }
    match evaluation.conclude() {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => {
            let word = if refusal.is_undetermined() { "could not tell" } else { "refused" };
            let codes: BTreeSet<_> = refusal.findings.iter().map(|finding| finding.reason.code()).collect();
            format!("{word}: {}", codes.into_iter().collect::<Vec<_>>().join(" "))
        }
    }
}

/// What the provenance in a file claims: the name in the certificate of its signer, and its builder and source.
pub struct Claims {
    pub builder: String,
    pub name: String,
    pub source: Option<String>,
}

/// The claims of the first attestation with provenance of a file about `subject`.
pub fn claims(subject: Digest, file: &[u8]) -> Option<Claims> {
    let file = AttestationFile::read("file", file.to_vec(), &Limits::DEFAULT).ok()?;
    file.evidence(&subject).find_map(|evidence| {
        let evidence = evidence.ok()?;
        let SignedDocument::Bundle(bundle) = evidence.document() else { return None };
        let der = bundle.verification_material().certificates.first()?;
        let certificate = Certificate::parse(der, &Limits::DEFAULT).ok()?;
        let statement = UnsignedStatement::parse(bundle.envelope().unverified_payload(), &Limits::DEFAULT).ok()?;
        let predicate = statement.predicate().unwrap().get().as_bytes();
        let provenance = Provenance::read(predicate, statement.predicate_type(), &Limits::DEFAULT).ok()?;
        Some(Claims {
            builder: provenance.builder,
            name: FulcioClaims::of(&certificate).ok()?.name().to_owned(),
            source: provenance.source.ok().map(|source| source.repository.to_string()),
        })
    })
}

/// The result of a future that waits for nothing.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a layout waited"),
    }
}
