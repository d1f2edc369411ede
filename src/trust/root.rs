//! `TrustRoot`: the keys that the operator chose; `Threshold`: the only place where they are counted. A proof type.
//!

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use crate::key::KeyId;
use crate::key::PublicKey;

/// Who holds a key. Owners are counted, not keys and not signatures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A key that was pinned without a name is its own owner.
    Key(KeyId),
    /// Whoever the operator says holds one or several keys.
    Named(String),
}

/// The keys that the operator trusts. Immutable, and made only from what the operator gave: nothing found in evidence
/// can widen it (threats: key-from-evidence).
///
/// ```compile_fail,E0451
/// let everybody = bulla::trust::TrustRoot { keys: Vec::new() };
/// ```
#[derive(Clone, Debug)]
pub struct TrustRoot {
    keys: Vec<TrustedKey>,
}

#[derive(Clone, Debug)]
struct TrustedKey {
    key: PublicKey,
    owner: Owner,
}

/// How many owners have to agree: at least one, so "nobody has to sign" cannot be written.
///
/// ```compile_fail,E0308
/// let nobody: bulla::trust::Threshold = 0;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold(NonZeroU32);

/// Why keys and threshold make no sense together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// No key: then nothing could ever be accepted.
    #[error("no key is trusted")]
    NoKeys,
    /// More owners are wanted than there are.
    #[error("a threshold of {want} can never be met: there are {got} distinct keys")]
    TooFewKeys {
        /// How many owners there are.
        got: usize,
        /// How many are wanted.
        want: u32,
    },
    /// A threshold of zero.
    #[error("a threshold of 0 would accept everything; it must be at least 1")]
    ZeroThreshold,
}

impl TrustRoot {
    /// Trusts `keys`, each its own owner. A key that is given twice is one key, in whatever form it came.
    ///
    /// # Errors
    /// [`TrustError::NoKeys`].
    pub fn pinned(keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, TrustError> {
        Self::owned(keys.into_iter().map(|key| (Owner::Key(key.id()), key)))
    }

    /// Trusts keys as held by named owners. A key that is given to two owners belongs to the first.
    ///
    /// # Errors
    /// [`TrustError::NoKeys`].
    pub fn owned(keys: impl IntoIterator<Item = (Owner, PublicKey)>) -> Result<Self, TrustError> {
        let mut seen = BTreeSet::new();
        let first = |(owner, key): (Owner, PublicKey)| seen.insert(key.id()).then_some(TrustedKey { key, owner });
        let keys: Vec<_> = keys.into_iter().filter_map(first).collect();
        match keys.is_empty() {
            true => Err(TrustError::NoKeys),
            false => Ok(Self { keys }),
        }
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().map(|trusted| &trusted.key)
    }

    /// Who holds `key`, if it is trusted.
    pub fn owner(&self, key: KeyId) -> Option<&Owner> {
        self.keys.iter().find(|trusted| trusted.key.id() == key).map(|trusted| &trusted.owner)
    }

    /// Refuses a threshold that these keys can never meet: better said at the start than as a refusal of every image.
    ///
    /// # Errors
    /// [`TrustError::TooFewKeys`].
    pub fn supports(&self, threshold: Threshold) -> Result<(), TrustError> {
        let owners: BTreeSet<_> = self.keys.iter().map(|trusted| trusted.owner.clone()).collect();
        match threshold.is_met_by(&owners) {
            true => Ok(()),
            false => Err(TrustError::TooFewKeys { got: owners.len(), want: threshold.count() }),
        }
    }
}

impl Threshold {
    /// One owner is enough.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// `count` owners.
    ///
    /// # Errors
    /// [`TrustError::ZeroThreshold`] for 0 (threats: zero-threshold).
    pub fn new(count: u32) -> Result<Self, TrustError> {
        NonZeroU32::new(count).map(Self).ok_or(TrustError::ZeroThreshold)
    }

    /// How many owners.
    pub const fn count(self) -> u32 {
        self.0.get()
    }

    /// Whether these owners are enough. This is the only counting of signers in the program.
    pub fn is_met_by(self, owners: &BTreeSet<Owner>) -> bool {
        self.missing(owners) == 0
    }

    /// How many more owners are needed.
    pub fn missing(self, owners: &BTreeSet<Owner>) -> u32 {
        self.count().saturating_sub(u32::try_from(owners.len()).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Named(name) => f.write_str(name),
        }
    }
}
