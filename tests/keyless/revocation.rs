//! Revocation of certificates in the formats of Sigstore, and timestamps there: whose they are comes before what they are
//! about.

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::envelope::Bundle;
use bulla::envelope::Evidence;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::Authentication;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::PassedBy;
use bulla::trust::Rejection;
use bulla::trust::RevocationCheck;
use bulla::trust::RevocationUse;
use bulla::trust::SignatureBudget;
use bulla::trust::StatusRule;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::HashAlgorithm;
use bulla::x509::RescueRule;
use bulla::x509::StatusEvidence;
use serde_json::Value;
use serde_json::json;

use crate::author::List;
use crate::author::entry;
use crate::case::checked;
use crate::case::checked_within;
use crate::draft::Draft;
use crate::draft::generalized;
use crate::draft::imprint;
use crate::draft::tlv;
use crate::made::CA;
use crate::made::Made;
use crate::made::Plan;
use crate::made::TSA;
use crate::made::Workshop;
use crate::made::plan;
use crate::own;

const URI: &str = "https://acme.example/a";
const KEY_COMPROMISE: Option<u8> = Some(1);
const SUPERSEDED: Option<u8> = Some(4);

/// A certificate authority, a timestamp authority, and signers; `None` where openssl is missing.
static SCENE: LazyLock<Option<Scene>> = LazyLock::new(|| {
    let shop = Workshop::new()?;
    let root = shop.root(plan("/O=Acme/CN=root", CA));
    let tsa_root = shop.root(plan("/O=Time/CN=root", CA));
    let tsa = shop.issue(&tsa_root, Plan { serial: "3", ..plan("/O=Time/CN=clock", TSA) });
    let untrusted_root = shop.root(plan("/O=Elsewhere/CN=root", CA));
    let untrusted = shop.issue(&untrusted_root, Plan { serial: "4", ..plan("/O=Elsewhere/CN=clock", TSA) });
    let extensions =
        format!("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{URI}\n");
    let named = format!("{extensions}crlDistributionPoints=URI:http://crl.example/root.crl\n");
    let plain = shop.issue(&root, Plan { serial: "1", ..plan("/O=Acme/CN=plain", &extensions) });
    let named = shop.issue(&root, Plan { serial: "2", ..plan("/O=Acme/CN=named", &named) });
    Some(Scene { named, plain, root, _shop: shop, untrusted, tsa, tsa_root })
});

struct Scene {
    named: Made,
    plain: Made,
    root: Made,
    /// The folder with the keys.
    _shop: Workshop,
    untrusted: Made,
    tsa: Made,
    tsa_root: Made,
}

impl Scene {
    fn after(&self, seconds: i64) -> Time {
        Time::from_unix(self.named.certificate.not_before().unix() + seconds).unwrap()
    }

    fn trust(&self, revocation: RevocationUse, rule: LogRule) -> TrustRoot {
        self.trust_until("2999-01-01T00:00:00Z", revocation, rule)
    }

    /// The same, where the authorities are trusted until `end`.
    fn trust_until(&self, end: &str, revocation: RevocationUse, rule: LogRule) -> TrustRoot {
        let authority = |made: &Made| {
            json!({
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(made.certificate.der())}]},
                "validFor": {"start": "2020-01-01T00:00:00Z", "end": end},
            })
        };
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [authority(&self.root)],
            "timestampAuthorities": [authority(&self.tsa_root)],
        });
        let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
        let means = KeylessMeans::new(Arc::new(root), own::uri(URI), rule).with_revocation(revocation);
        TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), Means::Keyless(means))]).unwrap()
    }

    /// The list of an authority that revokes the certificate with this serial number.
    fn revoking(&self, authority: &Made, serial: u64, at: Time, reason: Option<u8>) -> Vec<u8> {
        List::of(authority, self.after(3_600)).entry(entry(serial, at, reason)).signed_by(authority)
    }

    fn empty(&self, authority: &Made) -> Vec<u8> {
        List::of(authority, self.after(3_600)).signed_by(authority)
    }
}

fn check(crls: &[Vec<u8>], rule: StatusRule) -> RevocationCheck {
    let mut evidence = StatusEvidence::new();
    for crl in crls {
        let crl = CertificateRevocationList::parse(crl.clone(), &Limits::DEFAULT).unwrap();
        evidence.add_crl(crl, &Limits::DEFAULT).unwrap();
    }
    let freshness = FreshnessRule {
        expired_certificates: ExpiredCertificates::MayBeDropped,
        grace_after_next_update: Duration::ZERO,
        maximum_age: None,
    };
    RevocationCheck::new(evidence, freshness, rule)
}

/// A bundle of the signer, with timestamps over the signature: the authority, when, and over which bytes instead.
pub fn stamped(signer: &Made, stamps: &[(&Made, Time, Option<&[u8]>)]) -> Evidence {
    stamped_within(signer, stamps, 0)
}

/// As [`stamped`], with this accuracy in seconds.
fn stamped_within(signer: &Made, stamps: &[(&Made, Time, Option<&[u8]>)], accuracy: u8) -> Evidence {
    stamped_with(signer, stamps, |token| {
        if accuracy > 0 {
            token.info.rest = vec![tlv(0x30, &[&tlv(2, &[&[accuracy]])])];
        }
    })
}

/// As [`stamped`], with tokens that are changed before they are signed.
pub fn stamped_with(signer: &Made, stamps: &[(&Made, Time, Option<&[u8]>)], change: impl Fn(&mut Draft)) -> Evidence {
    stamped_bundle(own::bundle(signer), stamps, change)
}

/// The same for this bundle.
pub fn stamped_bundle(
    mut bundle: Value,
    stamps: &[(&Made, Time, Option<&[u8]>)],
    change: impl Fn(&mut Draft),
) -> Evidence {
    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let made = stamps.iter().map(|(authority, at, other)| {
        let mut token = Draft::new(authority);
        token.info.gen_time = generalized(at.unix());
        let hash = HashAlgorithm::Sha256.hash(other.unwrap_or(&signature));
        token.info.imprint = imprint(HashAlgorithm::Sha256, &hash);
        change(&mut token);
        let granted = tlv(0x30, &[&tlv(0x30, &[&tlv(2, &[&[0]])]), &token.made()]);
        json!({"signedTimestamp": STANDARD.encode(granted)})
    });
    let made: Vec<_> = made.collect();
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({"rfc3161Timestamps": made});
    let bundle = Bundle::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    crate::case::evidence(bulla::envelope::SignedDocument::Bundle(bundle))
}

fn code(evidence: &Evidence, trust: &TrustRoot, now: Time, check: Option<&RevocationCheck>) -> String {
    checked(evidence, trust, now, check).map_or_else(|code| code, |_| "verified".to_owned())
}

#[test]
fn a_status_that_is_required_and_not_known_is_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    let now = scene.after(3_600);
    let (plain, named) = (own::read(&own::bundle(&scene.plain)), own::read(&own::bundle(&scene.named)));
    for revocation in [RevocationUse::NotChecked, RevocationUse::Required] {
        let trust = scene.trust(revocation, own::NOW);
        let fresh = [scene.empty(&scene.root)];
        for (evidence, crls, rule, want) in [
            (&plain, &[][..], StatusRule::WhenNamed, "verified"),
            (&plain, &[], StatusRule::Required, "?status-unknown"),
            (&named, &[], StatusRule::WhenNamed, "?status-unknown"),
            (&named, &fresh, StatusRule::WhenNamed, "verified"),
            (&plain, &fresh, StatusRule::Required, "verified"),
        ] {
            assert_eq!(code(evidence, &trust, now, Some(&check(crls, rule))), want, "{revocation:?} {rule:?}");
        }
        let signer = checked(&named, &trust, now, Some(&check(&fresh, StatusRule::WhenNamed))).unwrap();
        let statuses = signer.keyless().unwrap().statuses().unwrap();
        assert_eq!(statuses.len(), 1, "nobody but the operator vouches for the authority");
        assert!(matches!(statuses[0].passed, PassedBy::Good { .. }));
    }
    // Without evidence: what the identity requires is not known; what it does not require is not checked.
    for (revocation, evidence, want) in [
        (RevocationUse::Required, &named, "?status-unknown"),
        (RevocationUse::Required, &plain, "verified"),
        (RevocationUse::NotChecked, &named, "verified"),
    ] {
        assert_eq!(code(evidence, &scene.trust(revocation, own::NOW), now, None), want, "{revocation:?}");
    }
    let strict = scene.trust(RevocationUse::Required, own::NOW).version();
    assert_ne!(strict, scene.trust(RevocationUse::NotChecked, own::NOW).version());
}

#[test]
fn a_revocation_counts_whatever_else_is_there() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, trust) = (scene.after(3_600), scene.trust(RevocationUse::NotChecked, own::NOW));
    for (signer, serial) in [(&scene.plain, 1), (&scene.named, 2)] {
        let evidence = own::read(&own::bundle(signer));
        let revoked = scene.revoking(&scene.root, serial, scene.after(60), SUPERSEDED);
        let pool = check(&[scene.empty(&scene.root), revoked], StatusRule::WhenNamed);
        assert_eq!(code(&evidence, &trust, now, Some(&pool)), "revoked");
        let other = scene.revoking(&scene.root, 9, scene.after(60), KEY_COMPROMISE);
        assert_eq!(code(&evidence, &trust, now, Some(&check(&[other], StatusRule::WhenNamed))), "verified");
    }
}

/// The codes of all faults, the one that decides first; `?` before them where the answer is could-not-tell.
fn faults(evidence: &Evidence, trust: &TrustRoot, now: Time, check: Option<&RevocationCheck>) -> String {
    let time = VerificationTime::now(now);
    let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: check, time };
    let found = trust.authenticate(evidence, context, &mut SignatureBudget::of(10_000));
    let Some(Rejection::Certificate(rejection)) = found.rejected else { return "verified".to_owned() };
    let codes: Vec<_> = rejection.faults().iter().map(|fault| fault.code()).collect();
    assert_eq!(rejection.code(), codes[0], "{rejection}");
    format!("{}{}", if rejection.is_undetermined() { "?" } else { "" }, codes.join(" "))
}

/// A chain that is refused for its time alone is reported with its status, which never changes the answer.
#[test]
fn the_status_of_a_chain_out_of_time_is_reported_and_decides_nothing() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (late, early) = (scene.after(400 * 86_400), scene.after(-86_400));
    let (plain, named) = (own::read(&own::bundle(&scene.plain)), own::read(&own::bundle(&scene.named)));
    let trust = scene.trust(RevocationUse::NotChecked, own::NOW);
    let revoked = |serial| scene.revoking(&scene.root, serial, scene.after(60), SUPERSEDED);
    let pool = |crls: &[Vec<u8>]| check(crls, StatusRule::WhenNamed);
    for (evidence, now, pool, want) in [
        (&plain, late, Some(pool(&[])), "expired"),
        (&plain, late, Some(pool(&[scene.empty(&scene.root)])), "expired"),
        (&plain, late, Some(pool(&[revoked(1)])), "expired revoked"),
        (&plain, late, Some(pool(&[revoked(9)])), "expired"),
        (&plain, late, None, "expired"),
        // A refusal stays one where the status is not known.
        (&named, late, Some(pool(&[])), "expired status-unknown"),
        (&named, early, Some(pool(&[])), "not-yet-valid status-unknown"),
        (&named, early, Some(pool(&[revoked(2)])), "not-yet-valid revoked"),
        (&named, late, None, "expired"),
    ] {
        assert_eq!(faults(evidence, &trust, now, pool.as_ref()), want, "{now}");
    }
    // A timestamp from after the end does not help, and one from before it needs no second look.
    let outside = stamped(&scene.plain, &[(&scene.tsa, scene.after(29 * 86_400), None)]);
    assert_eq!(faults(&outside, &trust, late, Some(&pool(&[]))), "verified");
    // Where an identity requires the status, it is reported without evidence, too.
    let required = scene.trust(RevocationUse::Required, own::NOW);
    assert_eq!(faults(&named, &required, late, None), "expired status-unknown");
    // The authority is not trusted any more.
    let ended = scene.trust_until("2021-01-01T00:00:00Z", RevocationUse::NotChecked, own::NOW);
    let now = scene.after(3_600);
    assert_eq!(faults(&plain, &ended, now, Some(&pool(&[revoked(1)]))), "authority-validity revoked");
    // Nobody vouches for the status where no authority issued the certificate.
    let foreign = own::read(&own::bundle(&scene.untrusted));
    let found = faults(&foreign, &trust, late, Some(&pool(&[revoked(4)])));
    assert!(!found.contains("revoked") && !found.contains("status-unknown"), "{found}");
    // Both messages name the certificate and the clause.
    let context = AuthenticationContext {
        limits: &Limits::DEFAULT,
        revocation: Some(&pool(&[])),
        time: VerificationTime::now(late),
    };
    let found = trust.authenticate(&named, context, &mut SignatureBudget::of(10_000));
    let Some(Rejection::Certificate(rejection)) = found.rejected else { panic!("{found:?}") };
    let said = rejection.to_string();
    for part in ["RFC 5280 section 6.1.3 (a) (2)", "RFC 5280 section 6.3.3"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(said.matches("`CN=named,O=Acme` (serial 02)").count(), 3, "{said}");
}

/// The chain is verified once more for its status, at two times. Where the budget does not suffice for that, the status is
/// not reported.
#[test]
fn the_status_of_a_chain_out_of_time_is_paid_for() {
    let Some(scene) = SCENE.as_ref() else { return };
    let evidence = own::read(&own::bundle(&scene.plain));
    let trust = scene.trust(RevocationUse::NotChecked, own::NOW);
    let pool = check(&[scene.revoking(&scene.root, 1, scene.after(60), SUPERSEDED)], StatusRule::WhenNamed);
    let time = VerificationTime::now(scene.after(400 * 86_400));
    let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: Some(&pool), time };
    let codes = |checks: u64| {
        let Authentication { rejected, .. } = trust.authenticate(&evidence, context, &mut SignatureBudget::of(checks));
        let Some(Rejection::Certificate(rejection)) = rejected else { return String::new() };
        rejection.faults().iter().map(|fault| fault.code()).collect::<Vec<_>>().join(" ")
    };
    let least = |want: &str| (1..1_000).find(|checks| codes(*checks) == want).unwrap();
    // The signer and the one certificate of the authority.
    assert_eq!(least("expired revoked"), least("expired") + 2 * 2);
}

#[test]
fn a_timestamp_keeps_a_signature_from_before_a_revocation_that_is_no_compromise() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, trust) = (scene.after(3_600), scene.trust(RevocationUse::NotChecked, own::NOW));
    let at = scene.after(1_800);
    for (signed_at, reason, want) in [
        (scene.after(1_799), SUPERSEDED, "verified"),
        (scene.after(1_800), SUPERSEDED, "revoked"),
        (scene.after(1_799), KEY_COMPROMISE, "revoked"),
        (scene.after(1_799), None, "revoked"),
    ] {
        let evidence = stamped(&scene.named, &[(&scene.tsa, signed_at, None)]);
        let pool = check(&[scene.revoking(&scene.root, 2, at, reason)], StatusRule::WhenNamed);
        let found = checked(&evidence, &trust, now, Some(&pool));
        assert_eq!(found.as_ref().map_or_else(|code| code.as_str(), |_| "verified"), want, "{signed_at} {reason:?}");
        if let Ok(signer) = found {
            let passed = signer.keyless().unwrap().statuses().unwrap()[0].passed;
            assert_eq!(passed, PassedBy::Rescued(RescueRule::BeforeRevocation));
        }
    }
}

/// RFC 3161 section 2.4.2: the signature may have been made later than the time that is stated, by the accuracy.
#[test]
fn the_accuracy_of_a_timestamp_counts_against_a_revoked_certificate() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, trust) = (scene.after(3_600), scene.trust(RevocationUse::NotChecked, own::NOW));
    let pool = check(&[scene.revoking(&scene.root, 2, scene.after(1_800), SUPERSEDED)], StatusRule::WhenNamed);
    for (accuracy, want) in [(0, "verified"), (4, "verified"), (5, "revoked"), (60, "revoked")] {
        let evidence = stamped_within(&scene.named, &[(&scene.tsa, scene.after(1_795), None)], accuracy);
        assert_eq!(code(&evidence, &trust, now, Some(&pool)), want, "{accuracy}");
    }
}

#[test]
fn a_limit_is_no_proof_that_nothing_revokes_a_certificate_without_sources() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, trust) = (scene.after(3_600), scene.trust(RevocationUse::NotChecked, own::NOW));
    let evidence = own::read(&own::bundle(&scene.plain));
    let pool = check(&[scene.revoking(&scene.root, 1, scene.after(60), SUPERSEDED)], StatusRule::WhenNamed);
    for (checks, want) in [(1, "revoked"), (0, "?status-unknown")] {
        let limits = Limits::DEFAULT.with(|limits| limits.revocation.signature_checks = checks);
        let found = checked_within(&evidence, &trust, now, Some(&pool), &limits);
        assert_eq!(found.map_or_else(|code| code, |_| "verified".to_owned()), want, "{checks}");
    }
}

#[test]
fn a_revoked_timestamp_authority_proves_no_time() {
    let Some(scene) = SCENE.as_ref() else { return };
    let now = scene.after(3_600);
    let evidence = stamped(&scene.plain, &[(&scene.tsa, scene.after(600), None)]);
    for rule in [own::NOW, LogRule::NONE.with_timestamps(1)] {
        let trust = scene.trust(RevocationUse::NotChecked, rule);
        for (at, reason, want) in [
            (scene.after(60), KEY_COMPROMISE, "revoked"),
            (scene.after(3_000), KEY_COMPROMISE, "revoked"),
            (scene.after(3_000), SUPERSEDED, "verified"),
        ] {
            let pool = check(&[scene.revoking(&scene.tsa_root, 3, at, reason)], StatusRule::WhenNamed);
            assert_eq!(code(&evidence, &trust, now, Some(&pool)), want, "{at} {reason:?}");
        }
        let required = check(&[scene.empty(&scene.root)], StatusRule::Required);
        assert_eq!(code(&evidence, &trust, now, Some(&required)), "?status-unknown");
    }
}

/// A timestamp by an authority that is not trusted is skipped, also over other data; by a trusted one it is a refusal.
#[test]
fn a_timestamp_about_something_else_refuses_only_if_its_authority_is_trusted() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, at) = (scene.after(3_600), scene.after(600));
    let present = scene.trust(RevocationUse::NotChecked, own::NOW);
    let required = scene.trust(RevocationUse::NotChecked, LogRule::NONE.with_timestamps(1));
    let other = Some(&b"something else"[..]);
    for (stamps, by_present, by_required) in [
        (&[(&scene.untrusted, at, other)][..], "verified", "timestamp-threshold"),
        (&[(&scene.untrusted, at, None)], "verified", "timestamp-threshold"),
        (&[(&scene.untrusted, at, other), (&scene.tsa, at, None)], "verified", "verified"),
        (&[(&scene.tsa, at, other)], "timestamp-imprint", "timestamp-imprint"),
        (&[(&scene.tsa, at, None), (&scene.tsa, at, other)], "timestamp-imprint", "timestamp-imprint"),
    ] {
        let evidence = stamped(&scene.plain, stamps);
        assert_eq!(code(&evidence, &present, now, None), by_present);
        assert_eq!(code(&evidence, &required, now, None), by_required);
    }
}
