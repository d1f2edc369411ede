//! `SignerCredential`: what tells signers apart.

use crate::digest::Digest;
use crate::key::KeyId;

/// What an owner signs with, by which a quorum tells signers apart: no credential counts for two owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignerCredential {
    /// A key: pinned, or of a certificate of the Notary Project.
    Key(KeyId),
    /// A keyless identity, and the key of its certificate: neither counts for another owner.
    Keyless {
        /// The hash of issuer and names: the key is a new one each time.
        identity: Digest,
        /// The key of the certificate.
        key: KeyId,
    },
}

impl From<KeyId> for SignerCredential {
    fn from(key: KeyId) -> Self {
        Self::Key(key)
    }
}
