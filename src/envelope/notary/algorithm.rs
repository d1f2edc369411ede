//! `NotaryAlgorithm`: the six signature algorithms of the Notary Project. Signature specification, "Algorithm
//! Selection".

use std::fmt;

use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::rule::NotaryRule;
use crate::key::Algorithm;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::x509::HashAlgorithm;

/// A signature algorithm of the Notary Project: each allowed key has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotaryAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// RSA-PSS with SHA-256, of 2048 bits.
    Ps256,
    /// RSA-PSS with SHA-384, of 3072 bits.
    Ps384,
    /// RSA-PSS with SHA-512, of 4096 bits.
    Ps512,
}

impl NotaryAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 6] = [Self::Es256, Self::Es384, Self::Es512, Self::Ps256, Self::Ps384, Self::Ps512];

    /// The algorithm of `key`.
    ///
    /// # Errors
    /// [`NotaryRule::KeyNotAllowed`] for any other kind or size of key.
    pub fn of_key(key: &PublicKey) -> Result<Self, NotaryError> {
        match key.algorithm() {
            Algorithm::EcdsaP256 => Ok(Self::Es256),
            Algorithm::EcdsaP384 => Ok(Self::Es384),
            Algorithm::EcdsaP521 => Ok(Self::Es512),
            Algorithm::Rsa { bits: 2_048 } => Ok(Self::Ps256),
            Algorithm::Rsa { bits: 3_072 } => Ok(Self::Ps384),
            Algorithm::Rsa { bits: 4_096 } => Ok(Self::Ps512),
            other @ (Algorithm::Ed25519 | Algorithm::Rsa { .. }) => {
                Err(NotaryError::found(NotaryRule::KeyNotAllowed, &other.to_string()))
            }
        }
    }

    /// The name in JWS. RFC 7518 section 3.1.
    pub const fn jws_name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// The number in COSE. RFC 9053 section 2.1, RFC 8230 section 2.
    pub const fn cose_number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::Es512 => -36,
            Self::Ps256 => -37,
            Self::Ps384 => -38,
            Self::Ps512 => -39,
        }
    }

    /// The signature scheme. The salt of RSA-PSS is as long as the hash.
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::Es256 => Scheme::EcdsaP256Sha256,
            Self::Es384 => Scheme::EcdsaP384Sha384,
            Self::Es512 => Scheme::EcdsaP521Sha512,
            Self::Ps256 => Scheme::RsaPssSha256,
            Self::Ps384 => Scheme::RsaPssSha384,
            Self::Ps512 => Scheme::RsaPssSha512,
        }
    }

    /// The hash function of the signature, by which a timestamp of it is requested too, as notation does.
    pub const fn hash(self) -> HashAlgorithm {
        match self {
            Self::Es256 | Self::Ps256 => HashAlgorithm::Sha256,
            Self::Es384 | Self::Ps384 => HashAlgorithm::Sha384,
            Self::Es512 | Self::Ps512 => HashAlgorithm::Sha512,
        }
    }

    pub(super) fn of_jws_name(name: &str) -> Result<Self, NotaryError> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.jws_name() == name);
        known.ok_or_else(|| NotaryError::found(NotaryRule::AlgorithmNotAllowed, name))
    }

    pub(super) fn of_cose_number(number: i64) -> Result<Self, NotaryError> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.cose_number() == number);
        known.ok_or_else(|| NotaryError::found(NotaryRule::AlgorithmNotAllowed, &number.to_string()))
    }
}

impl fmt::Display for NotaryAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.jws_name())
    }
}
