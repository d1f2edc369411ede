//! The arguments of the `revocation` commands.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::cli::args::EnvelopeReader;
use crate::cli::args::Output;
use crate::cli::args::RegistryArgs;
use crate::cli::args::RevocationArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RevocationCommand {
    /// Attach a file of revocation evidence to an image, as a referrer
    Attach(RevocationAttachArgs),
    /// Fetch CRLs and OCSP responses for the certificates of signatures, and write them into one file
    Fetch(RevocationFetchArgs),
    /// Show the CRLs and OCSP responses in a file
    Show(RevocationShowArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RevocationAttachArgs {
    /// The image
    #[arg(value_name = "REF")]
    pub(in crate::cli) reference: String,
    /// The portable file
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

/// Where more revocation evidence is looked for.
#[derive(Debug, Args)]
pub(in crate::cli) struct RevocationLookupArgs {
    /// Use the revocation evidence that is attached to each manifest whose signatures are judged, too
    #[arg(long, group = "revocation_evidence", help_heading = "Certificates")]
    pub(in crate::cli) revocation_attached: bool,
    /// Ask the addresses in the certificates of trusted signers for revocation evidence; by default no server is asked
    #[arg(long, group = "revocation_evidence", help_heading = "Certificates")]
    pub(in crate::cli) revocation_online: bool,
    /// A host that certificates may name although its address is not public, or that only a proxy resolves; several may
    /// be given
    #[arg(long, value_name = "HOST[:PORT]", requires = "revocation_online", help_heading = "Certificates")]
    pub(in crate::cli) allow_host: Vec<String>,
}

/// The options of revocation of `copy`, which judges signatures by policy files alone.
#[derive(Debug, Args)]
#[command(mut_arg("revocation", |arg| arg.requires("policy")))]
#[command(mut_arg("revocation_attached", |arg| arg.requires("policy")))]
#[command(mut_arg("revocation_online", |arg| arg.requires("policy")))]
pub(in crate::cli) struct CopyRevocationArgs {
    #[command(flatten)]
    pub(in crate::cli) evidence: RevocationArgs,
    #[command(flatten)]
    pub(in crate::cli) lookup: RevocationLookupArgs,
    /// How strictly envelopes of the Notary Project are read
    #[arg(
        long,
        value_name = "READER",
        value_enum,
        default_value_t,
        requires = "policy",
        help_heading = "Certificates"
    )]
    pub(in crate::cli) envelope_reader: EnvelopeReader,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RevocationFetchArgs {
    /// The images whose signatures are looked at, and every manifest in them
    #[arg(value_name = "REF", required_unless_present = "cert_chain")]
    pub(in crate::cli) references: Vec<String>,
    /// A chain of certificates, PEM or DER, the signer's first; several may be given
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) cert_chain: Vec<PathBuf>,
    /// The certificates that signers' chains must lead to, PEM or DER; several may be given
    #[arg(long, value_name = "FILE", required_unless_present_any = ["signing_authority_roots", "timestamp_roots"])]
    pub(in crate::cli) ca_roots: Vec<PathBuf>,
    /// The same for signing authorities
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) signing_authority_roots: Vec<PathBuf>,
    /// The certificates of timestamp authorities (RFC 3161), PEM or DER: timestamps are looked at, too
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    /// The file to write
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// Keep the evidence in this file, too; it may be the file that is written
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) merge: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// How strictly envelopes of the Notary Project are read
    #[arg(long, value_name = "READER", value_enum, default_value_t, help_heading = "Certificates")]
    pub(in crate::cli) envelope_reader: EnvelopeReader,
    /// A host that certificates may name although its address is not public, or that only a proxy resolves; several may
    /// be given
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Certificates")]
    pub(in crate::cli) allow_host: Vec<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RevocationShowArgs {
    /// A portable file, CRLs (PEM or DER), or an OCSP response (DER)
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}
