//! `ApiResponse`: the response of a registry, and its conversion to an error.

use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::address::host_and_port;
use super::retry;
use super::text::shown;
use super::transport::IncomingBody;
use crate::json;
use crate::limits::Limits;
use crate::redact::Secrets;
use crate::store::StoreError;
use crate::store::error::DenialReason;
use crate::store::error::ErrorResponse;
use crate::store::error::ErrorText;
use crate::store::error::MissingContent;
use crate::store::error::ProtocolFault;

/// The response of a registry.
pub(super) struct ApiResponse {
    pub(super) body: ResponseBody,
    /// Whether another host sent it, after a redirect.
    pub(super) foreign: bool,
    pub(super) headers: HeaderMap,
    pub(super) status: StatusCode,
    /// The URL that responded.
    pub(super) url: Url,
    /// The subject of the request, for messages.
    pub(super) what: String,
    /// The source of the credential of the request, for messages, if it matters.
    pub(super) credential_source: Option<String>,
}

/// A body.
pub(super) enum ResponseBody {
    /// The body of an error response, fit to be shown.
    Error(ErrorBody),
    /// A stream that is still being received.
    Stream(Box<IncomingBody>),
    /// The complete body.
    Whole(Vec<u8>),
}

/// The body of a response with an error status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// The error codes of the distribution specification, if there are any.
    pub(super) codes: Vec<String>,
    /// Whether it was truncated at the limit or broke off, so that its content is unknown.
    pub(super) cut: bool,
    /// Whether it was an HTML page.
    pub(super) page: bool,
    /// The text: truncated, escaped, without secrets.
    pub(super) shown: String,
}

#[derive(Deserialize)]
struct ErrorsWire {
    errors: Option<Vec<ErrorWire>>,
}

#[derive(Deserialize)]
struct ErrorWire {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl ApiResponse {
    /// Whether the error body has one of these codes of the distribution specification.
    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        match &self.body {
            ResponseBody::Error(refused) => refused.codes.iter().any(|code| codes.contains(&code.as_str())),
            _ => false,
        }
    }

    /// The value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body, without parameters, in lower case; empty if there is none.
    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// The response, if it has one of these statuses.
    ///
    /// # Errors
    /// The error of the response otherwise.
    pub(super) fn expect(self, statuses: &[StatusCode]) -> Result<Self, StoreError> {
        match statuses.contains(&self.status) {
            true => Ok(self),
            false => Err(self.error()),
        }
    }

    /// Refuses an HTML page: a captive portal or a proxy responds with 200 and a login page (threats: login-page).
    ///
    /// # Errors
    /// [`StoreError::Protocol`].
    pub(super) fn refuse_html(&self) -> Result<(), StoreError> {
        match self.media_type().as_str() {
            "text/html" | "application/xhtml+xml" => Err(self.protocol_error(ProtocolFault::Html)),
            _ => Ok(()),
        }
    }

    /// The complete body.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.body {
            ResponseBody::Whole(bytes) => bytes,
            ResponseBody::Error(_) | ResponseBody::Stream(_) => Vec::new(),
        }
    }

    /// The error that the response stands for, when its status is not the expected one.
    pub(super) fn error(&self) -> StoreError {
        let place = self.what.clone();
        match self.status {
            StatusCode::NOT_FOUND if self.says_there_is_none() => {
                StoreError::NotFound { content: MissingContent::Resource(place) }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let reason = DenialReason::Registry(self.error_response());
                StoreError::Denied { credential: self.credential_source.clone(), place, reason }
            }
            StatusCode::TOO_MANY_REQUESTS => StoreError::Throttled { place, wait: retry::retry_after(&self.headers) },
            _ => StoreError::Protocol { place, reason: ProtocolFault::ErrorStatus(self.error_response()) },
        }
    }

    /// The response as a protocol error with this reason.
    pub(super) fn protocol_error(&self, reason: ProtocolFault) -> StoreError {
        StoreError::Protocol { place: self.what.clone(), reason }
    }

    /// The status and the text of the response, for messages.
    pub(super) fn error_response(&self) -> ErrorResponse {
        let body = match &self.body {
            ResponseBody::Error(ErrorBody { page: true, .. }) => ErrorText::Html,
            ResponseBody::Error(error) if !error.shown.is_empty() => ErrorText::Text(error.shown.clone()),
            _ => ErrorText::None,
        };
        let host = self.foreign.then(|| host_and_port(&self.url));
        let phrase = self.status.canonical_reason().unwrap_or("<unknown status code>");
        ErrorResponse { body, host, phrase, status: self.status.as_u16() }
    }

    /// Whether a 404 is an absence: only without an error code or with one for absence, and not with an HTML page or a
    /// truncated body.
    fn says_there_is_none(&self) -> bool {
        match &self.body {
            ResponseBody::Error(refused) => {
                !refused.page && !refused.cut && refused.codes.iter().all(|code| ABSENT.contains(&code.as_str()))
            }
            _ => true,
        }
    }
}

impl ErrorBody {
    /// Reads the body of an error response. `secrets` are redacted, since the registry may echo them.
    pub(super) async fn read(body: IncomingBody, headers: &HeaderMap, limits: &Limits, secrets: &Secrets) -> Self {
        // If the body cannot be read, the status alone is the error.
        let (bytes, whole) = body.read(limits.registry.error_body_bytes).await.unwrap_or_default();
        let page = media_type(headers) == "text/html";
        let errors = json::read::<ErrorsWire>(&bytes).ok().and_then(|wire| wire.errors).unwrap_or_default();
        let text = match errors.is_empty() {
            true => String::from_utf8_lossy(&bytes).into_owned(),
            false => errors.iter().map(ErrorWire::summary).collect::<Vec<_>>().join("; "),
        };
        let codes = errors.into_iter().map(|error| error.code).collect();
        Self { codes, cut: !whole, page, shown: shown(&text, secrets) }
    }
}

impl ErrorWire {
    fn summary(&self) -> String {
        match self.message.as_deref() {
            Some(message) if !message.is_empty() => format!("{}: {message}", self.code),
            _ => self.code.clone(),
        }
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The error codes of a 404 that mean an absence.
const ABSENT: &[&str] =
    &["", "BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "TAG_UNKNOWN"];
