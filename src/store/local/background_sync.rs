//! `BackgroundSync`: a thread that syncs files (fsync) while they are being written, so that little is left for the end.

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::thread::JoinHandle;

use crate::store::StoreError;
use crate::store::local::layout_files::at;

/// A thread that syncs files while they are being written, begun with the first file that is worth it.
///
/// Its work need not be trusted: a file is synced once more before it gets its name. But the system reports a failed
/// sync only once, so [`BackgroundSync::finish`] reports it (threats: sync-error-reported-once).
#[derive(Default)]
pub(crate) struct BackgroundSync {
    running: Option<SyncThread>,
}

struct SyncThread {
    jobs: SyncSender<SyncJob>,
    work: JoinHandle<Result<(), StoreError>>,
}

/// A file of which a part is to be on the disk.
struct SyncJob {
    file: Arc<File>,
    path: PathBuf,
}

impl BackgroundSync {
    /// Has what was written to `file` until now synced, if there is nothing more urgent.
    pub(crate) fn sync(&mut self, file: &Arc<File>, path: &Path) {
        let job = SyncJob { file: Arc::clone(file), path: path.to_owned() };
        if self.running.is_none() {
            let (jobs, taken) = mpsc::sync_channel::<SyncJob>(WAITING_MOST);
            let work = move || taken.into_iter().try_for_each(|job| job.file.sync_data().map_err(at(&job.path)));
            // Without a thread everything is synced at the end, as it must be anyway.
            self.running =
                thread::Builder::new().name("sync".to_owned()).spawn(work).ok().map(|work| SyncThread { jobs, work });
        }
        // Where it cannot keep up, or has failed, more work for it would be of no use.
        if let Some(running) = &self.running {
            drop(running.jobs.try_send(job));
        }
    }

    /// Waits for what was begun.
    ///
    /// # Errors
    /// The first failure that it met: then nothing that was written since can be relied on.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        match self.running.take() {
            None => Ok(()),
            Some(SyncThread { jobs, work }) => {
                drop(jobs);
                work.join().unwrap_or_else(|_| Err(at(Path::new("sync"))(io::ErrorKind::Other.into())))
            }
        }
    }
}

/// After so many bytes it is worth to begin, or to go on.
pub(crate) const WORTH: u64 = 16 << 20;
/// How many files wait for their turn at most.
const WAITING_MOST: usize = 4;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn reports_a_failed_sync_that_nobody_waited_for() {
        // It can be written to, and not be synced.
        let path = Path::new("/dev/null");
        let broken = Arc::new(File::options().write(true).open(path).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let fine = Arc::new(File::create(directory.path().join("file")).unwrap());
        let mut ahead = BackgroundSync::default();
        ahead.sync(&broken, path);
        for _ in 0..2 * WAITING_MOST {
            ahead.sync(&fine, directory.path());
        }
        let error = ahead.finish().unwrap_err();
        assert!(error.to_string().contains("/dev/null"), "{error}");
        ahead.finish().unwrap();
    }

    #[test]
    fn what_was_synced_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"content").unwrap();
        let mut ahead = BackgroundSync::default();
        ahead.sync(&Arc::new(File::open(&path).unwrap()), &path);
        ahead.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"content");
    }
}
