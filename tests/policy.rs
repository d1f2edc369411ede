//! Policies over owners, against a model that tries every possibility: who counts, what combines, what can only deny.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use bulla::digest::Digest;
use bulla::envelope::Envelope;
use bulla::envelope::Evidence;
use bulla::envelope::FoundAt;
use bulla::envelope::SignedDocument;
use bulla::envelope::Statement;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::policy::Condition;
use bulla::policy::Decision;
use bulla::policy::Policy;
use bulla::policy::PolicyError;
use bulla::policy::Quorum;
use bulla::policy::QuorumError;
use bulla::policy::Requirement;
use bulla::policy::Rule;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;
use proptest::prelude::*;

const KEYS: usize = 4;
const OWNERS: usize = 3;
const NOW: Time = Time::EPOCH;

static PRIVATE: LazyLock<Vec<PrivateKey>> =
    LazyLock::new(|| (0..=KEYS).map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap()).collect());

fn subject() -> Digest {
    Digest::sha256(b"image")
}

fn owner(number: usize) -> Owner {
    Owner::Named(format!("owner {number}"))
}

fn key(number: usize) -> PublicKey {
    PRIVATE[number].public_key().clone()
}

/// An image signature by a key; the last key is trusted by nobody.
fn signature(number: usize, digest: &Digest, annotations: &BTreeMap<String, String>) -> Evidence {
    let payload = Statement::image_signature(digest, None, annotations).unwrap();
    let envelope = Envelope::sign("application/vnd.in-toto+json", &payload, &PRIVATE[number]).unwrap();
    Evidence::new(SignedDocument::Dsse(envelope.into()), FoundAt::Referrers, Vec::new())
}

/// The keys of each owner.
type Held = Vec<BTreeSet<usize>>;

fn trust(held: &Held) -> TrustRoot {
    TrustRoot::new(held.iter().enumerate().filter_map(|(number, keys)| {
        let keys = NonEmpty::collect(keys.iter().map(|number| key(*number)))?;
        Some(Identity::new(owner(number), Means::Keys(keys)))
    }))
    .unwrap()
}

/// A rule as the model has it.
#[derive(Clone, Debug)]
enum Model {
    All(Vec<Self>),
    Any(Vec<Self>),
    One { among: BTreeSet<usize>, threshold: u32 },
}

impl Model {
    /// The rule, if its quorums can be met at all.
    fn rule(&self, trust: &TrustRoot, next: &mut usize) -> Result<Rule, QuorumError> {
        let mut inner = |rules: &[Self]| -> Result<NonEmpty<Rule>, QuorumError> {
            let rules: Result<Vec<_>, _> = rules.iter().map(|rule| rule.rule(trust, next)).collect();
            Ok(NonEmpty::collect(rules?).unwrap())
        };
        match self {
            Self::All(rules) => inner(rules).map(Rule::All),
            Self::Any(rules) => inner(rules).map(Rule::Any),
            Self::One { among, threshold } => {
                let among = among.iter().map(|number| owner(*number)).collect();
                let quorum = Quorum::among(trust, among, Threshold::new(*threshold).unwrap())?;
                *next += 1;
                Ok(Rule::One(Requirement::new(next.to_string(), StatementKind::ImageSignature, quorum)))
            }
        }
    }

    /// Whether it holds where these keys have signed: by every way to give different keys to different owners.
    fn holds(&self, held: &Held, signed: &BTreeSet<usize>) -> bool {
        match self {
            Self::All(rules) => rules.iter().all(|rule| rule.holds(held, signed)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(held, signed)),
            Self::One { among, threshold } => {
                let owners: Vec<_> = among.iter().copied().collect();
                most(&owners, held, &mut signed.clone()) >= usize::try_from(*threshold).unwrap()
            }
        }
    }
}

fn most(owners: &[usize], held: &Held, free: &mut BTreeSet<usize>) -> usize {
    let Some((first, rest)) = owners.split_first() else { return 0 };
    let mut best = most(rest, held, free);
    for key in held[*first].iter().copied().filter(|key| free.contains(key)).collect::<Vec<_>>() {
        free.remove(&key);
        best = best.max(1 + most(rest, held, free));
        free.insert(key);
    }
    best
}

fn held() -> impl Strategy<Value = Held> {
    let keys = prop::collection::btree_set(0..KEYS, 1..3);
    prop::collection::vec(keys, OWNERS)
}

fn rules() -> impl Strategy<Value = Model> {
    let among = prop::collection::btree_set(0..OWNERS, 1..=OWNERS);
    let one = (among, 1_u32..3).prop_map(|(among, threshold)| Model::One { among, threshold });
    one.prop_recursive(2, 6, 3, |inner| {
        let list = prop::collection::vec(inner, 1..3);
        prop_oneof![list.clone().prop_map(Model::All), list.prop_map(Model::Any)]
    })
}

fn verifier(held: &Held, model: &Model) -> Option<Verifier> {
    let trust = trust(held);
    let rule = model.rule(&trust, &mut 0).ok()?;
    Some(Verifier::new(trust, Policy::new(rule).unwrap(), Limits::DEFAULT).unwrap())
}

fn accepts(verifier: &Verifier, signed: &BTreeSet<usize>) -> bool {
    let evidence: Vec<_> = signed.iter().map(|number| signature(*number, &subject(), &BTreeMap::new())).collect();
    verifier.verify(subject(), &evidence, NOW).is_ok()
}

fn signed() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..=KEYS, 0..=KEYS)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_policy_is_met_exactly_if_the_model_says_so(held in held(), model in rules(), signed in signed()) {
        if let Some(verifier) = verifier(&held, &model) {
            prop_assert_eq!(accepts(&verifier, &signed), model.holds(&held, &signed));
        }
    }

    #[test]
    fn removing_a_signature_only_denies(held in held(), model in rules(), signed in signed(), gone in 0..=KEYS) {
        if let Some(verifier) = verifier(&held, &model) {
            let mut fewer = signed.clone();
            fewer.remove(&gone);
            prop_assert!(accepts(&verifier, &signed) || !accepts(&verifier, &fewer));
        }
    }

    #[test]
    fn adding_an_all_of_rule_only_denies(held in held(), model in rules(), more in rules(), signed in signed()) {
        let both = Model::All(vec![model.clone(), more]);
        if let (Some(one), Some(both)) = (verifier(&held, &model), verifier(&held, &both)) {
            prop_assert!(accepts(&one, &signed) || !accepts(&both, &signed));
        }
    }

    #[test]
    fn adding_a_condition_only_denies(held in held(), signed in signed(), value in "[ab]") {
        let trust = trust(&held);
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        let requirement = Requirement::new("signed", StatementKind::ImageSignature, quorum);
        let condition = Condition::Annotation { key: "env".to_owned(), value };
        let verifier = |requirement| Verifier::new(trust.clone(), Policy::one(requirement), Limits::DEFAULT).unwrap();
        let (plain, conditional) = (verifier(requirement.clone()), verifier(requirement.and(condition)));
        let annotated = BTreeMap::from([("env".to_owned(), "a".to_owned())]);
        let evidence: Vec<_> = signed.iter().map(|number| signature(*number, &subject(), &annotated)).collect();
        let accepted = |verifier: &Verifier| verifier.verify(subject(), &evidence, NOW).is_ok();
        prop_assert!(accepted(&plain) || !accepted(&conditional));
    }
}

#[test]
fn one_key_under_two_owners_never_counts_twice() {
    let shared = TrustRoot::owned([(owner(0), key(0)), (owner(1), key(0))]).unwrap();
    let two = Threshold::new(2).unwrap();
    assert_eq!(Quorum::of_all(&shared, two).unwrap_err(), QuorumError::TooFewKeys { got: 1, want: 2 });

    // If a second key makes the threshold possible, the shared key still counts for one owner only.
    let trust = TrustRoot::owned([(owner(0), key(0)), (owner(1), key(0)), (owner(1), key(1))]).unwrap();
    let quorum = Quorum::of_all(&trust, two).unwrap();
    let requirement = Requirement::new("signed", StatementKind::ImageSignature, quorum);
    let verifier = Verifier::new(trust, Policy::one(requirement), Limits::DEFAULT).unwrap();
    let by = |keys: &[usize]| accepts(&verifier, &keys.iter().copied().collect());
    assert!(!by(&[0]) && !by(&[1]) && by(&[0, 1]));
}

#[test]
fn a_verdict_names_its_policy_trust_root_and_time() {
    let trust = TrustRoot::pinned([key(0)]).unwrap();
    let policy = |id: &str| {
        let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
        Policy::one(Requirement::new(id, StatementKind::ImageSignature, quorum))
    };
    let verifier = Verifier::new(trust.clone(), policy("signed"), Limits::DEFAULT).unwrap();
    let now = Time::from_unix(1_800_000_000).unwrap();
    let good = signature(0, &subject(), &BTreeMap::new());
    let verified = verifier.verify(subject(), [&good], now).unwrap();
    assert_eq!((verified.policy(), verified.trust()), (policy("signed").id(), trust.version()));
    assert_eq!((*verified.digest(), verified.verified_at()), (subject(), now));
    assert_ne!(policy("signed").id(), policy("other").id());
    assert_eq!(verified.accepted().first().requirements[0].to_string(), "signed");

    // It owns what it names.
    drop(verifier);
    assert_eq!(verified.accepted().first().signer.owner(), &Owner::Key(key(0).id()));

    // Another verifier, or too little of it, is no proof.
    let other = Verifier::new(trust.clone(), policy("other"), Limits::DEFAULT).unwrap();
    assert!(other.restrict(&verified, |_| true).is_none());
    let same = Verifier::new(trust.clone(), policy("signed"), Limits::DEFAULT).unwrap();
    assert!(same.restrict(&verified, |_| true).is_some() && same.restrict(&verified, |_| false).is_none());
}

#[test]
fn a_selection_of_signatures_counts_for_what_each_of_them_met() {
    let trust = TrustRoot::pinned([key(0)]).unwrap();
    let signed =
        |id: &str| Requirement::new(id, StatementKind::ImageSignature, Quorum::of_all(&trust, Threshold::ONE).unwrap());
    let condition = Condition::Annotation { key: "env".to_owned(), value: "a".to_owned() };
    let rules = [signed("signed"), signed("annotated").and(condition)].map(Rule::One);
    let policy = Policy::new(Rule::All(NonEmpty::collect(rules).unwrap())).unwrap();
    let verifier = Verifier::new(trust.clone(), policy, Limits::DEFAULT).unwrap();
    let annotated = BTreeMap::from([("env".to_owned(), "a".to_owned())]);
    let evidence = [BTreeMap::new(), annotated].map(|annotations| signature(0, &subject(), &annotations));
    let verified = verifier.verify(subject(), &evidence, NOW).unwrap();
    assert!(verifier.restrict(&verified, |one| !one.annotations.is_empty()).is_some());
    assert!(verifier.restrict(&verified, |one| one.annotations.is_empty()).is_none());
}

#[test]
fn a_refusal_names_the_requirements_that_are_not_met() {
    let trust = TrustRoot::owned([(owner(0), key(0)), (owner(1), key(1))]).unwrap();
    let of = |id: &str, number: usize| {
        let quorum = Quorum::among(&trust, BTreeSet::from([owner(number)]), Threshold::ONE).unwrap();
        Rule::One(Requirement::new(id, StatementKind::ImageSignature, quorum))
    };
    let both = Policy::new(Rule::All(NonEmpty::collect([of("build", 0), of("release", 1)]).unwrap())).unwrap();
    let verifier = Verifier::new(trust.clone(), both, Limits::DEFAULT).unwrap();
    let refusal = verifier.verify(subject(), [&signature(0, &subject(), &BTreeMap::new())], NOW).unwrap_err();
    assert_eq!(refusal.decision, Decision::Unmet);
    let unmet: Vec<_> =
        refusal.unmet.iter().map(|unmet| (unmet.requirement.to_string(), unmet.got, unmet.want)).collect();
    assert_eq!(unmet, [("release".to_owned(), 0, 1)]);
    let text = format!("requirement `release`: 0 of 1 owners signed an image signature of {}", subject());
    assert_eq!(refusal.to_string(), text);

    // Two requirements of one name could take each other's signatures.
    let twice = Rule::All(NonEmpty::collect([of("build", 0), of("build", 1)]).unwrap());
    assert!(matches!(Policy::new(twice), Err(PolicyError::DuplicateRequirement(_))));
}

/// Unread evidence never turns into a no, and never into a yes.
#[test]
fn unread_evidence_is_could_not_tell() {
    let trust = TrustRoot::pinned([key(0)]).unwrap();
    let quorum = Quorum::of_all(&trust, Threshold::ONE).unwrap();
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT).unwrap();
    let conclude = |unread: bool, evidence: &[Evidence]| {
        let mut evaluation = verifier.evaluation(subject(), NOW);
        evidence.iter().for_each(|evidence| evaluation.add(evidence));
        if unread {
            evaluation.mark_list_unread();
        }
        evaluation.conclude().map(drop).map_err(|refusal| refusal.decision)
    };
    let (good, untrusted) = (signature(0, &subject(), &BTreeMap::new()), signature(KEYS, &subject(), &BTreeMap::new()));
    let other = signature(0, &Digest::sha256(b"another image"), &BTreeMap::new());
    assert_eq!(conclude(false, &[untrusted.clone(), other.clone()]), Err(Decision::Unmet));
    assert_eq!(conclude(true, &[untrusted, other]), Err(Decision::Undetermined));
    assert_eq!(conclude(true, &[good]), Ok(()));
}
