//! `Identity`: whom the operator trusts, and by what means that person or service proves who they are.

use std::collections::BTreeMap;
use std::fmt;

use crate::key::KeyId;
use crate::key::PublicKey;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::trust::CertificateMeans;
use crate::trust::KeylessMeans;
use crate::trust::LoggedKeys;

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
    key_ends: BTreeMap<KeyId, Time>,
    means: Means,
    owner: Owner,
}

/// The means by which a signature is attributed to an owner: a closed set, so that the compiler lists every place that a
/// new means touches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Means {
    /// Certificates whose chain leads to an anchor of the operator, and which have the names that the operator gave.
    Certificates(CertificateMeans),
    /// Certificates of an authority of a Sigstore trusted root, which have the names that the operator gave, and logs that
    /// vouch for the signature.
    Keyless(KeylessMeans),
    /// Public keys that the operator pinned.
    Keys(NonEmpty<PublicKey>),
    /// Public keys that the operator pinned, and logs that vouch for the signature.
    LoggedKeys(LoggedKeys),
}

impl Identity {
    /// `owner`, who is trusted by `means`.
    pub const fn new(owner: Owner, means: Means) -> Self {
        Self { key_ends: BTreeMap::new(), means, owner }
    }

    /// A key without a name: its own owner.
    pub fn pinned(key: PublicKey) -> Self {
        Self::new(Owner::Key(key.id()), Means::Keys(NonEmpty::one(key)))
    }

    /// The same identity, whose `key` is valid until `end`, the last second included. After that a signature of the key
    /// counts only if a log or a timestamp authority that the operator trusts proves that it existed by then: see
    /// [`Means::LoggedKeys`]. Of two ends of one key the earlier one holds.
    #[must_use]
    pub fn with_key_end(mut self, key: KeyId, end: Time) -> Self {
        let known = self.key_ends.entry(key).or_insert(end);
        *known = end.min(*known);
        self
    }

    /// The identities of keys with owners, in the order of the owners: one identity for each owner, with all keys of the
    /// owner, each once.
    pub fn of_keys(keys: impl IntoIterator<Item = (Owner, PublicKey)>) -> Vec<Self> {
        let mut held: Vec<(Owner, NonEmpty<PublicKey>)> = Vec::new();
        for (owner, key) in keys {
            match held.iter_mut().find(|(known, _)| *known == owner) {
                Some((_, keys)) if keys.iter().any(|known| known.id() == key.id()) => {}
                Some((_, keys)) => keys.push(key),
                None => held.push((owner, NonEmpty::one(key))),
            }
        }
        held.into_iter().map(|(owner, keys)| Self::new(owner, Means::Keys(keys))).collect()
    }

    /// The means.
    pub const fn means(&self) -> &Means {
        &self.means
    }

    /// The owner.
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The last second at which `key` is valid; `None` if the operator gave no end.
    pub fn key_end(&self, key: KeyId) -> Option<Time> {
        self.key_ends.get(&key).copied()
    }

    /// The public keys that the operator pinned for this identity.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        let pinned = match &self.means {
            Means::Certificates(_) | Means::Keyless(_) => None,
            Means::Keys(keys) => Some(keys),
            Means::LoggedKeys(means) => Some(means.keys()),
        };
        pinned.into_iter().flat_map(NonEmpty::iter)
    }

    /// The certificates by which this identity is known, if it is known by certificates.
    pub const fn certificates(&self) -> Option<&CertificateMeans> {
        match &self.means {
            Means::Certificates(means) => Some(means),
            Means::Keyless(_) | Means::Keys(_) | Means::LoggedKeys(_) => None,
        }
    }

    /// Whether the verification material of Sigstore beside a signature decides if it is the owner's: certificates, log
    /// entries, timestamps.
    pub(super) const fn judges_material(&self) -> bool {
        match &self.means {
            Means::Certificates(_) | Means::Keys(_) => false,
            Means::Keyless(_) | Means::LoggedKeys(_) => true,
        }
    }

    /// The keyless signatures by which this identity is known, if it is known by them.
    pub const fn keyless(&self) -> Option<&KeylessMeans> {
        match &self.means {
            Means::Keyless(means) => Some(means),
            Means::Certificates(_) | Means::Keys(_) | Means::LoggedKeys(_) => None,
        }
    }

    /// The pinned keys with a log rule by which this identity is known, if it is known by them.
    pub const fn logged_keys(&self) -> Option<&LoggedKeys> {
        match &self.means {
            Means::LoggedKeys(means) => Some(means),
            Means::Certificates(_) | Means::Keyless(_) | Means::Keys(_) => None,
        }
    }

    /// Whether a signer may have a certificate, and so a key that is not known beforehand.
    pub const fn has_certificates(&self) -> bool {
        matches!(self.means, Means::Certificates(_) | Means::Keyless(_))
    }
}

impl Identity {
    /// Writes the means and the ends of keys, which decide whose signatures count, into the text that the version of a
    /// trust root covers.
    pub(super) fn describe(&self, text: &mut String) {
        self.means.describe(text);
        self.key_ends.iter().for_each(|(key, end)| text.push_str(&format!("end {key} {end}\n")));
    }
}

impl Means {
    fn describe(&self, text: &mut String) {
        match self {
            Self::Certificates(means) => means.describe(text),
            Self::Keyless(means) => means.describe(text),
            Self::LoggedKeys(means) => means.describe(text),
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
