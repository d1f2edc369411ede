//! `VerifiedWith`: by which key and algorithm the signature on a certificate was verified.

use rustls_pki_types::AlgorithmIdentifier;
use rustls_pki_types::SignatureVerificationAlgorithm;

/// The algorithm and the key by which the signature on a certificate was verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VerifiedWith {
    /// The content of the BIT STRING of the `SubjectPublicKeyInfo`.
    key: Vec<u8>,
    key_algorithm: AlgorithmIdentifier,
    signature_algorithm: AlgorithmIdentifier,
}

impl VerifiedWith {
    pub(super) fn new(algorithm: &dyn SignatureVerificationAlgorithm, key: &[u8]) -> Self {
        Self {
            key: key.to_vec(),
            key_algorithm: algorithm.public_key_alg_id(),
            signature_algorithm: algorithm.signature_alg_id(),
        }
    }
}
