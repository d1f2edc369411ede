//! `ApiResponse`: the response of a registry, and the error that it means.

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
use crate::store::error::AnswerText;
use crate::store::error::DenialReason;
use crate::store::error::ProtocolFault;
use crate::store::error::RegistryAnswer;

/// The response of a registry.
pub(super) struct ApiResponse {
    pub(super) body: ResponseBody,
    /// Whether it comes from another host, to which the registry sent us.
    pub(super) foreign: bool,
    pub(super) headers: HeaderMap,
    pub(super) status: StatusCode,
    /// Where it was given.
    pub(super) url: Url,
    /// What it was asked for, for messages.
    pub(super) what: String,
    /// Which credential it was asked with, for messages, where that matters.
    pub(super) who: Option<String>,
}

/// A body.
pub(super) enum ResponseBody {
    /// What came with an answer other than 2xx, fit to be shown.
    Error(ErrorBody),
    /// Still on its way.
    Stream(Box<IncomingBody>),
    /// All of it.
    Whole(Vec<u8>),
}

/// What came with an answer other than 2xx.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// The codes of the distribution specification, where they were given.
    pub(super) codes: Vec<String>,
    /// Whether there was more than we read, or it broke off: then nobody knows what it said.
    pub(super) cut: bool,
    /// Whether it was a page for people with browsers.
    pub(super) page: bool,
    /// The text, shortened, escaped, without secrets.
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
    /// The codes of the distribution specification that came with the answer.
    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        match &self.body {
            ResponseBody::Error(refused) => refused.codes.iter().any(|code| codes.contains(&code.as_str())),
            _ => false,
        }
    }

    /// The value of a header, where it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body, without parameters, in lower case; empty where none is given.
    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// The response, if it has one of these statuses.
    ///
    /// # Errors
    /// What the response means otherwise.
    pub(super) fn expect(self, statuses: &[StatusCode]) -> Result<Self, StoreError> {
        match statuses.contains(&self.status) {
            true => Ok(self),
            false => Err(self.error()),
        }
    }

    /// Refuses an HTML page: a proxy that wants a login responds with 200 and one (threats: login-page).
    ///
    /// # Errors
    /// [`StoreError::Protocol`].
    pub(super) fn refuse_html(&self) -> Result<(), StoreError> {
        match self.media_type().as_str() {
            "text/html" | "application/xhtml+xml" => Err(self.protocol_error(ProtocolFault::Html)),
            _ => Ok(()),
        }
    }

    /// The body of an answer that was read whole.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.body {
            ResponseBody::Whole(bytes) => bytes,
            ResponseBody::Error(_) | ResponseBody::Stream(_) => Vec::new(),
        }
    }

    /// Which error the answer means, where it is not the one that was hoped for.
    pub(super) fn error(&self) -> StoreError {
        let place = self.what.clone();
        match self.status {
            StatusCode::NOT_FOUND if self.says_there_is_none() => StoreError::NotFound { what: place },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let reason = DenialReason::Answer(self.answer());
                StoreError::Denied { credential: self.who.clone(), place, reason }
            }
            StatusCode::TOO_MANY_REQUESTS => StoreError::Throttled { place, wait: retry::asked(&self.headers) },
            _ => StoreError::Protocol { place, reason: ProtocolFault::Answer(self.answer()) },
        }
    }

    /// The answer as a protocol error, with the reason in words.
    pub(super) fn protocol_error(&self, reason: ProtocolFault) -> StoreError {
        StoreError::Protocol { place: self.what.clone(), reason }
    }

    /// The status and the text of the response, for messages.
    pub(super) fn answer(&self) -> RegistryAnswer {
        let body = match &self.body {
            ResponseBody::Error(ErrorBody { page: true, .. }) => AnswerText::Html,
            ResponseBody::Error(error) if !error.shown.is_empty() => AnswerText::Text(error.shown.clone()),
            _ => AnswerText::None,
        };
        let host = self.foreign.then(|| host_and_port(&self.url));
        let phrase = self.status.canonical_reason().unwrap_or("<unknown status code>");
        RegistryAnswer { body, host, phrase, status: self.status.as_u16() }
    }

    /// Whether a 404 is an absence. A plain one is; one with another code, with a page of some proxy, or with more text
    /// than anybody reads, is not.
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
    /// Reads what came with an error; `secrets` are not shown even if the registry echoes them.
    pub(super) async fn read(body: IncomingBody, headers: &HeaderMap, limits: &Limits, secrets: &Secrets) -> Self {
        // An error whose text cannot be read is still the error that its status says.
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

/// The codes that come with a 404 where something is not there.
const ABSENT: &[&str] =
    &["", "BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "TAG_UNKNOWN"];
