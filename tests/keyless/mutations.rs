//! Each fault made by hand, in bundles and in the annotations of cosign v2: refused, each by its rule.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::Bundle;
use bulla::envelope::SignedDocument;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::LogRule;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use serde_json::Value;
use serde_json::json;

use crate::case::attested;
use crate::case::bundle_of;
use crate::case::evidence;
use crate::case::expected;
use crate::case::images;
use crate::case::now;
use crate::case::own_names;
use crate::case::reason;
use crate::case::trusting;
use crate::case::verdict;
use crate::case::verdict_on;
use crate::case::with_budget;
use crate::vectors;

/// A bundle as JSON, the trusted root of its case as JSON, and the names of its certificate.
pub struct Good {
    pub bundle: Value,
    pub names: IdentityPattern,
    pub root: Value,
}

impl Good {
    pub fn read(suite: &str, name: &str) -> Option<Self> {
        let suite = vectors::suite(suite)?;
        let (_, case) = expected(&suite).into_iter().find(|(one, _)| one == name).unwrap();
        let bytes = bundle_of(&suite, name);
        let folder = suite.join("open").join(name);
        let own = folder.join("trusted_root.json");
        let stated = case["trusted_root"].as_str().map(|file| folder.join(file)).filter(|file| file.exists());
        let shared = suite.join("shared/trusted_root.production.json");
        let root = std::fs::read(if own.exists() { own } else { stated.unwrap_or(shared) }).unwrap();
        let document = SignedDocument::Bundle(Bundle::parse(&bytes, &Limits::DEFAULT).unwrap());
        Some(Self {
            bundle: serde_json::from_slice(&bytes).unwrap(),
            names: own_names(&document),
            root: serde_json::from_slice(&root).unwrap(),
        })
    }

    fn trust(&self, rule: LogRule) -> TrustRoot {
        let root = TrustedRoot::parse(self.root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        trusting(root, self.names.clone(), rule)
    }

    pub fn document(&self) -> SignedDocument {
        SignedDocument::Bundle(Bundle::parse(self.bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap())
    }

    pub fn verdict(&self) -> String {
        self.verdict_by(LogRule::PUBLIC)
    }

    fn verdict_by(&self, rule: LogRule) -> String {
        verdict(&self.document(), &self.trust(rule), now())
    }

    /// The verdict on the bundle after a change.
    fn changed(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut bundle = self.bundle.clone();
        change(&mut bundle);
        Self { bundle, names: self.names.clone(), root: self.root.clone() }.verdict()
    }

    /// The verdict by the trusted root after a change.
    fn with_root(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut root = self.root.clone();
        change(&mut root);
        Self { bundle: self.bundle.clone(), names: self.names.clone(), root }.verdict()
    }
}

fn entries(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"]
}

/// Bundles with entries of the log Rekor v1, of version 0.3 and 0.2.
pub fn first() -> Option<Good> {
    Good::read("sigstore-bundles", "rust-happy-path")
}

fn second() -> Option<Good> {
    Good::read("sigstore-bundles", "java-bundle.dsse.sigstore")
}

fn rekor_v2() -> Option<Good> {
    Good::read("sigstore-conformance", "rekor2-dsse-happy-path")
}

#[test]
fn parts_of_another_bundle_are_refused() {
    let (Some(good), Some(mut other), Some(mut second_version)) = (first(), second(), rekor_v2()) else { return };
    assert_eq!((good.verdict(), other.verdict()), ("verified".to_owned(), "verified".to_owned()));
    let entry = entries(&mut other.bundle)[0].clone();
    // The log entry of another signature.
    assert_eq!(good.changed(|bundle| entries(bundle)[0] = entry.clone()), "log-entry-signature");
    // The signed entry timestamp of another entry, with its time and index.
    let promised = good.changed(|bundle| {
        for field in ["inclusionPromise", "integratedTime", "logIndex"] {
            entries(bundle)[0][field] = entry[field].clone();
        }
    });
    assert_eq!(promised, "inclusion-promise");
    // A proof for another leaf, with its checkpoint, which the log has signed.
    let proof = entry["inclusionProof"].clone();
    assert_eq!(good.changed(|bundle| entries(bundle)[0]["inclusionProof"] = proof.clone()), "inclusion-proof");
    // A checkpoint of another tree of the same log, and one of another log.
    let checkpoint = proof["checkpoint"].clone();
    let tree = good.changed(|bundle| entries(bundle)[0]["inclusionProof"]["checkpoint"] = checkpoint);
    assert_eq!(tree, "checkpoint-root");
    let checkpoint = entries(&mut second_version.bundle)[0]["inclusionProof"]["checkpoint"].clone();
    let log = good.changed(|bundle| entries(bundle)[0]["inclusionProof"]["checkpoint"] = checkpoint);
    assert_eq!(log, "checkpoint-origin");
    // The certificate and the signature of another bundle.
    let certificate = other.bundle["verificationMaterial"]["certificate"].clone();
    let signer = good.changed(|bundle| {
        bundle["verificationMaterial"].as_object_mut().unwrap().remove("x509CertificateChain");
        bundle["verificationMaterial"]["certificate"] = certificate;
    });
    assert_eq!(signer, "signature");
    let signature = other.bundle["dsseEnvelope"]["signatures"].clone();
    assert_eq!(good.changed(|bundle| bundle["dsseEnvelope"]["signatures"] = signature), "signature");
}

#[test]
fn missing_and_additional_parts_are_refused() {
    let Some(good) = first() else { return };
    assert_eq!(good.changed(|bundle| *entries(bundle) = json!([])), "log-threshold");
    let twice = good.changed(|bundle| {
        let entry = entries(bundle)[0].clone();
        entries(bundle).as_array_mut().unwrap().push(entry);
    });
    assert_eq!(twice, "log-entry-duplicate");
    // One log does not count twice, whatever the number of its entries.
    assert_eq!(good.verdict_by(LogRule::PUBLIC.with_transparency_logs(2)), "log-threshold");
    assert_eq!(good.verdict_by(LogRule::PUBLIC.with_certificate_logs(2)), "sct-threshold");
    assert_eq!(good.verdict_by(LogRule::PUBLIC.with_timestamps(1)), "timestamp-threshold");
    let without = good.changed(|bundle| {
        entries(bundle)[0].as_object_mut().unwrap().remove("inclusionPromise");
    });
    assert_eq!(without, "log-entry-time");
    let signatures = good.changed(|bundle| {
        let signature = bundle["dsseEnvelope"]["signatures"][0].clone();
        bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
    });
    assert_eq!(signatures, "signature-count");
    let chain = good.changed(|bundle| {
        let material = &mut bundle["verificationMaterial"];
        let certificate = material["certificate"].clone();
        material.as_object_mut().unwrap().remove("certificate");
        material["x509CertificateChain"] = json!({ "certificates": [certificate, certificate] });
    });
    assert_eq!(chain, "bundle-certificate-chain");
}

/// Where no log is required, an entry of a trusted log must verify nevertheless; one of another log is skipped.
#[test]
fn an_entry_that_is_not_required_is_verified_if_its_log_is_trusted() {
    let Some(good) = rekor_v2() else { return };
    let log = entries(&mut good.bundle.clone())[0]["logId"]["keyId"].clone();
    let by = |is_trusted: bool, is_whole: bool| {
        let (mut bundle, mut root) = (good.bundle.clone(), good.root.clone());
        let logs = root["tlogs"].as_array_mut().unwrap();
        logs.retain(|one| (one["logId"]["keyId"] == log) == is_trusted);
        logs.truncate(1);
        if !is_whole {
            entries(&mut bundle)[0]["inclusionProof"]["hashes"] = json!([]);
        }
        Good { bundle, names: good.names.clone(), root }.verdict_by(LogRule::NONE.with_timestamps(1))
    };
    assert_eq!((by(true, true), by(true, false)), ("verified".to_owned(), "inclusion-proof".to_owned()));
    assert_eq!((by(false, true), by(false, false)), ("verified".to_owned(), "verified".to_owned()));
}

#[test]
fn timestamps_of_something_else_are_refused() {
    let (Some(good), Some(suite)) = (rekor_v2(), vectors::suite("sigstore-conformance")) else { return };
    assert_eq!(good.verdict(), "verified");
    assert_eq!(good.verdict_by(LogRule::PUBLIC.with_timestamps(1)), "verified");
    assert_eq!(good.verdict_by(LogRule::PUBLIC.with_timestamps(2)), "timestamp-threshold");
    let other: Value = serde_json::from_slice(&bundle_of(&suite, "rekor2-happy-path")).unwrap();
    let data = "timestampVerificationData";
    let stamp = other["verificationMaterial"][data].clone();
    let another = good.changed(|bundle| bundle["verificationMaterial"][data] = stamp.clone());
    assert_eq!(another, "timestamp-imprint");
    let twice = good.changed(|bundle| {
        let stamps = bundle["verificationMaterial"][data]["rfc3161Timestamps"].as_array_mut().unwrap();
        stamps.push(stamps[0].clone());
    });
    assert_eq!(twice, "timestamp-duplicate");
    let none = good.changed(|bundle| bundle["verificationMaterial"][data] = json!({}));
    assert_eq!(none, "log-entry-time");
    let broken = good.changed(|bundle| {
        bundle["verificationMaterial"][data]["rfc3161Timestamps"][0]["signedTimestamp"] = json!("MAA=");
    });
    assert_eq!(broken, "timestamp-malformed");
    // Without its authority the timestamp is one of anybody: it is skipped, and no time is left.
    assert_eq!(good.with_root(|root| root["timestampAuthorities"] = json!([])), "log-entry-time");
    for period in [json!({"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"}), future()] {
        let outside = good.with_root(|root| {
            for authority in root["timestampAuthorities"].as_array_mut().unwrap() {
                authority["validFor"] = period.clone();
            }
        });
        assert_eq!(outside, "timestamp-authority-validity");
    }
}

/// A timestamp without its certificate is of an authority that only the trusted root can know: it is named.
#[test]
fn a_timestamp_by_nobody_who_is_trusted_is_the_reason() {
    let (Some(second_version), Some(mut first_version)) = (rekor_v2(), first()) else { return };
    let stamps = &second_version.bundle["verificationMaterial"]["timestampVerificationData"];
    let without = |good: &Good, rule: LogRule| {
        let mut root = good.root.clone();
        root["timestampAuthorities"] = json!([]);
        let good = Good { bundle: good.bundle.clone(), names: good.names.clone(), root };
        reason(&evidence(good.document()), &good.trust(rule))
    };
    let named = "timestamp 1 does not count: its authority, with the certificate serial number";
    let said = without(&second_version, LogRule::PUBLIC);
    assert!(said.contains(named) && said.contains("CN=sigstore-tsa"), "{said}");
    assert!(said.contains("and the timestamp does not contain it"), "{said}");
    first_version.bundle["verificationMaterial"]["timestampVerificationData"] = stamps.clone();
    let said = without(&first_version, LogRule::PUBLIC.with_timestamps(1));
    assert!(said.contains("timestamps of 0 of 1") && said.contains(named), "{said}");
    let said = without(&first_version, LogRule::NONE);
    assert!(!said.contains(named), "the log has signed a time: {said}");
    *entries(&mut first_version.bundle) = json!([]);
    let said = without(&first_version, LogRule::NONE);
    assert!(said.contains("no verified time; ") && said.contains(named), "{said}");
    // Without any timestamp nothing is named.
    first_version.bundle["verificationMaterial"]["timestampVerificationData"] = json!({});
    let said = without(&first_version, LogRule::NONE);
    assert!(said.contains("no verified time: "), "{said}");
}

fn future() -> Value {
    json!({ "start": "2100-01-01T00:00:00Z" })
}

#[test]
fn authorities_and_logs_outside_their_periods_are_refused() {
    for good in [first(), second(), rekor_v2()] {
        let Some(good) = good else { return };
        for (part, code) in [("tlogs", "log-validity"), ("ctlogs", "sct-log-validity")] {
            for period in [json!({"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"}), future()] {
                let outside = good.with_root(|root| {
                    for log in root[part].as_array_mut().unwrap() {
                        log["publicKey"]["validFor"] = period.clone();
                    }
                });
                assert_eq!(outside, code, "{part}");
            }
        }
        for period in [json!({"start": "2000-01-01T00:00:00Z", "end": "2001-01-01T00:00:00Z"}), future()] {
            let outside = good.with_root(|root| {
                for authority in root["certificateAuthorities"].as_array_mut().unwrap() {
                    authority["validFor"] = period.clone();
                }
            });
            assert_eq!(outside, "authority-validity");
        }
        assert_eq!(good.with_root(|root| root["tlogs"] = json!([])), "log-unknown");
        assert_eq!(good.with_root(|root| root["ctlogs"] = json!([])), "sct-log-unknown");
        assert_eq!(good.with_root(|root| root["certificateAuthorities"] = json!([])), "trust");
    }
}

#[test]
fn a_time_ahead_of_the_clock_is_could_not_tell() {
    for good in [first(), second(), rekor_v2()] {
        let Some(good) = good else { return };
        let before =
            verdict(&good.document(), &good.trust(LogRule::PUBLIC), Time::parse("2020-01-01T00:00:00Z").unwrap());
        assert_eq!(before, "?time-ahead");
    }
}

#[test]
fn every_signature_check_is_paid_for() {
    // At most: the signature; for the entry its promise and the lines of the checkpoint; for the timestamp its signature and
    // the certificates of the authority; for each authority that is tried its certificates, the signer's, and 32 certificate
    // timestamps.
    let one_line_and_two_authorities = 1 + (1 + 1) + (1 + 1 + 32) + (2 + 1 + 32);
    let four_lines_and_a_timestamp = 1 + (1 + 4) + (1 + 2) + (2 + 1 + 32);
    for (good, want) in [(first(), one_line_and_two_authorities), (rekor_v2(), four_lines_and_a_timestamp)] {
        let Some(good) = good else { return };
        let (evidence, trust) = (evidence(good.document()), good.trust(LogRule::PUBLIC));
        let needed = (0..1_000).find(|budget| with_budget(&evidence, &trust, *budget) != "?signatures-not-checked");
        assert_eq!(needed, Some(want));
        assert_eq!(with_budget(&evidence, &trust, needed.unwrap()), "verified");
    }
}

/// The attestations in the layouts of slsa-verifier: the same faults in the annotations of cosign v2.
#[test]
fn annotations_of_another_signature_are_refused() {
    let Some(images) = images() else { return };
    let annotation =
        |image: &BTreeMap<String, String>, name: &str| image[&format!("dev.sigstore.cosign/{name}")].clone();
    for (at, image) in images.iter().enumerate() {
        let other = &images[(at + 1) % images.len()];
        let changed = |name: &str, value: String| {
            let mut layer = image.clone();
            layer.annotations.insert(format!("dev.sigstore.cosign/{name}"), value);
            verdict_on(&attested(&layer), &image.trust, now())
        };
        assert_eq!(verdict_on(&attested(image), &image.trust, now()), "verified", "{}", image.name);
        assert_eq!(changed("bundle", annotation(&other.annotations, "bundle")), "log-entry-artifact");
        assert_eq!(changed("certificate", annotation(&other.annotations, "certificate")), "signature");
        assert_eq!(changed("bundle", String::new()), "log-threshold");
        assert_eq!(changed("bundle", "{}".to_owned()), "log-entry-malformed");
        assert_eq!(changed("certificate", "no certificate".to_owned()), "verification-material");
        let set = |from: &str, to: &str| {
            let (mut own, other): (Value, Value) =
                (serde_json::from_str(to).unwrap(), serde_json::from_str(from).unwrap());
            own["SignedEntryTimestamp"] = other["SignedEntryTimestamp"].clone();
            own.to_string()
        };
        let mixed = set(&annotation(&other.annotations, "bundle"), &annotation(&image.annotations, "bundle"));
        assert_eq!(changed("bundle", mixed), "inclusion-promise");
        // An envelope that is stored in another way is one that the log does not have, where the entry has its hash.
        let mut stored = image.clone();
        stored.bytes.push(b'\n');
        let outcome = verdict_on(&attested(&stored), &image.trust, now());
        assert!(["verified", "log-entry-artifact"].contains(&&*outcome), "{outcome}");
        assert_ne!(Digest::sha256(&stored.bytes), Digest::sha256(&image.bytes));
    }
}
