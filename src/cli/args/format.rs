//! The value of `--format`: the signature formats to write.

use clap::ValueEnum;

use bulla::request::Format;

/// The signature formats to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SignFormat {
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

impl From<SignFormat> for Format {
    fn from(format: SignFormat) -> Self {
        match format {
            SignFormat::Both => Self::Both,
            SignFormat::Bundle => Self::Bundle,
            SignFormat::Tag => Self::Tag,
        }
    }
}
