//! `ApiRequest`: a request to the API of a registry, and its retry rule.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::Request;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::ACCEPT;
use reqwest::header::AUTHORIZATION;
use reqwest::header::CONTENT_LENGTH;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;

use super::authenticator::Authorization;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::retry::is_busy;
use super::scope::RepositoryAccess;
use super::scope::TokenScope;
use super::settings::Timeouts;

/// A request to the API of a registry.
pub(super) struct ApiRequest {
    pub(super) body: Bytes,
    pub(super) body_mode: BodyMode,
    pub(super) headers: HeaderMap,
    pub(super) method: Method,
    pub(super) retry_rule: RetryRule,
    pub(super) scope: TokenScope,
    /// The expected length of the response body in bytes, if it is known and the body is not a layer.
    pub(super) size: u64,
    pub(super) url: Url,
    /// The subject of the request, for messages.
    pub(super) what: String,
}

/// How the body of a successful response is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyMode {
    /// Read up to this number of bytes; more is an error.
    AtMost(u64),
    /// As `AtMost`, for content with a known digest: the received bytes are used, whatever `Content-Encoding` says.
    AtMostRaw(u64),
    /// Read so that the connection can be reused, and discarded.
    Discard,
    /// Read up to this number of bytes; the rest is discarded.
    Prefix(u64),
    /// Returned as a stream.
    Stream,
}

/// The retry rule: whether a request may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryRule {
    /// After every transient error: the request is idempotent.
    Always,
    /// Only if the registry cannot have processed the request.
    IfNotProcessed,
    /// Never.
    Never,
}

impl ApiRequest {
    /// A GET request with read access.
    pub(super) fn get(url: Url, repository: &str, body_mode: BodyMode, what: String) -> Self {
        Self::new(Method::GET, url, repository, RepositoryAccess::Pull, what).body_mode(body_mode)
    }

    /// A request without a body; the body of the response is discarded.
    pub(super) fn new(method: Method, url: Url, repository: &str, access: RepositoryAccess, what: String) -> Self {
        Self {
            body: Bytes::new(),
            headers: HeaderMap::new(),
            method,
            body_mode: BodyMode::Discard,
            scope: TokenScope { repository: repository.to_owned(), access },
            size: 0,
            retry_rule: RetryRule::Always,
            url,
            what,
        }
    }

    pub(super) fn accept(self, types: &'static str) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(types))
    }

    pub(super) fn body(mut self, media_type: &str, body: Bytes) -> Self {
        self.body = body;
        match HeaderValue::from_str(media_type) {
            Ok(value) => self.header(CONTENT_TYPE, value),
            Err(_) => self,
        }
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn retry_rule(mut self, retry_rule: RetryRule) -> Self {
        self.retry_rule = retry_rule;
        self
    }

    pub(super) fn body_mode(mut self, body_mode: BodyMode) -> Self {
        self.body_mode = body_mode;
        self
    }

    /// The timeout of all attempts together: the total, plus the time for a large body on a slow connection.
    pub(super) fn total(&self, timeouts: &Timeouts) -> Duration {
        timeouts.total.saturating_add(Duration::from_secs(self.size / SLOW_LINE))
    }

    /// Whether a response with `status` may be followed by a retry.
    pub(super) fn may_repeat(&self, status: StatusCode) -> bool {
        // The request was not processed; for 425 see RFC 8470 section 5.2.
        let nothing_done = matches!(status.as_u16(), 425 | 429 | 503);
        match self.retry_rule {
            RetryRule::Always => is_busy(status),
            RetryRule::Never => false,
            RetryRule::IfNotProcessed => nothing_done,
        }
    }

    /// The back-off before a retry after a connection failure; `None` if there is no retry.
    pub(super) fn back_off(&self, retry: &mut RetryState, failure: ConnectionFailure) -> Option<Duration> {
        match self.retry_rule {
            RetryRule::Always => retry.after_failure(failure),
            RetryRule::IfNotProcessed if failure == ConnectionFailure::Connect => retry.after_failure(failure),
            RetryRule::Never | RetryRule::IfNotProcessed => None,
        }
    }
}

/// The rate of a slow connection, as on ships, in bytes a second.
const SLOW_LINE: u64 = 4 << 10;

/// The HTTP request for `request` to `url`, which may be the target of a redirect.
pub(super) fn http_request(request: &ApiRequest, url: Url, authorization: Option<&Authorization>) -> Request {
    let mut http_request = Request::new(request.method.clone(), url);
    *http_request.headers_mut() = request.headers.clone();
    if let Some(authorization) = authorization {
        http_request.headers_mut().insert(AUTHORIZATION, authorization.header.clone());
    }
    if request.method == Method::POST || request.method == Method::PUT || request.method == Method::PATCH {
        // Some registries require `Content-Length: 0`.
        http_request.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(request.body.len()));
        *http_request.body_mut() = Some(request.body.clone().into());
    }
    http_request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_has_the_time_of_a_slow_line() {
        let url = Url::parse("https://r.example/v2/app/blobs/x").unwrap();
        let mut request = ApiRequest::get(url, "app", BodyMode::Prefix(1), "x".to_owned());
        assert_eq!(request.total(&Timeouts::DEFAULT), Timeouts::DEFAULT.total);
        request.size = 32 << 20;
        assert_eq!(request.total(&Timeouts::DEFAULT), Timeouts::DEFAULT.total + Duration::from_secs(8192));
        request.size = u64::MAX;
        assert!(request.total(&Timeouts::DEFAULT) > Timeouts::DEFAULT.total);
    }
}
