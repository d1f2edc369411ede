//! Settings of the registry client: credentials, TLS, proxies, timeouts and the retry policy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::proxy::Proxies;
use super::watch::Watch;
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
    pub at_once: usize,
    /// The client certificate for mutual TLS with registries that ask for one. It is shown to no other host.
    pub client_certificate: Option<ClientCertificate>,
    /// The credential sources.
    pub credentials: Credentials,
    /// The timeout of all requests together.
    pub deadline: Deadline,
    /// Certificate authorities and server certificates to trust besides those of the system, PEM or DER.
    pub extra_ca: Vec<Vec<u8>>,
    /// The limits on what is read.
    pub limits: Limits,
    /// The proxies.
    pub proxies: Proxies,
    /// When a request is tried again.
    pub retry: RetryPolicy,
    /// TLS or plain HTTP for a host (`host` or `host:port`, as in references). The default is TLS, and plain HTTP for
    /// loopback.
    pub schemes: BTreeMap<String, HttpScheme>,
    /// The secrets in use, which no error message shows. A program that prints more than these errors passes its own
    /// clone, and hides them there too.
    pub secrets: Secrets,
    /// The timeouts of one request.
    pub timeouts: Timeouts,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The observer of requests and retries.
    pub watch: Option<Arc<dyn Watch>>,
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

/// The retry policy: when, and how often, a request is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The back-off before the first retry; it doubles with each further one.
    pub backoff: Duration,
    /// The longest back-off that we choose ourselves.
    pub backoff_most: Duration,
    /// How often a connection that was refused is tried again.
    pub connect_retries: u32,
    /// How often one request is tried again.
    pub retries: u32,
    /// The longest pause that a registry may ask for with `Retry-After`, in seconds as it counts them.
    pub retry_after_most: u64,
    /// How long a second of `Retry-After` is.
    pub second: Duration,
    /// The shortest pause between two reads that confirm a list of referrers.
    pub settle: Duration,
}

/// The timeouts of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of a response.
    pub first_byte: Duration,
    /// For a credential helper.
    pub helper: Duration,
    /// For the next byte.
    pub idle: Duration,
    /// The minimum rate of a body, in bytes a second over `rate_window`.
    pub rate: u64,
    /// The time over which `rate` is measured.
    pub rate_window: Duration,
    /// For all attempts of one request together, with tokens and with bodies that are not layers.
    pub total: Duration,
}

impl Settings {
    /// The defaults, with these credentials.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            allow_realms: Vec::new(),
            at_once: 16,
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
    /// The defaults, as `SECURITY.md` states them.
    pub const DEFAULT: Self = Self {
        backoff: Duration::from_millis(500),
        backoff_most: Duration::from_secs(30),
        connect_retries: 2,
        retries: 5,
        retry_after_most: 120,
        second: Duration::from_secs(1),
        settle: Duration::from_millis(20),
    };

    /// For tests: the same number of attempts, with hardly any pause between them.
    pub const fn tests() -> Self {
        Self {
            backoff: Duration::from_millis(2),
            backoff_most: Duration::from_millis(10),
            second: Duration::from_millis(1),
            settle: Duration::from_millis(2),
            ..Self::DEFAULT
        }
    }
}

impl Timeouts {
    /// The defaults, as `SECURITY.md` states them.
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
