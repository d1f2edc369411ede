//! `Layout`: an OCI image layout in a directory.

pub(crate) mod ahead;
pub(crate) mod lock;
pub(crate) mod write;

use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Seek as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::store::layout::write::Staging;
use crate::store::local::Local;
use crate::store::local::place::Found;
use crate::store::local::place::Place;
use crate::store::local::place::Rereadable;
use crate::store::local::place::Stage;
use crate::store::local::place::at;
use crate::store::local::place::blob_digest;

/// An OCI image layout in a directory: `oci-layout`, `index.json`, `blobs/<algorithm>/<encoded>`.
pub type Layout = Local<Directory>;

/// The files of a layout as files of a directory. Links are not followed, and only regular files are read.
pub struct Directory {
    new: AtomicBool,
    path: PathBuf,
    staging: Mutex<Option<Staging>>,
}

impl Layout {
    /// Opens the layout in the directory `path`, which must be one.
    ///
    /// # Errors
    /// [`StoreError`] that says what is missing or broken.
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        if !fs::metadata(&path).map_err(at(&path))?.is_dir() {
            return Err(at(&path)(io::ErrorKind::NotADirectory.into()));
        }
        Self::of(Directory::new(path, false), limits)
    }

    /// Opens the layout in the directory `path`; where there is none or an empty one, it is made by the first
    /// [`finish`](crate::store::Sink::finish).
    ///
    /// # Errors
    /// As [`Layout::open`], and where the directory holds something else.
    pub fn create(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        let directory = Directory::new(path, true);
        if write::is_layout(&directory.path) {
            return Self::open(directory.path.clone(), limits);
        }
        write::vacant(&directory.path)?;
        Self::of(directory, limits)
    }
}

impl Directory {
    fn new(path: PathBuf, new: bool) -> Self {
        Self { new: AtomicBool::new(new), path, staging: Mutex::default() }
    }

    fn with_staging<T>(&self, run: impl FnOnce(&mut Option<Staging>) -> T) -> T {
        run(&mut self.staging.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The path of the file `name`, after every directory on the way was seen to be one (HA-25).
    fn path_of(&self, name: &str) -> Result<Option<PathBuf>, StoreError> {
        let mut path = self.path.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            if parts.peek().is_some() && !is_directory(&path)? {
                return Ok(None);
            }
        }
        Ok(Some(path))
    }
}

impl Rereadable for File {
    fn restart(&mut self) -> io::Result<()> {
        self.rewind()
    }
}

impl Place for Directory {
    fn name(&self) -> String {
        format!("oci:{}", self.path.display())
    }

    fn open(&self, name: &str) -> Result<Option<Found>, StoreError> {
        let staged = |digest: Digest| self.with_staging(|staging| staging.as_ref()?.staged(&digest));
        let path = match blob_digest(name).and_then(staged) {
            Some(path) => Some(path),
            None => self.path_of(name)?,
        };
        let Some((file, size)) = path.map(|path| open_regular(&path)).transpose()?.flatten() else { return Ok(None) };
        Ok(Some(Found { reader: Box::new(file), size }))
    }

    fn blobs(&self, limits: &Limits, most: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let mut blobs = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            let path = self.path.join("blobs").join(algorithm);
            if !is_directory(&self.path.join("blobs"))? || !is_directory(&path)? {
                continue;
            }
            for (count, file) in fs::read_dir(&path).map_err(at(&path))?.enumerate() {
                let file = file.map_err(at(&path))?;
                let limit = limits.archive_members;
                if count >= limit {
                    return Err(StoreError::TooMany { place: self.name(), what: "files", limit });
                }
                let digest = file.file_name().to_str().and_then(|name| format!("{algorithm}:{name}").parse().ok());
                let metadata = file.metadata().map_err(at(&file.path()))?;
                let small = metadata.is_file() && metadata.len() <= limits.manifest_bytes && blobs.len() < most;
                blobs.extend(digest.filter(|_| small).map(|digest| (digest, metadata.len())));
            }
        }
        Ok(blobs)
    }

    fn is_new(&self) -> bool {
        self.new.load(Ordering::Acquire)
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.with_staging(|staging| {
            if staging.is_none() {
                let begun = Staging::begin(&self.path, self.is_new())?;
                // Another process may have made the layout since we looked.
                self.new.store(!begun.found_layout(), Ordering::Release);
                *staging = Some(begun);
            }
            Ok(())
        })
    }

    fn stage<'a>(&'a self, descriptor: &Descriptor) -> Result<Box<dyn Stage + 'a>, StoreError> {
        Ok(Box::new(write::Staged::create(self, descriptor.digest)?))
    }

    fn commit(&self, index: &[u8]) -> Result<(), StoreError> {
        // Where this fails everything staged is gone, and asking again cannot make it look as if it had not (TF-08).
        self.with_staging(|staging| {
            let mut begun = staging.take().ok_or_else(|| broken(&self.path, LOST))?;
            begun.commit(index)?;
            // A blob that is on its way belongs to what is committed next.
            *staging = Some(begun).filter(|begun| !begun.is_done());
            Ok::<_, StoreError>(())
        })?;
        self.new.store(false, Ordering::Release);
        Ok(())
    }
}

/// Whether there is a directory at `path`; a link to one is none, and anything else there is an error.
fn is_directory(path: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(broken(path, "it is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path)(error)),
    }
}

/// The regular file at `path` and its length, `None` where there is nothing (HA-05, HA-26, T-62).
///
/// What was looked at is what was opened: between the two somebody could put a link there. A file that a writer has
/// replaced meanwhile is looked at again.
pub(crate) fn open_regular(path: &Path) -> Result<Option<(File, u64)>, StoreError> {
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        let seen = match fs::symlink_metadata(path) {
            Ok(seen) if seen.is_file() => seen,
            Ok(_) => return Err(broken(path, "it is not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(path)(error)),
        };
        let file = match open_file(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(at(path)(error)),
        };
        let opened = file.metadata().map_err(at(path))?;
        if opened.is_file() && same_file(&seen, &opened) {
            return Ok(Some((file, opened.len())));
        }
    }
    Err(broken(path, "it is replaced again and again while it is being opened"))
}

/// Opens what is at `path` for reading. What was put there since it was looked at is neither followed, if it is a link,
/// nor waited for, if it is a pipe.
#[cfg(unix)]
fn open_file(path: &Path) -> io::Result<File> {
    use rustix::fs::Mode;
    use rustix::fs::OFlags;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_file(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn broken(path: &Path, why: &str) -> StoreError {
    StoreError::Broken { place: path.display().to_string(), why: why.to_owned() }
}

#[cfg(unix)]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.len(), one.created().ok()) == (other.len(), other.created().ok())
}

/// Why nothing can be committed.
pub(crate) const LOST: &str = "what was staged is lost, because it could not be finished";

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use rustix::fs::CWD;
    use rustix::fs::Mode;

    use super::*;

    // HA-05, HA-26: between the look at it and the opening, somebody puts something else there.
    #[test]
    fn what_took_the_place_of_a_file_is_neither_followed_nor_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let (pipe, link) = (directory.path().join("pipe"), directory.path().join("link"));
        rustix::fs::mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert!(!open_file(&pipe).unwrap().metadata().unwrap().is_file());
        open_file(&link).unwrap_err();
        for path in [&pipe, &link] {
            assert_eq!(open_regular(path).unwrap_err().code(), "store-broken");
        }
    }
}
