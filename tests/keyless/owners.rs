//! Whose keyless signature it is, where several identities and trusted roots could tell.

use std::sync::Arc;

use bulla::envelope::Evidence;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::oci::media_type::COSIGN_SIGN_PREDICATE;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use bulla::x509::IdentityPattern;
use bulla::x509::NamePattern;
use serde_json::Value;

use crate::case::evidence;
use crate::case::now;
use crate::case::reason;
use crate::case::signer;
use crate::case::verdict;
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
