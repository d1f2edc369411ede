//! `FileError`: why a file was not opened, read, locked or written.

use std::io;
use std::path::PathBuf;

/// Why a file was not opened, read, locked or written; then nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another process holds the lock.
    #[error("{}: {} is writing to it", path.display(), owner.map_or_else(|| "another process".to_owned(), |id| format!("process {id}")))]
    Busy {
        /// The process that holds it, where it says so.
        owner: Option<u32>,
        /// What is being written.
        path: PathBuf,
    },
    /// There is a file already, and nobody said to replace it.
    #[error("{} is there already; nothing was written", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// `read` or `written`.
        action: &'static str,
        /// What the system says.
        error: io::Error,
        /// Where.
        path: PathBuf,
    },
    /// A link, a directory, a device, a pipe: not a file that is read or written here.
    #[error("{}: it is {found}, not a regular file", path.display())]
    NotAFile {
        /// What it is.
        found: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// Something else than a lock has the name of a lock.
    #[error("{}: it has the name of a lock and is none of bulla's; remove it if nobody needs it", path.display())]
    NotALock {
        /// Where.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// A file that is to be written into has a second name.
    #[error("{}: it has a second name (a hard link), under which writing to it would show as well", path.display())]
    Shared {
        /// Where.
        path: PathBuf,
    },
    /// More than may be read.
    #[error("{}: it has more than {limit} bytes", path.display())]
    TooLarge {
        /// How many bytes may be read.
        limit: u64,
        /// Where.
        path: PathBuf,
    },
}
