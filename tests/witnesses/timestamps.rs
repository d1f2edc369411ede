//! Timestamps of new signatures: stored whole, over the right bytes, and refused where the answer is wrong.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::envelope::AnnotatedEnvelope;
use bulla::envelope::Bundle;
use bulla::envelope::EnvelopeError;
use bulla::envelope::Evidence;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::SigningIdentity;
use bulla::nonempty::NonEmpty;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::media_type;
use bulla::oci::referrer::COSIGN_TIMESTAMP;
use bulla::ops::OpsError;
use bulla::ops::attest;
use bulla::ops::attest::AttestOptions;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::timestamp::TimestampAuthority;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::witness::WitnessTrust;
use bulla::ops::witness::Witnessing;
use bulla::request::Attestation;
use bulla::request::AttestationContent;
use bulla::time::Time;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::Rejection;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::VerifiedSigner;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::HashAlgorithm;
use bulla::x509::IdentityPattern;
use bulla::x509::MessageImprint;
use bulla::x509::NamePattern;
use bulla::x509::Purpose;
use bulla::x509::TimestampResponse;
use bulla::x509::TimestampToken;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;

use super::draft::Draft;
use super::draft::generalized;
use super::draft::imprint;
use super::draft::tlv;
use super::made::CA;
use super::made::Made;
use super::made::TSA;
use super::made::plan;
use super::scene::DAY;
use super::scene::LIMITS;
use super::scene::SCENE;
use super::scene::SIGNER;
use super::scene::Scene;
use super::scene::Stamps;
use super::scene::TestAuthority;
use super::scene::bundles;
use super::scene::chain;
use super::scene::envelope;
use super::scene::is_bare;
use super::scene::key;
use super::scene::later;
use super::scene::layers;
use super::scene::options;
use super::scene::ready;
use super::scene::referrers;
use super::scene::signed;
use super::scene::store;
use super::scene::witnessing;

const BUNDLE: FormName = FormName::SigstoreBundle;

/// The token in an annotation of cosign v2.
fn annotated(annotation: &str) -> TimestampToken {
    let value: Value = serde_json::from_str(annotation).unwrap();
    let response = STANDARD.decode(value["SignedRFC3161Timestamp"].as_str().unwrap()).unwrap();
    TimestampResponse::parse(&response, LIMITS).unwrap().token().clone()
}

fn is_about(token: &TimestampToken, message: &[u8]) -> bool {
    *token.imprint() == MessageImprint::of(token.imprint().algorithm(), message)
}

#[test]
fn a_bundle_has_a_whole_response_of_each_authority_about_its_signature() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key, forms) = (store(), key(&scene.leaf), Forms::of(BUNDLE));
    let chain = scene.chain(&forms).unwrap();
    let (first, root) = (scene.authority(Stamps::Granted), scene.trusted_root(&[]));
    let second = TestAuthority { time: later(scene.now(), 1), ..scene.authority(Stamps::Granted) };
    let authorities: [&dyn TimestampAuthority; 2] = [&first, &second];
    for identity in [SigningIdentity::new(&key), SigningIdentity::with_chain(&key, &chain).unwrap()] {
        let asked = witnessing(&authorities, &[], &root, scene.now());
        let made = signed(&place, identity, &options(BUNDLE, scene.now(), asked), SignWhen::Always).unwrap();
        assert_eq!(made.timestamps, [scene.now(), later(scene.now(), 1)]);
    }
    for (document, json) in bundles(&place) {
        let signature = envelope(&document).signatures().next().unwrap();
        let stored = &document.verification_material.timestamps;
        assert_eq!(stored.len(), 2);
        for timestamp in stored {
            let response = TimestampResponse::parse(&timestamp.response(LIMITS).unwrap(), LIMITS).unwrap();
            assert!(is_about(response.token(), signature));
        }
        let list = &json["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
        assert_eq!(list[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["signedTimestamp"]);
    }
}

#[test]
fn a_tag_of_cosign_has_one_timestamp_about_the_signature_or_the_envelope() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (place, key, root) = (store(), key(&scene.leaf), scene.trusted_root(&[]));
    let authority = scene.authority(Stamps::Granted);
    let authorities: [&dyn TimestampAuthority; 2] = [&authority, &authority];
    let (identity, asked) = (SigningIdentity::new(&key), witnessing(&authorities[..1], &[], &root, scene.now()));
    let simple = FormName::SimpleSigning;
    signed(&place, identity, &options(simple, scene.now(), asked), SignWhen::Always).unwrap();
    let attestation = Attestation {
        content: AttestationContent::Predicate {
            name: None,
            predicate: RawValue::from_string("{}".to_owned()).unwrap(),
            predicate_type: "https://x.example/p".to_owned(),
        },
        forms: Forms::of(FormName::Dsse),
    };
    let how = AttestOptions { witnessing: Some(asked), ..AttestOptions::new(scene.now(), SignWhen::IfMissing) };
    for already in [false, true] {
        let made = ready(attest::attest(&place.0, &place.1, &[identity], &attestation, &how, LIMITS)).unwrap();
        assert_eq!(made[0].already, already);
    }
    let (sig, att) = (layers(&place, "sig"), layers(&place, "att"));
    let timestamp = |layer: &Descriptor| annotated(&layer.annotations["dev.sigstore.cosign/rfc3161timestamp"]);
    let signature = STANDARD.decode(&sig[0].0.annotations["dev.cosignproject.cosign/signature"]).unwrap();
    assert!(is_about(&timestamp(&sig[0].0), &signature));
    assert!(is_about(&timestamp(&att[0].0), att[0].1.bytes()));

    let two = witnessing(&authorities, &[], &root, scene.now());
    let place = store();
    let refused = signed(&place, identity, &options(simple, scene.now(), two), SignWhen::Always).unwrap_err();
    let want = EnvelopeError::Unwritable { form: "simple-signing", statement: "more than one timestamp" };
    assert!(matches!(&refused, OpsError::Envelope(error) if *error == want), "{refused}");
    assert!(is_bare(&place));
}

/// cosign v2 has the envelope stamped as it is stored: one byte more, and it is a timestamp of something else.
#[test]
fn a_timestamp_of_a_stored_envelope_is_verified_by_its_bytes() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, forms, root) = (key(&scene.leaf), Forms::of(FormName::Dsse), scene.trusted_root(&[]));
    let chain = scene.chain(&forms).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    let authority = scene.authority(Stamps::Granted);
    let authorities: [&dyn TimestampAuthority; 1] = [&authority];
    let asked = witnessing(&authorities, &[], &root, scene.now());
    let how = AttestOptions { witnessing: Some(asked), ..AttestOptions::new(scene.now(), SignWhen::Always) };
    let attested = |predicate: &str| {
        let attestation = Attestation {
            content: AttestationContent::Predicate {
                name: None,
                predicate: RawValue::from_string(predicate.to_owned()).unwrap(),
                predicate_type: "https://x.example/p".to_owned(),
            },
            forms: forms.clone(),
        };
        let place = store();
        ready(attest::attest(&place.0, &place.1, &[identity], &attestation, &how, LIMITS)).unwrap();
        layers(&place, "att").pop().unwrap()
    };
    let names = IdentityPattern::all(NonEmpty::one(NamePattern::Email("release@acme.example".to_owned())));
    let means = KeylessMeans::new(Arc::new(root.clone()), names, LogRule::NONE.with_timestamps(1));
    let trust = TrustRoot::new([Identity::new(Owner::Named("a".to_owned()), Means::Keyless(means))]).unwrap();
    let verdict = |layer: &Descriptor, bytes: &[u8]| {
        let content = Content::from_bytes(&layer.media_type, bytes.to_vec());
        let document = SignedDocument::Dsse(AnnotatedEnvelope::parse(layer, &content, LIMITS).unwrap());
        let manifest = Content::from_bytes(media_type::OCI_MANIFEST, b"{}".to_vec());
        let evidence = Evidence::new(document, FoundAt::Subject, vec![manifest, content]);
        let time = VerificationTime::now(scene.now());
        let context = AuthenticationContext { limits: LIMITS, revocation: None, time };
        let found = trust.authenticate(&evidence, context, &mut SignatureBudget::of(100));
        match (found.authenticated.as_slice(), found.rejected) {
            ([_], None) => "verified",
            ([], Some(Rejection::Certificate(rejection))) => rejection.code(),
            other => panic!("{other:?}"),
        }
    };
    let (layer, content) = attested("{}");
    assert!(!is_about(&annotated(&layer.annotations[COSIGN_TIMESTAMP]), &signature_in(content.bytes())));
    assert_eq!(verdict(&layer, content.bytes()), "verified");
    let longer = [content.bytes(), b" "].concat();
    assert_eq!(signature_in(&longer), signature_in(content.bytes()));
    assert_eq!(verdict(&layer, &longer), "timestamp-imprint");
    let (other, _) = attested("{\"a\":1}");
    let mut swapped = layer.clone();
    swapped.annotations.insert(COSIGN_TIMESTAMP.to_owned(), other.annotations[COSIGN_TIMESTAMP].clone());
    assert_eq!(verdict(&swapped, content.bytes()), "timestamp-imprint");
}

/// A response about `signature` with this time, which may have a fraction of a second; the certificates of `made` are in it,
/// and the first one signs.
fn stamped(made: &[&Made], signature: &[u8], gen_time: &str) -> Vec<u8> {
    let mut draft = Draft::new(made[0]);
    draft.certificates = made.iter().map(|made| made.certificate.der().to_vec()).collect();
    gen_time.clone_into(&mut draft.info.gen_time);
    let imprint_of = MessageImprint::of(HashAlgorithm::Sha256, signature);
    draft.info.imprint = imprint(imprint_of.algorithm(), imprint_of.hash());
    draft.info.rest = Vec::new();
    tlv(0x30, &[&tlv(0x30, &[&tlv(0x02, &[&[0]])]), &draft.made()])
}

/// The time at which the certificate in a bundle with these timestamps was judged, or the code of the reason, at `now`.
fn judged(
    bundle: &Value,
    stamps: impl Iterator<Item = Vec<u8>>,
    root: &Value,
    rule: LogRule,
    now: Time,
) -> Result<Time, &'static str> {
    verified(bundle, stamps, root, rule, now).map(|signer| signer.keyless().unwrap().judged_at().time)
}

/// The signer of a bundle with these timestamps, or the code of the reason, at `now`.
fn verified(
    bundle: &Value,
    stamps: impl Iterator<Item = Vec<u8>>,
    root: &Value,
    rule: LogRule,
    now: Time,
) -> Result<VerifiedSigner, &'static str> {
    let mut bundle = bundle.clone();
    let stamps: Vec<_> = stamps.map(|stamp| json!({ "signedTimestamp": STANDARD.encode(stamp) })).collect();
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({ "rfc3161Timestamps": stamps });
    let root = TrustedRoot::parse(root.to_string().as_bytes(), LIMITS).unwrap();
    let names = IdentityPattern::all(NonEmpty::one(NamePattern::Email("release@acme.example".to_owned())));
    let means = KeylessMeans::new(Arc::new(root), names, rule);
    let trust = TrustRoot::new([Identity::new(Owner::Named("a".to_owned()), Means::Keyless(means))]).unwrap();
    let bundle = Bundle::parse(bundle.to_string().as_bytes(), LIMITS).unwrap();
    let evidence = Evidence::new(SignedDocument::Bundle(bundle), FoundAt::Subject, Vec::new());
    let context = AuthenticationContext { limits: LIMITS, revocation: None, time: VerificationTime::now(now) };
    let found = trust.authenticate(&evidence, context, &mut SignatureBudget::of(1_000));
    match (found.authenticated.as_slice(), found.rejected) {
        ([one], None) => Ok(one.signer().clone()),
        ([], Some(Rejection::Certificate(rejection))) => Err(rejection.code()),
        other => panic!("{other:?}"),
    }
}

/// A bundle of `leaf` without a timestamp, and its signature.
fn bare_bundle(scene: &Scene, leaf: &Made) -> (Value, Vec<u8>) {
    let (now, forms, key, place) = (scene.now(), Forms::of(BUNDLE), key(leaf), store());
    let chain = chain(&[leaf, &scene.intermediate, &scene.root], &forms, now).unwrap();
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    let _made = signed(&place, identity, &SignOptions::new(forms, now), SignWhen::Always).unwrap();
    let (document, json) = bundles(&place).pop().unwrap();
    let signature = envelope(&document).signatures().next().unwrap().to_vec();
    (json, signature)
}

/// Anybody can add a later timestamp, so the earliest one bounds the time of a signature. The beginning of a certificate
/// without an OIDC issuer is no signing time: it may live for years.
#[test]
fn a_later_timestamp_makes_no_signature_younger() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, (bundle, signature)) = (scene.now(), bare_bundle(scene, &scene.leaf));
    let root: Value = serde_json::from_slice(&scene.trusted_root_json(&[], "2020-01-01T00:00:00Z")).unwrap();
    for seconds in [[120, 240], [240, 120]] {
        let times = seconds.map(|seconds| generalized(later(now, seconds).unix()));
        let stamps = times.iter().map(|time| stamped(&[&scene.tsa], &signature, time));
        let signer = verified(&bundle, stamps, &root, LogRule::NONE, later(now, DAY)).unwrap();
        let times = (signer.signed_no_later_than(), signer.keyless_certificate_start());
        assert_eq!(times, (Some(later(now, 120)), None), "{seconds:?}");
    }
}

/// An authority that lists no signer has every signer below its anchor, by the issuers that it lists alone.
#[test]
fn an_issuer_that_came_along_with_a_timestamp_is_none_of_the_authority() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, (bundle, signature)) = (scene.now(), bare_bundle(scene, &scene.leaf));
    let between = scene.shop.issue(&scene.tsa_root, plan("/O=Clock/CN=between", CA));
    let below = scene.shop.issue(&between, plan("/O=Clock/CN=below", TSA));
    let listing = |chain: &[&Made]| {
        let mut root: Value = serde_json::from_slice(&scene.trusted_root_json(&[], "2020-01-01T00:00:00Z")).unwrap();
        let chain: Vec<_> =
            chain.iter().map(|made| json!({"rawBytes": STANDARD.encode(made.certificate.der())})).collect();
        root["timestampAuthorities"][0]["certChain"]["certificates"] = chain.into();
        root
    };
    let time = generalized(later(now, 120).unix());
    let direct = || std::iter::once(stamped(&[&scene.tsa], &signature, &time));
    let along = || std::iter::once(stamped(&[&below, &between], &signature, &time));
    let at = later(now, DAY);
    let root = listing(&[&scene.tsa_root]);
    assert!(judged(&bundle, direct(), &root, LogRule::NONE, at).is_ok());
    assert_eq!(judged(&bundle, along(), &root, LogRule::NONE, at), Err("no-verified-time"));
    assert!(judged(&bundle, along(), &listing(&[&between, &scene.tsa_root]), LogRule::NONE, at).is_ok());
}

/// Certificates and authorities are valid at every time, not only at the earliest, and fractions of a second count.
#[test]
fn every_time_of_a_keyless_signature_lies_in_every_period() {
    let Some(scene) = SCENE.as_ref() else { return };
    let now = scene.now();
    let (begin, end) = (later(now, -30), later(now, 600));
    let short = scene.shop.issue_for(&scene.intermediate, plan("/O=Acme/CN=short", SIGNER), begin, end);
    let (bundle, signature) = bare_bundle(scene, &short);
    let judged = |times: &[String], edit: &dyn Fn(&mut Value), rule: LogRule| {
        let mut root: Value = serde_json::from_slice(&scene.trusted_root_json(&[], "2020-01-01T00:00:00Z")).unwrap();
        edit(&mut root);
        let stamps = times.iter().map(|time| stamped(&[&scene.tsa], &signature, time));
        judged(&bundle, stamps, &root, rule, later(now, DAY))
    };
    let verdict = |times: &[String], edit: &dyn Fn(&mut Value)| {
        judged(times, edit, LogRule::NONE).map_or_else(|code| code, |_| "verified")
    };
    let whole = |seconds: i64| generalized(later(now, seconds).unix());
    let half = |seconds: i64| whole(seconds).replace('Z', ".5Z");
    let same: &dyn Fn(&mut Value) = &|_| ();
    for times in [vec![whole(0)], vec![whole(600)], vec![whole(0), whole(600)], vec![half(599)]] {
        assert_eq!(verdict(&times, same), "verified", "{times:?}");
    }
    for times in [vec![whole(601)], vec![whole(0), whole(601)], vec![whole(601), whole(0)], vec![half(600)]] {
        assert_eq!(verdict(&times, same), "expired", "{times:?}");
    }
    for (part, code) in
        [("certificateAuthorities", "authority-validity"), ("timestampAuthorities", "timestamp-authority-validity")]
    {
        let ends = |root: &mut Value| root[part][0]["validFor"]["end"] = later(now, 10).to_string().into();
        for times in [vec![whole(10)], vec![half(9)], vec![whole(0), whole(10)]] {
            assert_eq!(verdict(&times, &ends), "verified", "{part} {times:?}");
        }
        for times in [vec![whole(11)], vec![half(10)], vec![whole(0), whole(11)], vec![half(10), whole(0)]] {
            assert_eq!(verdict(&times, &ends), code, "{part} {times:?}");
        }
        let begins = |root: &mut Value| root[part][0]["validFor"]["start"] = now.to_string().into();
        assert_eq!(verdict(&[half(0), whole(0)], &begins), "verified", "{part}");
        for times in [vec![whole(-1)], vec![half(-1)], vec![whole(1), half(-1)]] {
            assert_eq!(verdict(&times, &begins), code, "{part} {times:?}");
        }
    }
    // The earliest time is the one that is reported, and two timestamps of one authority are of one authority.
    for times in [[whole(0), whole(9)], [whole(9), whole(0)]] {
        assert_eq!(judged(&times, same, LogRule::NONE.with_timestamps(1)), Ok(now));
        assert_eq!(judged(&times, same, LogRule::NONE.with_timestamps(2)), Err("timestamp-threshold"));
    }
}

/// The signature in an envelope.
fn signature_in(envelope: &[u8]) -> Vec<u8> {
    let envelope: Value = serde_json::from_slice(envelope).unwrap();
    STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap()
}

#[test]
fn an_answer_that_does_not_verify_leaves_nothing() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, forms, now) = (key(&scene.leaf), Forms::of(BUNDLE), scene.now());
    let own = scene.chain(&forms).unwrap();
    let good = scene.authority(Stamps::Granted);
    let other_tsa = scene.shop.issue(&scene.root, plan("/O=Acme/CN=clock", TSA));
    let (root, later_root) = (scene.trusted_root(&[]), scene.trusted_root_from(&[], "2099-01-01T00:00:00Z"));
    let short =
        scene.shop.issue_for(&scene.intermediate, plan("/O=Acme/CN=short", SIGNER), later(now, -30), later(now, 600));
    let short_key = super::scene::key(&short);
    let short_chain = chain(&[&short, &scene.intermediate, &scene.root], &forms, now).unwrap();
    let at = |time| TestAuthority { time, ..scene.authority(Stamps::Granted) };
    let stamps = |does| scene.authority(does);
    let cases = [
        ("unreachable", stamps(Stamps::Unreachable), &root, "unreachable"),
        ("rejected", stamps(Stamps::Rejected), &root, "timestamp-rejected"),
        ("other data", stamps(Stamps::OtherData), &root, "timestamp-imprint"),
        ("another nonce", stamps(Stamps::OtherNonce), &root, "timestamp-nonce"),
        ("another authority", TestAuthority { tsa: &other_tsa, ..stamps(Stamps::Granted) }, &root, "path"),
        ("ahead of the clock", at(later(now, DAY)), &root, "time-ahead"),
        ("before it was trusted", stamps(Stamps::Granted), &later_root, "timestamp-authority-validity"),
    ];
    for (what, authority, root, code) in cases {
        for form in [BUNDLE, FormName::SimpleSigning] {
            let place = store();
            let chain = scene.chain(&Forms::of(form)).unwrap();
            let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
            let authorities: [&dyn TimestampAuthority; 1] = [&authority];
            let options = options(form, now, witnessing(&authorities, &[], root, now));
            let error = signed(&place, identity, &options, SignWhen::Always).unwrap_err();
            assert_eq!(error.code(), code, "{what}: {error}");
            assert!(is_bare(&place), "{what}");
        }
    }
    // The certificate of the signer has ended before the time of the timestamp, by a clock that is behind.
    let ended = at(later(now, 601));
    let authorities: [&dyn TimestampAuthority; 1] = [&ended];
    let late = witnessing(&authorities, &[], &root, later(now, 601));
    let (place, identity) = (store(), SigningIdentity::with_chain(&short_key, &short_chain).unwrap());
    let error = signed(&place, identity, &options(BUNDLE, now, late), SignWhen::Always).unwrap_err();
    assert!(matches!(error, OpsError::Timestamp { error: TimestampingError::SignerValidity { .. }, .. }), "{error}");
    assert!(is_bare(&place));
    // The second of two authorities fails: nothing is there of the first.
    let bad = stamps(Stamps::OtherData);
    let authorities: [&dyn TimestampAuthority; 2] = [&good, &bad];
    let identity = SigningIdentity::with_chain(&key, &own).unwrap();
    let both = options(BUNDLE, now, witnessing(&authorities, &[], &root, now));
    assert!(signed(&place, identity, &both, SignWhen::Always).is_err());
    assert!(is_bare(&place));
}

/// Verifiers ask the authority that lists the signer of a timestamp. One by a sibling under the same anchor, whose certificate
/// came along, would be stored and refused later.
#[test]
fn a_timestamp_of_a_sibling_of_the_authority_is_not_stored() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, now) = (key(&scene.leaf), scene.now());
    let sibling = scene.shop.issue(&scene.tsa_root, plan("/O=Clock/CN=sibling", TSA));
    let root = scene.trusted_root(&[]);
    for (tsa, code) in [(&scene.tsa, None), (&sibling, Some("timestamp-authority-unlisted"))] {
        let authority = TestAuthority { tsa, ..scene.authority(Stamps::Granted) };
        let authorities: [&dyn TimestampAuthority; 1] = [&authority];
        let place = store();
        let options = options(BUNDLE, now, witnessing(&authorities, &[], &root, now));
        let made = signed(&place, SigningIdentity::new(&key), &options, SignWhen::Always);
        assert_eq!(made.as_ref().err().map(OpsError::code), code, "{made:?}");
        assert_eq!(is_bare(&place), code.is_some());
    }
}

#[test]
fn an_authority_may_be_trusted_by_its_certificates_without_a_trusted_root() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (key, now) = (key(&scene.leaf), scene.now());
    let untrusted = scene.shop.root(plan("/O=Other/CN=root", CA));
    let authority = scene.authority(Stamps::Granted);
    let authorities: [&dyn TimestampAuthority; 1] = [&authority];
    for (root, is_trusted) in [(&scene.tsa_root, true), (&untrusted, false)] {
        let anchors = [Anchor { certificate: root.certificate.clone(), purpose: Purpose::TimeStamping }];
        let trust = WitnessTrust { anchors: &anchors, root: None, time: VerificationTime::now(now) };
        let asked = Witnessing { authorities: &authorities, logs: &[], trust };
        let place = store();
        let made = signed(&place, SigningIdentity::new(&key), &options(BUNDLE, now, asked), SignWhen::Always);
        assert_eq!(made.is_ok(), is_trusted, "{made:?}");
    }
    let none = WitnessTrust { anchors: &[], root: None, time: VerificationTime::now(now) };
    let asked = Witnessing { authorities: &authorities, logs: &[], trust: none };
    let (place, options) = (store(), options(BUNDLE, now, asked));
    assert!(signed(&place, SigningIdentity::new(&key), &options, SignWhen::Always).is_err(), "nobody is trusted");
}

#[test]
fn a_signature_is_made_again_unless_it_has_a_verified_timestamp_of_each_authority() {
    let Some(scene) = SCENE.as_ref() else { return };
    let other_root = scene.shop.root(plan("/O=Other/CN=root", CA));
    let other_tsa = scene.shop.issue(&other_root, plan("/O=Other/CN=timestamps", TSA));
    let mut json: Value = serde_json::from_slice(&scene.trusted_root_json(&[], "2020-01-01T00:00:00Z")).unwrap();
    let raw = |made: &Made| json!({"rawBytes": STANDARD.encode(made.certificate.der())});
    let mut second_authority = json["timestampAuthorities"][0].clone();
    second_authority["certChain"]["certificates"] = serde_json::json!([raw(&other_tsa), raw(&other_root)]);
    json["timestampAuthorities"].as_array_mut().unwrap().push(second_authority);
    let root = TrustedRoot::parse(json.to_string().as_bytes(), LIMITS).unwrap();
    let (key, now) = (key(&scene.leaf), later(scene.now(), 600));
    let (first, identity) =
        (TestAuthority { time: now, ..scene.authority(Stamps::Granted) }, SigningIdentity::new(&key));
    let later_one = TestAuthority { time: later(now, 1), ..scene.authority(Stamps::Granted) };
    let other = TestAuthority { time: now, tsa: &other_tsa, does: Stamps::Granted };
    let one: [&dyn TimestampAuthority; 1] = [&first];
    let same: [&dyn TimestampAuthority; 2] = [&first, &later_one];
    let two: [&dyn TimestampAuthority; 2] = [&first, &other];
    let place = store();
    let when_missing = |asked: &[&dyn TimestampAuthority]| {
        let options = options(BUNDLE, now, witnessing(asked, &[], &root, now));
        signed(&place, identity, &options, SignWhen::IfMissing).unwrap().already
    };
    assert_eq!([&[][..], &[], &one, &one, &[]].map(when_missing), [false, true, false, true, true]);
    assert!(!when_missing(&same), "a second timestamp is missing");
    assert!(!when_missing(&two), "two timestamps of one authority are not those of two");
    assert_eq!([&two[..], &one].map(when_missing), [true, true]);
    assert_eq!(referrers(&place), 4);
    // By a trusted root of another authority the timestamps count for nothing.
    let untrusted = scene.trusted_root_from(&[], "2099-01-01T00:00:00Z");
    let asked = options(BUNDLE, now, witnessing(&one, &[], &untrusted, now));
    assert!(signed(&place, identity, &asked, SignWhen::IfMissing).is_err(), "it is asked for again");
}
