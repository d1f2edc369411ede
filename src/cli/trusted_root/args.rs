//! The arguments of the `trust` commands.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::Subcommand;

use bulla::time::Time;

use crate::cli::args::Output;
use crate::cli::args::time;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TrustCommand {
    /// Import the trusted root of a mirrored TUF repository, after verifying it without a network
    Import(TrustImportArgs),
    /// Write a trusted root for own certificate authorities, timestamp authorities and logs
    New(TrustNewArgs),
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
#[command(group(ArgGroup::new("trusted").args(["ca", "tsa", "log"]).multiple(true).required(true)))]
pub(in crate::cli) struct TrustNewArgs {
    /// The certificates of a certificate authority, PEM or DER: intermediate ones first, the root last; one file for each
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ca: Vec<PathBuf>,
    /// The certificates of a timestamp authority, PEM or DER: its own first, the root last; one file for each
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) tsa: Vec<PathBuf>,
    /// A transparency log (Rekor v2): its address, from which the name in its checkpoints follows, and its public key
    #[arg(long, value_name = "url=URL,key=FILE", value_parser = log)]
    pub(in crate::cli) log: Vec<LogArgument>,
    /// The time from which they are trusted (RFC 3339); by default authorities from when their first certificate is valid,
    /// logs from now
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub(in crate::cli) valid_from: Option<Time>,
    /// The file to write the trusted root to
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
}

/// The value of `--log`.
#[derive(Clone, Debug)]
pub(in crate::cli) struct LogArgument {
    pub(in crate::cli) key: PathBuf,
    pub(in crate::cli) url: String,
}

fn log(text: &str) -> Result<LogArgument, String> {
    let parts = text.strip_prefix("url=").and_then(|rest| rest.split_once(",key="));
    match parts {
        Some((url, key)) if url.split_once("://").is_some_and(|(_, rest)| !rest.is_empty()) && !key.is_empty() => {
            Ok(LogArgument { key: PathBuf::from(key), url: url.to_owned() })
        }
        _ => Err("a log is written url=https://log.example,key=FILE".to_owned()),
    }
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
