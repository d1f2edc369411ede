//! Files that commands read and write: read within bounds, written whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::digest::hex;
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

/// The value of a variable of the environment, byte for byte; nothing where it is not set.
pub(super) fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    let value = std::env::var_os(name)?;
    #[cfg(unix)]
    return Some(Zeroizing::new(std::os::unix::ffi::OsStringExt::into_vec(value)));
    #[cfg(not(unix))]
    return Some(Zeroizing::new(value.into_encoded_bytes()));
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
    let mut temporary = Temporary::create(path)?;
    temporary.file.write_all(bytes).and_then(|()| temporary.file.sync_all()).map_err(told)?;
    fs::rename(&temporary.path, path).map_err(told)
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

/// Whether two paths lead to one file, or would if it were there.
pub(super) fn are_same(one: &Path, other: &Path) -> bool {
    match (identity(one), identity(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => place(one) == place(other),
        _ => false,
    }
}

/// Where a file is that is not there yet.
fn place(path: &Path) -> Option<(PathBuf, OsString)> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    Some((parent.canonicalize().ok()?, path.file_name()?.to_owned()))
}

/// What tells a file that is there from every other, by whatever name.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Holds a file that is replaced as it grows, for one process: two would each write without what the other has added.
pub(super) struct Lock {
    _file: File,
    path: PathBuf,
}

impl Lock {
    /// A lock on the file at `path`, which need not be there.
    pub(super) fn on(path: &Path) -> Result<Self, Failure> {
        let lock = beside(path, ".lock")?;
        let told = |error| told(path, &error);
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&lock).map_err(told)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::unknown(format!("{}: another process is writing to it", path.display())));
                }
                Err(TryLockError::Error(error)) => return Err(told(error)),
            }
            // Who held it before may have taken its name away: then this is a lock on nothing.
            if is_at(&file, &lock) {
                return Ok(Self { _file: file, path: lock });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    file.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino())) == identity(path)
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// A hidden name beside `path`.
fn beside(path: &Path, end: &str) -> Result<PathBuf, Failure> {
    match path.file_name() {
        Some(name) if !path.is_dir() => Ok(path.with_file_name(format!(".{}{end}", name.to_string_lossy()))),
        _ => Err(Failure::unknown(format!("{}: it is a directory, wanted a file", path.display()))),
    }
}

/// A file beside the one that is meant, which goes away again unless it is renamed. It is written through the handle that
/// made it: whoever puts another in its place has the name, not the bytes.
struct Temporary {
    file: File,
    path: PathBuf,
}

impl Temporary {
    fn create(path: &Path) -> Result<Self, Failure> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::unknown(format!("the system gives no random bytes: {error}")))?;
        let temporary = beside(path, &format!(".{}", hex(&random)))?;
        let file =
            OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(|error| told(path, &error))?;
        Ok(Self { file, path: temporary })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever may write to the folder can put a link where the temporary file was: it is not followed.
    #[cfg(unix)]
    #[test]
    fn a_temporary_file_is_written_by_its_handle() {
        let dir = tempfile::tempdir().unwrap();
        let (meant, victim) = (dir.path().join("meant"), dir.path().join("victim"));
        fs::write(&victim, "untouched").unwrap();
        let mut temporary = Temporary::create(&meant).unwrap();
        fs::remove_file(&temporary.path).unwrap();
        std::os::unix::fs::symlink(&victim, &temporary.path).unwrap();
        temporary.file.write_all(b"redirected").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        // Nor can its name be guessed.
        let other = Temporary::create(&meant).unwrap();
        assert_ne!(other.path, temporary.path);
        drop((temporary, other));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_lock_is_for_one_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("response");
        let lock = Lock::on(&path).unwrap();
        assert!(Lock::on(&path).is_err_and(|failure| failure.message.contains("another process")));
        drop(lock);
        drop(Lock::on(&path).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
