//! `Signer`: the trait of every private key, in a file, in a token or behind a plugin; `Signature` and `Batch`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::Builder;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::key::HashedMessage;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::SignerError;

/// A private key in a file, in a token or behind another program.
pub trait Signer: Send + Sync {
    /// The public key that verifies every signature by this signer.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` with the default scheme of this type of key, [`PublicKey::default_scheme`].
    ///
    /// # Errors
    /// [`SignerError`].
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;

    /// Signs `message` with the given scheme. The provided method supports only the default scheme.
    ///
    /// # Errors
    /// [`SignerError::Scheme`] if this signer does not support the scheme.
    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        let key = self.public_key();
        match key.default_scheme() == scheme {
            true => self.sign(message),
            false => Err(SignerError::Scheme { algorithm: key.algorithm(), scheme }),
        }
    }

    /// Signs a message by its hashes with the given scheme. The provided method signs a message that was kept
    /// ([`HashedMessage::message`]) and no other.
    ///
    /// # Errors
    /// [`SignerError::MessageNeeded`] if this signer needs the message itself and it is not known.
    fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Result<Signature, SignerError> {
        match message.message() {
            Some(message) => self.sign_with(scheme, message),
            None => Err(SignerError::MessageNeeded { key: self.public_key().id(), scheme }),
        }
    }

    /// Whether [`Signer::sign_hashed`] signs by this scheme without the message itself. The provided method says no.
    fn signs_hashes(&self, _: Scheme) -> bool {
        false
    }

    /// Signs each message as [`Signer::sign`] does, several in parallel. After a failure no further message is signed,
    /// and the signatures made until then are returned.
    fn sign_all(&self, messages: &[&[u8]]) -> Batch {
        Batch::sign_in_parallel(messages, |message| self.sign(message))
    }

    /// Signs each message with the given scheme, as [`Signer::sign_all`] does with the default one.
    fn sign_all_with(&self, scheme: Scheme, messages: &[&[u8]]) -> Batch {
        Batch::sign_in_parallel(messages, |message| self.sign_with(scheme, message))
    }
}

/// A signature that was verified with its public key. A proof type.
///
/// ECDSA signatures are DER. Only [`Signature::verified`] makes one, so an error in a token is detected here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    bytes: Vec<u8>,
    key: KeyId,
    message: Digest,
}

impl Signature {
    /// Verifies `bytes` as a signature by `key` over `message`.
    ///
    /// # Errors
    /// [`SignerError::Faulty`] if it does not verify.
    pub fn verified(key: &PublicKey, scheme: Scheme, message: &[u8], bytes: Vec<u8>) -> Result<Self, SignerError> {
        match key.verify_as(scheme, message, &bytes) {
            Ok(()) => Ok(Self { bytes, key: key.id(), message: Digest::sha256(message) }),
            Err(_) => Err(SignerError::Faulty { key: key.id(), scheme }),
        }
    }

    /// As [`Signature::verified`], over a message by its hashes.
    ///
    /// # Errors
    /// [`SignerError::Faulty`] if it does not verify, or if the SHA-256 of the message is not known.
    pub fn verified_hashed(
        key: &PublicKey,
        scheme: Scheme,
        message: &HashedMessage,
        bytes: Vec<u8>,
    ) -> Result<Self, SignerError> {
        let sha256 = message.digests().find(|digest| digest.algorithm() == DigestAlgorithm::Sha256);
        match (key.verify_hashed_as(scheme, message, &bytes), sha256) {
            (Ok(()), Some(sha256)) => Ok(Self { bytes, key: key.id(), message: *sha256 }),
            _ => Err(SignerError::Faulty { key: key.id(), scheme }),
        }
    }

    /// The bytes of the signature.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it was verified with exactly this key over exactly this message.
    pub fn is_over(&self, key: &PublicKey, message: &[u8]) -> bool {
        self.key == key.id() && self.message == Digest::sha256(message)
    }
}

/// The result of signing several messages.
#[derive(Debug, Default)]
pub struct Batch {
    /// The signatures, by the index of the message.
    pub made: BTreeMap<usize, Signature>,
    /// The error that stopped the batch, if there was one.
    pub stopped: Option<SignerError>,
}

impl Batch {
    /// Signs in several threads, since signing may wait for a remote signer or use several processors. After a failure
    /// no further message is signed.
    fn sign_in_parallel(messages: &[&[u8]], sign: impl Fn(&[u8]) -> Result<Signature, SignerError> + Sync) -> Self {
        let next = AtomicUsize::new(0);
        let (made, stopped) = (Mutex::new(BTreeMap::new()), OnceLock::new());
        let work = || {
            while stopped.get().is_none() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(message) = messages.get(index) else { return };
                match sign(message) {
                    Ok(signature) => {
                        made.lock().unwrap_or_else(PoisonError::into_inner).insert(index, signature);
                    }
                    Err(error) => drop(stopped.set(error)),
                }
            }
        };
        std::thread::scope(|scope| {
            // If the system starts no more threads, the existing ones do the work: at least this one.
            for _ in 1..MAX_PARALLEL.min(messages.len()) {
                drop(Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        Self { made: made.into_inner().unwrap_or_else(PoisonError::into_inner), stopped: stopped.into_inner() }
    }
}

/// How many signatures are made in parallel.
pub(in crate::key) const MAX_PARALLEL: usize = 8;
