//! `Sink`: a store that content is written to.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::ordered;
use crate::store::Blob;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;

/// A store that content can be written to.
pub trait Sink: Source {
    /// Whether the store has the blob.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not tell.
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>>;

    /// Whether the store has the manifest.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not tell.
    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>>;

    /// Mounts a blob from another repository of the same registry, without a transfer; `false` if that is not possible,
    /// so that the blob must be pushed.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not respond.
    fn mount<'a>(&'a self, descriptor: &'a Descriptor, from: &'a str) -> Task<'a, Result<bool, StoreError>>;

    /// Stores a blob. It becomes visible only if all of it had the right length and digest.
    ///
    /// # Errors
    /// [`StoreError`] if the blob could not be read or stored.
    fn push_blob(&self, blob: Blob) -> Task<'_, Result<(), StoreError>>;

    /// Stores a small blob that is already in memory.
    ///
    /// # Errors
    /// As [`Sink::push_blob`].
    fn push_content<'a>(&'a self, content: &'a Content) -> Task<'a, Result<(), StoreError>> {
        self.push_blob(Blob::of(content))
    }

    /// Whether storing a small blob is known to cost no more than asking whether it exists.
    fn pushes_cheaply(&self) -> bool {
        false
    }

    /// Checks whether `tag` is valid for this store, without asking it.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if the store cannot have such a tag.
    fn check_tag(&self, _tag: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether a push moves a name that another image has, as registries do with tags.
    fn moves_names(&self) -> bool {
        true
    }

    /// The images that `name` currently stands for: none if it is free, several if it is ambiguous.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not tell.
    fn targets_of<'a>(&'a self, name: &'a str) -> Task<'a, Result<BTreeSet<Digest>, StoreError>> {
        Box::pin(async move {
            match self.resolve(&TagOrDigest::Tag(name.to_owned())).await {
                Ok(content) => Ok(ordered::set([*content.digest()])),
                Err(error) if error.is_not_found() => Ok(BTreeSet::new()),
                Err(error) => Err(error),
            }
        })
    }

    /// Whether the store is known to refuse a manifest whose blobs are missing.
    fn checks_blobs(&self) -> bool {
        false
    }

    /// Stores a manifest under its digest and, with a tag, under that name. Its blobs and children must exist already.
    ///
    /// # Errors
    /// [`StoreError`] if the store refuses it, or stored something else.
    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>>;

    /// Adds `entries` to the list of referrers of `subject` that the client has to maintain (the fallback tag).
    /// Existing entries are kept.
    ///
    /// # Errors
    /// [`StoreError`] if the list could not be read, written, or confirmed.
    fn merge_referrers<'a>(
        &'a self,
        subject: &'a Digest,
        entries: &'a [Descriptor],
    ) -> Task<'a, Result<(), StoreError>>;

    /// Sets a savepoint. [`Sink::rollback`] undoes later pushes that are not visible yet. A store in which pushes are
    /// visible at once has nothing to undo.
    fn mark(&self) {}

    /// Undoes the pushes since [`Sink::mark`], so that the next [`Sink::finish`] shows none of them.
    fn rollback(&self) {}

    /// Makes everything pushed so far durable and visible. A local store shows no pushed names before.
    ///
    /// # Errors
    /// [`StoreError`] if that failed.
    fn finish(&self) -> Task<'_, Result<(), StoreError>>;
}

/// The response of a store to a pushed manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the store itself lists the manifest as a referrer of its subject (`OCI-Subject`). If not, and the
    /// manifest has a subject, call [`Sink::merge_referrers`].
    pub listed: bool,
}
