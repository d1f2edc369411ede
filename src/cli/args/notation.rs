//! The options that read the trust policy and the trust stores of notation.

use std::path::PathBuf;

use clap::Args;

/// The trust policy and the trust stores of notation, in the place of keys and certificates.
#[derive(Debug, Args)]
pub(in crate::cli) struct NotationArgs {
    /// A trust policy of notation, trustpolicy.json: the repository of each image chooses the statement
    #[arg(
        long,
        value_name = "FILE",
        requires = "trust_store",
        conflicts_with_all = ["key", "identity", "trusted_root", "ca_roots", "signing_authority_roots", "timestamp_roots", "use_signed_timestamps"],
        help_heading = "Certificates"
    )]
    pub(in crate::cli) trust_policy: Option<PathBuf>,
    /// The trust stores of notation: the directory truststore, or the configuration directory with it
    #[arg(long, value_name = "DIR", requires = "trust_policy", help_heading = "Certificates")]
    pub(in crate::cli) trust_store: Option<PathBuf>,
    /// With a trust policy: the repository by which it chooses for images in layouts and archives
    #[arg(long, value_name = "REPOSITORY", requires = "trust_policy", help_heading = "Certificates")]
    pub(in crate::cli) scope: Option<String>,
}
