//! Uploads of blobs: in one request, in two, or in chunks. Distribution specification, "Pushing blobs".
//!
//! Invariant: `Ok` only where the registry confirmed that it stores the blob, after all of it was sent or after a HEAD
//! request found it. The bytes come out of a [`Blob`], which releases its last piece only if length and digest of the
//! whole are right, so a wrong blob is never sent to its end. The number of sessions and of attempts is bounded.
//!
//! A blob of at most [`MAX_SMALL_BLOB`] bytes:
//!
//! 1. Read and check the whole blob.
//! 2. POST it with `?digest=`, unless the registry is known not to accept that. 201: done.
//! 3. Otherwise open a session (POST) and close it with the whole blob (PUT `?digest=`).
//! 4. If the session is gone (404, 416), check whether the blob exists (HEAD); if not, start again at 2.
//!
//! A larger blob:
//!
//! 1. Open a session, or use the one that a declined mount opened.
//! 2. Unless the registry is known to require chunks, PUT the whole blob as a stream. If the registry does not accept
//!    it in one request (405, 411, 413, 416, 501), continue with chunks.
//! 3. If the connection broke, resume the session in chunks (`chunked_upload.rs`); if the session is gone, go back to
//!    1; if the registry is busy, back off; if the token expired, send again with a new one.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::Url;
use reqwest::header::CONTENT_LENGTH;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderValue;
use tracing::debug;

use super::chunked_upload;
use super::exchange::SendOutcome;
use super::repository::Repository;
use super::request::ApiRequest;
use super::response::ApiResponse;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::retry::is_busy;
use super::scope::RepositoryAccess;
use super::transport::TransportError;
use super::upload_body::UploadBody;
use super::upload_session::BlobUpload;
use super::upload_session::UploadAttempt;
use super::upload_session::UploadRetry;
use super::upload_session::UploadSession;
use super::upload_session::is_there;
use super::upload_session::next_location;
use super::upload_session::refused;
use crate::oci::Descriptor;
use crate::store::Blob;
use crate::store::StoreError;
use crate::store::error::ConnectionFault;
use crate::store::error::ProtocolFault;
use crate::store::error::UploadFault;

/// Mounts a blob from the repository `from` into `repository` (distribution specification, "Mounting a blob from
/// another repository"). `true` only if a HEAD request then found it in `repository`; on `false` upload it.
pub(super) async fn mount(repository: &Repository, descriptor: &Descriptor, from: &str) -> Result<bool, StoreError> {
    let mut url = repository.url("blobs/uploads/");
    url.query_pairs_mut().append_pair("mount", &descriptor.digest.to_string()).append_pair("from", from);
    let what = repository.place_of(&descriptor.digest);
    let access = RepositoryAccess::Mount(from.to_owned());
    let request = ApiRequest::new(Method::POST, url, repository.name(), access, what);
    let response = match repository.client.send(&request).await {
        Ok(response) => response,
        Err(StoreError::Denied { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    match response.status.as_u16() {
        // A reported mount may not have happened (threats: false-mount).
        201 => {
            let there = is_there(repository, descriptor).await?;
            debug!(digest = %descriptor.digest, from, there, "the registry reports a mounted blob");
            Ok(there)
        }
        202 => {
            // The registry opened an upload session instead, which the following push uses.
            debug!(digest = %descriptor.digest, from, "the registry declined to mount the blob");
            repository.keep_session(descriptor.digest, next_location(repository, &response)?);
            Ok(false)
        }
        429 => Err(response.error()),
        400..=499 => Ok(false),
        _ => Err(response.error()),
    }
}

/// Uploads `blob`: in one request, in two, or in chunks (steps of the module head). `Ok` only if the registry confirmed
/// that it stores the whole blob.
///
/// # Errors
/// [`StoreError`] unless the registry confirmed that it stores the blob.
pub(super) async fn push(repository: &Repository, blob: Blob) -> Result<(), StoreError> {
    let upload = BlobUpload { descriptor: blob.descriptor().clone(), repository };
    let (transport, digest) = (&repository.client.transport, blob.descriptor().digest);
    let describe = || (repository.place_of(&digest), format!("sending it to {}", repository.shown()));
    let deadline = transport.settings.deadline.clone();
    match blob.descriptor().size <= MAX_SMALL_BLOB {
        true => upload.small(blob).await?,
        false => transport.within(describe, upload.large(UploadBody::new(blob, deadline))).await?,
    }
    debug!(%digest, "uploaded a blob");
    Ok(())
}

impl BlobUpload<'_> {
    /// Uploads a blob of at most [`MAX_SMALL_BLOB`] bytes: all of it is read and its digest checked before any of it is
    /// sent.
    async fn small(&self, mut blob: Blob) -> Result<(), StoreError> {
        let mut whole = Vec::new();
        while let Some(piece) = blob.next().await? {
            whole.extend_from_slice(&piece);
        }
        let whole = Bytes::from(whole);
        let mut session = self.repository.take_session(&self.descriptor.digest);
        for _ in 0..MAX_RESTARTS {
            let location = match session.take() {
                Some(location) => location,
                None => match self.begin_with(&whole).await? {
                    Some(session) => session.location,
                    None => return Ok(()),
                },
            };
            let request = self.request(Method::PUT, self.closing(&location)).body(OCTETS, whole.clone());
            let response = self.repository.client.send(&request).await?;
            if self.is_stored(&response) {
                return Ok(());
            }
            // The upload session is gone, perhaps because a response was lost
            // (threats: lost-upload-session, lost-response).
            if !matches!(response.status.as_u16(), 404 | 416) {
                self.cancel(&location).await;
                return Err(refused(&response));
            }
            if is_there(self.repository, &self.descriptor).await? {
                return Ok(());
            }
        }
        Err(self.gave_up(UploadFault::SessionsGone))
    }

    /// Steps 2 and 3 of a small blob: sends it in a single POST, `None` if that stored it; otherwise opens an upload
    /// session.
    async fn begin_with(&self, whole: &Bytes) -> Result<Option<UploadSession>, StoreError> {
        let known = &self.repository.client.capabilities.no_single_post;
        if known.load(Ordering::Relaxed) {
            return self.begin().await.map(Some);
        }
        let mut url = self.repository.url("blobs/uploads/");
        url.query_pairs_mut().append_pair("digest", &self.descriptor.digest.to_string());
        let request = self.request(Method::POST, url).body(OCTETS, whole.clone());
        let response = self.repository.client.send(&request).await?;
        match response.status.as_u16() {
            201 => {
                self.repository.client.capabilities.single_post.store(true, Ordering::Relaxed);
                Ok(None)
            }
            202 => {
                // The registry ignored the content, so a single POST is not tried for later blobs.
                known.store(true, Ordering::Relaxed);
                debug!("the registry takes no blob in a single POST");
                self.session(&response).map(Some)
            }
            401 | 403 | 429 => Err(refused(&response)),
            400..=499 | 501 => {
                known.store(true, Ordering::Relaxed);
                debug!("the registry takes no blob in a single POST");
                self.begin().await.map(Some)
            }
            _ => Err(refused(&response)),
        }
    }

    /// Uploads a larger blob as a stream, in at most [`MAX_ATTEMPTS`] attempts; in chunks if the registry requires that
    /// or the connection broke.
    async fn large(&self, upload_body: Arc<UploadBody>) -> Result<(), StoreError> {
        let mut retry = self.repository.client.transport.retry_state();
        let location = self.repository.take_session(&self.descriptor.digest);
        let mut session = location.map(|location| UploadSession { chunk_min: 0, begun: false, location });
        let mut broke = false;
        for _ in 0..MAX_ATTEMPTS {
            let begun = match session.take() {
                Some(begun) => begun,
                None => self.begin().await?,
            };
            let known = *self.repository.client.capabilities.max_chunk.lock().unwrap_or_else(PoisonError::into_inner);
            // Only a chunked upload can be resumed.
            let tried = match known.or(broke.then_some(CHUNK)) {
                None => self.whole(begun, &upload_body).await,
                Some(cap) => chunked_upload::send(self, begun, &upload_body, cap).await,
            };
            let pause = match tried {
                Ok(()) => return Ok(()),
                Err(Err(error)) => return Err(error),
                Err(Ok(again)) => {
                    broke |= matches!(again, UploadRetry::Resume(..));
                    let (client, reason) = (&self.repository.client, again.reason());
                    let pause = self.pause(again, &mut session, &mut retry)?;
                    client.transport.log_retry(&client.base, retry.attempt(), pause, &reason);
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
        Err(self.gave_up(UploadFault::TooManyAttempts))
    }

    /// The back-off before the next attempt. Keeps the session if the attempt can continue it.
    ///
    /// # Errors
    /// The error of the attempt, if it is permanent or no retries are left.
    fn pause(
        &self,
        again: UploadRetry,
        session: &mut Option<UploadSession>,
        retry: &mut RetryState,
    ) -> Result<Duration, StoreError> {
        let error = match again {
            UploadRetry::Chunked => return Ok(Duration::ZERO),
            UploadRetry::BackOff(response) => {
                return retry.after_busy(&response.headers).ok_or_else(|| refused(&response));
            }
            UploadRetry::NewToken(kept, response) => {
                *session = Some(kept);
                return retry.after_failure(ConnectionFailure::Closed).ok_or_else(|| response.error());
            }
            UploadRetry::Restart(error) => error,
            UploadRetry::Resume(kept, error) => {
                *session = Some(kept);
                error
            }
        };
        match error {
            TransportError::Permanent(error) => Err(error),
            TransportError::Redirected(_, failure, fault) | TransportError::Transient(failure, fault) => {
                retry.after_failure(failure).ok_or_else(|| self.gave_up(UploadFault::from(fault)))
            }
        }
    }

    /// Sends the whole blob in one PUT, following redirects. `Ok` only if the registry confirmed the blob after all of
    /// it was sent, or a HEAD request found it.
    async fn whole(&self, session: UploadSession, upload_body: &Arc<UploadBody>) -> UploadAttempt<()> {
        let mut url = self.closing(&session.location);
        let mut sent = self.send_whole(url.clone(), upload_body).await?;
        for _ in 0..self.repository.limits().registry.redirects {
            let Ok(SendOutcome::Redirect(target)) = sent else { break };
            url = target;
            sent = self.send_whole(url.clone(), upload_body).await?;
        }
        if let Some(error) = upload_body.error().await {
            self.cancel(&session.location).await;
            return Err(Err(error));
        }
        match sent {
            Ok(SendOutcome::Redirect(_)) => Err(Err(self.gave_up(UploadFault::Redirects))),
            Ok(SendOutcome::Response(response)) if self.is_stored(&response) && upload_body.is_done() => Ok(()),
            Ok(SendOutcome::Response(response)) if self.is_stored(&response) => {
                Err(Err(response.protocol_error(ProtocolFault::ConfirmedEarly)))
            }
            Ok(SendOutcome::Response(response)) => self.not_stored(response, session).await,
            Err(TransportError::Transient(failure, fault)) => {
                // Perhaps only the response was lost.
                if upload_body.is_done() && is_there(self.repository, &self.descriptor).await.map_err(Err)? {
                    return Ok(());
                }
                let session = UploadSession { begun: true, ..session };
                Err(Ok(UploadRetry::Resume(session, TransportError::Transient(failure, fault))))
            }
            Err(error) => Err(Ok(UploadRetry::Restart(error))),
        }
    }

    /// Streams the whole blob to `url`, from its first byte. The token is renewed first if it expires within
    /// [`MIN_TOKEN_LIFETIME`]. The stall timeout is that of the registry: a token service or a credential helper may take
    /// longer.
    async fn send_whole(
        &self,
        url: Url,
        upload_body: &Arc<UploadBody>,
    ) -> UploadAttempt<Result<SendOutcome, TransportError>> {
        let client = &self.repository.client;
        let Some(reader) = upload_body.reader().await.map_err(Err)? else {
            return Err(Err(self.gave_up(UploadFault::NoSecondRead)));
        };
        let request = self
            .request(Method::PUT, url)
            .header(CONTENT_TYPE, HeaderValue::from_static(OCTETS))
            .header(CONTENT_LENGTH, HeaderValue::from(self.descriptor.size));
        // A token that expires during the upload would fail all of it.
        client.auth.renew_if_expiring(&request.scope, MIN_TOKEN_LIFETIME).await;
        let authorization = client.auth.authorization(&request.scope).await.map_err(Err)?;
        let sending = client.send_streaming(&request, authorization.as_ref(), reader.into_body());
        let idle = client.transport.settings.timeouts.idle;
        let mut sent = upload_body.with_stall_timeout(sending, idle, self.response_timeout()).await;
        if let Ok(SendOutcome::Response(response)) = &mut sent
            && let Err(error) = client.keep_challenge(&request, authorization.as_ref(), response).await
        {
            return Ok(Err(TransportError::Permanent(error)));
        }
        Ok(sent)
    }

    /// How to retry after a response that does not confirm the blob: with a new token, in a new session, in chunks, or
    /// after a back-off.
    async fn not_stored(&self, response: ApiResponse, session: UploadSession) -> UploadAttempt<()> {
        match response.status.as_u16() {
            // The challenge was stored: the next attempt requests a new token (threats: token-expires-in-upload).
            401 => Err(Ok(UploadRetry::NewToken(session, response))),
            404 => Err(Ok(UploadRetry::Restart(TransportError::Transient(
                ConnectionFailure::Closed,
                ConnectionFault::Upload(UploadFault::SessionGone),
            )))),
            405 | 411 | 413 | 416 | 501 => {
                self.cancel(&session.location).await;
                self.learn_max_chunk(CHUNK);
                Err(Ok(UploadRetry::Chunked))
            }
            _ if is_busy(response.status) => Err(Ok(UploadRetry::BackOff(response))),
            _ => {
                self.cancel(&session.location).await;
                Err(Err(refused(&response)))
            }
        }
    }
}

const OCTETS: &str = "application/octet-stream";
/// The largest blob that is sent in a single POST, in bytes.
const MAX_SMALL_BLOB: u64 = 256 << 10;
/// The length of a chunk in bytes, which is kept in memory until the registry confirmed it.
const CHUNK: u64 = 4 << 20;
/// The limit of restarts of a small upload whose session is gone.
const MAX_RESTARTS: usize = 3;
/// The limit of attempts for a large blob, for all reasons together.
const MAX_ATTEMPTS: usize = 16;
/// The remaining lifetime that a token must have before a blob is sent.
const MIN_TOKEN_LIFETIME: Duration = Duration::from_secs(10);
