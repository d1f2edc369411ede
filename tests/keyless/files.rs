//! The message signatures of the conformance suite and of client suites, with the file and with its digest alone: the same
//! function, and the same reasons.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bulla::digest::Digest;
use bulla::envelope::BundleContent;
use bulla::envelope::BundleDocument;
use bulla::envelope::FileDocument;
use bulla::key::HashedMessage;
use bulla::key::KeyKind;
use bulla::key::MessageHasher;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::MessageRejection;
use bulla::trust::Owner;
use bulla::trust::Rejection;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;

use crate::case::bundle_of;
use crate::case::code;
use crate::case::expected;
use crate::case::now;
use crate::case::root_of_case;
use crate::case::trusting;
use crate::own;
use crate::vectors;

pub fn hashed(file: &[u8]) -> HashedMessage {
    let mut hasher = MessageHasher::new([], 1 << 20).with_sha384().with_sha512().with_message();
    hasher.update(file);
    hasher.finish()
}

/// `verified`, or the code of the reason.
pub fn verdict(bundle: &[u8], message: &HashedMessage, trust: &TrustRoot) -> String {
    verdict_at(bundle, message, trust, now())
}

/// The same at another time.
pub fn verdict_at(bundle: &[u8], message: &HashedMessage, trust: &TrustRoot, now: Time) -> String {
    let document = match FileDocument::parse_bundle(bundle, &Limits::DEFAULT) {
        Ok(document) => document,
        Err(error) => return error.code().to_owned(),
    };
    verdict_of(&document, message, trust, now)
}

/// The same of a document that was parsed, or made otherwise.
pub fn verdict_of(document: &FileDocument, message: &HashedMessage, trust: &TrustRoot, now: Time) -> String {
    let context =
        AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time: VerificationTime::now(now) };
    let found = trust.authenticate_message(document, message, context, &mut SignatureBudget::of(10_000));
    match (found.authenticated.is_empty(), found.rejected) {
        (false, _) => "verified".to_owned(),
        (true, Some(MessageRejection::Signer(Rejection::Certificate(rejection)))) => code(&rejection),
        (true, Some(MessageRejection::Signer(Rejection::Unlogged { fault, .. }))) => fault.code().to_owned(),
        (true, Some(MessageRejection::Digest)) => "message-digest".to_owned(),
        (true, Some(MessageRejection::Signer(Rejection::Untrusted { .. }))) => "no-trusted-key".to_owned(),
        (true, rejected) => format!("{rejected:?}"),
    }
}

/// What a case trusts: its identity, or its key with a log rule.
fn trust(suite: &Path, name: &str, case: &Value) -> Option<TrustRoot> {
    let root = root_of_case(suite, name, case);
    let folder = suite.join("open").join(name);
    if let Ok(key) = fs::read(folder.join(case["key"].as_str().unwrap_or("key.pub"))) {
        let keys = NonEmpty::one(PublicKey::parse(&key).ok()?);
        let rule = LogRule::NONE.with_transparency_logs(1);
        let means = Means::LoggedKeys(LoggedKeys::new(keys, Arc::new(root), rule));
        return TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).ok();
    }
    let identity = case["certificate_identity"].as_str()?;
    let names = IdentityPattern::all(NonEmpty::one(NamePattern::Uri(identity.to_owned())));
    Some(trusting(root, names, LogRule::PUBLIC))
}

#[test]
fn the_message_signatures_of_the_conformance_suite_have_their_outcomes() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    // The key of `managed-key-wrong-key_fail` cannot be parsed; a well-formed wrong one is tested below.
    let mut outcomes = Vec::new();
    for (name, case) in expected(&suite) {
        let bundle = bundle_of(&suite, &name);
        if let Ok(BundleDocument { content: BundleContent::Envelope(_), .. }) =
            BundleDocument::parse(&bundle, &Limits::DEFAULT)
        {
            continue;
        }
        let Some(trust) = trust(&suite, &name, &case) else { continue };
        let file = fs::read(suite.join("open").join(&name).join(case["artifact"].as_str().unwrap())).unwrap();
        let whole = verdict(&bundle, &hashed(&file), &trust);
        let by_digest = verdict(&bundle, &HashedMessage::known_by(Digest::sha256(&file)), &trust);
        assert_eq!(whole, by_digest, "{name}");
        assert_eq!(whole == "verified", !name.ends_with("_fail"), "{name}: {whole}");
        outcomes.push((name, whole));
    }
    let outcomes: Vec<_> = outcomes.iter().map(|(name, outcome)| (name.as_str(), outcome.as_str())).collect();
    assert_eq!(outcomes, CONFORMANCE);
}

/// An owner with two roots or rules: what one accepts is not reported as refused by the other.
#[test]
fn a_log_rule_that_another_identity_of_the_owner_meets_is_no_finding() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let name = "managed-key-happy-path";
    let (_, case) = expected(&suite).into_iter().find(|(one, _)| one == name).unwrap();
    let folder = suite.join("open").join(name);
    let file = hashed(&fs::read(folder.join(case["artifact"].as_str().unwrap())).unwrap());
    let key = PublicKey::parse(&fs::read(folder.join("key.pub")).unwrap()).unwrap();
    let root = Arc::new(root_of_case(&suite, name, &case));
    let identity = |owner: &str, logs: u32| {
        let rule = LogRule::NONE.with_transparency_logs(logs);
        let means = LoggedKeys::new(NonEmpty::one(key.clone()), Arc::clone(&root), rule);
        Identity::new(Owner::Named(owner.to_owned()), Means::LoggedKeys(means))
    };
    let document = FileDocument::parse_bundle(&bundle_of(&suite, name), &Limits::DEFAULT).unwrap();
    let authenticate = |identities: [Identity; 2]| {
        let context =
            AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time: VerificationTime::now(now()) };
        let trust = TrustRoot::new(identities).unwrap();
        let found = trust.authenticate_message(&document, &file, context, &mut SignatureBudget::of(10_000));
        (found.authenticated.len(), found.rejected.is_some())
    };
    assert_eq!(authenticate([identity("release", 2), identity("release", 1)]), (1, false));
    assert_eq!(authenticate([identity("release", 1), identity("release", 2)]), (1, false));
    // That another owner's rule is not met is reported.
    assert_eq!(authenticate([identity("quality", 2), identity("release", 1)]), (1, true));
}

#[test]
fn a_key_with_a_log_rule_signs_nothing_that_no_log_has() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let (_, case) = expected(&suite).into_iter().find(|(name, _)| name == "managed-key-happy-path").unwrap();
    let bundle = bundle_of(&suite, "managed-key-happy-path");
    let folder = suite.join("open/managed-key-happy-path");
    let file = hashed(&fs::read(folder.join(case["artifact"].as_str().unwrap())).unwrap());
    let key = PublicKey::parse(&fs::read(folder.join("key.pub")).unwrap()).unwrap();
    let trusting = |key: &PublicKey, rule| {
        let root = Arc::new(root_of_case(&suite, "managed-key-happy-path", &case));
        let means = Means::LoggedKeys(LoggedKeys::new(NonEmpty::one(key.clone()), root, rule));
        TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap()
    };
    let one = LogRule::NONE.with_transparency_logs(1);
    assert_eq!(verdict(&bundle, &file, &trusting(&key, one)), "verified");
    assert_eq!(verdict(&bundle, &file, &trusting(&key, one.with_transparency_logs(2))), "log-threshold");
    assert_eq!(verdict(&bundle, &file, &trusting(&key, one.with_timestamps(1))), "verified");
    assert_eq!(verdict(&bundle, &file, &trusting(&key, one.with_timestamps(2))), "timestamp-threshold");
    // A well-formed key that did not sign.
    let other = PrivateKey::generate(KeyKind::P256).unwrap();
    assert_eq!(verdict(&bundle, &file, &trusting(other.public_key(), one)), "no-trusted-key");
    // Without a rule the log decides nothing, and without an entry the rule is not met.
    let mut stripped: Value = serde_json::from_slice(&bundle).unwrap();
    stripped["verificationMaterial"]["tlogEntries"] = Value::Array(Vec::new());
    let by = |bundle: &Value, trust: &TrustRoot| verdict(bundle.to_string().as_bytes(), &file, trust);
    assert_eq!(by(&stripped, &TrustRoot::pinned([key.clone()]).unwrap()), "verified");
    assert_eq!(by(&stripped, &trusting(&key, one)), "log-threshold");
    assert_eq!(by(&stripped, &trusting(&key, LogRule::NONE)), "verified");
    stripped["verificationMaterial"]["timestampVerificationData"] = Value::Null;
    assert_eq!(by(&stripped, &trusting(&key, LogRule::NONE)), "no-verified-time");
    // Another entry, which is about the same file by another signer.
    let other = bundle_of(&suite, "rekor2-happy-path");
    let mut swapped: Value = serde_json::from_slice(&bundle).unwrap();
    let other: Value = serde_json::from_slice(&other).unwrap();
    swapped["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"].clone();
    let swapped = verdict(swapped.to_string().as_bytes(), &file, &trusting(&key, one));
    assert!(["log-entry-artifact", "log-entry-signature", "log-unknown"].contains(&&*swapped), "{swapped}");
}

/// The certificate beside a signature costs no signature check where nobody is known by one.
#[test]
fn a_certificate_is_not_looked_at_where_nobody_is_known_by_one() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let name = "rekor2-happy-path";
    let (_, case) = expected(&suite).into_iter().find(|(other, _)| other == name).unwrap();
    let file = fs::read(suite.join("open").join(name).join(case["artifact"].as_str().unwrap())).unwrap();
    let document = FileDocument::parse_bundle(&bundle_of(&suite, name), &Limits::DEFAULT).unwrap();
    let trust = TrustRoot::pinned([PrivateKey::generate(KeyKind::P256).unwrap().public_key().clone()]).unwrap();
    let context =
        AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time: VerificationTime::now(now()) };
    let found = trust.authenticate_message(&document, &hashed(&file), context, &mut SignatureBudget::of(1));
    assert!(matches!(found.rejected, Some(MessageRejection::Signer(Rejection::Untrusted { .. }))), "{found:?}");
}

/// After the end of a key its signature counts only if a log proves that it existed by then.
#[test]
fn a_log_proves_that_a_key_signed_before_its_end() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let (_, case) = expected(&suite).into_iter().find(|(name, _)| name == "managed-key-happy-path").unwrap();
    let bundle = bundle_of(&suite, "managed-key-happy-path");
    let folder = suite.join("open/managed-key-happy-path");
    let file = hashed(&fs::read(folder.join(case["artifact"].as_str().unwrap())).unwrap());
    let key = PublicKey::parse(&fs::read(folder.join("key.pub")).unwrap()).unwrap();
    let root = Arc::new(root_of_case(&suite, "managed-key-happy-path", &case));
    let rule = LogRule::NONE.with_transparency_logs(1);
    let means = || LoggedKeys::new(NonEmpty::one(key.clone()), Arc::clone(&root), rule);
    let ending = |means, end| {
        let identity = Identity::new(Owner::Named("release".to_owned()), means).with_key_end(key.id(), end);
        TrustRoot::new([identity]).unwrap()
    };
    let logged = |end| ending(Means::LoggedKeys(means()), end);
    let document = FileDocument::parse_bundle(&bundle, &Limits::DEFAULT).unwrap();
    let context =
        AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time: VerificationTime::now(now()) };
    let found = logged(now()).authenticate_message(&document, &file, context, &mut SignatureBudget::of(100));
    let times = found.authenticated[0].transparency().unwrap().times().to_vec();
    let first = times.iter().map(|judged| judged.time).min().unwrap();
    let before = |seconds| Time::from_unix(first.unix() - seconds).unwrap();
    // The log states whole seconds, and the end itself is included.
    for seconds in [0, -1] {
        assert_eq!(verdict(&bundle, &file, &logged(before(seconds))), "verified");
    }
    assert!(verdict(&bundle, &file, &logged(before(1))).contains("KeyEnded"));
    let pinned = || Means::Keys(NonEmpty::one(key.clone()));
    assert_eq!(verdict(&bundle, &file, &ending(pinned(), now())), "verified", "in the last second no proof is needed");
    // Without a log that is trusted no time is.
    assert!(verdict(&bundle, &file, &ending(pinned(), before(-1))).contains("KeyEnded"));
    // A rule that accepts a signature without any time proves none.
    let mut stripped: Value = serde_json::from_slice(&bundle).unwrap();
    stripped["verificationMaterial"]["tlogEntries"] = Value::Array(Vec::new());
    stripped["verificationMaterial"]["timestampVerificationData"] = Value::Null;
    let timeless = |end| {
        let means = LoggedKeys::new(NonEmpty::one(key.clone()), Arc::clone(&root), own::NOW);
        verdict(stripped.to_string().as_bytes(), &file, &ending(Means::LoggedKeys(means), end))
    };
    assert_eq!(timeless(now()), "verified");
    assert!(timeless(before(-1)).contains("KeyEnded"));
}

const CONFORMANCE: &[(&str, &str)] = &[
    ("bundle-empty-certificate-chain_fail", "no-trusted-key"),
    ("bundle-invalid-base64-signature_fail", "envelope-unreadable"),
    ("bundle-negative-log-index_fail", "log-entry-malformed"),
    ("bundle-unknown-version_fail", "bundle-version"),
    ("bundle-with-sct-with-extensions", "verified"),
    ("checkpoint-wrong-roothash_fail", "checkpoint-root"),
    ("inclusion-proof-corrupted-hash_fail", "inclusion-proof"),
    ("incorrect-public-key_fail", "log-entry-verifier"),
    ("integrated-time-in-future_fail", "expired"),
    ("invalid-ct-key_fail", "sct-log-unknown"),
    ("managed-key-and-trusted-root", "verified"),
    ("managed-key-happy-path", "verified"),
    ("managed-key-no-key_fail", "no-trusted-key"),
    ("rekor2-checkpoint-cosigned", "verified"),
    ("rekor2-checkpoint-missing-origin_fail", "checkpoint-malformed"),
    ("rekor2-checkpoint-missing-root-hash_fail", "checkpoint-malformed"),
    ("rekor2-checkpoint-missing-size_fail", "checkpoint-malformed"),
    ("rekor2-checkpoint-multiple-cosigs", "verified"),
    ("rekor2-checkpoint-origin-not-first", "verified"),
    ("rekor2-happy-path", "verified"),
    ("rekor2-no-inclusion-proof_fail", "inclusion-proof-missing"),
    ("rekor2-no-timestamp_fail", "log-entry-time"),
    ("rekor2-timestamp-outside-tsa-cert-validity_fail", "expired"),
    ("rekor2-timestamp-payload-mismatch_fail", "timestamp-imprint"),
    ("rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", "log-entry-time"),
    ("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", "log-entry-time"),
    ("rekor2-timestamp-with-expired-cert-chain", "verified"),
    ("rekor2-timestamp-with-incorrect-time_fail", "verification-material"),
    ("trust-root-tsa-validity-end-inclusive", "verified"),
    ("wrong-material_fail", "message-digest"),
];
