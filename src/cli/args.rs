//! The command line as typed.

use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

/// Signs container images with keys that never touch a network, and verifies before anything is moved or run.
#[derive(Debug, Parser)]
#[command(name = "bulla", version, max_term_width = 110, arg_required_else_help = true)]
#[command(
    after_help = "References: host/repo:tag, host/repo@sha256:…, oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE.\n\
Exit status: 0 yes or done, 1 refused, 2 could not tell (network, missing data, limits, bad arguments)."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy an image with everything that refers to it; digests do not change
    Copy(CopyArgs),
    /// Show the main job in a temporary directory: sign, carry, import, tamper
    Demo(DemoArgs),
    /// Verify an image and, only if it verifies, push it with the evidence that counted
    Import(ImportArgs),
    /// Decode a manifest, bundle, envelope or key
    Inspect(InspectArgs),
    /// Make, import, export and show keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Sign images
    Sign(SignArgs),
    /// Show what hangs on an image and, with --key, what of it is trusted
    Tree(TreeArgs),
    /// Verify images
    Verify(VerifyArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Write a key in another form
    Export(KeyExportArgs),
    /// Take a private key over into an encrypted key file
    Import(KeyImportArgs),
    /// Make a key pair: PREFIX.key and PREFIX.pub
    New(KeyNewArgs),
    /// Show algorithm and key id
    Show(KeyShowArgs),
}

#[derive(Debug, Args)]
pub(super) struct RegistryArgs {
    /// Speak plain http to the registries named on the command line (loopback is always plain)
    #[arg(long, help_heading = "Registry")]
    pub(super) plain_http: bool,
    /// Speak TLS to loopback too
    #[arg(long, help_heading = "Registry", conflicts_with = "plain_http")]
    pub(super) tls: bool,
    /// Trust the CA certificates in this PEM file as well
    #[arg(long, value_name = "FILE", help_heading = "Registry")]
    pub(super) ca: Vec<PathBuf>,
    /// Client certificate, PEM
    #[arg(long, value_name = "FILE", requires = "client_key", help_heading = "Registry")]
    pub(super) client_cert: Option<PathBuf>,
    /// Key of the client certificate, PEM
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "Registry")]
    pub(super) client_key: Option<PathBuf>,
    /// A token service on another host that may be given this registry's credentials
    #[arg(long, value_name = "HOST", help_heading = "Registry")]
    pub(super) allow_realm: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct PassphraseArgs {
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE", help_heading = "Passphrase")]
    pub(super) passphrase_file: Option<PathBuf>,
    /// Read the passphrase from the first line of this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "passphrase_file", help_heading = "Passphrase")]
    pub(super) passphrase_fd: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// One object of JSON
    Json,
    /// For people
    #[default]
    Text,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TreeOutput {
    /// Graphviz
    Dot,
    /// One object of JSON
    Json,
    /// A picture
    Svg,
    /// For people
    #[default]
    Text,
}

#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub(super) source: String,
    /// Where it goes
    #[arg(value_name = "DST")]
    pub(super) target: String,
    /// Leave behind what refers to the image: signatures, attestations, SBOMs
    #[arg(long)]
    pub(super) without_referrers: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Keep what is made, in this new directory
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct WantArgs {
    /// A public key that may have signed; several may be given
    #[arg(long, value_name = "FILE", required = true)]
    pub(super) key: Vec<PathBuf>,
    /// How many distinct keys must have signed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) threshold: u32,
    /// An annotation that must have been signed
    #[arg(short = 'a', long = "annotation", value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) annotations: Vec<(String, String)>,
    /// The name that must have been signed
    #[arg(long, value_name = "NAME")]
    pub(super) signed_reference: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub(super) source: String,
    /// Where it goes
    #[arg(value_name = "DST")]
    pub(super) target: String,
    #[command(flatten)]
    pub(super) want: WantArgs,
    /// Every manifest of an index must verify by itself as well
    #[arg(long)]
    pub(super) all_platforms: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// A file, or a reference
    #[arg(value_name = "FILE|REF")]
    pub(super) target: String,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// What to sign
    #[arg(value_name = "REF", required = true)]
    pub(super) references: Vec<String>,
    /// A private key: a file, or env:NAME; several may be given
    #[arg(long, value_name = "KEY", required = true)]
    pub(super) key: Vec<String>,
    /// Which form: a Sigstore bundle as a referrer, simple signing at the .sig tag, or both
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: SignFormat,
    /// An annotation to sign
    #[arg(short = 'a', long = "annotation", value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) annotations: Vec<(String, String)>,
    /// A name to sign along with the digest
    #[arg(long, value_name = "NAME")]
    pub(super) signed_reference: Option<String>,
    /// Sign an index and every manifest in it
    #[arg(long)]
    pub(super) all_platforms: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SignFormat {
    /// A Sigstore bundle as a referrer
    #[default]
    #[value(alias = "cosign-v3")]
    Bundle,
    /// Simple signing at the .sig tag
    #[value(alias = "cosign-v2")]
    Tag,
    /// Both forms
    Both,
}

#[derive(Debug, Args)]
pub(super) struct TreeArgs {
    /// The image
    #[arg(value_name = "REF")]
    pub(super) reference: String,
    /// A public key: say what it signed; several may be given
    #[arg(long, value_name = "FILE")]
    pub(super) key: Vec<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: TreeOutput,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// What to verify
    #[arg(value_name = "REF", required = true)]
    pub(super) references: Vec<String>,
    #[command(flatten)]
    pub(super) want: WantArgs,
    /// An attestation of this predicate type is wanted instead of a signature
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) predicate_type: Option<String>,
    /// An index and every manifest in it must verify, each by itself
    #[arg(long, conflicts_with = "platform")]
    pub(super) all_platforms: bool,
    /// The manifest for this platform is meant: os/architecture[/variant]
    #[arg(long, value_name = "PLATFORM")]
    pub(super) platform: Option<String>,
    /// How many references at a time
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(super) jobs: usize,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyType {
    /// Ed25519
    Ed25519,
    /// ECDSA P-256
    #[default]
    P256,
    /// ECDSA P-384
    P384,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyForm {
    /// Encrypted PKCS#8, which openssl reads
    EncryptedPkcs8,
    /// The public key, PEM
    Public,
    /// Unencrypted PKCS#8: anybody who reads the file can sign
    PlainPkcs8,
    /// The encrypted container of cosign
    Sigstore,
}

#[derive(Debug, Args)]
pub(super) struct KeyNewArgs {
    /// The algorithm
    #[arg(long = "type", value_enum, default_value_t)]
    pub(super) kind: KeyType,
    /// Where: PREFIX.key and PREFIX.pub are written
    #[arg(short = 'o', long = "out", value_name = "PREFIX", default_value = "bulla")]
    pub(super) prefix: PathBuf,
    /// Replace files that are there
    #[arg(long)]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(super) struct KeyImportArgs {
    /// The private key, in any form that is read
    pub(super) file: PathBuf,
    /// Where: PREFIX.key and PREFIX.pub are written
    #[arg(short = 'o', long = "out", value_name = "PREFIX", default_value = "imported")]
    pub(super) prefix: PathBuf,
    /// Replace files that are there
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Read the passphrase of the file that is imported from the first line of this file; without it the new
    /// passphrase is tried
    #[arg(long, value_name = "FILE", help_heading = "Passphrase")]
    pub(super) old_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(super) struct KeyExportArgs {
    /// The key: a file, or env:NAME
    pub(super) key: String,
    /// In which form
    #[arg(long, value_enum, default_value = "public")]
    pub(super) form: KeyForm,
    /// Where to; a private key is never written to the terminal
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(super) struct KeyShowArgs {
    /// The key: a public or private key file, or env:NAME
    pub(super) key: String,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArgs,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("an annotation is written KEY=VALUE".to_owned()),
    }
}
