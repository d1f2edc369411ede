//! Log events of requests and retries, for subscribers of `tracing`.
//!
//! Invariant: no event holds a credential, a token, a header, or the query or user name of a URL. Text that a server
//! chose is bounded and escaped, and the secrets in use are replaced in it.

use std::fmt::Display;
use std::sync::PoisonError;
use std::time::Duration;

use reqwest::Method;
use reqwest::Response;
use reqwest::Url;
use tracing::Level;
use tracing::debug;
use tracing::info;

use super::address::host_and_port;
use super::transport::Peer;
use super::transport::Transport;
use crate::text::Untrusted;

impl Transport {
    /// Logs the response to a request whose body has `sent` bytes, or that none came. The URL is logged
    /// as host and path, that of a redirect target as host.
    pub(super) fn log_response(
        &self,
        (method, url, peer, sent): (&Method, &Url, Peer, Option<u64>),
        response: Option<&Response>,
        took: Duration,
    ) {
        let status = response.map(|response| response.status().as_u16());
        if tracing::enabled!(Level::INFO) && status.is_some() && self.is_first_answer(url) {
            info!(host = %self.shown_host(url), status, took_ms = milliseconds(took), "first answer of this host");
        }
        debug!(
            method = method.as_str(),
            host = %self.shown_host(url),
            path = %self.untrusted(&peer.shown_path(url)),
            sent,
            status,
            bytes = response.and_then(Response::content_length),
            took_ms = milliseconds(took),
            "{}",
            if status.is_some() { "answered" } else { "no answer" }
        );
    }

    /// Logs that attempt `next` follows after the pause `wait`, and why.
    pub(super) fn log_retry(&self, url: &Url, next: u32, wait: Duration, reason: &dyn Display) {
        info!(
            host = %self.shown_host(url),
            attempt = next,
            wait_ms = milliseconds(wait),
            reason = %self.untrusted(reason),
            "trying again"
        );
    }

    /// `text` as it may stand in an event.
    pub(super) fn untrusted(&self, text: &dyn Display) -> Untrusted {
        Untrusted::new(&self.settings.secrets.hide(&text.to_string()))
    }

    /// The host and port of a URL as they may stand in an event.
    pub(super) fn shown_host(&self, url: &Url) -> Untrusted {
        self.untrusted(&host_and_port(url))
    }

    fn is_first_answer(&self, url: &Url) -> bool {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.len() < MAX_LOGGED_HOSTS && answered.insert(host_and_port(url))
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// For how many hosts the first answer is logged: redirects may lead to any number of them.
const MAX_LOGGED_HOSTS: usize = 64;
