//! One attempt of a request: authorization, redirects, and reading the response.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use reqwest::Response;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::LOCATION;
use tracing::debug;

use super::authenticator::Authorization;
use super::client::FirstTurn;
use super::client::RegistryClient;
use super::location;
use super::request::ApiRequest;
use super::request::BodyMode;
use super::request::http_request;
use super::response::ApiResponse;
use super::response::ErrorBody;
use super::response::ResponseBody;
use super::transport::IncomingBody;
use super::transport::Peer;
use super::transport::TransportError;
use super::transport::is_encoded;
use super::warning;
use crate::store::StoreError;
use crate::store::error::LocationFault;
use crate::store::error::ProtocolFault;

/// The outcome of sending a body that cannot be sent again.
pub(super) enum SendOutcome {
    /// The registry redirects the upload to another URL of its own.
    Redirect(Url),
    /// A response of the registry.
    Response(ApiResponse),
}

impl RegistryClient {
    /// Sends a request once, with a body that cannot be sent again. Sets no timeout of its own, and asks the registry
    /// alone: no token service and no credential helper.
    pub(super) async fn send_streaming(
        &self,
        request: &ApiRequest,
        authorization: Option<&Authorization>,
        body: reqwest::Body,
    ) -> Result<SendOutcome, TransportError> {
        let mut http_request = http_request(request, request.url.clone(), authorization);
        *http_request.body_mut() = Some(body);
        let http_response = self.transport.send(http_request, Peer::Registry, Duration::MAX).await?;
        let target = self.target(request, &request.url, &http_response)?;
        if let Some(target) = target {
            return Ok(SendOutcome::Redirect(target));
        }
        self.response(request, http_response, &request.url).await.map(SendOutcome::Response)
    }

    /// Sends a request once, following redirects.
    pub(super) async fn send_once(
        &self,
        request: &ApiRequest,
        authorization: Option<&Authorization>,
        first: &mut Option<FirstTurn<'_>>,
    ) -> Result<ApiResponse, TransportError> {
        let _turn = self.turns.acquire().await;
        self.wait_for_back_off().await;
        let mut url = request.url.clone();
        for _ in 0..=self.transport.settings.limits.registry.redirects {
            // Another host gets neither the credential nor the client certificate
            // (threats: credentials-to-another-host).
            let own = url.origin() == self.base.origin();
            let http_request = http_request(request, url.clone(), authorization.filter(|_| own));
            let peer = if own { Peer::Registry } else { Peer::RedirectTarget };
            let http_response =
                self.transport.send(http_request, peer, self.transport.settings.timeouts.first_byte).await;
            // After a 401 the turn ends only when the challenge was stored.
            first.take_if(|_| {
                !http_response.as_ref().is_ok_and(|http_response| http_response.status() == StatusCode::UNAUTHORIZED)
            });
            // The error names the server that failed, which is not always the registry.
            let about = |error: TransportError| if own { error } else { error.redirected(&url) };
            let http_response = http_response.map_err(about)?;
            match self.target(request, &url, &http_response)? {
                Some(next) => {
                    debug!(to = %self.transport.shown_host(&next), "following a redirect");
                    url = next;
                }
                None => return self.response(request, http_response, &url).await.map_err(about),
            }
        }
        Err(TransportError::Permanent(StoreError::Protocol {
            place: request.what.clone(),
            reason: ProtocolFault::TooManyRedirects(self.transport.settings.limits.registry.redirects),
        }))
    }

    /// The target of a redirect. Requests that read follow it to other hosts. Requests that write follow it only within
    /// the registry, and only if it keeps method and body (RFC 9110 sections 15.4.8 and 15.4.9).
    fn target(&self, request: &ApiRequest, at: &Url, http_response: &Response) -> Result<Option<Url>, TransportError> {
        let reads = request.method == Method::GET || request.method == Method::HEAD;
        match http_response.status().as_u16() {
            307 | 308 => {}
            301..=303 if reads => {}
            _ => return Ok(None),
        }
        let broken = |fault| {
            let reason = ProtocolFault::Location(fault);
            TransportError::Permanent(StoreError::Protocol { place: request.what.clone(), reason })
        };
        let location = http_response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| broken(LocationFault::NoLocation))?;
        if !reads {
            return location::upload_location(&self.base, at, location).map(Some).map_err(broken);
        }
        let target = at.join(location).map_err(|_| broken(LocationFault::NoUrl))?;
        let target = location::behind_tls(&self.base, target);
        location::may_redirect(&self.base, at, &target, &self.transport.settings).map_err(broken)?;
        if target.origin() != self.base.origin() {
            // A presigned URL grants access to everybody who has it, so its signature is a secret.
            let long = target.query_pairs().filter(|(_, value)| value.len() >= MIN_SIGNATURE_LENGTH);
            long.for_each(|(_, value)| self.transport.settings.secrets.add_from_server(&value));
        }
        Ok(Some(target))
    }

    /// Reads the response by the body mode of the request.
    async fn response(
        &self,
        request: &ApiRequest,
        http_response: Response,
        url: &Url,
    ) -> Result<ApiResponse, TransportError> {
        let settings = &self.transport.settings;
        let what = request.what.clone();
        let (status, headers) = (http_response.status(), http_response.headers().clone());
        let incoming = IncomingBody::new(http_response, settings.timeouts);
        if url.origin() == self.base.origin() {
            self.capabilities.warn(warning::read(&headers, &settings.secrets));
        }
        let transient = |(failure, fault)| TransportError::Transient(failure, fault);
        let body = match request.body_mode {
            // An encoded body is not read.
            _ if !status.is_success() && is_encoded(&headers) => {
                ResponseBody::Error(ErrorBody { cut: true, ..ErrorBody::default() })
            }
            _ if !status.is_success() => {
                ResponseBody::Error(ErrorBody::read(incoming, &headers, &settings.limits, &settings.secrets).await)
            }
            BodyMode::AtMost(_) if is_encoded(&headers) => {
                let reason = ProtocolFault::ContentEncoding;
                return Err(TransportError::Permanent(StoreError::Protocol { place: what, reason }));
            }
            BodyMode::Stream => ResponseBody::Stream(Box::new(incoming)),
            BodyMode::Prefix(limit) => ResponseBody::Whole(incoming.read(limit).await.map_err(transient)?.0),
            BodyMode::AtMost(limit) | BodyMode::AtMostRaw(limit) => {
                match incoming.read(limit).await.map_err(transient)? {
                    (bytes, true) => ResponseBody::Whole(bytes),
                    (_, false) => return Err(TransportError::Permanent(StoreError::TooLarge { what, limit })),
                }
            }
            // Read to the end, so that the connection can be reused.
            BodyMode::Discard => {
                let _ = incoming.read(settings.limits.registry.error_body_bytes).await;
                ResponseBody::Whole(Vec::new())
            }
        };
        if headers.get("docker-distribution-api-version").is_some_and(|value| value.as_bytes() == b"registry/2.0") {
            self.capabilities.validates.store(true, Ordering::Relaxed);
        }
        let foreign = url.origin() != self.base.origin();
        Ok(ApiResponse { body, foreign, headers, status, url: url.clone(), what, credential_source: None })
    }
}

/// The shortest query value that may be a signature or a key; shorter ones are names and numbers.
const MIN_SIGNATURE_LENGTH: usize = 16;
