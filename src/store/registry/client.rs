//! `RegistryClient`: the state that is kept about one registry for the whole process.

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
    /// Filled once the root of the API was asked for a challenge.
    pub(super) challenge_probed: OnceCell<()>,
    first: tokio::sync::Mutex<()>,
    /// No request is sent before this time: the registry asked for a pause.
    not_before: Mutex<Option<Instant>>,
    opened: AtomicBool,
    /// Whether the port to which we speak plain HTTP speaks TLS; probed where plain HTTP got no good response.
    pub(super) speaks_tls: OnceCell<bool>,
    /// Whether there was a response to plain HTTP that no TLS server gives.
    pub(super) spoke: AtomicBool,
    pub(super) transport: Arc<Transport>,
    /// Limits the number of concurrent requests.
    pub(super) turns: Semaphore,
}

/// Capabilities of a registry, as far as its responses have shown them.
#[derive(Default)]
pub(super) struct Capabilities {
    /// The largest chunk of an upload that it accepts, in bytes.
    pub(super) chunk_most: Mutex<Option<u64>>,
    /// It refuses `?artifactType=` on the referrers API.
    pub(super) no_referrers_filter: AtomicBool,
    /// It does not accept a blob in a single POST.
    pub(super) no_single_post: AtomicBool,
    /// It has the referrers API.
    pub(super) referrers: Mutex<Option<bool>>,
    /// It accepts a blob in a single POST.
    pub(super) single_post: AtomicBool,
    /// It refuses manifests whose blobs it does not have.
    pub(super) validates: AtomicBool,
    /// The texts of its `Warning` headers.
    pub(super) warnings: Mutex<BTreeSet<String>>,
}

impl Capabilities {
    /// Keeps the texts of `Warning` headers, up to a limit.
    pub(super) fn warn(&self, warnings: impl Iterator<Item = String>) {
        for warning in warnings {
            let mut known = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < warning::MOST {
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
            turns: Semaphore::new(transport.settings.at_once.max(1)),
            transport,
        }
    }

    /// Holds all requests but one back until the registry has responded once: if it asks for authentication, all others
    /// can authenticate at once, on the connection that is open already.
    pub(super) async fn first_turn(&self) -> Option<FirstTurn<'_>> {
        if self.opened.load(Ordering::Acquire) {
            return None;
        }
        let guard = self.first.lock().await;
        (!self.opened.load(Ordering::Acquire)).then_some(FirstTurn { opened: &self.opened, _guard: guard })
    }

    /// Applies a back-off to all requests to the registry, not to the one that was told to wait alone.
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

/// The turn of the first request. When it is dropped, whatever the outcome, the other requests go on.
pub(super) struct FirstTurn<'a> {
    opened: &'a AtomicBool,
    _guard: MutexGuard<'a, ()>,
}

impl Drop for FirstTurn<'_> {
    fn drop(&mut self) {
        self.opened.store(true, Ordering::Release);
    }
}
