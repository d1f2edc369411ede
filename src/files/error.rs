//! `FileError`: why a file was not opened, read, locked or written.

use std::io;
use std::path::PathBuf;

/// Why a file was not opened, read, locked or written. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another process holds the lock.
    #[error("{}: {} is writing to it", path.display(), owner.map_or_else(|| "another process".to_owned(), |id| format!("process {id}")))]
    Busy {
        /// The process that holds the lock, if the lock file names it.
        owner: Option<u32>,
        /// The file or directory that the lock protects.
        path: PathBuf,
    },
    /// A file exists already and must not be replaced.
    #[error("{} is there already; nothing was written", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// An error of the operating system.
    #[error("{}: {error}", path.display())]
    Io {
        /// `read` or `written`.
        action: &'static str,
        /// The error of the operating system.
        error: io::Error,
        /// The path.
        path: PathBuf,
    },
    /// A link, a directory, a device or a pipe, where only a regular file is accepted.
    #[error("{}: it is {found}, not a regular file", path.display())]
    NotAFile {
        /// The type of file that was found.
        found: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// The file at the path of a lock is not a lock file.
    #[error("{}: it has the name of a lock and is not a lock of bulla; remove it if nobody needs it", path.display())]
    NotALock {
        /// The path.
        path: PathBuf,
    },
    /// The operating system returned no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The file has another hard link, so a write to it would appear elsewhere.
    #[error("{}: it has a second name (a hard link), under which writing to it would show as well", path.display())]
    Shared {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than the limit.
    #[error("{}: it has more than {limit} bytes", path.display())]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
        /// The path.
        path: PathBuf,
    },
}
