//! The signature algorithms of tokens: RSA PKCS#1 v1.5, RSA-PSS and ECDSA on the NIST curves, all with SHA-2.

use rustls_pki_types::SignatureVerificationAlgorithm;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use webpki::RawPublicKeyEntity;
use webpki::aws_lc_rs as algorithms;

use crate::x509::HashAlgorithm;
use crate::x509::timestamp::TimestampError;
use crate::x509::timestamp::TimestampRule;
use crate::x509::timestamp::algorithm::AlgorithmId;
use crate::x509::timestamp::algorithm::shown;
use crate::x509::timestamp::error::malformed;

/// The algorithms, one for each type of key, that a `signatureAlgorithm` stands for.
#[derive(Clone)]
pub(super) struct SignatureAlgorithm(Vec<&'static dyn SignatureVerificationAlgorithm>);

impl SignatureAlgorithm {
    /// Reads the content of the `AlgorithmIdentifier` of a signature whose `digestAlgorithm` is `hash`.
    ///
    /// An identifier must be one of those that RFC 5754 and RFC 4056 write, parameters included: RSA-PSS has the same hash
    /// for message and mask, and a salt of its length. The hash in it must be the `digestAlgorithm`, by which the signed
    /// attributes are hashed (RFC 5652 section 5.4). `rsaEncryption` names none.
    pub(super) fn read(content: &[u8], hash: HashAlgorithm) -> Result<Self, TimestampError> {
        let found = AlgorithmId::read(content).ok_or_else(|| malformed("signatureAlgorithm"))?;
        let named = |algorithm: &dyn SignatureVerificationAlgorithm| algorithm.signature_alg_id().as_ref() == content;
        let without_hash = found.id == RSA_ENCRYPTION && found.has_no_parameters();
        let fits = |(algorithm, _): &&Row| if without_hash { is_pkcs1(*algorithm) } else { named(*algorithm) };
        let rows: Vec<_> = ALGORITHMS.iter().filter(fits).collect();
        if rows.is_empty() {
            let error = match BROKEN.contains(&found.id) {
                true => TimestampError::refused(TimestampRule::SignatureAlgorithm),
                false => TimestampError::undetermined(TimestampRule::SignatureAlgorithm),
            };
            return Err(error.by(shown(found.id)));
        }
        let with_hash: Vec<_> = rows.iter().filter(|(_, of)| *of == hash).map(|(algorithm, _)| *algorithm).collect();
        match with_hash.is_empty() {
            true => {
                let found = format!("{}, digestAlgorithm {hash}", shown(found.id));
                Err(TimestampError::refused(TimestampRule::SignatureAlgorithm).by(found))
            }
            false => Ok(Self(with_hash)),
        }
    }

    /// Whether `signature` over `message` is by the key with the DER `SubjectPublicKeyInfo` `spki`.
    pub(super) fn accepts(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(spki);
        let Ok(key) = RawPublicKeyEntity::try_from(&spki) else { return false };
        // At most one of them is for this type of key.
        self.0.iter().any(|algorithm| key.verify_signature(*algorithm, message, signature).is_ok())
    }
}

/// Whether it is RSA PKCS#1 v1.5, with parameters that are NULL.
fn is_pkcs1(algorithm: &dyn SignatureVerificationAlgorithm) -> bool {
    PKCS1.iter().any(|one| one.signature_alg_id() == algorithm.signature_alg_id())
}

type Row = (&'static dyn SignatureVerificationAlgorithm, HashAlgorithm);

const ALGORITHMS: [Row; 18] = [
    (algorithms::ECDSA_P256_SHA256, HashAlgorithm::Sha256),
    (algorithms::ECDSA_P256_SHA384, HashAlgorithm::Sha384),
    (algorithms::ECDSA_P256_SHA512, HashAlgorithm::Sha512),
    (algorithms::ECDSA_P384_SHA256, HashAlgorithm::Sha256),
    (algorithms::ECDSA_P384_SHA384, HashAlgorithm::Sha384),
    (algorithms::ECDSA_P384_SHA512, HashAlgorithm::Sha512),
    (algorithms::ECDSA_P521_SHA256, HashAlgorithm::Sha256),
    (algorithms::ECDSA_P521_SHA384, HashAlgorithm::Sha384),
    (algorithms::ECDSA_P521_SHA512, HashAlgorithm::Sha512),
    (algorithms::RSA_PKCS1_2048_8192_SHA256, HashAlgorithm::Sha256),
    (algorithms::RSA_PKCS1_2048_8192_SHA384, HashAlgorithm::Sha384),
    (algorithms::RSA_PKCS1_2048_8192_SHA512, HashAlgorithm::Sha512),
    (algorithms::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS, HashAlgorithm::Sha256),
    (algorithms::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS, HashAlgorithm::Sha384),
    (algorithms::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS, HashAlgorithm::Sha512),
    (algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY, HashAlgorithm::Sha256),
    (algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY, HashAlgorithm::Sha384),
    (algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY, HashAlgorithm::Sha512),
];

const PKCS1: [&dyn SignatureVerificationAlgorithm; 3] = [
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
];

/// RFC 3370 section 3.2.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// RSA with MD2, MD5 or SHA-1, ECDSA with SHA-1, DSA with SHA-1.
const BROKEN: [&[u8]; 5] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
    &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3],
];
