//! `BackgroundSync`: a thread that syncs files (fsync) while they are being written, so that the final sync is short.

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

/// A thread that syncs files while they are being written. It is started when the first file is large enough.
///
/// It is only an optimization: a file is synced again before it gets its final name. But the operating system reports a
/// failed sync only once, so [`BackgroundSync::finish`] reports it (threats: sync-error-reported-once).
#[derive(Default)]
pub(crate) struct BackgroundSync {
    running: Option<SyncThread>,
}

struct SyncThread {
    jobs: SyncSender<SyncJob>,
    work: JoinHandle<Result<(), StoreError>>,
}

/// A file with unsynced data.
struct SyncJob {
    file: Arc<File>,
    path: PathBuf,
}

impl BackgroundSync {
    /// Queues a sync of the data that was written to `file` so far, unless the queue is full.
    pub(crate) fn sync(&mut self, file: &Arc<File>, path: &Path) {
        let job = SyncJob { file: Arc::clone(file), path: path.to_owned() };
        if self.running.is_none() {
            let (jobs, taken) = mpsc::sync_channel::<SyncJob>(MAX_QUEUED);
            let work = move || taken.into_iter().try_for_each(|job| job.file.sync_data().map_err(at(&job.path)));
            // Without a thread, the final sync does all of the work.
            self.running =
                thread::Builder::new().name("sync".to_owned()).spawn(work).ok().map(|work| SyncThread { jobs, work });
        }
        // If the queue is full or the thread has failed, the job is dropped.
        if let Some(running) = &self.running {
            drop(running.jobs.try_send(job));
        }
    }

    /// Waits for the queued syncs.
    ///
    /// # Errors
    /// The first failed sync: no data that was written since is known to be on the disk.
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

/// The number of written bytes after which a background sync is worthwhile.
pub(crate) const SYNC_THRESHOLD: u64 = 16 << 20;
/// The length of the queue, in files.
const MAX_QUEUED: usize = 4;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn reports_a_failed_sync_that_nobody_waited_for() {
        // This device can be written to, but not synced.
        let path = Path::new("/dev/null");
        let broken = Arc::new(File::options().write(true).open(path).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let fine = Arc::new(File::create(directory.path().join("file")).unwrap());
        let mut background = BackgroundSync::default();
        background.sync(&broken, path);
        for _ in 0..2 * MAX_QUEUED {
            background.sync(&fine, directory.path());
        }
        let error = background.finish().unwrap_err();
        assert!(error.to_string().contains("/dev/null"), "{error}");
        background.finish().unwrap();
    }

    #[test]
    fn what_was_synced_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"content").unwrap();
        let mut background = BackgroundSync::default();
        background.sync(&Arc::new(File::open(&path).unwrap()), &path);
        background.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"content");
    }
}
