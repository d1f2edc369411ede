//! `Signer`, the joint that every place where a private key can live fits; and `Signature`.

use crate::digest::Digest;
use crate::key::Batch;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::SignerError;

/// A private key, wherever it lives: in a file, in a token, behind another program.
pub trait Signer: Send + Sync {
    /// The public half: what every signature by this signer verifies with.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` with the scheme that others expect of this kind of key: its [`PublicKey::usual_scheme`].
    ///
    /// # Errors
    /// [`SignerError`].
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;

    /// Signs `message` with one scheme. A signer that makes only the expected one need not write this.
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

    /// Signs each of the messages as [`Signer::sign`] does, several at once. Once one was declined none is begun; what was
    /// made until then is returned.
    fn sign_all(&self, messages: &[&[u8]]) -> Batch {
        Batch::side_by_side(self, messages)
    }
}

/// A signature that was verified with its public key before anybody saw it.
///
/// ECDSA signatures are DER. There is no way to make one but [`Signature::checked`], so a token that computes
/// wrongly is found out here.
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
