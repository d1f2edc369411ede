//! The registry options: TLS, certificate authorities, mutual TLS, token services.

use std::path::PathBuf;

use clap::Args;

/// The registry options of every command that may contact a registry.
#[derive(Debug, Args)]
pub(in crate::cli) struct RegistryArgs {
    /// Use plain http for the registries named on the command line (loopback always uses it)
    #[arg(long, help_heading = "Registry")]
    pub(in crate::cli) plain_http: bool,
    /// Use TLS for loopback too
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(in crate::cli) tls: bool,
    /// Also trust the certificates in this file (PEM or DER): certificate authorities, or one server's own certificate
    #[arg(long, value_name = "FILE", help_heading = "Registry")]
    pub(in crate::cli) tls_ca: Vec<PathBuf>,
    /// Client certificate for mutual TLS, PEM or DER
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Registry")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// Key of the client certificate, PEM or DER, not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Registry")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// A token service on another host that may get this registry's credentials
    #[arg(long, value_name = "HOST", help_heading = "Registry")]
    pub(in crate::cli) allow_realm: Vec<String>,
}

/// The registry options that differ between the source and the destination of a copy.
#[derive(Debug, Args)]
pub(in crate::cli) struct SidesArgs {
    /// Use plain http for the registry of the source, not for that of the destination
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(in crate::cli) from_plain_http: bool,
    /// Use plain http for the registry of the destination, not for that of the source
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(in crate::cli) to_plain_http: bool,
}
