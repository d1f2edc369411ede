//! Statements of trust policies of the Notary Project, evaluated: each by a signature that is right in all else.

use std::collections::BTreeSet;

use bulla::envelope::NotaryAttributes;
use bulla::envelope::SigningScheme;
use bulla::limits::Limits;
use bulla::trust::Identity;
use bulla::trust::Owner;
use bulla::trust::RevocationUse;
use bulla::trust::TimestampUse;
use bulla::trust::TrustRoot;
use bulla::trust::notation::TrustPolicyDocument;
use bulla::trust::notation::TrustStore;
use bulla::trust::notation::TrustStoreError;
use bulla::trust::notation::UnevaluatedStatement;
use bulla::x509::Purpose;
use serde_json::Value;
use serde_json::json;

use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::plan;
use super::scene::*;

const ACME: &str = "x509.subject: C=US, ST=WA, O=Acme";

/// A document with one statement for every repository.
fn policy(verification: &Value, stores: &[&str], identities: &[&str]) -> TrustPolicyDocument {
    let statement = json!({
        "name": "all", "registryScopes": ["*"], "signatureVerification": verification,
        "trustStores": stores, "trustedIdentities": identities
    });
    let document = json!({"version": "1.0", "trustPolicies": [statement]}).to_string();
    TrustPolicyDocument::parse(document.as_bytes(), &Limits::DEFAULT).unwrap()
}

/// The identities of the one statement, whose stores hold these certificates, in their order.
fn identities(policy: &TrustPolicyDocument, stores: &[&Made]) -> Result<Vec<Identity>, UnevaluatedStatement> {
    let statement = policy.statements().first();
    let named = statement.trust_stores().iter().zip(stores);
    let stores: Vec<_> =
        named.map(|(name, made)| TrustStore::new(name.clone(), vec![made.certificate.clone()]).unwrap()).collect();
    statement.identities(&stores)
}

fn strict() -> Value {
    json!({"level": "strict"})
}

#[test]
fn a_trusted_identity_is_an_owner_with_the_name_of_its_statement() {
    let Some(scene) = SCENE.as_ref() else { return };
    let evidence = [scene.signing().evidence()];
    for (texts, want) in [
        (&["*"][..], "accepted"),
        (&[ACME], "accepted"),
        (&["x509.subject: C=US, ST=WA, O=Other", ACME], "accepted"),
        (&["x509.subject: C=US, ST=WA, O=Other"], "certificate-identity"),
        (&["x509.subject: C=US, ST=WA, O=acme"], "certificate-identity"),
    ] {
        let trusted = identities(&policy(&strict(), &["ca:acme"], texts), &[&scene.root]).unwrap();
        assert_eq!(trusted.len(), texts.len());
        assert_eq!(verdict(&verifier(trusted.clone(), 1), &evidence, scene.now()), want, "{texts:?}");
        for (identity, text) in trusted.iter().zip(texts) {
            assert_eq!(identity.owner(), &Owner::Named(format!("all: {text}")));
            let means = identity.certificates().unwrap();
            assert_eq!(means.names().is_none(), *text == "*");
            assert_eq!(means.revocation(), RevocationUse::Required);
        }
    }
    // Any name is not any authority.
    let other = identities(&policy(&strict(), &["ca:acme"], &["*"]), &[&scene.other_root]).unwrap();
    assert_eq!(verdict(&verifier(other, 1), &evidence, scene.now()), "trust");
}

#[test]
fn the_version_of_the_trust_root_covers_all_that_a_statement_says() {
    let Some(scene) = SCENE.as_ref() else { return };
    let after = json!({"level": "strict", "verifyTimestamp": "afterCertExpiry"});
    let stores = ["ca:acme", "tsa:time"];
    let version = |verification: &Value, stores: &[&str], identity: &str, root: &Made| {
        let policy = policy(verification, stores, &[identity]);
        let mut trusted = identities(&policy, &[root, &scene.tsa_root]).unwrap();
        // The owner of `*` and of another identity have different names in any case.
        let means = trusted.remove(0).means().clone();
        TrustRoot::new([Identity::new(Owner::Named("same".to_owned()), means)]).unwrap().version()
    };
    let all = [
        version(&strict(), &stores, ACME, &scene.root),
        version(&strict(), &stores, "*", &scene.root),
        version(&after, &stores, ACME, &scene.root),
        version(&strict(), &stores[..1], ACME, &scene.root),
        version(&strict(), &stores, ACME, &scene.other_root),
        TrustRoot::new([scene.identity("same", ACME)]).unwrap().version(),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert_eq!(all[0], version(&strict(), &stores, ACME, &scene.root));
}

#[test]
fn a_store_is_trusted_for_what_its_kind_says() {
    let Some(scene) = SCENE.as_ref() else { return };
    let signed = [scene.signing().evidence()];
    let attributes = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(60));
    let stated = [Signing { attributes, ..scene.signing() }.evidence()];
    for (store, purpose, of_signer, of_authority) in [
        ("ca:acme", Purpose::Signing, "accepted", "trust"),
        ("signingAuthority:acme", Purpose::SigningAuthority, "trust", "accepted"),
        ("tsa:acme", Purpose::TimeStamping, "trust", "trust"),
    ] {
        let policy = policy(&strict(), &[store], &["*"]);
        assert_eq!(policy.statements().first().trust_stores()[0].kind().purpose(), purpose);
        let verifier = verifier(identities(&policy, &[&scene.root]).unwrap(), 1);
        assert_eq!(verdict(&verifier, &signed, scene.now()), of_signer, "{store}");
        assert_eq!(verdict(&verifier, &stated, scene.now()), of_authority, "{store}");
    }
    let policy = policy(&strict(), &["ca:acme", "ca:other"], &["*"]);
    let missing = identities(&policy, &[&scene.root]).unwrap_err();
    assert!(matches!(missing, UnevaluatedStatement::StoreNotRead { .. }), "{missing}");
}

#[test]
fn certificates_of_a_store_are_of_authorities_or_self_signed() {
    let Some(scene) = SCENE.as_ref() else { return };
    let Some(shop) = Workshop::new() else { return };
    let alone = shop.root(plan("/C=US/ST=WA/O=Acme/CN=alone", LEAF));
    let policy = policy(&strict(), &["ca:a", "signingAuthority:a", "tsa:a"], &["*"]);
    let names = policy.statements().first().trust_stores();
    let of = |number: usize, made: &[&Made]| {
        let all = [&[&scene.root], made].concat();
        TrustStore::new(names[number].clone(), all.iter().map(|one| one.certificate.clone()).collect())
    };
    for number in [0, 1] {
        assert_eq!(of(number, &[&alone]).unwrap().certificates().count(), 2);
        assert!(matches!(of(number, &[&scene.leaf]), Err(TrustStoreError::NotAnAuthority { .. })));
    }
    assert_eq!(of(2, &[&scene.tsa_root]).unwrap().name(), &names[2]);
    for made in [&alone, &scene.leaf, &scene.tsa] {
        assert!(matches!(of(2, &[made]), Err(TrustStoreError::NotARoot { .. })));
    }
    for name in names {
        assert!(matches!(TrustStore::new(name.clone(), Vec::new()), Err(TrustStoreError::Empty { .. })));
    }
}

#[test]
fn a_statement_with_a_timestamp_authority_wants_a_timestamp() {
    let Some(scene) = SCENE.as_ref() else { return };
    let verification = |text: &str| json!({"level": "strict", "verifyTimestamp": text});
    let verifier_of = |verification: &Value, stores: &[&str]| {
        let policy = policy(verification, stores, &[ACME]);
        verifier(identities(&policy, &[&scene.root, &scene.tsa_root]).unwrap(), 1)
    };
    let with_tsa = ["ca:acme", "tsa:time"];
    let (plain, at, late) = (scene.signing(), scene.after(DAY), scene.after(400 * DAY));
    let stamped = Signing { timestamp: Some((&scene.tsa, at.unix())), ..plain.clone() };
    let foreign = Signing { timestamp: Some((&scene.leaf, at.unix())), ..plain.clone() };
    let attributes = NotaryAttributes::new(SigningScheme::X509, scene.after(61));
    let early = Signing { timestamp: Some((&scene.tsa, scene.after(-DAY).unix())), ..plain.clone() };
    for always in [verification("always"), strict()] {
        let always = verifier_of(&always, &with_tsa);
        for (signing, now, want) in [
            (&plain, scene.now(), "timestamp-required"),
            (&plain, late, "expired"),
            (&stamped, scene.now(), "accepted"),
            (&stamped, late, "accepted"),
            (&foreign, scene.now(), "timestamp-required"),
            (&early, scene.now(), "timestamp-required"),
            // The timestamp lies ahead of the clock.
            (&stamped, scene.after(DAY - 61), "?timestamp-required"),
        ] {
            assert_eq!(verdict(&always, &[signing.evidence()], now), want);
        }
        let moved = Signing { attributes: attributes.clone(), ..stamped.clone() };
        assert_eq!(verdict(&always, &[moved.evidence()], scene.now()), "accepted");
        let verified = always.verify(image(), [&stamped.evidence()], scene.now()).unwrap();
        assert_eq!(verified.accepted().first().signer.certified().unwrap().judged_at().time, at);
    }
    let after_expiry = verifier_of(&verification("afterCertExpiry"), &with_tsa);
    assert_eq!(verdict(&after_expiry, &[plain.evidence()], scene.now()), "accepted");
    assert_eq!(verdict(&after_expiry, &[plain.evidence()], late), "expired");
    assert_eq!(verdict(&after_expiry, &[stamped.evidence()], late), "accepted");
    // Without a store for timestamps none is used.
    let without = verifier_of(&verification("always"), &["ca:acme"]);
    assert_eq!(verdict(&without, &[plain.evidence()], scene.now()), "accepted");
    assert_eq!(verdict(&without, &[stamped.evidence()], late), "expired");
    // A signing authority states the time.
    let authority = policy(&verification("always"), &["signingAuthority:acme", "tsa:time"], &["*"]);
    let identities = identities(&authority, &[&scene.root, &scene.tsa_root]).unwrap();
    assert_eq!(identities[0].certificates().unwrap().timestamps(), TimestampUse::Required);
    let stated = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(60));
    let stated = Signing { attributes: stated, ..scene.signing() };
    assert_eq!(verdict(&verifier(identities, 1), &[stated.evidence()], scene.now()), "accepted");
}

#[test]
fn what_could_be_revoked_is_could_not_tell() {
    let Some(scene) = SCENE.as_ref() else { return };
    let Some(shop) = Workshop::new() else { return };
    let trusted = identities(&policy(&strict(), &["ca:acme"], &[ACME]), &[&scene.root]).unwrap();
    let (enforced, not_checked) = (verifier(trusted, 1), verifier([scene.identity("bob", "CN=release")], 1));
    for (line, want) in [
        ("crlDistributionPoints=URI:http://crl.example/a.crl", "?status-unknown"),
        ("freshestCRL=URI:http://crl.example/a.crl", "?status-unknown"),
        ("authorityInfoAccess=OCSP;URI:http://ocsp.example", "?status-unknown"),
        ("authorityInfoAccess=caIssuers;URI:http://ca.example/a.cer,OCSP;URI:http://ocsp.example", "?status-unknown"),
        ("authorityInfoAccess=caIssuers;URI:http://ca.example/a.cer", "accepted"),
        ("", "accepted"),
    ] {
        let extensions = format!("{LEAF}{line}\n");
        let leaf = Plan { serial: "77", ..plan("/C=US/ST=WA/O=Acme/CN=release", &extensions) };
        let leaf = shop.issue(&scene.root, leaf);
        let evidence = [Signing { signer: &leaf, ..scene.signing() }.evidence()];
        assert_eq!(verdict(&enforced, &evidence, scene.now()), want, "{line}");
        // Trust by options does not look at revocation.
        assert_eq!(verdict(&not_checked, &evidence, scene.now()), "accepted", "{line}");
    }
    // The chain of the timestamp, where one is used.
    let tsa = format!("{TSA}crlDistributionPoints=URI:http://crl.example/a.crl\n");
    let tsa = shop.issue(&scene.tsa_root, Plan { serial: "78", ..plan("/C=US/O=Time/CN=Clock", &tsa) });
    let stamped = [Signing { timestamp: Some((&tsa, scene.after(DAY).unix())), ..scene.signing() }.evidence()];
    for (mode, want) in [("always", "?status-unknown"), ("afterCertExpiry", "accepted")] {
        let verification = json!({"level": "strict", "verifyTimestamp": mode});
        let policy = policy(&verification, &["ca:acme", "tsa:time"], &[ACME]);
        let trusted = identities(&policy, &[&scene.root, &scene.tsa_root]).unwrap();
        assert_eq!(verdict(&verifier(trusted, 1), &stamped, scene.now()), want, "{mode}");
    }
    // A chain that is refused stays refused.
    let leaf = plan(
        "/C=US/ST=WA/O=Other/CN=release",
        "keyUsage=critical,digitalSignature\ncrlDistributionPoints=URI:http://a.example\n",
    );
    let leaf = shop.issue(&scene.root, leaf);
    let evidence = [Signing { signer: &leaf, ..scene.signing() }.evidence()];
    assert_eq!(verdict(&enforced, &evidence, scene.now()), "certificate-identity");
}

#[test]
fn a_level_that_does_not_enforce_every_check_gives_no_identity() {
    let Some(scene) = SCENE.as_ref() else { return };
    for (verification, check) in [
        (json!({"level": "permissive"}), "authenticTimestamp"),
        (json!({"level": "audit"}), "authenticTimestamp"),
        (json!({"level": "strict", "override": {"revocation": "skip"}}), "revocation"),
        (json!({"level": "strict", "override": {"expiry": "log"}}), "expiry"),
        (json!({"level": "strict", "override": {"authenticity": "log"}}), "authenticity"),
    ] {
        let refused = identities(&policy(&verification, &["ca:acme"], &["*"]), &[&scene.root]).unwrap_err();
        let UnevaluatedStatement::NotEnforced { check: found, .. } = &refused else { panic!("{refused}") };
        assert_eq!(found.as_str(), check, "{refused}");
    }
    let overrides = json!({"authenticTimestamp": "enforce", "expiry": "enforce", "revocation": "enforce"});
    let permissive = policy(&json!({"level": "permissive", "override": overrides}), &["ca:acme"], &["*"]);
    assert_eq!(identities(&permissive, &[&scene.root]).unwrap().len(), 1);
    let plugin = policy(&strict(), &["ca:acme"], &[ACME, "plugin:x"]);
    let refused = identities(&plugin, &[&scene.root]).unwrap_err();
    assert!(matches!(refused, UnevaluatedStatement::PluginIdentity { .. }), "{refused}");
}
