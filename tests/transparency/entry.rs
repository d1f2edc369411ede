//! Log entries: parts swapped between bundles, bytes changed one by one, and rules broken one at a time.

use std::num::NonZeroUsize;

use bulla::digest::Digest;
use bulla::envelope::BundleDocument;
use bulla::envelope::StoredForm;
use bulla::envelope::StoredLogEntry;
use bulla::envelope::base64;
use bulla::key::Algorithm;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::time::ValidityPeriod;
use bulla::transparency::LogId;
use bulla::transparency::LogVerification;
use bulla::transparency::LoggedArtifact;
use bulla::transparency::LoggedSignature;
use bulla::transparency::LoggedVerifier;
use bulla::transparency::RequiredInclusion;
use bulla::transparency::TransparencyError;
use bulla::transparency::TransparencyLog;
use bulla::transparency::TransparencyLogEntry;
use bulla::transparency::TransparencyRule;
use bulla::transparency::VerifiedLogEntries;
use bulla::x509::HashAlgorithm;
use bulla::x509::SignedBefore;
use serde_json::Value;
use serde_json::json;

use crate::case::Case;
use crate::case::case;
use crate::case::certificate;
use crate::case::code;

/// A good bundle of each kind of entry.
const GOOD: [(&str, &str); 6] = [
    ("sigstore-bundles", "py-bundle.txt"),
    ("sigstore-bundles", "java-PKIX_RSA_PKCS1V15_2048_SHA256.sigstore.json"),
    ("sigstore-bundles", "rust-happy-path"),
    ("sigstore-bundles", "js-bundleV02-intoto.sigstore"),
    ("sigstore-conformance", "rekor2-happy-path"),
    ("sigstore-conformance", "rekor2-dsse-happy-path"),
];

fn json_of(case: &Case) -> Value {
    serde_json::from_slice(&case.bundle).unwrap()
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// The verdict on the case with its bundle changed.
fn changed(case: &Case, change: impl FnOnce(&mut Value)) -> String {
    let mut bundle = json_of(case);
    change(&mut bundle);
    with(case, &bundle).verdict()
}

fn with(case: &Case, bundle: &Value) -> Case {
    Case {
        bundle: bundle.to_string().into_bytes(),
        digest: case.digest,
        key: case.key.clone(),
        root: case.root.clone(),
    }
}

/// Two bundles by logs of one root, over different artifacts.
fn pair() -> Option<(Case, Case)> {
    let first = case("sigstore-bundles", "rust-happy-path")?;
    let second = case("sigstore-bundles", "cosign-oci-attestation")?;
    assert_eq!((first.verdict(), second.verdict()), ("verified".to_owned(), "verified".to_owned()));
    Some((first, second))
}

#[test]
fn swapped_parts_are_refused_each_by_its_rule() {
    let Some((first, second)) = pair() else { return };
    let other = entry(&mut json_of(&second)).clone();
    let swap = |fields: &[&str]| {
        changed(&first, |bundle| {
            for field in fields {
                entry(bundle)[*field] = other[*field].clone();
            }
        })
    };
    assert_eq!(changed(&first, |bundle| *entry(bundle) = other.clone()), "log-entry-artifact");
    assert_eq!(swap(&["canonicalizedBody"]), "log-entry-artifact");
    assert_eq!(swap(&["inclusionPromise"]), "inclusion-promise");
    assert_eq!(swap(&["inclusionPromise", "integratedTime", "logIndex"]), "inclusion-promise");
    assert_eq!(swap(&["integratedTime"]), "inclusion-promise");
    assert_eq!(swap(&["logIndex"]), "inclusion-promise");
    // The proof, with its genuine checkpoint, is for the leaf of the other one.
    assert_eq!(swap(&["inclusionProof"]), "inclusion-proof");
    let checkpoint = changed(&first, |bundle| {
        entry(bundle)["inclusionProof"]["checkpoint"] = other["inclusionProof"]["checkpoint"].clone();
    });
    assert_eq!(checkpoint, "checkpoint-root");

    // Artifact, signature, certificate.
    let signature = json_of(&second)["dsseEnvelope"]["signatures"].clone();
    assert_eq!(changed(&first, |bundle| bundle["dsseEnvelope"]["signatures"] = signature), "log-entry-signature");
    let payload = json_of(&second)["dsseEnvelope"]["payload"].clone();
    assert_eq!(changed(&first, |bundle| bundle["dsseEnvelope"]["payload"] = payload), "log-entry-artifact");
    let certificate = json_of(&second)["verificationMaterial"]["certificate"].clone();
    let other_certificate = changed(&first, |bundle| bundle["verificationMaterial"]["certificate"] = certificate);
    assert_eq!(other_certificate, "log-entry-verifier");
}

#[test]
fn parts_of_rekor_v2_are_refused_each_by_its_rule() {
    let Some(first) = case("sigstore-conformance", "rekor2-happy-path") else { return };
    let second = case("sigstore-conformance", "rekor2-timestamp-with-expired-cert-chain").unwrap();
    let v1 = case("sigstore-bundles", "py-bundle.txt").unwrap();
    let other = entry(&mut json_of(&second)).clone();
    let swap = |field: &str| changed(&first, |bundle| entry(bundle)[field] = other[field].clone());
    // The same file is signed in both.
    assert_eq!(changed(&first, |bundle| *entry(bundle) = other.clone()), "log-entry-signature");
    assert_eq!(swap("inclusionProof"), "inclusion-proof");
    let checkpoint =
        |note: Value| changed(&first, |bundle| entry(bundle)["inclusionProof"]["checkpoint"]["envelope"] = note);
    assert_eq!(checkpoint(other["inclusionProof"]["checkpoint"]["envelope"].clone()), "checkpoint-root");
    // A checkpoint of another log, and one in the form of Rekor v1.
    let note = entry(&mut json_of(&v1))["inclusionProof"]["checkpoint"]["envelope"].clone();
    assert_eq!(checkpoint(note), "checkpoint-origin");
    // A signed entry timestamp does not exist in Rekor v2.
    let promised = changed(&first, |bundle| {
        entry(bundle)["inclusionPromise"] = json!({"signedEntryTimestamp": "AAAA"});
        entry(bundle)["integratedTime"] = json!("1700000000");
    });
    assert_eq!(promised, "inclusion-promise");
    // A time that nobody has signed is not taken for one.
    let without_timestamps = |time: Value| {
        changed(&first, |bundle| {
            entry(bundle)["integratedTime"] = time;
            bundle["verificationMaterial"]["timestampVerificationData"] = Value::Null;
        })
    };
    assert_eq!(without_timestamps(Value::Null), "log-entry-time");
    assert_eq!(without_timestamps(json!("1749729740")), "log-entry-time");
    // A body with the same content in another form is not the canonical one.
    let body = base64::decode("body", entry(&mut json_of(&first))["canonicalizedBody"].as_str().unwrap()).unwrap();
    let spaced = String::from_utf8(body).unwrap().replacen(':', ": ", 1);
    let respelled =
        changed(&first, |bundle| entry(bundle)["canonicalizedBody"] = json!(base64::encode(spaced.as_bytes())));
    assert_eq!(respelled, "log-entry-body");
}

/// A timestamp is one of this signature: that of another one says nothing about it.
#[test]
fn a_timestamp_is_about_the_signature() {
    let Some(first) = case("sigstore-conformance", "rekor2-happy-path") else { return };
    let second = case("sigstore-conformance", "rekor2-timestamp-with-expired-cert-chain").unwrap();
    let document = first.document().unwrap();
    let certificate = certificate(&document);
    let stored = &document.verification_material.log_entries[0];
    let entry = TransparencyLogEntry::parse(stored, &Limits::DEFAULT).unwrap();
    let (own, other) = (first.timestamps(&document), second.timestamps(&second.document().unwrap()));
    let both = [own.as_slice(), &other].concat();
    let verify = |timestamps: &[SignedBefore]| {
        let by =
            LogVerification { logs: first.root.transparency_logs(), required: RequiredInclusion::Proof, timestamps };
        let verified = first.with_signed(&document, certificate.as_ref(), |signed| entry.verify(signed, &by));
        verified.map_or_else(|error| code(&error), |_| "verified".to_owned())
    };
    assert_eq!((own.len(), other.len()), (1, 1));
    assert_eq!([verify(&own), verify(&other), verify(&both)], ["verified", "log-entry-time", "log-entry-time"]);
}

/// What is known of the artifact must be enough to compare it.
#[test]
fn an_artifact_is_compared_by_the_hash_of_the_entry() {
    let Some(case) = case("sigstore-bundles", "py-bundle.txt") else { return };
    let document = case.document().unwrap();
    let certificate = certificate(&document).unwrap();
    let folder = crate::vectors::suite("sigstore-bundles").unwrap();
    let file = std::fs::read(folder.join("open/py-bundle.txt/artifact")).unwrap();
    let stored = &document.verification_material.log_entries[0];
    let entry = TransparencyLogEntry::parse(stored, &Limits::DEFAULT).unwrap();
    let verify = |artifact: LoggedArtifact<'_>| {
        let bulla::envelope::BundleContent::MessageSignature(message) = &document.content else { panic!("no message") };
        let verifier = LoggedVerifier::Certificate(&certificate);
        let signed = LoggedSignature { artifact, signature: &message.signature, verifier };
        let by = LogVerification {
            logs: case.root.transparency_logs(),
            required: RequiredInclusion::Promise,
            timestamps: &[],
        };
        entry.verify(&signed, &by).map_or_else(|error| code(&error), |_| "verified".to_owned())
    };
    let hash = |algorithm: HashAlgorithm, bytes: &[u8]| {
        let hash = algorithm.hash(bytes);
        verify(LoggedArtifact::Hash { algorithm, hash: &hash })
    };
    assert_eq!([verify(LoggedArtifact::Message(&file)), hash(HashAlgorithm::Sha256, &file)], ["verified"; 2]);
    assert_eq!(
        [verify(LoggedArtifact::Message(b"other")), hash(HashAlgorithm::Sha256, b"")],
        ["log-entry-artifact"; 2]
    );
    assert_eq!(hash(HashAlgorithm::Sha512, &file), "?log-entry-artifact");
    let short = LoggedArtifact::Hash { algorithm: HashAlgorithm::Sha256, hash: b"" };
    assert_eq!(verify(short), "?log-entry-artifact");
    // The key of the certificate is not the certificate.
    let key = certificate.public_key().unwrap();
    let bulla::envelope::BundleContent::MessageSignature(message) = &document.content else { panic!("no message") };
    let signed = LoggedSignature {
        artifact: LoggedArtifact::Message(&file),
        signature: &message.signature,
        verifier: LoggedVerifier::Key(&key),
    };
    let by =
        LogVerification { logs: case.root.transparency_logs(), required: RequiredInclusion::Promise, timestamps: &[] };
    assert_eq!(code(&entry.verify(&signed, &by).unwrap_err()), "log-entry-verifier");
}

#[test]
fn what_the_bundle_version_asks_for_is_there() {
    let Some(case) = case("sigstore-bundles", "js-bundleV01-dsse-with-proof.sigstore") else { return };
    let at = |version: &str, field: &str| {
        changed(&case, |bundle| {
            bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
            entry(bundle).as_object_mut().unwrap().remove(field);
        })
    };
    assert_eq!(at("0.1", "none"), "verified");
    assert_eq!(at("0.1", "inclusionProof"), "verified");
    assert_eq!(at("0.1", "inclusionPromise"), "inclusion-promise-missing");
    for version in ["0.2", "0.3"] {
        assert_eq!(at(version, "none"), "verified");
        assert_eq!(at(version, "inclusionProof"), "inclusion-proof-missing");
        // The integrated time is not signed any more, and there is no timestamp.
        assert_eq!(at(version, "inclusionPromise"), "log-entry-time");
    }
    let without_checkpoint = |version: &str| {
        changed(&case, |bundle| {
            bundle["mediaType"] = json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
            entry(bundle)["inclusionProof"]["checkpoint"] = Value::Null;
        })
    };
    assert_eq!([without_checkpoint("0.1"), without_checkpoint("0.2")], ["verified", "inclusion-proof-missing"]);
    // A proof that the version does not require is verified if the entry has one.
    let broken = changed(&case, |bundle| entry(bundle)["inclusionProof"]["logIndex"] = json!("1"));
    assert_eq!(broken, "inclusion-proof");
}

#[test]
fn entries_are_counted_by_log() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let document = case.document().unwrap();
    let certificate = certificate(&document);
    let verify = |bundle: &Value, threshold: usize| {
        let document = BundleDocument::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        let stored = &document.verification_material.log_entries;
        let entries: Vec<_> =
            stored.iter().map(|one| TransparencyLogEntry::parse(one, &Limits::DEFAULT).unwrap()).collect();
        let by = LogVerification {
            logs: case.root.transparency_logs(),
            required: RequiredInclusion::Proof,
            timestamps: &[],
        };
        let threshold = NonZeroUsize::new(threshold).unwrap();
        case.with_signed(&document, certificate.as_ref(), |signed| {
            VerifiedLogEntries::verify(&entries, threshold, signed, &by)
        })
    };
    let with = |entries: Vec<Value>| {
        let mut bundle = json_of(&case);
        bundle["verificationMaterial"]["tlogEntries"] = json!(entries);
        bundle
    };
    let refused = |bundle: &Value, threshold: usize| code(&verify(bundle, threshold).unwrap_err());
    let good = entry(&mut json_of(&case)).clone();
    let mut elsewhere = good.clone();
    elsewhere["logId"]["keyId"] = json!(base64::encode(&[7; 32]));

    let one = verify(&with(vec![good.clone()]), 1).unwrap();
    assert_eq!((one.entries().len(), one.logs().len(), one.skipped().len()), (1, 1, 0));
    let verified = &one.entries()[0];
    assert_eq!((verified.index(), verified.integrated_time().unwrap().unix()), (155_690_850, 1_734_374_576));
    assert_eq!(verified.checkpoint().unwrap().tree_size(), 33_786_589);
    // What an entry claims is shown before it is verified.
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        let bundle = with(vec![changed]).to_string();
        let document = BundleDocument::parse(bundle.as_bytes(), &Limits::DEFAULT).unwrap();
        let stored = &document.verification_material.log_entries[0];
        let one = TransparencyLogEntry::parse(stored, &Limits::DEFAULT).unwrap();
        (one.claimed_index(), one.claimed_time().map(|time| time.unix()), one.has_inclusion_proof())
    };
    let (index, time) = (Some(155_690_850), Some(1_734_374_576));
    assert_eq!(claims(&|_| ()), (index, time, true));
    assert_eq!(claims(&|entry| entry["inclusionProof"]["checkpoint"] = Value::Null), (index, time, false));
    assert_eq!(claims(&|entry| entry["inclusionProof"] = Value::Null), (index, time, false));
    let in_tree = good["inclusionProof"]["logIndex"].as_str().unwrap().parse().unwrap();
    assert_eq!(claims(&|entry| entry["inclusionPromise"] = Value::Null), (Some(in_tree), None, true));
    // Two entries of one log are one log, and the same entry twice is refused.
    assert_eq!(refused(&with(vec![good.clone()]), 2), "log-threshold");
    assert_eq!(refused(&with(vec![good.clone(), good.clone()]), 1), "log-entry-duplicate");
    let mut without_promise = good.clone();
    without_promise["inclusionPromise"] = Value::Null;
    assert_eq!(refused(&with(vec![good.clone(), without_promise]), 1), "log-entry-time");
    // Anybody can run a log: its entries neither help nor harm.
    let beside = verify(&with(vec![elsewhere.clone(), good.clone()]), 1).unwrap();
    assert_eq!((beside.entries().len(), beside.skipped().len()), (1, 1));
    assert_eq!(refused(&with(vec![elsewhere.clone(), good.clone()]), 2), "log-threshold");
    assert_eq!(refused(&with(vec![elsewhere]), 1), "log-unknown");
    assert_eq!(refused(&with(Vec::new()), 1), "log-threshold");
    // A good entry does not make up for a bad one of a log that is trusted.
    let mut bad = good.clone();
    bad["integratedTime"] = json!("1734374577");
    assert_eq!(refused(&with(vec![good, bad]), 1), "inclusion-promise");
}

#[test]
fn a_log_signs_while_its_key_is_valid() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let root = |start: &str, end: &str| {
        let file = crate::vectors::suite("sigstore-bundles").unwrap().join("shared/trusted_root.production.json");
        let mut root: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        root["tlogs"][0]["publicKey"]["validFor"] = json!({"start": start, "end": end});
        let root = bulla::trust::sigstore::TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        Case { bundle: case.bundle.clone(), digest: case.digest, key: None, root }.verdict()
    };
    // The integrated time is 2024-12-16T18:42:56Z.
    assert_eq!(root("2024-12-16T18:42:56Z", "2024-12-16T18:42:56Z"), "verified");
    assert_eq!(root("2024-12-16T18:42:57Z", "2025-12-16T18:42:57Z"), "log-validity");
    assert_eq!(root("2023-12-16T18:42:56Z", "2024-12-16T18:42:55Z"), "log-validity");
}

/// An entry of `dsse` may list more signatures than ours, so a log can have several entries of one signature.
#[test]
fn different_entries_of_one_log_are_one_log() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let id = LogId::from_bytes(Digest::sha256(key.public_key().spki()).as_bytes());
    let always = ValidityPeriod { start: Time::EPOCH, end: None };
    let log = TransparencyLog::new(id.clone(), "log.example", key.public_key().clone(), always);
    let mut bundle = json_of(&case);
    let body = base64::decode("body", entry(&mut bundle)["canonicalizedBody"].as_str().unwrap()).unwrap();
    let mut longer: Value = serde_json::from_slice(&body).unwrap();
    let listed = longer["spec"]["signatures"].as_array_mut().unwrap();
    listed.push(listed[0].clone());
    let logged = |body: &[u8]| {
        let (body, index) = (base64::encode(body), 7);
        let message = format!(r#"{{"body":"{body}","integratedTime":1734374576,"logID":"{id}","logIndex":{index}}}"#);
        json!({
            "logIndex": index.to_string(),
            "logId": {"keyId": base64::encode(id.as_bytes())},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": "1734374576",
            "inclusionPromise": {"signedEntryTimestamp": base64::encode(key.sign(message.as_bytes()).unwrap().as_bytes())},
            "canonicalizedBody": body,
        })
    };
    bundle["verificationMaterial"]["tlogEntries"] = json!([logged(&body), logged(longer.to_string().as_bytes())]);
    let document = BundleDocument::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    let stored = document.verification_material.log_entries.iter();
    let entries: Vec<_> = stored.map(|one| TransparencyLogEntry::parse(one, &Limits::DEFAULT).unwrap()).collect();
    let certificate = certificate(&document);
    let by = LogVerification { logs: &[log], required: RequiredInclusion::Promise, timestamps: &[] };
    let verify = |threshold: usize| {
        case.with_signed(&document, certificate.as_ref(), |signed| {
            VerifiedLogEntries::verify(&entries, NonZeroUsize::new(threshold).unwrap(), signed, &by)
        })
    };
    let verified = verify(1).unwrap();
    assert_eq!((verified.entries().len(), verified.logs().len()), (2, 1));
    assert_eq!(code(&verify(2).unwrap_err()), "log-threshold");
}

/// Both the hash of a key and that of name and key are ids of a log, so one log could be listed under two.
#[test]
fn one_log_under_two_ids_is_one_log() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let [key, other] = [(); 2].map(|()| PrivateKey::generate(KeyKind::Ed25519).unwrap());
    let always = ValidityPeriod { start: Time::EPOCH, end: None };
    let log = |id: LogId, key: &PrivateKey| {
        let log = TransparencyLog::new(id, "https://log.example", key.public_key().clone(), always);
        assert!(log.has_id_of_key());
        log
    };
    let by_name = |key: &PrivateKey| log(TransparencyLog::id_of("https://log.example", key.public_key()), key);
    let logs = [log(LogId::of_key(key.public_key()), &key), by_name(&key), by_name(&other)];
    let mut bundle = json_of(&case);
    let body = entry(&mut bundle)["canonicalizedBody"].as_str().unwrap().to_owned();
    let logged = |log: &TransparencyLog, key: &PrivateKey| {
        let id = log.id();
        let message = format!(r#"{{"body":"{body}","integratedTime":1734374576,"logID":"{id}","logIndex":7}}"#);
        json!({
            "logIndex": "7",
            "logId": {"keyId": base64::encode(id.as_bytes())},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": "1734374576",
            "inclusionPromise": {"signedEntryTimestamp": base64::encode(key.sign(message.as_bytes()).unwrap().as_bytes())},
            "canonicalizedBody": body,
        })
    };
    let verify = |entries: &[Value], threshold: usize| {
        let mut bundle = bundle.clone();
        bundle["verificationMaterial"]["tlogEntries"] = json!(entries);
        let document = BundleDocument::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        let stored = document.verification_material.log_entries.iter();
        let entries: Vec<_> = stored.map(|one| TransparencyLogEntry::parse(one, &Limits::DEFAULT).unwrap()).collect();
        let by = LogVerification { logs: &logs, required: RequiredInclusion::Promise, timestamps: &[] };
        let verified = case.with_signed(&document, certificate(&document).as_ref(), |signed| {
            VerifiedLogEntries::verify(&entries, NonZeroUsize::new(threshold).unwrap(), signed, &by)
        });
        verified.map_or_else(|error| code(&error), |_| "verified".to_owned())
    };
    let [by_key, by_name, other] =
        [(&logs[0], &key), (&logs[1], &key), (&logs[2], &other)].map(|(log, key)| logged(log, key));
    for one in [&by_key, &by_name, &other] {
        assert_eq!(verify(std::slice::from_ref(one), 1), "verified");
        assert_eq!(verify(std::slice::from_ref(one), 2), "log-threshold");
    }
    assert_eq!(verify(&[by_key.clone(), by_name], 1), "log-entry-duplicate");
    assert_eq!(verify(&[by_key, other], 2), "verified");
}

/// A log may be listed with several periods, but another key under its id opens none.
#[test]
fn another_key_under_the_id_of_a_log_has_no_period_for_it() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let (document, untrusted) = (case.document().unwrap(), PrivateKey::generate(KeyKind::P256).unwrap());
    let real = case.root.transparency_logs().iter().find(|log| log.key().algorithm() == Algorithm::EcdsaP256).unwrap();
    let time = |text: &str| Time::parse(text).unwrap();
    let always = ValidityPeriod { start: time("2000-01-01T00:00:00Z"), end: None };
    let over = ValidityPeriod { start: always.start, end: Some(time("2001-01-01T00:00:00Z")) };
    let log = |key: &PublicKey, validity| {
        TransparencyLog::new(real.id().clone(), "rekor.sigstore.dev", key.clone(), validity)
    };
    let verify = |logs: &[TransparencyLog]| {
        let entry =
            TransparencyLogEntry::parse(&document.verification_material.log_entries[0], &Limits::DEFAULT).unwrap();
        let by = LogVerification { logs, required: RequiredInclusion::Proof, timestamps: &[] };
        let certificate = certificate(&document);
        let verified = case.with_signed(&document, certificate.as_ref(), |signed| entry.verify(signed, &by));
        verified.map_or_else(|error| error.code().to_owned(), |_| "verified".to_owned())
    };
    assert_eq!(verify(&[log(real.key(), over), log(real.key(), always)]), "verified");
    assert_eq!(verify(&[log(real.key(), over)]), "log-validity");
    assert_eq!(verify(&[log(real.key(), over), log(untrusted.public_key(), always)]), "log-validity");
}

#[test]
fn entries_that_cannot_be_read_are_refused_by_name() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let set = |pointer: &str, value: Value| {
        changed(&case, |bundle| {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            entry(bundle).pointer_mut(parent).unwrap()[field] = value;
        })
    };
    for (pointer, value, want) in [
        ("/kindVersion/version", json!("0.0.2"), "log-entry-kind"),
        ("/kindVersion/kind", json!("rekord"), "log-entry-kind"),
        ("/kindVersion/kind", json!("hashedrekord"), "log-entry-kind"),
        ("/kindVersion", Value::Null, "log-entry-malformed"),
        ("/logId", Value::Null, "log-entry-malformed"),
        ("/logId/keyId", json!("AAA"), "log-entry-malformed"),
        ("/logIndex", json!("-1"), "log-entry-malformed"),
        ("/logIndex", json!(-1), "log-entry-malformed"),
        ("/logIndex", json!("007"), "log-entry-malformed"),
        ("/logIndex", json!("+7"), "log-entry-malformed"),
        ("/logIndex", json!(1.5), "log-entry-malformed"),
        ("/logIndex", json!("9223372036854775808"), "log-entry-malformed"),
        ("/logIndex", json!("9223372036854775807"), "?inclusion-promise"),
        ("/integratedTime", json!("0"), "log-entry-malformed"),
        ("/integratedTime", json!("9223372036854775807"), "log-entry-malformed"),
        ("/canonicalizedBody", Value::Null, "log-entry-malformed"),
        ("/canonicalizedBody", json!("e30="), "log-entry-body"),
        ("/canonicalizedBody", json!(base64::encode(br#"{"kind":"a","kind":"a"}"#)), "log-entry-body"),
        ("/inclusionProof/rootHash", json!("AAAA"), "log-entry-malformed"),
        ("/inclusionProof/hashes", json!(["AAAA"]), "log-entry-malformed"),
        ("/inclusionProof/hashes", json!([]), "inclusion-proof"),
        ("/inclusionProof/treeSize", json!("0"), "checkpoint-root"),
        ("/inclusionProof/checkpoint/envelope", json!("note"), "checkpoint-malformed"),
    ] {
        assert_eq!(set(pointer, value.clone()), want, "{pointer} {value}");
    }
    // Numbers may stand as numbers, and unknown fields say nothing.
    assert_eq!(set("/logIndex", json!(155_690_850)), "verified");
    assert_eq!(set("/unknown", json!({"a": 1})), "verified");
}

#[test]
fn a_proof_is_bounded() {
    let Some(case) = case("sigstore-bundles", "rust-happy-path") else { return };
    let with = |count: u64| {
        let hashes = vec![base64::encode(&[7; 32]); count as usize];
        changed(&case, |bundle| entry(bundle)["inclusionProof"]["hashes"] = json!(hashes))
    };
    let most = Limits::DEFAULT.transparency.proof_hashes;
    assert_eq!([with(most), with(most + 1)], ["inclusion-proof", "?transparency-limit"]);
}

/// What an entry says is changed byte by byte, one bit in each. What is still verified gives the same proof.
#[test]
fn no_byte_of_an_entry_can_be_changed() {
    for (suite, name) in GOOD {
        let Some(case) = case(suite, name) else { return };
        let document = case.document().unwrap();
        let proof = case.log_entries(&document).unwrap();
        let (certificate, timestamps) = (certificate(&document), case.timestamps(&document));
        let by = LogVerification {
            logs: case.root.transparency_logs(),
            required: document.version.into(),
            timestamps: &timestamps,
        };
        let good = entry(&mut json_of(&case)).clone();
        let mut flips = 0;
        for pointer in strings(&good, String::new()) {
            let text = good.pointer(&pointer).unwrap().as_str().unwrap();
            // Of a body, every 5th byte: all are in the hash of the leaf.
            let step = if pointer == "/canonicalizedBody" { 5 } else { 1 };
            for at in (0..text.len()).step_by(step) {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= 1 << (at % 5);
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                let mut entry = good.clone();
                *entry.pointer_mut(&pointer).unwrap() = json!(changed);
                flips += 1;
                let Ok(entry) = read(&entry) else { continue };
                let verified = case.with_signed(&document, certificate.as_ref(), |signed| {
                    VerifiedLogEntries::verify(&[entry], NonZeroUsize::MIN, signed, &by)
                });
                let Ok(other) = verified else { continue };
                assert_eq!(other, proof, "{name}: {pointer} at {at}");
                assert!(UNBOUND.contains(&pointer.as_str()), "{name}: {pointer} at {at} is not bound");
            }
        }
        assert!(flips > 1_000, "{name}: {flips}");
    }
}

/// The entry of a bundle that has nothing else.
fn read(entry: &Value) -> Result<TransparencyLogEntry, TransparencyError> {
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"tlogEntries": [entry]},
        "messageSignature": {"signature": "AAAA"},
    });
    let document = BundleDocument::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    TransparencyLogEntry::parse(&document.verification_material.log_entries[0], &Limits::DEFAULT)
}

/// The index in a log of Rekor v2 stands twice; the one in the proof counts. Signatures of witnesses are not verified.
const UNBOUND: [&str; 2] = ["/logIndex", "/inclusionProof/checkpoint/envelope"];

fn strings(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::String(_) => vec![at],
        Value::Array(all) => all.iter().enumerate().flat_map(|(n, one)| strings(one, format!("{at}/{n}"))).collect(),
        Value::Object(all) => all.iter().flat_map(|(key, one)| strings(one, format!("{at}/{key}"))).collect(),
        _ => Vec::new(),
    }
}

/// `intoto` 0.0.2 has the hash of the payload. The log did not sign a changed entry, and that refuses it where the rest fits.
#[test]
fn an_entry_about_another_payload_is_refused() {
    let Some(case) = case("sigstore-bundles", "js-bundleV02-intoto.sigstore") else { return };
    let verdict = |change: &dyn Fn(&mut Value)| {
        changed(&case, |bundle| {
            let stored = &mut entry(bundle)["canonicalizedBody"];
            let mut body: Value =
                serde_json::from_slice(&base64::decode("body", stored.as_str().unwrap()).unwrap()).unwrap();
            change(&mut body["spec"]["content"]);
            *stored = json!(base64::encode(body.to_string().as_bytes()));
        })
    };
    let other = Digest::sha256(b"another payload").hex();
    assert_eq!(verdict(&|content| content["payloadHash"]["value"] = json!(other)), "log-entry-artifact");
    assert_eq!(verdict(&|content| content["envelope"]["payloadType"] = json!("text/plain")), "log-entry-artifact");
    assert_eq!(verdict(&|content| content["hash"]["value"] = json!(other)), "inclusion-promise");
}

/// `intoto` 0.0.1 has the hash of the envelope as it is stored. This entry is made here, and the log has never seen it: that is
/// the rule that refuses it once everything else fits. `slsa.rs` has real ones.
#[test]
fn an_entry_with_the_hash_of_an_envelope_needs_the_envelope_as_it_is_stored() {
    let Some(case) = case("sigstore-bundles", "js-bundleV01-dsse-no-proof.sigstore") else { return };
    let document = case.document().unwrap();
    let bulla::envelope::BundleContent::Envelope(envelope) = &document.content else { panic!("not an envelope") };
    let certificate = certificate(&document).unwrap();
    let stored = envelope.to_json().unwrap();
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64::encode(certificate.der()));
    let entry_of = |hash: &str, pem: &str| {
        let body = json!({"apiVersion": "0.0.1", "kind": "intoto", "spec": {
            "content": {"hash": {"algorithm": "sha256", "value": hash}},
            "publicKey": base64::encode(pem.as_bytes()),
        }});
        let mut bundle = json_of(&case);
        entry(&mut bundle)["kindVersion"] = json!({"kind": "intoto", "version": "0.0.1"});
        entry(&mut bundle)["canonicalizedBody"] = json!(base64::encode(body.to_string().as_bytes()));
        let document = BundleDocument::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        TransparencyLogEntry::parse(&document.verification_material.log_entries[0], &Limits::DEFAULT).unwrap()
    };
    let hash = Digest::sha256(&stored).hex();
    let verify = |entry: &TransparencyLogEntry, stored: Option<&[u8]>, signature: &[u8]| {
        let signed = LoggedSignature {
            artifact: LoggedArtifact::Envelope { envelope, stored },
            signature,
            verifier: LoggedVerifier::Certificate(&certificate),
        };
        let by = LogVerification {
            logs: case.root.transparency_logs(),
            required: RequiredInclusion::Promise,
            timestamps: &[],
        };
        code(&entry.verify(&signed, &by).unwrap_err())
    };
    let signature = envelope.signatures().next().unwrap();
    let good = entry_of(&hash, &pem);
    assert_eq!(verify(&good, Some(&stored), signature), "inclusion-promise");
    assert_eq!(verify(&good, None, signature), "?log-entry-artifact");
    assert_eq!(verify(&good, Some(b"{}"), signature), "log-entry-artifact");
    assert_eq!(verify(&good, Some(&stored), b"other"), "log-entry-signature");
    let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(verify(&entry_of(&hash, other), Some(&stored), signature), "log-entry-verifier");
    let two = format!("{pem}{pem}");
    assert_eq!(verify(&entry_of(&hash, &two), Some(&stored), signature), "log-entry-verifier");
}

/// The annotation of cosign v2 has the same entry, and goes through the same checks.
#[test]
fn an_annotation_of_cosign_is_the_same_entry() {
    let Some(case) = case("sigstore-bundles", "py-bundle.txt") else { return };
    let document = case.document().unwrap();
    let certificate = certificate(&document);
    let mut bundle = json_of(&case);
    let entry = entry(&mut bundle);
    let log_id = base64::decode("id", entry["logId"]["keyId"].as_str().unwrap()).unwrap();
    let annotation = |time: u64, log_id: &str| {
        let annotation = json!({
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": time,
                "logIndex": entry["logIndex"].as_str().unwrap().parse::<u64>().unwrap(),
                "logID": log_id,
            },
        });
        let entry = match TransparencyLogEntry::parse(
            &StoredLogEntry::new(StoredForm::Annotation, &annotation.to_string()),
            &Limits::DEFAULT,
        ) {
            Ok(entry) => entry,
            Err(error) => return code(&error),
        };
        let by = LogVerification {
            logs: case.root.transparency_logs(),
            required: RequiredInclusion::Promise,
            timestamps: &[],
        };
        case.with_signed(&document, certificate.as_ref(), |signed| match entry.verify(signed, &by) {
            Ok(verified) => format!("verified at {}", verified.integrated_time().unwrap().unix()),
            Err(error) => code(&error),
        })
    };
    let hex = bulla::digest::hex(&log_id);
    assert_eq!(annotation(1_682_468_469, &hex), "verified at 1682468469");
    assert_eq!(annotation(1_682_468_470, &hex), "inclusion-promise");
    assert_eq!(annotation(1_682_468_469, &hex.to_uppercase()), "log-entry-malformed");
    assert_eq!(annotation(1_682_468_469, &"0".repeat(64)), "log-unknown");
}

#[test]
fn each_rule_has_a_code_of_its_own() {
    let codes: std::collections::BTreeSet<_> = TransparencyRule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes.len(), TransparencyRule::ALL.len());
    let page = include_str!("../../docs/transparency-logs.md");
    for rule in TransparencyRule::ALL {
        assert!(page.contains(&format!("`{}`", rule.code())), "{rule}");
        assert!(!rule.clause().is_empty() && !rule.broken().is_empty());
    }
}
