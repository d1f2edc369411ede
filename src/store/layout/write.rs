//! Writing an OCI image layout into a directory.
//!
//! The invariant: after a crash at any time, every blob that `index.json` lists is on the disk.
//!
//! 1. The lock is taken, and leftovers of killed processes are removed.
//! 2. Each blob is written to a temporary file. Nothing is visible yet.
//! 3. On commit all files are synced, then renamed to their digests, then their directories are synced.
//! 4. The new `index.json` is written beside the old one, synced, and renamed in one step: this makes the change
//!    visible.
//! 5. Uncommitted files are removed, even if the process is interrupted.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;

use crate::digest::Digest;
use crate::files;
use crate::files::Contended;
use crate::files::Lock;
use crate::files::Overwrite;
use crate::files::Temporary;
use crate::files::TemporaryPath;
use crate::files::Uncommitted;
use crate::store::StoreError;
use crate::store::error::PathFault;
use crate::store::local::background_sync::BackgroundSync;
use crate::store::local::background_sync::SYNC_THRESHOLD;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::MARK_BODY;
use crate::store::local::layout_files::StagedBlob;
use crate::store::local::layout_files::at;
use crate::store::local::layout_files::blob_name;
use crate::store::local::layout_files::broken;
use crate::store::local::layout_files::open_regular;

/// A write to a layout: the files staged since the last commit. Without another commit they are removed.
pub(super) struct Staging {
    background: BackgroundSync,
    /// The directories that were created, outermost first.
    created: Vec<Uncommitted>,
    found_layout: bool,
    lock: Option<Lock>,
    /// The blobs that were staged since the savepoint, if one is set.
    marked: Option<Vec<Digest>>,
    /// The number of blobs that are being written.
    open: usize,
    path: PathBuf,
    /// The files that have their final names but are not committed yet.
    placed: Vec<Uncommitted>,
    /// The complete blobs that still have temporary names.
    staged: BTreeMap<Digest, TemporaryPath>,
}

impl Staging {
    /// Takes the lock of the directory and removes leftovers of killed processes. With `new`, the directory is created
    /// if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] if another process holds the lock, or the directory holds something other than a layout.
    pub(super) fn begin(path: &Path, new: bool) -> Result<Self, StoreError> {
        let mut staging = Self {
            background: BackgroundSync::default(),
            created: Vec::new(),
            found_layout: false,
            lock: None,
            marked: None,
            open: 0,
            path: path.to_owned(),
            placed: Vec::new(),
            staged: BTreeMap::new(),
        };
        if new {
            staging.create_all(path)?;
        }
        staging.lock = Some(Lock::take(&path.join(LOCK), path, Contended::Wait)?);
        staging.found_layout = is_layout(path);
        if !staging.found_layout {
            check_empty(path)?;
        }
        remove_leftovers(path);
        Ok(staging)
    }

    /// Whether the directory was a layout before this write.
    pub(super) fn found_layout(&self) -> bool {
        self.found_layout
    }

    /// Whether no blob is being written.
    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// The path of a staged blob.
    pub(super) fn staged(&self, digest: &Digest) -> Option<PathBuf> {
        self.staged.get(digest).map(|staged| staged.path().to_owned())
    }

    /// Adds a complete blob to the next commit.
    fn keep(&mut self, digest: Digest, path: TemporaryPath) {
        // Two tasks may have written the same blob; one is enough.
        if self.staged.insert(digest, path).is_none() {
            self.marked.iter_mut().for_each(|marked| marked.push(digest));
        }
    }

    /// Sets the savepoint of [`Staging::rollback`].
    pub(super) fn mark(&mut self) {
        self.marked = Some(Vec::new());
    }

    /// Removes the blobs that were staged since [`Staging::mark`].
    pub(super) fn rollback(&mut self) {
        for digest in self.marked.take().unwrap_or_default() {
            self.staged.remove(&digest);
        }
    }

    /// Syncs the staged blobs, renames them to their digests, and replaces `index.json` by `index` in one step.
    ///
    /// # Errors
    /// [`StoreError`] on I/O errors; the old `index.json` is then unchanged, unless only the last sync of the
    /// directories failed.
    pub(super) fn commit(&mut self, index: &[u8]) -> Result<(), StoreError> {
        // All content is on disk before the first rename, and all names before the index, so after a crash the index
        // lists only blobs that exist (threats: power-loss). A failed sync is not repeated: the operating system
        // reports it only once (threats: sync-error-reported-once).
        self.background.finish()?;
        sync_files(&self.staged.values().map(TemporaryPath::path).collect::<Vec<_>>())?;
        let mut directories = vec![self.path.join("blobs")];
        while let Some((digest, staged)) = self.staged.pop_first() {
            let to = self.path.join(blob_name(&digest));
            // Registered before it exists, so that an interruption right after the rename removes it too. One that is
            // there belongs to the old index.
            match to.symlink_metadata() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.placed.push(Uncommitted::file(&to)),
                Err(error) => return Err(at(&to)(error)),
            }
            staged.rename(&to, Overwrite::Replace).map_err(at(&to))?;
            directories.extend(to.parent().map(Path::to_owned).filter(|parent| !directories.contains(parent)));
        }
        if !self.found_layout {
            let mark = self.path.join(MARK);
            self.placed.push(Uncommitted::file(&mark));
            written(&self.path, MARK_BODY)?.rename(&mark, Overwrite::Replace).map_err(at(&mark))?;
        }
        for directory in directories.iter().filter(|directory| directory.is_dir()).chain([&self.path]) {
            files::sync_directory(directory).map_err(at(directory))?;
        }
        let above: Vec<_> =
            self.created.iter().filter_map(|created| created.path().parent().map(Path::to_owned)).collect();
        let listed = self.path.join(INDEX);
        // From here on the commit is visible: the files that it lists are not removed on an error.
        let kept = &mut [&mut self.placed, &mut self.created];
        written(&self.path, index)?.rename_and_keep(&listed, Overwrite::Replace, kept).map_err(at(&listed))?;
        self.found_layout = true;
        above.iter().chain([&self.path]).try_for_each(|path| files::sync_directory(path).map_err(at(path)))
    }

    /// Creates the directory at `path` and the missing ones above it.
    fn create_all(&mut self, path: &Path) -> Result<(), StoreError> {
        let missing: Vec<_> =
            path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        missing.into_iter().rev().try_for_each(|path| self.create(path))
    }

    /// Creates a directory, which is removed again unless it is committed. An existing one must be a directory, not a
    /// link (threats: link-in-target).
    fn create(&mut self, path: &Path) -> Result<(), StoreError> {
        match Uncommitted::create_directory(path) {
            Ok(created) => self.created.push(created),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => drop(is_directory(path)?),
            Err(error) => return Err(at(path)(error)),
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.staged.clear();
        self.placed.clear();
        // The lock file is in the directory, so it is removed first.
        self.lock = None;
        while self.created.pop().is_some() {}
    }
}

/// A blob that is being written to a temporary file, which is removed if this is dropped without [`StagedBlob::keep`].
pub(super) struct StagedFile<'a> {
    digest: Digest,
    directory: &'a Path,
    file: Arc<File>,
    path: Option<TemporaryPath>,
    staging: &'a Mutex<Option<Staging>>,
    /// The number of bytes written since the last background sync.
    unsynced: u64,
}

impl<'a> StagedFile<'a> {
    /// Creates the temporary file of a blob and counts it as open.
    pub(super) fn create(
        staging: &'a Mutex<Option<Staging>>,
        directory: &'a Path,
        digest: Digest,
    ) -> Result<Self, StoreError> {
        let blobs = directory.join("blobs");
        let parent = blobs.join(digest.algorithm().name());
        let mut locked = lock(staging);
        let begun = locked.as_mut().ok_or_else(|| broken(&parent, PathFault::Lost))?;
        begun.create(&blobs).and_then(|()| begun.create(&parent))?;
        let Temporary { file, path } = Temporary::locked(&parent, TEMPORARY)?;
        begun.open += 1;
        Ok(Self { digest, directory, file: Arc::new(file), path: Some(path), staging, unsynced: 0 })
    }
}

impl StagedBlob for StagedFile<'_> {
    fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        let path = self.path.as_ref().map_or(self.directory, TemporaryPath::path);
        (&*self.file).write_all(piece).map_err(at(path))?;
        self.unsynced += u64::try_from(piece.len()).unwrap_or_default();
        if self.unsynced >= SYNC_THRESHOLD {
            self.unsynced = 0;
            lock(self.staging).iter_mut().for_each(|staging| staging.background.sync(&self.file, path));
        }
        Ok(())
    }

    fn keep(mut self: Box<Self>) -> Result<(), StoreError> {
        let mut locked = lock(self.staging);
        let staging = locked.as_mut().ok_or_else(|| broken(self.directory, PathFault::Lost))?;
        self.path.take().into_iter().for_each(|path| staging.keep(self.digest, path));
        drop(locked);
        Ok(())
    }
}

impl Drop for StagedFile<'_> {
    fn drop(&mut self) {
        lock(self.staging).iter_mut().for_each(|staging| staging.open -= 1);
    }
}

/// Whether there is a directory at `path`; `false` if nothing is there.
///
/// # Errors
/// [`StoreError::Broken`] if anything else is there, even a link to a directory.
pub(super) fn is_directory(path: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(broken(path, PathFault::NotADirectory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path)(error)),
    }
}

pub(super) fn lock(staging: &Mutex<Option<Staging>>) -> MutexGuard<'_, Option<Staging>> {
    staging.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a directory is a layout: it has `oci-layout` and `index.json`. An unfinished one has no `index.json`.
pub(super) fn is_layout(path: &Path) -> bool {
    [MARK, INDEX].into_iter().all(|name| path.join(name).symlink_metadata().is_ok())
}

/// Refuses a directory that is not empty, unless it holds only the leftovers of an interrupted write.
pub(super) fn check_empty(path: &Path) -> Result<(), StoreError> {
    let files = match fs::read_dir(path) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path)(error)),
    };
    for file in files {
        let name = file.map_err(at(path))?.file_name();
        if name != LOCK && name != "blobs" && name != MARK && !files::is_temporary(&name, TEMPORARY.as_ref()) {
            return Err(broken(path, PathFault::NotALayout));
        }
    }
    Ok(())
}

/// Creates a synced temporary file in `parent` with these bytes.
fn written(parent: &Path, bytes: &[u8]) -> Result<TemporaryPath, StoreError> {
    let Temporary { mut file, path } = Temporary::locked(parent, TEMPORARY)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(path.path()))?;
    Ok(path)
}

/// Syncs the files at `paths`, on up to [`SYNC_THREADS`] threads.
fn sync_files(paths: &[&Path]) -> Result<(), StoreError> {
    let sync = |path: &Path| match open_regular(path)? {
        Some((file, _)) => file.sync_all().map_err(at(path)),
        None => Err(at(path)(io::ErrorKind::NotFound.into())),
    };
    let share = paths.len().div_ceil(SYNC_THREADS).max(1);
    let all = |part: &[&Path]| part.iter().try_for_each(|path| sync(path));
    thread::scope(|scope| {
        let mut parts = Vec::new();
        for part in paths.chunks(share) {
            match thread::Builder::new().spawn_scoped(scope, || all(part)) {
                Ok(work) => parts.push(work),
                // If no thread can be started, this one syncs the files.
                Err(_) => all(part)?,
            }
        }
        let broken = || Err(at(Path::new("sync"))(io::ErrorKind::Other.into()));
        parts.into_iter().try_for_each(|part| part.join().unwrap_or_else(|_| broken()))
    })
}

/// Removes the temporary files of a killed process. The caller holds the lock, so no other process is writing.
fn remove_leftovers(path: &Path) {
    let blobs = path.join("blobs");
    let real = |path: &Path| is_directory(path).unwrap_or_default();
    let algorithms = ["sha256", "sha512"].map(|name| blobs.join(name));
    let inside = algorithms.into_iter().filter(|algorithm| real(&blobs) && real(algorithm));
    inside.chain([path.to_owned()]).for_each(|parent| files::remove_leftovers(&parent, TEMPORARY));
}

/// The number of threads that sync files.
const SYNC_THREADS: usize = 8;
/// The name of the lock file, which exists only during a write.
const LOCK: &str = ".bulla.lock";
/// The prefix of temporary files.
const TEMPORARY: &str = ".tmp-";
