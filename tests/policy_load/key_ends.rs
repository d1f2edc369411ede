//! The end of a key: after it a signature counts only with a trusted earlier time.

use std::collections::BTreeMap;

use bulla::digest::Digest;
use bulla::envelope::Envelope;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::Statement;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::Rejection;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use bulla::verify::Reason;

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[test]
fn a_key_counts_until_the_last_second_of_its_end() {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let id = key.public_key().id();
    let end = time("2026-12-31T23:59:59Z");
    let payload = Statement::image_signature(&Digest::sha256(b"image"), None, &BTreeMap::new()).unwrap();
    let envelope = Envelope::sign("application/vnd.in-toto+json", &payload, &key).unwrap();
    let evidence = Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new());
    let identity = |owner: &str| {
        Identity::new(Owner::Named(owner.to_owned()), Means::Keys(NonEmpty::one(key.public_key().clone())))
    };
    let authenticate = |identities: Vec<Identity>, when: VerificationTime| {
        let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time: when };
        let trust = TrustRoot::new(identities).unwrap();
        let found = trust.authenticate(&evidence, context, &mut SignatureBudget::of(100));
        let owners: Vec<_> = found.authenticated.iter().map(|one| one.signer().owner().to_string()).collect();
        (owners, found.rejected)
    };
    let ended = || identity("release").with_key_end(id, end);
    let at = |text| VerificationTime::now(time(text));
    assert_eq!(authenticate(vec![ended()], at("2026-12-31T23:59:59Z")), (vec!["release".to_owned()], None));
    let rejected = Rejection::KeyEnded { end, key: id };
    assert!(!rejected.is_undetermined());
    assert_eq!(Reason::from(rejected.clone()).code(), "key-ended");
    let (owners, why) = authenticate(vec![ended()], at("2027-01-01T00:00:00Z"));
    assert_eq!((owners.len(), why), (0, Some(rejected.clone())));
    // Expiry is judged at the time that the operator states for it.
    let earlier = at("2027-06-01T00:00:00Z").with_expiry_at(end);
    assert_eq!(authenticate(vec![ended()], earlier).0, ["release"]);
    // The end is of one identity: another one that has the key without an end is not ended, and the reverse.
    let (owners, why) = authenticate(vec![ended(), identity("quality")], at("2027-01-01T00:00:00Z"));
    assert_eq!((owners, why), (vec!["quality".to_owned()], Some(rejected)));
    // Of two ends the earlier one holds, whichever comes first; the end of another key ends nothing.
    let later = time("2028-01-01T00:00:00Z");
    for both in [ended().with_key_end(id, later), identity("release").with_key_end(id, later).with_key_end(id, end)] {
        assert_eq!(both.key_end(id), Some(end));
    }
    let other = PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().id();
    let of_other = identity("release").with_key_end(other, end);
    assert_eq!(authenticate(vec![of_other], at("2027-01-01T00:00:00Z")).0, ["release"]);
}

#[test]
fn the_end_of_a_key_is_part_of_the_version_of_a_trust_root() {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone();
    let version = |end: Option<&str>| {
        let identity = Identity::pinned(key.clone());
        let identity = match end {
            Some(end) => identity.with_key_end(key.id(), time(end)),
            None => identity,
        };
        TrustRoot::new([identity]).unwrap().version()
    };
    let (none, one, other) =
        (version(None), version(Some("2026-12-31T23:59:59Z")), version(Some("2027-12-31T23:59:59Z")));
    assert!(none != one && one != other && none != other);
    assert_eq!(none, TrustRoot::pinned([key.clone()]).unwrap().version());
}
