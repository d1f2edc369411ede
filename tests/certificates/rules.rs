//! Each rule of trust by certificates, by a signature that breaks it and is right in all else.

use std::collections::BTreeMap;
use std::fs;

use bulla::digest::Digest;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::Descriptor;
use bulla::oci::media_type::OCI_INDEX;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::QuorumError;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::SignatureBudget;
use bulla::trust::TimeSource;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::verify::Verifier;
use bulla::x509::Purpose;

use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::plan;
use super::scene::*;

#[test]
fn a_signature_below_the_root_counts_for_the_owner_that_the_operator_named() {
    let Some(scene) = SCENE.as_ref() else { return };
    for format in [NotaryFormat::Jws, NotaryFormat::Cose] {
        let evidence = Signing { format, ..scene.signing() }.evidence();
        let verifier = verifier([scene.identity("bob", "CN=release,O=Acme")], 1);
        let verified = verifier.verify(image(), [&evidence], scene.now()).unwrap();
        let signer = &verified.accepted().first().signer;
        assert_eq!(signer.owner(), &Owner::Named("bob".to_owned()));
        assert_eq!(signer.key(), scene.leaf.certificate.public_key().unwrap().id());
        let certified = signer.certified().unwrap();
        assert_eq!(certified.chain().signer(), &scene.leaf.certificate);
        assert_eq!(certified.chain().trusted(), &scene.root.certificate);
        assert_eq!((certified.judged_at().time, certified.judged_at().source), (scene.now(), TimeSource::Verification));
        assert!(certified.timestamp().is_none());
        // The time that the operator asked for is not the time of the verification, and the verdict says so.
        let earlier = verifier.with_expiry_at(scene.after(60)).verify(image(), [&evidence], scene.now()).unwrap();
        let judged_at = earlier.accepted().first().signer.certified().unwrap().judged_at();
        assert_eq!((judged_at.time, judged_at.source), (scene.after(60), TimeSource::Stated));
    }
}

#[test]
fn the_names_and_the_root_are_the_operators() {
    let Some(scene) = SCENE.as_ref() else { return };
    let evidence = [scene.signing().evidence()];
    let verdict = |identity: Identity| verdict(&verifier([identity], 1), &evidence, scene.now());
    assert_eq!(verdict(scene.identity("a", "CN=release")), "accepted");
    for names in [
        "CN=releas",
        "CN=Release",
        "CN=release,O=Other",
        "issuer:O=Other",
        "dns:release",
        "x509.subject: C=US,ST=CA,O=Acme",
    ] {
        assert_eq!(verdict(scene.identity("a", names)), "certificate-identity", "{names}");
    }
    let below = |made, purpose| scene.identity_below("a", "CN=release", &[(made, purpose)]);
    assert_eq!(verdict(below(&scene.root, Purpose::Signing)), "accepted");
    assert_eq!(verdict(below(&scene.leaf, Purpose::Signing)), "accepted", "a pinned signer's certificate");
    assert_eq!(verdict(below(&scene.other_root, Purpose::Signing)), "trust");
    // An anchor for another purpose anchors no signer.
    assert_eq!(verdict(below(&scene.root, Purpose::TimeStamping)), "trust");
    assert_eq!(verdict(below(&scene.root, Purpose::SigningAuthority)), "trust");
}

#[test]
fn a_certificate_belongs_to_the_first_identity_that_it_fits_and_counts_once() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (first, second) = (scene.signing(), Signing { signer: &scene.second, ..scene.signing() });
    let (anyone, bob) = (scene.identity("anyone", "O=Acme"), scene.identity("bob", "CN=release"));
    let both = [anyone.clone(), bob.clone()];
    assert_eq!(verdict(&verifier(both.clone(), 2), &[first.evidence()], scene.now()), "");
    // In this order both certificates are anyone's, in the other one each has an owner.
    let evidence = [first.evidence(), second.evidence()];
    assert_eq!(verdict(&verifier(both, 2), &evidence, scene.now()), "");
    assert_eq!(verdict(&verifier([bob, anyone], 2), &evidence, scene.now()), "accepted");
    // The same signature twice, or a second one with the same key, is one owner's.
    let twice = Signing { attributes: NotaryAttributes::new(SigningScheme::X509, scene.after(61)), ..first.clone() };
    let two = || [scene.identity("a", "CN=release"), scene.identity("b", "CN=second")];
    assert_eq!(verdict(&verifier(two(), 2), &[first.evidence(), twice.evidence()], scene.now()), "");
    assert_eq!(verdict(&verifier(two(), 2), &evidence, scene.now()), "accepted");
}

#[test]
fn keys_and_certificates_make_one_quorum() {
    let Some(scene) = SCENE.as_ref() else { return };
    let pem = fs::read(&scene.leaf.key).unwrap();
    let key = PrivateKey::parse(&pem, &Limits::DEFAULT, || unreachable!()).unwrap();
    let pinned = Identity::new(
        Owner::Named("ann".to_owned()),
        Means::Keys(bulla::nonempty::NonEmpty::one(key.public_key().clone())),
    );
    let evidence = [scene.signing().evidence()];
    // A pinned key does not verify an envelope, although its key made the signature: the chain would not be looked at.
    assert_eq!(verdict(&verifier([pinned.clone()], 1), &evidence, scene.now()), "no-trusted-certificate");
    let trust = TrustRoot::new([pinned, scene.identity("bob", "CN=release")]).unwrap();
    let three = Threshold::new(3).unwrap();
    assert_eq!(Quorum::of_all(&trust, three).unwrap_err(), QuorumError::TooFewKeys { got: 2, want: 3 });
    let quorum = Quorum::of_all(&trust, Threshold::new(2).unwrap()).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let two = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
    assert_eq!(verdict(&two, &evidence, scene.now()), "");
}

#[test]
fn an_expired_certificate_needs_a_timestamp_by_a_trusted_authority() {
    let Some(scene) = SCENE.as_ref() else { return };
    let late = scene.after(400 * DAY);
    let at = scene.after(DAY);
    let plain = scene.signing();
    let stamped = Signing { timestamp: Some((&scene.tsa, at.unix())), ..plain.clone() };
    let verifier_of = |identity| verifier([identity], 1);
    let trusting = verifier_of(scene.identity("bob", "CN=release"));
    assert_eq!(verdict(&trusting, &[plain.evidence()], scene.now()), "accepted");
    assert_eq!(verdict(&trusting, &[plain.evidence()], late), "expired");
    let verified = trusting.verify(image(), [&stamped.evidence()], late).unwrap();
    let certified = verified.accepted().first().signer.certified().unwrap();
    assert_eq!((certified.judged_at().time, certified.judged_at().source), (at, TimeSource::Timestamp));
    assert_eq!(certified.timestamp().unwrap().at(), at);
    let root = (&scene.root, Purpose::Signing);
    for (anchors, why) in [
        (vec![root], "no timestamp authority is trusted"),
        (vec![root, (&scene.other_root, Purpose::TimeStamping)], "another one is"),
        (vec![root, (&scene.tsa_root, Purpose::Signing)], "its root is trusted for signing alone"),
    ] {
        let verifier = verifier_of(scene.identity_below("bob", "CN=release", &anchors));
        assert_eq!(verdict(&verifier, &[stamped.evidence()], late), "expired", "{why}");
        let told = verifier.verify(image(), [&stamped.evidence()], late).unwrap_err().findings[0].reason.to_string();
        let none = !anchors.iter().any(|(_, purpose)| *purpose == Purpose::TimeStamping);
        assert_eq!(told.contains("no timestamp authority is trusted"), none, "{told}");
    }
    // A token for another signature, and one from a time when the certificate was not valid.
    let other = Signing { attributes: NotaryAttributes::new(SigningScheme::X509, scene.after(61)), ..stamped.clone() };
    let moved = with_token_of(&plain, &other);
    assert_eq!(verdict(&trusting, &[moved], late), "expired");
    let early = Signing { timestamp: Some((&scene.tsa, scene.after(-DAY).unix())), ..plain };
    assert_eq!(verdict(&trusting, &[early.evidence()], late), "expired");
}

/// The envelope of `one` with the token of `other`.
fn with_token_of(one: &Signing<'_>, other: &Signing<'_>) -> bulla::envelope::Evidence {
    let mut envelope: serde_json::Value = serde_json::from_slice(&one.bytes()).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&other.bytes()).unwrap();
    let name = "io.cncf.notary.timestampSignature";
    envelope["header"][name] = other["header"][name].clone();
    evidence(NotaryFormat::Jws, &serde_json::to_vec(&envelope).unwrap())
}

#[test]
fn without_an_anchor_nothing_else_about_a_chain_matters() {
    let Some(scene) = SCENE.as_ref() else { return };
    let late = scene.after(400 * DAY);
    let stamped = Signing { timestamp: Some((&scene.tsa, scene.after(DAY).unix())), ..scene.signing() };
    let anchors = [(&scene.other_root, Purpose::Signing), (&scene.tsa_root, Purpose::TimeStamping)];
    let other = verifier([scene.identity_below("bob", "CN=release", &anchors)], 1);
    assert_eq!(verdict(&other, &[stamped.evidence()], late), "trust", "not `expired`");
    // Neither is a root that is trusted for timestamps alone an anchor of the signer.
    let for_timestamps =
        verifier([scene.identity_below("bob", "CN=release", &[(&scene.root, Purpose::TimeStamping)])], 1);
    assert_eq!(verdict(&for_timestamps, &[scene.signing().evidence()], late), "trust", "not `expired`");
    // A critical extension that is not known is could-not-tell below a trusted root, and no elsewhere.
    let extensions = format!("{LEAF}1.2.3.4=critical,DER:05:00\n");
    let odd = scene.shop.issue(&scene.root, Plan { serial: "77", ..plan("/C=US/O=Acme/CN=release", &extensions) });
    let evidence = [Signing { signer: &odd, ..scene.signing() }.evidence()];
    let trusting = verifier([scene.identity("bob", "CN=release")], 1);
    assert_eq!(verdict(&trusting, &evidence, scene.now()), "?critical-extension");
    assert_eq!(verdict(&other, &evidence, scene.now()), "trust");
    // Could-not-tell about the first identity does not make the certificate the second one's.
    let first = scene.identity("ann", "O=Acme");
    let second = scene.identity_below("bob", "CN=release", &[(&odd, Purpose::Signing)]);
    assert_eq!(verdict(&verifier([first, second], 1), &evidence, scene.now()), "?critical-extension");
}

#[test]
fn a_certificate_that_is_not_valid_yet_does_not_count_at_any_time() {
    let Some(scene) = SCENE.as_ref() else { return };
    let trusting = verifier([scene.identity("bob", "CN=release")], 1).with_expiry_at(scene.after(DAY));
    let evidence = [scene.signing().evidence()];
    assert_eq!(verdict(&trusting, &evidence, scene.after(0)), "accepted");
    assert_eq!(verdict(&trusting, &evidence, scene.after(-61)), "not-yet-valid");
    // Also below a root that is valid already.
    let (begin, end) = (scene.after(DAY), scene.after(3 * DAY));
    let signer = scene.shop.issue_for(&scene.root, plan("/C=US/O=Acme/CN=later", LEAF), begin, end);
    let trusting = verifier([scene.identity("bob", "CN=later")], 1).with_expiry_at(scene.after(2 * DAY));
    let evidence = [Signing { signer: &signer, ..scene.signing() }.evidence()];
    assert_eq!(verdict(&trusting, &evidence, begin), "accepted");
    assert_eq!(verdict(&trusting, &evidence, scene.after(DAY - 61)), "not-yet-valid");
}

/// A timestamp helps against expiry alone: a certificate that is not valid yet at the stated time is refused.
#[test]
fn no_timestamp_makes_up_for_a_certificate_that_is_not_valid_yet() {
    let Some(scene) = SCENE.as_ref() else { return };
    let stamped = Signing { timestamp: Some((&scene.tsa, scene.after(DAY).unix())), ..scene.signing() };
    let trusting = |at| verifier([scene.identity("bob", "CN=release")], 1).with_expiry_at(scene.after(at));
    let verdict = |at| verdict(&trusting(at), &[stamped.evidence()], scene.after(2 * DAY));
    assert_eq!(verdict(DAY), "accepted");
    assert_eq!(verdict(-DAY), "not-yet-valid");
}

/// Also where the root is valid already: each certificate of the chain must be.
#[test]
fn a_signer_that_is_not_valid_yet_does_not_count_below_a_root_that_is() {
    let Some(scene) = SCENE.as_ref() else { return };
    let issued = |from: i64| {
        let plan = Plan { serial: "78", ..plan("/C=US/O=Acme/CN=release", LEAF) };
        scene.shop.issue_for(&scene.root, plan, scene.after(from), scene.after(9 * DAY))
    };
    let trusting = verifier([scene.identity("bob", "CN=release")], 1).with_expiry_at(scene.after(3 * DAY));
    let verdict_of = |signer: &Made| {
        let attributes = NotaryAttributes::new(SigningScheme::X509, scene.after(2 * DAY));
        verdict(&trusting, &[Signing { attributes, signer, ..scene.signing() }.evidence()], scene.now())
    };
    assert_eq!(verdict_of(&issued(DAY / 2)), "accepted");
    assert_eq!(verdict_of(&issued(2 * DAY)), "not-yet-valid");
}

/// A trust root remembers chains; under other limits their certificates are read again.
#[test]
fn what_is_remembered_of_a_chain_is_within_its_limits() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (trust, evidence) =
        (TrustRoot::new([scene.identity("bob", "CN=release")]).unwrap(), scene.signing().evidence());
    let authenticate = |limits: &Limits| {
        let context = AuthenticationContext { limits, revocation: None, time: VerificationTime::now(scene.now()) };
        trust.authenticate(&evidence, context, &mut SignatureBudget::of(100))
    };
    assert_eq!(authenticate(&Limits::DEFAULT).authenticated.len(), 1);
    let found = authenticate(&Limits::DEFAULT.with(|limits| limits.envelope.certificate_bytes = 10));
    assert!(found.authenticated.is_empty() && found.rejected.is_some_and(|rejection| rejection.is_undetermined()));
}

#[test]
fn a_verdict_of_another_time_is_not_restricted_to_one_of_now() {
    let Some(scene) = SCENE.as_ref() else { return };
    let now = verifier([scene.identity("bob", "CN=release")], 1);
    let then = now.clone().with_expiry_at(scene.after(DAY));
    let verified = then.verify(image(), &[scene.signing().evidence()], scene.after(400 * DAY)).unwrap();
    assert!(then.restrict(&verified, |_| true).is_some());
    assert!(now.restrict(&verified, |_| true).is_none());
}

#[test]
fn no_timestamp_extends_the_expiry_of_the_signature() {
    let Some(scene) = SCENE.as_ref() else { return };
    let expiry = scene.after(3 * DAY);
    let attributes = scene.signing().attributes.with_expiry(expiry);
    let signing = Signing { attributes, timestamp: Some((&scene.tsa, scene.after(DAY).unix())), ..scene.signing() };
    let trusting = verifier([scene.identity("bob", "CN=release")], 1);
    let evidence = [signing.evidence()];
    assert_eq!(verdict(&trusting, &evidence, scene.after(3 * DAY - 1)), "accepted");
    assert_eq!(verdict(&trusting, &evidence, expiry), "signature-expired");
    assert_eq!(verdict(&trusting, &evidence, scene.after(400 * DAY)), "signature-expired");
    // Expiry is judged at the time that the operator states, and the verdict says so.
    let then = trusting.with_expiry_at(scene.after(2 * DAY));
    let verified = then.verify(image(), &evidence, scene.after(400 * DAY)).unwrap();
    assert_eq!(verified.verified_at(), scene.after(400 * DAY));
    assert_eq!(verified.expiry_judged_at(), scene.after(2 * DAY));
}

/// RFC 3161 section 2.4.2: the time may be earlier than the one that is stated, by the accuracy.
#[test]
fn a_certificate_is_valid_over_the_whole_interval_of_a_timestamp() {
    let Some(scene) = SCENE.as_ref() else { return };
    // All others are a day older, so that only the signer's certificate begins or ends inside the interval.
    let (begin, end) = (scene.after(DAY), scene.after(2 * DAY));
    let signer = scene.shop.issue_for(&scene.root, plan("/C=US/O=Acme/CN=brief", LEAF), begin, end);
    let trusting = verifier([scene.identity("bob", "CN=brief")], 1).with_expiry_at(scene.after(3 * DAY));
    for (at, accuracy, want) in [
        (begin.unix() + 2, 2, "accepted"),
        (begin.unix() + 2, 3, "not-yet-valid"),
        (end.unix() - 2, 2, "accepted"),
        (end.unix() - 2, 3, "expired"),
    ] {
        let timestamp = Some((&scene.tsa, at));
        let stamped = Signing { accuracy: Some(accuracy), signer: &signer, timestamp, ..scene.signing() };
        assert_eq!(verdict(&trusting, &[stamped.evidence()], scene.after(3 * DAY)), want, "{at} {accuracy}");
    }
}

/// A chain is verified once for many signatures. Each answer is that of a verifier that has seen nothing before.
#[test]
fn a_chain_that_was_verified_before_is_verified_anew_for_another_time_purpose_or_chain() {
    let Some(scene) = SCENE.as_ref() else { return };
    let plain = scene.signing();
    let authentic = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(60));
    let by_authority = Signing { attributes: authentic, ..scene.signing() };
    let stamped = |at: i64| Signing { timestamp: Some((&scene.tsa, scene.after(at).unix())), ..scene.signing() };
    let other_root = scene.shop.issue_again(&scene.other_root, &scene.leaf, plan("/C=US/O=Acme/CN=release", LEAF));
    let crossed = Signing { signer: &other_root, ..scene.signing() };
    let steps = [
        (&plain, scene.now(), "accepted"),
        (&plain, scene.now(), "accepted"),
        (&plain, scene.after(400 * DAY), "expired"),
        (&stamped(DAY), scene.after(400 * DAY), "accepted"),
        (&stamped(40 * DAY), scene.after(400 * DAY), "expired"),
        (&plain, scene.after(-DAY), "not-yet-valid"),
        (&by_authority, scene.now(), "trust"),
        (&crossed, scene.now(), "path"),
        (&plain, scene.now(), "accepted"),
    ];
    let fresh = || verifier([scene.identity("bob", "CN=release")], 1);
    let one = fresh();
    for (signing, now, want) in steps {
        let evidence = [signing.evidence()];
        assert_eq!(verdict(&fresh(), &evidence, now), want, "{now}");
        assert_eq!(verdict(&one, &evidence, now), want, "{now}: by the verifier that has seen others");
    }
    // Two signatures, one verification of their chain; at another time it is another one.
    let other = Signing { format: NotaryFormat::Cose, ..scene.signing() };
    let verified = [(&plain, scene.now()), (&other, scene.now()), (&plain, scene.after(DAY + 1))]
        .map(|(signing, now)| one.verify(image(), [&signing.evidence()], now).unwrap());
    let [first, second, later] =
        verified.each_ref().map(|verified| verified.accepted().first().signer.certified().unwrap().chain());
    assert!(std::ptr::eq(first, second) && !std::ptr::eq(first, later));
    // A copy of the trust root with other limits.
    let trust = one.trust().clone();
    let limits = Limits::DEFAULT.with(|limits| limits.envelope.certificate_chain = 1);
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let limited = Verifier::new(trust, policy, limits).unwrap();
    assert_eq!(verdict(&limited, &[plain.evidence()], scene.now()), "?limit");
}

/// Only a timestamp, or a signing authority, proves when a signature was made at the latest: the verification does not.
#[test]
fn the_signing_time_has_a_bound_only_if_somebody_trusted_states_it() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (stated, late) = (scene.after(60), scene.after(400 * DAY));
    let bound = |anchor, signing: &Signing<'_>, now| {
        let identity = scene.identity_below("bob", "CN=release", &[anchor, (&scene.tsa_root, Purpose::TimeStamping)]);
        let verified = verifier([identity], 1).verify(image(), [&signing.evidence()], now).unwrap();
        verified.accepted().first().signer.signed_no_later_than()
    };
    let signer = (&scene.root, Purpose::Signing);
    assert_eq!(bound(signer, &scene.signing(), scene.now()), None);
    let stamped = Signing { timestamp: Some((&scene.tsa, scene.after(DAY).unix())), ..scene.signing() };
    assert_eq!(bound(signer, &stamped, late), Some(scene.after(DAY)));
    let attributes = NotaryAttributes::new(SigningScheme::X509SigningAuthority, stated);
    let authentic = Signing { attributes, ..scene.signing() };
    assert_eq!(bound((&scene.root, Purpose::SigningAuthority), &authentic, late), Some(stated));
    // A later timestamp beside it changes nothing.
    let both = Signing { timestamp: stamped.timestamp, ..authentic };
    assert_eq!(bound((&scene.root, Purpose::SigningAuthority), &both, late), Some(stated));
}

#[test]
fn a_time_ahead_of_the_clock_is_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    // The clock says a time before the one that was stamped; expiry is judged later, so that the timestamp is needed.
    let stamped = Signing { timestamp: Some((&scene.tsa, scene.after(2 * DAY).unix())), ..scene.signing() };
    let late = verifier([scene.identity("bob", "CN=release")], 1).with_expiry_at(scene.after(400 * DAY));
    assert_eq!(verdict(&late, &[stamped.evidence()], scene.after(2 * DAY - 60)), "accepted");
    assert_eq!(verdict(&late, &[stamped.evidence()], scene.after(2 * DAY - 61)), "?expired");
    let attributes = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(2 * DAY));
    let stated = Signing { attributes, ..scene.signing() };
    let authority = |made, purpose| verifier([scene.identity_below("bob", "CN=release", &[(made, purpose)])], 1);
    let trusting = authority(&scene.root, Purpose::SigningAuthority);
    assert_eq!(verdict(&trusting, &[stated.evidence()], scene.after(2 * DAY - 60)), "accepted");
    assert_eq!(verdict(&trusting, &[stated.evidence()], scene.after(2 * DAY - 61)), "?time-ahead");
    // A signing authority dates its own signatures, also when its certificate has expired.
    assert_eq!(verdict(&trusting, &[stated.evidence()], scene.after(400 * DAY)), "accepted");
    assert_eq!(verdict(&authority(&scene.root, Purpose::Signing), &[stated.evidence()], scene.now()), "trust");
    let before = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(-DAY));
    assert_eq!(
        verdict(&trusting, &[Signing { attributes: before, ..stated }.evidence()], scene.now()),
        "not-yet-valid"
    );
}

#[test]
fn all_faults_are_reported_and_the_one_that_decides_gives_the_code() {
    let Some(scene) = SCENE.as_ref() else { return };
    let attributes = scene.signing().attributes.with_expiry(scene.after(DAY)).with_extended("org.x", "y", true);
    let evidence = [Signing { attributes, ..scene.signing() }.evidence()];
    let verifier = verifier([scene.identity_below("a", "CN=other", &[(&scene.other_root, Purpose::Signing)])], 1);
    let refusal = verifier.verify(image(), &evidence, scene.after(2 * DAY)).unwrap_err();
    let codes: Vec<_> = refusal.findings[0].reason.certificate_faults().map(|fault| fault.code()).collect();
    assert_eq!(codes, ["unknown-critical-attribute", "signature-expired", "certificate-identity", "trust"]);
    let texts: Vec<_> = refusal.findings[0].reason.certificate_faults().map(ToString::to_string).collect();
    let told = refusal.findings[0].reason.to_string();
    assert!(told.contains(&format!(", but {}", texts.join("; "))), "{told}");
    assert!(!refusal.is_undetermined());
}

#[test]
fn an_unknown_critical_attribute_is_refused_and_others_are_not() {
    let Some(scene) = SCENE.as_ref() else { return };
    let trusting = verifier([scene.identity("bob", "CN=release")], 1);
    for (critical, want) in [(true, "unknown-critical-attribute"), (false, "accepted")] {
        let attributes = scene.signing().attributes.with_extended("org.example.note", "x", critical);
        let evidence = [Signing { attributes, ..scene.signing() }.evidence()];
        assert_eq!(verdict(&trusting, &evidence, scene.now()), want);
        // It is told once, although two steps come upon it.
        let refusal = trusting.verify(image(), &evidence, scene.now()).err();
        let faults = refusal.iter().flat_map(|refusal| refusal.findings[0].reason.certificate_faults());
        assert_eq!(faults.count(), usize::from(critical));
    }
}

#[test]
fn a_changed_signature_is_refused_before_the_chain_is_looked_at() {
    let Some(scene) = SCENE.as_ref() else { return };
    let mut envelope: serde_json::Value = serde_json::from_slice(&scene.signing().bytes()).unwrap();
    let other = Signing { payload: payload_of(&Digest::sha256(b"other"), OCI_MANIFEST, 401), ..scene.signing() };
    let other: serde_json::Value = serde_json::from_slice(&other.bytes()).unwrap();
    envelope["payload"] = other["payload"].clone();
    let evidence = [evidence(NotaryFormat::Jws, &serde_json::to_vec(&envelope).unwrap())];
    assert_eq!(verdict(&verifier([scene.identity("bob", "CN=other")], 1), &evidence, scene.now()), "signature");
}

fn payload_of(digest: &Digest, media_type: &str, size: u64) -> NotaryPayload {
    NotaryPayload::new(media_type, digest, size, &BTreeMap::new()).unwrap()
}

#[test]
fn what_was_signed_is_this_image() {
    let Some(scene) = SCENE.as_ref() else { return };
    let trusting = verifier([scene.identity("bob", "CN=release")], 1);
    let signed = |payload| Signing { payload, ..scene.signing() }.evidence();
    let other = signed(payload_of(&Digest::sha256(b"other"), OCI_MANIFEST, 401));
    assert_eq!(verdict(&trusting, &[other], scene.now()), "other-subject");
    // Media type and size are compared where the descriptor is known.
    let known = Descriptor { digest: image(), size: 401, ..Descriptor::of(OCI_MANIFEST, b"") };
    for (media_type, size, want) in [(OCI_MANIFEST, 401, true), (OCI_INDEX, 401, false), (OCI_MANIFEST, 402, false)] {
        let evidence = signed(payload_of(&image(), media_type, size));
        let mut evaluation = trusting.evaluation(image(), scene.now()).with_descriptor(known.clone());
        evaluation.add(&evidence);
        assert_eq!(evaluation.is_met(), want, "{media_type} {size}");
        assert_eq!(verdict(&trusting, &[evidence], scene.now()), "accepted", "by digest alone the digest decides");
    }
}

#[test]
fn an_exhausted_budget_is_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    let trust = TrustRoot::new([scene.identity("bob", "CN=release")]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    // One check for the signature, and two for each certificate of the chain.
    for (checks, want) in [(4, "?signatures-not-checked"), (5, "accepted")] {
        let limits = Limits::DEFAULT.with(|limits| limits.evidence.signature_checks = checks);
        let verifier = Verifier::new(trust.clone(), policy.clone(), limits).unwrap();
        assert_eq!(verdict(&verifier, &[scene.signing().evidence()], scene.now()), want);
    }
}
