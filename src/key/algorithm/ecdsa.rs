//! ECDSA: verified by aws-lc-rs; signed deterministically (RFC 6979) by p256 and p384, and by aws-lc-rs on P-521.

use ::pkcs8::PrivateKeyInfoRef;
use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::encoding::EcPrivateKeyBin;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::EcdsaVerificationAlgorithm;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::ParsedPublicKey;
use der::Decode as _;
use sha2::Digest as _;
use sha2::Sha256;
use signature::Signer as _;
use signature::hazmat::PrehashSigner as _;
use zeroize::Zeroizing;

use crate::key::Algorithm;
use crate::key::HashedMessage;
use crate::key::KeyError;
use crate::key::Scheme;
use crate::key::identifier::Curve;
use crate::key::identifier::KeyType;
use crate::key::pkcs8;
use crate::key::pkcs8::EcPrivateKey;

pub(in crate::key) struct EcdsaVerifyingKey {
    curve: Curve,
    point: Vec<u8>,
    /// The key, parsed once for each scheme.
    schemes: Vec<(Scheme, ParsedPublicKey)>,
}

impl EcdsaVerifyingKey {
    /// A key from a point of the curve in uncompressed form, the one that all implementations read and write.
    pub(super) fn new(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        let malformed = |reason| KeyError::Encoding { what: "ECDSA public key", reason };
        if point.first() != Some(&4) || point.len() != 1 + 2 * curve.len() {
            return Err(malformed("it is not an uncompressed point of its curve"));
        }
        let mut schemes = Vec::new();
        for scheme in algorithm(curve).schemes() {
            let Some(verification) = der_verification(*scheme) else { continue };
            let parsed =
                ParsedPublicKey::new(verification, point).map_err(|_| malformed("it is not a point of its curve"))?;
            schemes.push((*scheme, parsed));
        }
        Ok(Self { curve, point: point.to_vec(), schemes })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        algorithm(self.curve)
    }

    pub(super) const fn curve(&self) -> Curve {
        self.curve
    }

    pub(super) fn accepts(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        self.schemes.iter().any(|(known, key)| *known == scheme && key.verify_sig(message, signature).is_ok())
    }

    pub(super) fn accepts_hashed(&self, scheme: Scheme, message: &HashedMessage, signature: &[u8]) -> bool {
        let Some(hash) = message.prehash(scheme) else { return false };
        self.schemes.iter().any(|(known, key)| *known == scheme && key.verify_digest_sig(&hash, signature).is_ok())
    }

    pub(super) fn accepts_fixed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        let known = self.schemes.iter().any(|(known, _)| *known == scheme);
        let Some(verification) = fixed_verification(scheme).filter(|_| known) else {
            return false;
        };
        aws::UnparsedPublicKey::new(verification, &self.point).verify(message, signature).is_ok()
    }
}

pub(in crate::key) enum EcdsaSigningKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521 { pair: EcdsaKeyPair, pkcs8: Zeroizing<Vec<u8>> },
}

impl EcdsaSigningKey {
    pub(super) fn new(curve: Curve, info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let inner = EcPrivateKey::from_der(info.private_key.as_bytes()).map_err(|_| malformed())?;
        if inner.version != 1 {
            return Err(malformed());
        }
        // RFC 5915 section 3: the structure may name the curve too; then it must be the same.
        match inner.parameters.map(Curve::of).transpose()? {
            Some(other) if other != curve => return Err(KeyError::Mismatch),
            _ => (),
        }
        let secret = Self::from_scalar(curve, inner.private_key.as_bytes())?;
        // The public key may be inside (RFC 5915) and beside it (RFC 5958): either must belong to this private key.
        for bits in inner.public_key.into_iter().chain(info.public_key) {
            if !same_point(bits.as_bytes().ok_or_else(malformed)?, &secret.point()) {
                return Err(KeyError::Mismatch);
            }
        }
        Ok(secret)
    }

    /// A key on P-256 or P-384 from its scalar; `None` if that is zero or not below the group order.
    pub(super) fn from_number(curve: Curve, scalar: &[u8]) -> Option<Self> {
        match curve {
            Curve::P256 => p256::ecdsa::SigningKey::from_slice(scalar).ok().map(Self::P256),
            Curve::P384 => p384::ecdsa::SigningKey::from_slice(scalar).ok().map(Self::P384),
            Curve::P521 => None,
        }
    }

    fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, KeyError> {
        if curve != Curve::P521 {
            return Self::from_number(curve, scalar).ok_or_else(malformed);
        }
        // Without a public key, the library computes the point from the scalar.
        let given = pkcs8::wrap(KeyType::Ecdsa(curve), &pkcs8::ec_private_key(scalar, None)?)?;
        let pair = EcdsaKeyPair::from_pkcs8(&aws::ECDSA_P521_SHA512_ASN1_SIGNING, &given).map_err(|_| malformed())?;
        let scalar: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(|_| malformed())?;
        let written = pkcs8::ec_private_key(scalar.as_ref(), Some(pair.public_key().as_ref()))?;
        let pkcs8 = pkcs8::wrap(KeyType::Ecdsa(curve), &written)?;
        Ok(Self::P521 { pair, pkcs8 })
    }

    pub(super) const fn curve(&self) -> Curve {
        match self {
            Self::P256(_) => Curve::P256,
            Self::P384(_) => Curve::P384,
            Self::P521 { .. } => Curve::P521,
        }
    }

    pub(super) fn point(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P521 { pair, .. } => pair.public_key().as_ref().to_vec(),
        }
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let scalar = match self {
            Self::P256(key) => Zeroizing::new(key.to_bytes().to_vec()),
            Self::P384(key) => Zeroizing::new(key.to_bytes().to_vec()),
            Self::P521 { pkcs8, .. } => return Ok(pkcs8.clone()),
        };
        pkcs8::wrap(KeyType::Ecdsa(self.curve()), &pkcs8::ec_private_key(&scalar, Some(&self.point()))?)
    }

    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
        match (self, scheme) {
            (Self::P256(key), Scheme::EcdsaP256Sha256) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            (Self::P384(key), Scheme::EcdsaP384Sha384) => {
                let signature: p384::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            (Self::P384(key), Scheme::EcdsaP384Sha256) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&Sha256::digest(message)).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            (Self::P521 { pair, .. }, Scheme::EcdsaP521Sha512) => {
                Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec())
            }
            (Self::P521 { pkcs8, .. }, Scheme::EcdsaP521Sha256) => {
                let pair = EcdsaKeyPair::from_pkcs8(&aws::ECDSA_P521_SHA256_ASN1_SIGNING, pkcs8).ok()?;
                Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec())
            }
            _ => None,
        }
    }

    pub(super) fn sign_hashed(&self, scheme: Scheme, message: &HashedMessage) -> Option<Vec<u8>> {
        if !algorithm(self.curve()).schemes().contains(&scheme) {
            return None;
        }
        let hash = message.hash_for(scheme)?;
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(hash).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(hash).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Self::P521 { pkcs8, .. } => {
                let by = match scheme {
                    Scheme::EcdsaP521Sha256 => &aws::ECDSA_P521_SHA256_ASN1_SIGNING,
                    _ => &aws::ECDSA_P521_SHA512_ASN1_SIGNING,
                };
                let pair = EcdsaKeyPair::from_pkcs8(by, pkcs8).ok()?;
                Some(pair.sign_digest(&message.prehash(scheme)?).ok()?.as_ref().to_vec())
            }
        }
    }
}

const fn algorithm(curve: Curve) -> Algorithm {
    match curve {
        Curve::P256 => Algorithm::EcdsaP256,
        Curve::P384 => Algorithm::EcdsaP384,
        Curve::P521 => Algorithm::EcdsaP521,
    }
}

fn der_verification(scheme: Scheme) -> Option<&'static EcdsaVerificationAlgorithm> {
    match scheme {
        Scheme::EcdsaP256Sha256 => Some(&aws::ECDSA_P256_SHA256_ASN1),
        Scheme::EcdsaP384Sha256 => Some(&aws::ECDSA_P384_SHA256_ASN1),
        Scheme::EcdsaP384Sha384 => Some(&aws::ECDSA_P384_SHA384_ASN1),
        Scheme::EcdsaP521Sha256 => Some(&aws::ECDSA_P521_SHA256_ASN1),
        Scheme::EcdsaP521Sha512 => Some(&aws::ECDSA_P521_SHA512_ASN1),
        _ => None,
    }
}

/// The common profile of RFC 7518 section 3.4 and RFC 9053 section 2.1: each curve with its own hash only.
fn fixed_verification(scheme: Scheme) -> Option<&'static EcdsaVerificationAlgorithm> {
    match scheme {
        Scheme::EcdsaP256Sha256 => Some(&aws::ECDSA_P256_SHA256_FIXED),
        Scheme::EcdsaP384Sha384 => Some(&aws::ECDSA_P384_SHA384_FIXED),
        Scheme::EcdsaP521Sha512 => Some(&aws::ECDSA_P521_SHA512_FIXED),
        _ => None,
    }
}

/// Whether `stored`, compressed or not, is the same point as `full`, which is uncompressed. SEC1 section 2.3.3.
fn same_point(stored: &[u8], full: &[u8]) -> bool {
    let half = full.get(1..full.len().div_ceil(2));
    match stored.split_first() {
        Some((sign @ (2 | 3), x)) => half == Some(x) && full.last().is_some_and(|y| y % 2 == sign % 2),
        _ => stored == full,
    }
}

fn malformed() -> KeyError {
    KeyError::Encoding { what: "ECDSA private key", reason: "it is not a number and a point of its curve" }
}
