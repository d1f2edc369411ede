//! Downloads of blobs: whole, or as a stream that resumes with a range request if the connection breaks.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::CONTENT_RANGE;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use reqwest::header::RANGE;

use super::address::host_and_port;
use super::repository::Repository;
use super::request::ApiRequest;
use super::request::BodyMode;
use super::response::ApiResponse;
use super::response::ResponseBody;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::text::number;
use super::transport::IncomingBody;
use super::transport::length;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::store::Blob;
use crate::store::BlobStream;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::ConnectionFault;
use crate::store::error::ProtocolFault;

/// Downloads a blob of at most `limit` bytes, and checks its size and digest.
pub(super) async fn whole(repository: &Repository, descriptor: &Descriptor, limit: u64) -> Result<Content, StoreError> {
    let what = repository.place_of(&descriptor.digest);
    if descriptor.size > limit {
        return Err(StoreError::TooLarge { what, limit });
    }
    // One byte more than declared shows that the response is too long.
    let response = ask(repository, descriptor, 0, BodyMode::Prefix(descriptor.size.saturating_add(1))).await?;
    let response = response.expect(&[StatusCode::OK])?;
    Content::check(descriptor, response.into_bytes())
        .map_err(|error| StoreError::Content { place: repository.shown().to_owned(), error })
}

/// Opens a download as a [`Blob`], which checks size and digest. It resumes with a range request if the connection
/// breaks.
pub(super) async fn open(repository: &Repository, descriptor: &Descriptor) -> Result<Blob, StoreError> {
    let mut download = BlobDownload {
        at: 0,
        body: None,
        descriptor: descriptor.clone(),
        from: repository.client.base.clone(),
        marked: 0,
        repository: repository.clone(),
        retry: repository.client.transport.retry_state(),
        skip: 0,
    };
    download.connect().await?;
    Ok(Blob::new(descriptor.clone(), repository.shown().to_owned(), Box::new(download)))
}

/// A download of a blob.
struct BlobDownload {
    /// The number of bytes passed on.
    at: u64,
    body: Option<IncomingBody>,
    descriptor: Descriptor,
    /// The URL that the body comes from, after redirects.
    from: Url,
    /// The number of bytes passed on when the attempts were last reset.
    marked: u64,
    repository: Repository,
    retry: RetryState,
    /// The number of bytes at the start of the body that were passed on before.
    skip: u64,
}

impl BlobDownload {
    /// Requests the remaining bytes.
    async fn connect(&mut self) -> Result<(), StoreError> {
        let response = ask(&self.repository, &self.descriptor, self.at, BodyMode::Stream).await?;
        let response = response.expect(&[StatusCode::OK, StatusCode::PARTIAL_CONTENT])?;
        self.skip = match response.status {
            // A registry without range requests sends the blob from its start (threats: range-ignored).
            StatusCode::OK => self.at,
            _ if self.at > 0 && starts_at(&response.headers, self.at, self.descriptor.size) => 0,
            _ => return Err(response.protocol_error(ProtocolFault::WrongRange)),
        };
        self.from = response.url;
        self.body = match response.body {
            ResponseBody::Stream(body) => Some(*body),
            ResponseBody::Error(_) | ResponseBody::Whole(_) => None,
        };
        Ok(())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        loop {
            let Some(body) = &mut self.body else {
                self.connect().await?;
                continue;
            };
            match body.next().await {
                Ok(Some(piece)) => {
                    if let Some(piece) = self.unseen(piece) {
                        return Ok(Some(piece));
                    }
                }
                Ok(None) if self.at >= self.descriptor.size => return Ok(None),
                // The body is shorter than the descriptor says, whatever the headers said (threats: truncated-body).
                Ok(None) => self.broke(ConnectionFailure::Closed, ConnectionFault::EndedEarly).await?,
                Err((failure, fault)) => self.broke(failure, fault).await?,
            }
        }
    }

    /// The part of `piece` that was not passed on before.
    fn unseen(&mut self, mut piece: Bytes) -> Option<Bytes> {
        let skipped = self.skip.min(length(&piece));
        self.skip -= skipped;
        let piece = piece.split_off(usize::try_from(skipped).unwrap_or(piece.len()));
        self.at = self.at.saturating_add(length(&piece));
        self.repository.client.transport.settings.deadline.record_progress();
        (!piece.is_empty()).then_some(piece)
    }

    /// Backs off before the next attempt.
    ///
    /// # Errors
    /// The error of the connection, if no retry is left.
    async fn broke(&mut self, failure: ConnectionFailure, fault: ConnectionFault) -> Result<(), StoreError> {
        self.body = None;
        if self.at - self.marked >= PROGRESS {
            self.marked = self.at;
            self.retry.progressed();
        }
        match self.retry.after_failure(failure) {
            Some(pause) => {
                self.repository.client.transport.log_retry(&self.from, self.retry.attempt(), pause, &fault);
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(StoreError::Unreachable {
                place: host_and_port(&self.from),
                reason: ConnectionFault::Interrupted {
                    at: self.at,
                    fault: Box::new(fault),
                    size: self.descriptor.size,
                },
                what: self.repository.place_of(&self.descriptor.digest),
            }),
        }
    }
}

impl BlobStream for BlobDownload {
    fn next(&mut self) -> Task<'_, Result<Option<Bytes>, StoreError>> {
        let (repository, digest) = (self.repository.clone(), self.descriptor.digest);
        let describe = move || (repository.place_of(&digest), format!("reading it from {}", repository.shown()));
        let client = Arc::clone(&self.repository.client);
        Box::pin(async move {
            let piece = client.transport.within(describe, self.piece()).await;
            piece.map_err(|error| self.repository.without_secrets(error))
        })
    }

    fn rewind(&mut self) -> Task<'_, Result<bool, StoreError>> {
        self.at = 0;
        self.marked = 0;
        self.body = None;
        Box::pin(std::future::ready(Ok(true)))
    }
}

async fn ask(
    repository: &Repository,
    descriptor: &Descriptor,
    from: u64,
    body_mode: BodyMode,
) -> Result<ApiResponse, StoreError> {
    let url = repository.url(&format!("blobs/{}", descriptor.digest));
    let what = repository.place_of(&descriptor.digest);
    let mut request = ApiRequest::get(url, repository.name(), body_mode, what);
    if let BodyMode::Prefix(size) = body_mode {
        request.size = size;
    }
    request.scope.access = repository.reading();
    if from > 0
        && let Ok(value) = HeaderValue::from_str(&format!("bytes={from}-"))
    {
        request = request.header(RANGE, value);
    }
    repository.client.send(&request).await
}

/// Whether a response has the requested range: from `from` to the end of `size` bytes. RFC 9110 section 14.4.
fn starts_at(headers: &HeaderMap, from: u64, size: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).and_then(parse_range);
    range.is_some_and(|(first, last, whole)| {
        first == from && last.checked_add(1) == Some(size) && whole.is_none_or(|whole| whole == size)
    })
}

/// Parses `bytes FIRST-LAST/WHOLE`, where the whole may be `*`.
fn parse_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, whole) = text.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let whole = if whole == "*" { None } else { Some(number(whole)?) };
    Some((number(first)?, number(last)?, whole))
}

/// The number of received bytes that resets the attempts.
const PROGRESS: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_the_range_that_was_asked_for() {
        let starts = |text: &str| {
            let headers = [(CONTENT_RANGE, text.parse().unwrap())].into_iter().collect();
            starts_at(&headers, 5, 10)
        };
        assert!(starts("bytes 5-9/10"));
        assert!(starts("bytes 5-9/*"));
        for text in
            ["", "bytes 4-9/10", "bytes 5-8/10", "bytes 5-9/11", "5-9/10", "bytes */10", "bytes +5-9/10", "bytes 5-/10"]
        {
            assert!(!starts(text), "{text:?} was accepted");
        }
        assert!(!starts_at(&HeaderMap::new(), 5, 10));
    }
}
