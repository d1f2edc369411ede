//! Verification of server certificates: by the roots of the operating system and of the operator, or by comparison with
//! a certificate that the operator gave.

use std::sync::Arc;

use rustls::CertificateError;
use rustls::DigitallySignedStruct;
use rustls::Error;
use rustls::OtherError;
use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::crypto::verify_tls12_signature;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::server::ParsedCertificate;
use rustls_platform_verifier::Verifier;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;
use x509_parser::prelude::X509Version;

use super::text::shown;
use crate::redact::Secrets;
use crate::store::TlsFault;

/// Verifies the certificates of servers.
#[derive(Debug)]
pub(super) struct ServerCertificates {
    /// Certificates that the operator gave. A server that sends exactly one of them is trusted for its names and within
    /// its validity. Path validation (RFC 5280 section 6.1) alone would refuse a certificate of `openssl req -x509` as
    /// a server's, since it is a CA certificate.
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    /// Path validation; absent if the operating system has no roots and none were given.
    roots: Option<Verifier>,
}

impl ServerCertificates {
    /// Trusts the roots of the operating system and, in addition, `given`.
    pub(super) fn new(given: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let authorities: Vec<_> = given.iter().filter(|certificate| is_authority(certificate)).cloned().collect();
        let none = authorities.is_empty();
        let roots = match Verifier::new_with_extra_roots(authorities, Arc::clone(&provider)) {
            Ok(roots) => Some(roots),
            // The operating system has no roots, so only `given` is trusted.
            Err(_) if none => None,
            Err(error) => return Err(error),
        };
        Ok(Self { given, provider, roots })
    }
}

impl ServerCertVerifier for ServerCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.given.iter().any(|given| given == end_entity) {
            return exactly_given(end_entity, server_name, now).map_err(as_error);
        }
        let verified = match &self.roots {
            Some(roots) => roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verified.map_err(|error| match fault(&error, end_entity, server_name) {
            Some(TlsFault::Untrusted { .. }) if self.roots.is_none() => as_error(TlsFault::NoRoots),
            Some(fault) => as_error(fault),
            None => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The TLS fault that the verification of a certificate reported.
pub(super) fn tls_fault(error: &Error) -> Option<TlsFault> {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref().cloned(),
        _ => None,
    }
}

/// Whether the certificate is a CA certificate. RFC 5280 section 4.2.1.9: version 3 has a field for it; older versions
/// do not.
fn is_authority(der: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    match certificate.basic_constraints() {
        Ok(Some(constraints)) => constraints.value.ca,
        Ok(None) => certificate.version() != X509Version::V3,
        Err(_) => false,
    }
}

/// Verifies a server that sends exactly a given certificate: its validity, its names, and that it is for servers (RFC
/// 5280 sections 4.1.2.5, 4.2.1.6 and 4.2.1.12).
fn exactly_given(
    der: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, TlsFault> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unreadable())?;
    let now = i64::try_from(now.as_secs()).map_err(|_| unreadable())?;
    let (from, to) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    if now < from {
        return Err(TlsFault::NotYetValid { from: date(from) });
    }
    if now > to {
        return Err(TlsFault::Expired { at: date(to) });
    }
    match certificate.extended_key_usage() {
        Ok(None) => {}
        Ok(Some(usage)) if usage.value.server_auth || usage.value.any => {}
        Ok(Some(_)) => return Err(TlsFault::Purpose),
        Err(_) => return Err(unreadable()),
    }
    let parsed = ParsedCertificate::try_from(der).map_err(|_| unreadable())?;
    match verify_server_name(&parsed, name) {
        Ok(()) => Ok(ServerCertVerified::assertion()),
        Err(_) => Err(other_name(&certificate, name)),
    }
}

/// The TLS fault for a certificate that path validation refused.
fn fault(error: &Error, der: &CertificateDer<'_>, name: &ServerName<'_>) -> Option<TlsFault> {
    let Error::InvalidCertificate(error) = error else { return None };
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some(match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            TlsFault::Expired { at: date(i64::try_from(not_after.as_secs()).ok()?) }
        }
        CertificateError::Expired => TlsFault::Expired { at: date(validity.not_after.timestamp()) },
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsFault::NotYetValid { from: date(i64::try_from(not_before.as_secs()).ok()?) }
        }
        CertificateError::NotValidYet => TlsFault::NotYetValid { from: date(validity.not_before.timestamp()) },
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            other_name(&certificate, name)
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => TlsFault::Purpose,
        _ if certificate.issuer() == certificate.subject() => TlsFault::SelfSigned,
        CertificateError::UnknownIssuer => {
            TlsFault::Untrusted { issuer: shown(&certificate.issuer().to_string(), &Secrets::default()) }
        }
        error => TlsFault::Handshake { detail: shown(&error.to_string(), &Secrets::default()) },
    })
}

fn other_name(certificate: &X509Certificate<'_>, name: &ServerName<'_>) -> TlsFault {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(shown(name, &Secrets::default())),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    TlsFault::OtherName { wanted: name.to_str().into_owned(), names: names.take(MAX_NAMES).collect() }
}

fn address(bytes: &[u8]) -> Option<String> {
    match *bytes {
        [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
        _ => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
    }
}

fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

fn unreadable() -> TlsFault {
    TlsFault::UnreadableCertificate
}

fn as_error(fault: TlsFault) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault))))
}

/// The limit of certificate names in a message.
const MAX_NAMES: usize = 8;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::crypto::aws_lc_rs;

    use super::*;

    #[test]
    fn a_machine_without_ca_certificates_says_so() {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificates = ServerCertificates { given: Vec::new(), provider, roots: None };
        let name = ServerName::try_from("registry.example").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let fault = |der: &[u8]| {
            let der = CertificateDer::from(der.to_vec());
            tls_fault(&certificates.verify_server_cert(&der, &[], &name, &[], now).unwrap_err()).unwrap()
        };
        assert_eq!(fault(include_bytes!("../../../testdata/revocation/revoked.der")), TlsFault::NoRoots);
        // What helps against a certificate that is its own authority is that certificate.
        assert_eq!(fault(include_bytes!("../../../testdata/revocation/authority.der")), TlsFault::SelfSigned);
    }
}
