//! Keys by algorithm, and the only place that calls cryptography for signatures.

mod ecdsa;
mod ed25519;
mod encoding;
mod malleability;
mod rsa;
mod scheme;

use ::pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

use crate::key::HashedMessage;
use crate::key::KeyError;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;

pub use self::scheme::Algorithm;
pub use self::scheme::KeyKind;
pub use self::scheme::Scheme;

pub(super) use self::encoding::Hash;
pub(super) use self::encoding::ecdsa_der;
#[cfg(feature = "pkcs11")]
pub(super) use self::rsa::public as rsa_public;

/// A public key, prepared to verify signatures.
pub(super) enum VerifyingKey {
    Ecdsa(ecdsa::EcdsaVerifyingKey),
    Ed25519(ed25519::Ed25519VerifyingKey),
    Rsa(rsa::RsaVerifyingKey),
}

impl VerifyingKey {
    /// Parses the bits inside a `SubjectPublicKeyInfo`.
    pub(super) fn new(key_type: KeyType, bits: &[u8]) -> Result<Self, KeyError> {
        match key_type {
            KeyType::Ecdsa(curve) => ecdsa::EcdsaVerifyingKey::new(curve, bits).map(Self::Ecdsa),
            KeyType::Ed25519 => ed25519::Ed25519VerifyingKey::new(bits).map(Self::Ed25519),
            KeyType::Rsa => rsa::RsaVerifyingKey::new(bits).map(Self::Rsa),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ecdsa(checker) => checker.algorithm(),
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Rsa(checker) => Algorithm::Rsa { bits: checker.bits() },
        }
    }

    /// Whether `signature` (ECDSA: DER) is valid over `message` by `scheme`. A scheme for another type of key never is.
    pub(super) fn accepts(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(checker) => checker.accepts(scheme, message, signature),
            Self::Ed25519(checker) => checker.accepts(scheme, message, signature),
            Self::Rsa(checker) => checker.accepts(scheme, message, signature),
        }
    }

    /// As [`VerifyingKey::accepts`], for a message by its hashes. What is not known of the message accepts nothing.
    pub(super) fn accepts_hashed(&self, scheme: Scheme, message: &HashedMessage, signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(checker) => checker.accepts_hashed(scheme, message, signature),
            Self::Ed25519(checker) => checker.accepts_hashed(scheme, message, signature),
            Self::Rsa(checker) => checker.accepts_hashed(scheme, message, signature),
        }
    }

    /// The canonical form of `signature` (ECDSA: DER) if it is malleable: the same for all signatures that can be
    /// computed from it without the key. `None` if there are no others.
    pub(super) fn canonical_signature(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(checker) => malleability::low_s(checker.curve(), signature),
            Self::Ed25519(_) | Self::Rsa(_) => None,
        }
    }

    /// The encoding of `signature` (ECDSA: DER) in JWS and COSE.
    pub(super) fn to_jose(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(checker) => encoding::ecdsa_fixed(checker.curve(), signature),
            Self::Ed25519(_) | Self::Rsa(_) => Some(signature.to_vec()),
        }
    }

    /// The signature (ECDSA: in DER) whose encoding in JWS and COSE is `signature`.
    pub(super) fn of_jose(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(checker) => ecdsa_der(checker.curve(), signature),
            Self::Ed25519(_) | Self::Rsa(_) => Some(signature.to_vec()),
        }
    }

    /// As [`VerifyingKey::accepts`], for an ECDSA signature with `r` and `s` side by side, as in JWS and COSE.
    pub(super) fn accepts_fixed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(checker) => checker.accepts_fixed(scheme, message, signature),
            Self::Ed25519(_) | Self::Rsa(_) => false,
        }
    }
}

/// A private key, ready to sign.
pub(super) enum SigningKey {
    Ecdsa(ecdsa::EcdsaSigningKey),
    Ed25519(ed25519::Ed25519SigningKey),
    Rsa(rsa::RsaSigningKey),
}

impl SigningKey {
    /// Parses the key in a PKCS#8 structure, and checks that a public key stored with it belongs to it.
    pub(super) fn new(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        match KeyType::of(&info.algorithm)? {
            KeyType::Ecdsa(curve) => ecdsa::EcdsaSigningKey::new(curve, info).map(Self::Ecdsa),
            KeyType::Ed25519 => ed25519::Ed25519SigningKey::new(info).map(Self::Ed25519),
            KeyType::Rsa => rsa::RsaSigningKey::new(info).map(Self::Rsa),
        }
    }

    /// A key from random bytes; `None` if they are not a valid key.
    pub(super) fn from_random(kind: KeyKind, bytes: &[u8; 48]) -> Option<Self> {
        let (half, _) = bytes.split_first_chunk::<32>()?;
        match kind {
            KeyKind::Ed25519 => Some(Self::Ed25519(ed25519::Ed25519SigningKey::from_seed(half))),
            KeyKind::P256 => ecdsa::EcdsaSigningKey::from_number(Curve::P256, half).map(Self::Ecdsa),
            KeyKind::P384 => ecdsa::EcdsaSigningKey::from_number(Curve::P384, bytes).map(Self::Ecdsa),
        }
    }

    /// The public key: its type and the bits inside a `SubjectPublicKeyInfo`.
    pub(super) fn public(&self) -> (KeyType, Vec<u8>) {
        match self {
            Self::Ecdsa(secret) => (KeyType::Ecdsa(secret.curve()), secret.point()),
            Self::Ed25519(secret) => (KeyType::Ed25519, secret.point()),
            Self::Rsa(secret) => (KeyType::Rsa, secret.public()),
        }
    }

    /// The key as PKCS#8 version 1, which every implementation reads.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Ecdsa(secret) => secret.to_pkcs8(),
            Self::Ed25519(secret) => secret.to_pkcs8(),
            Self::Rsa(secret) => secret.to_pkcs8(),
        }
    }

    /// Signs `message`; `None` if the scheme does not fit the key, or the library fails.
    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(secret) => secret.sign(scheme, message),
            Self::Ed25519(secret) => secret.sign(scheme, message),
            Self::Rsa(secret) => secret.sign(scheme, message),
        }
    }
    /// Signs a message by its hashes; `None` if the scheme does not fit the key, the hash is not known, or the library
    /// fails.
    pub(super) fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(secret) => secret.sign_hashed(scheme, message),
            Self::Ed25519(secret) => secret.sign_hashed(scheme, message),
            Self::Rsa(secret) => secret.sign_hashed(scheme, message),
        }
    }
}
