//! The registry client, set up from the command line: TLS, mutual TLS, credentials, timeouts.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use bulla::store::CertificateFileFault;
use bulla::store::credentials::Credentials;
use bulla::store::registry::ClientCertificate;
use bulla::store::registry::HttpScheme;
use bulla::store::registry::Registries;
use bulla::store::registry::Settings;
use bulla::store::registry::certificates;
use bulla::store::registry::private_key;
use bulla::store::web::WebClient;

use super::args::RegistryArgs;
use super::exit::Failure;
use super::files;
use super::timeout;
use super::watch::RequestNotes;

/// The client for these hosts. It uses plain http for the hosts in `plain` whatever the other options say.
pub(super) fn registries(args: &RegistryArgs, hosts: Vec<String>, plain: Vec<String>) -> Result<Registries, Failure> {
    let mut settings = settings(Credentials::from_environment(), &args.tls_ca)?;
    settings.allow_realms.clone_from(&args.allow_realm);
    if let (Some(chain), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let file = files::read(chain, CERTIFICATES_MOST)?;
        certificates(&file).map_err(|fault| to_failure(chain, &fault))?;
        let private = Zeroizing::new(files::read(key, settings.limits.key.file_bytes)?);
        let private = private_key(&private).map_err(|fault| to_failure(key, &fault))?;
        settings.client_certificate = Some(ClientCertificate { chain: file, key: private });
    }
    let scheme = match (args.plain_http, args.tls) {
        (true, _) => Some(HttpScheme::Http),
        (false, true) => Some(HttpScheme::Https),
        (false, false) => None,
    };
    if let Some(scheme) = scheme {
        settings.schemes = hosts.into_iter().map(|host| (host, scheme)).collect();
    }
    settings.schemes.extend(plain.into_iter().map(|host| (host, HttpScheme::Http)));
    Ok(Registries::new(settings))
}

/// The client for single requests to servers that are no registry. It has no credentials. `tls_ca` are more certificate
/// authorities.
pub(super) fn web_client(tls_ca: &[PathBuf]) -> Result<WebClient, Failure> {
    Ok(WebClient::new(settings(Credentials::none(), tls_ca)?))
}

fn settings(credentials: Credentials, tls_ca: &[PathBuf]) -> Result<Settings, Failure> {
    let mut settings = Settings::new(credentials);
    settings.secrets = super::redacted::secrets().clone();
    settings.deadline = timeout::deadline();
    settings.watch = Some(Arc::new(RequestNotes::default()));
    for path in tls_ca {
        let file = files::read(path, CERTIFICATES_MOST)?;
        settings.extra_ca.extend(certificates(&file).map_err(|fault| to_failure(path, &fault))?);
    }
    Ok(settings)
}

fn to_failure(path: &Path, fault: &CertificateFileFault) -> Failure {
    Failure::unknown(format!("{}: {fault}", path.display()))
}

/// The largest certificate file that is read, in bytes. The root store of a system has about 200 KB.
const CERTIFICATES_MOST: u64 = 8 << 20;
