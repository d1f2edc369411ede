//! One request, one answer: connections, time-outs, and bodies that are read within bounds.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
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
use url::Host;

use super::retry::Failure;
use super::settings::Patience;
use super::settings::Proxies;
use super::settings::Settings;
use super::tls;
use super::verifier;
use crate::store::StoreError;
use crate::store::TlsFault;

/// The connections of a process.
pub(super) struct Transport {
    clients: Mutex<BTreeMap<Profile, Client>>,
    pub(super) settings: Arc<Settings>,
}

/// What a connection may be used for; connections of different profiles share nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Profile {
    identified: bool,
    local: bool,
    plain: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It would be no better the next time.
    Final(StoreError),
    /// It might be better the next time.
    Passing(Failure, String),
}

impl Transport {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { clients: Mutex::default(), settings }
    }

    /// Sends `request` and waits for the head of the answer; at most `patience` after the last of it was sent.
    /// `identified` where the client certificate may be shown.
    pub(super) async fn send(
        &self,
        mut request: Request,
        identified: bool,
        patience: Duration,
    ) -> Result<Response, Trouble> {
        // What is not compressed cannot be a bomb; nothing is ever decompressed.
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let place = place(request.url());
        let client = self.client(request.url(), identified).map_err(Trouble::Final)?;
        match timeout(patience, client.execute(request)).await {
            Ok(Ok(response)) => Ok(response),
            // A server that cannot prove its name now cannot do so in a second either.
            Ok(Err(error)) if tls_error(&error).is_some() => {
                let fault = tls_error(&error).map_or(TlsFault::NoTls, tls_fault);
                Err(Trouble::Final(StoreError::Tls { place, fault }))
            }
            Ok(Err(error)) if error.is_connect() => Err(Trouble::Passing(Failure::Connect, words(&error))),
            Ok(Err(error)) if error.is_builder() => {
                Err(Trouble::Final(StoreError::Protocol { place, why: words(&error) }))
            }
            Ok(Err(error)) => Err(Trouble::Passing(Failure::Closed, words(&error))),
            Err(_) => {
                let why = format!("no answer after {} seconds", patience.as_secs_f32());
                Err(Trouble::Passing(Failure::Silent, why))
            }
        }
    }

    /// Whether TLS is spoken at `url`, as a handshake tells that trusts nobody and so never comes to a request. Not asked
    /// through a proxy, which has its own reasons to refuse.
    pub(super) async fn speaks_tls(&self, url: &Url) -> bool {
        let mut secure = url.clone();
        let set = secure.set_scheme("https").and_then(|()| secure.set_port(url.port_or_known_default()));
        if set.is_err() || !(is_loopback(url) || self.settings.proxies == Proxies::None) {
            return false;
        }
        let Ok(client) = tls::trusts_nobody().and_then(|config| built(self.builder().no_proxy(), config)) else {
            return false;
        };
        let asked = client.execute(Request::new(Method::HEAD, secure));
        let Ok(Err(error)) = timeout(self.settings.patience.connect, asked).await else { return false };
        matches!(
            tls_error(&error),
            Some(
                rustls::Error::AlertReceived(_)
                    | rustls::Error::InvalidCertificate(_)
                    | rustls::Error::PeerIncompatible(_)
            )
        )
    }

    fn client(&self, url: &Url, identified: bool) -> Result<Client, StoreError> {
        let plain = url.scheme() == "http";
        let profile = Profile { identified: identified && !plain, local: is_loopback(url), plain };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&profile) {
            return Ok(client.clone());
        }
        let client = self.build(profile)?;
        clients.insert(profile, client.clone());
        Ok(client)
    }

    fn build(&self, profile: Profile) -> Result<Client, StoreError> {
        let settings = &self.settings;
        let mut builder = self.builder().https_only(!profile.plain);
        if profile.local || settings.proxies == Proxies::None {
            builder = builder.no_proxy();
        }
        // A proxy may be spoken to over TLS even where the registry is not.
        let config = match profile.local && profile.plain {
            true => tls::trusts_nobody()?,
            false => tls::verified(settings, profile.identified)?,
        };
        built(builder, config)
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(self.settings.patience.connect)
            .user_agent(self.settings.user_agent.as_str())
    }
}

fn built(builder: ClientBuilder, config: ClientConfig) -> Result<Client, StoreError> {
    let client = builder.tls_backend_preconfigured(config).build();
    client.map_err(|error| StoreError::Broken { place: "TLS".to_owned(), why: words(&error) })
}

/// A body on its way, with a watch on how fast it comes.
pub(super) struct Incoming {
    bytes: u64,
    patience: Patience,
    response: Response,
    waited: Duration,
}

impl Incoming {
    pub(super) fn new(response: Response, patience: Patience) -> Self {
        Self { bytes: 0, patience, response, waited: Duration::ZERO }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, (Failure, String)> {
        let since = Instant::now();
        let piece = match timeout(self.patience.idle, self.response.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return Err((Failure::Closed, words(&error))),
            Err(_) => {
                let why = format!("nothing came for {} seconds", self.patience.idle.as_secs_f32());
                return Err((Failure::Silent, why));
            }
        };
        // Only the time that the other side needs counts, not the time that we need for what it sent.
        self.waited = self.waited.saturating_add(since.elapsed());
        self.bytes = self.bytes.saturating_add(piece.as_ref().map_or(0, |piece| length(piece)));
        if self.waited >= self.patience.rate_window {
            if self.bytes < self.patience.rate.saturating_mul(self.patience.rate_window.as_secs().max(1)) {
                return Err((Failure::Silent, format!("slower than {} bytes a second", self.patience.rate)));
            }
            self.bytes = 0;
            self.waited = Duration::ZERO;
        }
        Ok(piece)
    }

    /// The whole body, of which no more than `limit` bytes, and one to see that there are more, are kept. The
    /// second value says whether it ended within the limit.
    pub(super) async fn read(mut self, limit: u64) -> Result<(Vec<u8>, bool), (Failure, String)> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
            if length(&whole) > limit {
                whole.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                return Ok((whole, false));
            }
        }
        Ok((whole, true))
    }
}

/// Whether a body is in a content encoding (RFC 9110 section 8.4). An empty one is none, as `identity` is; `aws-chunked`
/// is about how an object was uploaded.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let encodings =
        headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    encodings
        .map(<[u8]>::trim_ascii)
        .any(|encoding| !NO_ENCODING.iter().any(|none| encoding.eq_ignore_ascii_case(none)))
}

const NO_ENCODING: &[&[u8]] = &[b"", b"identity", b"aws-chunked"];

/// Whether `url` leads to this machine itself, as far as its spelling says.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// The host and, where it is not the usual one, the port of `url`.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What went wrong, down to its cause, without the address, which may hold a signature.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // What only says that something is wrong inside does not help whoever reads it.
        if words.last() != Some(&text) && !text.starts_with("client error (") && text != "error resolving DNS" {
            words.push(text);
        }
        cause = error.source();
    }
    match words.is_empty() {
        true if error.is_builder() => "the request could not be made".to_owned(),
        true => "the connection broke".to_owned(),
        false => words.join(": "),
    }
}

/// The error of the TLS library, where TLS, not the network, is what failed.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| tls_error(inner)).or_else(|| error.source().and_then(tls_error))
}

fn tls_fault(error: &rustls::Error) -> TlsFault {
    match error {
        // What came is no TLS record.
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => TlsFault::NoTls,
        error => verifier::told(error).unwrap_or_else(|| TlsFault::Handshake { why: error.to_string() }),
    }
}

/// A length in memory as a length on the wire.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
