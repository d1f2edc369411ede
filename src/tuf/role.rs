//! `TufRole`: the top-level roles.

use std::fmt;

/// A top-level role of a TUF repository (specification section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TufRole {
    /// Says whose keys the roles have.
    Root,
    /// Says which version of each metadata file is the current one.
    Snapshot,
    /// Says which files there are.
    Targets,
    /// Says which snapshot is the current one.
    Timestamp,
}

impl TufRole {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Root, Self::Snapshot, Self::Targets, Self::Timestamp];

    /// Its name in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
            Self::Timestamp => "timestamp",
        }
    }
}

impl fmt::Display for TufRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
