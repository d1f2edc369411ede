//! `RequestObserver`: receives an event for each request and retry of the registry client.

use std::fmt::Debug;
use std::time::Duration;

/// An observer of requests and retries. It cannot influence them, and no event contains a secret: URLs have no user
/// name and no query.
pub trait RequestObserver: Debug + Send + Sync {
    /// Receives an event.
    fn observe(&self, event: &RequestEvent<'_>);
}

/// An event of the registry client.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RequestEvent<'a> {
    /// A request is about to be retried.
    Retry {
        /// The host.
        host: &'a str,
        /// The limit of attempts.
        most: u32,
        /// The number of the next attempt; the first request was number 1.
        next: u32,
        /// The back-off before it.
        pause: Duration,
        /// The reason for the retry.
        why: &'a str,
    },
    /// A request was sent.
    Request {
        /// The host.
        host: &'a str,
        /// `GET`, `PUT`, …
        method: &'a str,
        /// The path, without the query.
        path: &'a str,
        /// The status of the response; `None` if there was none.
        status: Option<u16>,
        /// The time until the head of the response arrived.
        took: Duration,
    },
}
