//! The value of `--format`: the signature formats to write.

use clap::ValueEnum;

use bulla::envelope::FormName;
use bulla::envelope::Forms;

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

impl SignFormat {
    /// The formats of an image signature.
    pub(in crate::cli) fn signature(self) -> Forms {
        self.forms(FormName::SimpleSigning)
    }

    /// The formats of an attestation.
    pub(in crate::cli) fn attestation(self) -> Forms {
        self.forms(FormName::Dsse)
    }

    fn forms(self, at_tag: FormName) -> Forms {
        match self {
            Self::Both => Forms::of(FormName::SigstoreBundle).and(at_tag),
            Self::Bundle => Forms::of(FormName::SigstoreBundle),
            Self::Tag => Forms::of(at_tag),
        }
    }
}
