//! The arguments of the `timestamp` commands.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::cli::args::Output;
use crate::cli::args::RegistryArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TimestampCommand {
    /// Verify the answers of a timestamp authority, and attach them to the signatures that they are about
    Attach(TimestampAttachArgs),
    /// Ask a timestamp authority for the answers to requests that were written elsewhere
    Fetch(TimestampFetchArgs),
    /// Write a timestamp request (RFC 3161) for each Notary Project signature without a timestamp
    Request(TimestampRequestArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TimestampRequestArgs {
    /// The images whose signatures are to get timestamps
    #[arg(value_name = "REF", required = true)]
    pub(in crate::cli) references: Vec<String>,
    /// The directory of the requests: a file sha256-….tsq for each signature, named by the digest of its manifest
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    pub(in crate::cli) out: PathBuf,
    /// The certificates of timestamp authorities, PEM or DER: only a timestamp that verifies counts as one. Without this
    /// option any does
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// An index and every manifest in it
    #[arg(long)]
    pub(in crate::cli) all_platforms: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TimestampAttachArgs {
    /// The images with the signatures
    #[arg(value_name = "REF", required = true)]
    pub(in crate::cli) references: Vec<String>,
    /// An answer: a response (.tsr) or a timestamp token, DER or PEM, or a directory of them; several may be given
    #[arg(long, value_name = "FILE|DIR", required = true)]
    pub(in crate::cli) token: Vec<PathBuf>,
    /// The certificates of timestamp authorities, PEM or DER; several may be given
    #[arg(long, value_name = "FILE", required = true, help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// An index and every manifest in it
    #[arg(long)]
    pub(in crate::cli) all_platforms: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TimestampFetchArgs {
    /// The requests
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) requests: Vec<PathBuf>,
    /// The timestamp authority: an http or https URL
    #[arg(long, value_name = "URL", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_url: String,
    /// The directory of the answers: NAME.tsr for NAME.tsq
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    pub(in crate::cli) out: PathBuf,
    /// The certificates of timestamp authorities, PEM or DER: the answers are verified by them. Without this option they
    /// are compared with the requests only
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// A further certificate authority to trust for TLS, PEM
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) tls_ca: Vec<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}
