//! `LimitedSource`: a source with a byte limit, which records whether the limit was exceeded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::store::Blob;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;

/// A source with a byte limit, to try a fast path on an image that may be large. Once [`LimitedSource::is_over`], its
/// results are invalid: the caller repeats the work without the limit.
pub struct LimitedSource {
    inner: Arc<dyn Source>,
    left: AtomicU64,
    limit: u64,
    over: AtomicBool,
}

impl LimitedSource {
    /// A source that returns at most `limit` bytes from `inner`.
    pub fn new(inner: Arc<dyn Source>, limit: u64) -> Self {
        Self { inner, left: AtomicU64::new(limit), limit, over: AtomicBool::new(false) }
    }

    /// Whether more bytes were requested than the limit, or than the source itself allows.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Subtracts `bytes` from the limit.
    fn consume(&self, bytes: u64) -> Result<(), StoreError> {
        let less = |left: u64| left.checked_sub(bytes);
        match self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less) {
            Ok(_) => Ok(()),
            Err(_) => {
                self.over.store(true, Ordering::Release);
                let (place, what) = (self.origin().to_string(), "bytes at first sight");
                Err(StoreError::TooMany { place, what, limit: self.limit })
            }
        }
    }

    /// Passes `error` on, and records whether it reports an exceeded limit.
    fn note_limit(&self, error: StoreError) -> StoreError {
        let more = match &error {
            StoreError::Manifest { error, .. } => error.is_limit(),
            StoreError::TooLarge { .. } | StoreError::TooMany { .. } => true,
            _ => false,
        };
        self.over.fetch_or(more, Ordering::AcqRel);
        error
    }
}

impl Source for LimitedSource {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(async move {
            let content = self.inner.resolve(tag_or_digest).await.map_err(|error| self.note_limit(error))?;
            self.consume(content.descriptor().size).map(|()| content)
        })
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(async move {
            self.consume(descriptor.size)?;
            self.inner.manifest(descriptor).await.map_err(|error| self.note_limit(error))
        })
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(async move {
            self.consume(descriptor.size)?;
            self.inner.blob(descriptor, limit).await.map_err(|error| self.note_limit(error))
        })
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        self.inner.open(descriptor)
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        Box::pin(async move {
            let listing = self.inner.referrers(subject, artifact_type).await.map_err(|error| self.note_limit(error))?;
            let Some(listing) = listing else { return Ok(None) };
            let unread = listing.unread.map(|error| self.note_limit(error));
            self.consume(listing.entries.iter().map(entry_bytes).fold(0, u64::saturating_add))?;
            Ok(Some(Listing { unread, ..listing }))
        })
    }

    fn has_referrers_api(&self) -> Option<bool> {
        self.inner.has_referrers_api()
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        self.inner.names()
    }

    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        self.inner.names_of(tag_or_digest)
    }

    fn origin(&self) -> Origin {
        self.inner.origin()
    }

    fn checked_when_opened(&self) -> Option<&BTreeMap<Digest, u64>> {
        self.inner.checked_when_opened()
    }

    fn is_evidence(&self) -> bool {
        self.inner.is_evidence()
    }

    fn chooses_platform(&self) -> bool {
        self.inner.chooses_platform()
    }

    fn digest_header_mismatch(&self, digest: &Digest) -> Option<String> {
        self.inner.digest_header_mismatch(digest)
    }
}

/// The approximate size of an entry of a list in memory.
fn entry_bytes(entry: &Descriptor) -> u64 {
    let texts = entry.annotations.iter().map(|(key, value)| key.len().saturating_add(value.len()));
    let bytes = texts.fold(entry.media_type.len(), usize::saturating_add).saturating_add(size_of::<Descriptor>());
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    use super::*;
    use crate::limits::Limits;
    use crate::oci::media_type;
    use crate::store::Memory;
    use crate::store::Sink as _;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a store in memory waited"),
        }
    }

    #[test]
    fn more_than_it_gives_out_is_remembered() {
        let index = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
        let index = Content::from_bytes(media_type::OCI_INDEX, index);
        let size = index.descriptor().size;
        let memory = Memory::new(Limits::DEFAULT.with(|limits| limits.oci.manifest_bytes = size));
        let _pushed = now(memory.push_manifest(&index, Some("v"))).unwrap();
        let memory: Arc<dyn Source> = Arc::new(memory);
        let metered = |limit| LimitedSource::new(Arc::clone(&memory), limit);
        let tag = TagOrDigest::Tag("v".to_owned());

        let enough = metered(2 * size);
        assert!(now(enough.resolve(&tag)).is_ok() && now(enough.manifest(index.descriptor())).is_ok());
        assert!(
            now(enough.resolve(&TagOrDigest::Tag("w".to_owned()))).unwrap_err().is_not_found() && !enough.is_over()
        );
        assert!(now(enough.blob(index.descriptor(), size)).is_err() && enough.is_over());
        let little = metered(size - 1);
        assert!(now(little.resolve(&tag)).is_err() && little.is_over());
        // An exceeded limit of the inner source counts too.
        let source = metered(u64::MAX);
        let larger = Descriptor { size: size + 1, ..index.descriptor().clone() };
        assert!(now(source.manifest(&larger)).is_err() && source.is_over());
    }
}
