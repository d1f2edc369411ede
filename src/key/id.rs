//! `KeyId`: identifies a key, whatever file it was read from.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest;
use crate::digest::Digest;

/// The id of a key: the SHA-256 of its public key as a DER `SubjectPublicKeyInfo`.
///
/// A key has one id, whatever its file format, since public keys are kept in their only canonical encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// The id of the key with this `SubjectPublicKeyInfo`.
    pub(super) fn of(spki: &[u8]) -> Self {
        let digest = Digest::sha256(spki);
        let mut id = [0; 32];
        for (to, from) in id.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(id)
    }

    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key hint that cosign writes into a bundle: the same bytes in standard base64.
    pub fn hint(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// The first twelve hexadecimal digits, for people. Never compare these.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digest::hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
