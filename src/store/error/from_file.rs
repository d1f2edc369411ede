//! The error of a store for an error of a file.

use std::io;
use std::path::Path;

use crate::files::FileError;

use super::BrokenReason;
use super::BusyFault;
use super::PathFault;
use super::StoreError;

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        let broken =
            |path: &Path, fault| Self::Broken { place: path.display().to_string(), reason: BrokenReason::Path(fault) };
        match error {
            FileError::Busy { owner, path } => {
                Self::Busy { place: path.display().to_string(), reason: BusyFault::Process(owner) }
            }
            FileError::Exists { path } => broken(&path, PathFault::Exists),
            FileError::Io { error, path, .. } => Self::io(path.display(), error),
            FileError::NotAFile { found, path } => broken(&path, PathFault::NotAFile(found)),
            FileError::NotALock { path } => broken(&path, PathFault::NotALock),
            FileError::Random(error) => Self::io("random bytes", io::Error::other(error.to_string())),
            FileError::Shared { path } => broken(&path, PathFault::HardLink),
            FileError::TooLarge { limit, path } => Self::TooLarge { what: path.display().to_string(), limit },
        }
    }
}
