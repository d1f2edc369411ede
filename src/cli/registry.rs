//! What the command line says about registries.

use std::path::Path;

use crate::store::credentials::Credentials;
use crate::store::credentials::Secret;
use crate::store::registry::ClientCertificate;
use crate::store::registry::Registries;
use crate::store::registry::Scheme;
use crate::store::registry::Settings;

use super::Failure;
use super::args::RegistryArgs;

/// The client for these hosts, set up as the command line says.
pub(super) fn registries(args: &RegistryArgs, hosts: Vec<String>) -> Result<Registries, Failure> {
    let mut settings = Settings::new(Credentials::from_environment());
    settings.allow_realms.clone_from(&args.allow_realm);
    for path in &args.ca {
        settings.extra_ca.push(pem(path, "CERTIFICATE")?.into_bytes());
    }
    if let (Some(chain), Some(key)) = (&args.client_cert, &args.client_key) {
        settings.client_certificate = Some(ClientCertificate {
            chain: pem(chain, "CERTIFICATE")?.into_bytes(),
            key: Secret::new(pem(key, "PRIVATE KEY")?),
        });
    }
    let scheme = match (args.plain_http, args.tls) {
        (true, _) => Some(Scheme::Http),
        (false, true) => Some(Scheme::Https),
        (false, false) => None,
    };
    if let Some(scheme) = scheme {
        settings.schemes = hosts.into_iter().map(|host| (host, scheme)).collect();
    }
    Ok(Registries::new(settings))
}

/// A PEM file with a block of the kind `label`: one that has none would only be told apart much later, without its name.
fn pem(path: &Path, label: &str) -> Result<String, Failure> {
    let told = |why: String| Failure::unknown(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    match text.contains(&format!("{label}-----")) {
        true => Ok(text),
        false => Err(told(format!("not a PEM file with a {}", label.to_lowercase()))),
    }
}
