//! Undo: unfinished files and directories are removed on drop, and when a signal or a panic ends the process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::TryLockError;

/// A new file or directory that is removed when this is dropped or the process is interrupted, unless it is kept.
#[derive(Debug)]
#[must_use = "what is new goes away again with this value"]
pub struct New {
    /// `None` once it is kept or removed.
    entry: Option<(u64, What)>,
    path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Removed after the files in it, the innermost first.
    Directory,
    File,
    /// Removed after everything that was written under it.
    Lock,
}

/// The files and directories that an interruption removes, in the order of their creation.
struct Pending {
    entries: BTreeMap<u64, (What, PathBuf)>,
    next: u64,
}

impl Pending {
    fn add(&mut self, what: What, path: &Path) -> New {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.entries.insert(number, (what, path.to_owned()));
        New { entry: Some((number, what)), path: path.to_owned() }
    }
}

static PENDING: Mutex<Pending> = Mutex::new(Pending { entries: BTreeMap::new(), next: 0 });

impl New {
    /// Creates a directory and registers it in one step: no interruption comes between the two.
    ///
    /// # Errors
    /// The error of [`fs::create_dir`].
    pub fn created_directory(path: &Path) -> io::Result<Self> {
        Self::made_as(What::Directory, path, || fs::create_dir(path)).map(|((), new)| new)
    }

    /// A file that is new, or that is about to be created.
    pub fn file(path: &Path) -> Self {
        Self::of(What::File, path)
    }

    /// A lock file.
    pub fn lock(path: &Path) -> Self {
        Self::of(What::Lock, path)
    }

    fn of(what: What, path: &Path) -> Self {
        pending().add(what, path)
    }

    /// Creates a file with `make` and registers it in one step: no interruption comes between the two.
    pub(super) fn made<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        Self::made_as(What::File, path, make)
    }

    /// As [`New::made`], for a lock file.
    pub(super) fn made_lock<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        Self::made_as(What::Lock, path, make)
    }

    fn made_as<T>(what: What, path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        let mut pending = pending();
        let made = make()?;
        Ok((made, pending.add(what, path)))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps it: it is no longer removed.
    pub fn keep(mut self) {
        self.forget(&mut pending());
    }

    fn forget(&mut self, pending: &mut Pending) -> Option<What> {
        let (number, what) = self.entry.take()?;
        pending.entries.remove(&number);
        Some(what)
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // Must come first: a caller that holds the list drops kept values, and would wait for itself.
        if self.entry.is_none() {
            return;
        }
        let mut pending = pending();
        if let Some(what) = self.forget(&mut pending) {
            remove(what, &self.path);
        }
    }
}

/// Runs `naming`, which gives a file its final name, and on success keeps everything in `kept` in the same step: an
/// interruption finds both or neither. After an interruption no file is named any more.
pub(super) fn commit(kept: &mut [&mut Vec<New>], naming: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
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

/// As [`undo_all`], but waits for the list only for a bounded number of tries: the panicking thread may hold it itself.
fn undo_unless_held() {
    for _ in 0..PATIENCE {
        match PENDING.try_lock() {
            Ok(pending) => return undo(pending),
            Err(TryLockError::Poisoned(error)) => return undo(error.into_inner()),
            // Another thread holds it for as long as one file gets its name.
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}

/// Removes everything unfinished. The process must end afterwards: any thread that begins or names a file waits for
/// ever.
pub fn undo_all() {
    undo(pending());
}

fn undo(pending: MutexGuard<'_, Pending>) {
    for wanted in [What::File, What::Lock, What::Directory] {
        let these = pending.entries.values().rev().filter(|(what, _)| *what == wanted);
        these.for_each(|(what, path)| remove(*what, path));
    }
    std::mem::forget(pending);
}

fn remove(what: What, path: &Path) {
    // What cannot be removed now is left to the next run.
    drop(match what {
        What::Directory => fs::remove_dir(path),
        What::File | What::Lock => fs::remove_file(path),
    });
}

fn pending() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a panic tries to take the list from another thread.
const PATIENCE: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// The end of a process that panics without unwinding, which only a process of its own can come to.
    #[test]
    fn nothing_unfinished_stays_after_a_panic_that_does_not_unwind() {
        const NAME: &str = "files::undo::tests::nothing_unfinished_stays_after_a_panic_that_does_not_unwind";
        if let Some(path) = std::env::var_os("BULLA_TEST_UNFINISHED") {
            // No destructor runs: what goes away goes by the hook.
            std::mem::forget(New::made(Path::new(&path), || fs::write(&path, "")).unwrap());
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
        let mut new = vec![New::file(&path)];
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
        let new = New::created_directory(&path).unwrap();
        assert!(path.is_dir());
        let error = New::created_directory(&path).unwrap_err();
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
        let [dropped, kept, named] = paths.each_ref().map(|path| New::file(path));
        drop(dropped);
        kept.keep();
        commit(&mut [&mut vec![named]], || Ok(())).unwrap();
        assert_eq!(paths.each_ref().map(|path| path.exists()), [false, true, true]);
        let mut again = vec![New::file(&paths[1])];
        commit(&mut [&mut again], || Err(io::ErrorKind::Other.into())).unwrap_err();
        drop(again);
        assert!(!paths[1].exists());
    }
}
