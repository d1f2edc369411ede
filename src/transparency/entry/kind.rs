//! `EntryKind`: the kinds and versions of log entries that are supported.

use std::fmt;

use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;

/// A kind of log entry, with its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// `dsse` 0.0.1, Rekor v1.
    DsseV001,
    /// `hashedrekord` 0.0.1, Rekor v1.
    HashedRekordV001,
    /// `hashedrekord` 0.0.2, the only one of Rekor v2.
    HashedRekordV002,
    /// `intoto` 0.0.1, Rekor v1: it has the hash of the envelope, not the signature.
    IntotoV001,
    /// `intoto` 0.0.2, Rekor v1.
    IntotoV002,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::DsseV001, Self::HashedRekordV001, Self::HashedRekordV002, Self::IntotoV001, Self::IntotoV002];

    /// The name of the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DsseV001 => "dsse",
            Self::HashedRekordV001 | Self::HashedRekordV002 => "hashedrekord",
            Self::IntotoV001 | Self::IntotoV002 => "intoto",
        }
    }

    /// The version of the kind.
    pub const fn version(self) -> &'static str {
        match self {
            Self::DsseV001 | Self::HashedRekordV001 | Self::IntotoV001 => "0.0.1",
            Self::HashedRekordV002 | Self::IntotoV002 => "0.0.2",
        }
    }

    /// Whether entries of this kind are those of Rekor v2: without a time and a signed entry timestamp.
    pub const fn is_rekor_v2(self) -> bool {
        matches!(self, Self::HashedRekordV002)
    }

    /// The kind of this name and version.
    pub(super) fn of(name: &str, version: &str) -> Result<Self, TransparencyError> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name && kind.version() == version);
        let unknown = || TransparencyError::refused(TransparencyRule::EntryKind).by(format_args!("{name} {version}"));
        known.ok_or_else(unknown)
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.version())
    }
}
