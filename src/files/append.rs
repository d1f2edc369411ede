//! Appending: an append-only file, locked by one process.

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;

use crate::files::FileError;
use crate::files::lock;
use crate::files::read;
use crate::files::write::sync_parent;

/// Opens the file at `path` for reading and appending, and locks it exclusively. Creates it if it does not exist.
///
/// # Errors
/// [`FileError::NotAFile`] if a link, a pipe or a device is at `path`; [`FileError::Shared`] if the file has another
/// hard link; [`FileError::Busy`] if another process has locked it.
pub fn append(path: &Path) -> Result<File, FileError> {
    let written = lock::written_to(path);
    let file = match open_new(path) {
        Ok(file) => {
            sync_parent(path);
            file
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let seen = fs::symlink_metadata(path).map_err(&written)?;
            if !seen.is_file() {
                return Err(read::not_a_file(path, seen.file_type()));
            }
            lock::refuse_hard_links(open_old(path).map_err(&written)?, path)?
        }
        Err(error) => return Err(written(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FileError::Busy { owner: None, path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(written(error)),
    }
}

fn open_new(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().read(true).append(true).create_new(true).open(path)
}

#[cfg(unix)]
fn open_old(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    read::open_with(path, OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW)
}

#[cfg(not(unix))]
fn open_old(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().read(true).append(true).open(path)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn only_a_file_of_one_name_is_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let mut log = append(&at("log")).unwrap();
        log.write_all(b"one\n").unwrap();
        assert!(matches!(append(&at("log")), Err(FileError::Busy { .. })));
        drop(log);
        append(&at("log")).unwrap().write_all(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(at("log")).unwrap(), "one\ntwo\n");
        fs::hard_link(at("log"), at("hard")).unwrap();
        std::os::unix::fs::symlink(at("absent"), at("soft")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        for name in ["hard", "log", "soft", "pipe"] {
            let refused = append(&at(name)).unwrap_err();
            assert!(matches!(refused, FileError::NotAFile { .. } | FileError::Shared { .. }), "{name}: {refused}");
        }
        assert!(!at("absent").exists());
    }
}
