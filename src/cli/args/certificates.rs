//! The options that trust certificates: certificate authorities, timestamp authorities, identities.

use std::path::PathBuf;
use std::time::Duration;

use bulla::envelope::Strictness;
use clap::ArgGroup;
use clap::Args;
use clap::ValueEnum;

use super::duration;
use super::format::NotaryManifestArg;
use super::keyless::KeylessArgs;
use super::revocation::RevocationArgs;
use super::witnesses::WitnessArgs;

/// The options that trust certificates of signers.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("identity").multiple(true)))]
#[command(group(ArgGroup::new("issuer").multiple(true)))]
pub(in crate::cli) struct CertificateArgs {
    /// The certificates that signers' chains must lead to, PEM or DER; several may be given
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) ca_roots: Vec<PathBuf>,
    /// The same for signing authorities, which also state the time (notary.x509.signingAuthority)
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) signing_authority_roots: Vec<PathBuf>,
    /// The certificates of timestamp authorities (RFC 3161), PEM or DER: with a timestamp, a signature
    /// outlives its certificate
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) timestamp_roots: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) revocation: RevocationArgs,
    /// A trusted signer: CN=… or other attributes, dns:…, email:…, uri:…; with --trusted-root also github:…, gitlab:…,
    /// google:…, or the name in the certificate; optionally with an owner's name; several may be given
    #[arg(long, value_name = "[OWNER=]NAMES", group = "identity", help_heading = "Certificates")]
    pub(in crate::cli) certificate_identity: Vec<String>,
    /// How strictly envelopes of the Notary Project are read
    #[arg(long, value_name = "READER", value_enum, default_value_t, help_heading = "Certificates")]
    pub(in crate::cli) envelope_reader: EnvelopeReader,
    #[command(flatten)]
    pub(in crate::cli) keyless: KeylessArgs,
}

impl CertificateArgs {
    /// Whether an identity is given whose certificates lead to `--ca-roots`.
    pub(in crate::cli) fn has_authority_identity(&self) -> bool {
        self.certificate_identity.iter().any(|text| !self.is_for_keyless(text))
    }

    /// The first option with certificates of authorities that is given.
    pub(in crate::cli) fn roots_option(&self) -> Option<&'static str> {
        let given = [
            ("--ca-roots", &self.ca_roots),
            ("--signing-authority-roots", &self.signing_authority_roots),
            ("--timestamp-roots", &self.timestamp_roots),
        ];
        given.into_iter().find(|(_, files)| !files.is_empty()).map(|(option, _)| option)
    }

    /// Whether an option says whose certificates count.
    pub(in crate::cli) fn is_given(&self) -> bool {
        self.has_identity() || self.roots_option().is_some() || self.keyless.trusted_root.is_some()
    }

    /// Whether an identity of certificates is given.
    pub(in crate::cli) fn has_identity(&self) -> bool {
        let keyless = &self.keyless;
        keyless.certificate_identity_any
            || !self.certificate_identity.is_empty()
            || !keyless.certificate_identity_regexp.is_empty()
    }
}

/// The value of `--envelope-reader`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum EnvelopeReader {
    /// As the specifications say
    #[default]
    Strict,
    /// Also what notation reads beside that, such as names in another case that old versions wrote
    AsNotation,
}

impl From<EnvelopeReader> for Strictness {
    fn from(reader: EnvelopeReader) -> Self {
        match reader {
            EnvelopeReader::Strict => Self::Strict,
            EnvelopeReader::AsNotation => Self::AsNotation,
        }
    }
}

/// The options of signatures with certificates.
#[derive(Debug, Args)]
pub(in crate::cli) struct SignCertificateArgs {
    /// The certificates of a key, PEM or DER: its own first, up to the root; one file for each key
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(in crate::cli) cert_chain: Vec<PathBuf>,
    /// How long a signature in the notary formats is valid, in whole seconds (90d, 12h); by default without an end
    #[arg(long, value_name = "DURATION", value_parser = duration::validity, help_heading = "Certificates")]
    pub(in crate::cli) expiry: Option<Duration>,
    /// The form of the manifest of a signature in the notary formats; legacy by default
    #[arg(long, value_name = "FORM", value_enum, help_heading = "Certificates")]
    pub(in crate::cli) notary_manifest: Option<NotaryManifestArg>,
    #[command(flatten)]
    pub(in crate::cli) witnesses: WitnessArgs,
}

/// The options of signing requests for signatures with certificates.
#[derive(Debug, Args)]
pub(in crate::cli) struct RequestCertificateArgs {
    /// The certificates of a key, PEM or DER: its own first, up to the root; one file for each key
    #[arg(long, value_name = "[OWNER=]FILE", help_heading = "Certificates")]
    pub(in crate::cli) cert_chain: Vec<String>,
    /// How long a signature in the notary formats is valid, in whole seconds (90d, 12h); by default without an end
    #[arg(long, value_name = "DURATION", value_parser = duration::validity, help_heading = "Certificates")]
    pub(in crate::cli) expiry: Option<Duration>,
    /// The form of the manifest of a signature in the notary formats; legacy by default
    #[arg(long, value_name = "FORM", value_enum, help_heading = "Certificates")]
    pub(in crate::cli) notary_manifest: Option<NotaryManifestArg>,
}
