//! `TrustRoot`: the identities that the operator chose, the only source of trust. A proof type.

use std::collections::BTreeSet;
use std::fmt;

use crate::digest::Digest;
use crate::envelope::SignedWith;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::ordered;
use crate::trust::Identity;
use crate::trust::Owner;
use crate::trust::verified_chains::VerifiedChains;

/// The identities that the operator trusts, in the operator's order. Immutable, and made only from what the operator
/// gave: nothing found in evidence can widen it (threats: key-from-evidence).
///
/// ```compile_fail,E0451
/// use bulla::trust::Identity;
/// use bulla::trust::TrustRoot;
///
/// fn widened(trust: TrustRoot, identities: Vec<Identity>) -> TrustRoot {
///     TrustRoot { identities, ..trust }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TrustRoot {
    chains: VerifiedChains,
    identities: Vec<Identity>,
    keys: Vec<PublicKey>,
    version: TrustVersion,
}

/// The version of a trust root: a digest over every owner and their means. A verdict names the version that it was made
/// with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustVersion(Digest);

/// The means by which the owners of a trust root are known: signatures that are made with anything else cannot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedMeans {
    certificates: bool,
    keyless: bool,
    keys: bool,
    material: bool,
}

/// Why a trust root cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// There is no identity, so no image could ever be accepted.
    #[error("no key and no certificate is trusted")]
    NoKeys,
}

impl TrustRoot {
    /// A trust root of `identities`.
    ///
    /// # Errors
    /// [`TrustError::NoKeys`] if there are none.
    pub fn new(identities: impl IntoIterator<Item = Identity>) -> Result<Self, TrustError> {
        let identities: Vec<_> = identities.into_iter().collect();
        let mut seen = BTreeSet::new();
        let keys: Vec<_> =
            identities.iter().flat_map(Identity::keys).filter(|key| seen.insert(key.id())).cloned().collect();
        match identities.is_empty() {
            true => Err(TrustError::NoKeys),
            false => {
                Ok(Self { chains: VerifiedChains::default(), version: TrustVersion::of(&identities), identities, keys })
            }
        }
    }

    /// A trust root of `keys`, each its own owner. A key that is given twice counts as one key, whatever its format.
    ///
    /// # Errors
    /// [`TrustError::NoKeys`] if there are none.
    pub fn pinned(keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, TrustError> {
        let mut seen = BTreeSet::new();
        Self::new(keys.into_iter().filter(|key| seen.insert(key.id())).map(Identity::pinned))
    }

    /// A trust root of keys with named owners.
    ///
    /// # Errors
    /// [`TrustError::NoKeys`] if there are none.
    pub fn owned(keys: impl IntoIterator<Item = (Owner, PublicKey)>) -> Result<Self, TrustError> {
        Self::new(Identity::of_keys(keys))
    }

    /// The chains that were verified last.
    pub(super) const fn chains(&self) -> &VerifiedChains {
        &self.chains
    }

    /// The identities, in the operator's order.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// The pinned keys of all identities, each once.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter()
    }

    /// The means by which the owners are known.
    pub fn means(&self) -> TrustedMeans {
        let certificates = self.identities.iter().any(|identity| identity.certificates().is_some());
        let keyless = self.identities.iter().any(|identity| identity.keyless().is_some());
        let material = self.identities.iter().any(Identity::judges_material);
        TrustedMeans { certificates, keyless, keys: !self.keys.is_empty(), material }
    }

    /// The owners, each once.
    pub fn owners(&self) -> BTreeSet<Owner> {
        ordered::set(self.identities.iter().map(|identity| identity.owner().clone()))
    }

    /// Every pair of an owner and a pinned key of that owner.
    pub fn holders(&self) -> impl Iterator<Item = (&Owner, KeyId)> {
        self.identities.iter().flat_map(|identity| identity.keys().map(|key| (identity.owner(), key.id())))
    }

    /// The owners that hold `key`, in the operator's order, each once.
    pub fn owners_of(&self, key: KeyId) -> Vec<&Owner> {
        let mut owners = Vec::new();
        for (owner, _) in self.holders().filter(|(_, held)| *held == key) {
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        owners
    }

    /// The version of the trust root: equal for the same owners and keys in the same order.
    pub const fn version(&self) -> TrustVersion {
        self.version
    }
}

impl TrustedMeans {
    /// Whether the verification material of Sigstore beside a signature decides: certificates, log entries, timestamps. If
    /// not, a key verifies every variant of a signature with other material, or none.
    pub const fn judge_material(self) -> bool {
        self.material
    }

    /// Whether keyless signatures could count.
    pub const fn cover_keyless(self) -> bool {
        self.keyless
    }

    /// Whether signatures that are made with keys, or with certificates, could count. Certificates of the Notary Project and
    /// keyless ones are different means.
    pub const fn cover(self, with: SignedWith) -> bool {
        match with {
            SignedWith::Certificate => self.certificates,
            SignedWith::Key => self.keys,
            SignedWith::KeyOrCertificate => self.keys || self.keyless,
        }
    }
}

impl TrustVersion {
    fn of(identities: &[Identity]) -> Self {
        let mut text = String::from("bulla trust root 1\n");
        for identity in identities {
            let (kind, name) = match identity.owner() {
                Owner::Key(key) => ("key", key.to_string()),
                Owner::Named(name) => ("name", name.clone()),
            };
            // The length before the name makes the text unambiguous: no two lists of names give the same text.
            text.push_str(&format!("owner {kind} {} {name}\n", name.len()));
            identity.describe(&mut text);
        }
        Self(Digest::sha256(text.as_bytes()))
    }
}

impl fmt::Display for TrustVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;

    #[test]
    fn the_version_names_every_owner_and_key() {
        let keys: Vec<_> =
            (0..2).map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone()).collect();
        let named = |name: &str, key: usize| (Owner::Named(name.to_owned()), keys[key].clone());
        let version = |list: Vec<(Owner, PublicKey)>| TrustRoot::owned(list).unwrap().version();
        let base = version(vec![named("ann", 0), named("bob", 1)]);
        assert_eq!(base, version(vec![named("ann", 0), named("bob", 1)]));
        for other in [
            vec![named("ann", 1), named("bob", 0)],
            vec![named("ann", 0)],
            vec![named("ann", 0), named("ann", 1)],
            vec![named("ann", 0), named("bob", 1), named("ann", 1)],
            vec![named("ann\nkey", 0), named("bob", 1)],
        ] {
            assert_ne!(base, version(other));
        }
        assert_ne!(
            version(vec![(Owner::Key(keys[0].id()), keys[0].clone())]),
            version(vec![named(&keys[0].id().to_string(), 0)])
        );
    }

    #[test]
    fn a_key_of_two_owners_is_one_key() {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone();
        let (ann, bob) = (Owner::Named("ann".to_owned()), Owner::Named("bob".to_owned()));
        let root = TrustRoot::owned([(ann.clone(), key.clone()), (bob.clone(), key.clone())]).unwrap();
        assert_eq!(root.keys().count(), 1);
        assert_eq!(root.owners_of(key.id()), [&ann, &bob]);
        assert_eq!(TrustRoot::pinned([]).unwrap_err(), TrustError::NoKeys);
    }

    /// An owner holds a key once, however often it is given, and other keys are not that key.
    #[test]
    fn each_owner_holds_each_key_once() {
        let keys = [0, 1].map(|_| PrivateKey::generate(KeyKind::Ed25519).unwrap().public_key().clone());
        let (ann, bob) = (Owner::Named("ann".to_owned()), Owner::Named("bob".to_owned()));
        let held = [(&ann, 0), (&ann, 1), (&ann, 0), (&bob, 1)];
        let root = TrustRoot::owned(held.map(|(owner, key)| (owner.clone(), keys[key].clone()))).unwrap();
        assert_eq!(root.holders().count(), 3);
        assert_eq!(root.owners_of(keys[0].id()), [&ann]);
        assert_eq!(root.owners_of(keys[1].id()), [&ann, &bob]);
        let unknown = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        assert!(root.owners_of(unknown.public_key().id()).is_empty());
        let pinned = TrustRoot::pinned([keys[0].clone(), keys[1].clone(), keys[0].clone()]).unwrap();
        assert_eq!(pinned.identities().len(), 2);
        let means = pinned.means();
        assert!(means.cover(SignedWith::Key) && means.cover(SignedWith::KeyOrCertificate));
        assert!(!means.cover(SignedWith::Certificate) && !means.cover_keyless() && !means.judge_material());
    }
}
