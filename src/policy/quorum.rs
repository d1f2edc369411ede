//! `Quorum`: a threshold of owners who have to sign, and the only place where owners are counted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

use crate::digest::Digest;
use crate::key::KeyId;
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

/// A threshold, and the owners among whom it is counted. It is met only by that many owners with that many different
/// keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    among: BTreeSet<Owner>,
    threshold: Threshold,
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
        self.count(pinned).saturating_add(certified.len())
    }

    /// The owners among whom it is counted.
    pub const fn owners(&self) -> &BTreeSet<Owner> {
        &self.among
    }

    /// The threshold.
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Whether these signers meet the threshold. Only owners of this quorum count.
    pub fn is_met_by<'a, C: Into<SignerCredential>>(&self, signers: impl IntoIterator<Item = (&'a Owner, C)>) -> bool {
        self.missing(signers) == 0
    }

    /// How many more owners have to sign.
    pub fn missing<'a, C: Into<SignerCredential>>(&self, signers: impl IntoIterator<Item = (&'a Owner, C)>) -> u32 {
        let count = u32::try_from(self.count(signers)).unwrap_or(u32::MAX);
        self.threshold.count().saturating_sub(count)
    }

    /// The number of owners who count: the largest number of owners who can be paired with different credentials that they
    /// signed with: keys, or keyless identities.
    ///
    /// The invariant: each counted owner is paired with one credential, and no credential with two owners, so one key under
    /// two names counts once, and two keys of one owner count once. This is a maximum matching, found by augmenting paths
    /// (Kuhn's algorithm):
    ///
    /// 1. A keyless signature has two credentials, an identity and a key. Those that one signature has are one credential
    ///    here, so that neither counts for another owner (`Joined`). This may count fewer owners, never more.
    /// 2. List for each owner of this quorum the credentials that they signed with.
    /// 3. Pair each owner in turn with a credential that is free, or whose owner can be paired with another one instead.
    /// 4. Count the owners who could be paired.
    pub fn count<'a, C: Into<SignerCredential>>(&self, signers: impl IntoIterator<Item = (&'a Owner, C)>) -> usize {
        let signers = signers.into_iter().map(|(owner, credential)| (owner, credential.into()));
        let signers: Vec<_> = signers.filter(|(owner, _)| self.among.contains(owner)).collect();
        let joined = Joined::by(signers.iter().map(|(_, credential)| *credential));
        let mut credentials: BTreeMap<&Owner, BTreeSet<Part>> = BTreeMap::new();
        for (owner, credential) in &signers {
            credentials.entry(owner).or_default().insert(joined.representative(Part::first(*credential)));
        }
        let mut paired: BTreeMap<Part, &Owner> = BTreeMap::new();
        credentials.keys().filter(|owner| pair(owner, &credentials, &mut paired, &mut BTreeSet::new())).count()
    }
}

/// A key or a keyless identity on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Identity(Digest),
    Key(KeyId),
}

impl Part {
    /// The identity of a keyless signature, else the key.
    const fn first(credential: SignerCredential) -> Self {
        match credential {
            SignerCredential::Key(key) => Self::Key(key),
            SignerCredential::Keyless { identity, .. } => Self::Identity(identity),
        }
    }
}

/// Keys and keyless identities, joined where one signature has both: a union-find. Each maps to another one of its set;
/// the representative of a set to none.
struct Joined(BTreeMap<Part, Part>);

impl Joined {
    fn by(credentials: impl Iterator<Item = SignerCredential>) -> Self {
        let mut joined = Self(BTreeMap::new());
        for credential in credentials {
            let SignerCredential::Keyless { identity, key } = credential else { continue };
            let identity = joined.representative(Part::Identity(identity));
            let key = joined.representative(Part::Key(key));
            if key != identity {
                joined.0.insert(key, identity);
            }
        }
        joined
    }

    fn representative(&self, part: Part) -> Part {
        let mut part = part;
        while let Some(next) = self.0.get(&part) {
            part = *next;
        }
        part
    }
}

/// Pairs `owner` with a credential (augmenting path), and moves other owners to other credentials if that frees one.
/// `false` if none can be freed; then no pair is changed. Each credential is tried once, so the recursion is at most one
/// level per owner.
fn pair<'a>(
    owner: &'a Owner,
    credentials: &BTreeMap<&'a Owner, BTreeSet<Part>>,
    paired: &mut BTreeMap<Part, &'a Owner>,
    tried: &mut BTreeSet<Part>,
) -> bool {
    for credential in credentials.get(owner).into_iter().flatten() {
        if !tried.insert(*credential) {
            continue;
        }
        let free = match paired.get(credential).copied() {
            None => true,
            Some(other) => pair(other, credentials, paired, tried),
        };
        if free {
            paired.insert(*credential, owner);
            return true;
        }
    }
    false
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
            prop_assert_eq!(quorum.count(pairs.iter().map(|(owner, key)| (owner, *key))), by_brute_force(&held));
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
            let count = |pairs: &[(Owner, KeyId)]| quorum.count(pairs.iter().map(|(owner, key)| (owner, *key)));
            prop_assert!(count(&fewer) <= count(&pairs));
        }
    }

    fn keyless(identity: usize, key: usize) -> SignerCredential {
        let identity = Digest::sha256(format!("identity {identity}").as_bytes());
        SignerCredential::Keyless { identity, key: KEYS[key].id() }
    }

    /// The largest number of owners by signatures that share neither key nor identity, by trying every signature.
    fn by_signatures(held: &[(usize, usize, Option<usize>)]) -> usize {
        let Some(((name, key, identity), rest)) = held.split_first() else { return 0 };
        let others = rest
            .iter()
            .filter(|(other, used, known)| other != name && used != key && (known.is_none() || known != identity));
        by_signatures(rest).max(1 + by_signatures(&others.copied().collect::<Vec<_>>()))
    }

    proptest! {
        #[test]
        fn neither_a_key_nor_an_identity_counts_for_two_owners(
            held in prop::collection::vec((0_usize..4, 0_usize..5, prop::option::of(0_usize..4)), 0..8),
        ) {
            let credential = |key: usize, identity: Option<usize>| match identity {
                Some(identity) => keyless(identity, key),
                None => KEYS[key].id().into(),
            };
            let signers: Vec<_> =
                held.iter().map(|(name, key, identity)| (owner(*name), credential(*key, *identity))).collect();
            let quorum = Quorum { among: (0..4).map(owner).collect(), threshold: Threshold::ONE };
            let count = quorum.count(signers.iter().map(|(owner, credential)| (owner, *credential)));
            prop_assert!(count <= by_signatures(&held));
            prop_assert_eq!(count == 0, held.is_empty());
        }
    }

    #[test]
    fn a_key_with_two_certificates_counts_once() {
        let (a, b) = (owner(0), owner(1));
        let quorum = Quorum { among: (0..2).map(owner).collect(), threshold: Threshold::new(2).unwrap() };
        let key = |number: usize| SignerCredential::from(KEYS[number].id());
        // A certificate of the Notary Project, and one of Sigstore.
        assert!(!quorum.is_met_by([(&a, key(0)), (&b, keyless(0, 0))]));
        assert!(!quorum.is_met_by([(&a, keyless(0, 0)), (&b, keyless(1, 0))]));
        assert!(!quorum.is_met_by([(&a, keyless(0, 0)), (&b, keyless(0, 1))]));
        assert!(quorum.is_met_by([(&a, key(0)), (&b, keyless(0, 1))]));
        assert!(quorum.is_met_by([(&a, keyless(0, 0)), (&b, keyless(1, 1))]));
        assert!(quorum.is_met_by([(&a, keyless(0, 0)), (&a, keyless(0, 1)), (&b, keyless(1, 2)), (&b, keyless(1, 3))]));
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
        let (first, second) = (KEYS[0].id(), KEYS[1].id());
        assert!(!quorum.is_met_by([(&a, first), (&b, first)]));
        assert!(!quorum.is_met_by([(&a, first), (&a, second)]));
        assert!(quorum.is_met_by([(&a, first), (&a, second), (&b, first)]));
        // Owners outside of the quorum do not count, and unknown ones are refused.
        let only_a = Quorum::among(&enough, BTreeSet::from([a.clone()]), Threshold::ONE).unwrap();
        assert!(!only_a.is_met_by([(&b, first)]));
        assert_eq!(
            Quorum::among(&enough, BTreeSet::from([owner(3)]), Threshold::ONE).unwrap_err(),
            QuorumError::UnknownOwner(owner(3))
        );
        assert_eq!(Threshold::new(0).unwrap_err(), QuorumError::ZeroThreshold);
    }
}
