//! The arguments of the `trust` commands.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use bulla::time::Time;

use crate::cli::args::Output;
use crate::cli::args::time;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TrustCommand {
    /// Import the trusted root of a mirrored TUF repository, after verifying it without a network
    Import(TrustImportArgs),
    /// Show whom and what a trusted root trusts, for what, and from when until when
    Show(TrustShowArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TrustImportArgs {
    /// The repository, as it was mirrored: metadata in the directory or in metadata/, target files in targets/
    #[arg(value_name = "tuf:DIR")]
    pub(in crate::cli) repository: String,
    /// The root metadata (root.json) that you trust, or that of public-good or staging that comes with the program
    #[arg(long, value_name = "FILE|NAME")]
    pub(in crate::cli) root: String,
    /// The file to write
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// What the last import has written: no metadata may be older than there; it may be the file to write
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) previous: Option<PathBuf>,
    /// Judge the expiry of metadata as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub(in crate::cli) at: Option<Time>,
    /// Accept metadata that has expired; every verdict by this trusted root then says so
    #[arg(long)]
    pub(in crate::cli) accept_expired: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TrustShowArgs {
    /// A trusted root (trusted_root.json, one on each line, or what trust import has written), public-good or staging
    #[arg(value_name = "FILE|NAME")]
    pub(in crate::cli) trusted_root: String,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}
