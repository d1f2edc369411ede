//! `RegistryClient`: the state of one registry that is shared by the whole process.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Url;
use tokio::sync::MutexGuard;
use tokio::sync::OnceCell;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::authenticator::Authenticator;
use super::transport::Transport;
use super::warning;

/// The client of one registry. Its methods that send requests are in `exchange.rs` (one attempt) and `send.rs` (with
/// authentication and retries).
pub(super) struct RegistryClient {
    pub(super) auth: Authenticator,
    /// The root of the registry's API, without `/v2/`.
    pub(super) base: Url,
    pub(super) capabilities: Capabilities,
    /// Set once the API root was asked for a challenge.
    pub(super) challenge_probed: OnceCell<()>,
    first: tokio::sync::Mutex<()>,
    /// The end of the current back-off: no request is sent before it.
    not_before: Mutex<Option<Instant>>,
    opened: AtomicBool,
    /// Whether the port for plain HTTP speaks TLS; probed if plain HTTP got no good response.
    pub(super) speaks_tls: OnceCell<bool>,
    /// Whether a response to plain HTTP proved that the port does not speak TLS.
    pub(super) spoke: AtomicBool,
    pub(super) transport: Arc<Transport>,
    /// Limits the number of concurrent requests.
    pub(super) turns: Semaphore,
}

/// The capabilities of a registry that its responses have shown.
#[derive(Default)]
pub(super) struct Capabilities {
    /// The longest chunk that it accepts in an upload, in bytes.
    pub(super) max_chunk: Mutex<Option<u64>>,
    /// Whether it refuses `?artifactType=` in the referrers API.
    pub(super) no_referrers_filter: AtomicBool,
    /// Whether it does not accept a blob in a single POST.
    pub(super) no_single_post: AtomicBool,
    /// Whether it has the referrers API.
    pub(super) referrers: Mutex<Option<bool>>,
    /// Whether it accepts a blob in a single POST.
    pub(super) single_post: AtomicBool,
    /// Whether it refuses manifests whose blobs are missing.
    pub(super) validates: AtomicBool,
    /// The texts of its `Warning` headers.
    pub(super) warnings: Mutex<BTreeSet<String>>,
}

impl Capabilities {
    /// Stores the texts of `Warning` headers, up to a limit.
    pub(super) fn warn(&self, warnings: impl Iterator<Item = String>) {
        for warning in warnings {
            let mut known = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < warning::MAX_WARNINGS {
                known.insert(warning);
            }
        }
    }
}

impl RegistryClient {
    pub(super) fn new(name: &str, base: Url, transport: Arc<Transport>) -> Self {
        Self {
            auth: Authenticator::new(name, base.clone(), Arc::clone(&transport)),
            base,
            capabilities: Capabilities::default(),
            challenge_probed: OnceCell::new(),
            first: tokio::sync::Mutex::default(),
            not_before: Mutex::default(),
            opened: AtomicBool::new(false),
            speaks_tls: OnceCell::new(),
            spoke: AtomicBool::new(false),
            turns: Semaphore::new(transport.settings.max_requests.max(1)),
            transport,
        }
    }

    /// Holds back all requests but one until the registry has responded once. If it requires authentication, the others
    /// authenticate at once, on the open connection.
    pub(super) async fn first_turn(&self) -> Option<FirstTurn<'_>> {
        if self.opened.load(Ordering::Acquire) {
            return None;
        }
        let guard = self.first.lock().await;
        (!self.opened.load(Ordering::Acquire)).then_some(FirstTurn { opened: &self.opened, _guard: guard })
    }

    /// Applies a back-off to all requests to the registry, not only to the one that was asked to wait.
    pub(super) fn pause_all(&self, pause: Duration) -> Duration {
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        let then = Instant::now() + pause;
        *not_before = Some(not_before.map_or(then, |other| other.max(then)));
        pause
    }

    /// Waits for the end of a back-off.
    pub(super) async fn wait_for_back_off(&self) {
        loop {
            let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            match not_before {
                Some(then) if then > Instant::now() => tokio::time::sleep_until(then).await,
                _ => return,
            }
        }
    }
}

/// The first request. When this is dropped, whatever the outcome, the other requests continue.
pub(super) struct FirstTurn<'a> {
    opened: &'a AtomicBool,
    _guard: MutexGuard<'a, ()>,
}

impl Drop for FirstTurn<'_> {
    fn drop(&mut self) {
        self.opened.store(true, Ordering::Release);
    }
}
