//! `EvidenceBudget`: how many bytes of evidence are fetched and read for one subject.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::limits::Limits;

/// How many bytes of documents are held at a time, unless one alone is larger. What becomes of them while they are read
/// is as much again.
pub(in crate::ops) const HELD: u64 = 4 << 20;

/// What may still be fetched and read for one subject, in bytes: manifests and blobs together. What is read twice counts
/// twice.
#[derive(Debug)]
pub(in crate::ops) struct EvidenceBudget(AtomicU64);

impl EvidenceBudget {
    pub(in crate::ops) const fn of(limits: &Limits) -> Self {
        Self(AtomicU64::new(limits.evidence.bytes))
    }

    /// What documents may take up that are fetched before it is known whether they are needed.
    pub(in crate::ops) const fn ahead() -> Self {
        Self(AtomicU64::new(HELD))
    }

    /// Takes `bytes` out, if there are as many.
    pub(in crate::ops) fn take(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok()
    }
}
