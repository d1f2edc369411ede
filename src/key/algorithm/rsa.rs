//! RSA, by aws-lc-rs.

use std::ops::RangeInclusive;

use ::pkcs8::PrivateKeyInfoRef;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::ParsedPublicKey;
use aws_lc_rs::signature::RsaEncoding;
use aws_lc_rs::signature::RsaParameters;
use der::Decode as _;
use der::Encode as _;
use der::Sequence;
use der::asn1::UintRef;
use zeroize::Zeroizing;

use crate::key::Algorithm;
use crate::key::HashedMessage;
use crate::key::KeyError;
use crate::key::Scheme;
use crate::key::identifier::KeyType;
use crate::key::pkcs8;

/// RFC 8017 appendix A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
}

/// RFC 8017 appendix A.1.2, with two primes.
#[derive(Sequence)]
struct RsaPrivateKey<'a> {
    version: u8,
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
    private_exponent: UintRef<'a>,
    prime_one: UintRef<'a>,
    prime_two: UintRef<'a>,
    exponent_one: UintRef<'a>,
    exponent_two: UintRef<'a>,
    coefficient: UintRef<'a>,
}

pub(in crate::key) struct RsaVerifyingKey {
    bits: u32,
    /// The key, parsed once for each scheme.
    schemes: Vec<(Scheme, ParsedPublicKey)>,
}

impl RsaVerifyingKey {
    /// A key of 2048 to 8192 bits with an odd modulus, and an odd exponent from 65537 to 2^32.
    pub(super) fn new(pkcs1: &[u8]) -> Result<Self, KeyError> {
        let malformed = |reason| KeyError::Encoding { what: "RSA public key", reason };
        let key = RsaPublicKey::from_der(pkcs1).map_err(|_| malformed("it is not an RSAPublicKey structure"))?;
        let modulus = key.modulus.as_bytes();
        let bits = bit_length(modulus);
        if !BITS.contains(&bits) {
            return Err(KeyError::RsaSize { found: bits });
        }
        if !is_odd(modulus) {
            return Err(malformed("its modulus is even"));
        }
        exponent(key.public_exponent.as_bytes())?;
        let mut schemes = Vec::new();
        for scheme in (Algorithm::Rsa { bits }).schemes() {
            let Some(verification) = verification(*scheme) else { continue };
            let parsed = ParsedPublicKey::new(verification, pkcs1).map_err(|_| malformed("the library refuses it"))?;
            schemes.push((*scheme, parsed));
        }
        Ok(Self { bits, schemes })
    }

    pub(super) const fn bits(&self) -> u32 {
        self.bits
    }

    pub(super) fn accepts(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        // RFC 8017 sections 8.1.2 and 8.2.2, step 1: check the length before the message is hashed, once for each
        // scheme.
        if signature.len() != usize::try_from(self.bits.div_ceil(8)).unwrap_or_default() {
            return false;
        }
        self.schemes.iter().any(|(known, key)| *known == scheme && key.verify_sig(message, signature).is_ok())
    }
}

impl RsaVerifyingKey {
    pub(super) fn accepts_hashed(&self, scheme: Scheme, message: &HashedMessage, signature: &[u8]) -> bool {
        if signature.len() != usize::try_from(self.bits.div_ceil(8)).unwrap_or_default() {
            return false;
        }
        let Some(hash) = message.prehash(scheme) else { return false };
        self.schemes.iter().any(|(known, key)| *known == scheme && key.verify_digest_sig(&hash, signature).is_ok())
    }
}

/// The PKCS#1 structure of a public key, from its two numbers.
#[cfg(feature = "pkcs11")]
pub(in crate::key) fn public(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>, KeyError> {
    let write = || {
        let (modulus, public_exponent) = (UintRef::new(modulus)?, UintRef::new(exponent)?);
        RsaPublicKey { modulus, public_exponent }.to_der()
    };
    write().map_err(|_| KeyError::Encoding { what: "RSA public key", reason: "it is not made of two numbers" })
}

pub(in crate::key) struct RsaSigningKey {
    pair: KeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl RsaSigningKey {
    pub(super) fn new(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let pkcs8 = pkcs8::wrap(KeyType::Rsa, info.private_key.as_bytes())?;
        let numbers = RsaPrivateKey::from_der(info.private_key.as_bytes())
            .map_err(|_| malformed("it is not an RSAPrivateKey structure"))?;
        let public = RsaPublicKey { modulus: numbers.modulus, public_exponent: numbers.public_exponent }
            .to_der()
            .map_err(|_| malformed("its public half cannot be written"))?;
        // Our limits are checked first, since they give a better error. The library checks that the numbers fit
        // together.
        RsaVerifyingKey::new(&public)?;
        let pair = KeyPair::from_pkcs8(&pkcs8).map_err(|_| malformed("its numbers do not fit together"))?;
        Ok(Self { pair, pkcs8 })
    }

    pub(super) fn public(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(self.pkcs8.clone())
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(signing(scheme)?, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }

    pub(super) fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign_digest(signing(scheme)?, &message.prehash(scheme)?, &mut signature).ok()?;
        Some(signature)
    }
}

/// Checks that the exponent is odd and from 65537 to 2^32.
fn exponent(bytes: &[u8]) -> Result<(), KeyError> {
    let found = bytes.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    match found {
        Some(found) if (65_537..=1 << 32).contains(&found) && found % 2 == 1 => Ok(()),
        Some(found) => Err(KeyError::RsaExponent { found: found.to_string() }),
        None => Err(KeyError::RsaExponent { found: format!("a number of {} bytes", bytes.len()) }),
    }
}

/// The bit length of a big-endian number without leading zeros.
fn bit_length(bytes: &[u8]) -> u32 {
    let bits = |first: &u8| u32::try_from(bytes.len()).ok()?.checked_mul(8)?.checked_sub(first.leading_zeros());
    bytes.first().map_or(0, |first| bits(first).unwrap_or(u32::MAX))
}

fn is_odd(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|last| last % 2 == 1)
}

fn verification(scheme: Scheme) -> Option<&'static RsaParameters> {
    match scheme {
        Scheme::RsaPkcs1Sha256 => Some(&aws::RSA_PKCS1_2048_8192_SHA256),
        Scheme::RsaPkcs1Sha384 => Some(&aws::RSA_PKCS1_2048_8192_SHA384),
        Scheme::RsaPkcs1Sha512 => Some(&aws::RSA_PKCS1_2048_8192_SHA512),
        Scheme::RsaPssSha256 => Some(&aws::RSA_PSS_2048_8192_SHA256),
        Scheme::RsaPssSha384 => Some(&aws::RSA_PSS_2048_8192_SHA384),
        Scheme::RsaPssSha512 => Some(&aws::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn signing(scheme: Scheme) -> Option<&'static dyn RsaEncoding> {
    match scheme {
        Scheme::RsaPkcs1Sha256 => Some(&aws::RSA_PKCS1_SHA256),
        Scheme::RsaPkcs1Sha384 => Some(&aws::RSA_PKCS1_SHA384),
        Scheme::RsaPkcs1Sha512 => Some(&aws::RSA_PKCS1_SHA512),
        Scheme::RsaPssSha256 => Some(&aws::RSA_PSS_SHA256),
        Scheme::RsaPssSha384 => Some(&aws::RSA_PSS_SHA384),
        Scheme::RsaPssSha512 => Some(&aws::RSA_PSS_SHA512),
        _ => None,
    }
}

fn malformed(reason: &'static str) -> KeyError {
    KeyError::Encoding { what: "RSA private key", reason }
}

/// The accepted bit lengths of a modulus.
const BITS: RangeInclusive<u32> = 2_048..=8_192;
