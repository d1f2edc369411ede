//! `Allowance`: how many manifests, of how many bytes, are followed below one image before it is given up.

use crate::limits::Limits;
use crate::store::Source;
use crate::store::StoreError;

/// What may still be followed. Depth alone bounds nothing: three indexes inside each other have room for a billion.
pub(super) struct Allowance<'a> {
    bytes: u64,
    limits: &'a Limits,
    manifests: u64,
}

impl<'a> Allowance<'a> {
    pub(super) const fn of(limits: &'a Limits) -> Self {
        Self { bytes: limits.graph.bytes, limits, manifests: limits.graph.manifests }
    }

    /// Takes one manifest more of what there is in `source`.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: what is beyond is not known, so there is no answer.
    pub(super) fn follow(&mut self, source: &dyn Source) -> Result<(), StoreError> {
        match self.manifests.checked_sub(1) {
            Some(left) => {
                self.manifests = left;
                Ok(())
            }
            None => too_many(source, "manifests below one image", self.limits.graph.manifests),
        }
    }

    /// Takes the bytes of a manifest that is to be fetched.
    ///
    /// # Errors
    /// As [`Allowance::follow`].
    pub(super) fn fetch(&mut self, source: &dyn Source, size: u64) -> Result<(), StoreError> {
        match self.bytes.checked_sub(size) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => too_many(source, "bytes of manifests below one image", self.limits.graph.bytes),
        }
    }
}

fn too_many(source: &dyn Source, what: &'static str, limit: u64) -> Result<(), StoreError> {
    Err(StoreError::TooMany { place: source.origin().to_string(), what, limit })
}
