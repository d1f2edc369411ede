//! Writing into a directory: everything beside its final name first, synced, then named in one step.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use crate::digest::Digest;
use crate::store::StoreError;
use crate::store::layout::Directory;
use crate::store::layout::LOST;
use crate::store::layout::ahead::Ahead;
use crate::store::layout::ahead::WORTH;
use crate::store::layout::broken;
use crate::store::layout::is_directory;
use crate::store::layout::lock::LOCK;
use crate::store::layout::lock::Lock;
use crate::store::local::place::INDEX;
use crate::store::local::place::MARK;
use crate::store::local::place::MARK_BODY;
use crate::store::local::place::Stage;
use crate::store::local::place::at;
use crate::store::local::place::blob_name;
use crate::store::local::place::random_name;

/// What was written since the last commit, and what has to go if there is no next one.
pub(super) struct Staging {
    ahead: Ahead,
    committed: bool,
    /// Directories that were not there before, outermost first.
    created: Vec<PathBuf>,
    found_layout: bool,
    lock: Option<Lock>,
    /// Blobs that are being written at this moment.
    open: usize,
    path: PathBuf,
    /// Blobs that have their final name already.
    placed: Vec<PathBuf>,
    staged: BTreeMap<Digest, PathBuf>,
}

impl Staging {
    /// Takes the directory for us alone, and makes it if it is not there.
    pub(super) fn begin(path: &Path, new: bool) -> Result<Self, StoreError> {
        let mut staging = Self {
            ahead: Ahead::default(),
            committed: false,
            created: Vec::new(),
            found_layout: false,
            lock: None,
            open: 0,
            path: path.to_owned(),
            placed: Vec::new(),
            staged: BTreeMap::new(),
        };
        if new {
            staging.create_all(path)?;
        }
        staging.lock = Some(Lock::take(path.join(LOCK), path)?);
        staging.found_layout = is_layout(path);
        if !staging.found_layout {
            vacant(path)?;
        }
        remove_leftovers(path);
        Ok(staging)
    }

    /// Whether there was a layout when we took the directory.
    pub(super) fn found_layout(&self) -> bool {
        self.found_layout
    }

    /// Whether there is nothing left to do with the directory.
    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Where the bytes of a staged blob are.
    pub(super) fn staged(&self, digest: &Digest) -> Option<PathBuf> {
        self.staged.get(digest).cloned()
    }

    /// Syncs what was staged, gives it its name, and makes `index` what there is.
    pub(super) fn commit(&mut self, index: &[u8]) -> Result<(), StoreError> {
        // All content is on the disk before the first name is, and all names before the index: whatever a crash keeps
        // of this, the index never lists what is not there (TF-03). An error of a sync is final (TF-08).
        self.ahead.finish()?;
        sync_files(&self.staged.values().collect::<Vec<_>>())?;
        let mut directories = vec![self.path.join("blobs")];
        while let Some((digest, from)) = self.staged.pop_first() {
            let to = self.path.join(blob_name(&digest));
            let taken = to.symlink_metadata().is_ok();
            fs::rename(&from, &to).inspect_err(|_| drop(fs::remove_file(&from))).map_err(at(&to))?;
            if !taken {
                self.placed.push(to.clone());
            }
            directories.extend(to.parent().map(Path::to_owned).filter(|parent| !directories.contains(parent)));
        }
        if !self.found_layout {
            write_file(&self.path, MARK, MARK_BODY)?;
            self.placed.push(self.path.join(MARK));
        }
        for directory in directories.iter().filter(|directory| directory.is_dir()).chain([&self.path]) {
            sync_directory(directory)?;
        }
        write_file(&self.path, INDEX, index)?;
        // From here on it is visible: what it lists stays, whatever else goes wrong.
        self.committed = true;
        sync_directory(&self.path)?;
        self.created.iter().filter_map(|created| created.parent()).try_for_each(sync_directory)?;
        self.created.clear();
        self.placed.clear();
        self.found_layout = true;
        Ok(())
    }

    fn create_all(&mut self, path: &Path) -> Result<(), StoreError> {
        let missing: Vec<_> =
            path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        missing.into_iter().rev().try_for_each(|path| self.create(path))
    }

    /// Makes a directory; one that is there already must be one, not a link (HA-59).
    fn create(&mut self, path: &Path) -> Result<(), StoreError> {
        match fs::create_dir(path) {
            Ok(()) => self.created.push(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => drop(is_directory(path)?),
            Err(error) => return Err(at(path)(error)),
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let unnamed = self.staged.values();
        let placed = self.placed.iter().filter(|_| !self.committed);
        unnamed.chain(placed).for_each(|path| drop(fs::remove_file(path)));
        // The lock lies in the directory, which can only go after it.
        self.lock = None;
        if !self.committed {
            self.created.iter().rev().for_each(|path| drop(fs::remove_dir(path)));
        }
    }
}

/// A blob being written beside its final name.
pub(super) struct Staged<'a> {
    digest: Digest,
    directory: &'a Directory,
    file: Arc<File>,
    path: Option<PathBuf>,
    /// Bytes that were written since they were last to be synced.
    unsynced: u64,
}

impl<'a> Staged<'a> {
    pub(super) fn create(directory: &'a Directory, digest: Digest) -> Result<Self, StoreError> {
        let blobs = directory.path.join("blobs");
        let parent = blobs.join(digest.algorithm().name());
        directory.with_staging(|staging| {
            let staging = staging.as_mut().ok_or_else(|| broken(&parent, LOST))?;
            staging.committed = false;
            staging.create(&blobs).and_then(|()| staging.create(&parent))?;
            let (file, path) = temporary(&parent, TEMPORARY)?;
            staging.open += 1;
            Ok(Self { digest, directory, file: Arc::new(file), path: Some(path), unsynced: 0 })
        })
    }
}

impl Stage for Staged<'_> {
    fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        let path = self.path.as_deref().unwrap_or(&self.directory.path);
        (&*self.file).write_all(piece).map_err(at(path))?;
        self.unsynced += u64::try_from(piece.len()).unwrap_or_default();
        if self.unsynced >= WORTH {
            self.unsynced = 0;
            self.directory.with_staging(|staging| {
                staging.iter_mut().for_each(|staging| staging.ahead.sync(&self.file, path));
            });
        }
        Ok(())
    }

    fn keep(mut self: Box<Self>) -> Result<(), StoreError> {
        self.directory.with_staging(|staging| {
            let staging = staging.as_mut().ok_or_else(|| broken(&self.directory.path, LOST))?;
            // Two tasks may have written the same blob; one is enough.
            let twice = self.path.take().and_then(|path| staging.staged.insert(self.digest, path));
            twice.into_iter().for_each(|twice| drop(fs::remove_file(twice)));
            Ok(())
        })
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        self.path.iter().for_each(|path| drop(fs::remove_file(path)));
        self.directory.with_staging(|staging| staging.iter_mut().for_each(|staging| staging.open -= 1));
    }
}

/// Whether somebody has made a layout of a directory: one that is just being made, or was not finished, has no index.
pub(super) fn is_layout(path: &Path) -> bool {
    [MARK, INDEX].into_iter().all(|name| path.join(name).symlink_metadata().is_ok())
}

/// Refuses a directory that holds something, unless it is only what an interrupted run of ours left behind.
pub(super) fn vacant(path: &Path) -> Result<(), StoreError> {
    let files = match fs::read_dir(path) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path)(error)),
    };
    for file in files {
        let name = file.map_err(at(path))?.file_name();
        if name != LOCK && name != "blobs" && name != MARK && !is_temporary(&name, TEMPORARY) {
            return Err(broken(path, "it is neither empty nor an OCI image layout"));
        }
    }
    Ok(())
}

/// A new file in `parent`, which nobody else has a name for: `O_EXCL` and a random name (HA-60).
pub(crate) fn temporary(parent: &Path, prefix: &str) -> Result<(File, PathBuf), StoreError> {
    let path = parent.join(format!("{prefix}{}", random_name(parent.display())?));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(at(&path))?;
    Ok((file, path))
}

fn write_file(parent: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let (mut file, path) = temporary(parent, TEMPORARY)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let named = written.and_then(|()| fs::rename(&path, parent.join(name)));
    named.inspect_err(|_| drop(fs::remove_file(&path))).map_err(at(&parent.join(name)))
}

/// Syncs the files at `paths`, several at once: the disk takes them together.
fn sync_files(paths: &[&PathBuf]) -> Result<(), StoreError> {
    let sync = |path: &PathBuf| File::open(path).and_then(|file| file.sync_all()).map_err(at(path));
    let share = paths.len().div_ceil(AT_ONCE).max(1);
    let all = |part: &[&PathBuf]| part.iter().try_for_each(|path| sync(path));
    thread::scope(|scope| {
        let mut parts = Vec::new();
        for part in paths.chunks(share) {
            match thread::Builder::new().spawn_scoped(scope, || all(part)) {
                Ok(work) => parts.push(work),
                // Where there is no other thread to be had, this one does it.
                Err(_) => all(part)?,
            }
        }
        let broken = || Err(at(Path::new("sync"))(io::ErrorKind::Other.into()));
        parts.into_iter().try_for_each(|part| part.join().unwrap_or_else(|_| broken()))
    })
}

pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|directory| directory.sync_all()).map_err(at(path))
}

/// Takes away the temporary files of a process that was killed: whoever holds the lock is the only one who writes.
fn remove_leftovers(path: &Path) {
    let blobs = path.join("blobs");
    let real = |path: &Path| is_directory(path).unwrap_or_default();
    let algorithms = ["sha256", "sha512"].map(|name| blobs.join(name));
    let inside = algorithms.into_iter().filter(|algorithm| real(&blobs) && real(algorithm));
    inside.chain([path.to_owned()]).for_each(|parent| remove_temporary(&parent, TEMPORARY));
}

/// Takes away the files in `parent` that [`temporary`] made with this prefix.
pub(crate) fn remove_temporary(parent: &Path, prefix: &str) {
    let files = fs::read_dir(parent).into_iter().flatten().flatten();
    files.filter(|file| is_temporary(&file.file_name(), prefix)).for_each(|file| drop(fs::remove_file(file.path())));
}

fn is_temporary(name: &std::ffi::OsStr, prefix: &str) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(prefix));
    random.is_some_and(|random| random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// How many files are synced at once.
const AT_ONCE: usize = 8;
/// What the names of temporary files begin with.
const TEMPORARY: &str = ".tmp-";
