//! `Candidates`: the certificates that a path is looked for in, and the algorithms of the signatures on them.

use rustls_pki_types::SignatureVerificationAlgorithm;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use webpki::RawPublicKeyEntity;
use webpki::aws_lc_rs as algorithms;

use crate::time::Time;
use crate::x509::Certificate;
use crate::x509::profile::Ed25519;

/// What a path is looked for in.
pub(super) struct Candidates<'a> {
    pub(super) anchors: Vec<&'a Certificate>,
    pub(super) at: Time,
    pub(super) ed25519: Ed25519,
    pub(super) intermediates: Vec<&'a Certificate>,
    /// Certificates whose name no issuer's name is.
    pub(super) others: Vec<&'a Certificate>,
    pub(super) signer: &'a Certificate,
}

impl<'a> Candidates<'a> {
    /// What a path from `signer` to one of `anchors` may be of. Of the certificates that may stand between, those are kept that the names of
    /// issuers lead to: rustls-webpki takes no other, and would report what is wrong with an unrelated one.
    pub(super) fn new(
        signer: &'a Certificate,
        between: impl Iterator<Item = &'a Certificate>,
        anchors: Vec<&'a Certificate>,
        ed25519: Ed25519,
        at: Time,
    ) -> Self {
        let mut unreached: Vec<_> = between.collect();
        let mut intermediates = Vec::new();
        let mut looked_at = 0;
        let mut next = Some(signer);
        while let Some(certificate) = next {
            let issues = |one: &&Certificate| one.subject() == certificate.issuer();
            let (issuers, others): (Vec<_>, Vec<_>) = unreached.into_iter().partition(issues);
            intermediates.extend(issuers);
            unreached = others;
            next = intermediates.get(looked_at).copied();
            looked_at += 1;
        }
        Self { anchors, at, ed25519, intermediates, others: unreached, signer }
    }

    /// Whether the signature on `certificate` is by the key of `issuer`, by an algorithm that the profile allows.
    pub(super) fn is_signed_by(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let signed = SignedBytes {
            algorithm_id: certificate.algorithm_id(),
            signature: certificate.signature(),
            signed: certificate.to_be_signed(),
        };
        signed.is_signed_by(issuer, self.ed25519)
    }

    /// Signatures on certificates: no MD5, no SHA-1, no DSA, RSA of 2048 to 8192 bits.
    pub(super) fn algorithms(&self) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
        allowed(self.ed25519)
    }

    /// The certificates that came along or are known, all but the anchors: a signature on one of them is verified once.
    pub(super) fn signed(&self) -> Vec<&'a Certificate> {
        let between = self.intermediates.iter().chain(&self.others).copied();
        std::iter::once(self.signer).chain(between).collect()
    }

    /// The certificates that a path may be of: the signer's, those that may stand between, and the anchors.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Certificate> {
        std::iter::once(self.signer).chain(self.intermediates.iter().copied()).chain(self.anchors.iter().copied())
    }
}

/// Bytes with a signature, as certificates, revocation lists and OCSP responses have one.
#[derive(Clone, Copy)]
pub(super) struct SignedBytes<'a> {
    /// The content of the `AlgorithmIdentifier`.
    pub(super) algorithm_id: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) signed: &'a [u8],
}

impl SignedBytes<'_> {
    /// Whether the algorithm of the signature is one that is used at all.
    pub(super) fn has_known_algorithm(&self, ed25519: Ed25519) -> bool {
        allowed(ed25519).iter().any(|algorithm| algorithm.signature_alg_id().as_ref() == self.algorithm_id)
    }

    /// Whether the signature is by the key of `issuer`.
    pub(super) fn is_signed_by(&self, issuer: &Certificate, ed25519: Ed25519) -> bool {
        self.is_signed_by_key(issuer.spki(), ed25519)
    }

    /// Whether the signature is by the key with this `SubjectPublicKeyInfo`.
    pub(super) fn is_signed_by_key(&self, spki: &[u8], ed25519: Ed25519) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(spki);
        let Ok(key) = RawPublicKeyEntity::try_from(&spki) else { return false };
        let named = |algorithm: &&'static dyn SignatureVerificationAlgorithm| {
            algorithm.signature_alg_id().as_ref() == self.algorithm_id
        };
        let mut named = allowed(ed25519).into_iter().filter(named);
        named.any(|algorithm| key.verify_signature(algorithm, self.signed, self.signature).is_ok())
    }
}

fn allowed(ed25519: Ed25519) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    let mut all = ALGORITHMS.to_vec();
    if ed25519 == Ed25519::Allowed {
        all.push(algorithms::ED25519);
    }
    all
}

const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 18] = [
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P256_SHA512,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ECDSA_P384_SHA512,
    algorithms::ECDSA_P521_SHA256,
    algorithms::ECDSA_P521_SHA384,
    algorithms::ECDSA_P521_SHA512,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    // RFC 4055 section 5: parameters that are absent are read as NULL.
    algorithms::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];
