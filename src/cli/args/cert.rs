//! The arguments of the `cert` commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use bulla::time::Time;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::duration;
use super::key::KeyArgs;
use super::key::PassphraseArgs;
use super::output::Output;
use super::time;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CertCommand {
    /// Write a request to a certificate authority (PKCS#10) for a key
    Csr(CertCsrArgs),
    /// Check certificates by every rule of a profile, and explain each that they break
    Lint(CertLintArgs),
    /// Make a certificate authority for tests, and a certificate with its key or for requests
    New(CertNewArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CertCsrArgs {
    /// The private key: a file, env:NAME, a pkcs11: URI, or plugin:NAME
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) key: String,
    /// Whom the certificate is to be about: CN=…,O=…,C=… (RFC 4514)
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) subject: String,
    /// An alternative name to ask for: dns:…, email:…, uri:…, ip:…, dirname:… or rid:…; several may be given
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) san: Vec<String>,
    /// What the certificate is to be for
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) purpose: PurposeArg,
    /// The file to write, in PEM; without it the request goes to standard output
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    #[command(flatten)]
    pub(in crate::cli) keys: KeyArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CertLintArgs {
    /// The certificates, PEM or DER: the signer's first, then its issuers, up to the root; or the signer's alone
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// The rules: notary, rfc5280-strict or sigstore
    #[arg(long, value_name = "NAME", default_value = "notary", value_parser = profile)]
    pub(in crate::cli) profile: &'static Profile,
    /// What the certificate is to be for
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) purpose: PurposeArg,
    /// Check the validity as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub(in crate::cli) at: Option<Time>,
    /// Also list the rules that are kept
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t, env = "BULLA_OUTPUT")]
    pub(in crate::cli) output: Output,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CertNewArgs {
    /// The directory to write into, which is new or empty
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    pub(in crate::cli) out: PathBuf,
    /// A certification request (PKCS#10) to issue a certificate for, instead of a new key; several may be given
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "subject", "no_passphrase", "passphrase_fd", "passphrase_file"])]
    pub(in crate::cli) csr: Vec<PathBuf>,
    /// Whom the certificate is about: CN=…,O=…,C=… (RFC 4514)
    #[arg(long, value_name = "NAME", default_value = "CN=Test signer,O=Test,ST=Test,C=XX")]
    pub(in crate::cli) subject: String,
    /// The algorithm of the keys
    #[arg(long = "type", value_enum, default_value_t)]
    pub(in crate::cli) kind: CertKeyType,
    /// What the certificate is for
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) purpose: PurposeArg,
    /// How long the certificates are valid, in whole seconds (30d, 12h)
    #[arg(long, value_name = "DURATION", value_parser = duration::validity, default_value = "30d")]
    pub(in crate::cli) expiry: Duration,
    /// Write the private key unencrypted: anybody who reads the file can sign
    #[arg(long, help_heading = "Passphrase", conflicts_with_all = ["passphrase_fd", "passphrase_file"])]
    pub(in crate::cli) no_passphrase: bool,
    #[command(flatten)]
    pub(in crate::cli) passphrase: PassphraseArgs,
}

/// The algorithm of a key that is made with its certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CertKeyType {
    /// ECDSA P-256
    #[default]
    P256,
    /// ECDSA P-384
    P384,
}

/// What a certificate is to be for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PurposeArg {
    /// Signing images
    #[default]
    CodeSigning,
    /// Signing timestamps (RFC 3161)
    Timestamping,
}

impl From<PurposeArg> for Purpose {
    fn from(purpose: PurposeArg) -> Self {
        match purpose {
            PurposeArg::CodeSigning => Self::Signing,
            PurposeArg::Timestamping => Self::TimeStamping,
        }
    }
}

fn profile(name: &str) -> Result<&'static Profile, String> {
    let names = || Profile::ALL.map(Profile::name).join(", ");
    Profile::named(name).ok_or_else(|| format!("it is one of {}", names()))
}
