//! `Algorithm` and `Scheme`: every kind of key and of signature that there is here, and what computes them.

mod ecdsa;
mod ed25519;
mod outside;
mod rsa;
mod twin;

use std::fmt;

use ::pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

use crate::key::KeyError;
use crate::key::KeyKind;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;

pub(super) use self::outside::Hash;
pub(super) use self::outside::ecdsa_der;
#[cfg(feature = "pkcs11")]
pub(super) use self::rsa::public as rsa_public;

/// What kind of key a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521.
    EcdsaP521,
    /// Ed25519, RFC 8032.
    Ed25519,
    /// RSA.
    Rsa {
        /// The length of the modulus.
        bits: u32,
    },
}

/// How a signature is made: the kind of key, the hash, the padding. A closed set; nothing else is ever tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// ECDSA P-256 over SHA-256.
    EcdsaP256Sha256,
    /// ECDSA P-384 over SHA-256: the hash that verifiers in the field have for every ECDSA key.
    EcdsaP384Sha256,
    /// ECDSA P-384 over SHA-384.
    EcdsaP384Sha384,
    /// ECDSA P-521 over SHA-256: as for P-384.
    EcdsaP521Sha256,
    /// ECDSA P-521 over SHA-512.
    EcdsaP521Sha512,
    /// Ed25519 over the message itself. RFC 8032 section 5.1.6.
    Ed25519,
    /// Ed25519ph: over SHA-512 of the message, empty context. RFC 8032 section 5.1, what cosign writes.
    Ed25519ph,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaPkcs1Sha256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSA-PSS with SHA-256, MGF1 over the same, and a salt of the same length.
    RsaPssSha256,
    /// RSA-PSS with SHA-384, MGF1 over the same, and a salt of the same length.
    RsaPssSha384,
    /// RSA-PSS with SHA-512, MGF1 over the same, and a salt of the same length.
    RsaPssSha512,
}

impl Algorithm {
    /// What a signature by such a key is unless somebody asks for another: what the verifiers in the field accept.
    ///
    /// For P-384 and P-521 that is SHA-256, which cosign up to 3.1 and containers/image have fixed for every ECDSA
    /// key. cosign 3.1 signs with SHA-384 and SHA-512 and then cannot verify it (sigstore/cosign 5091); such
    /// signatures are verified here, and not made unless asked for.
    pub const fn usual_scheme(self) -> Scheme {
        match self {
            Self::EcdsaP256 => Scheme::EcdsaP256Sha256,
            Self::EcdsaP384 => Scheme::EcdsaP384Sha256,
            Self::EcdsaP521 => Scheme::EcdsaP521Sha256,
            Self::Ed25519 => Scheme::Ed25519,
            Self::Rsa { .. } => Scheme::RsaPkcs1Sha256,
        }
    }

    /// What a signature by such a key may be, the usual one first. The key decides, never the envelope.
    pub const fn schemes(self) -> &'static [Scheme] {
        match self {
            Self::EcdsaP256 => &[Scheme::EcdsaP256Sha256],
            Self::EcdsaP384 => &[Scheme::EcdsaP384Sha256, Scheme::EcdsaP384Sha384],
            Self::EcdsaP521 => &[Scheme::EcdsaP521Sha256, Scheme::EcdsaP521Sha512],
            Self::Ed25519 => &[Scheme::Ed25519, Scheme::Ed25519ph],
            Self::Rsa { .. } => &[
                Scheme::RsaPkcs1Sha256,
                Scheme::RsaPssSha256,
                Scheme::RsaPkcs1Sha512,
                Scheme::RsaPssSha512,
                Scheme::RsaPkcs1Sha384,
                Scheme::RsaPssSha384,
            ],
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::EcdsaP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256Sha256 => "ECDSA P-256 SHA-256",
            Self::EcdsaP384Sha256 => "ECDSA P-384 SHA-256",
            Self::EcdsaP384Sha384 => "ECDSA P-384 SHA-384",
            Self::EcdsaP521Sha256 => "ECDSA P-521 SHA-256",
            Self::EcdsaP521Sha512 => "ECDSA P-521 SHA-512",
            Self::Ed25519 => "Ed25519",
            Self::Ed25519ph => "Ed25519ph",
            Self::RsaPkcs1Sha256 => "RSA PKCS#1 v1.5 SHA-256",
            Self::RsaPkcs1Sha384 => "RSA PKCS#1 v1.5 SHA-384",
            Self::RsaPkcs1Sha512 => "RSA PKCS#1 v1.5 SHA-512",
            Self::RsaPssSha256 => "RSA-PSS SHA-256",
            Self::RsaPssSha384 => "RSA-PSS SHA-384",
            Self::RsaPssSha512 => "RSA-PSS SHA-512",
        })
    }
}

/// The public half of a key, ready to check signatures.
pub(super) enum Checker {
    Ecdsa(ecdsa::Checker),
    Ed25519(ed25519::Checker),
    Rsa(rsa::Checker),
}

impl Checker {
    /// Reads the bits inside a `SubjectPublicKeyInfo`.
    pub(super) fn new(key_type: KeyType, bits: &[u8]) -> Result<Self, KeyError> {
        match key_type {
            KeyType::Ecdsa(curve) => ecdsa::Checker::new(curve, bits).map(Self::Ecdsa),
            KeyType::Ed25519 => ed25519::Checker::new(bits).map(Self::Ed25519),
            KeyType::Rsa => rsa::Checker::new(bits).map(Self::Rsa),
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

    /// [`Checker::accepts`] for the two numbers of an ECDSA signature side by side, as JWS and COSE have them.
    pub(super) fn accepts_fixed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(checker) => checker.accepts_fixed(scheme, message, signature),
            Self::Ed25519(_) | Self::Rsa(_) => false,
        }
    }
}

/// The private half of a key.
pub(super) enum Secret {
    Ecdsa(ecdsa::Secret),
    Ed25519(ed25519::Secret),
    Rsa(rsa::Secret),
}

impl Secret {
    /// Reads the key in a PKCS#8 structure, and checks it against the public key stored with it, if there is one.
    pub(super) fn new(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        match KeyType::of(&info.algorithm)? {
            KeyType::Ecdsa(curve) => ecdsa::Secret::new(curve, info).map(Self::Ecdsa),
            KeyType::Ed25519 => ed25519::Secret::new(info).map(Self::Ed25519),
            KeyType::Rsa => rsa::Secret::new(info).map(Self::Rsa),
        }
    }

    /// A key made of random bytes; none where these happen to be no key.
    pub(super) fn from_random(kind: KeyKind, bytes: &[u8; 48]) -> Option<Self> {
        let (half, _) = bytes.split_first_chunk::<32>()?;
        match kind {
            KeyKind::Ed25519 => Some(Self::Ed25519(ed25519::Secret::from_seed(half))),
            KeyKind::P256 => ecdsa::Secret::from_number(Curve::P256, half).map(Self::Ecdsa),
            KeyKind::P384 => ecdsa::Secret::from_number(Curve::P384, bytes).map(Self::Ecdsa),
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
