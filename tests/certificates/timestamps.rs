//! Timestamps that signatures get after they were made, or while they are made: what is accepted, and what each fault does.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::Digest;
use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningIdentity;
use bulla::envelope::SigningScheme;
use bulla::envelope::Strictness;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::NotaryManifest;
use bulla::oci::Subject;
use bulla::oci::TagOrDigest;
use bulla::oci::referrer;
use bulla::ops::OpsError;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::timestamp;
use bulla::ops::timestamp::NotarySignatures;
use bulla::ops::timestamp::TimestampAuthority;
use bulla::ops::timestamp::TimestampAuthorityError;
use bulla::ops::timestamp::TimestampTrust;
use bulla::ops::timestamp::Timestamping;
use bulla::ops::timestamp::TimestampingError;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify::verify;
use bulla::store::Memory;
use bulla::store::Sink as _;
use bulla::store::Source as _;
use bulla::store::Task;
use bulla::time::Time;
use bulla::trust::VerificationTime;
use bulla::x509::Anchor;
use bulla::x509::HashAlgorithm;
use bulla::x509::MessageImprint;
use bulla::x509::Purpose;
use bulla::x509::TimestampError;
use bulla::x509::TimestampNonce;
use bulla::x509::TimestampRequest;
use bulla::x509::TimestampResponse;
use bulla::x509::TimestampToken;
use serde_json::Value;

use super::draft::Draft;
use super::draft::generalized;
use super::draft::imprint;
use super::draft::tlv;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::plan;
use super::scene::DAY;
use super::scene::SCENE;
use super::scene::Scene;
use super::scene::Signing;
use super::scene::verifier;
use super::signing::chain;
use super::signing::key;
use super::signing::ready;
use super::signing::referrers;
use super::signing::signed;
use super::signing::store;

const LIMITS: &Limits = &Limits::DEFAULT;
const FORMS: [FormName; 2] = [FormName::NotaryJws, FormName::NotaryCose];

fn anchors(made: &Made) -> [Anchor; 1] {
    [Anchor { certificate: made.certificate.clone(), purpose: Purpose::TimeStamping }]
}

fn trust(anchors: &[Anchor], now: Time) -> TimestampTrust<'_> {
    TimestampTrust { anchors, time: VerificationTime::now(now) }
}

fn found((store, subject): &(Memory, Subject)) -> NotarySignatures {
    ready(timestamp::find(store, subject, LIMITS)).unwrap()
}

fn nonce(last: u8) -> TimestampNonce {
    TimestampNonce::from_bytes(&[1, 2, 3, 4, 5, 6, 7, last])
}

/// The token of `tsa` that answers `request` at `at`.
fn token(tsa: &Made, request: &TimestampRequest, at: Time) -> Vec<u8> {
    let mut draft = Draft::new(tsa);
    draft.info.gen_time = generalized(at.unix());
    draft.info.imprint = imprint(request.imprint().algorithm(), request.imprint().hash());
    draft.info.rest = request.nonce().map(|nonce| tlv(0x02, &[nonce.as_content()])).into_iter().collect();
    draft.made()
}

fn response(status: u8, token: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x30, &[&tlv(0x02, &[&[status]])]), token])
}

fn parsed(token: &[u8]) -> TimestampToken {
    TimestampResponse::parse_answer(token, LIMITS).unwrap().token().clone()
}

/// A store with an image that `scene.leaf` signed.
fn signed_store(scene: &Scene, form: FormName, manifest: NotaryManifest) -> (Memory, Subject) {
    let (place, at) = (store(), scene.after(60));
    let (key, chain) = (key(&scene.leaf), chain(&[&scene.leaf, &scene.root], at).unwrap());
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    let options = SignOptions { notary_manifest: manifest, ..SignOptions::new(Forms::of(form), at) };
    signed(&place, identity, &options, SignWhen::Always).unwrap();
    place
}

/// Pushes an envelope as a referrer.
fn push((store, subject): &(Memory, Subject), format: NotaryFormat, envelope: &[u8]) -> Digest {
    let layer = Content::from_bytes(format.media_type(), envelope.to_vec());
    let manifest = NotaryManifest::V1_1.write(subject, &layer, &[], Time::EPOCH).unwrap();
    for blob in [&layer, &referrer::empty_config()] {
        ready(store.push_content(blob)).unwrap();
    }
    ready(store.push_manifest(&manifest, None)).unwrap();
    *manifest.digest()
}

fn manifest(store: &Memory, digest: &Digest) -> Value {
    let content = ready(store.resolve(&TagOrDigest::Digest(*digest))).unwrap();
    serde_json::from_slice(content.bytes()).unwrap()
}

/// Whether the image verifies so many days after the certificate of its signer began to be valid.
fn verifies(scene: &Scene, (store, _): &(Memory, Subject), days: i64) -> bool {
    let verifier = verifier([scene.identity("acme", "CN=release,O=Acme")], 1);
    let options = VerifyOptions::new(&verifier, scene.after(days * DAY));
    ready(verify(store, &TagOrDigest::Tag("v1".to_owned()), &Platforms::Root, options)).is_ok()
}

#[test]
fn a_signature_gets_a_timestamp_and_nothing_else_changes() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (anchors, now) = (anchors(&scene.tsa_root), scene.now());
    for form in FORMS {
        for kind in [NotaryManifest::Legacy, NotaryManifest::V1_1] {
            let place = signed_store(scene, form, kind);
            let mut found = found(&place);
            let signature = found.signatures()[0].clone();
            let before = manifest(&place.0, signature.manifest());
            let request = signature.request(nonce(1));
            assert_eq!(request.imprint().algorithm(), HashAlgorithm::Sha256, "that of the key, P-256");
            let token = parsed(&response(0, &token(&scene.tsa, &request, scene.after(100))));
            let placed = found.add(&token, trust(&anchors, now), LIMITS).unwrap();
            assert_eq!((placed.added, placed.already.len(), found.added().len()), (1, 0, 1));
            assert_eq!(
                (found.added()[0].original(), found.added()[0].proof().at()),
                (signature.manifest(), scene.after(100))
            );
            assert_eq!(referrers(&place), 1, "nothing is pushed yet");
            assert!(!verifies(scene, &place, 400));
            ready(found.attach(&place.0, LIMITS)).unwrap();
            assert_eq!(referrers(&place), 2, "the old one stays");
            assert!(verifies(scene, &place, 1) && verifies(scene, &place, 400));

            let digest = *found.added()[0].attachment().manifest.digest();
            let after = manifest(&place.0, &digest);
            for field in ["mediaType", "artifactType", "config", "subject", "annotations", "schemaVersion"] {
                assert_eq!(after[field], before[field], "{field}");
            }
            let envelope = &found.added()[0].attachment().blobs[0];
            assert_eq!(after["layers"][0]["digest"], envelope.digest().to_string());
            let format = if form == FormName::NotaryJws { NotaryFormat::Jws } else { NotaryFormat::Cose };
            let envelope = NotaryEnvelope::parse(format, envelope.bytes(), LIMITS, Strictness::Strict).unwrap();
            assert_eq!(envelope.timestamp_token(), Some(token.bytes()));
        }
    }
}

#[test]
fn a_signature_gets_one_timestamp() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (anchors, now) = (anchors(&scene.tsa_root), scene.now());
    let place = signed_store(scene, FormName::NotaryJws, NotaryManifest::Legacy);
    let mut first = found(&place);
    let request = |last| found(&place).signatures()[0].request(nonce(last));
    let [one, two] = [1, 2].map(|last| parsed(&token(&scene.tsa, &request(last), scene.after(100))));
    assert_eq!(first.without_timestamp(Some(trust(&anchors, now)), LIMITS).len(), 1);
    assert_eq!(first.add(&one, trust(&anchors, now), LIMITS).unwrap().added, 1);
    let made = *first.added()[0].attachment().manifest.digest();
    // A second token in the same call, the same token again, and both in later calls.
    for token in [&two, &one] {
        let placed = first.add(token, trust(&anchors, now), LIMITS).unwrap();
        assert_eq!((placed.added, placed.already), (0, vec![made]));
    }
    ready(first.attach(&place.0, LIMITS)).unwrap();
    let mut again = found(&place);
    for token in [&one, &two] {
        let placed = again.add(token, trust(&anchors, now), LIMITS).unwrap();
        assert_eq!((placed.added, placed.already), (0, vec![made]));
    }
    assert!(again.added().is_empty());
    for trust in [None, Some(trust(&anchors, now))] {
        assert!(again.without_timestamp(trust, LIMITS).is_empty());
    }
    // By other authorities it has none, and the signature without a token is still there.
    let other = self::anchors(&scene.other_root);
    assert_eq!(again.without_timestamp(Some(trust(&other, now)), LIMITS).len(), 1);
    let stamped = again.signatures().iter().find(|signature| signature.has_token()).unwrap();
    let refused = stamped.timestamped(&two, trust(&anchors, now), LIMITS).unwrap_err();
    assert_eq!(refused.code(), "timestamp-present");
}

#[test]
fn each_token_that_does_not_count_is_refused_with_its_reason() {
    let Some(scene) = SCENE.as_ref() else { return };
    let now = scene.now();
    let place = signed_store(scene, FormName::NotaryCose, NotaryManifest::Legacy);
    let request = found(&place).signatures()[0].request(nonce(1));
    let good = token(&scene.tsa, &request, scene.after(100));
    let other = TimestampRequest::new(MessageImprint::of(HashAlgorithm::Sha256, b"other"), None);
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    let late = scene.after(400 * DAY);
    for (why, token, root, now, code) in [
        ("good", good.clone(), &scene.tsa_root, now, "accepted"),
        (
            "another signature",
            token(&scene.tsa, &other, scene.after(100)),
            &scene.tsa_root,
            now,
            "?timestamp-no-signature",
        ),
        ("untrusted authority", good.clone(), &scene.other_root, now, "path"),
        (
            "signed by another",
            token(&scene.leaf, &request, scene.after(100)),
            &scene.tsa_root,
            now,
            "extended-key-usage",
        ),
        ("changed", changed, &scene.tsa_root, now, "timestamp-signature"),
        ("expired authority", token(&scene.tsa, &request, late), &scene.tsa_root, scene.after(401 * DAY), "expired"),
        (
            "ahead of the clock",
            token(&scene.tsa, &request, scene.after(200)),
            &scene.tsa_root,
            scene.after(100),
            "?time-ahead",
        ),
    ] {
        let anchors = anchors(root);
        let mut found = found(&place);
        let got = match found.add(&parsed(&token), trust(&anchors, now), LIMITS) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => format!("{}{}", if error.is_undetermined() { "?" } else { "" }, error.code()),
        };
        assert_eq!(got, code, "{why}");
        assert_eq!(found.added().len(), usize::from(code == "accepted"), "{why}");
    }
}

#[test]
fn a_timestamp_from_after_the_end_of_the_signers_certificate_helps_nobody() {
    let Some(scene) = SCENE.as_ref() else { return };
    let short = scene.shop.issue(&scene.root, Plan { days: "1", serial: "91", ..plan("/O=Acme/CN=short", LEAF) });
    let (place, at) = (store(), short.certificate.not_before());
    let (key, chain) = (key(&short), chain(&[&short, &scene.root], at).unwrap());
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    signed(&place, identity, &SignOptions::new(Forms::of(FormName::NotaryJws), at), SignWhen::Always).unwrap();
    let (anchors, request) = (anchors(&scene.tsa_root), found(&place).signatures()[0].request(nonce(1)));
    let end = short.certificate.not_after().unix();
    for (stated, accuracy, counts) in [(end, 0, true), (end + 1, 0, false), (end - 5, 5, true), (end - 5, 6, false)] {
        let mut draft = Draft::new(&scene.tsa);
        draft.info.gen_time = generalized(stated);
        draft.info.imprint = imprint(request.imprint().algorithm(), request.imprint().hash());
        let accuracy = tlv(0x30, &[&tlv(0x02, &[&[accuracy]])]);
        draft.info.rest = vec![accuracy];
        let added = found(&place).add(&parsed(&draft.made()), trust(&anchors, scene.after(9 * DAY)), LIMITS);
        match added {
            Ok(placed) => assert!(counts && placed.added == 1),
            Err(error) => {
                assert!(!counts && matches!(error, TimestampingError::SignerValidity { .. }), "{error}");
                assert!(error.to_string().contains("CN=short"), "{error}");
            }
        }
    }
}

#[test]
fn a_variant_with_another_certificate_does_not_take_the_place_of_the_signature() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (anchors, now) = (anchors(&scene.tsa_root), scene.now());
    let (place, format) = (store(), NotaryFormat::Jws);
    let payload = |subject: &Subject| {
        let descriptor = subject.descriptor();
        NotaryPayload::new(&descriptor.media_type, subject.digest(), descriptor.size, &Default::default()).unwrap()
    };
    // Another certificate of the same key: the certificates are not signed.
    let again = scene.issue_again(&scene.leaf, Plan { serial: "92", ..plan("/CN=other", LEAF) });
    let genuine = Signing { payload: payload(&place.1), format, ..scene.signing() }.bytes();
    let text = String::from_utf8(genuine.clone()).unwrap();
    let [own, other] = [&scene.leaf, &again].map(|made| STANDARD.encode(made.certificate.der()));
    let variant = text.replace(&own, &other);
    assert_ne!(variant, text);
    push(&place, format, variant.as_bytes());
    push(&place, format, &genuine);
    // The same envelope in another signature manifest is no second signature.
    let layer = Content::from_bytes(format.media_type(), genuine.clone());
    let manifest = NotaryManifest::Legacy.write(&place.1, &layer, &[], Time::EPOCH).unwrap();
    ready(place.0.push_manifest(&manifest, None)).unwrap();
    let mut found = found(&place);
    assert_eq!(found.without_timestamp(None, LIMITS).iter().map(Vec::len).sum::<usize>(), 3);
    assert_eq!(found.without_timestamp(None, LIMITS).len(), 2);
    let token = parsed(&token(&scene.tsa, &found.signatures()[0].request(nonce(1)), scene.after(100)));
    assert_eq!(found.add(&token, trust(&anchors, now), LIMITS).unwrap().added, 2);
    ready(found.attach(&place.0, LIMITS)).unwrap();
    assert!(verifies(scene, &place, 400));
}

/// Pushes `count` variants of an envelope: with other certificates behind the signer's own, which nobody signed.
fn push_variants(scene: &Scene, place: &(Memory, Subject), envelope: &[u8], count: usize) {
    let mut json: Value = serde_json::from_slice(envelope).unwrap();
    let others = [&scene.root, &scene.other_root, &scene.tsa_root, &scene.second];
    let others = others.map(|made| Value::from(STANDARD.encode(made.certificate.der())));
    for number in 0..count {
        let chain = json["header"]["x5c"].as_array_mut().unwrap();
        chain.truncate(1);
        chain.extend([others[number / 4].clone(), others[number % 4].clone()]);
        push(place, NotaryFormat::Jws, &serde_json::to_vec(&json).unwrap());
    }
}

#[test]
fn at_most_8_variants_of_a_signature_are_read_and_the_others_are_named() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (anchors, now) = (anchors(&scene.tsa_root), scene.now());
    let place = store();
    let descriptor = place.1.descriptor();
    let payload = NotaryPayload::new(&descriptor.media_type, place.1.digest(), descriptor.size, &Default::default());
    let signing = Signing { payload: payload.unwrap(), ..scene.signing() };
    let genuine = signing.bytes();
    push_variants(scene, &place, &genuine, 8);
    assert_eq!((found(&place).signatures().len(), found(&place).skipped().len()), (8, 0));
    push_variants(scene, &place, &genuine, 11);
    // Another signature has variants of its own.
    push(&place, NotaryFormat::Jws, &Signing { signer: &scene.second, ..signing }.bytes());
    let mut all = found(&place);
    assert_eq!((all.signatures().len(), all.skipped().len(), all.left_out().count()), (9, 3, 3));
    assert!(all.skipped().iter().all(|skipped| skipped.reason.code() == "signature-variants"));
    let same = all.without_timestamp(None, LIMITS);
    assert_eq!(same.len(), 9);
    let hash = |signature: &timestamp::NotarySignature| signature.request(nonce(1)).imprint().hash().to_vec();
    let most = same.iter().max_by_key(|one| same.iter().filter(|other| hash(other[0]) == hash(one[0])).count());
    let token = parsed(&token(&scene.tsa, &most.unwrap()[0].request(nonce(1)), scene.after(100)));
    assert_eq!(all.add(&token, trust(&anchors, now), LIMITS).unwrap().added, 8);
}

/// What `timestamp` reads is counted as what is verified: one check for a signature, and two for each certificate.
#[test]
fn the_signature_checks_for_timestamps_are_counted() {
    let Some(scene) = SCENE.as_ref() else { return };
    let place = store();
    let untrusted = scene.signing().bytes();
    // They are about another image, so they are checked and skipped.
    push(&place, NotaryFormat::Jws, &untrusted);
    push(&place, NotaryFormat::Jws, &Signing { signer: &scene.second, ..scene.signing() }.bytes());
    for (checks, left_out) in [(4, 2), (5, 1), (9, 1), (10, 0)] {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = checks);
        let found = ready(timestamp::find(&place.0, &place.1, &limits)).unwrap();
        assert_eq!((found.skipped().len(), found.left_out().count()), (2, left_out), "{checks}");
        assert!(found.left_out().all(|skipped| skipped.reason.code() == "signatures-not-checked"));
    }
}

#[test]
fn a_token_that_does_not_verify_is_no_timestamp_where_authorities_are_named() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (anchors, now) = (anchors(&scene.tsa_root), scene.now());
    let place = signed_store(scene, FormName::NotaryJws, NotaryManifest::Legacy);
    let request = found(&place).signatures()[0].request(nonce(1));
    // Anybody can add a token of an authority of their own.
    let own_root = scene.shop.root(plan("/CN=Own", CA));
    let own = scene.shop.issue(&own_root, plan("/CN=Own clock", TSA));
    let mut hostile = found(&place);
    let bad = parsed(&token(&own, &request, scene.after(3_000)));
    let own_anchors = self::anchors(&own_root);
    hostile.add(&bad, trust(&own_anchors, now), LIMITS).unwrap();
    ready(hostile.attach(&place.0, LIMITS)).unwrap();
    let mut found = found(&place);
    assert!(found.without_timestamp(None, LIMITS).is_empty(), "it has a token");
    assert_eq!(found.without_timestamp(Some(trust(&anchors, now)), LIMITS).len(), 1);
    let good = parsed(&token(&scene.tsa, &request, scene.after(100)));
    assert_eq!(found.add(&good, trust(&anchors, now), LIMITS).unwrap().added, 1);
    ready(found.attach(&place.0, LIMITS)).unwrap();
    assert!(verifies(scene, &place, 400));
}

/// The timestamp goes into the envelope that has none, wherever it stands among its variants and other signatures.
#[test]
fn a_timestamp_is_added_to_the_envelope_of_its_signature_that_has_no_token() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (anchors, now) = (anchors(&scene.tsa_root), scene.now());
    let own_root = scene.shop.root(plan("/CN=Own", CA));
    let own = scene.shop.issue(&own_root, plan("/CN=Own clock", TSA));
    let place = store();
    let descriptor = place.1.descriptor();
    let payload = NotaryPayload::new(&descriptor.media_type, place.1.digest(), descriptor.size, &Default::default());
    let bare = Signing { payload: payload.unwrap(), ..scene.signing() };
    // Tokens of an authority that nobody trusts, each beside the envelope without one.
    let envelopes = [&scene.leaf, &scene.second].map(|signer| {
        let bare = Signing { signer, ..bare.clone() };
        let stamped = Signing { timestamp: Some((&own, scene.after(3_000).unix())), ..bare.clone() };
        (bare.bytes(), stamped.bytes())
    });
    // The signature of ECDSA is another one each time: the token has to be beside the same one.
    let with_token = |bare: &[u8], stamped: &[u8]| {
        let mut envelope: Value = serde_json::from_slice(bare).unwrap();
        let stamped: Value = serde_json::from_slice(stamped).unwrap();
        let name = "io.cncf.notary.timestampSignature";
        envelope["header"][name] = stamped["header"][name].clone();
        serde_json::to_vec(&envelope).unwrap()
    };
    let [(first, of_first), (second, of_second)] = &envelopes;
    for envelope in [first, &with_token(first, of_first), &with_token(second, of_second), second] {
        push(&place, NotaryFormat::Jws, envelope);
    }
    let signatures = found(&place).signatures().to_vec();
    assert_eq!((signatures.len(), signatures.iter().filter(|one| one.has_token()).count()), (4, 2));
    for bare in signatures.iter().filter(|one| !one.has_token()) {
        let mut found = found(&place);
        let good = parsed(&token(&scene.tsa, &bare.request(nonce(1)), scene.after(100)));
        assert_eq!(found.add(&good, trust(&anchors, now), LIMITS).unwrap().added, 1);
        assert_eq!(found.added()[0].original(), bare.manifest());
    }
}

#[test]
fn signatures_that_cannot_get_a_timestamp_are_named_with_the_reason() {
    let Some(scene) = SCENE.as_ref() else { return };
    let place = store();
    let descriptor = place.1.descriptor();
    let payload = NotaryPayload::new(&descriptor.media_type, place.1.digest(), descriptor.size, &Default::default());
    let signing = Signing { payload: payload.unwrap(), ..scene.signing() };
    let authentic = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(60));
    let damaged = String::from_utf8(signing.bytes()).unwrap();
    let second = STANDARD.encode(scene.second.certificate.der());
    let damaged = damaged.replace(&STANDARD.encode(scene.leaf.certificate.der()), &second);
    for (envelope, code) in [
        (scene.signing().bytes(), "other-subject"),
        (Signing { attributes: authentic, ..signing.clone() }.bytes(), "signing-authority"),
        (damaged.into_bytes(), "signature"),
        (b"{}".to_vec(), "envelope-unreadable"),
    ] {
        let digest = push(&place, NotaryFormat::Jws, &envelope);
        let found = found(&place);
        let skipped = found.skipped().iter().find(|skipped| skipped.manifest == digest).unwrap();
        assert_eq!(skipped.reason.code(), code);
        assert!(found.signatures().is_empty(), "{code}");
    }
}

#[test]
fn a_signature_that_could_not_be_fetched_is_an_error() {
    let Some(scene) = SCENE.as_ref() else { return };
    let place = signed_store(scene, FormName::NotaryJws, NotaryManifest::Legacy);
    for limits in [
        LIMITS.clone().with(|limits| limits.graph.manifests = 0),
        LIMITS.clone().with(|limits| limits.evidence.bytes = 10),
    ] {
        assert!(ready(timestamp::find(&place.0, &place.1, &limits)).is_err());
    }
    assert_eq!(found(&place).signatures().len(), 1);
}

#[test]
fn files_with_answers_are_responses_or_tokens_der_or_pem() {
    let Some(scene) = SCENE.as_ref() else { return };
    let request = TimestampRequest::new(MessageImprint::of(HashAlgorithm::Sha256, b"m"), None);
    let token = token(&scene.tsa, &request, scene.after(100));
    let pem = |label: &str, der: &[u8]| {
        let lines: Vec<_> =
            STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    };
    let whole = response(0, &token);
    for bytes in [
        token.clone(),
        whole.clone(),
        response(1, &token),
        pem("CMS", &token).into_bytes(),
        pem("PKCS7", &token).into_bytes(),
        pem("TIMESTAMP RESPONSE", &whole).into_bytes(),
    ] {
        assert_eq!(TimestampResponse::parse_answer(&bytes, LIMITS).unwrap().token().bytes(), token);
    }
    let code = |bytes: &[u8]| TimestampResponse::parse_answer(bytes, LIMITS).unwrap_err().code();
    assert_eq!(code(&response(2, &[])), "timestamp-rejected");
    assert_eq!(code(&response(0, &[])), "timestamp-status");
    assert_eq!(code(&[pem("CMS", &token), pem("CMS", &token)].concat().into_bytes()), "timestamp-malformed");
    assert_eq!(code(&[0x30; 2_000_000]), "timestamp-limit");
    for end in [0, 1, 10, token.len() / 2, token.len() - 1] {
        assert_eq!(code(&token[..end]), "timestamp-malformed", "{end}");
    }
    for end in [1, whole.len() - 1] {
        assert_eq!(code(&whole[..end]), "timestamp-malformed", "{end}");
    }
    assert_eq!(code(&[&token[..], &[0]].concat()), "timestamp-malformed");
    assert_eq!(code(b"-----BEGIN CMS-----\nAAAA\n"), "timestamp-malformed");
    let mut request = request.to_der();
    request.truncate(20);
    assert_eq!(code(&request), "timestamp-malformed");
}

/// An authority that answers with what a function makes of the request.
struct Authority<F> {
    answer: F,
    asked: AtomicUsize,
}

impl<F: Fn(&TimestampRequest) -> Option<Vec<u8>> + Send + Sync> TimestampAuthority for Authority<F> {
    fn ask<'a>(&'a self, request: &'a TimestampRequest) -> Task<'a, Result<Vec<u8>, TimestampAuthorityError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = (self.answer)(request);
        Box::pin(async move { answer.ok_or_else(|| TimestampAuthorityError::new("network", "no answer")) })
    }

    fn nonce(&self) -> Result<TimestampNonce, TimestampAuthorityError> {
        Ok(nonce(u8::try_from(self.asked.load(Ordering::Relaxed)).unwrap()))
    }
}

/// Signs with an authority. Returns the outcome and how often it was asked.
fn sign_with(
    place: &(Memory, Subject),
    root: &Made,
    when: SignWhen,
    answer: impl Fn(&TimestampRequest) -> Option<Vec<u8>> + Send + Sync,
) -> (Result<bulla::ops::sign::Signed, OpsError>, usize) {
    let scene = SCENE.as_ref().unwrap();
    let at = scene.now();
    let (key, chain) = (key(&scene.leaf), chain(&[&scene.leaf, &scene.root], at).unwrap());
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    let (authority, anchors) = (Authority { answer, asked: AtomicUsize::new(0) }, anchors(root));
    let timestamping = Timestamping { authority: &authority, trust: trust(&anchors, at) };
    let forms = Forms::of(FormName::NotaryJws).and(FormName::NotaryCose).and(FormName::SigstoreBundle);
    let options = SignOptions { timestamping: Some(timestamping), ..SignOptions::new(forms, at) };
    let signed = signed(place, identity, &options, when);
    (signed, authority.asked.load(Ordering::Relaxed))
}

#[test]
fn new_signatures_get_a_timestamp_each_with_one_question() {
    let Some(scene) = SCENE.as_ref() else { return };
    let place = store();
    let good = |request: &TimestampRequest| Some(response(0, &token(&scene.tsa, request, scene.after(100))));
    let (made, asked) = sign_with(&place, &scene.tsa_root, SignWhen::Always, good);
    let made = made.unwrap();
    assert_eq!((asked, referrers(&place), made.referrers.len()), (2, 3, 3), "the bundle has none");
    assert_eq!(made.timestamps, [scene.after(100); 2]);
    assert!(found(&place).signatures().iter().all(|signature| signature.has_token()));
    assert!(verifies(scene, &place, 400));
    // With --if-missing nothing is asked again; by another authority they are missing.
    let (made, asked) = sign_with(&place, &scene.tsa_root, SignWhen::IfMissing, good);
    assert_eq!((made.unwrap().already, asked, referrers(&place)), (true, 0, 3));
    let other = |_: &TimestampRequest| None;
    let (made, asked) = sign_with(&place, &scene.other_root, SignWhen::IfMissing, other);
    assert!(matches!(made, Err(OpsError::TimestampAuthority(error)) if error.code() == "network"));
    assert_eq!((asked, referrers(&place)), (1, 3));
}

#[test]
fn a_signature_without_a_timestamp_is_not_the_one_with_it() {
    let Some(scene) = SCENE.as_ref() else { return };
    let place = signed_store(scene, FormName::NotaryJws, NotaryManifest::Legacy);
    let good = |request: &TimestampRequest| Some(response(0, &token(&scene.tsa, request, scene.after(100))));
    let (made, asked) = sign_with(&place, &scene.tsa_root, SignWhen::IfMissing, good);
    let made = made.unwrap();
    assert_eq!((made.already, asked, referrers(&place)), (false, 2, 4));
    // Without timestamps the plain one counts, and so does the new one.
    let at = scene.now();
    let (key, chain) = (key(&scene.leaf), chain(&[&scene.leaf, &scene.root], at).unwrap());
    let identity = SigningIdentity::with_chain(&key, &chain).unwrap();
    for form in FORMS {
        let plain = SignOptions::new(Forms::of(form), at);
        assert!(signed(&place, identity, &plain, SignWhen::IfMissing).unwrap().already);
    }
}

#[test]
fn an_answer_that_is_not_the_timestamp_asked_for_leaves_nothing() {
    let Some(scene) = SCENE.as_ref() else { return };
    let at = scene.after(100);
    let good = |request: &TimestampRequest| token(&scene.tsa, request, at);
    let with = |request: &TimestampRequest, last| TimestampRequest::new(request.imprint().clone(), last);
    let imprint = MessageImprint::of(HashAlgorithm::Sha256, b"other");
    type Responder<'a> = Box<dyn Fn(&TimestampRequest) -> Option<Vec<u8>> + Send + Sync + 'a>;
    let answers: Vec<(&str, &Made, Responder<'_>)> = vec![
        ("?timestamp-rejected", &scene.tsa_root, Box::new(|_| Some(response(2, &[])))),
        ("?timestamp-rejected", &scene.tsa_root, Box::new(|request| Some(response(2, &good(request))))),
        ("?timestamp-rejected", &scene.tsa_root, Box::new(|_| Some(response(3, &[])))),
        ("timestamp-status", &scene.tsa_root, Box::new(|_| Some(response(0, &[])))),
        ("timestamp-malformed", &scene.tsa_root, Box::new(|request| Some(good(request)))),
        (
            "timestamp-malformed",
            &scene.tsa_root,
            Box::new(|request| {
                let whole = response(0, &good(request));
                Some(whole[..whole.len() - 1].to_vec())
            }),
        ),
        (
            "timestamp-nonce",
            &scene.tsa_root,
            Box::new(|request| Some(response(0, &good(&with(request, Some(nonce(200))))))),
        ),
        ("timestamp-nonce", &scene.tsa_root, Box::new(|request| Some(response(0, &good(&with(request, None)))))),
        (
            "timestamp-imprint",
            &scene.tsa_root,
            Box::new(|request| {
                Some(response(0, &good(&TimestampRequest::new(imprint.clone(), request.nonce().cloned()))))
            }),
        ),
        ("path", &scene.other_root, Box::new(|request| Some(response(0, &good(request))))),
        (
            "expired",
            &scene.tsa_root,
            Box::new(|request| Some(response(0, &token(&scene.tsa, request, scene.after(400 * DAY))))),
        ),
        (
            "?time-ahead",
            &scene.tsa_root,
            Box::new(|request| Some(response(0, &token(&scene.tsa, request, scene.after(2 * DAY))))),
        ),
    ];
    for (code, root, answer) in answers {
        let place = store();
        let (made, asked) = sign_with(&place, root, SignWhen::Always, answer);
        let error = made.unwrap_err();
        assert!(matches!(&error, OpsError::Timestamp { .. }), "{error}");
        let got = format!("{}{}", if error.is_refusal() { "" } else { "?" }, error.code());
        assert_eq!((got.as_str(), asked, referrers(&place)), (code, 1, 0), "{error}");
    }
    // Granted with modifications is granted: what it holds is verified all the same.
    let place = store();
    let (made, _) = sign_with(&place, &scene.tsa_root, SignWhen::Always, |request| Some(response(1, &good(request))));
    assert_eq!(made.unwrap().timestamps.len(), 2);
}

#[test]
fn a_response_that_grants_nothing_names_the_status() {
    let error = TimestampResponse::parse_answer(&response(2, &[]), LIMITS).unwrap_err();
    assert!(matches!(error, TimestampError::Rejected { .. }));
    assert!(error.to_string().contains("rejection"), "{error}");
}
