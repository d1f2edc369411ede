//! The body of an upload: a blob that is read piece by piece, and again from its beginning if necessary.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use bytes::BytesMut;
use futures_util::stream;
use tokio::sync::Mutex;

use super::retry::ConnectionFailure;
use super::transport::TransportError;
use super::transport::length;
use crate::store::Blob;
use crate::store::Deadline;
use crate::store::StoreError;
use crate::store::error::ConnectionFault;

/// A blob that is being sent. Its beginning is kept in memory, up to a limit, so that it can be sent again to a registry
/// that refuses early; beyond the limit the source has to be read a second time.
pub(super) struct UploadBody {
    inner: Mutex<UploadBuffer>,
    deadline: Deadline,
    /// Bytes handed out in this round.
    sent: AtomicU64,
    size: u64,
    /// Whether the source is being waited for, which is not the registry's fault.
    waiting: AtomicBool,
}

struct UploadBuffer {
    blob: Blob,
    complete: bool,
    error: Option<StoreError>,
    kept: Vec<Bytes>,
    kept_bytes: u64,
    round: u64,
}

/// A reader of a feed, from its beginning, as long as no other reader was made.
pub(super) struct UploadReader {
    upload_body: Arc<UploadBody>,
    index: usize,
    left: Bytes,
    round: u64,
}

impl UploadBody {
    pub(super) fn new(blob: Blob, deadline: Deadline) -> Arc<Self> {
        let size = blob.descriptor().size;
        let inner = UploadBuffer { blob, complete: true, error: None, kept: Vec::new(), kept_bytes: 0, round: 0 };
        let (inner, sent, waiting) = (Mutex::new(inner), AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { inner, deadline, sent, size, waiting })
    }

    /// Why the source gave no more, if it did not.
    pub(super) async fn error(&self) -> Option<StoreError> {
        self.inner.lock().await.error.clone()
    }

    /// Whether everything was handed out: then it was the right blob.
    pub(super) fn is_done(&self) -> bool {
        self.sent.load(Ordering::Acquire) >= self.size
    }

    /// A reader from the beginning; `None` where the source cannot begin again. Readers made before give no more.
    pub(super) async fn reader(self: &Arc<Self>) -> Result<Option<UploadReader>, StoreError> {
        let mut inner = self.inner.lock().await;
        if !inner.complete {
            if !inner.blob.rewind().await? {
                return Ok(None);
            }
            inner.complete = true;
            inner.kept.clear();
            inner.kept_bytes = 0;
        }
        inner.round += 1;
        self.sent.store(0, Ordering::Release);
        Ok(Some(UploadReader { upload_body: Arc::clone(self), index: 0, left: Bytes::new(), round: inner.round }))
    }

    /// Lets `sending` go on as long as the registry takes something, and waits a while for its answer after the last of
    /// it was sent.
    pub(super) async fn watch<T>(
        &self,
        sending: impl Future<Output = Result<T, TransportError>>,
        idle: Duration,
        answer: Duration,
    ) -> Result<T, TransportError> {
        let mut sending = std::pin::pin!(sending);
        loop {
            let before = self.sent.load(Ordering::Acquire);
            let limit = if self.is_done() { answer } else { idle };
            if let Ok(result) = tokio::time::timeout(limit, sending.as_mut()).await {
                return result;
            }
            let moved = self.sent.load(Ordering::Acquire) != before;
            if !moved && !self.waiting.load(Ordering::Acquire) {
                let fault = ConnectionFault::NothingTaken(limit);
                return Err(TransportError::Transient(ConnectionFailure::Silent, fault));
            }
        }
    }

    async fn piece(&self, round: u64, index: usize) -> Result<Option<Bytes>, StoreError> {
        let mut inner = self.inner.lock().await;
        if inner.round != round {
            return Ok(None);
        }
        if let Some(kept) = inner.kept.get(index) {
            self.sent.fetch_add(length(kept), Ordering::AcqRel);
            return Ok(Some(kept.clone()));
        }
        self.waiting.store(true, Ordering::Release);
        let next = inner.blob.next().await;
        self.waiting.store(false, Ordering::Release);
        match next {
            Ok(Some(piece)) => {
                inner.keep(&piece);
                self.deadline.moved();
                self.sent.fetch_add(length(&piece), Ordering::AcqRel);
                Ok(Some(piece))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                inner.error = Some(error.clone());
                Err(error)
            }
        }
    }
}

impl UploadBuffer {
    fn keep(&mut self, piece: &Bytes) {
        self.kept_bytes = self.kept_bytes.saturating_add(length(piece));
        if self.complete && self.kept_bytes <= KEPT_MOST {
            self.kept.push(piece.clone());
        } else {
            self.complete = false;
            self.kept.clear();
        }
    }
}

impl UploadReader {
    /// The next piece, of any length.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let piece = self.upload_body.piece(self.round, self.index).await?;
        self.index += 1;
        Ok(piece)
    }

    /// The next `size` bytes, or what is left.
    pub(super) async fn chunk(&mut self, size: u64) -> Result<Bytes, StoreError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if self.left.len() >= size {
            return Ok(self.left.split_to(size));
        }
        let mut chunk = BytesMut::from(self.left.split_off(0).as_ref());
        while chunk.len() < size {
            let Some(mut piece) = self.next().await? else {
                break;
            };
            self.left = piece.split_off(piece.len().min(size - chunk.len()));
            chunk.extend_from_slice(&piece);
        }
        Ok(chunk.freeze())
    }

    /// Leaves out the next `size` bytes.
    pub(super) async fn skip(&mut self, mut size: u64) -> Result<(), StoreError> {
        while size > 0 {
            let skipped = length(&self.chunk(size.min(KEPT_MOST)).await?);
            if skipped == 0 {
                break;
            }
            size = size.saturating_sub(skipped);
        }
        Ok(())
    }

    /// All that is left, as the body of a request.
    pub(super) fn into_body(self) -> reqwest::Body {
        reqwest::Body::wrap_stream(stream::try_unfold(self, |mut reader| async {
            match reader.next().await {
                Ok(piece) => Ok(piece.map(|piece| (piece, reader))),
                Err(error) => Err(io::Error::other(error)),
            }
        }))
    }
}

/// How much of what was sent is kept, in bytes.
const KEPT_MOST: u64 = 1 << 20;
