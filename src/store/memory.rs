//! `Memory`: an in-memory store, the reference for the behaviour of the others.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use bytes::Bytes;
use bytes::BytesMut;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Index;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::referrer::fallback_tag;
use crate::store::Blob;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Pushed;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::BrokenReason;
use crate::store::error::MissingContent;
use crate::store::error::ProtocolFault;

/// A repository in memory. Clones share its content.
///
/// It behaves like a registry: a manifest is accepted only if its blobs and children exist, and pushed content is
/// visible at once.
#[derive(Clone, Debug)]
pub struct Memory {
    held: Arc<Mutex<MemoryContents>>,
    has_referrers_api: bool,
    limits: Limits,
}

#[derive(Debug, Default)]
struct MemoryContents {
    blobs: BTreeMap<Digest, Bytes>,
    manifests: BTreeMap<Digest, Content>,
    /// The referrers of each subject, in the order of arrival.
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
    tags: BTreeMap<String, Digest>,
}

impl Memory {
    /// An empty store with a referrers API, as registries have.
    pub fn new(limits: Limits) -> Self {
        Self { held: Arc::default(), has_referrers_api: true, limits }
    }

    /// An empty store without a referrers API, so that the fallback tag is needed.
    pub fn without_referrers(limits: Limits) -> Self {
        Self { has_referrers_api: false, ..Self::new(limits) }
    }

    fn held(&self) -> MutexGuard<'_, MemoryContents> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, tag_or_digest: &TagOrDigest) -> Result<Content, StoreError> {
        let held = self.held();
        let digest = match tag_or_digest {
            TagOrDigest::Digest(digest) => Some(digest),
            TagOrDigest::Tag(tag) => held.tags.get(tag),
        };
        let content = digest.and_then(|digest| held.manifests.get(digest)).cloned();
        content.ok_or_else(|| match tag_or_digest {
            TagOrDigest::Digest(digest) => missing(*digest),
            TagOrDigest::Tag(tag) => {
                let content = MissingContent::Name { name: tag.clone(), origin: self.origin() };
                StoreError::NotFound { content }
            }
        })
    }

    fn find_blob(&self, descriptor: &Descriptor) -> Result<Bytes, StoreError> {
        let Descriptor { digest, size, .. } = descriptor;
        let bytes = self.held().blobs.get(digest).cloned();
        let bytes = bytes.ok_or_else(|| missing(*digest))?;
        match length(&bytes) {
            got if got == *size => Ok(bytes),
            got => Err(wrong(ContentError::Size { digest: *digest, want: *size, got })),
        }
    }

    fn fetch(&self, descriptor: &Descriptor, limit: u64) -> Result<Content, StoreError> {
        if descriptor.size > limit {
            return Err(StoreError::TooLarge { what: format!("{} in {PLACE}", descriptor.digest), limit });
        }
        let bytes = self.find_blob(descriptor)?;
        Content::check(descriptor, bytes).map_err(wrong)
    }

    /// Stores a manifest whose parts are all there, and adds it to the referrers of its subject.
    fn put(&self, content: &Content, tag: Option<&str>) -> Result<Pushed, StoreError> {
        let document = Document::parse(content, &self.limits).map_err(unreadable)?;
        let mut held = self.held();
        let parts: Vec<_> = match &document {
            Document::Artifact(artifact) => artifact.blobs.iter().collect(),
            Document::Index(index) => index.manifests.iter().collect(),
            Document::Manifest(manifest) => manifest.layers.iter().chain([&manifest.config]).collect(),
        };
        let is_there = |part: &Descriptor| {
            held.blobs.contains_key(&part.digest) || !part.urls.is_empty() || media_type::is_foreign(&part.media_type)
        };
        if let Some(part) = parts.iter().find(|part| !is_there(part)) {
            let reason = ProtocolFault::MissingPart { content: *content.digest(), part: part.digest };
            return Err(StoreError::Protocol { place: PLACE.to_owned(), reason });
        }
        held.blobs.insert(*content.digest(), content.shared());
        held.manifests.insert(*content.digest(), content.clone());
        held.tags.extend(tag.map(|tag| (tag.to_owned(), *content.digest())));
        let Some(subject) = document.subject() else { return Ok(Pushed { listed: false }) };
        let entry = Descriptor {
            annotations: document.annotations().clone(),
            artifact_type: document.artifact_type().map(str::to_owned),
            ..content.descriptor().bare()
        };
        add_missing(held.referrers.entry(subject.digest).or_default(), &[entry]);
        Ok(Pushed { listed: self.has_referrers_api })
    }

    fn merge(&self, subject: &Digest, entries: &[Descriptor]) -> Result<(), StoreError> {
        let tag = fallback_tag(subject);
        let mut manifests = match self.find(&TagOrDigest::Tag(tag.clone())) {
            Ok(content) => Index::parse(&content, &self.limits).map_err(unreadable)?.manifests,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error),
        };
        add_missing(&mut manifests, entries);
        let list =
            serde_json::json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests });
        let bytes = json::to_go(&list)
            .map_err(|error| StoreError::Broken { place: PLACE.to_owned(), reason: BrokenReason::Unwritable(error) })?;
        self.put(&Content::from_bytes(media_type::OCI_INDEX, bytes), Some(&tag)).map(drop)
    }
}

impl Source for Memory {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(ready(self.find(tag_or_digest)))
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(ready(self.fetch(descriptor, self.limits.oci.manifest_bytes)))
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(ready(self.fetch(descriptor, limit)))
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        let content = self.fetch(descriptor, u64::MAX);
        Box::pin(ready(content.map(|content| Blob::of(&content))))
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        let mut entries = self.held().referrers.get(subject).cloned().unwrap_or_default();
        let limit = self.limits.graph.referrers;
        if count(entries.len()) > limit {
            let error = StoreError::TooMany { place: PLACE.to_owned(), what: "referrers", limit };
            return Box::pin(ready(Err(error)));
        }
        entries.retain(|entry| artifact_type.is_none() || entry.artifact_type.as_deref() == artifact_type);
        let listing = Listing { entries, filtered: artifact_type.is_some(), unread: None };
        Box::pin(ready(Ok(self.has_referrers_api.then_some(listing))))
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        Box::pin(ready(Ok(self.held().tags.keys().cloned().collect())))
    }

    fn origin(&self) -> Origin {
        Origin::Local(PLACE.to_owned())
    }
}

impl Sink for Memory {
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        Box::pin(ready(Ok(self.held().blobs.contains_key(&descriptor.digest))))
    }

    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        Box::pin(ready(Ok(self.held().manifests.contains_key(&descriptor.digest))))
    }

    fn mount<'a>(&'a self, _: &'a Descriptor, _: &'a str) -> Task<'a, Result<bool, StoreError>> {
        Box::pin(ready(Ok(false)))
    }

    fn push_blob(&self, mut blob: Blob) -> Task<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut whole = BytesMut::new();
            while let Some(piece) = blob.next().await? {
                whole.extend_from_slice(&piece);
            }
            self.held().blobs.insert(blob.descriptor().digest, whole.freeze());
            Ok(())
        })
    }

    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>> {
        Box::pin(ready(self.put(content, tag)))
    }

    fn merge_referrers<'a>(
        &'a self,
        subject: &'a Digest,
        entries: &'a [Descriptor],
    ) -> Task<'a, Result<(), StoreError>> {
        Box::pin(ready(self.merge(subject, entries)))
    }

    fn finish(&self) -> Task<'_, Result<(), StoreError>> {
        Box::pin(ready(Ok(())))
    }
}

/// Adds the missing entries. An entry with the same digest but another size or media type is a different one.
fn add_missing(entries: &mut Vec<Descriptor>, more: &[Descriptor]) {
    for entry in more {
        if entries.iter().all(|present| present.bare() != entry.bare()) {
            entries.push(entry.clone());
        }
    }
}

fn missing(digest: Digest) -> StoreError {
    StoreError::NotFound { content: MissingContent::Digest { digest, place: PLACE.to_owned() } }
}

fn wrong(error: ContentError) -> StoreError {
    StoreError::Content { place: PLACE.to_owned(), error }
}

fn unreadable(error: crate::oci::ManifestError) -> StoreError {
    StoreError::Manifest { place: PLACE.to_owned(), error }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

const PLACE: &str = "memory";
