//! The words of the policy language: closed sets of values, each an enum.

use crate::trust::SigningTimeRule;

/// A closed set of words that a field takes.
pub(crate) trait Word: Copy + Sized + 'static {
    /// Every word with its value.
    const ALL: &'static [(&'static str, Self)];
}

impl Word for SigningTimeRule {
    const ALL: &'static [(&'static str, Self)] =
        &[("verified", Self::Verified), ("present-if-missing", Self::PresentIfMissing)];
}

/// Defines an enum whose variants are words of the language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            /// The word in a policy file.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Word for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)+];
        }
    };
}

words! {
    /// What of an image statements must be about (`about`).
    AboutWord {
        /// The index, and each platform manifest.
        Both = "both",
        /// For each platform, its manifest or the index. The default.
        Either = "either",
        /// The index.
        Index = "index",
        /// The manifest that the reference resolves to, index or not.
        Named = "named",
        /// Each platform manifest.
        Platforms = "platforms",
    }
}

words! {
    /// A result of a test that is accepted (`accept`).
    AcceptedTestResult {
        /// Everything passed. The default, alone.
        Passed = "passed",
        /// Passed with warnings.
        Warned = "warned",
    }
}

words! {
    /// Which findings of a scan count (`count`).
    CountedFindings {
        /// All. The default.
        All = "all",
        /// Those with a fix, and those that do not say whether they have one.
        Fixable = "fixable",
    }
}

words! {
    /// The highest severity of a finding that is allowed (`highest-allowed`), the lowest first.
    HighestAllowed {
        /// No finding at all.
        None = "none",
        /// Negligible.
        Negligible = "negligible",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Critical: every finding is allowed, but a scan must exist.
        Critical = "critical",
    }
}

words! {
    /// Where provenance may stand (`from`).
    ProvenanceFrom {
        /// In a signed attestation. The default, alone.
        Attestation = "attestation",
        /// In an attestation manifest of BuildKit, unsigned, in an index that is signed.
        SignedIndex = "signed-index",
    }
}

words! {
    /// What a certificate or a signature must have (`revocation`, `timestamps`).
    RequiredWord {
        /// Each must have it.
        Required = "required",
    }
}

words! {
    /// A kind of requirement, as `waives` names it.
    RequirementWord {
        /// An image signature with annotations.
        Annotation = "annotation",
        /// SLSA provenance.
        Provenance = "provenance",
        /// A software bill of materials.
        Sbom = "sbom",
        /// A vulnerability scan.
        Scan = "scan",
        /// An image signature.
        Signature = "signature",
        /// An attestation with any predicate.
        Statement = "statement",
        /// A test result.
        Test = "test",
        /// A verification summary attestation.
        Vsa = "vsa",
    }
}

words! {
    /// A format of a software bill of materials (`formats`).
    SbomFormatWord {
        /// CycloneDX.
        CycloneDx = "cyclonedx",
        /// SPDX.
        Spdx = "spdx",
    }
}

words! {
    /// What the tag of the signed reference must be (`signed-tag`).
    SignedTag {
        /// The tag that was asked for.
        Same = "same",
    }
}

words! {
    /// Which time decides how old a document is (`time`).
    TimeWord {
        /// The earlier of the document's own time and a trusted upper bound of the signing time. The default.
        Stated = "stated",
        /// A trusted upper bound of the signing time: a log or a timestamp authority vouches for it.
        Trusted = "trusted",
    }
}

words! {
    /// Whether a verification summary counts that was made with exceptions (`exceptions` of `vsa`).
    VsaExceptions {
        /// It counts.
        Accept = "accept",
        /// It does not. The default.
        Refuse = "refuse",
    }
}
