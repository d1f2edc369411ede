//! Revocation: what a CRL takes away, what a timestamp keeps, and what could not be told.

use std::sync::LazyLock;
use std::time::Duration;

use bulla::envelope::Evidence;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::SigningScheme;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::AuthenticationContext;
use bulla::trust::PassedBy;
use bulla::trust::Rejection;
use bulla::trust::RevocationCheck;
use bulla::trust::SignatureBudget;
use bulla::trust::StatusRule;
use bulla::trust::VerificationTime;
use bulla::verify::Verifier;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::Purpose;
use bulla::x509::RescueRule;
use bulla::x509::StatusEvidence;

use super::author::ECDSA_SHA1;
use super::author::List;
use super::author::entry;
use super::author::extension;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::plan;
use super::scene::*;

const KEY_COMPROMISE: Option<u8> = Some(1);
const SUPERSEDED: Option<u8> = Some(4);

/// A signer whose certificate names a CRL.
static NAMED: LazyLock<Option<Made>> = LazyLock::new(|| {
    let extensions = format!("{LEAF}crlDistributionPoints=URI:http://crl.example/root.crl\n");
    let scene = SCENE.as_ref()?;
    Some(scene.shop.issue(&scene.root, Plan { serial: "9", ..plan("/C=US/O=Acme/CN=named", &extensions) }))
});

fn checking(verifier: Verifier, crls: &[Vec<u8>], rule: StatusRule, grace: u64) -> Verifier {
    let mut evidence = StatusEvidence::new();
    for crl in crls {
        let crl = CertificateRevocationList::parse(crl.clone(), &Limits::DEFAULT).unwrap();
        evidence.add_crl(crl, &Limits::DEFAULT).unwrap();
    }
    let freshness = FreshnessRule {
        expired_certificates: ExpiredCertificates::MayBeDropped,
        grace_after_next_update: Duration::from_secs(grace),
        maximum_age: None,
    };
    verifier.with_revocation(RevocationCheck::new(evidence, freshness, rule))
}

fn trusting(scene: &Scene, crls: &[Vec<u8>]) -> Verifier {
    checking(verifier([scene.identity("bob", "O=Acme")], 1), crls, StatusRule::WhenNamed, 0)
}

/// The CRL of the root that revokes the certificate with this serial number.
fn revoking(scene: &Scene, serial: u64, at: Time, reason: Option<u8>) -> Vec<u8> {
    List::of(&scene.root, scene.now()).entry(entry(serial, at, reason)).signed_by(&scene.root)
}

#[test]
fn a_status_that_is_required_and_not_known_is_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    let plain = [scene.signing().evidence()];
    let named = [Signing { signer: NAMED.as_ref().unwrap(), ..scene.signing() }.evidence()];
    let crl = List::of(&scene.root, scene.now()).signed_by(&scene.root);
    let trusting =
        |crls: &[Vec<u8>], rule, grace| checking(verifier([scene.identity("bob", "O=Acme")], 1), crls, rule, grace);
    let (none, fresh) = ([].as_slice(), [crl].to_vec());
    for (evidence, crls, rule, want) in [
        (&plain, none, StatusRule::WhenNamed, "accepted"),
        (&plain, none, StatusRule::Required, "?status-unknown"),
        (&named, none, StatusRule::WhenNamed, "?status-unknown"),
        (&named, &fresh, StatusRule::WhenNamed, "accepted"),
        (&plain, &fresh, StatusRule::Required, "accepted"),
    ] {
        assert_eq!(verdict(&trusting(crls, rule, 0), evidence, scene.now()), want, "{rule:?}");
    }
    // A day later the list is not fresh any more, unless there is a grace period.
    let later = scene.after(3 * DAY);
    assert_eq!(verdict(&trusting(&fresh, StatusRule::WhenNamed, 0), &named, later), "?status-unknown");
    assert_eq!(verdict(&trusting(&fresh, StatusRule::WhenNamed, 2 * DAY as u64), &named, later), "accepted");
    let verified = trusting(&fresh, StatusRule::Required, 0).verify(image(), &plain, scene.now()).unwrap();
    let statuses = verified.accepted().first().signer.certified().unwrap().statuses().unwrap();
    assert_eq!(statuses.len(), 1, "the root is not looked up");
    assert!(matches!(statuses[0].passed, PassedBy::Good { until } if until >= scene.after(DAY)));
}

#[test]
fn a_revocation_counts_whatever_its_date_and_whatever_else_is_there() {
    let Some(scene) = SCENE.as_ref() else { return };
    let evidence = [scene.signing().evidence()];
    let good = List::of(&scene.root, scene.now()).signed_by(&scene.root);
    for at in [scene.after(-DAY), scene.after(DAY / 2), scene.after(900 * DAY)] {
        let revoked = revoking(scene, 1, at, KEY_COMPROMISE);
        let verifier = trusting(scene, &[good.clone(), revoked]);
        assert_eq!(verdict(&verifier, &evidence, scene.now()), "revoked", "{at}");
        // Moving the time of expiry moves nothing else.
        assert_eq!(verdict(&verifier.with_expiry_at(scene.after(3_600)), &evidence, scene.now()), "revoked");
    }
    // Another serial number, and a list that is not by the issuer.
    let other = revoking(scene, 2, scene.after(0), KEY_COMPROMISE);
    assert_eq!(verdict(&trusting(scene, &[other]), &evidence, scene.now()), "accepted");
    let forged = List::of(&scene.root, scene.now()).entry(entry(1, scene.after(0), KEY_COMPROMISE));
    assert_eq!(verdict(&trusting(scene, &[forged.signed_by(&scene.other_root)]), &evidence, scene.now()), "accepted");
}

/// A list of the operator that revokes the certificate is not absent because its signature cannot be verified.
#[test]
fn a_revocation_by_an_algorithm_that_is_not_allowed_is_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    let plain = [scene.signing().evidence()];
    let stamped = [Signing { timestamp: Some((&scene.tsa, scene.after(60).unix())), ..scene.signing() }.evidence()];
    let list =
        |serial: u64, reason| List::of(&scene.root, scene.now()).entry(entry(serial, scene.after(DAY / 2), reason));
    let says = |crls: &[Vec<u8>], evidence: &[Evidence]| verdict(&trusting(scene, crls), evidence, scene.now());
    let weak = |serial: u64| list(serial, KEY_COMPROMISE).signed_with(ECDSA_SHA1, &scene.root);
    assert_eq!(says(&[weak(1)], &plain), "?status-unknown");
    assert_eq!(says(&[weak(2)], &plain), "accepted");
    let good = List::of(&scene.root, scene.now()).signed_by(&scene.root);
    assert_eq!(says(&[weak(1), good.clone()], &plain), "?status-unknown");
    assert_eq!(says(&[weak(2), good], &plain), "accepted");
    // Nor does it let a timestamp keep the signature, where another list has a reason that is no compromise.
    let benign = list(1, SUPERSEDED).signed_by(&scene.root);
    assert_eq!(says(std::slice::from_ref(&benign), &stamped), "accepted");
    assert_eq!(says(&[benign.clone(), weak(1)], &stamped), "?status-unknown");
    assert_eq!(says(&[benign, weak(1)], &plain), "revoked");
}

/// A list that may not be used proves no status: a newer one may say that the key was compromised.
#[test]
fn only_evidence_that_may_be_used_lets_a_timestamp_keep_a_signature() {
    let Some(scene) = SCENE.as_ref() else { return };
    let stamped = Signing { timestamp: Some((&scene.tsa, scene.after(60).unix())), ..scene.signing() }.evidence();
    let list = List::of(&scene.root, scene.now());
    let revoking = |list: List, reason| list.entry(entry(1, scene.after(DAY / 2), reason)).signed_by(&scene.root);
    let stale = || List { next_update: Some(scene.after(-60)), this_update: scene.after(-DAY), ..list.clone() };
    let critical = || list.clone().extension(extension(99, true, &[5, 0]));
    let good = list.clone().signed_by(&scene.root);
    for unusable in [stale(), critical(), List { number: None, ..list.clone() }] {
        let (benign, worse) = (revoking(unusable.clone(), SUPERSEDED), revoking(unusable, KEY_COMPROMISE));
        let says = |crls: &[Vec<u8>], evidence: &Evidence| {
            verdict(&trusting(scene, crls), std::slice::from_ref(evidence), scene.now())
        };
        assert_eq!(says(std::slice::from_ref(&benign), &stamped), "?status-unknown");
        assert_eq!(says(std::slice::from_ref(&benign), &scene.signing().evidence()), "revoked");
        assert_eq!(says(std::slice::from_ref(&worse), &stamped), "revoked");
        // Beside evidence that may be used it counts as a revocation, and that evidence tells the status.
        assert_eq!(says(&[benign.clone(), good.clone()], &stamped), "accepted");
        assert_eq!(says(&[worse, benign, good.clone()], &stamped), "revoked");
    }
    let day = 2 * DAY as u64;
    let verifier = checking(
        verifier([scene.identity("bob", "O=Acme")], 1),
        &[revoking(stale(), SUPERSEDED)],
        StatusRule::WhenNamed,
        day,
    );
    assert_eq!(verdict(&verifier, &[stamped], scene.now()), "accepted", "within the grace period");
}

/// What was not looked at may be a revocation for another reason: attached forgeries must not use up the checks.
#[test]
fn a_limit_of_checks_lets_no_timestamp_keep_a_signature() {
    let Some(scene) = SCENE.as_ref() else { return };
    let stamped = Signing { timestamp: Some((&scene.tsa, scene.after(60).unix())), ..scene.signing() }.evidence();
    let benign = revoking(scene, 1, scene.after(DAY / 2), SUPERSEDED);
    let forged = |flip: u8| {
        let mut crl = benign.clone();
        *crl.last_mut().unwrap() ^= flip;
        crl
    };
    let crls = [benign.clone(), forged(1), forged(2)];
    for (checks, want) in [(3, "accepted"), (2, "?status-unknown"), (1, "?status-unknown")] {
        let limits = Limits::DEFAULT.with(|limits| limits.revocation.signature_checks = checks);
        let verifier = verifier_within([scene.identity("bob", "O=Acme")], 1, limits);
        let verifier = checking(verifier, &crls, StatusRule::WhenNamed, 0);
        assert_eq!(verdict(&verifier, std::slice::from_ref(&stamped), scene.now()), want, "{checks}");
    }
}

#[test]
fn a_timestamp_keeps_a_signature_from_before_a_revocation_that_is_no_compromise() {
    let Some(scene) = SCENE.as_ref() else { return };
    let stamped = |at: i64| Signing { timestamp: Some((&scene.tsa, scene.after(at).unix())), ..scene.signing() };
    let revoked = |reason| revoking(scene, 1, scene.after(DAY / 2), reason);
    for (signed_at, reason, want) in [
        (Some(DAY / 2 - 1), SUPERSEDED, "accepted"),
        (Some(DAY / 2), SUPERSEDED, "revoked"),
        (Some(DAY / 2 - 1), KEY_COMPROMISE, "revoked"),
        (Some(DAY / 2 - 1), None, "revoked"),
        (Some(DAY / 2 - 1), Some(0), "revoked"),
        (None, SUPERSEDED, "revoked"),
    ] {
        let signing = signed_at.map_or_else(|| scene.signing(), stamped);
        let verifier = trusting(scene, &[revoked(reason)]);
        assert_eq!(verdict(&verifier, &[signing.evidence()], scene.now()), want, "{signed_at:?} {reason:?}");
    }
    let verifier = trusting(scene, &[revoked(SUPERSEDED)]);
    let verified = verifier.verify(image(), [&stamped(60).evidence()], scene.now()).unwrap();
    let certified = verified.accepted().first().signer.certified().unwrap();
    assert_eq!(certified.statuses().unwrap()[0].passed, PassedBy::Rescued(RescueRule::BeforeRevocation));
    assert_eq!(certified.timestamp().unwrap().at(), scene.after(60));
    // The authority must not be revoked either, and its root must be trusted for timestamps.
    let tsa = List::of(&scene.tsa_root, scene.now()).entry(entry(3, scene.after(DAY / 2), KEY_COMPROMISE));
    let both = [revoked(SUPERSEDED), tsa.signed_by(&scene.tsa_root)];
    assert_eq!(verdict(&trusting(scene, &both), &[stamped(60).evidence()], scene.now()), "revoked");
    let identity = scene.identity_below("bob", "O=Acme", &[(&scene.root, Purpose::Signing)]);
    let untrusted = checking(super::scene::verifier([identity], 1), &[revoked(SUPERSEDED)], StatusRule::WhenNamed, 0);
    assert_eq!(verdict(&untrusted, &[stamped(60).evidence()], scene.now()), "revoked");
}

#[test]
fn a_timestamp_that_is_needed_is_by_an_authority_that_is_not_revoked() {
    let Some(scene) = SCENE.as_ref() else { return };
    let late = scene.after(400 * DAY);
    let evidence = [Signing { timestamp: Some((&scene.tsa, scene.after(DAY).unix())), ..scene.signing() }.evidence()];
    assert_eq!(verdict(&trusting(scene, &[]), &evidence, late), "accepted");
    let tsa = |reason| {
        let list = List::of(&scene.tsa_root, late).entry(entry(3, scene.after(2 * DAY), reason));
        list.signed_by(&scene.tsa_root)
    };
    assert_eq!(verdict(&trusting(scene, &[tsa(KEY_COMPROMISE)]), &evidence, late), "revoked");
    assert_eq!(verdict(&trusting(scene, &[tsa(None)]), &evidence, late), "revoked");
    // RFC 3161 section 4: a token from before stays valid for these reasons.
    assert_eq!(verdict(&trusting(scene, &[tsa(SUPERSEDED)]), &evidence, late), "accepted");
    assert_eq!(verdict(&trusting(scene, &[tsa(Some(0))]), &evidence, late), "accepted");
}

/// The codes of all faults, the one that decides first; `?` before them where the answer is could-not-tell.
fn faults(verifier: &Verifier, signing: &Signing<'_>, now: Time) -> String {
    let refusal = verifier.verify(image(), &[signing.evidence()], now).unwrap_err();
    let reason = &refusal.findings[0].reason;
    let codes: Vec<_> = reason.certificate_faults().map(|fault| fault.code()).collect();
    assert_eq!(reason.code(), codes[0], "{reason}");
    format!("{}{}", if refusal.is_undetermined() { "?" } else { "" }, codes.join(" "))
}

/// A chain that is refused for its time alone is reported with its status, which never changes the answer.
#[test]
fn the_status_of_an_expired_chain_is_reported_and_decides_nothing() {
    let Some(scene) = SCENE.as_ref() else { return };
    let late = scene.after(400 * DAY);
    let named = || Signing { signer: NAMED.as_ref().unwrap(), ..scene.signing() };
    let revoked = revoking(scene, 1, scene.after(DAY), KEY_COMPROMISE);
    let good = List::of(&scene.root, late).signed_by(&scene.root);
    assert_eq!(faults(&trusting(scene, &[]), &scene.signing(), late), "expired");
    assert_eq!(faults(&trusting(scene, &[good]), &scene.signing(), late), "expired");
    assert_eq!(faults(&trusting(scene, std::slice::from_ref(&revoked)), &scene.signing(), late), "expired revoked");
    // A refusal stays one where the status is not known.
    assert_eq!(faults(&trusting(scene, &[]), &named(), late), "expired status-unknown");
    assert_eq!(faults(&trusting(scene, &[]), &named(), scene.after(-DAY)), "not-yet-valid status-unknown");
    // Could-not-tell stays could-not-tell where a certificate is revoked.
    let identity = scene.identity_below("bob", "O=Acme", &[(&scene.root, Purpose::SigningAuthority)]);
    let attributes = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(9 * DAY));
    let ahead = Signing { attributes, ..scene.signing() };
    let authority = checking(verifier([identity], 1), std::slice::from_ref(&revoked), StatusRule::WhenNamed, 0);
    assert_eq!(faults(&authority, &ahead, scene.now()), "?time-ahead revoked");
    // Nobody vouches for the status where nobody trusts the chain, and none is asked where revocation is not checked.
    let other = scene.identity_below("bob", "O=Acme", &[(&scene.other_root, Purpose::Signing)]);
    let untrusted = checking(verifier([other], 1), &[revoked], StatusRule::WhenNamed, 0);
    assert_eq!(faults(&untrusted, &scene.signing(), late), "trust");
    assert_eq!(faults(&verifier([scene.identity("bob", "O=Acme")], 1), &named(), late), "expired");
    // Both messages name the certificate, the clause and the time.
    let refusal = trusting(scene, &[]).verify(image(), &[named().evidence()], late).unwrap_err();
    let said = refusal.findings[0].reason.to_string();
    for part in ["RFC 5280 section 6.1.3 (a) (2)", "RFC 5280 section 6.3.3"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(said.matches("`CN=named,O=Acme,C=US` (serial 09)").count(), 3, "{said}");
}

/// The chain of two certificates costs two signature checks more: it is verified once more for its status, which is not
/// reported where the budget does not suffice.
#[test]
fn the_status_of_an_expired_chain_is_paid_for() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (late, evidence) = (scene.after(400 * DAY), scene.signing().evidence());
    let verifier = trusting(scene, &[revoking(scene, 1, scene.after(DAY), KEY_COMPROMISE)]);
    let time = VerificationTime::now(late);
    let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: verifier.revocation(), time };
    for (checks, want) in [(5, "expired"), (6, "expired"), (7, "expired revoked")] {
        let mut budget = SignatureBudget::of(checks);
        let found = verifier.trust().authenticate(&evidence, context, &mut budget);
        let Some(Rejection::Certificate(rejection)) = found.rejected else { panic!("{found:?}") };
        let codes: Vec<_> = rejection.faults().iter().map(|fault| fault.code()).collect();
        assert_eq!(codes.join(" "), want, "{checks}");
        // Nothing is left.
        assert!(verifier.trust().authenticate(&evidence, context, &mut budget).undetermined.is_some());
    }
}

/// A revocation that no timestamp helps against wins over an authority about which nothing is known.
#[test]
fn a_revocation_wins_over_an_authority_whose_status_is_not_known() {
    let Some(scene) = SCENE.as_ref() else { return };
    let late = scene.after(400 * DAY);
    let extensions = format!("{TSA}crlDistributionPoints=URI:http://crl.example/tsa.crl\n");
    let tsa = scene.shop.issue(&scene.tsa_root, plan("/C=US/O=Time/CN=Named", &extensions));
    let stamped = Signing { timestamp: Some((&tsa, scene.after(DAY).unix())), ..scene.signing() };
    let list = List::of(&scene.root, late);
    let revoked = |reason| list.clone().entry(entry(1, scene.after(2 * DAY), reason)).signed_by(&scene.root);
    let says = |crls: &[Vec<u8>]| faults(&trusting(scene, crls), &stamped, late);
    assert_eq!(says(&[revoked(KEY_COMPROMISE)]), "revoked status-unknown");
    assert_eq!(says(&[revoked(SUPERSEDED)]), "?status-unknown");
    assert_eq!(says(&[]), "?status-unknown");
}

#[test]
fn a_signing_authority_dates_its_signatures_before_a_revocation() {
    let Some(scene) = SCENE.as_ref() else { return };
    let anchors = [(&scene.root, Purpose::SigningAuthority), (&scene.tsa_root, Purpose::TimeStamping)];
    let verifier = verifier([scene.identity_below("bob", "O=Acme", &anchors)], 1);
    for (stated, reason, want) in
        [(60, SUPERSEDED, "accepted"), (DAY / 2, SUPERSEDED, "revoked"), (60, KEY_COMPROMISE, "revoked")]
    {
        let attributes = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(stated));
        // The authority decides when the signature was made: a timestamp that says otherwise makes it no older.
        for timestamp in [None, Some((&scene.tsa, scene.after(60).unix()))] {
            let evidence = [Signing { attributes: attributes.clone(), timestamp, ..scene.signing() }.evidence()];
            let crl = revoking(scene, 1, scene.after(DAY / 2), reason);
            let checking = checking(verifier.clone(), &[crl], StatusRule::WhenNamed, 0);
            assert_eq!(verdict(&checking, &evidence, scene.now()), want, "{stated} {reason:?}");
        }
    }
}
