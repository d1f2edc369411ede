//! The options that ask timestamp authorities and logs about new signatures.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;

/// The options of timestamps and log entries of new signatures.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("witness_trust").args(["timestamp_roots", "trusted_root"]).multiple(true)))]
#[command(group(ArgGroup::new("witnesses").args(["timestamp_url", "log_url", "signing_config"]).multiple(true)))]
pub(in crate::cli) struct WitnessArgs {
    /// Ask this timestamp authority (RFC 3161) for a timestamp of each signature: an http or https URL; for bundles
    /// several may be given
    #[arg(long, value_name = "URL", requires = "witness_trust", help_heading = "Timestamps and logs")]
    pub(in crate::cli) timestamp_url: Vec<String>,
    /// The certificates of the timestamp authorities, PEM or DER, by which their answers are verified; several may be given
    #[arg(long, value_name = "FILE", requires = "witnesses", help_heading = "Timestamps and logs")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// Ask this transparency log (Rekor v2) for an entry about each bundle: an http or https URL; several may be given
    #[arg(long, value_name = "URL", requires = "trusted_root", help_heading = "Timestamps and logs")]
    pub(in crate::cli) log_url: Vec<String>,
    /// A Sigstore signing config, which names timestamp authorities and logs: those that it selects are asked
    #[arg(long, value_name = "FILE", requires = "trusted_root", help_heading = "Timestamps and logs")]
    pub(in crate::cli) signing_config: Option<PathBuf>,
    /// A trusted root, public-good or staging: its logs and timestamp authorities, by which the answers are verified
    #[arg(long, value_name = "FILE|NAME", requires = "witnesses", help_heading = "Timestamps and logs")]
    pub(in crate::cli) trusted_root: Option<String>,
}
