//! `HashedMessage`: a message by its hashes, so that a file of any size is signed and verified without being in memory.

use aws_lc_rs::digest as aws;
use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::key::Scheme;
use crate::key::algorithm::Hash;
use crate::limits::count;

/// A message by its hashes: of bytes that a [`MessageHasher`] has seen, or of one digest that is given.
///
/// Ed25519 signs the message itself, so a hasher keeps it as well where it is asked to, up to a limit.
#[derive(Clone, Debug)]
pub struct HashedMessage {
    bytes: Bytes,
    sha256: Option<Digest>,
    sha384: Option<Vec<u8>>,
    sha512: Option<Digest>,
    /// The state of SHA-512 after the whole message: Ed25519ph is computed from it.
    sha512_state: Option<Sha512>,
}

/// What is known of a message beside its hashes.
#[derive(Clone, Debug)]
enum Bytes {
    /// The message.
    Kept(Vec<u8>),
    /// Nothing: it has more bytes than this limit.
    TooLong(u64),
    /// Nothing.
    Unknown,
}

/// Hashes a message that arrives in pieces. Always by SHA-256, and by what else its signatures need.
#[derive(Clone, Debug)]
pub struct MessageHasher {
    bytes: Bytes,
    limit: u64,
    sha256: Sha256,
    sha384: Option<Sha384>,
    sha512: Option<Sha512>,
}

/// Why a signature over a hashed message was not verified. Only [`HashedMessageError::Unverified`] is a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashedMessageError {
    /// A hash that one of the key's schemes signs is not known, and none of the others verifies the signature.
    #[error("a {scheme} signature is over another hash than the given digest")]
    HashUnknown {
        /// The scheme.
        scheme: Scheme,
    },
    /// Ed25519 signs the message itself, which is larger than the limit.
    #[error("an Ed25519 signature is over the file itself, which has more than {limit} bytes")]
    MessageTooLong {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Ed25519 signs the message itself, and only its digest is known.
    #[error("an Ed25519 signature is over the file itself, and only a digest is given")]
    MessageUnknown,
    /// The signature does not verify.
    #[error("signature does not verify")]
    Unverified,
}

impl MessageHasher {
    /// A hasher for signatures by these schemes. Where one of them is Ed25519, the message is kept too, if it has at most
    /// `limit` bytes.
    pub fn new(schemes: impl IntoIterator<Item = Scheme>, limit: u64) -> Self {
        let empty = Self { bytes: Bytes::Unknown, limit, sha256: Sha256::new(), sha384: None, sha512: None };
        schemes.into_iter().fold(empty, |hasher, scheme| match (Hash::of(scheme), scheme) {
            (Some(Hash::Sha384), _) => hasher.with_sha384(),
            (Some(Hash::Sha512), _) | (None, Scheme::Ed25519ph) => hasher.with_sha512(),
            (None, _) => hasher.with_message(),
            (Some(Hash::Sha256), _) => hasher,
        })
    }

    /// The same hasher, before it has seen anything, that also computes the SHA-384.
    #[must_use]
    pub fn with_sha384(self) -> Self {
        Self { sha384: Some(Sha384::new()), ..self }
    }

    /// The same hasher, before it has seen anything, that also computes the SHA-512.
    #[must_use]
    pub fn with_sha512(self) -> Self {
        Self { sha512: Some(Sha512::new()), ..self }
    }

    /// The same hasher, before it has seen anything, that also keeps the message up to its limit.
    #[must_use]
    pub fn with_message(self) -> Self {
        Self { bytes: Bytes::Kept(Vec::new()), ..self }
    }

    /// Hashes the next bytes of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sha384.iter_mut().for_each(|state| state.update(bytes));
        self.sha512.iter_mut().for_each(|state| state.update(bytes));
        if let Bytes::Kept(kept) = &mut self.bytes {
            match count(kept.len()).saturating_add(count(bytes.len())) <= self.limit {
                true => kept.extend_from_slice(bytes),
                false => self.bytes = Bytes::TooLong(self.limit),
            }
        }
    }

    /// The hashed message. It is complete: every byte of it was given to [`MessageHasher::update`].
    pub fn finish(self) -> HashedMessage {
        let sha512 = self.sha512.clone().map(Sha512::finalize);
        HashedMessage {
            bytes: self.bytes,
            sha256: Digest::of_hash(DigestAlgorithm::Sha256, &self.sha256.finalize()),
            sha384: self.sha384.map(|state| state.finalize().to_vec()),
            sha512: sha512.and_then(|hash| Digest::of_hash(DigestAlgorithm::Sha512, &hash)),
            sha512_state: self.sha512,
        }
    }
}

impl HashedMessage {
    /// A message that is known only by this digest.
    pub fn known_by(digest: Digest) -> Self {
        let by = |algorithm| Some(digest).filter(|digest| digest.algorithm() == algorithm);
        Self {
            bytes: Bytes::Unknown,
            sha256: by(DigestAlgorithm::Sha256),
            sha384: None,
            sha512: by(DigestAlgorithm::Sha512),
            sha512_state: None,
        }
    }

    /// The digests by SHA-256 and SHA-512 that are known.
    pub fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.sha256.iter().chain(&self.sha512)
    }

    /// The SHA-256, if it is known.
    pub fn sha256(&self) -> Option<&[u8]> {
        self.sha256.as_ref().map(Digest::as_bytes)
    }

    /// The SHA-384, if it is known.
    pub fn sha384(&self) -> Option<&[u8]> {
        self.sha384.as_deref()
    }

    /// The SHA-512, if it is known.
    pub fn sha512(&self) -> Option<&[u8]> {
        self.sha512.as_ref().map(Digest::as_bytes)
    }

    /// The message itself, if it was kept.
    pub fn message(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Kept(bytes) => Some(bytes),
            Bytes::TooLong(_) | Bytes::Unknown => None,
        }
    }

    /// The hash that `scheme` signs; `None` if it is not known, or if the scheme signs the message itself.
    pub fn hash_for(&self, scheme: Scheme) -> Option<&[u8]> {
        match Hash::of(scheme)? {
            Hash::Sha256 => self.sha256(),
            Hash::Sha384 => self.sha384(),
            Hash::Sha512 => self.sha512(),
        }
    }

    /// The hash that `scheme` signs, for the cryptographic library.
    pub(in crate::key) fn prehash(&self, scheme: Scheme) -> Option<aws::Digest> {
        let algorithm = match Hash::of(scheme)? {
            Hash::Sha256 => &aws::SHA256,
            Hash::Sha384 => &aws::SHA384,
            Hash::Sha512 => &aws::SHA512,
        };
        aws::Digest::import_less_safe(self.hash_for(scheme)?, algorithm).ok()
    }

    pub(in crate::key) const fn sha512_state(&self) -> Option<&Sha512> {
        self.sha512_state.as_ref()
    }

    /// Why a signature by `scheme` cannot be checked; none if it can.
    pub(in crate::key) fn lacks(&self, scheme: Scheme) -> Option<HashedMessageError> {
        let known = match scheme {
            Scheme::Ed25519 => self.message().is_some(),
            Scheme::Ed25519ph => self.sha512_state.is_some(),
            _ => self.hash_for(scheme).is_some(),
        };
        match (known, scheme, &self.bytes) {
            (true, ..) => None,
            (false, Scheme::Ed25519, Bytes::TooLong(limit)) => {
                Some(HashedMessageError::MessageTooLong { limit: *limit })
            }
            (false, Scheme::Ed25519 | Scheme::Ed25519ph, _) => Some(HashedMessageError::MessageUnknown),
            (false, ..) => Some(HashedMessageError::HashUnknown { scheme }),
        }
    }
}
