//! Keys by algorithm, and the only place that calls cryptography for signatures.

mod ecdsa;
mod ed25519;
mod outside;
mod rsa;
mod scheme;
mod twin;

use ::pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;

pub use self::scheme::Algorithm;
pub use self::scheme::KeyKind;
pub use self::scheme::Scheme;

pub(super) use self::outside::Hash;
pub(super) use self::outside::ecdsa_der;
#[cfg(feature = "pkcs11")]
pub(super) use self::rsa::public as rsa_public;

/// The public half of a key, ready to check signatures.
pub(super) enum VerifyingKey {
    Ecdsa(ecdsa::EcdsaVerifyingKey),
    Ed25519(ed25519::Ed25519VerifyingKey),
    Rsa(rsa::RsaVerifyingKey),
}

impl VerifyingKey {
    /// Reads the bits inside a `SubjectPublicKeyInfo`.
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

    /// Whether `signature` (ECDSA: DER) is one over `message`. A scheme of another kind of key never is.
    pub(super) fn accepts(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(checker) => checker.accepts(scheme, message, signature),
            Self::Ed25519(checker) => checker.accepts(scheme, message, signature),
            Self::Rsa(checker) => checker.accepts(scheme, message, signature),
        }
    }

    /// The one of the signatures that hold together with `signature` (ECDSA: DER) that stands for all of them; none where
    /// there is no other.
    pub(super) fn one_form(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(checker) => twin::smaller(checker.curve(), signature),
            Self::Ed25519(_) | Self::Rsa(_) => None,
        }
    }

    /// [`VerifyingKey::accepts`] for the two numbers of an ECDSA signature side by side, as JWS and COSE have them.
    pub(super) fn accepts_fixed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(checker) => checker.accepts_fixed(scheme, message, signature),
            Self::Ed25519(_) | Self::Rsa(_) => false,
        }
    }
}

/// The private half of a key.
pub(super) enum SigningKey {
    Ecdsa(ecdsa::EcdsaSigningKey),
    Ed25519(ed25519::Ed25519SigningKey),
    Rsa(rsa::RsaSigningKey),
}

impl SigningKey {
    /// Reads the key in a PKCS#8 structure, and checks it against the public key stored with it, if there is one.
    pub(super) fn new(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        match KeyType::of(&info.algorithm)? {
            KeyType::Ecdsa(curve) => ecdsa::EcdsaSigningKey::new(curve, info).map(Self::Ecdsa),
            KeyType::Ed25519 => ed25519::Ed25519SigningKey::new(info).map(Self::Ed25519),
            KeyType::Rsa => rsa::RsaSigningKey::new(info).map(Self::Rsa),
        }
    }

    /// A key made of random bytes; none where these happen to be no key.
    pub(super) fn from_random(kind: KeyKind, bytes: &[u8; 48]) -> Option<Self> {
        let (half, _) = bytes.split_first_chunk::<32>()?;
        match kind {
            KeyKind::Ed25519 => Some(Self::Ed25519(ed25519::Ed25519SigningKey::from_seed(half))),
            KeyKind::P256 => ecdsa::EcdsaSigningKey::from_number(Curve::P256, half).map(Self::Ecdsa),
            KeyKind::P384 => ecdsa::EcdsaSigningKey::from_number(Curve::P384, bytes).map(Self::Ecdsa),
        }
    }

    /// The bits of the public half, as they stand in a `SubjectPublicKeyInfo`.
    pub(super) fn public(&self) -> (KeyType, Vec<u8>) {
        match self {
            Self::Ecdsa(secret) => (KeyType::Ecdsa(secret.curve()), secret.point()),
            Self::Ed25519(secret) => (KeyType::Ed25519, secret.point()),
            Self::Rsa(secret) => (KeyType::Rsa, secret.public()),
        }
    }

    /// The key as PKCS#8 version 1, which everybody reads.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Ecdsa(secret) => secret.to_pkcs8(),
            Self::Ed25519(secret) => secret.to_pkcs8(),
            Self::Rsa(secret) => secret.to_pkcs8(),
        }
    }

    /// A signature over `message`; none where the scheme is not one of this key, or the library fails.
    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(secret) => secret.sign(scheme, message),
            Self::Ed25519(secret) => secret.sign(scheme, message),
            Self::Rsa(secret) => secret.sign(scheme, message),
        }
    }
}
