//! `Temporary`: a temporary file beside its final name, which is either renamed in one atomic step or removed.
//!
//! The `tempfile` crate also makes and renames such files. It is not used, because two guarantees need more: a signal
//! removes unfinished files, and a rename takes several files off that list in the same step ([`undo`]); and a file
//! that a killed process left is recognized by its name and by its free lock, and removed.

use std::ffi::OsStr;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::digest;
use crate::digest::Digest;
use crate::files::FileError;
use crate::files::Uncommitted;
use crate::files::lock;
use crate::files::read;
use crate::files::undo;

/// Whether an existing file may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// The existing file stays, and the new one is not written.
    Refuse,
    /// The new file takes its place in one step.
    Replace,
}

/// A new file, written through the handle that created it, so that a file put in its place receives no bytes.
#[derive(Debug)]
pub struct Temporary {
    /// The open file, for reading and writing.
    pub file: File,
    /// Its path.
    pub path: TemporaryPath,
}

/// The path of a temporary file. The file is removed when this is dropped or the process is interrupted, unless it was
/// renamed.
#[derive(Debug)]
pub struct TemporaryPath(Uncommitted);

impl Temporary {
    /// Creates a file in `parent` whose name begins with `prefix`. The caller must hold the lock for all such names, so
    /// that existing ones are leftovers of killed processes (see [`remove_leftovers`]).
    ///
    /// # Errors
    /// [`FileError`].
    pub fn locked(parent: &Path, prefix: &str) -> Result<Self, FileError> {
        Self::create(parent, OsStr::new(prefix), READABLE, parent)
    }

    /// Creates a file that is going to be renamed to `target`, with the permissions `mode` less the umask, and locks
    /// it. Removes leftovers of killed processes for the same target: a living process holds the lock on its file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn beside(target: &Path, mode: u32) -> Result<Self, FileError> {
        let Some(name) = target.file_name().filter(|_| !target.is_dir()) else {
            return Err(FileError::NotAFile { found: "a directory", path: target.to_owned() });
        };
        let parent = parent_of(target);
        let mut prefix = std::ffi::OsString::from(".");
        match name.len() <= MAX_NAME_BYTES {
            true => prefix.push(name),
            // A file name has at most 255 bytes.
            false => prefix.push(Digest::sha256(name.as_encoded_bytes()).hex()),
        }
        prefix.push(".tmp-");
        remove_abandoned(parent, &prefix);
        for _ in 0..TRIES {
            let made = Self::create(parent, &prefix, mode, target)?;
            match made.file.try_lock() {
                // Another process may have removed it as abandoned before it was locked.
                Ok(()) if lock::is_at(&made.file, made.path.path()) => return Ok(made),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                // The file system has no locks, so no process takes a file for abandoned.
                Err(TryLockError::Error(_)) => return Ok(made),
            }
        }
        Err(FileError::Busy { owner: None, path: target.to_owned() })
    }

    /// Creates a file with a random name. An error names `meant`, which the operator knows, instead of the temporary
    /// file.
    fn create(parent: &Path, prefix: &OsStr, mode: u32, meant: &Path) -> Result<Self, FileError> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(FileError::Random)?;
        let mut name = prefix.to_owned();
        name.push(digest::hex(&random));
        let path = parent.join(name);
        // An existing name is refused, even that of a link (`O_EXCL`).
        let made = Uncommitted::create(&path, || create_new(&path, mode));
        let (file, new) = made.map_err(lock::written_to(meant))?;
        Ok(Self { file, path: TemporaryPath(new) })
    }
}

impl TemporaryPath {
    /// The current path of the file.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Renames the file to `to` in one atomic step. A link at that name is replaced, not followed.
    ///
    /// # Errors
    /// The error of the operating system; [`io::ErrorKind::AlreadyExists`] if the existing file must not be replaced.
    /// The temporary file is then removed.
    pub fn rename(self, to: &Path, overwrite: Overwrite) -> io::Result<()> {
        self.rename_and_keep(to, overwrite, &mut [])
    }

    /// As [`TemporaryPath::rename`]; in the same step everything in `kept` stops being temporary, so that an
    /// interruption removes all of it or none.
    ///
    /// # Errors
    /// As [`TemporaryPath::rename`]; then `kept` is unchanged.
    pub fn rename_and_keep(
        self,
        to: &Path,
        overwrite: Overwrite,
        kept: &mut [&mut Vec<Uncommitted>],
    ) -> io::Result<()> {
        let from = self.path().to_owned();
        let mut ours = vec![self.0];
        let mut all: Vec<_> = kept.iter_mut().map(|kept| &mut **kept).collect();
        all.push(&mut ours);
        if overwrite == Overwrite::Replace {
            return undo::commit(&mut all, || fs::rename(&from, to));
        }
        match undo::commit(&mut all, || rename_new(&from, to)) {
            // Some file systems lack RENAME_NOREPLACE: there an empty file reserves the name.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                let (_, reserved) = Uncommitted::create(to, || create_new(to, READABLE))?;
                let mut reserved = vec![reserved];
                all.push(&mut reserved);
                undo::commit(&mut all, || fs::rename(&from, to))
            }
            done => done,
        }
    }
}

/// Removes the files in `parent` that [`Temporary::locked`] made with this prefix.
pub fn remove_leftovers(parent: &Path, prefix: &str) {
    named_so(parent, OsStr::new(prefix)).iter().for_each(|path| drop(fs::remove_file(path)));
}

/// Whether a name is one that [`Temporary`] makes with this prefix.
pub fn is_temporary(name: &OsStr, prefix: &OsStr) -> bool {
    let random = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
    random.is_some_and(|random| random.len() == 2 * RANDOM_BYTES && random.iter().all(u8::is_ascii_hexdigit))
}

/// Removes the temporary files with this prefix on which no process holds the lock.
fn remove_abandoned(parent: &Path, prefix: &OsStr) {
    for path in named_so(parent, prefix) {
        if let Ok(Some((file, _))) = read::regular(&path)
            && file.try_lock().is_ok()
            && lock::is_at(&file, &path)
        {
            drop(fs::remove_file(&path));
        }
    }
}

fn named_so(parent: &Path, prefix: &OsStr) -> Vec<PathBuf> {
    let files = fs::read_dir(parent).into_iter().flatten().flatten();
    files.filter(|file| is_temporary(&file.file_name(), prefix)).map(|file| file.path()).collect()
}

/// The directory in which the file at `path` is.
pub(super) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Creates a file. Never opens an existing one, and follows no link (`O_EXCL`).
fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// Renames the file, unless something is at `to`.
#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::CWD;
    Ok(rustix::fs::renameat_with(CWD, from, CWD, to, rustix::fs::RenameFlags::NOREPLACE)?)
}

#[cfg(not(target_os = "linux"))]
fn rename_new(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The number of random bytes in a name.
const RANDOM_BYTES: usize = 8;
/// How many random names are tried.
const TRIES: usize = 16;
/// The longest target name, in bytes, that a temporary name contains; of a longer one it contains the SHA-256.
const MAX_NAME_BYTES: usize = 200;
/// Permissions: readable and writable for all, less the umask.
pub(super) const READABLE: u32 = 0o666;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let files = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Another user of the directory can replace the temporary file by a link, which is not followed.
    #[cfg(unix)]
    #[test]
    fn a_temporary_file_is_written_by_its_handle() {
        let directory = tempfile::tempdir().unwrap();
        let (meant, victim) = (directory.path().join("meant"), directory.path().join("victim"));
        fs::write(&victim, "untouched").unwrap();
        let mut temporary = Temporary::beside(&meant, READABLE).unwrap();
        fs::remove_file(temporary.path.path()).unwrap();
        std::os::unix::fs::symlink(&victim, temporary.path.path()).unwrap();
        temporary.file.write_all(b"redirected").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        // Its name cannot be guessed either.
        let other = Temporary::beside(&meant, READABLE).unwrap();
        assert_ne!(other.path.path(), temporary.path.path());
        drop((temporary, other));
        assert_eq!(names(directory.path()), ["victim"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("out");
        let living = Temporary::beside(&target, READABLE).unwrap();
        for name in
            [".out.tmp-0123456789abcdef", ".other.tmp-0123456789abcdef", ".out.tmp-0123", "out.tmp-0123456789abcdef"]
        {
            fs::write(directory.path().join(name), "half").unwrap();
        }
        drop(Temporary::beside(&target, READABLE).unwrap());
        let living_name = living.path.path().file_name().unwrap().to_str().unwrap().to_owned();
        let mut wanted = [".other.tmp-0123456789abcdef", ".out.tmp-0123", "out.tmp-0123456789abcdef", &living_name];
        wanted.sort_unstable();
        assert_eq!(names(directory.path()), wanted);
    }

    #[test]
    fn a_name_that_is_there_is_replaced_only_where_that_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("out");
        let write = |text: &str, overwrite| {
            let mut new = Temporary::beside(&target, READABLE).unwrap();
            new.file.write_all(text.as_bytes()).unwrap();
            new.path.rename(&target, overwrite)
        };
        write("one", Overwrite::Refuse).unwrap();
        assert_eq!(write("two", Overwrite::Refuse).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&target).unwrap(), "one");
        write("three", Overwrite::Replace).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "three");
        assert_eq!(names(directory.path()), ["out"]);
    }

    #[test]
    fn the_longest_name_has_a_temporary_file_too() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("n".repeat(255));
        let new = Temporary::beside(&target, READABLE).unwrap();
        new.path.rename(&target, Overwrite::Refuse).unwrap();
        assert_eq!(names(directory.path()), ["n".repeat(255)]);
    }
}
