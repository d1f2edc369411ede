//! The arguments of the `cert` commands.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use bulla::time::Time;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::output::Output;
use super::time;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CertCommand {
    /// Check certificates by every rule of a profile, and explain each that they break
    Lint(CertLintArgs),
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
