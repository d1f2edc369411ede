//! Settings of the registry client: credentials, TLS, proxies, timeouts and the retry policy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::observer::RequestObserver;
use super::proxy::Proxies;
use crate::limits::Limits;
use crate::redact::Secrets;
use crate::store::Deadline;
use crate::store::credentials::Credentials;
use crate::store::credentials::SecretText;

/// Settings of the registry client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Hosts (`host` or `host:port`) of token services that may be sent the credentials of registries on another host
    /// (`--allow-realm`; threats: token-service-elsewhere).
    pub allow_realms: Vec<String>,
    /// The number of concurrent requests to one registry.
    pub max_requests: usize,
    /// The client certificate for mutual TLS with registries that request one. It is sent to no other host.
    pub client_certificate: Option<ClientCertificate>,
    /// The credential sources.
    pub credentials: Credentials,
    /// The timeout of the whole command.
    pub deadline: Deadline,
    /// Certificate authorities and server certificates that are trusted in addition to those of the operating system,
    /// PEM or DER.
    pub extra_ca: Vec<Vec<u8>>,
    /// The limits on untrusted input.
    pub limits: Limits,
    /// The proxies.
    pub proxies: Proxies,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// TLS or plain HTTP for a host (`host` or `host:port`, as in references). The default is TLS, and plain HTTP for
    /// loopback.
    pub schemes: BTreeMap<String, HttpScheme>,
    /// The secrets in use, which no error message shows. A program that prints other text too passes its own clone, and
    /// redacts them there.
    pub secrets: Secrets,
    /// The timeouts of one request.
    pub timeouts: Timeouts,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The observer of requests and retries.
    pub watch: Option<Arc<dyn RequestObserver>>,
}

/// A client certificate for mutual TLS.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate and its chain up to the authority, PEM or DER.
    pub chain: Vec<u8>,
    /// Its private key, PEM.
    pub key: SecretText,
}

/// The scheme of a connection to a host: TLS or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpScheme {
    /// Plain HTTP, which anybody on the network path can read and change.
    Http,
    /// HTTP over TLS. It is never downgraded to plain HTTP.
    Https,
}

/// The retry policy: when, and how often, a request is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The back-off before the first retry; it doubles with each further one.
    pub backoff: Duration,
    /// The longest back-off, unless a registry asks for a longer one.
    pub max_backoff: Duration,
    /// The number of retries after a refused connection.
    pub connect_retries: u32,
    /// The number of retries of one request.
    pub retries: u32,
    /// The longest `Retry-After` that is respected, in its own seconds.
    pub max_retry_after: u64,
    /// The duration of a second of `Retry-After`.
    pub second: Duration,
    /// The shortest pause between two reads that confirm a list of referrers.
    pub settle: Duration,
}

/// The timeouts of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The timeout of a connection attempt.
    pub connect: Duration,
    /// The timeout for the first byte of a response.
    pub first_byte: Duration,
    /// The timeout of a credential helper.
    pub helper: Duration,
    /// The idle timeout: for the next byte.
    pub idle: Duration,
    /// The minimum rate of a body, in bytes a second over `rate_window`.
    pub rate: u64,
    /// The time over which `rate` is measured.
    pub rate_window: Duration,
    /// The timeout of all attempts of one request together, including token requests and bodies other than layers.
    pub total: Duration,
}

impl Settings {
    /// The default settings, with these credentials.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            allow_realms: Vec::new(),
            max_requests: 16,
            client_certificate: None,
            credentials,
            deadline: Deadline::none(),
            extra_ca: Vec::new(),
            limits: Limits::DEFAULT,
            proxies: Proxies::from_environment(),
            retry: RetryPolicy::DEFAULT,
            schemes: BTreeMap::new(),
            secrets: Secrets::default(),
            timeouts: Timeouts::DEFAULT,
            user_agent: concat!("bulla/", env!("CARGO_PKG_VERSION")).to_owned(),
            watch: None,
        }
    }
}

impl RetryPolicy {
    /// The default policy, which `SECURITY.md` lists.
    pub const DEFAULT: Self = Self {
        backoff: Duration::from_millis(500),
        max_backoff: Duration::from_secs(30),
        connect_retries: 2,
        retries: 5,
        max_retry_after: 120,
        second: Duration::from_secs(1),
        settle: Duration::from_millis(20),
    };

    /// For tests: the same number of attempts, with minimal pauses.
    pub const fn tests() -> Self {
        Self {
            backoff: Duration::from_millis(2),
            max_backoff: Duration::from_millis(10),
            second: Duration::from_millis(1),
            settle: Duration::from_millis(2),
            ..Self::DEFAULT
        }
    }
}

impl Timeouts {
    /// The default timeouts, which `SECURITY.md` lists.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        first_byte: Duration::from_secs(30),
        helper: Duration::from_secs(60),
        idle: Duration::from_secs(30),
        rate: 1 << 10,
        rate_window: Duration::from_secs(60),
        total: Duration::from_secs(300),
    };
}
