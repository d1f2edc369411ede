//! Ed25519 and Ed25519ph, by ed25519-dalek.

use ::pkcs8::PrivateKeyInfoRef;
use ed25519_dalek::SigningKey;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use sha2::Digest as _;
use sha2::Sha512;
use signature::Signer as _;
use zeroize::Zeroizing;

use crate::key::HashedMessage;
use crate::key::KeyError;
use crate::key::Scheme;
use crate::key::identifier::KeyType;
use crate::key::pkcs8;

pub(in crate::key) struct Ed25519VerifyingKey(VerifyingKey);

impl Ed25519VerifyingKey {
    /// A key from its encoded point. Refuses a non-canonical encoding and the eight points of small order, for which
    /// anybody can make signatures.
    pub(super) fn new(bits: &[u8]) -> Result<Self, KeyError> {
        let malformed = |reason| KeyError::Encoding { what: "Ed25519 public key", reason };
        let bytes = <&[u8; 32]>::try_from(bits).map_err(|_| malformed("it does not have 32 bytes"))?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| malformed("it is not a point of the curve"))?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(malformed("its encoding is not the canonical one"));
        }
        match key.is_weak() {
            true => Err(KeyError::Weak),
            false => Ok(Self(key)),
        }
    }

    /// Strict verification (`verify_strict`): S below the group order, neither R nor the key of small order, and the
    /// cofactorless equation.
    pub(super) fn accepts(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
            return false;
        };
        match scheme {
            Scheme::Ed25519 => self.0.verify_strict(message, &signature).is_ok(),
            Scheme::Ed25519ph => {
                let digest = Sha512::new_with_prefix(message);
                self.0.verify_prehashed_strict(digest, None, &signature).is_ok()
            }
            _ => false,
        }
    }

    pub(super) fn accepts_hashed(&self, scheme: Scheme, message: &HashedMessage, signature: &[u8]) -> bool {
        match (scheme, message.message(), message.sha512_state()) {
            (Scheme::Ed25519, Some(message), _) => self.accepts(scheme, message, signature),
            (Scheme::Ed25519ph, _, Some(state)) => {
                let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
                self.0.verify_prehashed_strict(state.clone(), None, &signature).is_ok()
            }
            _ => false,
        }
    }
}

pub(in crate::key) struct Ed25519SigningKey(SigningKey);

impl Ed25519SigningKey {
    pub(super) fn new(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let malformed = |reason| KeyError::Encoding { what: "Ed25519 private key", reason };
        let pair = KeypairBytes::try_from(info.clone()).map_err(|_| malformed("it does not have 32 bytes"))?;
        let key = SigningKey::from_bytes(&pair.secret_key);
        match pair.public_key {
            Some(public) if public.as_ref() != key.verifying_key().as_bytes() => Err(KeyError::Mismatch),
            _ => Ok(Self(key)),
        }
    }

    pub(super) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    pub(super) fn point(&self) -> Vec<u8> {
        self.0.verifying_key().as_bytes().to_vec()
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        // RFC 8410 section 7: CurvePrivateKey is an OCTET STRING inside the OCTET STRING.
        let mut inner = Zeroizing::new(vec![0x04, 0x20]);
        inner.reserve_exact(32);
        inner.extend_from_slice(self.0.as_bytes());
        pkcs8::wrap(KeyType::Ed25519, &inner)
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
        let signature = match scheme {
            Scheme::Ed25519 => self.0.try_sign(message),
            Scheme::Ed25519ph => self.0.sign_prehashed(Sha512::new_with_prefix(message), None),
            _ => return None,
        };
        Some(signature.ok()?.to_bytes().to_vec())
    }
    pub(super) fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Option<Vec<u8>> {
        match scheme {
            Scheme::Ed25519 => self.sign(scheme, message.message()?),
            Scheme::Ed25519ph => {
                Some(self.0.sign_prehashed(message.sha512_state()?.clone(), None).ok()?.to_bytes().to_vec())
            }
            _ => None,
        }
    }
}
