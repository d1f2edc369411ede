//! The TLS configuration of the client: the cryptographic provider, the roots, the client certificate; and a
//! configuration that trusts nobody.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::certificate;
use super::settings::ClientCertificate;
use super::settings::Settings;
use super::verifier::ServerCertificates;
use crate::store::StoreError;
use crate::store::error::BrokenReason;
use crate::store::error::TlsSettingFault;

/// TLS that trusts the roots of the operating system and `extra_ca`, and sends the client certificate if `identified`.
pub(in crate::store) fn verified(settings: &Settings, identified: bool) -> Result<ClientConfig, StoreError> {
    let mut given = Vec::new();
    for file in &settings.extra_ca {
        given
            .extend(certificate::parse(file).map_err(|fault| broken(AUTHORITY, TlsSettingFault::Certificates(fault)))?);
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        ServerCertificates::new(given, Arc::clone(&provider)).map_err(|error| broken(AUTHORITY, library(&error)))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken("TLS", library(&error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &settings.client_certificate {
        Some(certificate) if identified => {
            let (chain, key) = identity(certificate).map_err(|fault| broken(CLIENT, fault))?;
            let config = builder.with_client_auth_cert(chain, key);
            config.map_err(|error| broken(CLIENT, library(&error)))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// TLS that trusts nobody: for plain HTTP only, and to detect whether a server speaks TLS at all.
pub(in crate::store) fn trusts_nobody() -> Result<ClientConfig, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken("TLS", library(&error)))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(config)
}

type ClientIdentity = (Vec<rustls::pki_types::CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(certificate: &ClientCertificate) -> Result<ClientIdentity, TlsSettingFault> {
    let chain = certificate::parse(&certificate.chain).map_err(TlsSettingFault::Certificates)?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key.reveal().as_bytes());
    Ok((chain, key.map_err(|_| TlsSettingFault::ClientKey)?))
}

fn library(error: &rustls::Error) -> TlsSettingFault {
    TlsSettingFault::Library(error.to_string())
}

fn broken(place: &str, fault: TlsSettingFault) -> StoreError {
    StoreError::Broken { place: place.to_owned(), reason: BrokenReason::Tls(fault) }
}

/// The setting with extra certificate authorities, for messages.
const AUTHORITY: &str = "extra certificate authority";
/// The setting with the client certificate, for messages.
const CLIENT: &str = "client certificate";
