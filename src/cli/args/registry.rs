//! The options of every command that may speak to a registry, as typed.

use std::path::PathBuf;

use clap::Args;

/// How registries are spoken to: TLS, certificates, token services.
#[derive(Debug, Args)]
pub(in crate::cli) struct RegistryArgs {
    /// Speak plain http to the registries named on the command line (loopback is always plain)
    #[arg(long, help_heading = "Registry")]
    pub(in crate::cli) plain_http: bool,
    /// Speak TLS to loopback too
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(in crate::cli) tls: bool,
    /// Trust the certificates in this file (PEM or DER) as well: authorities, or exactly the one a server shows
    #[arg(long, value_name = "FILE", help_heading = "Registry")]
    pub(in crate::cli) ca: Vec<PathBuf>,
    /// Client certificate, PEM or DER
    #[arg(long, value_name = "FILE", requires = "client_key", help_heading = "Registry")]
    pub(in crate::cli) client_cert: Option<PathBuf>,
    /// Key of the client certificate, PEM or DER, not encrypted
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Registry")]
    pub(in crate::cli) client_key: Option<PathBuf>,
    /// A token service on another host that may be given this registry's credentials
    #[arg(long, value_name = "HOST", help_heading = "Registry")]
    pub(in crate::cli) allow_realm: Vec<String>,
}

/// How the two registries of a copy are spoken to, where they differ.
#[derive(Debug, Args)]
pub(in crate::cli) struct SidesArgs {
    /// Speak plain http to the registry of the source, not to that of the destination
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(in crate::cli) from_plain_http: bool,
    /// Speak plain http to the registry of the destination, not to that of the source
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(in crate::cli) to_plain_http: bool,
}
