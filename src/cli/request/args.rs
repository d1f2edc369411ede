//! The arguments of the `request` commands and of `attest`.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use clap::Subcommand;

use crate::cli::args::ImageFormat;
use crate::cli::args::KeyArgs;
use crate::cli::args::Output;
use crate::cli::args::RegistryArgs;
use crate::cli::args::RequestCertificateArgs;
use crate::cli::args::ResultsOutput;
use crate::cli::args::ScannerArgs;
use crate::cli::args::SignFormat;
use crate::cli::args::TokenArgs;
use crate::cli::args::WitnessArgs;
use crate::cli::args::name;
use crate::cli::args::pair;
use bulla::digest::Digest;
use bulla::digest::DigestError;
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RequestCommand {
    /// Verify responses against a request and, if enough owners signed, attach the signatures
    Attach(RequestAttachArgs),
    /// Check a signing log
    #[command(subcommand)]
    Log(RequestLogCommand),
    /// Merge several responses to one request into one
    Merge(RequestMergeArgs),
    /// Write a request: what is to be signed, by whom, why, and until when
    New(RequestNewArgs),
    /// Show a request, and who has signed it
    Show(RequestShowArgs),
    /// Show a request, ask, and sign every item; needs no network
    Sign(RequestSignArgs),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RequestLogCommand {
    /// Verify the hash chain of a signing log and, with --against, that each signature has its line
    Verify(RequestLogVerifyArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExpectedArgs {
    /// Accept the request only if it asks to sign exactly these digests: of images, predicates and files; repeat the
    /// option for each. A SHA-256 needs no `sha256:`
    #[arg(long = "expect", value_name = "DIGEST", value_parser = digest)]
    pub(in crate::cli) digests: Vec<Digest>,
    /// Accept the request only if it asks for the same signatures of the same owners as this request, which you have
    /// written yourself
    #[arg(long = "expect-request", value_name = "FILE")]
    pub(in crate::cli) own: Option<PathBuf>,
    /// Accept the request only if it asks exactly these owners and keys; repeat the option for each key
    #[arg(long = "owner", value_name = "NAME=PUB", value_parser = owner, requires = "threshold")]
    pub(in crate::cli) owners: Vec<(String, String)>,
    /// Accept the request only if its threshold is exactly this number
    #[arg(long, value_name = "N", requires = "owners")]
    pub(in crate::cli) threshold: Option<u32>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("attested").args(["attest", "scanner_report", "statement"]).multiple(true)))]
pub(in crate::cli) struct RequestNewArgs {
    /// The images to sign
    #[arg(value_name = "REF", required_unless_present = "file")]
    pub(in crate::cli) references: Vec<String>,
    /// A file to sign, under its name without directories; several may be given
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) file: Vec<PathBuf>,
    /// The file to write the request to
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// An owner to ask, and a public key: a file, env:NAME, - or a pkcs11: URI; repeat the option for each key
    #[arg(long = "owner", value_name = "NAME=PUB", required = true, value_parser = owner)]
    pub(in crate::cli) owners: Vec<(String, String)>,
    /// How many of the owners have to sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) threshold: u32,
    /// When the request expires: 7d, 12h, 30m, or a time like 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub(in crate::cli) expires: String,
    /// The reason, for those who are asked to sign
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// The signature format; several may be given. Attestations have no notary format
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        value_delimiter = ',',
        default_value = "bundle",
        requires = "references"
    )]
    pub(in crate::cli) format: Vec<ImageFormat>,
    #[command(flatten)]
    pub(in crate::cli) certificates: RequestCertificateArgs,
    /// An annotation to sign; in the notary formats user metadata
    #[arg(short = 'a', long = "annotation", value_name = "KEY=VALUE", value_parser = pair::to_sign, requires = "references")]
    pub(in crate::cli) annotations: Vec<(String, String)>,
    /// A name to sign along with the digest; the notary formats have none
    #[arg(long, value_name = "NAME", value_parser = name::to_sign, requires = "references")]
    pub(in crate::cli) signed_reference: Option<String>,
    /// Ask for an attestation as well, of this predicate type and with the predicate in this file. With --all-platforms
    /// TYPE=PLATFORM=FILE, one for each platform
    #[arg(long, value_name = "TYPE=FILE", value_parser = predicate, requires = "references")]
    pub(in crate::cli) attest: Vec<(String, PathBuf)>,
    #[command(flatten)]
    pub(in crate::cli) scanner: ScannerArgs,
    /// Ask for a finished in-toto statement as well, for each image that is one of its subjects
    #[arg(long, value_name = "FILE", requires = "references")]
    pub(in crate::cli) statement: Vec<PathBuf>,
    /// Ask for the attestations only, not for image signatures
    #[arg(long, requires = "attested", conflicts_with = "annotations")]
    pub(in crate::cli) attest_only: bool,
    /// The previous request: what has changed will be shown
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) previous: Option<PathBuf>,
    /// Ask for an index and every manifest in it
    #[arg(long, requires = "references")]
    pub(in crate::cli) all_platforms: bool,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RequestShowArgs {
    /// The request
    #[arg(value_name = "REQUEST")]
    pub(in crate::cli) request: PathBuf,
    /// A response to it, to show who signed; several may be given
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) response: Vec<PathBuf>,
    /// Your own copy of the previous request: changes are shown against it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) previous: Option<PathBuf>,
    /// A copy of a file of the request, to be compared with it; several may be given
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) file: Vec<PathBuf>,
    /// An archive of docker save whose images are compared with those of the request: docker-archive:FILE, or
    /// docker-archive:- for standard input
    #[arg(long, value_name = "ARCHIVE")]
    pub(in crate::cli) archive: Option<String>,
    /// Where the manifests of the request are, unless the archive has them: a layout or an archive, as copy --evidence
    /// writes them
    #[arg(long, value_name = "PLACE", requires = "archive")]
    pub(in crate::cli) evidence: Option<String>,
    /// Show predicates and texts in full
    #[arg(long)]
    pub(in crate::cli) full: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) expected: ExpectedArgs,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RequestSignArgs {
    /// The request
    #[arg(value_name = "REQUEST")]
    pub(in crate::cli) request: PathBuf,
    /// A private key: a file, env:NAME, a pkcs11: URI, or plugin:NAME
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) key: String,
    /// The file to write the response to; signatures of an earlier run in it are kept, and only missing ones are made
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// A response of another owner, to show who signed before; several may be given
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) with: Vec<PathBuf>,
    /// Your own copy of the previous request: changes are shown against it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) previous: Option<PathBuf>,
    /// A copy of a file of the request that has only its digest; several may be given
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) file: Vec<PathBuf>,
    /// Show predicates and texts in full
    #[arg(long)]
    pub(in crate::cli) full: bool,
    /// Sign without asking
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Append each signature to this hash-chained log, before it is written to the response
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) log: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) expected: ExpectedArgs,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RequestMergeArgs {
    /// The request
    #[arg(value_name = "REQUEST")]
    pub(in crate::cli) request: PathBuf,
    /// The responses to it
    #[arg(value_name = "RESPONSE", required = true)]
    pub(in crate::cli) responses: Vec<PathBuf>,
    /// The file to write the merged response to
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RequestAttachArgs {
    /// The request
    #[arg(value_name = "REQUEST")]
    pub(in crate::cli) request: PathBuf,
    /// The responses to it
    #[arg(value_name = "RESPONSE", required = true)]
    pub(in crate::cli) responses: Vec<PathBuf>,
    /// Write the signatures of files to this directory, as FILE.OWNER.sigstore.json and FILE.OWNER.sig
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::cli) file_dir: PathBuf,
    /// Replace existing signatures of files
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// How many images at a time
    #[arg(long, value_name = "N", default_value_t = 16, env = "BULLA_JOBS")]
    pub(in crate::cli) jobs: usize,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) expected: ExpectedArgs,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("audited").multiple(true)))]
#[command(group(ArgGroup::new("file_signatures").multiple(true)))]
pub(in crate::cli) struct RequestLogVerifyArgs {
    /// The log
    #[arg(value_name = "LOG")]
    pub(in crate::cli) log: PathBuf,
    /// The digest of a line that was noted earlier: the log must contain this line; lines may follow it
    #[arg(long, value_name = "DIGEST")]
    pub(in crate::cli) head: Vec<String>,
    /// An image: each signature on it by one of the keys must have a line in the log
    #[arg(long, value_name = "REF", requires = "key", group = "audited")]
    pub(in crate::cli) against: Vec<String>,
    /// A file: each signature of it by one of the keys, in --bundle and --signature, must have a line in the log
    #[arg(long, value_name = "FILE", requires_all = ["key", "file_signatures"], group = "audited")]
    pub(in crate::cli) against_file: Option<PathBuf>,
    /// A Sigstore bundle of the file; several may be given
    #[arg(long, value_name = "BUNDLE", requires = "against_file", group = "file_signatures")]
    pub(in crate::cli) bundle: Vec<PathBuf>,
    /// A plain signature of the file; several may be given
    #[arg(long, value_name = "SIG", requires = "against_file", group = "file_signatures")]
    pub(in crate::cli) signature: Vec<PathBuf>,
    /// Accept log lines with any name: for a copy of an image or file that was signed under another name
    #[arg(long, requires = "audited")]
    pub(in crate::cli) any_name: bool,
    /// A public key whose signatures are logged here: a file, env:NAME, - or a pkcs11: URI; several may be given
    #[arg(long, value_name = "PUB", requires = "audited")]
    pub(in crate::cli) key: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) token: TokenArgs,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AttestArgs {
    /// What the attestation is about
    #[arg(value_name = "REF", required = true)]
    pub(in crate::cli) references: Vec<String>,
    /// The predicate: a file with one JSON object, which is signed as it is; - reads standard input. With --all-platforms
    /// PLATFORM=FILE, one for each platform
    #[arg(long, value_name = "FILE", required_unless_present_any = ["statement", "scanner_report"], requires = "predicate_type", conflicts_with = "scanner_report")]
    pub(in crate::cli) predicate: Vec<String>,
    /// The predicate type: a URI, or a short name: slsa, spdx, cyclonedx, vulns, vex, test-result, vsa and those of cosign
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "statement")]
    pub(in crate::cli) predicate_type: Option<String>,
    /// A finished in-toto statement, which is signed as it is; one of its subjects is the image
    #[arg(long, value_name = "FILE", conflicts_with_all = ["predicate", "scanner_report", "signed_reference", "all_platforms"])]
    pub(in crate::cli) statement: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) scanner: ScannerArgs,
    /// A private key: a file, env:NAME, a pkcs11: URI, or plugin:NAME; several may be given
    #[arg(long, value_name = "KEY", required = true)]
    pub(in crate::cli) key: Vec<String>,
    /// The signature format: a Sigstore bundle as a referrer, an envelope at the .att tag, or both
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: SignFormat,
    /// The certificates of a key, PEM or DER: its own first, up to the root; one file for each key
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) cert_chain: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) witnesses: WitnessArgs,
    /// The name to sign along with the digest; the default for a registry is the repository
    #[arg(long, value_name = "NAME", value_parser = name::to_sign)]
    pub(in crate::cli) signed_reference: Option<String>,
    /// Attest an index and every manifest in it
    #[arg(long)]
    pub(in crate::cli) all_platforms: bool,
    /// Attest only what no given key has attested yet with the same predicate, type, name and format
    #[arg(long)]
    pub(in crate::cli) if_missing: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: ResultsOutput,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
    #[command(flatten)]
    pub(in crate::cli) registry: RegistryArgs,
}

/// A digest, or the hexadecimal part of a SHA-256 alone, as sha256sum prints it.
fn digest(text: &str) -> Result<Digest, DigestError> {
    text.parse().or_else(|error| format!("sha256:{text}").parse().map_err(|_| error))
}

fn owner(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, key)) if !name.is_empty() && !key.is_empty() => Ok((name.to_owned(), key.to_owned())),
        _ => {
            Err("an owner is written NAME=PUB, a name and a public key: a file, env:NAME, - or a pkcs11: URI"
                .to_owned())
        }
    }
}

fn predicate(text: &str) -> Result<(String, PathBuf), String> {
    // Split at the last `=`: a predicate type is a URI and may contain one; a file name with one is not supported.
    match text.rsplit_once('=') {
        Some((kind, file)) if !kind.is_empty() && !file.is_empty() => Ok((kind.to_owned(), PathBuf::from(file))),
        _ => Err("an attestation is written TYPE=FILE".to_owned()),
    }
}
