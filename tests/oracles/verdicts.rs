//! Verdicts: `sigstore-verify` says of each bundle of the suites what we say, with the file and with its digest, or the
//! difference stands in a table with its reason (docs/keyless.md, "Compared with other clients").

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::key::HashedMessage;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::ops::file::FileEvidence;
use bulla::ops::file::FileVerification;
use bulla::policy::FileStatement;
use bulla::policy::Quorum;
use bulla::policy::Threshold;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::TextPattern;
use serde_json::Value;
use sigstore_verify::Policy;
use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::VerificationPolicy;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::TrustedRoot as TheirRoot;
use sigstore_verify::types::Artifact;
use sigstore_verify::types::Bundle;
use sigstore_verify::types::DerPublicKey;
use sigstore_verify::types::Sha256Hash;

use crate::vectors::suite;

/// Cases that one accepts and the other does not: the name, whether we accept it, the reason.
const DIFFER: &[(&str, bool, &str)] = &[(
    "py-tsa-bundle.txt",
    true,
    "its timestamps are of an authority that the trusted root does not have; the log has signed a time",
)];

/// A case of a suite.
struct Case {
    bundle: Vec<u8>,
    digest: Digest,
    expect: String,
    file: Option<Vec<u8>>,
    identity: Option<(String, Option<String>)>,
    key: Option<Vec<u8>>,
    /// GitHub's private instance has no log.
    logged: bool,
    root: String,
}

impl Case {
    /// `None` for a case without a file and without a digest.
    fn read(suite: &Path, name: &str, stated: &Value) -> Option<Self> {
        let folder = suite.join("open").join(name);
        let text = |field: &str| stated[field].as_str().map(str::to_owned);
        let file = text("artifact").map(|file| fs::read(folder.join(file)).unwrap());
        let stated_digest = text("digest").map(|digest| digest.parse().unwrap());
        let digest = stated_digest.or_else(|| file.as_deref().map(Digest::sha256))?;
        let bundles = ["bundle.sigstore.json", "bundle.json"].map(|file| folder.join(file));
        let identity = text("certificate_identity").map(|name| (name, text("certificate_oidc_issuer")));
        let key = folder.join(text("key").unwrap_or_else(|| "key.pub".to_owned()));
        let root = text("trusted_root").map(|file| folder.join(file));
        let root = root.unwrap_or_else(|| suite.join("shared/trusted_root.production.json"));
        let logged = root.extension().is_none_or(|end| end != "jsonl");
        let root = fs::read_to_string(&root).unwrap();
        Some(Self {
            bundle: fs::read(bundles.iter().find(|file| file.exists()).unwrap()).unwrap(),
            digest,
            expect: text("expect").unwrap(),
            file,
            key: fs::read(key).ok().filter(|_| identity.is_none()),
            identity,
            logged,
            // Of several in lines the last one, which is GitHub's own.
            root: if logged { root } else { root.trim_end().lines().next_back().unwrap().to_owned() },
        })
    }

    fn trust(&self) -> Result<TrustRoot, String> {
        let root = TrustedRoot::parse(self.root.as_bytes(), &Limits::DEFAULT).map_err(|error| error.to_string())?;
        let root = Arc::new(root);
        let means = match (&self.key, &self.identity) {
            (Some(key), _) => {
                let key = PublicKey::parse(key).map_err(|error| error.to_string())?;
                let rule = LogRule::NONE.with_transparency_logs(1);
                Means::LoggedKeys(LoggedKeys::new(NonEmpty::one(key), root, rule))
            }
            (None, identity) => {
                let exact = |text: &String| TextPattern::exact(text).unwrap();
                let name = identity.as_ref().map_or_else(TextPattern::any, |(name, _)| exact(name));
                let issuer = identity.as_ref().and_then(|(_, issuer)| issuer.as_ref());
                let issuer = issuer.map_or_else(TextPattern::any, exact);
                let rule = if self.logged { LogRule::PUBLIC } else { LogRule::NONE.with_timestamps(1) };
                Means::Keyless(KeylessMeans::new(root, IdentityPattern::keyless(name, issuer).unwrap(), rule))
            }
        };
        TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).map_err(|error| error.to_string())
    }

    /// What we say of the file, or of its digest alone.
    fn ours(&self, file: Option<&[u8]>) -> Result<(), String> {
        let trust = self.trust()?;
        let mut evidence = FileEvidence::new();
        evidence.add_bundle("bundle", &self.bundle, &Limits::DEFAULT);
        let message = match file {
            Some(file) => {
                let mut hasher = evidence.hasher(&trust, &Limits::DEFAULT);
                hasher.update(file);
                hasher.finish()
            }
            None => HashedMessage::known_by(self.digest),
        };
        let by = FileVerification {
            limits: &Limits::DEFAULT,
            quorum: &Quorum::of_all(&trust, Threshold::new(1).unwrap()).unwrap(),
            statement: &FileStatement::Any,
            time: VerificationTime::now(Time::parse("2026-11-26T12:00:00Z").unwrap()),
            trust: &trust,
        };
        by.verify(&message, &evidence).map(drop).map_err(|refusal| format!("{:?}", refusal.findings))
    }

    /// What the oracle says. Its clock is the one of this machine.
    fn theirs(&self, file: Option<&[u8]>) -> Result<(), String> {
        let text = std::str::from_utf8(&self.bundle).map_err(|error| error.to_string())?;
        let bundle = Bundle::from_json(text).map_err(|error| error.to_string())?;
        let root = TheirRoot::from_json(&self.root).map_err(|error| error.to_string())?;
        let policy: Box<dyn Policy> = match (&self.key, &self.identity) {
            (Some(key), _) => {
                let pem = std::str::from_utf8(key).map_err(|error| error.to_string())?;
                let key = DerPublicKey::from_pem(pem).map_err(|error| error.to_string())?;
                Box::new(PublicKeyVerificationPolicy::new(key))
            }
            (None, identity) => {
                let mut policy = VerificationPolicy::any_identity();
                if let Some((name, issuer)) = identity {
                    policy = policy.require_identity(name);
                    policy = issuer.iter().fold(policy, |policy, issuer| policy.require_issuer(issuer));
                }
                Box::new(if self.logged { policy } else { policy.skip_tlog_unsafe().skip_sct() })
            }
        };
        let artifact = match file {
            Some(file) => Artifact::from(file),
            None => Artifact::from(Sha256Hash::from_hex(&self.digest.hex()).map_err(|error| error.to_string())?),
        };
        let verifier = Verifier::new(&root).map_err(|error| error.to_string())?;
        verifier.verify(artifact, &bundle, policy.as_ref()).map(drop).map_err(|error| error.to_string())
    }
}

#[test]
fn the_same_bundles_are_accepted_or_the_table_says_why_not() {
    let (Some(conformance), Some(clients)) = (suite("sigstore-conformance"), suite("sigstore-bundles")) else { return };
    let (mut differ, mut wrong, mut compared) = (BTreeSet::new(), Vec::new(), 0);
    for suite in [conformance, clients] {
        let cases: Value = serde_json::from_slice(&fs::read(suite.join("open/expected.json")).unwrap()).unwrap();
        for (name, stated) in cases.as_object().unwrap() {
            let Some(case) = Case::read(&suite, name, stated) else { continue };
            let ways = case.file.as_deref().map(Some).into_iter().chain([None]);
            for file in ways {
                let (ours, theirs) = (case.ours(file), case.theirs(file));
                compared += 1;
                if !matches!(case.expect.as_str(), "info" | "disputed") && (case.expect == "accept") != ours.is_ok() {
                    wrong.push(format!("{name}: {ours:?}"));
                }
                if ours.is_ok() != theirs.is_ok() {
                    println!(
                        "{name}, {}: ours {ours:?}, theirs {theirs:?}",
                        if file.is_some() { "file" } else { "digest" }
                    );
                    differ.insert((name.clone(), ours.is_ok()));
                }
            }
        }
    }
    println!("{compared} verdicts compared");
    assert!(wrong.is_empty(), "not what the suite says: {wrong:#?}");
    let table: BTreeSet<_> = DIFFER.iter().map(|(name, ours, _)| ((*name).to_owned(), *ours)).collect();
    assert_eq!(differ, table, "the table is not what was met");
    assert!(compared > 120, "{compared}");
}
