//! `Settings`: what the client of registries is told, once; `Patience`: how long it waits and how often it tries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::proxy::Proxies;
use super::watch::Watch;
use crate::limits::Limits;
use crate::redact::Secrets;
use crate::store::Deadline;
use crate::store::credentials::Credentials;
use crate::store::credentials::Secret;

/// What the client of registries is told, once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Hosts of token services that get credentials for registries of another site (threats: token-service-elsewhere).
    pub allow_realms: Vec<String>,
    /// Requests to one host at a time.
    pub at_once: usize,
    /// For mutual TLS: the certificate for registries that ask for one; no other host is shown it.
    pub client_certificate: Option<ClientCertificate>,
    /// The credential sources.
    pub credentials: Credentials,
    /// How long all requests together may take.
    pub deadline: Deadline,
    /// Certificates to trust besides those of the system, PEM or DER: authorities, and servers.
    pub extra_ca: Vec<Vec<u8>>,
    /// What we read.
    pub limits: Limits,
    /// How long we wait.
    pub patience: Patience,
    /// Which way out.
    pub proxies: Proxies,
    /// The secrets that are in use, which no message shows: whoever prints more than our errors shares them.
    pub secrets: Secrets,
    /// What to speak to a host (`host` or `host:port`, as in references). Hosts that are not named here are spoken to
    /// over TLS, except for this machine itself, which is spoken to over plain HTTP.
    pub schemes: BTreeMap<String, Scheme>,
    /// What we call ourselves.
    pub user_agent: String,
    /// Who is told of requests and of further tries.
    pub watch: Option<Arc<dyn Watch>>,
}

/// A certificate for TLS client authentication.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate and what leads up to its authority, PEM or DER.
    pub chain: Vec<u8>,
    /// Its private key, PEM.
    pub key: Secret,
}

/// What is spoken to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP, which anybody on the way can read and change.
    Http,
    /// HTTP over TLS. There is no way back from it to plain HTTP.
    Https,
}

/// How long we wait and how often we try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The pause before the second try; it doubles with each further one.
    pub backoff: Duration,
    /// The longest pause that we choose ourselves.
    pub backoff_most: Duration,
    /// For a connection.
    pub connect: Duration,
    /// How often a connection that was refused is tried again.
    pub connect_retries: u32,
    /// For the first byte of an answer.
    pub first_byte: Duration,
    /// For a credential helper.
    pub helper: Duration,
    /// For the next byte.
    pub idle: Duration,
    /// How many bytes a second there must be, over `rate_window`.
    pub rate: u64,
    /// See `rate`.
    pub rate_window: Duration,
    /// How often one request is tried again.
    pub retries: u32,
    /// The longest pause that a registry may ask for, in seconds as it counts them.
    pub retry_after_most: u64,
    /// How long a second is that a registry asks for.
    pub second: Duration,
    /// The shortest pause between reading a list back and reading it back again.
    pub settle: Duration,
    /// For all tries of one request together, with tokens and with bodies that are no layers.
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
            patience: Patience::DEFAULT,
            proxies: Proxies::from_environment(),
            schemes: BTreeMap::new(),
            secrets: Secrets::default(),
            user_agent: concat!("bulla/", env!("CARGO_PKG_VERSION")).to_owned(),
            watch: None,
        }
    }
}

impl Patience {
    /// The defaults, as `SECURITY.md` states them.
    pub const DEFAULT: Self = Self {
        backoff: Duration::from_millis(500),
        backoff_most: Duration::from_secs(30),
        connect: Duration::from_secs(10),
        connect_retries: 2,
        first_byte: Duration::from_secs(30),
        helper: Duration::from_secs(60),
        idle: Duration::from_secs(30),
        rate: 1 << 10,
        rate_window: Duration::from_secs(60),
        retries: 5,
        retry_after_most: 120,
        second: Duration::from_secs(1),
        settle: Duration::from_millis(20),
        total: Duration::from_secs(300),
    };

    /// For tests: the same number of tries, but hardly any pause between them.
    pub const fn tests() -> Self {
        Self {
            backoff: Duration::from_millis(2),
            backoff_most: Duration::from_millis(10),
            settle: Duration::from_millis(2),
            second: Duration::from_millis(1),
            ..Self::DEFAULT
        }
    }
}
