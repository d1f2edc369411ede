//! `PolicyFiles`: the files that a policy file names, read by the layer that may touch files.

use crate::digest::Digest;
use crate::text::Untrusted;

/// The files beside a policy file.
pub trait PolicyFiles {
    /// The bytes of the file at `path`: a path relative to the directory of the policy file, with `/` between its
    /// segments, none of them empty, `.` or `..`. Links are not followed, also not those of directories on the way.
    ///
    /// # Errors
    /// [`PolicyFilesError`], also for a file of more than `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, PolicyFilesError>;
}

/// Why a file beside a policy file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFilesError {
    /// There is no such file.
    #[error("no such file")]
    Absent,
    /// An error of the operating system, or of another kind of store.
    #[error("{0}")]
    Failed(Untrusted),
    /// It is not a regular file, or a link stands on the way to it.
    #[error("it is {0}, not a regular file")]
    NotAFile(&'static str),
    /// It is not a path below the directory of the policy file.
    #[error("it is not a path below the directory of the policy file")]
    Path,
    /// It is larger than the limit.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

/// A file that a policy names, and its digest: part of reports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LoadedFile {
    /// The path, as the policy has it.
    pub path: String,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// Whether `path` leads below the directory that it starts from, and not by way of another one.
pub fn is_below(path: &str) -> bool {
    let segment = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains(['\\', ':', '\0']);
    path.split('/').all(segment)
}
