//! Pinned keys: an envelope with several signatures is each signer's, a single signature is one key's, and why nobody signed.

use bulla::digest::Digest;
use bulla::envelope::Bundle;
use bulla::envelope::Evidence;
use bulla::envelope::SignedDocument;
use bulla::envelope::base64;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::trust::Authentication;
use bulla::trust::AuthenticationContext;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::Rejection;
use bulla::trust::SignatureBudget;
use bulla::trust::TrustRoot;
use bulla::trust::VerificationTime;
use serde_json::json;

use crate::case::evidence;
use crate::case::now;

/// A bundle with a signature by each of `signers`, which names `hinted`.
fn signed_by(signers: &[&PrivateKey], hinted: &PrivateKey) -> Evidence {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": Digest::sha256(b"an image").hex()}}],
        "predicateType": "https://acme.example/checked",
        "predicate": {},
    });
    let (kind, payload) = ("application/vnd.in-toto+json", statement.to_string());
    let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let sign = |key: &&PrivateKey| base64::encode(key.sign(message.as_bytes()).unwrap().as_bytes());
    let signatures: Vec<_> = signers.iter().map(|key| json!({"sig": sign(key)})).collect();
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hinted.public_key().id().hint()}},
        "dsseEnvelope": {
            "payload": base64::encode(payload.as_bytes()),
            "payloadType": kind,
            "signatures": signatures,
        },
    });
    let bundle = Bundle::parse(bundle.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    evidence(SignedDocument::Bundle(bundle))
}

/// Trusts each key as an owner of its own.
fn trusting(keys: &[&PrivateKey]) -> TrustRoot {
    let identity = |(number, key): (usize, &&PrivateKey)| {
        let means = Means::Keys(NonEmpty::one(key.public_key().clone()));
        Identity::new(Owner::Named(format!("owner {number}")), means)
    };
    TrustRoot::new(keys.iter().enumerate().map(identity).collect::<Vec<_>>()).unwrap()
}

fn authenticate(evidence: &Evidence, trust: &TrustRoot, budget: u64) -> Authentication {
    let time = VerificationTime::now(now());
    let context = AuthenticationContext { limits: &Limits::DEFAULT, revocation: None, time };
    trust.authenticate(evidence, context, &mut SignatureBudget::of(budget))
}

fn owners(found: &Authentication) -> Vec<String> {
    let mut owners: Vec<_> = found.authenticated.iter().map(|one| one.signer().owner().to_string()).collect();
    owners.sort();
    owners
}

#[test]
fn an_envelope_with_several_signatures_is_each_signers() {
    let [first, second, third] = [(); 3].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
    let trust = trusting(&[&first, &second, &third]);
    let found = authenticate(&signed_by(&[&second, &third], &first), &trust, 100);
    assert_eq!(owners(&found), ["owner 1", "owner 2"]);
    assert!(found.rejected.is_none() && found.undetermined.is_none());
}

/// The key that a single signature names is tried first, and no other key after one that made it.
#[test]
fn a_single_signature_costs_one_check_if_it_names_its_key() {
    let keys = [(); 3].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
    let trust = trusting(&[&keys[0], &keys[1], &keys[2]]);
    for (number, key) in keys.iter().enumerate() {
        let found = authenticate(&signed_by(&[key], key), &trust, 1);
        assert_eq!(owners(&found), [format!("owner {number}")]);
        assert!(found.rejected.is_none() && found.undetermined.is_none(), "{number}");
        // What it names changes the order alone.
        let other = &keys[(number + 1) % 3];
        assert_eq!(owners(&authenticate(&signed_by(&[key], other), &trust, 3)), [format!("owner {number}")]);
        let found = authenticate(&signed_by(&[key], other), &trust, 1);
        assert!(owners(&found).is_empty() && found.rejected.is_none(), "{number}");
        assert!(found.undetermined.is_some(), "an exhausted budget is no refusal");
    }
}

/// A key is its owner's alone, one of several, and its owner signed once by however many entries.
#[test]
fn a_signature_is_the_owners_of_its_key() {
    let [first, second, third] = [(); 3].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
    let identity = |owner: &str, keys: &[&PrivateKey]| {
        let keys = NonEmpty::collect(keys.iter().map(|key| key.public_key().clone())).unwrap();
        Identity::new(Owner::Named(owner.to_owned()), Means::Keys(keys))
    };
    let identities = [
        identity("ann", &[&first, &second]),
        identity("bob", &[&third]),
        identity("ann", &[&second]),
        identity("cay", &[&second]),
    ];
    let trust = TrustRoot::new(identities).unwrap();
    for (key, wanted) in [(&first, &["ann"][..]), (&second, &["ann", "cay"]), (&third, &["bob"])] {
        assert_eq!(owners(&authenticate(&signed_by(&[key], key), &trust, 100)), wanted);
    }
}

#[test]
fn a_signature_of_nobody_is_rejected_with_the_reason() {
    let [own, other] = [(); 2].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
    let trust = trusting(&[&own]);
    let rejected = |hinted| authenticate(&signed_by(&[&other], hinted), &trust, 100).rejected;
    match (rejected(&other), rejected(&own)) {
        (Some(Rejection::Untrusted { claimed }), Some(Rejection::Damaged { key })) => {
            assert_eq!((claimed, key), (Some(other.public_key().id().hint()), own.public_key().id()));
        }
        rejected => panic!("{rejected:?}"),
    }
}
