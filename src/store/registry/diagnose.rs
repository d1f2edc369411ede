//! A call that failed: whether it was plain HTTP to a port of TLS, and what is said of the host, the proxy, the time and
//! the tries.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::timeout;

use super::address::host_and_port;
use super::client::RegistryClient;
use super::request::ApiRequest;
use super::response::ApiResponse;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::transport::Transport;
use super::transport::TransportError;
use super::watch::Event;
use crate::store::StoreError;
use crate::store::TlsFault;
use crate::store::deadline::in_words;

impl RegistryClient {
    /// Tells a port that speaks TLS from a registry that fails. Servers answer plain HTTP there in many ways: with an
    /// alert, with 400, by closing, or not at all.
    pub(super) async fn check_scheme(
        &self,
        request: &ApiRequest,
        tried: &Result<ApiResponse, TransportError>,
    ) -> Result<(), StoreError> {
        let doubtful = match tried {
            Ok(response) => response.status == StatusCode::BAD_REQUEST,
            Err(TransportError::Transient(failure, _)) => {
                matches!(failure, ConnectionFailure::Closed | ConnectionFailure::Silent)
            }
            Err(TransportError::Permanent(_)) => false,
        };
        if tried.is_ok() && !doubtful {
            self.spoke.store(true, Ordering::Relaxed);
        }
        if !doubtful || self.base.scheme() != "http" || self.spoke.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.speaks_tls.get_or_init(|| self.transport.speaks_tls(&self.base)).await {
            true => Err(StoreError::Tls {
                place: host_and_port(&self.base),
                fault: TlsFault::OnlyTls,
                what: request.what.clone(),
            }),
            false => Ok(()),
        }
    }

    /// A proxy that wants to know who we are answers in place of the registry. RFC 9110 section 15.5.8.
    pub(super) fn check_proxy(&self, request: &ApiRequest, response: &ApiResponse) -> Result<(), StoreError> {
        if response.status != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Ok(());
        }
        let proxy = self.transport.settings.proxies.of(&response.url).map(super::proxy::Proxy::shown);
        let why = format!("{} wants a user name and a password (407)", proxy.as_deref().unwrap_or("a proxy"));
        Err(StoreError::Unreachable { place: host_and_port(&response.url), what: request.what.clone(), why })
    }

    /// The error of a call after its last try.
    pub(super) fn unreachable(&self, request: &ApiRequest, why: &str, retry: &RetryState) -> StoreError {
        let tries = match retry.attempt() {
            1 => "1 try".to_owned(),
            number => format!("{number} tries"),
        };
        let why = format!("{why} ({tries} in {})", in_words(retry.elapsed()));
        StoreError::Unreachable { place: host_and_port(&self.base), what: request.what.clone(), why }
    }

    /// Tells whoever watches that there is to be another try.
    pub(super) fn again(&self, retry: &RetryState, most: u32, pause: Duration, why: &str) {
        if pause > Duration::ZERO {
            let host = host_and_port(&self.base);
            let why = &self.transport.settings.secrets.hide(why);
            self.transport.tell(&Event::Again { host: &host, most, next: retry.attempt(), pause, why });
        }
    }
}

impl Transport {
    /// Does `work` as long as the command has time.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] with what `describe` says was asked for, and was being done.
    pub(super) async fn within<T>(
        &self,
        describe: impl Fn() -> (String, String),
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let deadline = &self.settings.deadline;
        let mut work = std::pin::pin!(work);
        loop {
            let (Some(left), Some(limit)) = (deadline.left(), deadline.limit()) else { return work.await };
            if left.is_zero() {
                let (what, doing) = describe();
                return Err(StoreError::Timeout { doing, limit, what });
            }
            // What does not count makes more of it: then it is looked at again.
            if let Ok(done) = timeout(left, work.as_mut()).await {
                return done;
            }
        }
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        if let Some(watch) = &self.settings.watch {
            watch.saw(event);
        }
    }
}
