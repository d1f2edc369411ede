//! Upload sessions: the part that the monolithic and the chunked upload of a blob share. Distribution specification,
//! "Pushing blobs".

use std::sync::PoisonError;
use std::time::Duration;

use reqwest::Method;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::LOCATION;
use tracing::debug;

use super::address::host_and_port;
use super::location::upload_location;
use super::repository::Repository;
use super::request::ApiRequest;
use super::request::RetryRule;
use super::response::ApiResponse;
use super::scope::RepositoryAccess;
use super::text::number;
use super::transport::TransportError;
use crate::oci::Descriptor;
use crate::store::StoreError;
use crate::store::error::ConnectionFault;
use crate::store::error::LocationFault;
use crate::store::error::ProtocolFault;
use crate::store::error::UploadFault;

/// Whether the registry has the blob (HEAD). A `Content-Length` other than the declared size counts as absent.
pub(super) async fn is_there(repository: &Repository, descriptor: &Descriptor) -> Result<bool, StoreError> {
    let url = repository.url(&format!("blobs/{}", descriptor.digest));
    let what = repository.place_of(&descriptor.digest);
    let response = repository
        .client
        .send(&ApiRequest::new(Method::HEAD, url, repository.name(), RepositoryAccess::Push, what))
        .await?;
    match response.status {
        StatusCode::OK => {
            let length = response.header("content-length").and_then(number);
            Ok(length.is_none_or(|length| length == descriptor.size))
        }
        _ => match response.error() {
            StoreError::NotFound { .. } => Ok(false),
            error => Err(error),
        },
    }
}

/// The upload of one blob into one repository.
pub(super) struct BlobUpload<'a> {
    pub(super) descriptor: Descriptor,
    pub(super) repository: &'a Repository,
}

/// An upload session that a registry has opened.
pub(super) struct UploadSession {
    /// The minimum length of a chunk other than the last one, in bytes (`OCI-Chunk-Min-Length`).
    pub(super) chunk_min: u64,
    /// Whether the registry may already have a part of the blob.
    pub(super) begun: bool,
    /// The URL at which the upload continues.
    pub(super) location: Url,
}

/// How to retry after an attempt that neither stored the blob nor failed permanently.
pub(super) enum UploadRetry {
    /// After a back-off, as the response says.
    BackOff(ApiResponse),
    /// Immediately, in chunks instead of one request.
    Chunked,
    /// With a new token, in the same session.
    NewToken(UploadSession, ApiResponse),
    /// From the beginning, in a new session.
    Restart(TransportError),
    /// In the same session, from the confirmed offset.
    Resume(UploadSession, TransportError),
}

impl UploadRetry {
    /// The reason for another attempt, and how it begins.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::BackOff(_) => "the registry is busy",
            Self::Chunked => "the registry wants chunks",
            Self::NewToken(..) => "the token was refused",
            Self::Restart(_) => "the upload session is lost",
            Self::Resume(..) => "the connection broke",
        }
    }
}

/// The outcome of an attempt: done, how to retry, or an error.
pub(super) type UploadAttempt<T> = Result<T, Result<UploadRetry, StoreError>>;

impl BlobUpload<'_> {
    /// Opens an upload session.
    pub(super) async fn begin(&self) -> Result<UploadSession, StoreError> {
        let request = self.request(Method::POST, self.repository.url("blobs/uploads/"));
        let response = self.repository.client.send(&request).await?;
        match response.status {
            StatusCode::ACCEPTED => self.session(&response),
            _ => Err(refused(&response)),
        }
    }

    /// Cancels an upload session, so that the registry can delete its data. Errors are ignored.
    pub(super) async fn cancel(&self, location: &Url) {
        debug!(digest = %self.descriptor.digest, "cancelling the upload session");
        let request = self.request(Method::DELETE, location.clone()).retry_rule(RetryRule::Never);
        drop(self.repository.client.send(&request).await);
    }

    /// The session that a response opened.
    pub(super) fn session(&self, response: &ApiResponse) -> Result<UploadSession, StoreError> {
        let least = response.header("oci-chunk-min-length").and_then(number).unwrap_or(0);
        debug!(digest = %self.descriptor.digest, chunk_min = least, "opened an upload session");
        Ok(UploadSession { chunk_min: least, begun: false, location: next_location(self.repository, response)? })
    }

    /// The URL that closes an upload session.
    pub(super) fn closing(&self, location: &Url) -> Url {
        let mut url = location.clone();
        url.query_pairs_mut().append_pair("digest", &self.descriptor.digest.to_string());
        url
    }

    /// A request about the blob.
    pub(super) fn request(&self, method: Method, url: Url) -> ApiRequest {
        let what = self.repository.place_of(&self.descriptor.digest);
        ApiRequest::new(method, url, self.repository.name(), RepositoryAccess::Push, what)
    }

    /// Remembers that the registry accepts at most `most` bytes in a request.
    pub(super) fn learn_max_chunk(&self, most: u64) {
        debug!(bytes = most, "the registry wants chunks of at most this size");
        *self.repository.client.capabilities.max_chunk.lock().unwrap_or_else(PoisonError::into_inner) = Some(most);
    }

    /// Whether a response confirms that the blob was stored.
    pub(super) fn is_stored(&self, response: &ApiResponse) -> bool {
        matches!(response.status.as_u16(), 200 | 201 | 204)
    }

    /// The timeout for the response after all of the blob was sent: a registry may read the blob again before it
    /// responds.
    pub(super) fn response_timeout(&self) -> Duration {
        let first_byte = self.repository.client.transport.settings.timeouts.first_byte;
        first_byte.saturating_add(Duration::from_secs(self.descriptor.size / DISK_RATE))
    }

    /// The error for an upload that ended without success.
    pub(super) fn gave_up(&self, fault: UploadFault) -> StoreError {
        StoreError::Unreachable {
            place: host_and_port(&self.repository.client.base),
            reason: ConnectionFault::Upload(fault),
            what: self.repository.place_of(&self.descriptor.digest),
        }
    }
}

/// The URL at which an upload continues (`Location`). A relative one is resolved against the URL of the response.
pub(super) fn next_location(repository: &Repository, response: &ApiResponse) -> Result<Url, StoreError> {
    let location = response.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location =
        location.ok_or_else(|| response.protocol_error(ProtocolFault::Location(LocationFault::NoUploadLocation)))?;
    upload_location(&repository.client.base, &response.url, location)
        .map_err(|fault| response.protocol_error(ProtocolFault::Location(fault)))
}

/// The error for a response that refuses a push. A 404 is a protocol error here, not an absence: a push does not ask
/// whether something exists.
pub(super) fn refused(response: &ApiResponse) -> StoreError {
    match response.error() {
        StoreError::NotFound { .. } => response.protocol_error(ProtocolFault::ErrorStatus(response.error_response())),
        error => error,
    }
}

/// The lowest rate at which a registry reads a blob that it has stored, in bytes a second.
const DISK_RATE: u64 = 10 << 20;
