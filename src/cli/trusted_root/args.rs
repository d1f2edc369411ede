//! The arguments of the `trust` commands.

use clap::Args;
use clap::Subcommand;

use crate::cli::args::Output;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TrustCommand {
    /// Show whom and what a trusted root trusts, for what, and from when until when
    Show(TrustShowArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TrustShowArgs {
    /// A trusted root (trusted_root.json, or one on each line), public-good or staging
    #[arg(value_name = "FILE|NAME")]
    pub(in crate::cli) trusted_root: String,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}
