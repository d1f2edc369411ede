//! Files that commands read and write: read within bounds, written whole or not at all.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::key::file::Overwrite;

use super::Failure;

/// The bytes of a file that has at most `limit`.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let told = |error| told(path, &error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(told)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(told)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        _ => Err(Failure::unknown(format!("{}: it has more than {limit} bytes", path.display()))),
    }
}

/// The bytes of a file that may not be there.
pub(super) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read(path, limit).map(Some),
    }
}

/// Writes a file for everybody to read: complete under another name and on the disk before it gets its own.
pub(super) fn write(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), Failure> {
    vacant(path, overwrite)?;
    let told = |error| told(path, &error);
    let temporary = Temporary::create(path)?;
    temporary.file().and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(told)?;
    fs::rename(&temporary.0, path).map_err(told)
}

/// Refuses, before any work is done for it, a file that could not be written in the end.
pub(super) fn writable(path: &Path, overwrite: Overwrite) -> Result<(), Failure> {
    vacant(path, overwrite)?;
    Temporary::create(path).map(drop)
}

fn vacant(path: &Path, overwrite: Overwrite) -> Result<(), Failure> {
    match overwrite == Overwrite::Refuse && path.symlink_metadata().is_ok() {
        true => Err(Failure::unknown(format!("{} is there already; nothing was written", path.display()))
            .hint("choose another name with -o FILE, or give --overwrite")),
        false => Ok(()),
    }
}

fn told(path: &Path, error: &io::Error) -> Failure {
    Failure::unknown(format!("{}: {error}", path.display()))
}

/// A file beside the one that is meant, which goes away again unless it is renamed.
struct Temporary(PathBuf);

impl Temporary {
    fn create(path: &Path) -> Result<Self, Failure> {
        let Some(name) = path.file_name() else {
            return Err(Failure::unknown(format!("{}: it is a directory, wanted a file", path.display())));
        };
        if path.is_dir() {
            return Err(Failure::unknown(format!("{}: it is a directory, wanted a file", path.display())));
        }
        let name = format!(".{}.{}", name.to_string_lossy(), std::process::id());
        let temporary = Self(path.with_file_name(name));
        // Left behind by a process of the same number that was killed.
        let _ = fs::remove_file(&temporary.0);
        OpenOptions::new().write(true).create_new(true).open(&temporary.0).map_err(|error| told(path, &error))?;
        Ok(temporary)
    }

    fn file(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(&self.0)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
