//! Whose keyless signature it is, where several identities and trusted roots could tell.

use std::sync::Arc;

use bulla::envelope::Evidence;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::media_type::COSIGN_SIGN_PREDICATE;
use bulla::trust::CertificateFault;
use bulla::trust::ChainSearch;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;
use serde_json::json;

use crate::case::evidence;
use crate::case::now;
use crate::case::reason;
use crate::case::rejection;
use crate::case::signer;
use crate::case::trusting;
use crate::case::verdict;
use crate::case::with_budget;
use crate::made::LEAF;
use crate::made::Made;
use crate::made::plan;
use crate::mutations::Good;
use crate::mutations::first;
use crate::own;
use crate::scene;
use crate::scene::Signing;

fn identity(owner: &str, root: &Value, names: &IdentityPattern, rule: LogRule) -> Identity {
    let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    let means = KeylessMeans::new(Arc::new(root), names.clone(), rule);
    Identity::new(Owner::Named(owner.to_owned()), Means::Keyless(means))
}

/// The owner, or the code of the reason.
fn owner(good: &Good, identities: impl IntoIterator<Item = Identity>) -> String {
    let trust = TrustRoot::new(identities).unwrap();
    signer(&evidence(good.document()), &trust, now()).map_or_else(|code| code, |signer| signer.owner().to_string())
}

fn nobody() -> IdentityPattern {
    IdentityPattern::all(NonEmpty::one(NamePattern::Email("nobody@example.com".to_owned())))
}

/// The root of the case, in which the keys of all logs of one kind are of an unknown algorithm.
fn unsupported(good: &Good, part: &str) -> Value {
    let mut root = good.root.clone();
    for log in root[part].as_array_mut().unwrap() {
        log["publicKey"]["keyDetails"] = Value::from("PKIX_ED448");
    }
    root
}

#[test]
fn the_credential_of_a_keyless_signer_has_its_key() {
    let Some(good) = first() else { return };
    let trust = TrustRoot::new([identity("a", &good.root, &good.names, LogRule::PUBLIC)]).unwrap();
    let signer = signer(&evidence(good.document()), &trust, now()).unwrap();
    assert_eq!(signer.credential().key(), signer.key());
    assert!(!signer.credential().names().is_empty());
}

#[test]
fn a_missed_log_rule_is_the_reason_where_the_names_fit() {
    let Some(good) = first() else { return };
    let strict = || identity("a", &good.root, &good.names, LogRule::PUBLIC.with_transparency_logs(2));
    let other = || identity("b", &good.root, &nobody(), LogRule::PUBLIC);
    assert_eq!(owner(&good, [strict(), other()]), "log-threshold");
    assert_eq!(owner(&good, [other(), strict()]), "log-threshold");
    // Nobody has these names: that is the reason, before the rule.
    let strict = identity("a", &good.root, &nobody(), LogRule::PUBLIC.with_transparency_logs(2));
    assert_eq!(owner(&good, [strict, other()]), "certificate-identity");
    // The time that is named is the one at which the chain was good.
    let text = reason(&evidence(good.document()), &TrustRoot::new([other()]).unwrap());
    assert!(text.contains("; judged at 20") && !text.contains("the time of this verification"), "{text}");
    // A certificate of Fulcio has no subject; its alternative name says which one it is.
    assert!(text.starts_with("signed with the certificate `https://github.com/"), "{text}");
}

/// A log that the root lists with a key of an unsupported algorithm is not one that nobody trusts.
#[test]
fn a_listed_log_whose_key_is_not_supported_is_could_not_tell() {
    let Some(good) = first() else { return };
    for part in ["tlogs", "ctlogs"] {
        let judge = |rule: LogRule| {
            let trust = TrustRoot::new([identity("a", &unsupported(&good, part), &good.names, rule)]).unwrap();
            verdict(&good.document(), &trust, now())
        };
        assert_eq!(judge(LogRule::PUBLIC), "?log-key-unsupported", "{part}");
    }
    // It is the reason for its own entries alone.
    for (part, code) in [("tlogs", "log-unknown"), ("ctlogs", "sct-log-unknown")] {
        let mut root = unsupported(&good, part);
        for (log, letter) in root[part].as_array_mut().unwrap().iter_mut().zip(["A", "B", "C", "D"]) {
            log["logId"]["keyId"] = Value::from(letter.repeat(42) + "A=");
        }
        let trust = TrustRoot::new([identity("a", &root, &good.names, LogRule::PUBLIC)]).unwrap();
        assert_eq!(verdict(&good.document(), &trust, now()), code, "{part}");
    }
    // An entry of it is no time either.
    let trust = TrustRoot::new([identity("a", &unsupported(&good, "tlogs"), &good.names, LogRule::NONE)]).unwrap();
    assert_eq!(verdict(&good.document(), &trust, now()), "?log-key-unsupported");
    // Where enough other logs vouch for it, nothing is missing.
    let rule = LogRule::PUBLIC.with_certificate_logs(0);
    let trust = TrustRoot::new([identity("a", &unsupported(&good, "ctlogs"), &good.names, rule)]).unwrap();
    assert_eq!(verdict(&good.document(), &trust, now()), "verified");
}

/// The codes of the faults in the order in which they are told.
fn told(evidence: &Evidence, identities: impl IntoIterator<Item = Identity>) -> Vec<&'static str> {
    let rejection = rejection(evidence, &TrustRoot::new(identities).unwrap(), now());
    rejection.faults().iter().map(CertificateFault::code).collect()
}

#[test]
fn the_fault_that_decides_is_told_first() {
    let Some(good) = first() else { return };
    let evidence = evidence(good.document());
    let strict = identity("a", &good.root, &good.names, LogRule::PUBLIC.with_transparency_logs(2));
    let lacking = identity("a", &unsupported(&good, "tlogs"), &good.names, LogRule::PUBLIC);
    assert_eq!(told(&evidence, [strict, lacking]), ["log-key-unsupported", "log-threshold"]);
    // The names are nobody's: whatever the other root lacks, this is why.
    let unnamed = |root: &Value| identity("a", root, &nobody(), LogRule::PUBLIC);
    let both = [unnamed(&unsupported(&good, "tlogs")), unnamed(&good.root)];
    assert_eq!(told(&evidence, both), ["certificate-identity", "log-key-unsupported"]);
}

/// An authority that the root lists several times, each time trusted until the end of one of these years.
fn until(authority: &Made, years: &[&str]) -> TrustedRoot {
    let listed = |year: &&str| {
        json!({
            "certChain": {"certificates": [own::raw(&authority.certificate)]},
            "validFor": {"start": "2020-01-01T00:00:00Z", "end": format!("{year}-12-31T23:59:59Z")},
        })
    };
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": years.iter().map(listed).collect::<Vec<_>>(),
    });
    TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap()
}

#[test]
fn of_two_authorities_that_fail_alike_the_first_is_named() {
    let Some(authorities) = own::AUTHORITIES.as_ref() else { return };
    let signer = authorities.signer(&authorities.first, "https://acme.example/a", "");
    let evidence = own::read(&own::bundle(&signer));
    for years in [["2021", "2022"], ["2022", "2021"]] {
        let root = until(&authorities.first, &years);
        let trust = trusting(root, own::uri("https://acme.example/a"), own::NOW);
        let text = rejection(&evidence, &trust, own::after(&signer, 60)).to_string();
        let named = years.map(|year| text.contains(&format!("{year}-12-31")));
        assert_eq!(named, [true, false], "{text}");
    }
}

/// Copies of one root are one: two owners with a copy each cost as many signature checks as one.
#[test]
fn equal_roots_are_asked_once() {
    let Some(good) = first() else { return };
    let evidence = evidence(good.document());
    let own = || identity("a", &good.root, &good.names, LogRule::PUBLIC);
    let judged = |identities: Vec<Identity>, budget| {
        with_budget(&evidence, &TrustRoot::new(identities).unwrap(), budget) == "verified"
    };
    let least = (1..1_000).find(|budget| judged(vec![own()], *budget)).unwrap();
    let other = |root: &Value, rule| identity("b", root, &nobody(), rule);
    assert!(judged(vec![other(&good.root, LogRule::PUBLIC), own()], least));
    // Another root and another rule are asked for themselves.
    for other in [
        other(&unsupported(&good, "ctlogs"), LogRule::PUBLIC),
        other(&good.root, LogRule::PUBLIC.with_certificate_logs(0)),
    ] {
        assert!(!judged(vec![other, own()], least));
    }
}

/// Chains below an authority are looked for only where an identity has one: else a certificate costs no signature check.
#[test]
fn no_certificate_is_opened_for_pinned_keys_alone() {
    let Some(authorities) = own::AUTHORITIES.as_ref() else { return };
    let signer = authorities.signer(&authorities.first, "https://acme.example/a", "");
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let root = Arc::new(own::root(&[&authorities.first]));
    let means = LoggedKeys::new(NonEmpty::one(key.public_key().clone()), root, LogRule::NONE);
    let trust = TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), Means::LoggedKeys(means))]).unwrap();
    let (search, evidence) = (ChainSearch::of_identities(&trust), own::read(&own::bundle(&signer)));
    // One check: whether the pinned key made the signature.
    let (time, mut budget) = (VerificationTime::now(own::after(&signer, 60)), SignatureBudget::of(1));
    assert!(search.chains(&evidence, time, &Limits::DEFAULT, &mut budget).unwrap().is_empty());
}

#[test]
fn could_not_tell_by_one_root_leaves_the_next_root_of_the_same_owner() {
    let Some(good) = first() else { return };
    let lacking = || identity("a", &unsupported(&good, "tlogs"), &good.names, LogRule::PUBLIC);
    let whole = |owner| identity(owner, &good.root, &good.names, LogRule::PUBLIC);
    assert_eq!(owner(&good, [lacking(), whole("a")]), "a");
    assert_eq!(owner(&good, [lacking(), whole("b"), whole("a")]), "a");
    // It must not become the signature of another owner.
    assert_eq!(owner(&good, [lacking(), whole("b")]), "?log-key-unsupported");
    assert_eq!(owner(&good, [whole("b"), lacking()]), "b");
}

const ISSUER: &str = "https://issuer.example";

/// An envelope of the Notary Project about the image, by a certificate with this URI and these other extensions.
fn in_envelope(uri: &str, extensions: &str) -> Evidence {
    let scene = scene::SCENE.as_ref().unwrap();
    let extensions = format!("{LEAF}extendedKeyUsage=codeSigning\nsubjectAltName=URI:{uri}\n{extensions}");
    let signer = scene.shop.issue(&scene.root, plan("/C=US/ST=WA/O=Acme/CN=Ann", &extensions));
    Signing { signer: &signer, ..scene.signing() }.evidence()
}

/// A Sigstore bundle about the same image, with a new key and a certificate of another authority.
fn in_bundle(authority: &Made, uri: &str, extensions: &str) -> Evidence {
    let signer = own::AUTHORITIES.as_ref().unwrap().signer(authority, uri, extensions);
    own::read(&own::bundle_about(&signer, &scene::image(), COSIGN_SIGN_PREDICATE))
}

/// One person who signs in two formats is one of two owners, whatever names the operator has given them.
#[test]
fn a_keyless_owner_is_one_signer_in_an_envelope_and_in_a_bundle() {
    let (Some(scene), Some(authorities)) = (scene::SCENE.as_ref(), own::AUTHORITIES.as_ref()) else { return };
    let (a, b) = ("https://acme.example/a", "https://acme.example/b");
    let verdict = |envelope: &Evidence, bundle: &Evidence, uri: &str, threshold| {
        let owners = [scene.identity("ann", "CN=Ann"), own::identity("bob", &authorities.first, uri)];
        let verifier = scene::verifier(owners, threshold);
        let verdicts = [[envelope, bundle], [bundle, envelope]]
            .map(|order| scene::verdict(&verifier, &order.map(Clone::clone), scene.now()));
        assert_eq!(verdicts[0], verdicts[1], "the order");
        verdicts[0].clone()
    };
    let issuer = own::issuers(ISSUER, ISSUER);
    let (envelope, bundle) = (in_envelope(a, &issuer), in_bundle(&authorities.first, a, &issuer));
    assert_eq!(verdict(&envelope, &bundle, a, 1), "accepted");
    assert_eq!(verdict(&envelope, &bundle, a, 2), "", "two keys, two formats, two authorities, and one person");
    // The case of letters makes no second person, and one of two names is enough.
    assert_eq!(verdict(&in_envelope("https://ACME.example/A", &issuer), &bundle, a, 2), "");
    assert_eq!(verdict(&in_envelope(&format!("{b},URI:{a}"), &issuer), &bundle, a, 2), "");
    // Another name of the issuer, and the same name by another issuer, are two.
    assert_eq!(verdict(&envelope, &in_bundle(&authorities.first, b, &issuer), b, 2), "accepted");
    let elsewhere = own::issuers("https://other.example", "https://other.example");
    assert_eq!(verdict(&envelope, &in_bundle(&authorities.first, a, &elsewhere), a, 2), "accepted");
}
