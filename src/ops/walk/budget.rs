//! `Budget`: the manifests that may be followed below one image, and the evidence that may be read for each subject.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::store::Source;
use crate::store::StoreError;

/// The manifests and bytes that may still be fetched below one image. A limit on depth alone bounds nothing: three
/// nested indexes can name a billion manifests.
pub(super) struct Budget<'a> {
    bytes: u64,
    limits: &'a Limits,
    manifests: u64,
    source: &'a dyn Source,
}

impl<'a> Budget<'a> {
    /// The whole budget of one image in `source`.
    pub(super) const fn of(source: &'a dyn Source, limits: &'a Limits) -> Self {
        Self { bytes: limits.graph.bytes, limits, manifests: limits.graph.manifests, source }
    }

    /// Takes one manifest that is not fetched.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: what is beyond the limit is not known, so there is no answer.
    pub(super) fn count(&mut self) -> Result<(), StoreError> {
        let limit = self.limits.graph.manifests;
        self.manifests = self.less(self.manifests, 1, "manifests below one image", limit)?;
        Ok(())
    }

    /// Takes one manifest and its bytes.
    ///
    /// # Errors
    /// As [`Budget::count`].
    pub(super) fn pay(&mut self, manifest: &Descriptor) -> Result<(), StoreError> {
        self.count()?;
        let limit = self.limits.graph.bytes;
        self.bytes = self.less(self.bytes, manifest.size, "bytes of manifests below one image", limit)?;
        Ok(())
    }

    /// Takes the bytes of a blob.
    ///
    /// # Errors
    /// As [`Budget::count`].
    pub(super) fn pay_blob(&mut self, blob: &Descriptor) -> Result<(), StoreError> {
        let limit = self.limits.graph.bytes;
        self.bytes = self.less(self.bytes, blob.size, "bytes of manifests and configs below one image", limit)?;
        Ok(())
    }

    /// A new budget for the evidence of one subject.
    pub(super) const fn evidence(&self) -> EvidenceBudget {
        EvidenceBudget::of(self.limits)
    }

    fn less(&self, left: u64, cost: u64, what: &'static str, limit: u64) -> Result<u64, StoreError> {
        let too_many = || StoreError::TooMany { place: self.source.origin().to_string(), what, limit };
        left.checked_sub(cost).ok_or_else(too_many)
    }
}

/// How many bytes of documents are held in memory at a time, unless one alone is larger. Parsing them takes as much
/// again.
pub(in crate::ops) const MAX_BATCH_BYTES: u64 = 4 << 20;

/// The bytes of manifests and blobs that may still be fetched and parsed as evidence for one subject. A blob that is
/// parsed twice counts twice. Concurrent tasks share one budget.
#[derive(Debug)]
pub(in crate::ops) struct EvidenceBudget(AtomicU64);

impl EvidenceBudget {
    pub(in crate::ops) const fn of(limits: &Limits) -> Self {
        Self(AtomicU64::new(limits.evidence.bytes))
    }

    /// The budget for documents that are fetched before it is known whether they are needed: [`MAX_BATCH_BYTES`] bytes.
    pub(in crate::ops) const fn read_ahead() -> Self {
        Self(AtomicU64::new(MAX_BATCH_BYTES))
    }

    /// Takes `bytes` out of the budget; `false`, and the budget is unchanged, where fewer are left.
    pub(in crate::ops) fn take(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok()
    }
}
