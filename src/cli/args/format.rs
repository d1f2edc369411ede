//! The values of `--format`: the signature formats to write.

use clap::ValueEnum;

use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::oci::NotaryManifest;

use crate::cli::exit::Failure;

/// The signature formats to write, without those that need a certificate chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SignFormat {
    /// A Sigstore bundle as a referrer
    #[default]
    #[value(alias = "cosign-v3")]
    Bundle,
    /// At a tag of cosign: simple signing at .sig, an envelope of an attestation at .att
    #[value(alias = "cosign-v2")]
    Tag,
    /// Both forms
    Both,
    /// A Notary Project envelope, which is refused with an explanation
    #[value(hide = true)]
    NotaryJws,
    /// The same
    #[value(hide = true)]
    NotaryCose,
}

/// A signature format of `sign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ImageFormat {
    /// A Sigstore bundle as a referrer
    #[value(alias = "cosign-v3")]
    Bundle,
    /// At a tag of cosign: simple signing at .sig, an envelope of an attestation at .att
    #[value(alias = "cosign-v2")]
    Tag,
    /// Bundle and tag
    Both,
    /// A JWS envelope of the Notary Project as a referrer, as notation writes it
    NotaryJws,
    /// A COSE envelope of the Notary Project as a referrer
    NotaryCose,
}

/// The value of `--notary-manifest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum NotaryManifestArg {
    /// As notation 1.3 writes it
    Legacy,
    /// With an artifact type, as the OCI image specification 1.1 has it
    #[value(name = "v1.1")]
    V1_1,
}

impl SignFormat {
    /// The formats of an attestation.
    pub(in crate::cli) fn attestation(self) -> Result<Forms, Failure> {
        let notary = |form: FormName| {
            let failure = Failure::unknown(format!("an attestation cannot have the format {}", form.as_str()));
            Err(failure.hint("--format bundle or tag; bulla sign writes Notary Project signatures"))
        };
        match self {
            Self::Both => Ok(Forms::of(FormName::SigstoreBundle).and(FormName::Dsse)),
            Self::Bundle => Ok(Forms::of(FormName::SigstoreBundle)),
            Self::NotaryCose => notary(FormName::NotaryCose),
            Self::NotaryJws => notary(FormName::NotaryJws),
            Self::Tag => Ok(Forms::of(FormName::Dsse)),
        }
    }
}

impl ImageFormat {
    /// All of `formats`; a bundle if there are none.
    pub(in crate::cli) fn forms(formats: &[Self]) -> Forms {
        let mut names = formats.iter().flat_map(|format| format.names().iter().copied());
        let first = Forms::of(names.next().unwrap_or(FormName::SigstoreBundle));
        names.fold(first, Forms::and)
    }

    /// The formats of attestations that are asked for beside image signatures in `formats`: all but the notary formats.
    /// `None` if there are no others.
    pub(in crate::cli) fn attestation_forms(formats: &[Self]) -> Option<Forms> {
        let names = formats.iter().flat_map(|format| format.names().iter().copied());
        let of_attestation = |name| match name {
            FormName::NotaryCose | FormName::NotaryJws => None,
            FormName::SimpleSigning => Some(FormName::Dsse),
            other => Some(other),
        };
        let mut names = names.filter_map(of_attestation);
        let first = Forms::of(names.next()?);
        Some(names.fold(first, Forms::and))
    }

    const fn names(self) -> &'static [FormName] {
        match self {
            Self::Both => &[FormName::SigstoreBundle, FormName::SimpleSigning],
            Self::Bundle => &[FormName::SigstoreBundle],
            Self::NotaryCose => &[FormName::NotaryCose],
            Self::NotaryJws => &[FormName::NotaryJws],
            Self::Tag => &[FormName::SimpleSigning],
        }
    }
}

impl From<NotaryManifestArg> for NotaryManifest {
    fn from(form: NotaryManifestArg) -> Self {
        match form {
            NotaryManifestArg::Legacy => Self::Legacy,
            NotaryManifestArg::V1_1 => Self::V1_1,
        }
    }
}
