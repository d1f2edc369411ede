//! Files are verified by bundles and bare signatures, each rule with a document that breaks it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::digest::DigestAlgorithm;
use bulla::envelope::Bundle;
use bulla::envelope::Envelope;
use bulla::envelope::FileToSign;
use bulla::key::Algorithm;
use bulla::key::HashedMessage;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Scheme;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::ops::file;
use bulla::ops::file::FileAttestation;
use bulla::ops::file::FileEvidence;
use bulla::ops::file::FileVerification;
use bulla::ops::file::VerifiedFile;
use bulla::policy::FileStatement;
use bulla::policy::Quorum;
use bulla::policy::Threshold;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;

use crate::key;
use crate::keys;

const FILE: &[u8] = b"the file that is signed";

/// What is asked about a file, and the limits.
struct Ask {
    limits: Limits,
    statement: FileStatement,
    threshold: u32,
    trust: TrustRoot,
}

/// The code of the first finding, and whether the answer is could-not-tell.
type Refused = (&'static str, bool);

impl Ask {
    fn of(keys: &[&PrivateKey]) -> Self {
        let trust = TrustRoot::pinned(keys.iter().map(|key| key.public_key().clone())).unwrap();
        Self { limits: Limits::DEFAULT, statement: FileStatement::Signature, threshold: 1, trust }
    }

    fn typed(self, predicate_type: &str) -> Self {
        Self { statement: FileStatement::Attestation { predicate_type: predicate_type.to_owned() }, ..self }
    }

    fn evidence(&self, bundles: &[&[u8]]) -> FileEvidence {
        let mut evidence = FileEvidence::new();
        bundles.iter().for_each(|bundle| evidence.add_bundle("bundle", bundle, &self.limits));
        evidence
    }

    fn verify(&self, file: &HashedMessage, evidence: &FileEvidence) -> Result<VerifiedFile, Refused> {
        let quorum = Quorum::of_all(&self.trust, Threshold::new(self.threshold).unwrap()).unwrap();
        let by = FileVerification {
            limits: &self.limits,
            quorum: &quorum,
            statement: &self.statement,
            time: VerificationTime::now(Time::from_unix(1_790_000_000).unwrap()),
            trust: &self.trust,
        };
        by.verify(file, evidence).map_err(|refusal| {
            let code = refusal.findings.first().map_or("none", |finding| finding.reason.code());
            (code, refusal.is_undetermined())
        })
    }

    /// Verifies `content` by `bundles`.
    fn file(&self, content: &[u8], bundles: &[&[u8]]) -> Result<VerifiedFile, Refused> {
        let evidence = self.evidence(bundles);
        let file = file::read(&mut &content[..], evidence.hasher(&self.trust, &self.limits)).unwrap();
        self.verify(&file, &evidence)
    }

    /// Verifies the file that has this digest.
    fn digest(&self, digest: Digest, bundles: &[&[u8]]) -> Result<VerifiedFile, Refused> {
        self.verify(&HashedMessage::known_by(digest), &self.evidence(bundles))
    }
}

fn signed(content: &[u8], key: &PrivateKey) -> Vec<u8> {
    let message = FileToSign::read(&mut &content[..], &[key], &Limits::DEFAULT).unwrap();
    file::sign(&message, key).unwrap().to_bundle().unwrap()
}

fn attested(content: &[u8], key: &PrivateKey, predicate_type: &str) -> Vec<u8> {
    let message = file::read(&mut &content[..], file::hasher_for_signers(&[], &Limits::DEFAULT)).unwrap();
    let predicate = RawValue::from_string("{}".to_owned()).unwrap();
    let attestation = FileAttestation { name: Some("app.txt"), predicate: &predicate, predicate_type };
    file::attest(&message, &attestation, key, &Limits::DEFAULT).unwrap().bundle
}

/// A bundle of a statement with these subjects.
fn with_subjects(key: &PrivateKey, subjects: &[Value]) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": TYPE, "predicate": {},
    });
    let envelope = Envelope::sign("application/vnd.in-toto+json", statement.to_string().as_bytes(), key).unwrap();
    Bundle::new(envelope, key.public_key()).to_json().unwrap()
}

/// A bundle of a signature by `scheme`, with this message digest.
fn bundle(key: &PrivateKey, scheme: Scheme, digest: &Value) -> Vec<u8> {
    let signature = STANDARD.encode(key.sign_with(scheme, FILE).unwrap().as_bytes());
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": key.public_key().id().hint() } },
        "messageSignature": { "messageDigest": digest, "signature": signature },
    });
    bundle.to_string().into_bytes()
}

const TYPE: &str = "https://example.com/type";

fn sha512(content: &[u8]) -> Digest {
    Digest::of(DigestAlgorithm::Sha512, content)
}

#[test]
fn every_kind_of_key_signs_and_verifies_a_file() {
    for key in keys() {
        let (bundle, ask) = (signed(FILE, &key), Ask::of(&[&key]));
        let verified = ask.file(FILE, &[&bundle]).unwrap();
        let accepted = verified.accepted().first();
        assert_eq!(accepted.signer.key(), key.public_key().id());
        assert_eq!(accepted.signer.scheme(), key.public_key().default_scheme());
        assert_eq!(accepted.statement, FileStatement::Signature);
        assert!(verified.digests().contains(&Digest::sha256(FILE)));
        assert_eq!(ask.file(b"another file", &[&bundle]).unwrap_err(), ("message-digest", false));
        // By its digest: every scheme that signs a hash.
        let by_digest = ask.digest(Digest::sha256(FILE), &[&bundle]);
        match key.public_key().algorithm() {
            Algorithm::Ed25519 => assert_eq!(by_digest.unwrap_err(), ("message-not-known", true)),
            _ => assert_eq!(by_digest.unwrap().accepted().first().signer.key(), key.public_key().id()),
        }
        assert_eq!(ask.digest(Digest::sha256(b"another file"), &[&bundle]).unwrap_err(), ("message-digest", false));
        // Another digest tells nothing about the SHA-256 that the bundle states.
        assert_eq!(ask.digest(sha512(FILE), &[&bundle]).unwrap_err(), ("message-not-known", true));
    }
}

#[test]
fn every_scheme_of_a_key_is_accepted_with_or_without_the_digest() {
    for key in keys() {
        let ask = Ask::of(&[&key]);
        for scheme in key.public_key().schemes() {
            // cosign states none for Ed25519.
            for digest in [json!(null), json!({})] {
                let verified = ask.file(FILE, &[&bundle(&key, *scheme, &digest)]).unwrap();
                assert_eq!(verified.accepted().first().signer.scheme(), *scheme);
            }
        }
    }
}

#[test]
fn the_digest_that_a_bundle_states_is_that_of_the_file() {
    let key = PrivateKey::generate(KeyKind::P384).unwrap();
    let ask = Ask::of(&[&key]);
    let digest = |algorithm: &str, bytes: &[u8]| json!({ "algorithm": algorithm, "digest": STANDARD.encode(bytes) });
    let right = digest("SHA2_512", sha512(FILE).as_bytes());
    assert!(ask.file(FILE, &[&bundle(&key, Scheme::EcdsaP384Sha384, &right)]).is_ok());
    let wrong = digest("SHA2_512", sha512(b"another file").as_bytes());
    let refused = ask.file(FILE, &[&bundle(&key, Scheme::EcdsaP384Sha384, &wrong)]);
    assert_eq!(refused.unwrap_err(), ("message-digest", false));
    for malformed in [digest("SHA2_256", b"short"), digest("SHA1", &[0; 20]), digest("", &[0; 32])] {
        let refused = ask.file(FILE, &[&bundle(&key, Scheme::EcdsaP384Sha384, &malformed)]);
        assert_eq!(refused.unwrap_err(), ("envelope-unreadable", false), "{malformed}");
    }
    // The stated hash cannot be compared with another digest.
    let undetermined = ask.digest(Digest::sha256(FILE), &[&bundle(&key, Scheme::EcdsaP384Sha256, &right)]);
    assert_eq!(undetermined.unwrap_err(), ("message-not-known", true));
}

#[test]
fn a_file_over_the_limit_is_undetermined_for_ed25519_alone() {
    let (ed, p256) = (PrivateKey::generate(KeyKind::Ed25519).unwrap(), PrivateKey::generate(KeyKind::P256).unwrap());
    let (of_ed, of_p256) = (signed(FILE, &ed), signed(FILE, &p256));
    let limits = Limits::DEFAULT.with(|limits| limits.file.message_bytes = 5);
    let ask = Ask { limits: limits.clone(), ..Ask::of(&[&ed, &p256]) };
    assert_eq!(ask.file(FILE, &[&of_ed]).unwrap_err(), ("message-not-known", true));
    assert!(ask.file(FILE, &[&of_p256]).is_ok());
    let message = FileToSign::read(&mut &FILE[..], &[&ed], &limits).unwrap();
    assert!(file::sign(&message, &ed).unwrap_err().to_string().contains("larger than the limit"));
    assert!(file::sign(&message, &p256).is_ok());
}

#[test]
fn an_attestation_is_no_signature_and_of_one_type() {
    let key = key("keys/release.key");
    let (attestation, signature) = (attested(FILE, &key, TYPE), signed(FILE, &key));
    let ask = Ask::of(&[&key]);
    assert_eq!(ask.file(FILE, &[&attestation]).unwrap_err(), ("wrong-kind", false));
    let typed = Ask::of(&[&key]).typed(TYPE);
    let statement = typed.file(FILE, &[&attestation]).unwrap().accepted().first().statement.clone();
    assert_eq!(statement.predicate_type(), Some(TYPE));
    assert!(typed.digest(Digest::sha256(FILE), &[&attestation]).is_ok());
    assert_eq!(typed.file(FILE, &[&signature]).unwrap_err(), ("wrong-kind", false));
    assert_eq!(typed.file(b"another file", &[&attestation]).unwrap_err(), ("other-subject", false));
    let other = Ask::of(&[&key]).typed("https://example.com/other");
    assert_eq!(other.file(FILE, &[&attestation]).unwrap_err(), ("wrong-kind", false));
    let any = Ask { statement: FileStatement::Any, ..Ask::of(&[&key]) };
    for bundle in [&attestation, &signature] {
        assert!(any.file(FILE, &[bundle]).is_ok());
        assert!(any.file(b"another file", &[bundle]).is_err());
    }
}

// (threats: subject-with-two-digests)
#[test]
fn every_digest_of_a_subject_must_be_that_of_the_file() {
    let key = key("keys/release.key");
    let ask = Ask::of(&[&key]).typed(TYPE);
    let (short, long) = (Digest::sha256(FILE).hex(), sha512(FILE).hex());
    let both = with_subjects(&key, &[json!({ "digest": { "sha256": short, "sha512": long } })]);
    assert!(ask.file(FILE, &[&both]).is_ok());
    let long_only = with_subjects(&key, &[json!({ "digest": { "sha512": long, "gitCommit": "12" } })]);
    assert!(ask.file(FILE, &[&long_only]).is_ok());
    assert!(ask.digest(sha512(FILE), &[&long_only]).is_ok());
    // Of the other digest nothing is known.
    for stated in [&both, &long_only] {
        assert_eq!(ask.digest(Digest::sha256(FILE), &[stated]).unwrap_err(), ("subject-not-compared", true));
    }
    let other = sha512(b"another file").hex();
    for digests in [
        json!({ "sha256": short, "sha512": other }),
        json!({ "sha256": short, "sha512": "12" }),
        json!({ "sha256": Digest::sha256(b"another file").hex(), "sha384": "12" }),
        json!({ "SHA-256": "12" }),
    ] {
        let bundle = with_subjects(&key, &[json!({ "digest": digests })]);
        assert_eq!(ask.file(FILE, &[&bundle]).unwrap_err(), ("other-subject", false), "{digests}");
    }
    // No digest rules out that it is the file, and none says that it is.
    for digests in [
        json!({ "sha256": short.to_uppercase() }),
        json!({ "SHA256": short }),
        json!({ "sha384": "12" }),
        json!({ "sha1": "12" }),
        json!({}),
    ] {
        let bundle = with_subjects(&key, &[json!({ "digest": digests })]);
        assert_eq!(ask.file(FILE, &[&bundle]).unwrap_err(), ("subject-not-compared", true), "{digests}");
    }
    // One subject is the file, or none: not parts of two.
    let halves = [json!({ "digest": { "sha256": short, "sha512": other } }), json!({ "digest": { "sha512": "12" } })];
    let apart = with_subjects(&key, &halves);
    assert_eq!(ask.file(FILE, &[&apart]).unwrap_err(), ("other-subject", false));
    let second =
        with_subjects(&key, &[json!({ "digest": { "sha256": "12" } }), json!({ "digest": { "sha256": short } })]);
    assert!(ask.file(FILE, &[&second]).is_ok());
}

// Key hint, certificate and chain are alternatives (`oneof` in sigstore_bundle.proto): readers differ in which one they take.
#[test]
fn a_bundle_has_one_kind_of_verification_material() {
    let key = key("keys/release.key");
    let ask = Ask::of(&[&key]);
    let good: Value = serde_json::from_slice(&signed(FILE, &key)).unwrap();
    let verdict = |more: Value| {
        let mut bundle = good.clone();
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        material.extend(more.as_object().unwrap().clone());
        ask.file(FILE, &[bundle.to_string().as_bytes()]).map(drop)
    };
    let certificate = json!({ "rawBytes": "MAA=" });
    for more in [
        json!({ "certificate": certificate }),
        json!({ "x509CertificateChain": { "certificates": [certificate] } }),
        json!({ "x509CertificateChain": {} }),
        json!({ "publicKey": null, "certificate": certificate, "x509CertificateChain": {} }),
    ] {
        assert_eq!(verdict(more.clone()), Err(("envelope-unreadable", false)), "{more}");
    }
    for more in [json!({}), json!({ "certificate": null, "x509CertificateChain": null }), json!({ "publicKey": null })]
    {
        assert_eq!(verdict(more.clone()), Ok(()), "{more}");
    }
}

#[test]
fn subjects_and_digests_have_limits() {
    let key = key("keys/release.key");
    let ask = Ask::of(&[&key]).typed(TYPE);
    let subject = json!({ "digest": { "sha256": Digest::sha256(FILE).hex() } });
    assert!(ask.file(FILE, &[&with_subjects(&key, &vec![subject.clone(); 1_024])]).is_ok());
    let over = ask.file(FILE, &[&with_subjects(&key, &vec![subject; 1_025])]);
    assert_eq!(over.unwrap_err(), ("payload-unreadable", true));
    let digests = |count: usize| {
        let mut digests: serde_json::Map<_, _> = (1..count).map(|n| (format!("x{n}"), json!("12"))).collect();
        digests.insert("sha256".to_owned(), json!(Digest::sha256(FILE).hex()));
        with_subjects(&key, &[json!({ "digest": digests })])
    };
    assert!(ask.file(FILE, &[&digests(32)]).is_ok());
    assert_eq!(ask.file(FILE, &[&digests(33)]).unwrap_err(), ("payload-unreadable", true));
}

#[test]
fn owners_are_counted_and_never_bundles() {
    let (one, two, three) = (key("keys/release.key"), key("keys/second.key"), key("keys/third.key"));
    let bundles = [&one, &two, &three].map(|key| signed(FILE, key));
    let ask = Ask { threshold: 2, ..Ask::of(&[&one, &two]) };
    assert_eq!(ask.file(FILE, &[&bundles[0], &bundles[1]]).unwrap().accepted().iter().count(), 2);
    assert_eq!(ask.file(FILE, &[&bundles[0], &bundles[0]]).unwrap_err(), ("none", false));
    assert_eq!(ask.file(FILE, &[&bundles[0], &bundles[2]]).unwrap_err(), ("no-trusted-key", false));
    // One that is damaged hides no other.
    let verified = ask.file(FILE, &[b"{}", &bundles[2], &bundles[1], &bundles[0]]).unwrap();
    let codes: Vec<_> = verified.findings().iter().map(|finding| finding.reason.code()).collect();
    assert_eq!(codes, ["envelope-unreadable", "no-trusted-key"]);
    assert_eq!(ask.file(FILE, &[]).unwrap_err(), ("none", false));
}

#[test]
fn an_exhausted_budget_is_could_not_tell() {
    let (one, two) = (key("keys/release.key"), key("keys/second.key"));
    let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = 1);
    let ask = Ask { limits, ..Ask::of(&[&one, &two]) };
    assert!(ask.file(FILE, &[&signed(FILE, &one)]).is_ok());
    assert_eq!(ask.file(FILE, &[&signed(FILE, &two)]).unwrap_err(), ("signatures-not-checked", true));
}

#[test]
fn a_bundle_over_the_limit_is_could_not_tell() {
    let key = key("keys/release.key");
    let bundle = signed(FILE, &key);
    let bytes = u64::try_from(bundle.len()).unwrap();
    let ask = |limit: u64| Ask {
        limits: Limits::DEFAULT.with(|limits| limits.evidence.attestation_bytes = limit),
        ..Ask::of(&[&key])
    };
    assert!(ask(bytes).file(FILE, &[&bundle]).is_ok());
    assert_eq!(ask(bytes - 1).file(FILE, &[&bundle]).unwrap_err(), ("envelope-unreadable", true));
}

#[test]
fn a_changed_byte_is_refused_or_changes_nothing() {
    let key = key("keys/release.key");
    let ask = Ask::of(&[&key]);
    let bundle = signed(FILE, &key);
    let text = String::from_utf8(bundle.clone()).unwrap();
    let part = |from: &str, to: &str| text.find(from).unwrap()..text.find(to).unwrap();
    // Nothing is believed of the hint, and the digest is a hint too: what is not known of a bundle is skipped.
    let hints = [part("publicKey", "}},\"messageSignature"), part("messageDigest", "\":{\"algorithm")];
    let mut refused = 0;
    for at in 0..bundle.len() {
        let mut changed = bundle.clone();
        changed[at] ^= 1;
        match ask.file(FILE, &[&changed]) {
            Ok(verified) => {
                assert!(hints.iter().any(|hint| hint.contains(&at)), "{at}: {}", String::from_utf8_lossy(&changed));
                assert_eq!(verified.accepted().first().signer.key(), key.public_key().id());
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused >= bundle.len() - hints.iter().map(ExactSizeIterator::len).sum::<usize>());
}

#[test]
fn a_bare_signature_is_read_as_bytes_and_as_base64() {
    for key in keys() {
        let ask = Ask::of(&[&key]);
        let signature = key.sign(FILE).unwrap().as_bytes().to_vec();
        let encoded = STANDARD.encode(&signature);
        for bytes in [
            signature.clone(),
            encoded.clone().into_bytes(),
            format!("{}\r\n{}\n", &encoded[..40], &encoded[40..]).into_bytes(),
        ] {
            let mut evidence = FileEvidence::new();
            evidence.add_signature("app.sig", &bytes);
            let read =
                |content: &[u8]| file::read(&mut &content[..], evidence.hasher(&ask.trust, &ask.limits)).unwrap();
            assert!(ask.verify(&read(FILE), &evidence).is_ok());
            assert_eq!(ask.verify(&read(b"another file"), &evidence).unwrap_err(), ("no-trusted-key", false));
        }
    }
    let ask = Ask::of(&[&key("keys/release.key")]);
    for (empty, code) in
        [(&b""[..], "unsigned-envelope"), (b"\n", "unsigned-envelope"), (&[b'A'; 5_000], "envelope-unreadable")]
    {
        let mut evidence = FileEvidence::new();
        evidence.add_signature("app.sig", empty);
        let message = HashedMessage::known_by(Digest::sha256(FILE));
        assert_eq!(ask.verify(&message, &evidence).unwrap_err().0, code);
    }
}
