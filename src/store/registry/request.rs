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
    /// The expected length of the response's body, if known and if it is not a layer, in bytes.
    pub(super) size: u64,
    pub(super) url: Url,
    /// What the request is about, for messages.
    pub(super) what: String,
}

/// What is done with the body of a successful response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyMode {
    /// Read; more than so many bytes is an error.
    AtMost(u64),
    /// The same for content whose digest is known: the bytes as received decide, whatever `Content-Encoding` says.
    AtMostRaw(u64),
    /// Read to reuse the connection, and dropped.
    Discard,
    /// Read up to so many bytes; the rest is dropped.
    Prefix(u64),
    /// Handed on as a stream.
    Stream,
}

/// The retry rule: when a request may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryRule {
    /// After every transient error: sending it twice has the effect of sending it once.
    Always,
    /// Only where the registry cannot have processed it.
    IfNotProcessed,
    /// Never.
    Never,
}

impl ApiRequest {
    /// A GET request, with access to read.
    pub(super) fn get(url: Url, repository: &str, body_mode: BodyMode, what: String) -> Self {
        Self::new(Method::GET, url, repository, RepositoryAccess::Pull, what).body_mode(body_mode)
    }

    /// A request without a body; the body of the response is dropped.
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

    /// The timeout of all attempts together: the total, and for a large body the time that a slow line takes for it.
    pub(super) fn total(&self, timeouts: &Timeouts) -> Duration {
        timeouts.total.saturating_add(Duration::from_secs(self.size / SLOW_LINE))
    }

    /// Whether a response with `status` may be followed by a retry.
    pub(super) fn may_repeat(&self, status: StatusCode) -> bool {
        // 425, RFC 8470 section 5.2: the request was not processed.
        let nothing_done = matches!(status.as_u16(), 425 | 429 | 503);
        match self.retry_rule {
            RetryRule::Always => is_busy(status),
            RetryRule::Never => false,
            RetryRule::IfNotProcessed => nothing_done,
        }
    }

    /// The back-off before a retry after a connection failure, if there is a retry.
    pub(super) fn back_off(&self, retry: &mut RetryState, failure: ConnectionFailure) -> Option<Duration> {
        match self.retry_rule {
            RetryRule::Always => retry.after_failure(failure),
            RetryRule::IfNotProcessed if failure == ConnectionFailure::Connect => retry.after_failure(failure),
            RetryRule::Never | RetryRule::IfNotProcessed => None,
        }
    }
}

/// The rate of a slow line, as on ships, in bytes a second.
const SLOW_LINE: u64 = 4 << 10;

/// The HTTP request for `request`, to `url`, which a redirect may have changed.
pub(super) fn http_request(request: &ApiRequest, url: Url, authorization: Option<&Authorization>) -> Request {
    let mut http_request = Request::new(request.method.clone(), url);
    *http_request.headers_mut() = request.headers.clone();
    if let Some(authorization) = authorization {
        http_request.headers_mut().insert(AUTHORIZATION, authorization.header.clone());
    }
    if request.method == Method::POST || request.method == Method::PUT || request.method == Method::PATCH {
        // Some registries insist on `Content-Length: 0`.
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
