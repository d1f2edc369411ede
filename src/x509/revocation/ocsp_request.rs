//! `OcspRequest`: what an OCSP responder is asked (RFC 6960 section 4.1.1).

use crate::x509::Certificate;
use crate::x509::HashAlgorithm;
use crate::x509::der;
use crate::x509::encode::encoded;
use crate::x509::hash::IdentifierHash;
use crate::x509::revocation::single_response::key_bits;

/// A request for the status of one certificate: unsigned, without extensions.
///
/// It has no nonce (RFC 9654): the answer is kept and verified later, elsewhere, by its own times, and many responders
/// answer from a cache (RFC 5019 section 2.1.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OcspRequest(Vec<u8>);

/// The hash algorithm of the `CertID` in a request, which identifies the issuer and protects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum OcspCertIdHash {
    /// SHA-1, which every responder knows (RFC 5019 section 2.1.1).
    Sha1,
    /// SHA-256 (RFC 9654 section 3).
    Sha256,
}

impl OcspRequest {
    /// The media type of a request (RFC 6960 appendix A).
    pub const MEDIA_TYPE: &'static str = "application/ocsp-request";

    /// A request for the status of `certificate`, which `issuer` has issued; `None` if the key of the issuer has no form
    /// that can be hashed.
    pub fn new(certificate: &Certificate, issuer: &Certificate, hash: OcspCertIdHash) -> Option<Self> {
        let algorithm = match hash {
            OcspCertIdHash::Sha1 => IdentifierHash::Sha1,
            OcspCertIdHash::Sha256 => IdentifierHash::Sha2(HashAlgorithm::Sha256),
        };
        let sequence = |parts: &[Vec<u8>]| encoded(der::SEQUENCE, &parts.concat());
        let id = sequence(&[
            sequence(&[encoded(der::OBJECT_ID, algorithm.id()), encoded(der::NULL, &[])]),
            encoded(der::OCTET_STRING, &algorithm.of(certificate.issuer().der())),
            encoded(der::OCTET_STRING, &algorithm.of(key_bits(issuer)?)),
            encoded(der::INTEGER, certificate.serial().as_content()),
        ]);
        let requests = sequence(&[sequence(&[id])]);
        Some(Self(sequence(&[sequence(&[requests])])))
    }

    /// The `OCSPRequest` in DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}
