//! The command line as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;
use clap::Args;
use clap::CommandFactory as _;
use clap::Parser;
use clap::Subcommand;

use bulla::time::Time;

use super::blob::args::BlobCommand;
use super::policy::args::PolicyCommand;
use super::request::args::AttestArgs;
use super::request::args::RequestCommand;
use super::revocation::args::CopyRevocationArgs;
use super::revocation::args::RevocationCommand;
use super::revocation::args::RevocationLookupArgs;
use super::timestamp::args::TimestampCommand;
use super::trusted_root::args::TrustCommand;
use super::version;

mod cert;
mod certificates;
mod duration;
mod examples;
mod format;
mod key;
mod keyless;
mod ls;
mod manual;
pub(super) mod name;
mod notation;
mod output;
pub(super) mod pair;
mod places;
mod policy;
mod registry;
mod revocation;
mod scanner;
mod single;
pub(super) mod time;
mod tree;
mod witnesses;

pub(super) use cert::CertCommand;
pub(super) use cert::CertCsrArgs;
pub(super) use cert::CertKeyType;
pub(super) use cert::CertLintArgs;
pub(super) use cert::CertNewArgs;
pub(super) use cert::PurposeArg;
pub(super) use certificates::CertificateArgs;
pub(super) use certificates::EnvelopeReader;
pub(super) use certificates::RequestCertificateArgs;
pub(super) use certificates::SignCertificateArgs;
pub(super) use format::ImageFormat;
pub(super) use format::SignFormat;
pub(super) use key::KeyArgs;
pub(super) use key::KeyCommand;
pub(super) use key::KeyExportArgs;
pub(super) use key::KeyForm;
pub(super) use key::KeyImportArgs;
pub(super) use key::KeyListArgs;
pub(super) use key::KeyNewArgs;
pub(super) use key::KeyShowArgs;
pub(super) use key::KeyTypeArg;
pub(super) use key::PassphraseArgs;
pub(super) use key::PluginArgs;
pub(super) use key::TokenArgs;
pub(super) use keyless::KeylessArgs;
pub(super) use ls::LsArgs;
pub(super) use manual::CompletionArgs;
pub(super) use manual::ManArgs;
pub(super) use notation::NotationArgs;
pub(super) use output::LogFormat;
pub(super) use output::Output;
pub(super) use output::ResultsOutput;
pub(super) use output::TreeOutput;
pub(super) use output::VerifyOutput;
pub(super) use pair::pair;
pub(super) use places::MovePlaces;
pub(super) use policy::PolicyArgs;
pub(super) use policy::ReportFile;
pub(super) use policy::ReportForm;
pub(super) use registry::RegistryArgs;
pub(super) use registry::SidesArgs;
pub(super) use revocation::RevocationArgs;
pub(super) use scanner::ScannerArgs;
pub(super) use single::parse;
pub(super) use tree::TreeArgs;
pub(super) use witnesses::WitnessArgs;

/// Signs container images with keys that never touch a network, and verifies before anything is moved or run.
#[derive(Debug, Parser)]
#[command(name = "bulla", bin_name = "bulla", version, long_version = version::long(), max_term_width = 110, arg_required_else_help = true)]
#[command(after_help = format!("{}{}", examples::REFERENCES, examples::STATUS))]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) general: GeneralArgs,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct GeneralArgs {
    /// Timeout of the whole command (30s, 5m, 1h; 0: none); by default 10m, not counting the time in which layers move
    #[arg(long, value_name = "DURATION", global = true, value_parser = duration::parse, env = "BULLA_TIMEOUT", help_heading = "General")]
    pub(super) timeout: Option<Duration>,
    /// Print a log of the steps; twice: every request and decision
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "General")]
    pub(super) verbose: u8,
    /// The form of the log that -v prints
    #[arg(long, value_name = "FORM", global = true, value_enum, default_value_t, help_heading = "General")]
    pub(super) log_format: LogFormat,
    /// Print only errors and data
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "General")]
    pub(super) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign statements about images: provenance, SBOMs, scan results
    Attest(AttestArgs),
    #[command(flatten)]
    Blob(BlobCommand),
    /// Check certificates, ask for them, make some for tests
    #[command(subcommand)]
    Cert(CertCommand),
    /// Print a completion script for a shell
    Completion(CompletionArgs),
    /// Copy an image with its referrers; digests do not change
    Copy(CopyArgs),
    /// Print the digest of a reference
    Digest(DigestArgs),
    /// Show the main job in a temporary directory: sign, carry, import, tamper
    Demo(DemoArgs),
    /// Verify an image and, only if it verifies, push it with the evidence that counted
    Import(ImportArgs),
    /// Decode a manifest, bundle, envelope or key
    Inspect(InspectArgs),
    /// Make, import, export and show keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// List the images of a layout or archive, or the tags of a repository
    Ls(LsArgs),
    /// Print a manual page, or write all of them
    Man(ManArgs),
    /// Check, explain and write policy files
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Sign without a network: write a request, sign it elsewhere, attach the response
    #[command(subcommand)]
    Request(RequestCommand),
    /// Fetch, show and attach revocation evidence: CRLs and OCSP responses
    #[command(subcommand)]
    Revocation(RevocationCommand),
    /// Sign images
    Sign(SignArgs),
    /// Timestamps (RFC 3161) for Notary Project signatures: write requests, attach the answers
    #[command(subcommand)]
    Timestamp(TimestampCommand),
    /// Show the referrers of an image and, with keys or certificates, which are trusted
    Tree(TreeArgs),
    /// Trusted roots of Sigstore: show them, import them from a TUF repository
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Verify images
    Verify(VerifyArgs),
}

/// The whole command line as clap derives it, with examples. Environment variables that are set but empty are ignored.
pub(super) fn command() -> clap::Command {
    examples::complete(Cli::command())
}

#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    #[command(flatten)]
    pub(super) places: MovePlaces,
    /// All images of the layout or archive, or all tags of the repository
    #[arg(long)]
    pub(super) all: bool,
    /// Do not copy the referrers: signatures, attestations, SBOMs
    #[arg(long)]
    pub(super) without_referrers: bool,
    /// Copy what a verification needs, without layers, into a layout or an OCI archive
    #[arg(long, conflicts_with_all = ["without_referrers", "policy"])]
    pub(super) evidence: bool,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    #[command(flatten)]
    pub(super) revocation: CopyRevocationArgs,
    /// Move a name in a layout or archive that another image has now
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Copy only the manifest for this platform out of an index: os/architecture[/variant]; with docker-archive:, list it
    #[arg(long, value_name = "PLATFORM")]
    pub(super) platform: Option<String>,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(super) output: ResultsOutput,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
    #[command(flatten)]
    pub(super) sides: SidesArgs,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Keep the files, in this new directory
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DigestArgs {
    /// The image
    #[arg(value_name = "REF")]
    pub(super) reference: String,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(super) struct RequirementArgs {
    /// A trusted public key: a file, env:NAME, - or a pkcs11: URI, optionally with its owner's name; several may be given
    #[arg(long, value_name = "[OWNER=]PUB", required_unless_present_any = ["identity", "issuer", "trusted_root", "ca_roots", "signing_authority_roots", "timestamp_roots", "trust_policy", "policy"])]
    pub(super) key: Vec<String>,
    #[command(flatten)]
    pub(super) certificates: CertificateArgs,
    #[command(flatten)]
    pub(super) lookup: RevocationLookupArgs,
    #[command(flatten)]
    pub(super) notation: NotationArgs,
    /// How many owners must have signed, each with a key of their own
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "trust_policy")]
    pub(super) threshold: u32,
    /// An annotation that must have been signed
    #[arg(short = 'a', long = "annotation", value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) annotations: Vec<(String, String)>,
    /// The name that must have been signed
    #[arg(long, value_name = "NAME", value_parser = name::to_verify)]
    pub(super) signed_reference: Option<String>,
    #[command(flatten)]
    pub(super) token: TokenArgs,
}

#[derive(Debug, Args)]
#[command(group(policy::excluded(&["all_platforms"])))]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub(super) places: MovePlaces,
    /// All images of the layout or archive, or all tags of the repository
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) required: RequirementArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    /// The index and every manifest in it must verify, each by its own signatures
    #[arg(long)]
    pub(super) all_platforms: bool,
    /// A file of attestations, JSON lines: verify by them too, and push those that count; several may be given
    #[arg(long, value_name = "FILE.jsonl")]
    pub(super) evidence: Vec<String>,
    /// Move a name in a layout or archive that another image has now
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Verify, read every layer, print what would be written, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(super) output: ResultsOutput,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
    #[command(flatten)]
    pub(super) sides: SidesArgs,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// A file, or a reference
    #[arg(value_name = "FILE|REF")]
    pub(super) target: String,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// What to sign
    #[arg(value_name = "REF", required = true)]
    pub(super) references: Vec<String>,
    /// A private key: a file, env:NAME, a pkcs11: URI, or plugin:NAME; several may be given
    #[arg(long, value_name = "KEY", required = true)]
    pub(super) key: Vec<String>,
    /// The signature format; several may be given
    #[arg(long, value_name = "FORM", value_enum, value_delimiter = ',', default_value = "bundle")]
    pub(super) format: Vec<ImageFormat>,
    #[command(flatten)]
    pub(super) certificates: SignCertificateArgs,
    /// An annotation to sign; in the notary formats user metadata
    #[arg(short = 'a', long = "annotation", value_name = "KEY=VALUE", value_parser = pair::to_sign)]
    pub(super) annotations: Vec<(String, String)>,
    /// A name to sign along with the digest; the notary formats have none
    #[arg(long, value_name = "NAME", value_parser = name::to_sign)]
    pub(super) signed_reference: Option<String>,
    /// Sign an index and every manifest in it
    #[arg(long)]
    pub(super) all_platforms: bool,
    /// Sign only what no given key has signed yet with the same annotations, name and format
    #[arg(long)]
    pub(super) if_missing: bool,
    /// Print what would be signed, with which keys, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(super) output: ResultsOutput,
    #[command(flatten)]
    pub(super) keys: KeyArgs,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

#[derive(Debug, Args)]
#[command(group(policy::excluded(&["predicate_type", "all_platforms", "at"])))]
pub(super) struct VerifyArgs {
    /// The images to verify; with --evidence also image-id, followed by image ids
    #[arg(value_name = "REF", required_unless_present = "print_policy")]
    pub(super) references: Vec<String>,
    #[command(flatten)]
    pub(super) required: RequirementArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
    /// Verify nothing, and print a policy file with the same meaning as the options; PATTERN says for which images
    /// (HOST/REPOSITORY, HOST/PREFIX/**), by default those of REF
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "policy", help_heading = "Policy")]
    pub(super) print_policy: Option<String>,
    /// Check the expiry of signatures and certificates as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with = "without_verified_time", help_heading = "Certificates")]
    pub(super) at: Option<Time>,
    /// With a trust policy: end with 0 also for an image that a statement accepts without enforcing every check. It is not
    /// verified
    #[arg(long, requires = "trust_policy", help_heading = "Certificates")]
    pub(super) accept_unenforced: bool,
    /// Verify an attestation of this predicate type instead of a signature
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) predicate_type: Option<String>,
    /// Include the verified predicates in the report
    #[arg(long, requires = "predicate_type")]
    pub(super) with_predicates: bool,
    /// The index and every manifest in it must verify, each by its own signatures
    #[arg(long, conflicts_with = "platform")]
    pub(super) all_platforms: bool,
    /// Verify the manifest for this platform: os[(version)]/architecture[/variant]
    #[arg(long, value_name = "PLATFORM")]
    pub(super) platform: Option<String>,
    /// A file of attestations, JSON lines: verify by them too; several may be given. Or a layout or archive with the manifests
    /// and signatures of what docker load would load from a docker-archive
    #[arg(long, value_name = "PLACE|FILE.jsonl")]
    pub(super) evidence: Vec<String>,
    /// Also read every config and layer, one image after another, and check it against its digest and size
    #[arg(long)]
    pub(super) layers: bool,
    /// How many references at a time
    #[arg(long, value_name = "N", default_value_t = 32, env = "BULLA_JOBS")]
    pub(super) jobs: usize,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(super) output: VerifyOutput,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}
