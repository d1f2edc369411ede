//! TLS for the client: the provider, the roots, who we are; and a stand-in where there is none to be spoken.

use std::sync::Arc;

use reqwest::Certificate;
use reqwest::ClientBuilder;
use reqwest::Identity;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;

use super::settings::ClientCertificate;
use super::settings::Settings;
use crate::store::StoreError;

/// A builder that trusts the roots of the system and `extra_ca`, and shows the client certificate if `identified`.
pub(super) fn verified(
    builder: ClientBuilder,
    settings: &Settings,
    identified: bool,
) -> Result<ClientBuilder, StoreError> {
    // Whoever embeds us may have chosen a provider already; then it stays.
    let _ = aws_lc_rs::default_provider().install_default();
    let mut roots = Vec::new();
    for pem in &settings.extra_ca {
        let bundle =
            Certificate::from_pem_bundle(pem).map_err(|error| broken("extra certificate authority", &error))?;
        if bundle.is_empty() {
            return Err(StoreError::Broken {
                place: "extra certificate authority".to_owned(),
                why: "no PEM certificate in it".to_owned(),
            });
        }
        roots.extend(bundle);
    }
    let builder = builder.tls_certs_merge(roots);
    match &settings.client_certificate {
        Some(certificate) if identified => Ok(builder.identity(identity(certificate)?)),
        _ => Ok(builder),
    }
}

/// A builder for plain HTTP only: no root is loaded, so no TLS server would be believed.
pub(super) fn unused(builder: ClientBuilder) -> Result<ClientBuilder, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Broken { place: "TLS".to_owned(), why: error.to_string() })?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

fn identity(certificate: &ClientCertificate) -> Result<Identity, StoreError> {
    let mut pem = certificate.chain.clone();
    pem.push(b'\n');
    pem.extend_from_slice(certificate.key.reveal().as_bytes());
    Identity::from_pem(&pem).map_err(|error| broken("client certificate", &error))
}

fn broken(place: &str, error: &reqwest::Error) -> StoreError {
    StoreError::Broken { place: place.to_owned(), why: super::transport::words(error) }
}
