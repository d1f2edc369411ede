//! The arguments of the commands about files.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::Subcommand;

use crate::cli::args::KeyArgs;
use crate::cli::args::KeylessArgs;
use crate::cli::args::ResultsOutput;
use crate::cli::args::TokenArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BlobCommand {
    /// Sign statements about files
    #[command(name = "attest-blob")]
    Attest(AttestBlobArgs),
    /// Sign files
    #[command(name = "sign-blob")]
    Sign(SignBlobArgs),
    /// Verify files, or digests of files
    #[command(name = "verify-blob")]
    Verify(VerifyBlobArgs),
}

/// Where the bundle of a file is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct BundleTargetArgs {
    /// Write the Sigstore bundle here; - writes it to standard output [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) bundle: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AttestBlobArgs {
    /// The files; - reads one from standard input
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<String>,
    /// The predicate: a file with one JSON object, which is signed as it is; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) predicate: PathBuf,
    /// The predicate type: a URI, or custom, cyclonedx, link, openvex, slsaprovenance, slsaprovenance1, spdx, vuln
    #[arg(long = "type", value_name = "TYPE")]
    pub(in crate::cli) predicate_type: String,
    /// A private key: a file, env:NAME, a pkcs11: URI, or plugin:NAME
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) key: String,
    #[command(flatten)]
    pub(in crate::cli) target: BundleTargetArgs,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: ResultsOutput,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SignBlobArgs {
    /// The files; - reads one from standard input
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<String>,
    /// A private key: a file, env:NAME, a pkcs11: URI, or plugin:NAME
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) key: String,
    #[command(flatten)]
    pub(in crate::cli) target: BundleTargetArgs,
    /// Write the signature alone, as openssl dgst -verify reads it; without --bundle no bundle is written
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output_signature: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: ResultsOutput,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("identity").multiple(true)))]
#[command(group(ArgGroup::new("issuer").multiple(true)))]
pub(in crate::cli) struct VerifyBlobArgs {
    /// The files, or digests sha256:HEX of files; - reads one from standard input
    #[arg(value_name = "FILE|DIGEST", required = true)]
    pub(in crate::cli) files: Vec<String>,
    /// A Sigstore bundle; several may be given for one file [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) bundle: Vec<PathBuf>,
    /// A signature alone, its bytes or base64; several may be given for one file
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) signature: Vec<PathBuf>,
    /// A trusted public key: a file, env:NAME, - or a pkcs11: URI, optionally with its owner's name; several may be given
    #[arg(long, value_name = "[OWNER=]PUB", required_unless_present_any = ["identity", "issuer", "trusted_root"])]
    pub(in crate::cli) key: Vec<String>,
    /// A trusted keyless signer: github:…, gitlab:…, google:…, or the name in the certificate, optionally with an owner's name;
    /// several may be given
    #[arg(long, value_name = "[OWNER=]NAMES", group = "identity", help_heading = "Keyless")]
    pub(in crate::cli) certificate_identity: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) keyless: KeylessArgs,
    /// How many owners must have signed, each with a key of their own
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) threshold: u32,
    /// Verify an attestation of this predicate type instead of a signature; any: a signature, or an attestation of any type
    #[arg(long = "type", value_name = "TYPE")]
    pub(in crate::cli) predicate_type: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: ResultsOutput,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
}
