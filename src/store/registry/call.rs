//! `Call`: what a registry is asked, and when it may be asked again.

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

use super::auth::Access;
use super::auth::Scope;
use super::auth::Ticket;
use super::retry::Failure;
use super::retry::Retry;
use super::settings::Patience;

/// What a registry is asked.
pub(super) struct Call {
    pub(super) body: Bytes,
    pub(super) headers: HeaderMap,
    pub(super) method: Method,
    pub(super) reading: Reading,
    pub(super) scope: Scope,
    /// How large the body of a good answer is, where that is known and it is no layer, in bytes.
    pub(super) size: u64,
    pub(super) tries: Tries,
    pub(super) url: Url,
    /// What it is about, for messages.
    pub(super) what: String,
}

/// What is done with the body of a good answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Read up to so many bytes; what follows is left.
    Cut(u64),
    /// Not looked at.
    Nothing,
    /// Handed on as it comes.
    Stream,
    /// Read; more than so many bytes is an error.
    UpTo(u64),
    /// The same for content whose digest is known: the bytes as received decide, whatever `Content-Encoding` says.
    UpToOf(u64),
}

/// When a call may be made again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tries {
    /// Whenever there was no good answer.
    Many,
    /// Not at all.
    Never,
    /// Only where nothing can have been done.
    Once,
}

impl Call {
    /// A call that only reads.
    pub(super) fn get(url: Url, repository: &str, reading: Reading, what: String) -> Self {
        Self::new(Method::GET, url, repository, Access::Pull, what).reading(reading)
    }

    /// A call without a body, whose answer's body is not looked at.
    pub(super) fn new(method: Method, url: Url, repository: &str, access: Access, what: String) -> Self {
        Self {
            body: Bytes::new(),
            headers: HeaderMap::new(),
            method,
            reading: Reading::Nothing,
            scope: Scope { repository: repository.to_owned(), access },
            size: 0,
            tries: Tries::Many,
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

    pub(super) fn tries(mut self, tries: Tries) -> Self {
        self.tries = tries;
        self
    }

    pub(super) fn reading(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// How long all tries may take together: the total, and for a large body so long as a slow line takes.
    pub(super) fn total(&self, patience: &Patience) -> Duration {
        patience.total.saturating_add(Duration::from_secs(self.size / SLOW_LINE))
    }

    pub(super) fn may_repeat(&self, status: StatusCode) -> bool {
        // 425, RFC 8470 section 5.2: the request was not processed.
        let nothing_done = matches!(status.as_u16(), 425 | 429 | 503);
        match self.tries {
            Tries::Many => is_busy(status),
            Tries::Never => false,
            Tries::Once => nothing_done,
        }
    }

    pub(super) fn pause(&self, retry: &mut Retry, failure: Failure) -> Option<Duration> {
        match self.tries {
            Tries::Many => retry.broken(failure),
            Tries::Once if failure == Failure::Connect => retry.broken(failure),
            Tries::Never | Tries::Once => None,
        }
    }
}

/// So many bytes a second come over a slow line, as ships have them.
const SLOW_LINE: u64 = 4 << 10;

/// The request of `call` to `url`, which a redirect may have changed.
pub(super) fn request(call: &Call, url: Url, ticket: Option<&Ticket>) -> Request {
    let mut request = Request::new(call.method.clone(), url);
    *request.headers_mut() = call.headers.clone();
    if let Some(ticket) = ticket {
        request.headers_mut().insert(AUTHORIZATION, ticket.header.clone());
    }
    if call.method == Method::POST || call.method == Method::PUT || call.method == Method::PATCH {
        // Said even where there is none: some registries insist.
        request.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(call.body.len()));
        *request.body_mut() = Some(call.body.clone().into());
    }
    request
}

/// Whether an answer says "not now": the server, or a proxy before it, timed out or failed. 501 and 505 say "never".
pub(super) fn is_busy(status: StatusCode) -> bool {
    match status.as_u16() {
        408 | 425 | 429 | 499 => true,
        501 | 505 => false,
        status => status >= 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_has_the_time_of_a_slow_line() {
        let url = Url::parse("https://r.example/v2/app/blobs/x").unwrap();
        let mut call = Call::get(url, "app", Reading::Cut(1), "x".to_owned());
        assert_eq!(call.total(&Patience::DEFAULT), Patience::DEFAULT.total);
        call.size = 32 << 20;
        assert_eq!(call.total(&Patience::DEFAULT), Patience::DEFAULT.total + Duration::from_secs(8192));
        call.size = u64::MAX;
        assert!(call.total(&Patience::DEFAULT) > Patience::DEFAULT.total);
    }

    #[test]
    fn what_says_not_now_is_told_from_what_says_never() {
        let busy = |status: u16| is_busy(StatusCode::from_u16(status).unwrap());
        assert!([408, 425, 429, 499, 500, 502, 503, 504, 507, 511, 520, 599].into_iter().all(busy));
        assert!(![200, 301, 400, 401, 403, 404, 406, 409, 410, 416, 418, 501, 505].into_iter().any(busy));
    }
}
