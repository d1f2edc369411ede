//! `Quorum`: a threshold of owners who have to sign, and the only place where owners are counted.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use crate::key::KeyId;
use crate::limits::Limits;
use crate::policy::Decision;
use crate::policy::pairing;
use crate::policy::pairing::LargestPairing;
use crate::policy::pairing::SignersOfOwners;
use crate::trust::Identity;
use crate::trust::Owner;
use crate::trust::SignerCredential;
use crate::trust::TrustRoot;

/// The number of owners who have to sign: at least one, so "nobody has to sign" cannot be written.
///
/// ```compile_fail,E0308
/// let nobody: bulla::policy::Threshold = 0;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold(NonZeroU32);

/// A threshold, and the owners among whom it is counted. It is met only by that many owners with that many distinct
/// signers: see [`SignerCredential`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    among: BTreeSet<Owner>,
    threshold: Threshold,
}

/// What a quorum comes to. It is met only by owners who have been paired, and not met only if no pairing is large enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct QuorumDecision {
    /// [`Decision::Undetermined`] if the limit `evidence.pairing_steps` ended the search before a pairing was found that is
    /// large enough, and there may be one.
    pub decision: Decision,
    /// The number of owners who count, at least.
    pub got: usize,
    /// How many more owners have to sign, at most.
    pub missing: u32,
}

/// Why a quorum is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// The threshold is larger than the number of owners who could sign, each with a key of their own.
    #[error("a threshold of {want} can never be met: there {}", owners(*got))]
    TooFewKeys {
        /// The number of owners who could sign, each with a different key.
        got: usize,
        /// The threshold.
        want: u32,
    },
    /// The trust root has no identity of this owner.
    #[error("the owner `{0}` is not in the trust root")]
    UnknownOwner(Owner),
    /// The threshold is zero.
    #[error("a threshold of 0 would accept everything; it must be at least 1")]
    ZeroThreshold,
}

impl Threshold {
    /// One owner is enough.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// `count` owners.
    ///
    /// # Errors
    /// [`QuorumError::ZeroThreshold`] for 0 (threats: zero-threshold).
    pub fn new(count: u32) -> Result<Self, QuorumError> {
        NonZeroU32::new(count).map(Self).ok_or(QuorumError::ZeroThreshold)
    }

    /// The number of owners.
    pub const fn count(self) -> u32 {
        self.0.get()
    }
}

impl Quorum {
    /// A quorum of `threshold` among all owners of `trust`.
    ///
    /// # Errors
    /// [`QuorumError::TooFewKeys`] if their keys could never meet it: better reported at the start than as a refusal of
    /// every image.
    pub fn of_all(trust: &TrustRoot, threshold: Threshold) -> Result<Self, QuorumError> {
        Self::among(trust, trust.owners(), threshold)
    }

    /// A quorum of `threshold` among the owners `among`, all of whom have to be in `trust`.
    ///
    /// # Errors
    /// [`QuorumError`] if one of them is unknown, or if their keys could never meet the threshold.
    pub fn among(trust: &TrustRoot, among: BTreeSet<Owner>, threshold: Threshold) -> Result<Self, QuorumError> {
        let quorum = Self { among, threshold };
        quorum.check_satisfiable(trust).map(|()| quorum)
    }

    /// Checks that the identities of `trust` could meet this quorum.
    ///
    /// # Errors
    /// As [`Quorum::among`].
    pub fn check_satisfiable(&self, trust: &TrustRoot) -> Result<(), QuorumError> {
        let known = trust.owners();
        if let Some(unknown) = self.among.iter().find(|owner| !known.contains(owner)) {
            return Err(QuorumError::UnknownOwner(unknown.clone()));
        }
        let (got, want) = (self.could_sign(trust), self.threshold.count());
        match u32::try_from(got).unwrap_or(u32::MAX) >= want {
            true => Ok(()),
            false => Err(QuorumError::TooFewKeys { got, want }),
        }
    }

    /// The largest number of owners who could ever count. The key of a certificate is not known beforehand, so an owner
    /// of certificates can always have one of their own and leaves the pinned keys to the others.
    fn could_sign(&self, trust: &TrustRoot) -> usize {
        let by_certificate = trust.identities().iter().filter(|identity| identity.has_certificates());
        let certified: BTreeSet<_> =
            by_certificate.map(Identity::owner).filter(|owner| self.among.contains(owner)).collect();
        let pinned = trust.holders().filter(|(owner, _)| !certified.contains(owner));
        self.decide_keys(pinned).got.saturating_add(certified.len())
    }

    /// The owners among whom it is counted.
    pub const fn owners(&self) -> &BTreeSet<Owner> {
        &self.among
    }

    /// The threshold.
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// How many more owners have to sign, where all of them sign with keys alone.
    pub fn missing<'a>(&self, signers: impl IntoIterator<Item = (&'a Owner, KeyId)>) -> u32 {
        self.decide_keys(signers).missing
    }

    /// Whether these signers meet the threshold: enough owners of this quorum, each with a signer of their own, in the
    /// largest pairing (`pairing.rs`). The order of `signers` decides nothing.
    pub fn decide<'a, C: Into<SignerCredential>>(
        &self,
        signers: impl IntoIterator<Item = (&'a Owner, C)>,
        limits: &Limits,
    ) -> QuorumDecision {
        let mut steps = limits.evidence.pairing_steps;
        self.decide_within(signers, &mut steps)
    }

    /// The decision on keys alone, which needs no search.
    fn decide_keys<'a>(&self, signers: impl IntoIterator<Item = (&'a Owner, KeyId)>) -> QuorumDecision {
        self.decide_within(signers, &mut 0)
    }

    /// As [`Quorum::decide`], with a search of at most `steps` steps, which several decisions share: each takes what it needs.
    pub(crate) fn decide_within<'a, C: Into<SignerCredential>>(
        &self,
        signers: impl IntoIterator<Item = (&'a Owner, C)>,
        steps: &mut u64,
    ) -> QuorumDecision {
        let mut of_owners = SignersOfOwners::new();
        for (owner, credential) in signers.into_iter().filter(|(owner, _)| self.among.contains(owner)) {
            of_owners.entry(owner).or_default().insert(credential.into());
        }
        let LargestPairing { least, most } = match of_owners.len() {
            // One owner alone is paired with any of their signers.
            none_or_one @ (0 | 1) => LargestPairing { least: none_or_one, most: none_or_one },
            _ => pairing::largest(&of_owners, steps),
        };
        let lacking = |count: usize| self.threshold.count().saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        let decision = match (lacking(least), lacking(most)) {
            (0, _) => Decision::Met,
            (_, 0) => Decision::Undetermined,
            _ => Decision::Unmet,
        };
        QuorumDecision { decision, got: least, missing: lacking(least) }
    }
}

fn owners(count: usize) -> String {
    match count {
        1 => "is 1 owner with a key of their own".to_owned(),
        several => format!("are {several} owners with a key of their own"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::PublicKey;
    use crate::key::Signer as _;
    use crate::nonempty::NonEmpty;
    use crate::trust::Means;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static KEYS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
        (0..6).map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()).collect()
    });

    fn owner(number: usize) -> Owner {
        Owner::Named(format!("owner {number}"))
    }

    /// The largest number of owners with different keys, by trying every way to give each owner a key or none.
    fn by_brute_force(held: &[(usize, usize)]) -> usize {
        fn most(owners: &[usize], held: &[(usize, usize)], used: &mut Vec<usize>) -> usize {
            let Some((first, rest)) = owners.split_first() else { return used.len() };
            let mut best = most(rest, held, used);
            for (_, key) in held.iter().filter(|(owner, _)| owner == first) {
                if !used.contains(key) {
                    used.push(*key);
                    best = best.max(most(rest, held, used));
                    used.pop();
                }
            }
            best
        }
        let owners: BTreeSet<_> = held.iter().map(|(owner, _)| *owner).collect();
        most(&owners.into_iter().collect::<Vec<_>>(), held, &mut Vec::new())
    }

    proptest! {
        #[test]
        fn the_count_is_the_maximum_matching(held in prop::collection::vec((0_usize..6, 0_usize..6), 0..14)) {
            let pairs: Vec<_> = held.iter().map(|(name, key)| (owner(*name), KEYS[*key].id())).collect();
            let quorum = Quorum { among: (0..6).map(owner).collect(), threshold: Threshold::ONE };
            let keys = || pairs.iter().map(|(owner, key)| (owner, *key));
            prop_assert_eq!(quorum.decide_keys(keys()).got, by_brute_force(&held));
            prop_assert_eq!(quorum.decide(keys(), &Limits::DEFAULT), quorum.decide_keys(keys()));
        }

        #[test]
        fn removing_a_signature_only_takes_away(
            held in prop::collection::vec((0_usize..5, 0_usize..5), 1..12),
            gone in any::<prop::sample::Index>(),
        ) {
            let pairs: Vec<_> = held.iter().map(|(name, key)| (owner(*name), KEYS[*key].id())).collect();
            let quorum = Quorum { among: (0..5).map(owner).collect(), threshold: Threshold::ONE };
            let mut fewer = pairs.clone();
            fewer.remove(gone.index(pairs.len()));
            let count = |pairs: &[(Owner, KeyId)]| quorum.decide_keys(pairs.iter().map(|(owner, key)| (owner, *key))).got;
            prop_assert!(count(&fewer) <= count(&pairs));
        }
    }

    /// The credential of a certificate with these names.
    fn certificate(key: usize, names: &[usize]) -> SignerCredential {
        let name = |name: &usize| Digest::sha256(format!("name {name}").as_bytes());
        SignerCredential::named(KEYS[key].id(), names.iter().map(name))
    }

    fn keyless(identity: usize, key: usize) -> SignerCredential {
        certificate(key, &[identity])
    }

    /// Owner, key and names of one signature.
    type Signature = (usize, usize, BTreeSet<usize>);

    /// The largest number of owners by signatures that share neither a key nor a name, by trying every set of signatures.
    fn by_signatures(held: &[Signature]) -> usize {
        let Some(((name, key, names), rest)) = held.split_first() else { return 0 };
        let differs = |(other, used, known): &&Signature| other != name && used != key && known.is_disjoint(names);
        let others: Vec<_> = rest.iter().filter(differs).cloned().collect();
        by_signatures(rest).max(1 + by_signatures(&others))
    }

    fn count(held: &[Signature]) -> usize {
        let quorum = Quorum { among: (0..4).map(owner).collect(), threshold: Threshold::ONE };
        let names = |names: &BTreeSet<usize>| names.iter().copied().collect::<Vec<_>>();
        let signers: Vec<_> =
            held.iter().map(|(name, key, all)| (owner(*name), certificate(*key, &names(all)))).collect();
        quorum.decide(signers.iter().map(|(owner, credential)| (owner, credential)), &Limits::DEFAULT).got
    }

    fn signatures() -> impl Strategy<Value = Vec<Signature>> {
        prop::collection::vec((0_usize..4, 0_usize..5, prop::collection::btree_set(0_usize..4, 0..3)), 0..9)
    }

    proptest! {
        #[test]
        fn neither_a_key_nor_a_name_counts_for_two_owners(held in signatures()) {
            prop_assert_eq!(count(&held), by_signatures(&held));
        }

        #[test]
        fn the_order_of_signatures_decides_nothing(
            (held, shuffled) in signatures().prop_flat_map(|held| (Just(held.clone()), Just(held).prop_shuffle())),
        ) {
            prop_assert_eq!(count(&held), count(&shuffled));
        }

        #[test]
        fn one_more_signature_never_counts_for_fewer(held in signatures(), gone in any::<prop::sample::Index>()) {
            prop_assume!(!held.is_empty());
            let mut fewer = held.clone();
            fewer.remove(gone.index(held.len()));
            prop_assert!(count(&fewer) <= count(&held));
        }
    }

    /// A signature that has the key of one signer and the name of another leaves both of them: withholding it must not turn
    /// a no into a yes.
    #[test]
    fn a_signature_between_two_signers_takes_neither_away() {
        let names = |names: &[usize]| names.iter().copied().collect::<BTreeSet<_>>();
        let two = [(0, 0, names(&[0])), (1, 1, names(&[1]))];
        let between = (0, 0, names(&[1]));
        assert_eq!(count(&two), 2);
        assert_eq!(count(&[two[0].clone(), between.clone(), two[1].clone()]), 2);
        assert_eq!(count(&[between, two[1].clone()]), 1);
    }

    /// More owners than the search can try all sets of: it ends, and counts no owner too many.
    #[test]
    fn the_search_for_a_pairing_is_bounded() {
        let quorum = Quorum { among: (0..40).map(owner).collect(), threshold: Threshold::ONE };
        let key = || PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().id();
        // The keys all differ, but of the names only seven do, and each signer has two of them.
        let name = |number: usize| Digest::sha256(format!("name {}", number % 7).as_bytes());
        let signer = |number: usize| SignerCredential::named(key(), [name(number), name(number + 1)]);
        let signers: Vec<_> = (0..80).map(|number| (owner(number % 40), signer(number))).collect();
        let signers = signers.iter().map(|(owner, credential)| (owner, credential));
        let count = quorum.decide(signers, &Limits::DEFAULT).got;
        assert!((1..=3).contains(&count), "{count}");
    }

    /// The search that ends early tells what it does not know: neither a no nor a yes.
    #[test]
    fn a_limit_of_the_search_is_could_not_tell() {
        // Ann's two signers, and the one between them: joined, they are one signer, by keys three. Two owners sign as two
        // signers, but only the search finds that, and that there is no third.
        let signers =
            [(owner(0), certificate(0, &[0])), (owner(1), certificate(1, &[0, 1])), (owner(2), certificate(2, &[1]))];
        let decide = |threshold: u32, steps: u64| {
            let quorum = Quorum { among: (0..3).map(owner).collect(), threshold: Threshold::new(threshold).unwrap() };
            let limits = Limits::DEFAULT.with(|limits| limits.evidence.pairing_steps = steps);
            let QuorumDecision { decision, got, missing } =
                quorum.decide(signers.iter().map(|(owner, credential)| (owner, credential)), &limits);
            assert_eq!(missing, threshold - u32::try_from(got).unwrap().min(threshold));
            (decision, got)
        };
        for (threshold, searched) in [(1, Decision::Met), (2, Decision::Met), (3, Decision::Unmet)] {
            assert_eq!(decide(threshold, 500_000), (searched, 2), "{threshold}");
        }
        assert_eq!(decide(1, 0), (Decision::Met, 1));
        assert_eq!(decide(2, 0), (Decision::Undetermined, 1));
        assert_eq!(decide(3, 0), (Decision::Undetermined, 1));
        // No number of steps turns a no into a yes, or a yes into a no.
        for steps in 0..100 {
            assert_ne!(decide(2, steps).0, Decision::Unmet, "{steps}");
            assert_ne!(decide(3, steps).0, Decision::Met, "{steps}");
        }
        // More owners than there are keys: the upper bound says no without a search.
        assert_eq!(decide(4, 0), (Decision::Unmet, 1));
    }

    fn is_met(quorum: &Quorum, signers: &[(&Owner, SignerCredential)]) -> bool {
        let signers = signers.iter().map(|(owner, credential)| (*owner, credential));
        quorum.decide(signers, &Limits::DEFAULT).decision == Decision::Met
    }

    #[test]
    fn a_key_with_two_certificates_counts_once() {
        let (a, b) = (owner(0), owner(1));
        let quorum = Quorum { among: (0..2).map(owner).collect(), threshold: Threshold::new(2).unwrap() };
        let key = |number: usize| SignerCredential::from(KEYS[number].id());
        // A certificate of the Notary Project, and one of Sigstore.
        assert!(!is_met(&quorum, &[(&a, key(0)), (&b, keyless(0, 0))]));
        assert!(!is_met(&quorum, &[(&a, keyless(0, 0)), (&b, keyless(1, 0))]));
        assert!(!is_met(&quorum, &[(&a, keyless(0, 0)), (&b, keyless(0, 1))]));
        assert!(is_met(&quorum, &[(&a, key(0)), (&b, keyless(0, 1))]));
        assert!(is_met(&quorum, &[(&a, keyless(0, 0)), (&b, keyless(1, 1))]));
        assert!(is_met(&quorum, &[(&a, keyless(0, 0)), (&a, keyless(0, 1)), (&b, keyless(1, 2)), (&b, keyless(1, 3))]));
    }

    #[test]
    fn one_key_under_two_owners_counts_once() {
        let identity = |number: usize, keys: &[usize]| {
            let keys = NonEmpty::collect(keys.iter().map(|key| KEYS[*key].clone())).unwrap();
            Identity::new(owner(number), Means::Keys(keys))
        };
        let two = Threshold::new(2).unwrap();
        let shared = TrustRoot::new([identity(0, &[0]), identity(1, &[0])]).unwrap();
        let error = Quorum::of_all(&shared, two).unwrap_err();
        assert_eq!(error, QuorumError::TooFewKeys { got: 1, want: 2 });
        assert_eq!(error.to_string(), "a threshold of 2 can never be met: there is 1 owner with a key of their own");
        // With a second key, the first owner can leave the shared key to the other.
        let enough = TrustRoot::new([identity(0, &[0, 1]), identity(1, &[0])]).unwrap();
        let quorum = Quorum::of_all(&enough, two).unwrap();
        let (a, b) = (owner(0), owner(1));
        let [first, second] = [0, 1].map(|number| SignerCredential::from(KEYS[number].id()));
        assert!(!is_met(&quorum, &[(&a, first.clone()), (&b, first.clone())]));
        assert!(!is_met(&quorum, &[(&a, first.clone()), (&a, second.clone())]));
        assert!(is_met(&quorum, &[(&a, first.clone()), (&a, second.clone()), (&b, first.clone())]));
        // Owners outside of the quorum do not count, and unknown ones are refused.
        let only_a = Quorum::among(&enough, BTreeSet::from([a.clone()]), Threshold::ONE).unwrap();
        assert!(!is_met(&only_a, &[(&b, first.clone())]));
        assert_eq!(
            Quorum::among(&enough, BTreeSet::from([owner(3)]), Threshold::ONE).unwrap_err(),
            QuorumError::UnknownOwner(owner(3))
        );
        assert_eq!(Threshold::new(0).unwrap_err(), QuorumError::ZeroThreshold);
    }
}
