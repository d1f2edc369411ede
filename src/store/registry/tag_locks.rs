//! Locks of referrers tags: writers of one process to one tag take turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// One lock for each referrers tag that is being written.
#[derive(Default)]
pub(super) struct TagLocks(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl TagLocks {
    /// The lock of the tag at `place`. Unused locks are removed.
    pub(super) fn of(&self, place: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(place.to_owned()).or_default())
    }
}
