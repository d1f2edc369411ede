//! Diagnosis of failed requests: plain HTTP to a TLS port, proxy authentication, timeouts, and the number of attempts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::Url;
use tokio::time::timeout;

use super::address::host_and_port;
use super::client::RegistryClient;
use super::observer::RequestEvent;
use super::request::ApiRequest;
use super::response::ApiResponse;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::transport::Transport;
use super::transport::TransportError;
use crate::store::StoreError;
use crate::store::TlsFault;
use crate::store::error::ConnectionFault;

impl RegistryClient {
    /// Distinguishes a port that speaks TLS from a registry that fails. TLS servers respond to plain HTTP with an
    /// alert, with 400, by closing the connection, or not at all.
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
            Err(TransportError::Permanent(_) | TransportError::Redirected(..)) => false,
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

    /// The error if a proxy requires authentication: it responds in place of the registry. RFC 9110 section 15.5.8.
    pub(super) fn check_proxy(&self, request: &ApiRequest, response: &ApiResponse) -> Result<(), StoreError> {
        if response.status != StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Ok(());
        }
        let proxy = self.transport.settings.proxies.of(&response.url).map(super::proxy::Proxy::shown);
        let reason = ConnectionFault::ProxyAuthentication { proxy };
        Err(StoreError::Unreachable { place: host_and_port(&response.url), reason, what: request.what.clone() })
    }

    /// The back-off after a connection failure of the server at `failed`, reported to the observer.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] if the request is not sent again.
    pub(super) fn after_failure(
        &self,
        request: &ApiRequest,
        retry: &mut RetryState,
        failed: &Url,
        (failure, fault): (ConnectionFailure, ConnectionFault),
    ) -> Result<Duration, StoreError> {
        match request.back_off(retry, failure) {
            Some(pause) => {
                self.again(failed, retry, retry.max_attempts(Some(failure)), pause, &fault.to_string());
                Ok(pause)
            }
            None => Err(unreachable(failed, request, fault, retry)),
        }
    }

    /// Reports a retry to the observer, because of what the server at `failed` did.
    pub(super) fn again(&self, failed: &Url, retry: &RetryState, most: u32, pause: Duration, why: &str) {
        self.transport.log_retry(failed, retry.attempt(), pause, &why);
        if pause > Duration::ZERO {
            let host = self.transport.settings.secrets.hide(&host_and_port(failed)).into_owned();
            let why = &self.transport.settings.secrets.hide(why);
            self.transport.tell(&RequestEvent::Retry { host: &host, most, next: retry.attempt(), pause, why });
        }
    }
}

/// The error of a request after its last attempt, at which the server at `failed` failed.
pub(super) fn unreachable(
    failed: &Url,
    request: &ApiRequest,
    fault: ConnectionFault,
    retry: &RetryState,
) -> StoreError {
    let (attempts, elapsed) = (retry.attempt(), retry.elapsed());
    let reason = ConnectionFault::AfterAttempts { attempts, elapsed, fault: Box::new(fault) };
    StoreError::Unreachable { place: host_and_port(failed), reason, what: request.what.clone() }
}

impl Transport {
    /// Does `work` within the timeout of the whole command.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] with the texts of `describe`: the subject and the activity.
    pub(super) async fn within<T>(
        &self,
        describe: impl Fn() -> (String, String),
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let deadline = &self.settings.deadline;
        let mut work = std::pin::pin!(work);
        loop {
            let (Some(left), Some(limit)) = (deadline.remaining(), deadline.limit()) else { return work.await };
            if left.is_zero() {
                let (what, doing) = describe();
                return Err(StoreError::Timeout { doing, limit, what });
            }
            // Time that does not count extends the timeout, so check it again.
            if let Ok(done) = timeout(left, work.as_mut()).await {
                return done;
            }
        }
    }

    pub(super) fn tell(&self, event: &RequestEvent<'_>) {
        if let Some(watch) = &self.settings.watch {
            watch.observe(event);
        }
    }
}
