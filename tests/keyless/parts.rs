//! Parts of another signature in the bundle of a file: each is refused by its rule, with entries of either version of Rekor.
//! For envelopes and for annotations `mutations.rs` has the same.

use std::fs;

use bulla::key::HashedMessage;
use bulla::limits::Limits;
use bulla::trust::LogRule;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::TextPattern;
use serde_json::Value;
use serde_json::json;

use crate::case::bundle_of;
use crate::case::expected;
use crate::case::trusting;
use crate::files;
use crate::vectors;

/// A message signature by the staging instance, which verifies.
struct SignedFile {
    bundle: Value,
    file: HashedMessage,
    root: Value,
}

impl SignedFile {
    /// `None` where the suite is missing.
    fn read(name: &str) -> Option<Self> {
        let suite = vectors::suite("sigstore-bundles")?;
        let (_, case) = expected(&suite).into_iter().find(|(one, _)| one == name).unwrap();
        let path = |field: &str| suite.join("open").join(name).join(case[field].as_str().unwrap());
        let root = serde_json::from_slice(&fs::read(path("trusted_root")).unwrap()).unwrap();
        let file = files::hashed(&fs::read(path("artifact")).unwrap());
        let bundle = serde_json::from_slice(&bundle_of(&suite, name)).unwrap();
        let signed = Self { bundle, file, root };
        assert_eq!(signed.changed(|_| ()), "verified", "{name}");
        Some(signed)
    }

    fn trust(root: &Value, rule: LogRule) -> TrustRoot {
        let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        let anybody = IdentityPattern::keyless(TextPattern::any(), TextPattern::any()).unwrap();
        trusting(root, anybody, rule)
    }

    fn verdict(&self, bundle: &Value, root: &Value, rule: LogRule) -> String {
        files::verdict(bundle.to_string().as_bytes(), &self.file, &Self::trust(root, rule))
    }

    /// The verdict on the bundle after a change.
    fn changed(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut bundle = self.bundle.clone();
        change(&mut bundle);
        self.verdict(&bundle, &self.root, LogRule::PUBLIC)
    }

    /// The verdict by the trusted root after a change of each of its `part`.
    fn with_each(&self, part: &str, change: impl Fn(&mut Value)) -> String {
        let mut root = self.root.clone();
        root[part].as_array_mut().unwrap().iter_mut().for_each(change);
        self.verdict(&self.bundle, &root, LogRule::PUBLIC)
    }
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// The parts that bundles with entries of either version have.
fn refuses_parts_of(good: &SignedFile, other: &SignedFile, other_log: &SignedFile) {
    let donor = |signed: &SignedFile| entry(&mut signed.bundle.clone()).clone();
    let (of_other, of_other_log) = (donor(other), donor(other_log));
    assert_eq!(good.changed(|bundle| *entry(bundle) = of_other.clone()), "log-entry-artifact");
    let proof = good.changed(|bundle| entry(bundle)["inclusionProof"] = of_other["inclusionProof"].clone());
    assert_eq!(proof, "inclusion-proof");
    for (from, code) in [(&of_other, "checkpoint-root"), (&of_other_log, "checkpoint-origin")] {
        let checkpoint = from["inclusionProof"]["checkpoint"].clone();
        assert_eq!(good.changed(|bundle| entry(bundle)["inclusionProof"]["checkpoint"] = checkpoint), code);
    }
    let log = good.changed(|bundle| entry(bundle)["logId"] = of_other_log["logId"].clone());
    assert!(["checkpoint-origin", "inclusion-promise"].contains(&&*log), "{log}");
    let signature = good.changed(|bundle| {
        bundle["messageSignature"]["signature"] = other.bundle["messageSignature"]["signature"].clone();
    });
    assert_eq!(signature, "signature");
    let signer = good.changed(|bundle| {
        bundle["verificationMaterial"]["certificate"] = other.bundle["verificationMaterial"]["certificate"].clone();
    });
    assert_eq!(signer, "signature");
    let digest = good.changed(|bundle| {
        bundle["messageSignature"]["messageDigest"] = json!({"algorithm": "SHA2_256", "digest": "A".repeat(43) + "="});
    });
    assert_eq!(digest, "message-digest");
    assert_eq!(good.changed(|bundle| bundle["verificationMaterial"]["tlogEntries"] = json!([])), "log-threshold");
    let twice = good.changed(|bundle| {
        let again = entry(bundle).clone();
        bundle["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(again);
    });
    assert_eq!(twice, "log-entry-duplicate");
    let two_logs = good.verdict(&good.bundle, &good.root, LogRule::PUBLIC.with_transparency_logs(2));
    assert_eq!(two_logs, "log-threshold");
    let past = json!({"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"});
    for period in [past, json!({"start": "2100-01-01T00:00:00Z"})] {
        for (part, code) in [("tlogs", "log-validity"), ("ctlogs", "sct-log-validity")] {
            assert_eq!(good.with_each(part, |log| log["publicKey"]["validFor"] = period.clone()), code);
        }
        let authority = good.with_each("certificateAuthorities", |one| one["validFor"] = period.clone());
        assert_eq!(authority, "authority-validity");
    }
}

#[test]
fn parts_of_another_signature_are_refused_with_an_entry_of_rekor_v1() {
    let names = ["py-bundle_v3_alt.txt", "java-bundle-with-timestamp.sigstore", "py-staging-rekor-v2.txt"];
    let [Some(good), Some(other), Some(other_log)] = names.map(SignedFile::read) else { return };
    refuses_parts_of(&good, &other, &other_log);
    let promised = entry(&mut other.bundle.clone()).clone();
    let promise = good.changed(|bundle| {
        for field in ["inclusionPromise", "integratedTime", "logIndex"] {
            entry(bundle)[field] = promised[field].clone();
        }
    });
    assert_eq!(promise, "inclusion-promise");
    // Time and index alone count only under the promise that the log has signed.
    for field in ["integratedTime", "logIndex"] {
        assert_eq!(good.changed(|bundle| entry(bundle)[field] = promised[field].clone()), "inclusion-promise");
    }
    let none = good.changed(|bundle| drop(entry(bundle).as_object_mut().unwrap().remove("inclusionPromise")));
    assert_eq!(none, "log-entry-time");
}

#[test]
fn parts_of_another_signature_are_refused_with_an_entry_of_rekor_v2() {
    let names =
        ["py-staging-rekor-v2.txt", "java-bundle-with-rekor-v2-entry.sigstore", "java-bundle-with-timestamp.sigstore"];
    let [Some(good), Some(other), Some(other_log)] = names.map(SignedFile::read) else { return };
    refuses_parts_of(&good, &other, &other_log);
    let data = "timestampVerificationData";
    let of_other = &other.bundle["verificationMaterial"][data];
    let another = good.changed(|bundle| bundle["verificationMaterial"][data] = of_other.clone());
    assert_eq!(another, "timestamp-imprint");
    let twice = good.changed(|bundle| {
        let stamps = bundle["verificationMaterial"][data]["rfc3161Timestamps"].as_array_mut().unwrap();
        stamps.push(stamps[0].clone());
    });
    assert_eq!(twice, "timestamp-duplicate");
    assert_eq!(good.changed(|bundle| bundle["verificationMaterial"][data] = json!({})), "log-entry-time");
    for period in [
        json!({"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"}),
        json!({"start": "2100-01-01T00:00:00Z"}),
    ] {
        let outside = good.with_each("timestampAuthorities", |one| one["validFor"] = period.clone());
        assert_eq!(outside, "timestamp-authority-validity");
    }
}
