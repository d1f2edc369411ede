//! Undo: unfinished files and directories are removed on drop, and when a signal or a panic ends the process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::TryLockError;

/// A new file or directory that is removed on drop or when the process is interrupted, unless it is kept.
#[derive(Debug)]
#[must_use = "a file that is not kept is removed when this is dropped"]
pub struct Uncommitted {
    /// `None` once it is kept or removed.
    entry: Option<(u64, EntryKind)>,
    path: Arc<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum EntryKind {
    /// Removed after the files in it, the innermost first.
    Directory,
    File,
    /// Removed after everything that was written under it.
    Lock,
}

/// The files and directories that an interruption removes, in the order of their creation.
struct PendingRemovals {
    entries: BTreeMap<u64, (EntryKind, Arc<Path>)>,
    next: u64,
}

impl PendingRemovals {
    fn add(&mut self, kind: EntryKind, path: &Path) -> Uncommitted {
        let number = self.next;
        self.next = number.wrapping_add(1);
        let path: Arc<Path> = path.into();
        self.entries.insert(number, (kind, Arc::clone(&path)));
        Uncommitted { entry: Some((number, kind)), path }
    }
}

static PREPARE: OnceLock<fn()> = OnceLock::new();

static PENDING: Mutex<PendingRemovals> = Mutex::new(PendingRemovals { entries: BTreeMap::new(), next: 0 });

impl Uncommitted {
    /// Creates a directory and registers it in one step: no interruption comes between the two.
    ///
    /// # Errors
    /// The error of [`fs::create_dir`].
    pub fn create_directory(path: &Path) -> io::Result<Self> {
        Self::create_as(EntryKind::Directory, path, || fs::create_dir(path)).map(|((), new)| new)
    }

    /// Registers a file that is new, or about to be created.
    pub fn file(path: &Path) -> Self {
        Self::of(EntryKind::File, path)
    }

    /// Registers a lock file.
    pub fn lock(path: &Path) -> Self {
        Self::of(EntryKind::Lock, path)
    }

    fn of(kind: EntryKind, path: &Path) -> Self {
        prepare();
        pending().add(kind, path)
    }

    /// Creates a file with `make` and registers it in one step: no interruption comes between the two.
    pub(super) fn create<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        Self::create_as(EntryKind::File, path, make)
    }

    /// As [`Uncommitted::create`], for a lock file.
    pub(super) fn create_lock<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        Self::create_as(EntryKind::Lock, path, make)
    }

    fn create_as<T>(kind: EntryKind, path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        prepare();
        let mut pending = pending();
        let create = make()?;
        Ok((create, pending.add(kind, path)))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the file or directory: it is no longer removed.
    pub fn keep(mut self) {
        self.forget(&mut pending());
    }

    fn forget(&mut self, pending: &mut PendingRemovals) -> Option<EntryKind> {
        let (number, kind) = self.entry.take()?;
        pending.entries.remove(&number);
        Some(kind)
    }
}

impl Drop for Uncommitted {
    fn drop(&mut self) {
        // Must come first: a caller that holds the list drops kept values, and would deadlock.
        if self.entry.is_none() {
            return;
        }
        let mut pending = pending();
        if let Some(kind) = self.forget(&mut pending) {
            remove(kind, &self.path);
        }
    }
}

/// Runs `naming`, which gives a file its final name. On success everything in `kept` is kept in the same step, so an
/// interruption finds both or neither. After an interruption no file gets its final name.
pub(super) fn commit(kept: &mut [&mut Vec<Uncommitted>], naming: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut pending = pending();
    naming()?;
    for mut new in kept.iter_mut().flat_map(|kept| kept.drain(..)) {
        new.forget(&mut pending);
    }
    Ok(())
}

/// Installs a panic hook that removes everything unfinished, where a panic ends the process without unwinding (`panic =
/// "abort"`). The panic message is unchanged.
pub fn undo_on_panic() {
    if cfg!(panic = "abort") {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            report(panic);
            undo_unless_held();
        }));
    }
}

/// As [`undo_all`], but tries only a bounded number of times to lock the list, since the panicking thread may hold it.
fn undo_unless_held() {
    for _ in 0..PANIC_TRIES {
        match PENDING.try_lock() {
            Ok(pending) => return undo(pending),
            Err(TryLockError::Poisoned(error)) => return undo(error.into_inner()),
            // Another thread holds the list while it gives a file its name.
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}

/// Sets a function that is called each time before a file or directory is created that an interruption must remove: the
/// program begins to watch for signals only when there is something to remove. The first function that is set counts.
pub fn before_unfinished(prepare: fn()) {
    PREPARE.get_or_init(|| prepare);
}

fn prepare() {
    if let Some(prepare) = PREPARE.get() {
        prepare();
    }
}

/// Removes everything unfinished. The process must end afterwards: any thread that creates or names a file blocks for
/// ever.
pub fn undo_all() {
    undo(pending());
}

fn undo(pending: MutexGuard<'_, PendingRemovals>) {
    for kind_to_remove in [EntryKind::File, EntryKind::Lock, EntryKind::Directory] {
        let these = pending.entries.values().rev().filter(|(kind, _)| *kind == kind_to_remove);
        these.for_each(|(kind, path)| remove(*kind, path));
    }
    std::mem::forget(pending);
}

fn remove(kind: EntryKind, path: &Path) {
    // The next run removes what cannot be removed now.
    drop(match kind {
        EntryKind::Directory => fs::remove_dir(path),
        EntryKind::File | EntryKind::Lock => fs::remove_file(path),
    });
}

fn pending() -> MutexGuard<'static, PendingRemovals> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a panicking thread tries to lock the list.
const PANIC_TRIES: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs in a process of its own, which ends in a panic without unwinding.
    #[test]
    fn nothing_unfinished_stays_after_a_panic_that_does_not_unwind() {
        const NAME: &str = "files::undo::tests::nothing_unfinished_stays_after_a_panic_that_does_not_unwind";
        if let Some(path) = std::env::var_os("BULLA_TEST_UNFINISHED") {
            // No destructor runs here, so only the panic hook can remove the file.
            std::mem::forget(Uncommitted::create(Path::new(&path), || fs::write(&path, "")).unwrap());
            return undo_unless_held();
        }
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("unfinished");
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let out = child.args([NAME, "--exact"]).env("BULLA_TEST_UNFINISHED", &path).output().unwrap();
        assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"), "{out:?}");
        assert!(!path.exists());
    }

    #[test]
    fn a_panic_while_a_file_gets_its_name_does_not_wait_for_itself() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("named");
        fs::write(&path, "").unwrap();
        let mut new = vec![Uncommitted::file(&path)];
        commit(&mut [&mut new], || {
            undo_unless_held();
            Ok(())
        })
        .unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_directory_is_registered_once_it_was_created_here() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("new");
        let new = Uncommitted::create_directory(&path).unwrap();
        assert!(path.is_dir());
        let error = Uncommitted::create_directory(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        // The one that exists already is not removed by the attempt.
        assert!(path.is_dir());
        drop(new);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_new_goes_away_unless_it_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let paths = ["dropped", "kept", "named"].map(|name| place.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "").unwrap());
        let [dropped, kept, named] = paths.each_ref().map(|path| Uncommitted::file(path));
        drop(dropped);
        kept.keep();
        commit(&mut [&mut vec![named]], || Ok(())).unwrap();
        assert_eq!(paths.each_ref().map(|path| path.exists()), [false, true, true]);
        let mut again = vec![Uncommitted::file(&paths[1])];
        commit(&mut [&mut again], || Err(io::ErrorKind::Other.into())).unwrap_err();
        drop(again);
        assert!(!paths[1].exists());
    }
}
