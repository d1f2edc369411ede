//! Files, locks and temporary files at paths where others may write: opened, read, locked and written in one place.
//!
//! The invariant: only a regular file (or a pipe, if the caller accepts one) is read, up to a given length; a file that
//! is written has a temporary name until it is complete; and nothing is written through a link, into a pipe or a
//! device, or into a file that has another hard link.

mod append;
mod directory;
mod error;
mod lock;
mod read;
mod same;
mod temporary;
mod undo;
mod write;

pub use append::append;
pub use directory::DirectoryError;
pub use directory::check_directory;
pub use directory::read_regular;
pub use directory::regular_files;
pub use error::FileError;
pub use lock::Contended;
pub use lock::Lock;
pub use read::Accept;
pub use read::Input;
pub use read::mode_for_others;
pub use read::open;
pub use read::read;
pub use read::read_secret;
pub use read::regular;
pub(crate) use same::are_one;
pub use same::are_same;
pub use temporary::Overwrite;
pub use temporary::Temporary;
pub use temporary::TemporaryPath;
pub use temporary::is_temporary;
pub use temporary::remove_leftovers;
pub use undo::Uncommitted;
pub use undo::before_unfinished;
pub use undo::undo_all;
pub use undo::undo_on_panic;
pub use write::check_target;
pub use write::replace_together;
pub use write::sync_directory;
pub use write::write;
pub(crate) use write::write_each;
pub use write::write_together;
