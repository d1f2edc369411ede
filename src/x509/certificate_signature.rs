//! Signatures on certificates and certification requests, made with any private key (RFC 5280 section 4.1.1.2).

use rustls_pki_types::AlgorithmIdentifier;
use rustls_pki_types::alg_id;

use crate::key::Algorithm;
use crate::key::Scheme;
use crate::key::Signer;
use crate::key::SignerError;
use crate::x509::der;
use crate::x509::encode::bits;
use crate::x509::encode::encoded;
use crate::x509::encode::sequence;

/// Signs what `to_be_signed` makes of an `AlgorithmIdentifier`, and returns both with the signature: a certificate or a
/// certification request. The scheme is the first one that the signer has.
pub(super) fn signed(signer: &dyn Signer, to_be_signed: impl Fn(&[u8]) -> Vec<u8>) -> Result<Vec<u8>, SignerError> {
    let algorithm = signer.public_key().algorithm();
    let mut refused = None;
    for (scheme, id) in schemes(algorithm) {
        let id = encoded(der::SEQUENCE, id);
        let content = to_be_signed(&id);
        match signer.sign_with(*scheme, &content) {
            Ok(signature) => return Ok(sequence(&[&content, &id, &bits(signature.as_bytes())])),
            // A key behind a plugin has one scheme, which is not the one that certificate authorities expect first.
            Err(error @ SignerError::Scheme { .. }) => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    let scheme = signer.public_key().default_scheme();
    Err(refused.unwrap_or(SignerError::Scheme { algorithm, scheme }))
}

/// The schemes for such a key, what most certificate authorities accept first: ECDSA with the hash of the size of the
/// curve, and RSA PKCS#1 v1.5 before RSA-PSS.
const fn schemes(algorithm: Algorithm) -> &'static [(Scheme, AlgorithmIdentifier)] {
    match algorithm {
        Algorithm::EcdsaP256 => &[(Scheme::EcdsaP256Sha256, alg_id::ECDSA_SHA256)],
        Algorithm::EcdsaP384 => &[(Scheme::EcdsaP384Sha384, alg_id::ECDSA_SHA384)],
        Algorithm::EcdsaP521 => &[(Scheme::EcdsaP521Sha512, alg_id::ECDSA_SHA512)],
        Algorithm::Ed25519 => &[(Scheme::Ed25519, alg_id::ED25519)],
        Algorithm::Rsa { .. } => &[
            (Scheme::RsaPkcs1Sha256, alg_id::RSA_PKCS1_SHA256),
            (Scheme::RsaPssSha256, alg_id::RSA_PSS_SHA256),
            (Scheme::RsaPssSha384, alg_id::RSA_PSS_SHA384),
            (Scheme::RsaPssSha512, alg_id::RSA_PSS_SHA512),
        ],
    }
}
