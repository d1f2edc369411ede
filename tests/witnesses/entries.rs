//! Entries of a Rekor v2 log about new signatures: verified before they are stored, and refused where the answer is wrong.

use std::num::NonZeroUsize;

use bulla::envelope::Envelope;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::ops::OpsError;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::timestamp::TimestampAuthority;
use bulla::ops::witness::LogEntryError;
use bulla::ops::witness::SignatureLog;
use bulla::time::Time;
use bulla::transparency::LogEntryRequest;
use bulla::transparency::LogEntryRequestError;
use bulla::transparency::LogVerification;
use bulla::transparency::LoggedArtifact;
use bulla::transparency::LoggedSignature;
use bulla::transparency::LoggedVerifier;
use bulla::transparency::RequiredInclusion;
use bulla::transparency::TransparencyLogEntry;
use bulla::transparency::VerifiedLogEntries;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::HashAlgorithm;
use bulla::x509::MessageImprint;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::SignedBefore;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampResponse;
use serde_json::Value;
use serde_json::json;

use super::log::Does;
use super::log::TestLog;
use super::made::Plan;
use super::made::plan;
use super::scene::LIMITS;
use super::scene::SCENE;
use super::scene::SIGNER;
use super::scene::Stamps;
use super::scene::bundles;
use super::scene::chain;
use super::scene::envelope;
use super::scene::is_bare;
use super::scene::key;
use super::scene::later;
use super::scene::options;
use super::scene::signed;
use super::scene::store;
use super::scene::witnessing;

const BUNDLE: FormName = FormName::SigstoreBundle;

#[test]
fn a_bundle_with_certificate_timestamp_and_entry_is_verified_by_the_trusted_root() {
    let Some(scene) = SCENE.as_ref() else { return };
    for algorithm in [
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:3072",
    ] {
        let leaf = scene.shop.issue(&scene.intermediate, Plan { algorithm, ..plan("/O=Acme/CN=release", SIGNER) });
        let now = later(scene.now().max(leaf.certificate.not_before()), 1);
        let (place, key, log) = (store(), key(&leaf), TestLog::new("log.example", Does::Chatters));
        let chain = chain(&[&leaf, &scene.intermediate, &scene.root], &Forms::of(BUNDLE), now).unwrap();
        let root = scene.trusted_root(&[&log]);
        let logs: [&dyn SignatureLog; 1] = [&log];
        let authority = super::scene::TestAuthority { time: now, ..scene.authority(Stamps::Granted) };
        let authorities: [&dyn TimestampAuthority; 1] = [&authority];
        for identity in [SigningIdentity::with_chain(&key, &chain).unwrap(), SigningIdentity::new(&key)] {
            let asked = witnessing(&authorities, &logs, &root, now);
            let made = signed(&place, identity, &options(BUNDLE, now, asked), SignWhen::Always).unwrap();
            assert_eq!(made.log_entries.len(), 1);
        }
        for (document, json) in bundles(&place) {
            let material = &document.verification_material;
            let entry = &json["verificationMaterial"]["tlogEntries"][0];
            let members: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
            let mut known = ["logIndex", "logId", "kindVersion", "inclusionProof", "canonicalizedBody"];
            known.sort_unstable();
            assert_eq!(members, known, "nothing else that the log wrote");
            let signature = envelope(&document).signatures().next().unwrap();
            let response = TimestampResponse::parse(&material.timestamps[0].response(LIMITS).unwrap(), LIMITS).unwrap();
            let anchors = [Anchor { certificate: scene.tsa_root.certificate.clone(), purpose: Purpose::TimeStamping }];
            let time = response.token().verify(signature, &anchors, &[], &Profile::SIGSTORE, LIMITS).unwrap();
            let verifier = match material.certificates.is_empty() {
                true => LoggedVerifier::Key(key.public_key()),
                false => LoggedVerifier::Certificate(&leaf.certificate),
            };
            let artifact = LoggedArtifact::Envelope { envelope: envelope(&document), stored: None };
            let logged = LoggedSignature { artifact, signature, verifier };
            let by = LogVerification {
                logs: root.transparency_logs(),
                required: RequiredInclusion::Proof,
                timestamps: &[time],
            };
            let entries: Vec<_> =
                material.log_entries.iter().map(|entry| TransparencyLogEntry::parse(entry, LIMITS).unwrap()).collect();
            let verified = VerifiedLogEntries::verify(&entries, NonZeroUsize::MIN, &logged, &by).unwrap();
            assert_eq!(verified.entries().len(), 1);
        }
    }
}

/// An entry without a time of its own has those of the timestamps: the key of the log is valid at each of them.
#[test]
fn the_key_of_a_log_is_valid_at_every_timestamp() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key, now) = (store(), key(&scene.leaf), scene.now());
    let log = TestLog::new("log.example", Does::Adds);
    let root = scene.trusted_root(&[&log]);
    let second = super::scene::TestAuthority { time: later(now, 5), ..scene.authority(Stamps::Granted) };
    let authority = scene.authority(Stamps::Granted);
    let (authorities, logs): ([&dyn TimestampAuthority; 2], [&dyn SignatureLog; 1]) = ([&authority, &second], [&log]);
    let asked = witnessing(&authorities, &logs, &root, now);
    let _made = signed(&place, SigningIdentity::new(&key), &options(BUNDLE, now, asked), SignWhen::Always).unwrap();
    let (document, _) = bundles(&place).pop().unwrap();
    let signature = envelope(&document).signatures().next().unwrap();
    let anchors = [Anchor { certificate: scene.tsa_root.certificate.clone(), purpose: Purpose::TimeStamping }];
    let times = document.verification_material.timestamps.iter().map(|stored| {
        let response = TimestampResponse::parse(&stored.response(LIMITS).unwrap(), LIMITS).unwrap();
        response.token().verify(signature, &anchors, &[], &Profile::SIGSTORE, LIMITS).unwrap()
    });
    let times: Vec<_> = times.collect();
    let entries = document.verification_material.log_entries.iter();
    let entries: Vec<_> = entries.map(|entry| TransparencyLogEntry::parse(entry, LIMITS).unwrap()).collect();
    let verify = |end: Time, other_way: bool| {
        let mut root: Value =
            serde_json::from_slice(&scene.trusted_root_json(&[&log], "2020-01-01T00:00:00Z")).unwrap();
        root["tlogs"][0]["publicKey"]["validFor"]["end"] = end.to_string().into();
        let root = TrustedRoot::parse(root.to_string().as_bytes(), LIMITS).unwrap();
        let mut times = times.clone();
        if other_way {
            times.reverse();
        }
        let artifact = LoggedArtifact::Envelope { envelope: envelope(&document), stored: None };
        let logged = LoggedSignature { artifact, signature, verifier: LoggedVerifier::Key(key.public_key()) };
        let required = RequiredInclusion::Proof;
        let by = LogVerification { logs: root.transparency_logs(), required, timestamps: &times };
        VerifiedLogEntries::verify(&entries, NonZeroUsize::MIN, &logged, &by).map(drop).map_err(|error| error.code())
    };
    for other_way in [false, true] {
        assert_eq!(verify(later(now, 5), other_way), Ok(()));
        for seconds in [4, 0, -1] {
            assert_eq!(verify(later(now, seconds), other_way), Err("log-validity"), "{seconds}");
        }
    }
}

/// A timestamp beside an entry is about the signature, or about the stored envelope that has this signature.
#[test]
fn a_timestamp_beside_an_entry_is_about_the_signature_or_its_envelope_as_stored() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key, now) = (store(), key(&scene.leaf), scene.now());
    let log = TestLog::new("log.example", Does::Adds);
    let root = scene.trusted_root(&[&log]);
    let authority = scene.authority(Stamps::Granted);
    let (authorities, logs): ([&dyn TimestampAuthority; 1], [&dyn SignatureLog; 1]) = ([&authority], [&log]);
    let asked = witnessing(&authorities, &logs, &root, now);
    let _made = signed(&place, SigningIdentity::new(&key), &options(BUNDLE, now, asked), SignWhen::Always).unwrap();
    let (document, json) = bundles(&place).pop().unwrap();
    let as_stored = json["dsseEnvelope"].to_string().into_bytes();
    let anchors = [Anchor { certificate: scene.tsa_root.certificate.clone(), purpose: Purpose::TimeStamping }];
    let stamped = |bytes: &[u8]| {
        let request = TimestampRequest::new(MessageImprint::of(HashAlgorithm::Sha256, bytes), None);
        let response = TimestampResponse::parse(&authority.response(&request).unwrap(), LIMITS).unwrap();
        response.token().verify(bytes, &anchors, &[], &Profile::SIGSTORE, LIMITS).unwrap()
    };
    let time = stamped(&as_stored);
    let entries = document.verification_material.log_entries.iter();
    let entries: Vec<_> = entries.map(|entry| TransparencyLogEntry::parse(entry, LIMITS).unwrap()).collect();
    let verify_with = |time: &SignedBefore, envelope_as: &Envelope, stored: Option<&[u8]>| {
        let artifact = LoggedArtifact::Envelope { envelope: envelope_as, stored };
        let signature = envelope(&document).signatures().next().unwrap();
        let logged = LoggedSignature { artifact, signature, verifier: LoggedVerifier::Key(key.public_key()) };
        let required = RequiredInclusion::Proof;
        let by = LogVerification { logs: root.transparency_logs(), required, timestamps: std::slice::from_ref(time) };
        VerifiedLogEntries::verify(&entries, NonZeroUsize::MIN, &logged, &by).map(drop).map_err(|error| error.code())
    };
    let verify = |stored| verify_with(&time, envelope(&document), stored);
    assert_eq!(verify(Some(&as_stored)), Ok(()));
    for other in [None, Some(b"another envelope".as_slice())] {
        assert_eq!(verify(other), Err("log-entry-time"));
    }
    // The envelope that has the timestamp must have the signature, among others or alone.
    let another = json!({"sig": "YW5vdGhlcg=="});
    let own = json["dsseEnvelope"]["signatures"][0].clone();
    for (signatures, want) in [
        (vec![another.clone(), own.clone()], Ok(())),
        (vec![own, another.clone()], Ok(())),
        (vec![another], Err("log-entry-time")),
    ] {
        let mut changed = json["dsseEnvelope"].clone();
        changed["signatures"] = signatures.into();
        let stored = changed.to_string().into_bytes();
        let changed = Envelope::parse(&stored, LIMITS).unwrap();
        assert_eq!(verify_with(&stamped(&stored), &changed, Some(&stored)), want, "{changed:?}");
    }
}

#[test]
fn a_wrong_answer_of_the_log_leaves_nothing() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, forms, now) = (key(&scene.leaf), Forms::of(BUNDLE), scene.now());
    let chain = scene.chain(&forms).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    let authority = scene.authority(Stamps::Granted);
    let authorities: [&dyn TimestampAuthority; 1] = [&authority];
    for (does, code) in [
        (Does::Unreachable, "unreachable"),
        (Does::Page, "log-entry-malformed"),
        (Does::Forges, "checkpoint-signature"),
        (Does::SwapsVerifier, "log-entry-verifier"),
        (Does::Uncommitted, "log-entry-malformed"),
        (Does::Another, "log-entry-body"),
    ] {
        let (place, log) = (store(), TestLog::new("log.example", does));
        let root = scene.trusted_root(&[&log]);
        let logs: [&dyn SignatureLog; 1] = [&log];
        let asked = options(BUNDLE, now, witnessing(&authorities, &logs, &root, now));
        let error = signed(&place, identity, &asked, SignWhen::Always).unwrap_err();
        assert_eq!(error.code(), code, "{does:?}: {error}");
        assert!(is_bare(&place), "{does:?}");
    }
    // An entry about another signature, by the same key.
    let (place, log) = (store(), TestLog::new("log.example", Does::Adds));
    let root = scene.trusted_root(&[&log]);
    let logs: [&dyn SignatureLog; 1] = [&log];
    let asked = options(BUNDLE, now, witnessing(&authorities, &logs, &root, now));
    signed(&place, identity, &asked, SignWhen::Always).unwrap();
    let log = TestLog { does: Does::Another, ..log };
    let logs: [&dyn SignatureLog; 1] = [&log];
    let asked = options(BUNDLE, now, witnessing(&authorities, &logs, &root, now));
    let annotations = [("a".to_owned(), "b".to_owned())].into();
    let other = SignOptions { annotations, ..asked };
    let bare = store();
    let error = signed(&bare, identity, &other, SignWhen::Always).unwrap_err();
    assert_eq!(error.code(), "log-entry-artifact", "{error}");
    assert!(is_bare(&bare));
}

#[test]
fn each_log_that_is_asked_must_be_another_one_that_is_trusted() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, now) = (key(&scene.leaf), scene.now());
    let identity = SigningIdentity::new(&key);
    let authority = scene.authority(Stamps::Granted);
    let authorities: [&dyn TimestampAuthority; 1] = [&authority];
    let [first, second] = ["one.example", "two.example"].map(|name| TestLog::new(name, Does::Adds));
    let result = |trusted: &[&TestLog], asked: &[&dyn SignatureLog]| {
        let (place, root) = (store(), scene.trusted_root(trusted));
        let asked = options(BUNDLE, now, witnessing(&authorities, asked, &root, now));
        let made = signed(&place, identity, &asked, SignWhen::Always);
        assert_eq!(made.is_err(), is_bare(&place));
        made.map(|made| made.log_entries.len()).map_err(|error| error.code())
    };
    assert_eq!(result(&[&first, &second], &[&first, &second]), Ok(2));
    assert_eq!(result(&[&second], &[&first]), Err("log-unknown"));
    assert_eq!(result(&[&second], &[&first, &second]), Err("log-threshold"));
    assert_eq!(result(&[&first, &second], &[&first, &first]), Err("log-entry-duplicate"));
}

#[test]
fn a_log_is_asked_for_bundles_with_a_timestamp_only() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, now) = (key(&scene.leaf), scene.now());
    let (log, authority) = (TestLog::new("log.example", Does::Adds), scene.authority(Stamps::Granted));
    let root = scene.trusted_root(&[&log]);
    let (logs, authorities): ([&dyn SignatureLog; 1], [&dyn TimestampAuthority; 1]) = ([&log], [&authority]);
    let refused = |form, authorities| {
        let place = store();
        let asked = options(form, now, witnessing(authorities, &logs, &root, now));
        let error = signed(&place, SigningIdentity::new(&key), &asked, SignWhen::Always).unwrap_err();
        assert!(is_bare(&place));
        error
    };
    let error = refused(BUNDLE, &[]);
    assert!(matches!(error, OpsError::LogEntry { error: LogEntryError::NoTimestamp, .. }), "{error}");
    let error = refused(FormName::SimpleSigning, &authorities);
    assert!(matches!(error, OpsError::Envelope(_)), "{error}");
    assert_eq!(log.len(), 0, "it was not asked");
    // A log that knows hashes alone cannot verify Ed25519.
    let (place, key) = (store(), PrivateKey::generate(KeyKind::Ed25519).unwrap());
    let asked = options(BUNDLE, now, witnessing(&authorities, &logs, &root, now));
    let error = signed(&place, SigningIdentity::new(&key), &asked, SignWhen::Always).unwrap_err();
    assert_eq!(error.code(), "log-entry-request", "{error}");
    assert!(is_bare(&place) && log.len() == 0);
}

#[test]
fn a_signature_with_its_entry_is_not_made_again() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, now) = (key(&scene.leaf), scene.now());
    let (identity, authority) = (SigningIdentity::new(&key), scene.authority(Stamps::Granted));
    let [first, second] = ["one.example", "two.example"].map(|name| TestLog::new(name, Does::Adds));
    let authorities: [&dyn TimestampAuthority; 1] = [&authority];
    let (place, root) = (store(), scene.trusted_root(&[&first, &second]));
    let all: [&dyn SignatureLog; 2] = [&first, &second];
    let when_missing = |logs: usize| {
        let asked = options(BUNDLE, now, witnessing(&authorities, &all[..logs], &root, now));
        signed(&place, identity, &asked, SignWhen::IfMissing).unwrap().already
    };
    assert_eq!([0, 1, 1, 2, 2, 1, 0].map(when_missing), [false, false, true, false, true, true, true]);
    assert_eq!((first.len(), second.len()), (2, 1));
}

#[test]
fn a_request_to_a_log_has_the_hash_and_not_what_is_signed() {
    let (key, message) = (PrivateKey::generate(KeyKind::P256).unwrap(), b"what is signed");
    let signature = key.sign(message).unwrap();
    let verifier = LoggedVerifier::Key(key.public_key());
    let request = LogEntryRequest::new(message, signature.as_bytes(), verifier).unwrap();
    let json: Value = serde_json::from_slice(request.as_json()).unwrap();
    let asked = &json["hashedRekordRequestV002"];
    assert_eq!(asked["signature"]["verifier"]["keyDetails"], "PKIX_ECDSA_P256_SHA_256");
    assert_eq!(asked.as_object().unwrap().keys().collect::<Vec<_>>(), ["digest", "signature"]);
    let other = LogEntryRequest::new(b"something else", signature.as_bytes(), verifier);
    assert!(matches!(other, Err(LogEntryRequestError::NotSigned)), "{other:?}");
}
