//! Chunked uploads. Distribution specification, "Pushing a blob in chunks".
//!
//! Invariant: `at` is the number of bytes that the registry has confirmed, and every chunk starts exactly there. A
//! chunk is kept in memory until the registry confirmed all of it, so it can be sent again from any offset within it;
//! an offset outside of the current chunk means that the registry lost data, and the upload restarts. Chunks never
//! grow.
//!
//! 1. Refuse a registry whose minimum chunk length is over [`MAX_CHUNK`].
//! 2. To resume a session, ask for the confirmed offset (GET), and skip the source to it; if the registry does not tell
//!    the offset, open a new session.
//! 3. Read the next chunk from the source.
//! 4. PATCH the unconfirmed part of the chunk. The `Range` of the response is the new offset; if it is not the end of
//!    that part, ask for the offset.
//! 5. If the chunk is too large (413), halve the length, down to [`MIN_CHUNK`]. If the outcome is unknown (the
//!    connection broke, the registry is busy), back off, ask for the offset, and continue from there. If the registry
//!    confirms nothing more, back off as well; only bytes that were never confirmed before renew the attempts.
//! 6. Go back to 3 until the source is at its end.
//! 7. Close the session (PUT `?digest=`). If the session is gone (404, 416), check whether the blob exists (HEAD).

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::Url;
use reqwest::header::CONTENT_RANGE;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderValue;
use reqwest::header::LOCATION;
use tracing::debug;

use super::location::upload_location;
use super::request::RetryRule;
use super::response::ApiResponse;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::retry::is_busy;
use super::text::number;
use super::transport::TransportError;
use super::transport::length;
use super::upload_body::UploadBody;
use super::upload_session::BlobUpload;
use super::upload_session::UploadAttempt;
use super::upload_session::UploadRetry;
use super::upload_session::UploadSession;
use super::upload_session::is_there;
use super::upload_session::refused;
use crate::store::StoreError;
use crate::store::error::ConnectionFault;
use crate::store::error::ProtocolFault;
use crate::store::error::UploadFault;

/// Uploads a blob in chunks of at most `most` bytes, from the offset that the registry has confirmed in `session`. `Ok`
/// only if the registry confirmed that it stores the blob; otherwise how to retry, or a permanent error.
pub(super) async fn send(
    upload: &BlobUpload<'_>,
    session: UploadSession,
    upload_body: &Arc<UploadBody>,
    most: u64,
) -> UploadAttempt<()> {
    let least = session.chunk_min;
    if least > MAX_CHUNK {
        upload.cancel(&session.location).await;
        return Err(Err(upload.gave_up(UploadFault::ChunkMinimum(least))));
    }
    let mut chunked = ChunkedUpload { at: 0, least, location: session.location.clone(), upload };
    let Some(mut reader) = upload_body.reader().await.map_err(Err)? else {
        chunked.upload.cancel(&chunked.location).await;
        return Err(Err(upload.gave_up(UploadFault::NoSecondRead)));
    };
    if session.begun {
        match chunked.fetch_offset().await {
            Some(ChunkOutcome::Offset(at)) if at <= upload.descriptor.size => chunked.at = at,
            _ => chunked.location = upload.begin().await.map_err(Err)?.location,
        }
        reader.skip(chunked.at).await.map_err(Err)?;
    }
    let retry = upload.repository.client.transport.retry_state();
    let mut pacing = ChunkPacing { marked: chunked.at, most: most.max(least), retry };
    while chunked.at < upload.descriptor.size {
        let chunk = match reader.chunk(pacing.most).await {
            Ok(chunk) => chunk,
            Err(error) => {
                upload.cancel(&chunked.location).await;
                return Err(Err(error));
            }
        };
        chunked.deliver(chunk, &mut pacing).await?;
    }
    chunked.close().await
}

/// The current chunk length, in bytes, and the retries left.
struct ChunkPacing {
    /// The confirmed offset when the attempts were last renewed; it never decreases.
    marked: u64,
    most: u64,
    retry: RetryState,
}

/// An open chunked upload.
struct ChunkedUpload<'a> {
    /// The confirmed offset: how many bytes the registry has confirmed.
    at: u64,
    /// The minimum length of a chunk.
    least: u64,
    /// The `Location` of the latest response: the URL of the next request.
    location: Url,
    upload: &'a BlobUpload<'a>,
}

/// The outcome of a PATCH, or of asking for the offset.
enum ChunkOutcome {
    /// The offset that the registry confirmed, in bytes.
    Offset(u64),
    /// The chunk is too large and must be sent in smaller parts.
    TooLarge,
    /// The outcome is unknown: ask the registry for the offset.
    Unknown(TransportError),
    /// The registry lost the session.
    Lost,
}

impl ChunkedUpload<'_> {
    /// Steps 4 and 5: sends `chunk` until the registry has confirmed all of it. An offset outside of the chunk restarts
    /// the upload.
    async fn deliver(&mut self, chunk: Bytes, pacing: &mut ChunkPacing) -> UploadAttempt<()> {
        let start = self.at;
        let end = start.saturating_add(length(&chunk));
        while self.at < end {
            let from = usize::try_from(self.at - start).unwrap_or(usize::MAX);
            let part = chunk.slice(from.min(chunk.len())..);
            let part = part.slice(..part.len().min(usize::try_from(pacing.most).unwrap_or(usize::MAX)));
            match self.patch(part).await? {
                ChunkOutcome::Offset(at) if (start..=end).contains(&at) => {
                    self.at = at;
                    if at >= pacing.marked.saturating_add(MIN_CHUNK).min(end) {
                        pacing.marked = at;
                        pacing.retry.progressed();
                    } else {
                        // An offset that stands still, goes back or creeps would repeat the chunk without end
                        // (threats: broken-transfer).
                        let error = TransportError::Permanent(self.upload.gave_up(UploadFault::NoProgress));
                        self.back_off(error, pacing).await?;
                    }
                }
                ChunkOutcome::Offset(_) | ChunkOutcome::Lost => {
                    return Err(Ok(self.restart(UploadFault::Lost)));
                }
                ChunkOutcome::TooLarge => self.halve_chunk_length(pacing).await?,
                ChunkOutcome::Unknown(error) => self.recover_offset(error, pacing, start..=end).await?,
            }
        }
        Ok(())
    }

    /// Step 4: sends `part` in one PATCH and returns the offset that the registry confirms.
    async fn patch(&mut self, part: Bytes) -> Result<ChunkOutcome, Result<UploadRetry, StoreError>> {
        let sent = length(&part);
        let range = format!("{}-{}", self.at, (self.at + sent).saturating_sub(1));
        let mut request =
            self.upload.request(Method::PATCH, self.location.clone()).retry_rule(RetryRule::IfNotProcessed);
        request.body = part;
        request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Ok(range) = HeaderValue::from_str(&range) {
            request = request.header(CONTENT_RANGE, range);
        }
        let response = match self.upload.repository.client.send(&request).await {
            Ok(response) => response,
            Err(StoreError::Unreachable { reason, .. }) => {
                return Ok(ChunkOutcome::Unknown(TransportError::Transient(ConnectionFailure::Closed, reason)));
            }
            Err(error) => return Err(Err(error)),
        };
        debug!(digest = %self.upload.descriptor.digest, from = self.at, bytes = sent, "sent a chunk");
        let wanted = self.at + sent;
        match response.status.as_u16() {
            200 | 202 | 204 => {
                self.follow(&response).map_err(Err)?;
                match progress(&response) {
                    // A different offset may be outdated or right, so ask for it.
                    Some(at) if at != wanted => {
                        Ok(self.fetch_offset().await.map_or(ChunkOutcome::Offset(wanted), |at| at))
                    }
                    _ => Ok(ChunkOutcome::Offset(wanted)),
                }
            }
            // ECR responds with 201 and the offset of the previous request, which is ignored.
            201 => {
                self.follow(&response).map_err(Err)?;
                Ok(ChunkOutcome::Offset(wanted))
            }
            404 => Ok(ChunkOutcome::Lost),
            413 => Ok(ChunkOutcome::TooLarge),
            416 => match self.fetch_offset().await {
                Some(ChunkOutcome::Offset(at)) if at == self.at => Ok(ChunkOutcome::TooLarge),
                Some(step) => Ok(step),
                None => Ok(ChunkOutcome::Lost),
            },
            _ if is_busy(response.status) => Ok(ChunkOutcome::Unknown(TransportError::Permanent(response.error()))),
            _ => {
                self.upload.cancel(&self.location).await;
                Err(Err(refused(&response)))
            }
        }
    }

    /// Asks for the confirmed offset (GET); `None` if the registry does not tell it.
    async fn fetch_offset(&mut self) -> Option<ChunkOutcome> {
        let request = self.upload.request(Method::GET, self.location.clone());
        let response = self.upload.repository.client.send(&request).await.ok()?;
        match response.status.as_u16() {
            200..=204 => {
                self.follow(&response).ok()?;
                progress(&response).map(ChunkOutcome::Offset)
            }
            404 => Some(ChunkOutcome::Lost),
            _ => None,
        }
    }

    /// Step 5: backs off after an attempt with unknown outcome, then asks for the confirmed offset. It sends no
    /// content; an offset that is not `within` the chunk restarts the upload.
    async fn recover_offset(
        &mut self,
        error: TransportError,
        pacing: &mut ChunkPacing,
        within: std::ops::RangeInclusive<u64>,
    ) -> UploadAttempt<()> {
        self.back_off(error, pacing).await?;
        match self.fetch_offset().await {
            Some(ChunkOutcome::Offset(at)) if within.contains(&at) => {
                self.at = at;
                Ok(())
            }
            _ => Err(Ok(self.restart(UploadFault::Lost))),
        }
    }

    /// Step 5: counts a failed attempt and backs off; if no attempt is left, cancels the session and returns `error`.
    async fn back_off(&self, error: TransportError, pacing: &mut ChunkPacing) -> UploadAttempt<()> {
        let Some(pause) = pacing.retry.after_failure(ConnectionFailure::Silent) else {
            self.upload.cancel(&self.location).await;
            return Err(Err(error.error(&self.upload.repository.place_of(&self.upload.descriptor.digest))));
        };
        let transport = &self.upload.repository.client.transport;
        transport.log_retry(&self.location, pacing.retry.attempt(), pause, &"a chunk was not confirmed");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Step 5: halves the chunk length, down to [`MIN_CHUNK`] and the minimum of the registry, and remembers it for
    /// later uploads.
    async fn halve_chunk_length(&self, pacing: &mut ChunkPacing) -> UploadAttempt<()> {
        pacing.most /= 2;
        if pacing.most < MIN_CHUNK.max(self.least) {
            self.upload.cancel(&self.location).await;
            return Err(Err(self.upload.gave_up(UploadFault::NoSize)));
        }
        self.upload.learn_max_chunk(pacing.most);
        Ok(())
    }

    /// Step 7: closes the session with the digest; `Ok` only if the registry confirms the blob.
    async fn close(self) -> UploadAttempt<()> {
        let request = self.upload.request(Method::PUT, self.upload.closing(&self.location));
        let response = self.upload.repository.client.send(&request).await.map_err(Err)?;
        if self.upload.is_stored(&response) {
            return Ok(());
        }
        // The upload session is gone, or a response was lost (threats: lost-upload-session, lost-response).
        if matches!(response.status.as_u16(), 404 | 416) {
            return match is_there(self.upload.repository, &self.upload.descriptor).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Ok(self.restart(UploadFault::SessionGone))),
                Err(error) => Err(Err(error)),
            };
        }
        self.upload.cancel(&self.location).await;
        Err(Err(refused(&response)))
    }

    /// Uses the `Location` of a response as the URL of the next request; without one the URL stays.
    fn follow(&mut self, response: &ApiResponse) -> Result<(), StoreError> {
        if let Some(location) = response.headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
            let base = &self.upload.repository.client.base;
            self.location = upload_location(base, &response.url, location)
                .map_err(|fault| response.protocol_error(ProtocolFault::Location(fault)))?;
        }
        Ok(())
    }

    /// A retry from the beginning, in a new session.
    fn restart(&self, fault: UploadFault) -> UploadRetry {
        UploadRetry::Restart(TransportError::Transient(ConnectionFailure::Closed, ConnectionFault::Upload(fault)))
    }
}

/// Parses the `Range` header (`0-LAST`, with or without a unit) to the confirmed offset in bytes. `0-0` means an empty
/// upload.
fn progress(response: &ApiResponse) -> Option<u64> {
    parse_progress(response.header("range")?)
}

/// Parses the value of a `Range` header; `None` if it does not begin at 0 or is malformed.
fn parse_progress(text: &str) -> Option<u64> {
    let range = text.trim();
    let range = range.strip_prefix("bytes=").or_else(|| range.strip_prefix("bytes ")).unwrap_or(range);
    let (first, last) = range.split_once('-')?;
    match (number(first)?, number(last)?) {
        (0, 0) => Some(0),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}

/// The shortest chunk that is tried, in bytes.
const MIN_CHUNK: u64 = 64 << 10;
/// The longest chunk that is kept in memory, in bytes.
const MAX_CHUNK: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_progress_as_registries_tell_it() {
        assert_eq!(parse_progress("0-0"), Some(0));
        assert_eq!(parse_progress("0-1023"), Some(1024));
        assert_eq!(parse_progress("bytes=0-1023"), Some(1024));
        for text in ["", "-", "1-5", "0-", "0--5", "0-+5", "0-18446744073709551615", "0-1/5", "x"] {
            assert_eq!(parse_progress(text), None, "{text:?}");
        }
    }
}
