//! PKCS#11 mechanisms: which one makes a signature of a scheme, and its input.

use std::ffi::c_ulong;

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::MechanismType;
use cryptoki::mechanism::eddsa::EddsaParams;
use cryptoki::mechanism::eddsa::EddsaSignatureScheme;
use cryptoki::mechanism::rsa::PkcsMgfType;
use cryptoki::mechanism::rsa::PkcsPssParams;

use crate::key::Algorithm;
use crate::key::HashedMessage;
use crate::key::Scheme;
use crate::key::algorithm;
use crate::key::algorithm::Hash;
use crate::key::identifier::Curve;

/// One signing operation of PKCS#11: the mechanism, and the data that the token signs.
pub(super) struct SignOperation {
    pub(super) mechanism: Mechanism<'static>,
    pub(super) data: Vec<u8>,
}

impl SignOperation {
    /// The operation by which a token with `mechanisms` makes a `scheme` signature over `message`; `None` if it cannot.
    ///
    /// The message is hashed here if the token allows it, since tokens are slow.
    pub(super) fn of(scheme: Scheme, message: &[u8], mechanisms: &[MechanismType]) -> Option<Self> {
        let offered = |mechanism: &Mechanism<'_>| mechanisms.contains(&mechanism.mechanism_type());
        let hash_and_sign = || {
            let mechanism = hash_and_sign(scheme)?;
            Some(Self { mechanism, data: message.to_vec() })
        };
        let order = match scheme {
            Scheme::Ed25519 => Some(Self {
                mechanism: Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
                data: message.to_vec(),
            }),
            // Existing tokens lack the parameter for it, or ignore it.
            Scheme::Ed25519ph => None,
            _ => prehashed(scheme, message),
        };
        order
            .filter(|order| offered(&order.mechanism))
            .or_else(|| hash_and_sign().filter(|order| offered(&order.mechanism)))
    }

    /// As [`SignOperation::of`], for a message by its hashes: only by mechanisms that sign a hash.
    pub(super) fn of_hashed(scheme: Scheme, message: &HashedMessage, mechanisms: &[MechanismType]) -> Option<Self> {
        let operation = of_hash(scheme, message.hash_for(scheme)?.to_vec())?;
        mechanisms.contains(&operation.mechanism.mechanism_type()).then_some(operation)
    }

    /// The operation for keys that require the PIN for each signature. It is a multi-part operation, which tokens
    /// support best for mechanisms that hash the message themselves.
    pub(super) fn multi_part(scheme: Scheme, message: &[u8], mechanisms: &[MechanismType]) -> Option<Self> {
        match hash_and_sign(scheme).filter(|mechanism| mechanisms.contains(&mechanism.mechanism_type())) {
            Some(mechanism) => Some(Self { mechanism, data: message.to_vec() }),
            None => Self::of(scheme, message, mechanisms),
        }
    }
}

/// Whether a token with `mechanisms` signs hashes by `scheme`.
pub(super) fn signs_hashes(scheme: Scheme, mechanisms: &[MechanismType]) -> bool {
    prehashed(scheme, b"").is_some_and(|operation| mechanisms.contains(&operation.mechanism.mechanism_type()))
}

/// A signature of a token in its standard encoding: DER for ECDSA.
pub(super) fn to_standard_form(algorithm: Algorithm, raw: Vec<u8>) -> Vec<u8> {
    let curve = match algorithm {
        Algorithm::EcdsaP256 => Curve::P256,
        Algorithm::EcdsaP384 => Curve::P384,
        Algorithm::EcdsaP521 => Curve::P521,
        Algorithm::Ed25519 | Algorithm::Rsa { .. } => return raw,
    };
    // A signature of another length violates the specification. It is passed on, since its verification decides.
    algorithm::ecdsa_der(curve, &raw).unwrap_or(raw)
}

fn prehashed(scheme: Scheme, message: &[u8]) -> Option<SignOperation> {
    of_hash(scheme, Hash::of(scheme)?.digest(message))
}

/// The operation that signs a hash, which was computed here.
fn of_hash(scheme: Scheme, digest: Vec<u8>) -> Option<SignOperation> {
    let hash = Hash::of(scheme)?;
    let (mechanism, data) = match scheme {
        Scheme::EcdsaP256Sha256
        | Scheme::EcdsaP384Sha256
        | Scheme::EcdsaP384Sha384
        | Scheme::EcdsaP521Sha256
        | Scheme::EcdsaP521Sha512 => (Mechanism::Ecdsa, digest),
        Scheme::RsaPkcs1Sha256 | Scheme::RsaPkcs1Sha384 | Scheme::RsaPkcs1Sha512 => {
            (Mechanism::RsaPkcs, hash.digest_info(&digest)?)
        }
        Scheme::RsaPssSha256 | Scheme::RsaPssSha384 | Scheme::RsaPssSha512 => {
            (Mechanism::RsaPkcsPss(pss(hash)), digest)
        }
        Scheme::Ed25519 | Scheme::Ed25519ph => return None,
    };
    Some(SignOperation { mechanism, data })
}

fn hash_and_sign(scheme: Scheme) -> Option<Mechanism<'static>> {
    Some(match scheme {
        Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha256 | Scheme::EcdsaP521Sha256 => Mechanism::EcdsaSha256,
        Scheme::EcdsaP384Sha384 => Mechanism::EcdsaSha384,
        Scheme::EcdsaP521Sha512 => Mechanism::EcdsaSha512,
        Scheme::RsaPkcs1Sha256 => Mechanism::Sha256RsaPkcs,
        Scheme::RsaPkcs1Sha384 => Mechanism::Sha384RsaPkcs,
        Scheme::RsaPkcs1Sha512 => Mechanism::Sha512RsaPkcs,
        Scheme::RsaPssSha256 => Mechanism::Sha256RsaPkcsPss(pss(Hash::Sha256)),
        Scheme::RsaPssSha384 => Mechanism::Sha384RsaPkcsPss(pss(Hash::Sha384)),
        Scheme::RsaPssSha512 => Mechanism::Sha512RsaPkcsPss(pss(Hash::Sha512)),
        Scheme::Ed25519 | Scheme::Ed25519ph => return None,
    })
}

/// The RSA-PSS parameters of our schemes: MGF1 with the same hash, a salt of the hash's length. RFC 8017 section 9.1.
fn pss(hash: Hash) -> PkcsPssParams {
    let (hash_alg, mgf) = match hash {
        Hash::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        Hash::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
        Hash::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
    };
    PkcsPssParams { hash_alg, mgf, s_len: c_ulong::from(hash.len()).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_here_where_the_token_lets_us() {
        let all = [MechanismType::RSA_PKCS, MechanismType::SHA256_RSA_PKCS];
        let order = SignOperation::of(Scheme::RsaPkcs1Sha256, b"message", &all).unwrap();
        assert_eq!((order.mechanism.mechanism_type(), order.data.len()), (MechanismType::RSA_PKCS, 51));
        let order = SignOperation::of(Scheme::RsaPkcs1Sha256, b"message", &all[1..]).unwrap();
        assert_eq!(
            (order.mechanism.mechanism_type(), order.data),
            (MechanismType::SHA256_RSA_PKCS, b"message".to_vec())
        );
        let order = SignOperation::multi_part(Scheme::RsaPkcs1Sha256, b"message", &all).unwrap();
        assert_eq!(
            (order.mechanism.mechanism_type(), order.data),
            (MechanismType::SHA256_RSA_PKCS, b"message".to_vec())
        );
        assert!(SignOperation::of(Scheme::RsaPssSha256, b"message", &all).is_none());
        assert!(SignOperation::of(Scheme::Ed25519ph, b"message", &[MechanismType::EDDSA]).is_none());
        assert!(SignOperation::of(Scheme::Ed25519, b"message", &[MechanismType::EDDSA]).is_some());
    }
}
