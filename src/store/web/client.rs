//! `WebClient`: sends one request, and follows the redirects of its answer.
//!
//! The invariant: by [`AddressRule::PublicHosts`], no connection is made to an address that is not public, unless the
//! operator allowed the host. An address in a URL is checked before the request, those of a name by the resolver that the
//! connection uses, and both again for each redirect. Each request has connections of its own. A proxy resolves names
//! itself, so names go through it only if they are allowed.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Body;
use reqwest::Client;
use reqwest::ClientBuilder;
use reqwest::Method;
use reqwest::Request;
use reqwest::Response;
use reqwest::Url;
use reqwest::header::ACCEPT_ENCODING;
use reqwest::header::CACHE_CONTROL;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderValue;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use tokio::time::Instant;
use tokio::time::timeout;
use tracing::debug;
use url::Host;

use super::address_rule::AddressRule;
use super::address_rule::Reach;
use super::error::WebError;
use super::error::WebFault;
use super::public_address::is_public;
use super::request;
use super::request::WebMethod;
use super::request::WebRequest;
use super::request::WebResponse;
use super::resolver::NoPublicAddress;
use super::resolver::PublicResolver;
use crate::store::BrokenReason;
use crate::store::ConnectionFault;
use crate::store::ProxyFault;
use crate::store::StoreError;
use crate::store::TlsSettingFault;
use crate::store::credentials::Credentials;
use crate::store::registry::IncomingBody;
use crate::store::registry::Proxy;
use crate::store::registry::RequestEvent;
use crate::store::registry::Resolver;
use crate::store::registry::Settings;
use crate::store::registry::is_encoded;
use crate::store::registry::network_error;
use crate::store::registry::tls_error;
use crate::store::registry::tls_fault;
use crate::store::registry::trusts_nobody;
use crate::store::registry::verified;

/// Sends single requests, each with connections of its own.
#[derive(Clone, Debug)]
pub struct WebClient {
    settings: Settings,
}

impl WebClient {
    /// A client with the timeouts, the deadline, the proxies and the certificate authorities of `settings`. It has neither
    /// the credentials nor the client certificate. No connection is made.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Settings { client_certificate: None, credentials: Credentials::none(), ..settings } }
    }

    /// Sends `request`, follows redirects of a GET request, and returns the answer. Nothing is sent a second time.
    ///
    /// # Errors
    /// [`WebError`], unless the answer has a status that the request takes and a body within its limit.
    pub async fn send(&self, request: &WebRequest, rule: &AddressRule) -> Result<WebResponse, WebError> {
        let deadline = &self.settings.deadline;
        deadline.set_activity(format!("waiting for {request}"));
        let total = self.settings.timeouts.total;
        let (within, fault) = match (deadline.remaining(), deadline.limit()) {
            (Some(left), Some(limit)) if left < total => (left, WebFault::Deadline(limit)),
            _ => (total, WebFault::Timeout(total)),
        };
        match timeout(within, self.follow(request, rule)).await {
            Ok(answer) => answer,
            Err(_) => Err(WebError { fault, url: request::shown(&request.url) }),
        }
    }

    async fn follow(&self, request: &WebRequest, rule: &AddressRule) -> Result<WebResponse, WebError> {
        let mut url = request.url.clone();
        let mut left = MOST_REDIRECTS;
        loop {
            let at = |fault| WebError { fault, url: request::shown(&url) };
            let response = self.exchange(&url, request, rule).await.map_err(at)?;
            let status = response.status();
            let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
            if !redirects {
                return self.read(response, request).await.map_err(at);
            }
            if request.method != WebMethod::Get {
                return Err(at(WebFault::PostRedirected(status.as_u16())));
            }
            left = left.checked_sub(1).ok_or_else(|| at(WebFault::TooManyRedirects(MOST_REDIRECTS)))?;
            let target = target(&url, &response).map_err(at)?;
            url = target;
        }
    }

    /// Sends the request to `url` and waits for the head of the answer.
    async fn exchange(&self, url: &Url, request: &WebRequest, rule: &AddressRule) -> Result<Response, WebFault> {
        request::check(url)?;
        let proxy = self.settings.proxies.of(url);
        let reach = rule.reach(&request.url, url);
        check_host(url, reach, proxy)?;
        let client = self.client(url, reach, proxy)?;
        let since = Instant::now();
        let sent = timeout(self.settings.timeouts.first_byte, client.execute(message(url, &request.method))).await;
        let status = sent.as_ref().ok().and_then(|sent| sent.as_ref().ok()).map(|response| response.status().as_u16());
        self.report(url, request, status, since.elapsed());
        match sent {
            Ok(sent) => sent.map_err(|error| fault(&error, proxy)),
            Err(_) => Err(WebFault::Connection(ConnectionFault::NoResponse {
                after: self.settings.timeouts.first_byte,
                proxy: proxy.map(Proxy::shown),
            })),
        }
    }

    async fn read(&self, response: Response, request: &WebRequest) -> Result<WebResponse, WebFault> {
        let limit = request.answer_bytes;
        if !request.statuses.contains(&response.status().as_u16()) {
            return Err(WebFault::Status(response.status().as_u16()));
        }
        if is_encoded(response.headers()) {
            return Err(WebFault::ContentEncoding);
        }
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(WebFault::TooLarge { limit });
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type
            .map(|value| value.split_once(';').map_or(value, |(media_type, _)| media_type).trim().to_ascii_lowercase());
        let body = IncomingBody::new(response, self.settings.timeouts).read(limit).await;
        match body.map_err(|(_, fault)| WebFault::Connection(fault))? {
            (body, true) => Ok(WebResponse { body, content_type }),
            (_, false) => Err(WebFault::TooLarge { limit }),
        }
    }

    fn client(&self, url: &Url, reach: Reach, proxy: Option<&Proxy>) -> Result<Client, WebFault> {
        // A proxy may use TLS even if the server does not.
        let config = match url.scheme() == "http" && proxy.is_none() {
            true => trusts_nobody(),
            false => verified(&self.settings, false),
        };
        let builder = self.builder(reach).tls_backend_preconfigured(config.map_err(setting)?);
        let builder = match proxy {
            None => builder.no_proxy(),
            Some(proxy) => {
                let way = proxy.url().map_err(WebFault::Proxy)?;
                way.password().iter().for_each(|password| self.settings.secrets.add(password));
                let unusable = || WebFault::Proxy(ProxyFault::Unusable { proxy: proxy.shown() });
                // The address of the proxy is the operator's: only the names behind it are checked.
                let way = reqwest::Proxy::all(way.clone()).map_err(|_| unusable())?;
                builder.no_proxy().proxy(way).dns_resolver(Resolver)
            }
        };
        builder.build().map_err(|error| WebFault::Setting(TlsSettingFault::Client(network_error(&error))))
    }

    fn builder(&self, reach: Reach) -> ClientBuilder {
        let builder = Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(self.settings.timeouts.connect)
            .pool_max_idle_per_host(0)
            .user_agent(self.settings.user_agent.as_str());
        match reach {
            Reach::Any => builder.dns_resolver(Resolver),
            Reach::Public => builder.dns_resolver(PublicResolver),
        }
    }

    /// Reports the answer, or that none came, to the observer and to the log.
    fn report(&self, url: &Url, request: &WebRequest, status: Option<u16>, took: Duration) {
        let shown = request::shown(url).to_string();
        let shown = self.settings.secrets.hide(&shown);
        debug!(method = request.method.name(), url = %shown, status, "request to a web server");
        if let Some(watch) = &self.settings.watch {
            let host = url.host_str().unwrap_or_default();
            let (method, path) = (request.method.name(), &self.settings.secrets.hide(url.path()));
            watch.observe(&RequestEvent::Request { host, method, path, status, took });
        }
    }
}

/// Checks what can be checked about the host of `url` before a connection.
fn check_host(url: &Url, reach: Reach, proxy: Option<&Proxy>) -> Result<(), WebFault> {
    if reach == Reach::Any {
        return Ok(());
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        // The resolver of the connection checks the addresses of the name.
        Some(Host::Domain(_)) | None => {
            return match proxy {
                Some(proxy) => Err(WebFault::ResolvedByProxy { proxy: proxy.shown() }),
                None => Ok(()),
            };
        }
    };
    if is_public(address) { Ok(()) } else { Err(WebFault::NotPublic(Some(address))) }
}

fn message(url: &Url, method: &WebMethod) -> Request {
    let mut message = match method {
        WebMethod::Get => Request::new(Method::GET, url.clone()),
        WebMethod::Post { body, content_type } => {
            let mut message = Request::new(Method::POST, url.clone());
            *message.body_mut() = Some(Body::from(Bytes::copy_from_slice(body)));
            message.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            message
        }
    };
    // Uncompressed bodies rule out decompression bombs; nothing is ever decompressed.
    message.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // The answer of a cache may be older than a revocation.
    message.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    message
}

/// The target of a redirect from `url`.
fn target(url: &Url, response: &Response) -> Result<Url, WebFault> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let mut target = location.and_then(|location| url.join(location).ok()).ok_or(WebFault::NoLocation)?;
    target.set_fragment(None);
    match url.scheme() == "https" && target.scheme() == "http" {
        true => Err(WebFault::Downgrade),
        false => Ok(target),
    }
}

fn fault(error: &reqwest::Error, proxy: Option<&Proxy>) -> WebFault {
    let mut causes = std::iter::successors(error.source(), |cause| (**cause).source());
    if let Some(none) = causes.find_map(|cause| cause.downcast_ref::<NoPublicAddress>()) {
        return WebFault::NotPublic(none.address);
    }
    match tls_error(error) {
        Some(error) => WebFault::Tls(tls_fault(error)),
        None => {
            let (error, proxy) = (network_error(error), proxy.map(Proxy::shown));
            WebFault::Connection(ConnectionFault::Network { error, proxy })
        }
    }
}

fn setting(error: StoreError) -> WebFault {
    match error {
        StoreError::Broken { reason: BrokenReason::Tls(fault), .. } => WebFault::Setting(fault),
        error => WebFault::Setting(TlsSettingFault::Library(error.to_string())),
    }
}

/// Redirects that are followed for one request.
const MOST_REDIRECTS: u64 = 3;
