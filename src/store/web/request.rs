//! `WebRequest` and `WebResponse`: one request to a URL, and its answer.

use std::fmt;

use reqwest::Url;

use super::error::WebError;
use super::error::WebFault;
use crate::text::Untrusted;

/// A request to an `http` or `https` URL without user name and password.
#[derive(Clone, Debug)]
pub struct WebRequest {
    /// The largest answer that is read, in bytes.
    pub(super) answer_bytes: u64,
    pub(super) method: WebMethod,
    /// The statuses of an answer that is read.
    pub(super) statuses: &'static [u16],
    pub(super) url: Url,
}

/// The method of a request (RFC 9110 section 9.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebMethod {
    /// GET. A few redirects are followed, each by the same rules, and none from TLS to plain HTTP.
    Get,
    /// POST. No redirect is followed.
    Post {
        /// The body.
        body: Vec<u8>,
        /// Its media type.
        content_type: &'static str,
    },
}

/// The answer to a request: status 200 (or 201 of one [that creates](WebRequest::that_creates)), with its whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebResponse {
    /// The body, exactly as received.
    pub body: Vec<u8>,
    /// The media type that the server states, without parameters, in lower case.
    pub content_type: Option<String>,
}

impl WebRequest {
    /// A request to `url`, whose answer has at most `answer_bytes` bytes. The fragment of the URL is not sent.
    ///
    /// # Errors
    /// [`WebError`] with [`WebFault::NotAUrl`], [`WebFault::Scheme`] or [`WebFault::UserName`].
    pub fn new(url: &str, method: WebMethod, answer_bytes: u64) -> Result<Self, WebError> {
        let unusable = |fault| WebError { fault, url: Untrusted::new(without_user(url)) };
        let mut url = Url::parse(url).map_err(|_| unusable(WebFault::NotAUrl))?;
        url.set_fragment(None);
        check(&url).map_err(|fault| WebError { fault, url: shown(&url) })?;
        Ok(Self { answer_bytes, method, statuses: &[OK], url })
    }

    /// The same request, to a server that also answers with status 201: it made something.
    #[must_use]
    pub fn that_creates(self) -> Self {
        Self { statuses: &[OK, CREATED], ..self }
    }
}

/// Checks a URL that a request is about to be sent to: its scheme, and that it has no user name and no password.
pub(super) fn check(url: &Url) -> Result<(), WebFault> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(WebFault::Scheme(Untrusted::new(url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebFault::UserName);
    }
    match url.has_host() {
        true => Ok(()),
        false => Err(WebFault::NotAUrl),
    }
}

/// The URL for messages: without user name and password, and without the query, which may grant access.
pub(super) fn shown(url: &Url) -> Untrusted {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let host = url.host_str().unwrap_or_default();
    let path = if url.cannot_be_a_base() { "" } else { url.path() };
    let slashes = if host.is_empty() { "" } else { "//" };
    Untrusted::new(&format!("{}:{slashes}{host}{port}{path}", url.scheme()))
}

/// A text that is no URL, without what may be a user name and a password in it.
fn without_user(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}

impl WebMethod {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post { .. } => "POST",
        }
    }
}

impl fmt::Display for WebRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), shown(&self.url))
    }
}

/// The request was answered (RFC 9110 section 15.3.1).
const OK: u16 = 200;

/// The request made something (RFC 9110 section 15.3.2).
const CREATED: u16 = 201;
