//! Whose keyless signature it is, where several identities and trusted roots could tell.

use std::sync::Arc;

use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
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
use crate::case::signer;
use crate::case::verdict;
use crate::mutations::Good;
use crate::mutations::first;

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
