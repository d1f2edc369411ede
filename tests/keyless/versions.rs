//! The version of a trust root names everything that decides whose keyless signatures count.

use std::sync::Arc;

use bulla::envelope::SignedWith;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::trust::CertificateMeans;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::LoggedKeys;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::RevocationUse;
use bulla::trust::SigningTimeRule;
use bulla::trust::TrustRoot;
use bulla::trust::TrustVersion;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use serde_json::Value;
use serde_json::json;

use crate::vectors;

const RULES: [LogRule; 5] = [
    LogRule::PUBLIC,
    LogRule::PUBLIC.with_transparency_logs(2),
    LogRule::PUBLIC.with_certificate_logs(2),
    LogRule::PUBLIC.with_timestamps(1),
    LogRule::PUBLIC.with_signing_time(SigningTimeRule::PresentIfMissing),
];

fn version(means: Means) -> TrustVersion {
    TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), means)]).unwrap().version()
}

fn uri(text: &str) -> NamePattern {
    NamePattern::Uri(text.to_owned())
}

fn root(text: &Value) -> Arc<TrustedRoot> {
    Arc::new(TrustedRoot::parse(text.to_string().as_bytes(), &Limits::DEFAULT).unwrap())
}

/// Each of them decides, so no two versions may be equal.
fn all_differ(versions: &[TrustVersion]) {
    for (at, one) in versions.iter().enumerate() {
        for (other_at, other) in versions.iter().enumerate().skip(at + 1) {
            assert_ne!(one, other, "{at} and {other_at}");
        }
    }
}

/// Trusted roots that differ from the first in one thing each.
fn roots(text: &Value) -> Vec<Value> {
    let mut roots = vec![text.clone()];
    let mut add = |change: &dyn Fn(&mut Value)| {
        let mut changed = text.clone();
        change(&mut changed);
        roots.push(changed);
    };
    let period = || json!({"start": "2001-01-01T00:00:00Z"});
    for authorities in ["certificateAuthorities", "timestampAuthorities"] {
        add(&|root| root[authorities] = json!([]));
        add(&|root| root[authorities][0]["validFor"] = period());
        add(&|root| root[authorities][0]["validFor"]["end"] = "2099-01-01T00:00:00Z".into());
        add(&|root| {
            root[authorities][0]["certChain"]["certificates"].as_array_mut().unwrap().remove(0);
        });
    }
    for logs in ["tlogs", "ctlogs"] {
        add(&|root| root[logs] = json!([]));
        add(&|root| root[logs][0]["publicKey"]["validFor"] = period());
        add(&|root| root[logs][0]["publicKey"]["validFor"]["end"] = "2099-01-01T00:00:00Z".into());
    }
    // The name of a log in its checkpoints follows from its address.
    add(&|root| root["tlogs"][0]["baseUrl"] = "https://log.example".into());
    roots
}

#[test]
fn every_part_of_a_keyless_identity_is_in_the_version() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let path = suite.join("open/rekor2-dsse-happy-path/trusted_root.json");
    let text: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let of = |text: &Value, names: &[NamePattern], rule| {
        let names = IdentityPattern::all(NonEmpty::collect(names.iter().cloned()).unwrap());
        version(Means::Keyless(KeylessMeans::new(root(text), names, rule)))
    };
    let names = [uri("https://a.example")];
    assert_eq!(of(&text, &names, LogRule::PUBLIC), of(&text, &names, LogRule::PUBLIC));
    let mut versions: Vec<_> = roots(&text).iter().map(|text| of(text, &names, LogRule::PUBLIC)).collect();
    versions.extend(RULES[1..].iter().map(|rule| of(&text, &names, *rule)));
    for other in [
        vec![uri("https://b.example")],
        vec![NamePattern::Email("https://a.example".to_owned())],
        vec![NamePattern::Dns("https://a.example".to_owned())],
        vec![uri("https://a.example"), uri("https://b.example")],
        vec![uri("https://a.example\", \"https://b.example")],
    ] {
        versions.push(of(&text, &other, LogRule::PUBLIC));
    }
    let means = KeylessMeans::new(root(&text), IdentityPattern::all(NonEmpty::one(names[0].clone())), LogRule::PUBLIC);
    versions.push(version(Means::Keyless(means.with_revocation(RevocationUse::Required))));
    all_differ(&versions);
}

#[test]
fn every_part_of_a_log_rule_for_keys_is_in_the_version() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let path = suite.join("open/rekor2-dsse-happy-path/trusted_root.json");
    let text: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let key = || PrivateKey::generate(KeyKind::P256).unwrap().public_key().clone();
    let (one, other) = (key(), key());
    let keys = |key: &PublicKey| NonEmpty::one(key.clone());
    let of =
        |text: &Value, key: &PublicKey, rule| version(Means::LoggedKeys(LoggedKeys::new(keys(key), root(text), rule)));
    let mut versions: Vec<_> = roots(&text).iter().map(|text| of(text, &one, LogRule::PUBLIC)).collect();
    versions.extend(RULES[1..].iter().map(|rule| of(&text, &one, *rule)));
    versions.push(of(&text, &other, LogRule::PUBLIC));
    versions.push(version(Means::Keys(keys(&one))));
    all_differ(&versions);
}

/// What discovery fetches follows from the means of all identities: one of them is enough.
#[test]
fn the_means_are_those_of_any_identity() {
    let Some(suite) = vectors::suite("sigstore-conformance") else { return };
    let path = suite.join("open/rekor2-dsse-happy-path/trusted_root.json");
    let text: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let keys = || NonEmpty::one(PrivateKey::generate(KeyKind::P256).unwrap().public_key().clone());
    let names = IdentityPattern::all(NonEmpty::one(uri("https://a.example")));
    let pinned = || Means::Keys(keys());
    let logged = || Means::LoggedKeys(LoggedKeys::new(keys(), root(&text), LogRule::PUBLIC));
    let keyless = || Means::Keyless(KeylessMeans::new(root(&text), names.clone(), LogRule::PUBLIC));
    let certified = || {
        let authorities = root(&text);
        let certificates = authorities.certificate_authorities().iter().flat_map(|one| one.certificates());
        let anchor = |one: &Certificate| Anchor { certificate: one.clone(), purpose: Purpose::Signing };
        Means::Certificates(CertificateMeans::new(certificates.map(anchor).collect(), names.clone(), Profile::NOTARY))
    };
    // Keys, certificates of the Notary Project, keyless signatures; and whether the material of Sigstore decides.
    let of = |means: Vec<Means>| {
        let identity = |(number, means): (usize, Means)| Identity::new(Owner::Named(format!("owner {number}")), means);
        let means = TrustRoot::new(means.into_iter().enumerate().map(identity)).unwrap().means();
        let cover = [SignedWith::Key, SignedWith::Certificate].map(|with| means.cover(with));
        (cover, means.cover_keyless(), means.judge_material())
    };
    assert_eq!(of(vec![pinned()]), ([true, false], false, false));
    assert_eq!(of(vec![logged()]), ([true, false], false, true));
    assert_eq!(of(vec![keyless()]), ([false, false], true, true));
    assert_eq!(of(vec![certified()]), ([false, true], false, false));
    assert_eq!(of(vec![pinned(), certified(), keyless()]), ([true, true], true, true));
}
