//! `Lock`: a lock file (advisory lock) for one writer at a time. The system releases it when the process ends for any
//! reason.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Read;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::files::FileError;
use crate::files::Uncommitted;
use crate::files::read;

/// The behaviour if another process holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contended {
    /// Fail at once.
    Fail,
    /// Wait for it, ten seconds at most.
    Wait,
}

/// The exclusive right to write to a directory or to replace a file, until it is dropped.
///
/// The lock file exists only during a write. Another user of the directory could put something else at its path, so it
/// is accepted only if it is a regular file without another hard link that holds nothing but a process id.
pub struct Lock {
    // Dropped first: the file is removed while it is still locked, so no other process can hold a removed lock file.
    _new: Uncommitted,
    file: File,
}

impl Lock {
    /// Takes the lock file at `path`; an error names `place`, which it protects.
    ///
    /// # Errors
    /// [`FileError::Busy`] where another process holds it; [`FileError::NotAFile`], [`FileError::NotALock`] or
    /// [`FileError::Shared`] where something else is at `path`.
    pub fn take(path: &Path, place: &Path, contended: Contended) -> Result<Self, FileError> {
        let attempts = if contended == Contended::Wait { ATTEMPTS } else { 2 };
        for attempt in 1..=attempts {
            let (mut file, new) = open(path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    // From here on the file is also removed on an error, such as a full disk.
                    let mut lock = Self { _new: new.unwrap_or_else(|| Uncommitted::lock(path)), file };
                    let written = lock.file.set_len(0).and_then(|()| writeln!(lock.file, "{}", std::process::id()));
                    written.map_err(written_to(path))?;
                    return Ok(lock);
                }
                // The former holder removed the file before we locked it: the lock is void.
                Ok(()) => new.into_iter().for_each(Uncommitted::keep),
                Err(TryLockError::WouldBlock) if owner(&mut file) == Some(std::process::id()) => break,
                // This may also be the file that we have just made: another process locked it first.
                Err(TryLockError::WouldBlock) => {
                    new.into_iter().for_each(Uncommitted::keep);
                    if attempt < attempts {
                        std::thread::sleep(PAUSE);
                    }
                }
                Err(TryLockError::Error(error)) => return Err(written_to(path)(error)),
            }
        }
        let owner = open_existing(path).ok().flatten().and_then(|mut file| owner(&mut file));
        Err(FileError::Busy { owner, path: place.to_owned() })
    }

    /// Takes the lock for replacing the file at `target`: the hidden file `.NAME` and `end` beside it.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn beside(target: &Path, end: &str, contended: Contended) -> Result<Self, FileError> {
        Self::take(&beside(target, end)?, target, contended)
    }
}

/// The path of the hidden file `.NAME` and `end` beside `path`.
pub(super) fn beside(path: &Path, end: &str) -> Result<PathBuf, FileError> {
    let Some(name) = path.file_name() else {
        return Err(FileError::NotAFile { found: "a directory", path: path.to_owned() });
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(end);
    Ok(path.with_file_name(hidden))
}

/// Opens or creates the lock file at `path`, without locking it; returns the file as [`Uncommitted`] too if it was
/// created.
fn open(path: &Path) -> Result<(File, Option<Uncommitted>), FileError> {
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        let create = || OpenOptions::new().read(true).write(true).create_new(true).open(path);
        match Uncommitted::create_lock(path, create) {
            Ok((file, new)) => return Ok((file, Some(new))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(written_to(path)(error)),
        }
        if let Some(file) = open_existing(path)? {
            return Ok((file, None));
        }
    }
    Err(FileError::Busy { owner: None, path: path.to_owned() })
}

/// Opens the existing lock file at `path`; `None` if no such file exists. Follows no link.
///
/// # Errors
/// [`FileError`] where it is not a regular file, has another hard link, or holds anything but a process id.
fn open_existing(path: &Path) -> Result<Option<File>, FileError> {
    match fs::symlink_metadata(path) {
        Ok(seen) if !seen.is_file() => return Err(read::not_a_file(path, seen.file_type())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(written_to(path)(error)),
    }
    let file = match open_own(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(written_to(path))?,
    };
    // The former holder may have removed it since: then it has no name, which is not an error.
    let mut file = refuse_hard_links(file, path)?;
    match is_lock(&mut file).map_err(written_to(path))? {
        true => Ok(Some(file)),
        false => Err(FileError::NotALock { path: path.to_owned() }),
    }
}

/// Refuses a file that has another hard link: a write to it would appear elsewhere.
pub(super) fn refuse_hard_links(file: File, path: &Path) -> Result<File, FileError> {
    let opened = file.metadata().map_err(written_to(path))?;
    if !opened.is_file() {
        return Err(read::not_a_file(path, opened.file_type()));
    }
    if read::has_hard_links(&opened) {
        return Err(FileError::Shared { path: path.to_owned() });
    }
    Ok(file)
}

#[cfg(unix)]
fn open_own(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    read::open_with(path, OFlags::RDWR | OFlags::NOFOLLOW)
}

#[cfg(not(unix))]
fn open_own(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

pub(super) fn written_to(path: &Path) -> impl Fn(io::Error) -> FileError {
    |error| FileError::Io { action: "written", error, path: path.to_owned() }
}

/// Whether the open file is still the one at `path`.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let there = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    there.zip(file.metadata().ok()).is_some_and(|(there, ours)| read::same_file(&there, &ours))
}

/// Whether a file is empty or holds a process id.
fn is_lock(file: &mut File) -> io::Result<bool> {
    let mut text = Vec::new();
    Read::by_ref(file).take(MAX_BYTES + 1).read_to_end(&mut text)?;
    file.rewind()?;
    let short = u64::try_from(text.len()).is_ok_and(|length| length <= MAX_BYTES);
    Ok(short && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'\n'))
}

fn owner(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

const ATTEMPTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
/// The longest content of a lock file, in bytes.
const MAX_BYTES: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_for_one_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("response");
        let take = || Lock::beside(&path, ".lock", Contended::Fail);
        let lock = take().unwrap();
        let error = take().err().unwrap();
        assert!(matches!(error, FileError::Busy { owner: Some(id), .. } if id == std::process::id()), "{error}");
        drop(lock);
        drop(take().unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_at_the_place_of_a_lock_is_not_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let (victim, lock) = (directory.path().join("victim"), directory.path().join(".it.lock"));
        let take = || Lock::beside(&directory.path().join("it"), ".lock", Contended::Wait);
        let absent = directory.path().join("absent");
        std::os::unix::fs::symlink(&absent, &lock).unwrap();
        assert!(take().err().unwrap().to_string().contains("a symbolic link"));
        assert!(!absent.exists());
        fs::remove_file(&lock).unwrap();
        // A link is refused even if the content behind it would pass.
        for content in ["precious", "12\n", ""] {
            fs::write(&victim, content).unwrap();
            fs::hard_link(&victim, &lock).unwrap();
            assert!(take().err().unwrap().to_string().contains("a hard link"));
            assert_eq!(fs::read_to_string(&victim).unwrap(), content);
            fs::remove_file(&lock).unwrap();
        }
        fs::rename(&victim, &lock).unwrap();
        fs::write(&lock, "precious").unwrap();
        assert!(take().err().unwrap().to_string().contains("the name of a lock"));
        assert_eq!(fs::read_to_string(&lock).unwrap(), "precious");
        fs::remove_file(&lock).unwrap();
        #[cfg(target_os = "linux")]
        {
            rustix::fs::mkfifoat(rustix::fs::CWD, &lock, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
            assert!(take().err().unwrap().to_string().contains("a pipe"));
            fs::remove_file(&lock).unwrap();
        }
        // A lock file that a killed process left is taken over.
        fs::write(&lock, "4194305\n").unwrap();
        drop(take().unwrap());
        assert!(!lock.exists());
    }
}
