//! A repository of a registry as a `Source` and a `Sink`. Every error from here is redacted.

use std::sync::atomic::Ordering;

use super::blob_download;
use super::manifests;
use super::referrers;
use super::referrers_tag;
use super::repository::Repository;
use super::tags;
use super::upload;
use super::upload_session;
use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::store::Blob;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Pushed;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;

impl Source for Repository {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        self.redacting(manifests::resolve(self, tag_or_digest))
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        self.redacting(manifests::fetch(self, descriptor))
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        self.redacting(blob_download::whole(self, descriptor, limit))
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        self.redacting(blob_download::open(self, descriptor))
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        self.redacting(async move {
            let mut listing = referrers::list(self, subject, artifact_type).await?;
            let unread = listing.as_mut().and_then(|listing| listing.unread.take());
            if let Some(listing) = &mut listing {
                listing.unread = unread.map(|error| self.without_secrets(error));
            }
            Ok(listing)
        })
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        self.redacting(tags::list(self))
    }

    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        vec![self.place(tag_or_digest)]
    }

    fn origin(&self) -> Origin {
        Origin::Registry { host: self.host().to_owned(), repository: self.name().to_owned() }
    }

    fn digest_header_mismatch(&self, digest: &Digest) -> Option<String> {
        self.header_mismatch(digest)
    }
}

impl Sink for Repository {
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        self.redacting(upload_session::is_there(self, descriptor))
    }

    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        self.redacting(manifests::is_there(self, descriptor))
    }

    fn mount<'a>(&'a self, descriptor: &'a Descriptor, from: &'a str) -> Task<'a, Result<bool, StoreError>> {
        self.redacting(upload::mount(self, descriptor, from))
    }

    fn push_blob(&self, blob: Blob) -> Task<'_, Result<(), StoreError>> {
        self.redacting(upload::push(self, blob))
    }

    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>> {
        self.redacting(manifests::push(self, content, tag))
    }

    fn pushes_cheaply(&self) -> bool {
        self.client.capabilities.single_post.load(Ordering::Relaxed)
    }

    fn check_tag(&self, tag: &str) -> Result<(), StoreError> {
        manifests::check_tag(self, tag)
    }

    fn checks_blobs(&self) -> bool {
        self.validates_manifests()
    }

    fn merge_referrers<'a>(
        &'a self,
        subject: &'a Digest,
        entries: &'a [Descriptor],
    ) -> Task<'a, Result<(), StoreError>> {
        self.redacting(referrers_tag::add(self, subject, entries))
    }

    fn finish(&self) -> Task<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
