//! Directories whose files are all read: every entry is a regular file, and links are refused.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use crate::files::FileError;
use crate::files::read::failed;
use crate::files::read::not_a_file;
use crate::files::regular;

/// Why a directory was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The directory, or a file in it.
    #[error(transparent)]
    File(#[from] FileError),
    /// A link or a file, where only a directory is accepted.
    #[error("{}: it is {found}, not a directory", path.display())]
    NotADirectory {
        /// The type of file that was found.
        found: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// It has more files than the limit.
    #[error("{}: it has more than {limit} files", path.display())]
    TooManyFiles {
        /// The limit, in files.
        limit: usize,
        /// The path.
        path: PathBuf,
    },
}

/// Checks that `path` is a directory, and not a link to one.
///
/// # Errors
/// [`DirectoryError::NotADirectory`], and [`DirectoryError::File`] if it cannot be looked at.
pub fn check_directory(path: &Path) -> Result<(), DirectoryError> {
    match fs::symlink_metadata(path).map_err(failed(path))?.file_type() {
        found if found.is_dir() => Ok(()),
        found if found.is_symlink() => {
            Err(DirectoryError::NotADirectory { found: "a symbolic link", path: path.to_owned() })
        }
        _ => Err(DirectoryError::NotADirectory { found: "a file", path: path.to_owned() }),
    }
}

/// The files in the directory `path`, at most `most`, in the order of their names. Each must be a regular file: a link
/// or a directory among them is an error.
///
/// # Errors
/// [`DirectoryError`].
pub fn regular_files(path: &Path, most: usize) -> Result<Vec<PathBuf>, DirectoryError> {
    check_directory(path)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed(path))? {
        let entry = entry.map_err(failed(path))?;
        let file = entry.path();
        let found = entry.file_type().map_err(failed(&file))?;
        if !found.is_file() {
            return Err(not_a_file(&file, found).into());
        }
        if files.len() == most {
            return Err(DirectoryError::TooManyFiles { limit: most, path: path.to_owned() });
        }
        files.push(file);
    }
    files.sort();
    Ok(files)
}

/// Reads the regular file at `path`, of at most `limit` bytes. A link at the end of the path is refused.
///
/// # Errors
/// [`FileError`], also if nothing is there.
pub fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let too_large = || FileError::TooLarge { limit, path: path.to_owned() };
    // The words of the operating system for a file that is not there.
    let absent = || failed(path)(rustix::io::Errno::NOENT.into());
    let (file, length) = regular(path)?.ok_or_else(absent)?;
    if length > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed(path))?;
    match u64::try_from(read) {
        Ok(read) if read <= limit => Ok(bytes),
        _ => Err(too_large()),
    }
}
