//! Sends requests with authentication and retries, within the timeouts.
//!
//! Invariant: a request is sent again only if its retry rule allows that for this failure; the number of attempts and
//! the total time are bounded; and a response is returned only after its challenge was handled.
//!
//! 1. Take the authorization for the scope of the request, if there is one, and send the request.
//! 2. If the response asks for authentication (401, 403, 404), authenticate and go back to 1, or return the response where
//!    nothing more can be offered.
//! 3. If another host refuses HEAD, send a GET request in its place.
//! 4. If the registry is busy or the error is transient, back off and go back to 1, while the retry rule allows it.
//! 5. Return any other response, with any status.

use bytes::Bytes;
use reqwest::Method;
use tokio::time::timeout;
use tracing::Instrument as _;
use tracing::Span;
use tracing::debug_span;

use super::address::host_and_port;
use super::authenticate::AuthAttempts;
use super::client::RegistryClient;
use super::diagnose::unreachable;
use super::request::ApiRequest;
use super::request::BodyMode;
use super::response::ApiResponse;
use super::retry::RetryState;
use super::transport::TransportError;
use crate::store::StoreError;
use crate::store::error::ConnectionFault;

impl RegistryClient {
    /// Sends a request with authentication and retries, within the timeouts. Returns every response that does not lead
    /// to a retry, with any status.
    pub(super) async fn send(&self, request: &ApiRequest) -> Result<ApiResponse, StoreError> {
        let total = request.total(&self.transport.settings.timeouts);
        let mut retry = self.transport.retry_state();
        // A registry chooses the path of an upload.
        let path = self.transport.settings.secrets.hide(request.url.path());
        let doing = || format!("waiting for {}: {} {path}", host_and_port(&self.base), request.method);
        self.transport.settings.deadline.set_activity(doing());
        let span = debug_span!("request", attempt = 1_u32);
        let asked = async {
            // The timeout includes bodies that are not layers.
            match timeout(total, self.send_with_retries(request, &mut retry)).await {
                Ok(asked) => asked.map_err(|error| error.about(&request.what)),
                Err(_) => Err(unreachable(&self.base, request, ConnectionFault::NoWholeResponse(total), &retry)),
            }
        };
        self.transport.within(|| (request.what.clone(), doing()), asked).instrument(span).await
    }

    /// Sends a request until there is a response that is final: authenticates where a response asks for it, backs off after
    /// busy responses and transient errors, and gives up when no retry is left.
    async fn send_with_retries(&self, request: &ApiRequest, retry: &mut RetryState) -> Result<ApiResponse, StoreError> {
        let mut asked = AuthAttempts::default();
        loop {
            // Before the authorization, since the first request may have got a token meanwhile.
            let mut first = self.first_turn().await;
            let authorization = self.auth.authorization(&request.scope).await?;
            let tried = self.send_once(request, authorization.as_ref(), &mut first).await;
            self.check_scheme(request, &tried).await?;
            let pause = match tried {
                Ok(response) if is_closed(&response) => {
                    match self.authenticate(request, authorization.as_ref(), response, &mut asked).await? {
                        Some(response) => return Ok(response),
                        None => continue,
                    }
                }
                Ok(response) if is_for_reading_only(request, &response) => {
                    return Box::pin(self.send_with_retries(&read(request), retry)).await;
                }
                Ok(response) if request.may_repeat(response.status) => match retry.after_busy(&response.headers) {
                    Some(pause) => {
                        let why = response.error_response().to_string();
                        self.again(&self.base, retry, retry.max_attempts(None), pause, &why);
                        self.pause_all(pause)
                    }
                    None => return Ok(response),
                },
                Ok(response) => return self.check_proxy(request, &response).map(|()| response),
                Err(TransportError::Permanent(error)) => return Err(error),
                Err(TransportError::Redirected(target, failure, fault)) => {
                    self.after_failure(request, retry, &target, (failure, fault))?
                }
                Err(TransportError::Transient(failure, fault)) => {
                    self.after_failure(request, retry, &self.base, (failure, fault))?
                }
            };
            tokio::time::sleep(pause).await;
            Span::current().record("attempt", retry.attempt());
        }
    }
}

/// Whether a response may ask for authentication.
fn is_closed(response: &ApiResponse) -> bool {
    !response.foreign && matches!(response.status.as_u16(), 401 | 403 | 404)
}

/// Whether another host refused HEAD: a presigned URL is signed for GET only.
fn is_for_reading_only(request: &ApiRequest, response: &ApiResponse) -> bool {
    request.method == Method::HEAD
        && response.foreign
        && matches!(response.status.as_u16(), 400 | 401 | 403 | 405 | 501)
}

/// The GET request that replaces a HEAD request; the body is not read.
fn read(request: &ApiRequest) -> ApiRequest {
    ApiRequest {
        body: Bytes::new(),
        headers: request.headers.clone(),
        method: Method::GET,
        body_mode: BodyMode::Prefix(0),
        size: request.size,
        scope: request.scope.clone(),
        retry_rule: request.retry_rule,
        url: request.url.clone(),
        what: request.what.clone(),
    }
}
