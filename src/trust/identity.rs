//! `Identity`: whom the operator trusts, and by what means that person or service proves who they are.

use std::fmt;

use crate::key::KeyId;
use crate::key::PublicKey;
use crate::nonempty::NonEmpty;

/// The owner of keys: the operator's name for a person or a service. Owners are counted, not keys and not signatures.
///
/// It always comes from the operator's own entry, never from a signature, a certificate or a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A key that was pinned without a name is its own owner.
    Key(KeyId),
    /// The name that the operator gave.
    Named(String),
}

/// An entry of the trust root: an owner, and the means by which a signature is known to be the owner's.
#[derive(Clone, Debug)]
pub struct Identity {
    means: Means,
    owner: Owner,
}

/// The means by which a signature is attributed to an owner: a closed set, so that the compiler lists every place that a
/// new means touches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Means {
    /// Public keys that the operator pinned.
    Keys(NonEmpty<PublicKey>),
}

impl Identity {
    /// `owner`, who is trusted by `means`.
    pub const fn new(owner: Owner, means: Means) -> Self {
        Self { means, owner }
    }

    /// A key without a name: its own owner.
    pub fn pinned(key: PublicKey) -> Self {
        Self { owner: Owner::Key(key.id()), means: Means::Keys(NonEmpty::one(key)) }
    }

    /// The means.
    pub const fn means(&self) -> &Means {
        &self.means
    }

    /// The owner.
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The public keys that the operator pinned for this identity.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        match &self.means {
            Means::Keys(keys) => keys.iter(),
        }
    }
}

impl Means {
    /// Writes the owner and the means, which decide whose signatures count, into the text that the version of a trust
    /// root covers.
    pub(super) fn describe(&self, text: &mut String) {
        match self {
            Self::Keys(keys) => keys.iter().for_each(|key| text.push_str(&format!("key {}\n", key.id()))),
        }
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
