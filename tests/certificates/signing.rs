//! Signatures with certificates that the library makes: verified again, found again, and refused before a key is used.

use std::fs;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::envelope::EnvelopeError;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::SigningIdentity;
use bulla::envelope::Strictness;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::NotaryManifest;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::media_type;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::sign;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::sign::Signed;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify::verify;
use bulla::store::Memory;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::time::Time;
use bulla::x509::CertificateChain;
use bulla::x509::ChainRule;
use serde_json::Value;

use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::plan;
use super::scene::DAY;
use super::scene::SCENE;
use super::scene::verifier;
use super::vectors::suite;

const FORMS: [FormName; 2] = [FormName::NotaryJws, FormName::NotaryCose];

/// Memory stores are always ready.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a memory store waits"),
    }
}

pub fn key(made: &Made) -> PrivateKey {
    PrivateKey::parse(&fs::read(&made.key).unwrap(), &Limits::DEFAULT, || unreachable!()).unwrap()
}

pub fn chain(certificates: &[&Made], at: Time) -> Result<CertificateChain, bulla::x509::ChainError> {
    let certificates = certificates.iter().map(|made| made.certificate.clone());
    CertificateChain::verify(&NonEmpty::collect(certificates).unwrap(), at, &Limits::DEFAULT)
}

/// A store with one image, and the image.
pub fn store() -> (Memory, Subject) {
    let config = Content::from_bytes(media_type::OCI_CONFIG, b"{}".to_vec());
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[]}}"#,
        media_type::OCI_MANIFEST,
        media_type::OCI_CONFIG,
        config.digest()
    );
    let image = Content::from_bytes(media_type::OCI_MANIFEST, text.into_bytes());
    let store = Memory::new(Limits::DEFAULT);
    ready(store.push_content(&config)).unwrap();
    ready(store.push_manifest(&image, Some("v1"))).unwrap();
    (store, Subject::of(&image))
}

pub fn signed(
    (store, subject): &(Memory, Subject),
    identity: SigningIdentity<'_>,
    options: &SignOptions<'_>,
    when: SignWhen,
) -> Result<Signed, OpsError> {
    let all = ready(sign::sign(store, subject, &[identity], options, when, &Limits::DEFAULT))?;
    Ok(all.into_iter().next().unwrap())
}

pub fn referrers((store, subject): &(Memory, Subject)) -> usize {
    ready(store.referrers(subject.digest(), None)).unwrap().unwrap().whole(&store.origin()).unwrap().len()
}

#[test]
fn what_is_signed_is_verified() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, at) = (key(&scene.leaf), scene.now());
    let chain = chain(&[&scene.leaf, &scene.root], at).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    for form in FORMS {
        for (manifest, artifact_type) in
            [(NotaryManifest::Legacy, Value::Null), (NotaryManifest::V1_1, media_type::NOTARY_SIGNATURE.into())]
        {
            let place = store();
            let mut options = SignOptions { notary_manifest: manifest, ..SignOptions::new(Forms::of(form), at) };
            options.annotations.insert("build".to_owned(), "<7>".to_owned());
            let made = signed(&place, identity, &options, SignWhen::Always).unwrap();
            let stored = ready(place.0.resolve(&TagOrDigest::Digest(made.referrers[0]))).unwrap();
            let json: Value = serde_json::from_slice(stored.bytes()).unwrap();
            assert_eq!(json["artifactType"], artifact_type);
            let thumbprints: Vec<String> =
                serde_json::from_str(json["annotations"][referrer::NOTARY_THUMBPRINTS].as_str().unwrap()).unwrap();
            assert_eq!(thumbprints, chain.thumbprints());

            let tag = TagOrDigest::Tag("v1".to_owned());
            let verifier = verifier([scene.identity("acme", "CN=release,O=Acme")], 1);
            let options = VerifyOptions::new(&verifier, at);
            let verified = ready(verify(&place.0, &tag, &Platforms::Root, options)).unwrap();
            let accepted = verified.subjects().next().unwrap().accepted();
            assert_eq!(accepted.first().annotations["build"], "<7>");
        }
    }
}

#[test]
fn a_signature_exists_only_with_the_same_chain_and_until_it_expires() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, at) = (key(&scene.leaf), scene.now());
    let again = scene.issue_again(&scene.leaf, Plan { serial: "77", ..plan("/C=US/ST=WA/O=Acme/CN=release", LEAF) });
    let chains = [&scene.leaf, &again].map(|leaf| chain(&[leaf, &scene.root], at).unwrap());
    let [ours, other] = chains.each_ref().map(|chain| SigningIdentity::with_chain(&key, chain).unwrap());
    let later_chain = chain(&[&scene.leaf, &scene.root], scene.after(3 * DAY)).unwrap();
    let later = SigningIdentity::with_chain(&key, &later_chain).unwrap();
    for form in FORMS {
        let place = store();
        let plain = SignOptions::new(Forms::of(form), at);
        let expiring = SignOptions { expiry: Some(scene.after(2 * DAY)), ..plain.clone() };
        let much_later =
            SignOptions { created: scene.after(3 * DAY), expiry: Some(scene.after(4 * DAY)), ..expiring.clone() };
        let metadata = SignOptions { annotations: [("a".to_owned(), "b".to_owned())].into(), ..plain.clone() };
        let form = if form == FormName::NotaryJws { FormName::NotaryCose } else { FormName::NotaryJws };
        let other_form = SignOptions::new(Forms::of(form), at);
        for (why, identity, options, already) in [
            ("the first", ours, &plain, false),
            ("the same", ours, &plain, true),
            ("another chain", other, &plain, false),
            ("another chain again", other, &plain, true),
            ("with an expiry", ours, &expiring, false),
            ("with an expiry again", ours, &expiring, true),
            ("after it expired", later, &much_later, false),
            ("other metadata", ours, &metadata, false),
            ("another format", ours, &other_form, false),
        ] {
            let before = referrers(&place);
            let planned =
                ready(sign::plan(&place.0, &place.1, &[identity], options, SignWhen::IfMissing, &Limits::DEFAULT));
            assert_eq!((planned.unwrap()[0].already, referrers(&place)), (already, before), "{why}");
            let made = signed(&place, identity, options, SignWhen::IfMissing).unwrap();
            assert_eq!((made.already, referrers(&place) - before), (already, usize::from(!already)), "{why}");
        }
    }
}

#[test]
fn nothing_is_signed_that_verifiers_would_refuse() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (at, place) = (scene.now(), store());
    // The chain, before there is an identity.
    let refused = |certificates: &[&Made], at| chain(certificates, at).unwrap_err().rule();
    assert_eq!(refused(&[&scene.leaf], at), ChainRule::ChainOrder, "without its root");
    assert_ne!(refused(&[&scene.root, &scene.leaf], at), ChainRule::Expired, "the wrong way round");
    assert_eq!(refused(&[&scene.leaf, &scene.root], scene.after(-DAY)), ChainRule::NotYetValid);
    assert_ne!(refused(&[&scene.leaf, &scene.other_root], at), ChainRule::Trust, "below another root");
    assert_ne!(refused(&[&scene.tsa, &scene.tsa_root], at), ChainRule::Trust, "for timestamps");

    // The identity.
    let (leaf, second) = (key(&scene.leaf), key(&scene.second));
    let own = chain(&[&scene.leaf, &scene.root], at).unwrap();
    let other = SigningIdentity::with_chain(&second, &own).unwrap_err();
    assert!(matches!(&other, EnvelopeError::ChainOfOtherKey { key, .. } if *key == second.public_key().id()));

    // The signature.
    let identity = SigningIdentity::with_chain(&leaf, &own).unwrap();
    let ed25519 = PrivateKey::generate(bulla::key::KeyKind::Ed25519).unwrap();
    for form in FORMS {
        let options = SignOptions::new(Forms::of(form), at);
        let reserved = [("io.cncf.notary.x".to_owned(), "1".to_owned())].into();
        for (why, identity, options) in [
            ("no chain", SigningIdentity::new(&leaf), options.clone()),
            ("Ed25519", SigningIdentity::new(&ed25519), options.clone()),
            ("another time", identity, SignOptions { created: scene.after(2 * DAY), ..options.clone() }),
            ("expired at once", identity, SignOptions { expiry: Some(at), ..options.clone() }),
            ("a reserved name", identity, SignOptions { annotations: reserved, ..options.clone() }),
            (
                "beside a bundle",
                SigningIdentity::new(&leaf),
                SignOptions { forms: Forms::of(FormName::SigstoreBundle).and(form), ..options.clone() },
            ),
        ] {
            for when in [SignWhen::Always, SignWhen::IfMissing] {
                let error = signed(&place, identity, &options, when).unwrap_err();
                assert!(matches!(error, OpsError::Envelope(_)), "{why}: {error}");
                let planned = ready(sign::plan(&place.0, &place.1, &[identity], &options, when, &Limits::DEFAULT));
                assert!(planned.is_err(), "{why}");
            }
            assert_eq!(referrers(&place), 0, "{why}");
        }
    }
}

#[test]
fn manifests_are_those_of_notation_byte_for_byte() {
    let Some(suite) = suite("notation-layouts") else { return };
    let blobs = suite.join("shared/layouts/e2e-valid-signature/blobs/sha256");
    let read = |digest: &str| fs::read(blobs.join(digest.trim_start_matches("sha256:"))).unwrap();
    let written = read("90ceaff260d657d797c408ac73564a9c7bb9d86055877c2a811f0e63b8c6524f");
    let json: Value = serde_json::from_slice(&written).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let image = Content::from_bytes(&text(&json["subject"]["mediaType"]), read(&text(&json["subject"]["digest"])));
    let layer = Content::from_bytes(media_type::NOTARY_JWS, read(&text(&json["layers"][0]["digest"])));
    let envelope =
        NotaryEnvelope::parse(NotaryFormat::Jws, layer.bytes(), &Limits::DEFAULT, Strictness::Strict).unwrap();
    let hex = |der: &bytes::Bytes| bulla::digest::Digest::sha256(der).hex().to_owned();
    let thumbprints: Vec<_> = envelope.certificate_chain().iter().map(hex).collect();
    let created = Time::parse(json["annotations"][referrer::CREATED].as_str().unwrap()).unwrap();
    let made = NotaryManifest::Legacy.write(&Subject::of(&image), &layer, &thumbprints, created).unwrap();
    assert_eq!(String::from_utf8_lossy(made.bytes()), String::from_utf8_lossy(&written));

    // The other form has the artifact type behind the media type, and the empty config.
    let made = NotaryManifest::V1_1.write(&Subject::of(&image), &layer, &thumbprints, created).unwrap();
    let (before, behind) = (r#""application/vnd.cncf.notary.signature","digest":"#, r#""size":2}"#);
    let wanted = String::from_utf8(written).unwrap();
    let wanted = wanted.replacen(before, r#""application/vnd.oci.empty.v1+json","digest":"#, 1);
    let wanted = wanted.replacen(behind, r#""size":2,"data":"e30="}"#, 1);
    let wanted =
        wanted.replacen(r#""config":"#, r#""artifactType":"application/vnd.cncf.notary.signature","config":"#, 1);
    assert_eq!(String::from_utf8_lossy(made.bytes()), wanted);
}
