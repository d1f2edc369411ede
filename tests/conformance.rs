//! The bundle verification of the sigstore-conformance suite, by the library and by the program: every open case, by path and
//! by digest, each refusal by its reason.
//!
//! The malformed inputs of the suite are joined by well-formed ones of ours: another key, another identity, and times outside
//! of a validity.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[cfg(feature = "cli")]
#[path = "support/missing.rs"]
mod missing;
#[cfg(feature = "cli")]
#[path = "conformance/program.rs"]
mod program;
#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use bulla::key::HashedMessage;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::ops::file;
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
use bulla::verify::Finding;
use bulla::x509::IdentityPattern;
use bulla::x509::TextPattern;
use serde::Deserialize;
use serde_json::Value;

/// A case of the suite, as `expected.json` describes it.
#[derive(Clone, Deserialize)]
struct Case {
    artifact: String,
    certificate_identity: Option<String>,
    certificate_oidc_issuer: Option<String>,
    digest: String,
    expect: String,
    key: Option<String>,
    trusted_root: String,
}

/// The cases, and the folder that they are in.
struct Suite {
    cases: BTreeMap<String, Case>,
    open: PathBuf,
}

/// The refused cases, each with the code of its reason. A key that cannot be read is refused before anything else.
const REFUSED: &[(&str, &str)] = &[
    ("bundle-empty-certificate-chain_fail", "no-trusted-key"),
    ("bundle-invalid-base64-signature_fail", "envelope-unreadable"),
    ("bundle-negative-log-index_fail", "log-entry-malformed"),
    ("bundle-unknown-version_fail", "bundle-version"),
    ("checkpoint-wrong-roothash_fail", "checkpoint-root"),
    ("dsse-invalid-sig_fail", "signature"),
    ("dsse-mismatch-sig_fail", "log-entry-signature"),
    ("inclusion-proof-corrupted-hash_fail", "inclusion-proof"),
    ("incorrect-public-key_fail", "log-entry-verifier"),
    ("integrated-time-in-future_fail", "expired"),
    ("intoto-expired-certificate_fail", "not-yet-valid"),
    ("intoto-log-entry-mismatch_fail", "log-entry-signature"),
    ("invalid-ct-key_fail", "sct-log-unknown"),
    ("managed-key-no-key_fail", "no-trusted-key"),
    ("managed-key-wrong-key_fail", "key"),
    ("rekor2-checkpoint-missing-origin_fail", "checkpoint-malformed"),
    ("rekor2-checkpoint-missing-root-hash_fail", "checkpoint-malformed"),
    ("rekor2-checkpoint-missing-size_fail", "checkpoint-malformed"),
    ("rekor2-dsse-invalid-sig_fail", "signature"),
    ("rekor2-dsse-mismatch-sig_fail", "log-entry-signature"),
    ("rekor2-no-inclusion-proof_fail", "inclusion-proof-missing"),
    ("rekor2-no-timestamp_fail", "log-entry-time"),
    ("rekor2-timestamp-outside-tsa-cert-validity_fail", "expired"),
    ("rekor2-timestamp-payload-mismatch_fail", "timestamp-imprint"),
    ("rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", "log-entry-time"),
    ("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", "log-entry-time"),
    ("rekor2-timestamp-with-incorrect-time_fail", "verification-material"),
    ("wrong-material_fail", "message-digest"),
];

impl Suite {
    fn find() -> Option<Self> {
        let open = vectors::suite("sigstore-conformance")?.join("open");
        let cases = serde_json::from_slice(&fs::read(open.join("expected.json")).unwrap()).unwrap();
        Some(Self { cases, open })
    }

    fn read(&self, name: &str, path: &str) -> Vec<u8> {
        fs::read(self.open.join(name).join(path)).unwrap()
    }

    /// The trusted root of a case, after `edit`.
    fn root(&self, name: &str, edit: impl FnOnce(&mut Value)) -> TrustedRoot {
        let mut root = serde_json::from_slice(&self.read(name, &self.cases[name].trusted_root)).unwrap();
        edit(&mut root);
        TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap()
    }

    /// The codes of the findings about a case by `means`, of its artifact and of its digest; none where it is verified.
    fn verdicts(&self, name: &str, means: Means) -> [Vec<&'static str>; 2] {
        let (case, limits) = (&self.cases[name], Limits::DEFAULT);
        let trust = TrustRoot::new([Identity::new(Owner::Named("signer".to_owned()), means)]).unwrap();
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let by = FileVerification {
            limits: &limits,
            quorum: &quorum,
            statement: &FileStatement::Any,
            time: VerificationTime::now(Time::from_unix(NOW).unwrap()),
            trust: &trust,
        };
        let mut evidence = FileEvidence::new();
        evidence.add_bundle("bundle.sigstore.json", &self.read(name, "bundle.sigstore.json"), &limits);
        let artifact = self.read(name, &case.artifact);
        let artifact = file::read(&mut &artifact[..], evidence.hasher(&trust, &limits)).unwrap();
        let digest = HashedMessage::known_by(case.digest.parse().unwrap());
        [artifact, digest].map(|message| match by.verify(&message, &evidence) {
            Ok(_) => Vec::new(),
            Err(refusal) => {
                assert!(!refusal.is_undetermined(), "{name}");
                refusal.findings.iter().flat_map(codes).collect()
            }
        })
    }

    /// As [`Suite::verdicts`], by the key or identity of the case and this root.
    fn verdicts_by(&self, name: &str, case: &Case, root: TrustedRoot) -> [Vec<&'static str>; 2] {
        let root = Arc::new(root);
        let means = match &case.key {
            Some(key) => match PublicKey::parse(&self.read(name, key)) {
                Ok(key) => Means::LoggedKeys(LoggedKeys::new(NonEmpty::one(key), root, LogRule::PUBLIC)),
                Err(_) => return [vec!["key"], vec!["key"]],
            },
            None => {
                let exact = |text: &Option<String>| TextPattern::exact(text.as_ref().unwrap()).unwrap();
                let names = (exact(&case.certificate_identity), exact(&case.certificate_oidc_issuer));
                let names = IdentityPattern::keyless(names.0, names.1).unwrap();
                Means::Keyless(KeylessMeans::new(root, names, LogRule::PUBLIC))
            }
        };
        self.verdicts(name, means)
    }
}

/// The codes of a finding: those of the checks of a certificate, or its own.
fn codes(finding: &Finding) -> Vec<&'static str> {
    let faults: Vec<_> = finding.reason.certificate_faults().map(|fault| fault.code()).collect();
    if faults.is_empty() { vec![finding.reason.code()] } else { faults }
}

/// 2026-11-18, later than everything in the suite.
const NOW: i64 = 1_795_000_000;

#[test]
fn every_open_case_has_the_verdict_and_the_reason_of_the_table() {
    let Some(suite) = Suite::find() else { return };
    let reasons: BTreeMap<_, _> = REFUSED.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, case) in &suite.cases {
        let wanted = match case.expect.as_str() {
            "accept" => Vec::new(),
            "reject" => vec![*reasons.get(name.as_str()).unwrap_or(&"not in the table")],
            other => panic!("{name}: {other}"),
        };
        let [by_path, by_digest] = suite.verdicts_by(name, case, suite.root(name, |_| ()));
        if by_path != wanted || by_digest != wanted {
            wrong.push(format!("{name}: wanted {wanted:?}, by path {by_path:?}, by digest {by_digest:?}"));
        }
    }
    assert_eq!(suite.cases.len(), 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let known = |name: &&str| suite.cases.get(*name).is_some_and(|case| case.expect == "reject");
    assert!(reasons.keys().all(known), "a case of the table is not there");
}

// The wrong key of the suite is no key at all.
#[test]
fn a_well_formed_other_key_is_refused() {
    let Some(suite) = Suite::find() else { return };
    let name = "managed-key-happy-path";
    let other = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/testdata.pub")).unwrap();
    let key = NonEmpty::one(PublicKey::parse(&other).unwrap());
    let root = Arc::new(suite.root(name, |_| ()));
    let means = Means::LoggedKeys(LoggedKeys::new(key, root, LogRule::PUBLIC));
    assert_eq!(suite.verdicts(name, means), [vec!["no-trusted-key"], vec!["no-trusted-key"]]);
}

// The wrong time of the suite is in a timestamp that is not base64. The timestamp of this case is of 2025-06-12T12:02:20Z.
#[test]
fn a_well_formed_wrong_time_is_refused() {
    let Some(suite) = Suite::find() else { return };
    for (part, field, time, code) in [
        ("timestampAuthorities", "end", "2025-06-12T12:02:20Z", None),
        ("timestampAuthorities", "end", "2025-06-12T12:02:19Z", Some("timestamp-authority-validity")),
        ("timestampAuthorities", "start", "2025-06-12T12:02:20Z", None),
        ("timestampAuthorities", "start", "2025-06-12T12:02:21Z", Some("timestamp-authority-validity")),
        ("certificateAuthorities", "end", "2025-06-12T12:02:19Z", Some("authority-validity")),
        ("certificateAuthorities", "start", "2025-06-12T12:02:21Z", Some("authority-validity")),
        ("tlogs", "end", "2025-06-12T12:02:19Z", Some("log-validity")),
        ("tlogs", "start", "2025-06-12T12:02:21Z", Some("log-validity")),
        ("ctlogs", "end", "2025-06-12T00:00:00Z", Some("sct-log-validity")),
    ] {
        let root = suite.root("rekor2-happy-path", |root| {
            for entry in root[part].as_array_mut().unwrap() {
                let validity = match part {
                    "tlogs" | "ctlogs" => &mut entry["publicKey"]["validFor"],
                    _ => &mut entry["validFor"],
                };
                validity[field] = time.into();
            }
        });
        let verdicts = suite.verdicts_by("rekor2-happy-path", &suite.cases["rekor2-happy-path"], root);
        let wanted: Vec<_> = code.into_iter().collect();
        assert_eq!(verdicts, [wanted.clone(), wanted], "{part} {field} {time}");
    }
}

// Anybody can have a certificate of the public instance.
#[test]
fn another_identity_or_issuer_is_refused() {
    let Some(suite) = Suite::find() else { return };
    for name in ["rekor2-happy-path", "rekor2-dsse-happy-path"] {
        let case = &suite.cases[name];
        let identity = case.certificate_identity.as_ref().unwrap();
        let other = |identity: String| Case { certificate_identity: Some(identity), ..case.clone() };
        let google = Some("https://accounts.google.com".to_owned());
        for case in [
            other(format!("{identity}x")),
            other(identity.replace("refs/heads/main", "refs/heads/other")),
            Case { certificate_oidc_issuer: google, ..case.clone() },
        ] {
            let verdicts = suite.verdicts_by(name, &case, suite.root(name, |_| ()));
            assert_eq!(verdicts, [vec!["certificate-identity"], vec!["certificate-identity"]], "{name}");
        }
    }
}
