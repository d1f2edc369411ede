//! The transport: connections, TLS profiles, timeouts, and reading bodies within limits.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
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
use reqwest::header::CONTENT_ENCODING;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use tokio::time::Instant;
use tokio::time::timeout;

use super::address::host_and_port;
use super::network_error::is_permanent;
use super::network_error::network_error;
use super::observer::RequestEvent;
use super::proxy::Proxy;
use super::resolver::Resolver;
use super::retry::ConnectionFailure;
use super::retry::RetryState;
use super::settings::Settings;
use super::settings::Timeouts;
use super::tls;
use super::verifier;
use crate::store::StoreError;
use crate::store::TlsFault;
use crate::store::error::BrokenReason;
use crate::store::error::ConnectionFault;
use crate::store::error::ProtocolFault;
use crate::store::error::ProxyFault;
use crate::store::error::TlsSettingFault;
use crate::store::growth;

/// The connections of a process.
pub(super) struct Transport {
    /// The hosts whose first answer was logged.
    pub(super) answered: Mutex<BTreeSet<String>>,
    clients: Mutex<BTreeMap<ConnectionProfile, Client>>,
    pub(super) settings: Arc<Settings>,
}

/// The profile of a connection; connections of different profiles share nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ConnectionProfile {
    identified: bool,
    plain: bool,
    /// Whether it uses the proxy of its scheme.
    proxied: bool,
}

/// The server that a request is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Another server, to which the registry redirected a request that reads.
    RedirectTarget,
    /// The registry itself.
    Registry,
    /// The token service that the registry named.
    TokenService,
}

impl Peer {
    /// The path of a URL as a log may show it. That of a redirect target may grant access, as a presigned URL does.
    pub(super) fn shown_path(self, url: &Url) -> &str {
        match self {
            Self::RedirectTarget => "(not shown)",
            Self::Registry | Self::TokenService => url.path(),
        }
    }
}

/// Why an attempt got no response.
#[derive(Debug)]
pub(super) enum TransportError {
    /// A permanent error: a retry would fail in the same way.
    Permanent(StoreError),
    /// A transient error of the server at this URL, to which the registry redirected: a retry may succeed.
    Redirected(Url, ConnectionFailure, ConnectionFault),
    /// A transient error of the server that was asked: a retry may succeed.
    Transient(ConnectionFailure, ConnectionFault),
}

impl TransportError {
    /// The error if there is no further attempt. `place` is the server that was asked.
    pub(super) fn error(self, place: &str) -> StoreError {
        match self {
            Self::Permanent(error) => error,
            Self::Redirected(target, _, reason) => {
                StoreError::Unreachable { place: host_and_port(&target), reason, what: String::new() }
            }
            Self::Transient(_, reason) => {
                StoreError::Unreachable { place: place.to_owned(), reason, what: String::new() }
            }
        }
    }

    /// The same error as that of `target`, to which the registry redirected.
    pub(super) fn redirected(self, target: &Url) -> Self {
        match self {
            Self::Transient(failure, fault) => Self::Redirected(target.clone(), failure, fault),
            error => error,
        }
    }
}

impl Transport {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { answered: Mutex::default(), clients: Mutex::default(), settings }
    }

    /// The retry state of a new request.
    pub(super) fn retry_state(&self) -> RetryState {
        RetryState::new(self.settings.retry, self.settings.timeouts.total)
    }

    /// Sends `request` and waits for the head of the response, for at most `timeout`. The client
    /// certificate is sent to the registry alone (mutual TLS), and the path of a redirect target is not logged.
    pub(super) async fn send(
        &self,
        mut request: Request,
        peer: Peer,
        timeout: Duration,
    ) -> Result<Response, TransportError> {
        // Uncompressed bodies rule out decompression bombs; nothing is ever decompressed.
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let (method, url) = (request.method().clone(), request.url().clone());
        let proxy = self.settings.proxies.of(&url);
        let size = request.body().and_then(Body::as_bytes).map(length);
        let client = self.client(&url, peer == Peer::Registry, proxy).map_err(TransportError::Permanent)?;
        let since = Instant::now();
        let sent = tokio::time::timeout(timeout, client.execute(request)).await;
        let response = sent.as_ref().ok().and_then(|sent| sent.as_ref().ok());
        let status = response.map(|response| response.status().as_u16());
        self.log_response((&method, &url, peer, size), response, since.elapsed());
        let host = host_and_port(&url);
        let (method, took) = (method.as_str(), since.elapsed());
        let path = &self.settings.secrets.hide(peer.shown_path(&url));
        let shown = self.settings.secrets.hide(&host).into_owned();
        self.tell(&RequestEvent::Request { host: &shown, method, path, status, took });
        let through = proxy.map_or_else(String::new, |proxy| format!(" through {}", proxy.shown()));
        match sent {
            Ok(Ok(response)) => Ok(response),
            // A retry does not help a server that cannot prove its name.
            Ok(Err(error)) if tls_error(&error).is_some() => {
                let fault = tls_error(&error).map_or(TlsFault::NoTls, tls_fault);
                Err(TransportError::Permanent(StoreError::Tls { place: host + &through, fault, what: String::new() }))
            }
            Ok(Err(error)) if error.is_builder() => Err(TransportError::Permanent(StoreError::Protocol {
                place: host,
                reason: ProtocolFault::Request(network_error(&error)),
            })),
            Ok(Err(error)) => {
                let proxy = proxy.map(Proxy::shown);
                let reported = network_error(&error);
                let failure = match error.is_connect() {
                    true if is_permanent(&error) => ConnectionFailure::Permanent,
                    true => ConnectionFailure::Connect,
                    false => ConnectionFailure::Closed,
                };
                Err(TransportError::Transient(failure, ConnectionFault::Network { error: reported, proxy }))
            }
            Err(_) => Err(TransportError::Transient(
                ConnectionFailure::Silent,
                ConnectionFault::NoResponse { after: timeout, proxy: proxy.map(Proxy::shown) },
            )),
        }
    }

    /// Whether the server at `url` speaks TLS. It makes a handshake that trusts nobody, so no request is ever sent. Not
    /// done through a proxy, which may refuse it for reasons of its own.
    pub(super) async fn speaks_tls(&self, url: &Url) -> bool {
        let mut secure = url.clone();
        let set = secure.set_scheme("https").and_then(|()| secure.set_port(url.port_or_known_default()));
        if set.is_err() || self.settings.proxies.of(url).is_some() {
            return false;
        }
        let Ok(client) = tls::trusts_nobody().and_then(|config| built(self.builder().no_proxy(), config)) else {
            return false;
        };
        let asked = client.execute(Request::new(Method::HEAD, secure));
        let Ok(Err(error)) = timeout(self.settings.timeouts.connect, asked).await else { return false };
        matches!(
            tls_error(&error),
            Some(
                rustls::Error::AlertReceived(_)
                    | rustls::Error::InvalidCertificate(_)
                    | rustls::Error::PeerIncompatible(_)
            )
        )
    }

    fn client(&self, url: &Url, identified: bool, proxy: Option<&Proxy>) -> Result<Client, StoreError> {
        let plain = url.scheme() == "http";
        let profile = ConnectionProfile { identified: identified && !plain, plain, proxied: proxy.is_some() };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&profile) {
            return Ok(client.clone());
        }
        let client = self.build(profile, proxy)?;
        clients.insert(profile, client.clone());
        Ok(client)
    }

    fn build(&self, profile: ConnectionProfile, proxy: Option<&Proxy>) -> Result<Client, StoreError> {
        // A proxy may use TLS even if the registry does not.
        let config = match profile.plain && !profile.proxied {
            true => tls::trusts_nobody()?,
            false => tls::verified(&self.settings, profile.identified)?,
        };
        let builder = self.builder().https_only(!profile.plain);
        let Some(proxy) = proxy else { return built(builder.no_proxy(), config) };
        let broken = |fault| StoreError::Broken { place: "proxy".to_owned(), reason: BrokenReason::Proxy(fault) };
        let url = proxy.url().map_err(broken)?;
        // reqwest has one TLS configuration for the connection to an https:// proxy and the one through it, so the
        // proxy would be sent the client certificate that is meant for the registry.
        if profile.identified && self.settings.client_certificate.is_some() && url.scheme() == "https" {
            return Err(broken(ProxyFault::ClientCertificate { proxy: proxy.shown() }));
        }
        url.password().iter().for_each(|password| self.settings.secrets.add(password));
        let way =
            reqwest::Proxy::all(url.clone()).map_err(|_| broken(ProxyFault::Unusable { proxy: proxy.shown() }))?;
        built(builder.no_proxy().proxy(way), config)
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(self.settings.timeouts.connect)
            .dns_resolver(Resolver)
            .user_agent(self.settings.user_agent.as_str())
    }
}

fn built(builder: ClientBuilder, config: ClientConfig) -> Result<Client, StoreError> {
    let client = builder.tls_backend_preconfigured(config).build();
    client.map_err(|error| {
        let reason = BrokenReason::Tls(TlsSettingFault::Client(network_error(&error)));
        StoreError::Broken { place: "TLS".to_owned(), reason }
    })
}

/// The body of a response, read with an idle timeout and a minimum rate.
pub(in crate::store) struct IncomingBody {
    bytes: u64,
    timeouts: Timeouts,
    response: Response,
    waited: Duration,
}

impl IncomingBody {
    pub(in crate::store) fn new(response: Response, timeouts: Timeouts) -> Self {
        Self { bytes: 0, timeouts, response, waited: Duration::ZERO }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, (ConnectionFailure, ConnectionFault)> {
        let since = Instant::now();
        let piece = match timeout(self.timeouts.idle, self.response.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return Err((ConnectionFailure::Closed, network_fault(&error))),
            Err(_) => {
                return Err((ConnectionFailure::Silent, ConnectionFault::NothingReceived(self.timeouts.idle)));
            }
        };
        // Only the time of the other side counts, not the time in which we process the data.
        self.waited = self.waited.saturating_add(since.elapsed());
        self.bytes = self.bytes.saturating_add(piece.as_ref().map_or(0, |piece| length(piece)));
        if self.waited >= self.timeouts.rate_window {
            if self.bytes < self.timeouts.rate.saturating_mul(self.timeouts.rate_window.as_secs().max(1)) {
                return Err((ConnectionFailure::Silent, ConnectionFault::TooSlow(self.timeouts.rate)));
            }
            self.bytes = 0;
            self.waited = Duration::ZERO;
        }
        Ok(piece)
    }

    /// Reads the whole body, up to `limit` bytes and one more that shows that there are more. The second value says
    /// whether it ended within the limit.
    pub(in crate::store) async fn read(
        mut self,
        limit: u64,
    ) -> Result<(Vec<u8>, bool), (ConnectionFailure, ConnectionFault)> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            growth::make_room(&mut whole, piece.len(), limit.saturating_add(1));
            whole.extend_from_slice(&piece);
            if length(&whole) > limit {
                whole.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                return Ok((whole, false));
            }
        }
        Ok((whole, true))
    }
}

/// Whether a body has a content encoding (RFC 9110 section 8.4). An empty one and `identity` count as none;
/// `aws-chunked` describes only how an object was uploaded.
pub(in crate::store) fn is_encoded(headers: &HeaderMap) -> bool {
    let encodings =
        headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    encodings
        .map(<[u8]>::trim_ascii)
        .any(|encoding| !NO_ENCODING.iter().any(|none| encoding.eq_ignore_ascii_case(none)))
}

const NO_ENCODING: &[&[u8]] = &[b"", b"identity", b"aws-chunked"];

fn network_fault(error: &reqwest::Error) -> ConnectionFault {
    ConnectionFault::Network { error: network_error(error), proxy: None }
}

/// The error of the TLS library, if TLS failed and not the network.
pub(in crate::store) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| tls_error(inner)).or_else(|| error.source().and_then(tls_error))
}

pub(in crate::store) fn tls_fault(error: &rustls::Error) -> TlsFault {
    match error {
        // The received bytes are no TLS record.
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => TlsFault::NoTls,
        error => verifier::tls_fault(error).unwrap_or_else(|| TlsFault::Handshake { detail: error.to_string() }),
    }
}

/// A length in memory as a `u64`, as on the wire.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
