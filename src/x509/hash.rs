//! `HashAlgorithm`: the hash functions of timestamps; and those that only identify names, keys and certificates.

use std::fmt;

use aws_lc_rs::digest;

/// A hash function of the SHA-2 family (FIPS 180-4) that timestamps are made and signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The hash of `bytes`.
    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.function(), bytes).as_ref().to_vec()
    }

    /// The length of a hash, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a hash is never empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The content of its object identifier (RFC 5754 section 2).
    pub(super) const fn id(self) -> &'static [u8] {
        match self {
            Self::Sha256 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
            Self::Sha384 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2],
            Self::Sha512 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
        }
    }

    const fn function(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// A hash algorithm of an identifier (RFC 6960 section 4.1.1, RFC 5035 section 3).
///
/// SHA-1 names what it identifies; a collision would only make two names of things that their issuer made alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdentifierHash {
    Sha1,
    Sha2(HashAlgorithm),
}

impl IdentifierHash {
    /// The algorithm with this object identifier, given as its DER content.
    pub(super) fn named(id: &[u8]) -> Option<Self> {
        if id == Self::Sha1.id() {
            return Some(Self::Sha1);
        }
        HashAlgorithm::ALL.into_iter().find(|algorithm| algorithm.id() == id).map(Self::Sha2)
    }

    /// The content of its object identifier.
    pub(super) const fn id(self) -> &'static [u8] {
        match self {
            // OIW `idSHA1`, RFC 3279 section 2.1.
            Self::Sha1 => &[0x2b, 0x0e, 3, 2, 0x1a],
            Self::Sha2(algorithm) => algorithm.id(),
        }
    }

    /// The hash of `bytes`.
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec(),
            Self::Sha2(algorithm) => algorithm.hash(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::hex;

    #[test]
    fn hashes_are_those_of_the_standard() {
        let begins = |hash: Vec<u8>| hex(&hash)[..8].to_owned();
        assert_eq!(HashAlgorithm::ALL.map(|one| begins(one.hash(b"abc"))), ["ba7816bf", "cb00753f", "ddaf35a1"]);
        assert_eq!(begins(IdentifierHash::Sha1.of(b"abc")), "a9993e36");
        assert!(HashAlgorithm::ALL.iter().all(|one| one.hash(b"").len() == one.len()));
    }
}
