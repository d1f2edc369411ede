//! The arguments of the `policy` commands, and those of every command that trusts a policy file for its signature.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use bulla::digest::Digest;

use crate::cli::args::EnvelopeReader;
use crate::cli::args::Output;
use crate::cli::args::RegistryArgs;
use crate::cli::args::RevocationArgs;
use crate::cli::args::TokenArgs;
use crate::cli::revocation::args::RevocationLookupArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Check policy files: errors with their line, and what is allowed and probably not meant
    Check(PolicyCheckArgs),
    /// Say what a policy file wants of images with a name; or what an image lacks, and who can supply it
    Explain(PolicyExplainArgs),
    /// Write a first policy file from public keys and the name of an image
    New(PolicyNewArgs),
    /// Push a policy file and the files that it names as an OCI artifact, which is signed as an image is
    Push(PolicyPushArgs),
    /// Run test cases of a policy file: images in a directory, and what is expected of them
    Test(PolicyTestArgs),
}

/// How a policy file is trusted that is not the operator's own.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct PolicyTrustArgs {
    /// The policy must be signed by this key: a file with sign-blob (its bundle is FILE.sigstore.json), a pushed policy with
    /// sign; if several keys are given, by one of them
    #[arg(long, value_name = "PUB", help_heading = "Policy")]
    pub(in crate::cli) policy_key: Vec<String>,
    /// The policy must have this id (policy check prints it); one for each policy, in any order
    #[arg(long, value_name = "DIGEST", help_heading = "Policy")]
    pub(in crate::cli) policy_digest: Vec<Digest>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyCheckArgs {
    /// The policy files, or the references of policies that were pushed
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// End with 1 if something is allowed and probably not meant
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) trust: PolicyTrustArgs,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyExplainArgs {
    /// The policy file
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// The name of images (HOST/REPOSITORY); or an image, with a tag, a digest or a transport: what it has, and what is missing
    #[arg(value_name = "NAME|REF")]
    pub(in crate::cli) name: String,
    /// The name by which the policy judges an image in a layout or archive: HOST/REPOSITORY
    #[arg(long = "as", value_name = "NAME")]
    pub(in crate::cli) judged_as: Option<String>,
    /// Also judge an image by the attestations in this file, JSON lines; several may be given
    #[arg(long, value_name = "FILE.jsonl")]
    pub(in crate::cli) evidence: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) revocation: RevocationArgs,
    #[command(flatten)]
    pub(in crate::cli) lookup: RevocationLookupArgs,
    /// How strictly envelopes of the Notary Project are read
    #[arg(long, value_name = "READER", value_enum, default_value_t, help_heading = "Certificates")]
    pub(in crate::cli) envelope_reader: EnvelopeReader,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) trust: PolicyTrustArgs,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyTestArgs {
    /// The directory with the cases, in the file cases.yaml
    #[arg(value_name = "DIR")]
    pub(in crate::cli) directory: PathBuf,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyPushArgs {
    /// The policy file
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// The destination: HOST/REPOSITORY:TAG, oci:DIR:NAME or oci-archive:FILE:NAME
    #[arg(value_name = "REF")]
    pub(in crate::cli) reference: String,
    /// Move a name in a layout or archive that another image has now
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyNewArgs {
    /// A public key, optionally with its owner: FILE or OWNER=FILE; keys of one owner count as one
    #[arg(long, value_name = "[OWNER=]PUB", required = true)]
    pub(in crate::cli) key: Vec<String>,
    /// An image that the policy is for, or the name of one: HOST/REPOSITORY, or a pattern such as HOST/PREFIX/**
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) image: String,
    /// How many owners must sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) threshold: u32,
    /// The policy file to write
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
}
