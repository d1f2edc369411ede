//! `RepositorySource`: where the files of a repository are read.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::digest::Digest;

/// A file of a repository. Its name is made of numbers, digests and checked names alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepositoryFile {
    /// A metadata file: its version, if it is a part of its name, and its role.
    Metadata {
        /// The role.
        role: &'static str,
        /// The version.
        version: Option<NonZeroU64>,
    },
    /// A target file: its digest, if that is a part of its name, and its name, which has no path separator.
    Target {
        /// The digest.
        digest: Option<Digest>,
        /// The name.
        name: String,
    },
}

/// Why a file that is there cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryFileError {
    /// It has more bytes than allowed.
    #[error("more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: u64,
    },
    /// Reading fails.
    #[error("{0}")]
    Unreadable(Arc<dyn Error + Send + Sync>),
}

/// Where the files of a repository are read: a mirrored directory, for example.
pub trait RepositorySource {
    /// The content of a file of at most `limit` bytes; `None` if there is no such file.
    ///
    /// # Errors
    /// [`RepositoryFileError`]; a file that is longer is never cut.
    fn read(&self, file: &RepositoryFile, limit: u64) -> Result<Option<Vec<u8>>, RepositoryFileError>;
}

impl RepositoryFile {
    /// Its name within the folder of metadata files, or of target files (specification sections 3.1 and 6.2).
    pub fn name(&self) -> String {
        match self {
            Self::Metadata { role, version: Some(version) } => format!("{version}.{role}.json"),
            Self::Metadata { role, version: None } => format!("{role}.json"),
            Self::Target { digest: Some(digest), name } => format!("{}.{name}", digest.hex()),
            Self::Target { digest: None, name } => name.clone(),
        }
    }
}

impl fmt::Display for RepositoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
