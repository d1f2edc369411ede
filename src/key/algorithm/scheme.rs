//! `Algorithm` and `Scheme`: the key algorithms and the signature schemes.

use std::fmt;

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
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
        /// The length of the modulus, in bits.
        bits: u32,
    },
}

/// A signature scheme: the type of key, the hash, the padding. Nothing outside this set is ever tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// ECDSA P-256 over SHA-256.
    EcdsaP256Sha256,
    /// ECDSA P-384 over SHA-256: many verifiers support only SHA-256 for ECDSA keys.
    EcdsaP384Sha256,
    /// ECDSA P-384 over SHA-384.
    EcdsaP384Sha384,
    /// ECDSA P-521 over SHA-256: see P-384.
    EcdsaP521Sha256,
    /// ECDSA P-521 over SHA-512.
    EcdsaP521Sha512,
    /// Ed25519 over the message itself. RFC 8032 section 5.1.6.
    Ed25519,
    /// Ed25519ph: over SHA-512 of the message, with an empty context. RFC 8032 section 5.1; cosign writes it.
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

/// The types of key that bulla generates. It also uses RSA and P-521 keys, but does not generate them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on NIST P-256, which every verifier supports.
    P256,
    /// ECDSA on NIST P-384.
    P384,
}

impl Algorithm {
    /// The scheme that such a key signs with by default: the one that most verifiers accept.
    ///
    /// For P-384 and P-521 it uses SHA-256, since cosign up to 3.1 and containers/image accept only SHA-256 for ECDSA
    /// keys. cosign 3.1 signs with SHA-384 and SHA-512, which it cannot verify itself (sigstore/cosign 5091); bulla
    /// verifies such signatures, and makes them only on request.
    pub const fn default_scheme(self) -> Scheme {
        match self {
            Self::EcdsaP256 => Scheme::EcdsaP256Sha256,
            Self::EcdsaP384 => Scheme::EcdsaP384Sha256,
            Self::EcdsaP521 => Scheme::EcdsaP521Sha256,
            Self::Ed25519 => Scheme::Ed25519,
            Self::Rsa { .. } => Scheme::RsaPkcs1Sha256,
        }
    }

    /// The schemes that are accepted for such a key, the default first. The key decides, never the envelope.
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
