//! `About`: which manifests of an image the statements of a requirement must be about.

use std::fmt;

/// Which manifests of an image the statements of a requirement must be about: the index, or the manifest of each
/// platform. A statement counts only for the manifest that its subject names (in-toto Statement, `subject`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum About {
    /// The index alone, and the manifest of each platform alone: the requirement has to be met for each of them.
    Both,
    /// For each platform its manifest or the index: the statements about both count together.
    #[default]
    Either,
    /// The index.
    Index,
    /// The manifest that the reference resolves to, be it an index or a single manifest, and nothing below or above it: what
    /// `verify --key` verifies.
    Named,
    /// The manifest of each platform.
    Platforms,
}

impl About {
    /// Whether statements about the index count.
    pub const fn reads_index(self) -> bool {
        !matches!(self, Self::Platforms)
    }

    /// Whether statements about the manifests of platforms count.
    pub const fn reads_platforms(self) -> bool {
        !matches!(self, Self::Index | Self::Named)
    }

    /// Its name in policies and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Either => "either",
            Self::Index => "index",
            Self::Named => "named",
            Self::Platforms => "platforms",
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
