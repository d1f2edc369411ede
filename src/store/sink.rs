//! `Sink`: a store that content is written to.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::store::Blob;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;

/// Where content can be put.
pub trait Sink: Source {
    /// Whether the blob with this descriptor is there.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>>;

    /// Whether the manifest with this descriptor is there.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>>;

    /// Takes a blob over from another repository of the same registry, without moving bytes; `false` where that is
    /// not to be had and the blob must be pushed.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn mount<'a>(&'a self, descriptor: &'a Descriptor, from: &'a str) -> Task<'a, Result<bool, StoreError>>;

    /// Stores a blob. Nothing becomes visible unless the whole of it had the right length and digest.
    ///
    /// # Errors
    /// Where the blob could not be read or stored.
    fn push_blob(&self, blob: Blob) -> Task<'_, Result<(), StoreError>>;

    /// Stores a small blob that is already in memory.
    ///
    /// # Errors
    /// As [`Sink::push_blob`].
    fn push_content<'a>(&'a self, content: &'a Content) -> Task<'a, Result<(), StoreError>> {
        self.push_blob(Blob::of(content))
    }

    /// Whether a small blob is known to cost no more to store than to ask for.
    fn stores_at_once(&self) -> bool {
        false
    }

    /// Whether something can stand under `tag`, as far as can be told without asking.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] where the store can have no such tag.
    fn check_tag(&self, _tag: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether a name that stands for another image is moved by a push, as the tag of a registry is.
    fn moves_names(&self) -> bool {
        true
    }

    /// The images for which `name` stands here now: none where it is free, several where it could mean several.
    ///
    /// # Errors
    /// Where the store gives no answer.
    fn holders<'a>(&'a self, name: &'a str) -> Task<'a, Result<BTreeSet<Digest>, StoreError>> {
        Box::pin(async move {
            match self.resolve(&TagOrDigest::Tag(name.to_owned())).await {
                Ok(content) => Ok(BTreeSet::from([*content.digest()])),
                Err(error) if error.is_not_found() => Ok(BTreeSet::new()),
                Err(error) => Err(error),
            }
        })
    }

    /// Whether the store is known to refuse a manifest whose blobs it does not have.
    fn checks_blobs(&self) -> bool {
        false
    }

    /// Stores a manifest under its digest and, with a tag, under that name. Blobs and children must be there already.
    ///
    /// # Errors
    /// Where the store refuses it, or stored something else.
    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>>;

    /// Makes `entries` known as referrers of `subject` in the list that the store itself does not keep (the fallback
    /// tag): merged into what stands there, never replacing it.
    ///
    /// # Errors
    /// Where the list could not be read, written, or seen to hold.
    fn list_referrers<'a>(&'a self, subject: &'a Digest, entries: &'a [Descriptor])
    -> Task<'a, Result<(), StoreError>>;

    /// Marks a point to which [`Sink::go_back`] takes back what is pushed after it and not visible yet. A store in which
    /// what is pushed is visible at once has nothing to take back.
    fn mark(&self) {}

    /// Takes back what was pushed since [`Sink::mark`], so that the next [`Sink::finish`] shows none of it.
    fn go_back(&self) {}

    /// Makes everything pushed so far durable and visible. Until then a local store may hold names back.
    ///
    /// # Errors
    /// Where the store could not be brought up to date.
    fn finish(&self) -> Task<'_, Result<(), StoreError>>;
}

/// What a store said when it took a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the store itself lists the manifest as a referrer of its subject (`OCI-Subject`). If not, and the
    /// manifest has a subject, [`Sink::list_referrers`] is still to be called.
    pub listed: bool,
}
