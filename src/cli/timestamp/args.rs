//! The arguments of the `timestamp` commands.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::Subcommand;

use crate::cli::args::Output;
use crate::cli::args::RegistryArgs;
use crate::cli::args::TokenArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TimestampCommand {
    /// Verify the answers of a timestamp authority, and attach them to the signatures that they are about
    Attach(TimestampAttachArgs),
    /// Ask a timestamp authority for the answers to requests that were written elsewhere
    Fetch(TimestampFetchArgs),
    /// Write a timestamp request (RFC 3161) for each signature with a certificate that has no timestamp
    Request(TimestampRequestArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TimestampRequestArgs {
    #[command(flatten)]
    pub(in crate::cli) signatures: TimestampedArgs,
    /// The directory of the requests: a file sha256-….tsq for each signature, named by the digest of its manifest or bundle
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    pub(in crate::cli) out: PathBuf,
    /// The certificates of timestamp authorities, PEM or DER: only a timestamp that verifies counts as one. Without this
    /// option and --trusted-root any does
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// A trusted root, public-good or staging: only a timestamp of its authorities counts for a bundle
    #[arg(long, value_name = "FILE|NAME", help_heading = "Certificates")]
    pub(in crate::cli) trusted_root: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

/// Which signatures are to get timestamps.
#[derive(Debug, Args)]
pub(in crate::cli) struct TimestampedArgs {
    /// The images with the signatures
    #[arg(value_name = "REF", required_unless_present = "bundle")]
    pub(in crate::cli) references: Vec<String>,
    /// A Sigstore bundle in a file, as sign-blob and attest-blob write it; several may be given
    #[arg(long, value_name = "FILE", conflicts_with_all = ["references", "all_platforms"])]
    pub(in crate::cli) bundle: Vec<PathBuf>,
    /// Bundles without a certificate that this key signed, too; several may be given
    #[arg(long, value_name = "PUB", help_heading = "Keys")]
    pub(in crate::cli) key: Vec<String>,
    /// An index and every manifest in it
    #[arg(long)]
    pub(in crate::cli) all_platforms: bool,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("timestamp_trust").args(["timestamp_roots", "trusted_root"]).multiple(true).required(true)))]
pub(in crate::cli) struct TimestampAttachArgs {
    #[command(flatten)]
    pub(in crate::cli) signatures: TimestampedArgs,
    /// An answer: a response (.tsr) or a timestamp token, DER or PEM, or a directory of them; several may be given
    #[arg(long = "token", value_name = "FILE|DIR", required = true)]
    pub(in crate::cli) answers: Vec<PathBuf>,
    /// The certificates of timestamp authorities, PEM or DER; several may be given
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// A trusted root, public-good or staging: its timestamp authorities, for bundles
    #[arg(long, value_name = "FILE|NAME", help_heading = "Certificates")]
    pub(in crate::cli) trusted_root: Option<String>,
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
