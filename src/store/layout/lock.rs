//! `Lock`: one writer at a time; the system lets go of it when the process ends, however it ends.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::StoreError;
use crate::store::layout::same_file;
use crate::store::local::place::at;

/// The name of the file in a directory that is locked. It is there only while somebody writes.
pub(crate) const LOCK: &str = ".bulla.lock";

/// The right to write into a directory or to replace a file, until it is dropped.
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock at `path`, for writing to `place`; another process is waited for, ten seconds at most.
    pub(crate) fn take(path: PathBuf, place: &Path) -> Result<Self, StoreError> {
        for _ in 0..ATTEMPTS {
            let mut file = open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    // Ours from here on, so that it also goes where there is no room for what is written into it.
                    let mut lock = Self { file, path };
                    let written = lock.file.set_len(0).and_then(|()| writeln!(lock.file, "{}", std::process::id()));
                    written.map_err(at(&lock.path))?;
                    return Ok(lock);
                }
                // Whoever had it took the file away before we got it: what we have locked is nobody's lock.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if owner(&mut file) == Some(std::process::id()) => break,
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
            }
        }
        let owner = open(&path).ok().and_then(|mut file| owner(&mut file));
        let who = owner.map_or_else(|| "another process".to_owned(), |owner| format!("process {owner}"));
        Err(StoreError::Busy { place: place.display().to_string(), why: format!("{who} is writing to it") })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is still locked: nobody can hold the same file afterwards and believe it is the lock.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let options = |create: bool| OpenOptions::new().read(true).write(true).create_new(create).open(path);
    match options(true) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map_err(at(path)),
    }
    // HA-59: nobody makes us write through a link.
    match fs::symlink_metadata(path) {
        Ok(seen) if !seen.is_file() => Err(super::broken(path, "it is not a regular file")),
        Ok(_) => options(false).map_err(at(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => options(true).map_err(at(path)),
        Err(error) => Err(at(path)(error)),
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let there = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    there.zip(file.metadata().ok()).is_some_and(|(there, ours)| same_file(&there, &ours))
}

fn owner(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

const ATTEMPTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
