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

/// A blob that is being uploaded. Its beginning is buffered, up to a limit, so that it can be sent again to a registry
/// that refuses early; beyond the limit the source has to be read a second time.
pub(super) struct UploadBody {
    inner: Mutex<UploadBuffer>,
    deadline: Deadline,
    /// The number of bytes handed out in the current round.
    sent: AtomicU64,
    size: u64,
    /// Whether it waits for the source, which does not count as a stall of the registry.
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

/// A reader of the upload body from its beginning; it ends early once another reader is created.
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

    /// The error of the source, if there was one.
    pub(super) async fn error(&self) -> Option<StoreError> {
        self.inner.lock().await.error.clone()
    }

    /// Whether every byte was handed out; a [`Blob`] ensures that they are the right ones.
    pub(super) fn is_done(&self) -> bool {
        self.sent.load(Ordering::Acquire) >= self.size
    }

    /// A new reader from the beginning; `None` if the source cannot be read again. Earlier readers end.
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

    /// Awaits `sending` as long as the registry accepts data within `idle`, and for `answer` after the last byte was
    /// sent.
    pub(super) async fn with_stall_timeout<T>(
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
                self.deadline.record_progress();
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
        if self.complete && self.kept_bytes <= MAX_BUFFERED {
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

    /// The next `size` bytes, or fewer at the end.
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

    /// Skips the next `size` bytes.
    pub(super) async fn skip(&mut self, mut size: u64) -> Result<(), StoreError> {
        while size > 0 {
            let skipped = length(&self.chunk(size.min(MAX_BUFFERED)).await?);
            if skipped == 0 {
                break;
            }
            size = size.saturating_sub(skipped);
        }
        Ok(())
    }

    /// The remaining bytes, as the body of a request.
    pub(super) fn into_body(self) -> reqwest::Body {
        reqwest::Body::wrap_stream(stream::try_unfold(self, |mut reader| async {
            match reader.next().await {
                Ok(piece) => Ok(piece.map(|piece| (piece, reader))),
                Err(error) => Err(io::Error::other(error)),
            }
        }))
    }
}

/// The limit of buffered bytes.
const MAX_BUFFERED: u64 = 1 << 20;
