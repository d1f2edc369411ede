//! The public key in an X.509 certificate (RFC 5280 section 4.1.2.7). The certificate itself is not verified here.

use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;

use crate::key::KeyError;
use crate::key::PublicKey;

/// The PEM label of a certificate.
pub(super) const LABEL: &str = "CERTIFICATE";

/// Whether `der` is exactly one certificate.
pub(super) fn is_certificate(der: &[u8]) -> bool {
    parse(der).is_some()
}

/// The public key of a certificate, which is not verified.
pub(super) fn public_key(der: &[u8]) -> Result<PublicKey, KeyError> {
    let malformed = || KeyError::Encoding { what: "certificate", reason: "it is not a Certificate structure" };
    let certificate = parse(der).ok_or_else(malformed)?;
    PublicKey::from_spki(certificate.tbs_certificate.subject_pki.raw)
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}
