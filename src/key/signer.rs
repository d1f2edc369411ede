//! `Signer`: the trait of every private key, in a file, in a token or behind a plugin; `Signature` and `Batch`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::Builder;

use crate::digest::Digest;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::SignerError;

/// A private key in a file, in a token or behind another program.
pub trait Signer: Send + Sync {
    /// The public key, with which every signature by this signer verifies.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` with the scheme that others expect of this kind of key: its [`PublicKey::usual_scheme`].
    ///
    /// # Errors
    /// [`SignerError`].
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;

    /// Signs `message` with one scheme. The default makes the usual scheme and refuses the others.
    ///
    /// # Errors
    /// [`SignerError::Scheme`] where this signer does not make that kind of signature.
    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignerError> {
        let key = self.public_key();
        match key.usual_scheme() == scheme {
            true => self.sign(message),
            false => Err(SignerError::Scheme { algorithm: key.algorithm(), scheme }),
        }
    }

    /// Signs each of the messages as [`Signer::sign`] does, several at once. After a failure no further message is begun,
    /// and the signatures made until then are returned.
    fn sign_all(&self, messages: &[&[u8]]) -> Batch {
        Batch::side_by_side(self, messages)
    }
}

/// A signature that was verified with its public key. A proof type.
///
/// ECDSA signatures are DER. Only [`Signature::checked`] makes one, so a token that computes wrongly is noticed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    bytes: Vec<u8>,
    key: KeyId,
    message: Digest,
}

impl Signature {
    /// `bytes`, which `key` accepts as its signature over `message`.
    ///
    /// # Errors
    /// [`SignerError::Faulty`] where it does not.
    pub fn checked(key: &PublicKey, scheme: Scheme, message: &[u8], bytes: Vec<u8>) -> Result<Self, SignerError> {
        match key.verify_as(scheme, message, &bytes) {
            Ok(()) => Ok(Self { bytes, key: key.id(), message: Digest::sha256(message) }),
            Err(_) => Err(SignerError::Faulty { key: key.id(), scheme }),
        }
    }

    /// The bytes of the signature.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it was verified with this key over this very message, and not with another one or over something else.
    pub fn is_over(&self, key: &PublicKey, message: &[u8]) -> bool {
        self.key == key.id() && self.message == Digest::sha256(message)
    }
}

/// The result of signing several messages.
#[derive(Debug, Default)]
pub struct Batch {
    /// The signatures, by the place of the message.
    pub made: BTreeMap<usize, Signature>,
    /// Why the others are missing.
    pub stopped: Option<SignerError>,
}

impl Batch {
    /// Signs in several threads, since a machine has several processors and a signer may be far away. After a failure no
    /// further message is begun.
    pub(in crate::key) fn side_by_side<S: Signer + ?Sized>(signer: &S, messages: &[&[u8]]) -> Self {
        let next = AtomicUsize::new(0);
        let (made, stopped) = (Mutex::new(BTreeMap::new()), OnceLock::new());
        let work = || {
            while stopped.get().is_none() {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(message) = messages.get(place) else { return };
                match signer.sign(message) {
                    Ok(signature) => {
                        made.lock().unwrap_or_else(PoisonError::into_inner).insert(place, signature);
                    }
                    Err(error) => drop(stopped.set(error)),
                }
            }
        };
        std::thread::scope(|scope| {
            // If the system gives no more threads, those that there are do the work: this one at least.
            for _ in 1..AT_ONCE.min(messages.len()) {
                drop(Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        Self { made: made.into_inner().unwrap_or_else(PoisonError::into_inner), stopped: stopped.into_inner() }
    }
}

/// How many signatures are requested at a time.
pub(in crate::key) const AT_ONCE: usize = 8;
