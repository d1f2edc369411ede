//! `Layout`: an OCI image layout in a directory.

mod write;

use std::fs;
use std::fs::File;
use std::io;
use std::io::Seek as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::store::error::PathFault;
use crate::store::layout::write::StagedFile;
use crate::store::layout::write::Staging;
use crate::store::layout::write::is_directory;
use crate::store::local::Local;
use crate::store::local::layout_files::LayoutFiles;
use crate::store::local::layout_files::OpenFile;
use crate::store::local::layout_files::Rereadable;
use crate::store::local::layout_files::StagedBlob;
use crate::store::local::layout_files::at;
use crate::store::local::layout_files::blob_digest;
use crate::store::local::layout_files::broken;
use crate::store::local::layout_files::open_regular;

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

    /// Opens the layout in the directory `path`; if it does not exist or is empty, the first
    /// [`finish`](crate::store::Sink::finish) creates the layout.
    ///
    /// # Errors
    /// As [`Layout::open`], and if the directory holds something else or evidence without layers.
    pub fn create(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        Self::open_or_new(path.into(), limits)?.for_images()
    }

    /// As [`Layout::create`], for evidence: the manifests, configs and signatures of images, without layers. The layout
    /// says so in the annotations of its `index.json`.
    ///
    /// # Errors
    /// As [`Layout::open`], and if the directory holds something else or whole images.
    pub fn create_evidence(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        Self::open_or_new(path.into(), limits)?.for_evidence()
    }

    fn open_or_new(path: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        let directory = Directory::new(path, true);
        if write::is_layout(&directory.path) {
            return Self::open(directory.path.clone(), limits);
        }
        write::check_empty(&directory.path)?;
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

    /// The path of the file `name`. Every directory on the way must be a directory (threats: link-in-layout).
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

impl LayoutFiles for Directory {
    fn name(&self) -> String {
        format!("oci:{}", self.path.display())
    }

    fn open(&self, name: &str) -> Result<Option<OpenFile>, StoreError> {
        let staged = |digest: Digest| self.with_staging(|staging| staging.as_ref()?.staged(&digest));
        let path = match blob_digest(name).and_then(staged) {
            Some(path) => Some(path),
            None => self.path_of(name)?,
        };
        let Some((file, size)) = path.map(|path| open_regular(&path)).transpose()?.flatten() else { return Ok(None) };
        Ok(Some(OpenFile { reader: Box::new(file), size }))
    }

    fn blobs(&self, limits: &Limits, most: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let mut blobs = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            let path = self.path.join("blobs").join(algorithm);
            if !is_directory(&self.path.join("blobs"))? || !is_directory(&path)? {
                continue;
            }
            for (number, file) in fs::read_dir(&path).map_err(at(&path))?.enumerate() {
                let file = file.map_err(at(&path))?;
                let limit = limits.oci.archive_members;
                if count(number) >= limit {
                    return Err(StoreError::TooMany { place: self.name(), what: "files", limit });
                }
                let digest = file.file_name().to_str().and_then(|name| format!("{algorithm}:{name}").parse().ok());
                let metadata = file.metadata().map_err(at(&file.path()))?;
                let small = metadata.is_file() && metadata.len() <= limits.oci.manifest_bytes && blobs.len() < most;
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
                // Another process may have created the layout since it was checked.
                self.new.store(!begun.found_layout(), Ordering::Release);
                *staging = Some(begun);
            }
            Ok(())
        })
    }

    fn stage<'a>(&'a self, descriptor: &Descriptor) -> Result<Box<dyn StagedBlob + 'a>, StoreError> {
        Ok(Box::new(StagedFile::create(&self.staging, &self.path, descriptor.digest)?))
    }

    fn mark(&self) {
        self.with_staging(|staging| staging.iter_mut().for_each(Staging::mark));
    }

    fn rollback(&self) {
        self.with_staging(|staging| staging.iter_mut().for_each(Staging::rollback));
    }

    fn commit(&self, index: &[u8]) -> Result<(), StoreError> {
        // After a failure everything staged is lost; a second call must not report success
        // (threats: sync-error-reported-once).
        self.with_staging(|staging| {
            let mut begun = staging.take().ok_or_else(|| broken(&self.path, PathFault::Lost))?;
            begun.commit(index)?;
            // A blob that is still being written belongs to the next commit.
            *staging = Some(begun).filter(|begun| !begun.is_done());
            Ok::<_, StoreError>(())
        })?;
        self.new.store(false, Ordering::Release);
        Ok(())
    }
}
