//! `Watch`: who is told what the client of registries does.

use std::fmt::Debug;
use std::time::Duration;

/// Who is told. Nothing is decided by it, and nothing that it is told is a secret: addresses come without user names and
/// without queries.
pub trait Watch: Debug + Send + Sync {
    /// Takes in what happened.
    fn saw(&self, event: &Event<'_>);
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is about to be made once more.
    Again {
        /// The host.
        host: &'a str,
        /// How many tries there are at most.
        most: u32,
        /// The number of the next try; the first request was number 1.
        next: u32,
        /// How long before it.
        pause: Duration,
        /// Why the last one was not enough.
        why: &'a str,
    },
    /// A request was made.
    Asked {
        /// The host.
        host: &'a str,
        /// `GET`, `PUT`, …
        method: &'a str,
        /// The path, without the query.
        path: &'a str,
        /// The status of the answer; none where there was no answer.
        status: Option<u16>,
        /// The time until the head of the answer.
        took: Duration,
    },
}
