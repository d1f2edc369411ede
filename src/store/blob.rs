//! `Blob`: a content stream that checks length and digest: the last piece is released only if both are correct.

use bytes::Bytes;

use crate::digest::Hasher;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel::Permit;
use crate::store::transfer_progress;

/// A stream of the unchecked pieces of a blob, which a store provides.
pub trait BlobStream: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>>;

    /// Goes back to the beginning if the source can be read again, so that a broken upload can be repeated. Returns
    /// whether it did.
    fn rewind(&mut self) -> Task<'_, Result<bool, StoreError>> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

/// A stream of content with a descriptor.
///
/// The pieces are hashed as they pass, and the last one is held back until length and digest are verified, so a reader
/// that received a whole blob received the right one. It reads at most one piece more than the declared length.
pub struct Blob {
    stream: Box<dyn BlobStream>,
    descriptor: Descriptor,
    /// The first error, which every later call repeats.
    failed: Option<StoreError>,
    hasher: Option<Hasher>,
    held: Option<Bytes>,
    /// Whether progress is reported.
    reports_progress: bool,
    place: String,
    seen: u64,
    permit: Option<Permit>,
}

impl Blob {
    /// A blob of `descriptor`, read from `stream`; `place` names the source in errors.
    pub fn new(descriptor: Descriptor, place: String, stream: Box<dyn BlobStream>) -> Self {
        let hasher = Some(Hasher::new(descriptor.digest.algorithm()));
        Self {
            stream,
            descriptor,
            failed: None,
            hasher,
            held: None,
            reports_progress: false,
            place,
            seen: 0,
            permit: None,
        }
    }

    /// A blob of content that is in memory.
    pub fn of(content: &Content) -> Self {
        let whole = content.shared();
        let stream = ContentStream { left: Some(whole.clone()), whole };
        Self::new(content.descriptor().clone(), "memory".to_owned(), Box::new(stream))
    }

    /// The same blob, which holds `permit` until its last piece was returned.
    #[must_use]
    pub fn holding(self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// The same blob, which reports the progress of its transfer.
    #[must_use]
    pub fn with_progress(self) -> Self {
        Self { reports_progress: true, ..self }
    }

    /// The descriptor that the content must match.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The next piece; `None` after the last one, which is returned only if length and digest match.
    ///
    /// # Errors
    /// [`StoreError::Content`] if length or digest differ, and any error of the source; every later call repeats it.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let next = self.advance().await;
        if let Err(error) = &next {
            self.failed = Some(error.clone());
            self.held = None;
            self.permit = None;
        }
        next
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, StoreError> {
        while let Some(hasher) = &mut self.hasher {
            match self.stream.next().await? {
                Some(piece) if piece.is_empty() => {}
                Some(piece) => {
                    hasher.update(&piece);
                    self.seen = self.seen.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                    if self.reports_progress {
                        transfer_progress::transferred(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                    }
                    if self.seen > self.descriptor.size {
                        return Err(self.wrong_size());
                    }
                    if let Some(released) = self.held.replace(piece) {
                        return Ok(Some(released));
                    }
                }
                None => self.finish()?,
            }
        }
        Ok(self.held.take())
    }

    /// Goes back to the first piece, and starts hashing again. Returns whether the source can do that.
    ///
    /// # Errors
    /// Any error of the source.
    pub async fn rewind(&mut self) -> Result<bool, StoreError> {
        let done = self.stream.rewind().await?;
        if done {
            self.hasher = Some(Hasher::new(self.descriptor.digest.algorithm()));
            self.held = None;
            self.seen = 0;
        }
        Ok(done)
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        self.permit = None;
        if self.seen != self.descriptor.size {
            return Err(self.wrong_size());
        }
        let want = self.descriptor.digest;
        match self.hasher.take().map(Hasher::finish) {
            Some(got) if got == want => Ok(()),
            Some(got) => Err(self.wrong(ContentError::Digest { want, got })),
            None => Ok(()),
        }
    }

    fn wrong_size(&self) -> StoreError {
        let Descriptor { digest, size, .. } = self.descriptor;
        self.wrong(ContentError::Size { digest, want: size, got: self.seen })
    }

    fn wrong(&self, error: ContentError) -> StoreError {
        StoreError::Content { place: self.place.clone(), error }
    }
}

struct ContentStream {
    left: Option<Bytes>,
    whole: Bytes,
}

impl BlobStream for ContentStream {
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.left.take())))
    }

    fn rewind(&mut self) -> Task<'_, Result<bool, StoreError>> {
        self.left = Some(self.whole.clone());
        Box::pin(std::future::ready(Ok(true)))
    }
}
