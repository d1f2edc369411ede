//! Statements that do not enforce every check: each check is made as an enforced one, and nothing is verified.

use bulla::envelope::Evidence;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::limits::Limits;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::policy::Condition;
use bulla::time::Time;
use bulla::trust::RevocationCheck;
use bulla::trust::StatusRule;
use bulla::trust::notation::TrustPolicyDocument;
use bulla::trust::notation::TrustStore;
use bulla::trust::notation::UnenforcedStatement;
use bulla::verify::UnenforcedVerifier;
use bulla::x509::CertificateRevocationList;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::StatusEvidence;
use serde_json::Value;
use serde_json::json;

use super::author::List;
use super::author::entry;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::plan;
use super::scene::*;

fn statement(verification: &Value, identities: &[&str], root: &Made) -> Option<UnenforcedStatement> {
    let skip = verification["level"] == "skip";
    let statement = json!({
        "name": "all", "registryScopes": ["*"], "signatureVerification": verification,
        "trustStores": match (skip, verification.get("verifyTimestamp")) {
            (true, _) => json!([]),
            (false, None) => json!(["ca:acme"]),
            (false, Some(_)) => json!(["ca:acme", "tsa:time"]),
        },
        "trustedIdentities": if skip { &[][..] } else { identities },
    });
    let document = json!({"version": "1.0", "trustPolicies": [statement]}).to_string();
    let policy = TrustPolicyDocument::parse(document.as_bytes(), &Limits::DEFAULT).unwrap();
    let statement = policy.statements().first();
    let named = statement.trust_stores().iter();
    let anchor = |name: &str| match name.starts_with("tsa:") {
        true => SCENE.as_ref().unwrap().tsa_root.certificate.clone(),
        false => root.certificate.clone(),
    };
    let stores: Vec<_> =
        named.map(|name| TrustStore::new(name.clone(), vec![anchor(&name.to_string())]).unwrap()).collect();
    UnenforcedStatement::of(statement, &stores).unwrap()
}

fn verifier_of(verification: &Value, identities: &[&str], root: &Made) -> UnenforcedVerifier {
    let statement = statement(verification, identities, root).unwrap();
    UnenforcedVerifier::new(statement, [], Limits::DEFAULT).unwrap()
}

/// The outcome of each check, `T`imestamp, `A`uthenticity, `E`xpiry, `I`ntegrity, `R`evocation: `+` passed, `-` failed, `0`
/// not made; or the verdict and the codes of the findings.
fn outcome(verifier: &UnenforcedVerifier, evidence: &Evidence, now: Time) -> String {
    match verifier.check(image(), [evidence], now) {
        Ok(verdict) => {
            let checks = &verdict.accepted[0].checked.checks;
            let letter = |outcome: &str| match outcome {
                "passed" => '+',
                "failed" => '-',
                _ => '0',
            };
            "TAEIR".chars().zip(checks).flat_map(|(name, made)| [name, letter(made.outcome.as_str())]).collect()
        }
        Err(refusal) => {
            let unsure = if refusal.is_undetermined() { "?" } else { "" };
            let codes: Vec<_> = refusal.findings.iter().map(|finding| finding.reason.code()).collect();
            format!("{unsure}{}", codes.join(" "))
        }
    }
}

const ACME: &[&str] = &["x509.subject: C=US, ST=WA, O=Acme"];
const OTHER: &[&str] = &["x509.subject: C=US, ST=WA, O=Other"];

#[test]
fn each_check_is_made_and_those_that_are_enforced_decide() {
    let Some(scene) = SCENE.as_ref() else { return };
    let audit = json!({"level": "audit"});
    let permissive = json!({"level": "permissive"});
    let expiry = json!({"level": "strict", "override": {"expiry": "log"}});
    let good = scene.signing().evidence();
    let attributes = |attributes: NotaryAttributes| Signing { attributes, ..scene.signing() }.evidence();
    let plain = || NotaryAttributes::new(SigningScheme::X509, scene.after(60));
    let expired = attributes(plain().with_expiry(scene.after(120)));
    let critical = attributes(plain().with_extended("example/unknown", "a", true));
    let other = NotaryPayload::new(OCI_MANIFEST, &bulla::digest::Digest::sha256(b"x"), 1, &Default::default());
    let other = Signing { payload: other.unwrap(), ..scene.signing() }.evidence();
    let (now, late) = (scene.now(), scene.after(400 * DAY));
    let root = &scene.root;
    for (verification, names, root, evidence, now, want) in [
        (&audit, ACME, root, &good, now, "T+A+E+I+R+"),
        // Every check that is logged may fail, and is reported.
        (&audit, OTHER, root, &good, now, "T0A-E+I+R0"),
        (&audit, ACME, &scene.other_root, &good, now, "T0A-E+I+R0"),
        (&audit, ACME, root, &good, late, "T-A+E+I+R+"),
        (&audit, ACME, root, &expired, now, "T+A+E-I+R+"),
        // Integrity is always enforced, and so is what was signed.
        (&audit, ACME, root, &critical, now, "unknown-critical-attribute"),
        (&audit, ACME, root, &other, now, "other-subject"),
        (&permissive, ACME, root, &good, late, "T-A+E+I+R+"),
        (&permissive, OTHER, root, &good, now, "certificate-identity"),
        (&permissive, ACME, &scene.other_root, &good, now, "trust"),
        (&permissive, ACME, root, &expired, now, "T+A+E-I+R+"),
        (&expiry, ACME, root, &expired, now, "T+A+E-I+R+"),
        (&expiry, ACME, root, &good, late, "expired"),
        (&expiry, OTHER, root, &good, now, "certificate-identity"),
    ] {
        let found = outcome(&verifier_of(verification, names, root), evidence, now);
        assert_eq!(found, want, "{verification} {names:?}");
    }
    // An enforced check that cannot be made, since one that is logged failed, is could-not-tell.
    let logged = json!({"level": "strict", "override": {"authenticity": "log"}});
    assert_eq!(outcome(&verifier_of(&logged, OTHER, root), &good, now), "?certificate-identity");
    assert_eq!(outcome(&verifier_of(&logged, ACME, root), &good, now), "T+A+E+I+R+");
}

/// A check by one CRL.
fn with_crl(crl: Vec<u8>) -> RevocationCheck {
    let mut pool = StatusEvidence::new();
    pool.add_crl(CertificateRevocationList::parse(crl, &Limits::DEFAULT).unwrap(), &Limits::DEFAULT).unwrap();
    let freshness = FreshnessRule {
        expired_certificates: ExpiredCertificates::MayBeDropped,
        grace_after_next_update: std::time::Duration::ZERO,
        maximum_age: None,
    };
    RevocationCheck::new(pool, freshness, StatusRule::WhenNamed)
}

#[test]
fn revocation_is_checked_also_where_it_is_logged_and_not_where_it_is_skipped() {
    let Some(scene) = SCENE.as_ref() else { return };
    let now = scene.now();
    let check = with_crl(List::of(&scene.root, now).entry(entry(1, now, Some(1))).signed_by(&scene.root));
    let good = scene.signing().evidence();
    let of = |verification: &Value| verifier_of(verification, ACME, &scene.root).with_revocation(check.clone());
    let over = |action: &str| json!({"level": "strict", "override": {"revocation": action, "expiry": "log"}});
    assert_eq!(outcome(&of(&over("log")), &good, now), "T+A+E+I+R-");
    assert_eq!(outcome(&of(&over("skip")), &good, now), "T+A+E+I+R0");
    assert_eq!(outcome(&of(&over("enforce")), &good, now), "revoked");
    // The certificate has expired, which is logged; the revocation is enforced all the same.
    let late = json!({"level": "strict", "override": {"authenticTimestamp": "log", "revocation": "enforce"}});
    assert_eq!(outcome(&of(&late), &good, scene.after(400 * DAY)), "revoked");
    // A certificate that names a CRL which nobody brought.
    let extensions = format!("{LEAF}crlDistributionPoints=URI:http://crl.example/a.crl\n");
    let naming = plan("/C=US/ST=WA/O=Acme/CN=crl", &extensions);
    let naming = scene.shop.issue(&scene.root, Plan { serial: "79", ..naming });
    let naming = Signing { signer: &naming, ..scene.signing() }.evidence();
    let enforced = json!({"level": "strict", "override": {"expiry": "log"}});
    assert_eq!(outcome(&verifier_of(&enforced, ACME, &scene.root), &naming, now), "?status-unknown");
    assert_eq!(outcome(&verifier_of(&json!({"level": "audit"}), ACME, &scene.root), &naming, now), "T+A+E+I+R-");
}

/// notation checks the authority in its step of the timestamp, which the level of `revocation` has no say in.
#[test]
fn the_authority_of_a_timestamp_must_not_be_revoked_also_where_revocation_is_logged_or_skipped() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (now, late) = (scene.now(), scene.after(400 * DAY));
    let stamped = |tsa| Signing { timestamp: Some((tsa, scene.after(120).unix())), ..scene.signing() }.evidence();
    let good = stamped(&scene.tsa);
    let named = format!("{TSA}crlDistributionPoints=URI:http://crl.example/tsa.crl\n");
    let naming = scene.shop.issue(&scene.tsa_root, Plan { serial: "79", ..plan("/O=Time/CN=naming", &named) });
    let naming = stamped(&naming);
    let revoking = |serial, reason| {
        let list = List { this_update: scene.after(398 * DAY), ..List::of(&scene.tsa_root, late) };
        Some(list.entry(entry(serial, scene.after(2 * DAY), Some(reason))).signed_by(&scene.tsa_root))
    };
    let level = |timestamp: &str, revocation: &str, verify: &str| {
        let over = json!({"authenticTimestamp": timestamp, "revocation": revocation, "expiry": "log"});
        json!({"level": "strict", "override": over, "verifyTimestamp": verify})
    };
    let (compromised, superseded, other) = (revoking(3, 1), revoking(3, 4), revoking(4, 1));
    for (timestamp, revocation, evidence, crl, want) in [
        ("enforce", "skip", &good, &other, "T+A+E+I+R0"),
        ("enforce", "skip", &good, &compromised, "revoked"),
        ("enforce", "log", &good, &compromised, "revoked"),
        ("enforce", "enforce", &good, &compromised, "revoked"),
        // RFC 3161 section 4: a token from before stays valid for this reason.
        ("enforce", "skip", &good, &superseded, "T+A+E+I+R0"),
        ("enforce", "log", &good, &superseded, "T+A+E+I+R+"),
        // The check of the timestamp is the logged one, and the signer is not revoked.
        ("log", "skip", &good, &compromised, "T-A+E+I+R0"),
        ("log", "log", &good, &compromised, "T-A+E+I+R+"),
        ("log", "enforce", &good, &compromised, "T-A+E+I+R+"),
        // An authority that names a CRL which nobody brought.
        ("enforce", "skip", &naming, &None, "?status-unknown"),
        ("enforce", "log", &naming, &None, "?status-unknown"),
        ("log", "skip", &naming, &None, "T-A+E+I+R0"),
    ] {
        for (verify, at) in [("afterCertExpiry", late), ("always", late), ("always", scene.after(399 * DAY))] {
            let verifier = verifier_of(&level(timestamp, revocation, verify), ACME, &scene.root);
            let verifier = match crl {
                Some(crl) => verifier.with_revocation(with_crl(crl.clone())),
                None => verifier,
            };
            assert_eq!(outcome(&verifier, evidence, at), want, "{timestamp} {revocation} {verify}");
        }
    }
    // A timestamp that is not needed is not looked at.
    let verifier = verifier_of(&level("enforce", "skip", "afterCertExpiry"), ACME, &scene.root);
    assert_eq!(outcome(&verifier, &naming, now), "T+A+E+I+R0");
}

#[test]
fn skip_makes_no_check_and_answers_no_condition() {
    let Some(scene) = SCENE.as_ref() else { return };
    let skip = || statement(&json!({"level": "skip"}), &[], &scene.root).unwrap();
    let verdict = UnenforcedVerifier::new(skip(), [], Limits::DEFAULT).unwrap();
    let verdict = verdict.check(image(), &[scene.signing().evidence()], scene.now()).unwrap();
    assert!(verdict.is_skipped() && verdict.accepted.is_empty() && verdict.findings.is_empty(), "{verdict:?}");
    let condition = Condition::Annotation { key: "a".to_owned(), value: "b".to_owned() };
    assert!(UnenforcedVerifier::new(skip(), [condition.clone()], Limits::DEFAULT).is_err());
    // A condition holds for every other level.
    let audit = statement(&json!({"level": "audit"}), ACME, &scene.root).unwrap();
    let audit = UnenforcedVerifier::new(audit, [condition], Limits::DEFAULT).unwrap();
    assert_eq!(outcome(&audit, &scene.signing().evidence(), scene.now()), "annotation");
    // One check that is skipped is not all of them.
    let one = verifier_of(&json!({"level": "strict", "override": {"revocation": "skip"}}), ACME, &scene.root);
    assert!(!one.check(image(), &[scene.signing().evidence()], scene.now()).unwrap().is_skipped());
    // A statement that enforces every check is not an unenforced statement.
    assert!(statement(&json!({"level": "strict"}), ACME, &scene.root).is_none());
}
