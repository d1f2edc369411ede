//! The quirk registry: an OCI distribution registry on loopback that is polite until told otherwise, can be scripted to
//! be hostile, and records everything it is asked.
//!
//! ```ignore
//! let registry = Registry::start(Quirks::polite().with("referrers=off"));
//! let digest = registry.put_manifest("app", &manifest, MANIFEST_TYPE, Some("v1"));
//! registry.rule("GET", "/v2/app/manifests/*", Times::Nth(1), Action::status(503));
//! // … what is tested talks to registry.address() …
//! assert_eq!(registry.count("GET", "/v2/app/manifests/*"), 2);
//! ```
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::allow_attributes,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::len_without_is_empty,
    clippy::new_without_default,
    clippy::panic,
    clippy::unwrap_used,
    reason = "shared by many tests, none of which uses all of it; tests stop where they fail"
)]

pub mod api;
pub mod blobs;
pub mod connection;
pub mod http;
pub mod log;
pub mod presets;
pub mod quirks;
pub mod script;
pub mod store;
pub mod switches;
pub mod token;

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use bulla::digest::Digest;

pub use http::Request;
pub use http::Response;
pub use log::Counters;
pub use log::Recorded;
pub use quirks::Quirks;
pub use script::Action;
pub use script::Rule;
pub use script::Times;
pub use store::Snapshot;

use log::Log;
use script::Script;
use store::Manifest;
use store::Store;
use token::Tokens;

/// A registry that runs until it is dropped.
pub struct Registry {
    core: Arc<Core>,
    listeners: Vec<(SocketAddr, JoinHandle<()>)>,
}

/// The state that all connections of a registry share.
pub struct Core {
    pub store: Store,
    pub tokens: Tokens,
    pub log: Log,
    pub script: Script,
    quirks: RwLock<Arc<Quirks>>,
    addresses: Vec<SocketAddr>,
    /// Tags that still return an older state: how often, and which state.
    lagging: Mutex<Lagging>,
    stop: Mutex<bool>,
    stopping: Condvar,
    connections: Mutex<HashMap<usize, TcpStream>>,
    next: AtomicUsize,
}

type Lagging = HashMap<(String, String), (usize, Option<Digest>)>;

/// The options of starting a registry.
#[derive(Clone, Debug)]
pub struct Options {
    pub port: u16,
    /// The directory of large blobs; by default a temporary one.
    pub dir: Option<PathBuf>,
    /// The number of requests that are recorded.
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, dir: None, keep: 200_000 }
    }
}

impl Registry {
    /// Starts a registry on a free port.
    pub fn start(quirks: Quirks) -> Self {
        Self::start_with(quirks, Options::default()).expect("a registry on loopback")
    }

    /// Starts a registry.
    pub fn start_with(quirks: Quirks, options: Options) -> io::Result<Self> {
        let first = TcpListener::bind(("127.0.0.1", options.port))?;
        let second = TcpListener::bind("127.0.0.2:0").or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
        let addresses = vec![first.local_addr()?, second.local_addr()?];
        let core = Arc::new(Core {
            store: Store::new(options.dir)?,
            tokens: Tokens::default(),
            log: Log::new(options.keep),
            script: Script::default(),
            quirks: RwLock::default(),
            addresses: addresses.clone(),
            lagging: Mutex::default(),
            stop: Mutex::new(false),
            stopping: Condvar::new(),
            connections: Mutex::default(),
            next: AtomicUsize::new(0),
        });
        let mut listeners = Vec::new();
        for (listener, address) in [first, second].into_iter().zip(addresses) {
            let core = Arc::clone(&core);
            let thread =
                thread::Builder::new().name("registry".into()).spawn(move || listen(&core, &listener, address))?;
            listeners.push((address, thread));
        }
        let registry = Self { core, listeners };
        registry.set_quirks(quirks);
        Ok(registry)
    }

    /// The shared state, for hooks that inspect or change the registry.
    pub fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.core.addresses[0].to_string()
    }

    /// `localhost:PORT`: the same place by another name.
    pub fn other_name(&self) -> String {
        format!("localhost:{}", self.core.addresses[0].port())
    }

    /// `127.0.0.2:PORT`: another host that serves the same, and is recorded too.
    pub fn second_host(&self) -> String {
        self.core.second_host()
    }

    /// Changes how the registry behaves from now on. Rules set by hand stay; a throttle is added to them.
    pub fn set_quirks(&self, quirks: Quirks) {
        for (pattern, times, action) in quirks.rules() {
            self.rule("*", &pattern, times, action);
        }
        *self.core.quirks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(quirks);
    }

    /// Sets a rule: which of the requests with that method (`*` for any, `GET|HEAD` for several) whose path fits the
    /// pattern get that action. A pattern with `*` covers the whole path, or `HOST/path?query`; one without is looked
    /// for anywhere in path and query. Rules that fire for one request all apply, in the order in which they were set.
    pub fn rule(&self, method: &str, pattern: &str, times: Times, action: Action) -> Rule {
        self.core.script.add(Rule::new(method, pattern, times, action))
    }

    /// Sets a rule for every matching request that changes the answer by a function.
    pub fn hook(
        &self,
        method: &str,
        pattern: &str,
        hook: impl FnMut(&Request, Response) -> Response + Send + 'static,
    ) -> Rule {
        self.rule(method, pattern, Times::Every, Action::hook(hook))
    }

    /// Forgets all rules.
    pub fn clear_rules(&self) {
        self.core.script.clear();
    }

    /// Every request so far, in the order in which they were answered.
    pub fn requests(&self) -> Vec<Recorded> {
        self.core.log.requests()
    }

    /// Every request so far as `METHOD /path?query`.
    pub fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Recorded::line).collect()
    }

    /// The requests with that method (`*` for any) that fit the pattern.
    pub fn matching(&self, method: &str, pattern: &str) -> Vec<Recorded> {
        self.core.log.matching(method, pattern)
    }

    /// The number of requests with that method (`*` for any) that match the pattern.
    pub fn count(&self, method: &str, pattern: &str) -> usize {
        self.matching(method, pattern).len()
    }

    /// Requests to the second host.
    pub fn on_second_host(&self) -> Vec<Recorded> {
        let second = self.second_host();
        self.requests().into_iter().filter(|it| it.host == second).collect()
    }

    /// Requests to the second host that hold credentials: one of `secrets`, or any `Authorization` at all.
    pub fn leaks(&self, secrets: &[&str]) -> Vec<Recorded> {
        let leaks =
            |it: &Recorded| it.header("Authorization").is_some() || secrets.iter().any(|text| it.mentions(text));
        self.on_second_host().into_iter().filter(leaks).collect()
    }

    /// Sums over all requests.
    pub fn counters(&self) -> Counters {
        self.core.log.counters()
    }

    /// Forgets what was recorded and counts from nought.
    pub fn clear_log(&self) {
        self.core.log.clear();
    }

    /// Stores a blob and returns its digest.
    pub fn put_blob(&self, repository: &str, bytes: impl AsRef<[u8]>) -> Digest {
        self.core.store.put_blob(repository, bytes.as_ref())
    }

    /// Stores a manifest, whatever it says, and returns its digest.
    pub fn put_manifest(
        &self,
        repository: &str,
        bytes: impl AsRef<[u8]>,
        media_type: &str,
        tag: Option<&str>,
    ) -> Digest {
        self.core.store.put_manifest(repository, bytes.as_ref(), media_type, tag)
    }

    /// The manifest that a tag or digest names.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        self.core.store.manifest(repository, reference)
    }

    /// The blob of that digest, if the repository has it.
    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<Vec<u8>> {
        self.core.store.blob(repository, digest).map(|body| body.bytes())
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.core.store.tags(repository)
    }

    /// Everything visible, to be compared with a later one.
    pub fn snapshot(&self) -> Snapshot {
        self.core.store.snapshot()
    }

    /// The number of uploads that were neither finished nor cancelled.
    pub fn open_uploads(&self) -> usize {
        self.core.store.open_uploads()
    }

    /// Collects garbage as the switch `gc` says, and returns what was deleted.
    pub fn collect_garbage(&self) -> Vec<Digest> {
        self.core.store.collect_garbage(self.core.quirks().gc == quirks::Gc::Careful)
    }

    /// Makes every token given out so far invalid.
    pub fn revoke_tokens(&self) {
        self.core.tokens.revoke();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.core.halt();
        for (address, thread) in self.listeners.drain(..) {
            // Wakes the listener, which then sees that it is to stop.
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok();
            thread.join().ok();
        }
        // Functions in rules may hold what holds them.
        self.core.script.clear();
    }
}

impl Core {
    /// The switches as they are now.
    pub fn quirks(&self) -> Arc<Quirks> {
        Arc::clone(&self.quirks.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The address of the second host.
    pub fn second_host(&self) -> String {
        self.addresses[1].to_string()
    }

    /// Whether the registry is to stop.
    pub fn stopped(&self) -> bool {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits that long, or until the registry is to stop, and says whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stopping.wait_timeout_while(stop, time, |stop| !*stop);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    // Records the state of a tag before a write, if reads are to lag behind.
    fn remember(&self, quirks: &Quirks, repository: &str, tag: Option<&str>) {
        if let Some(tag) = tag.filter(|_| quirks.replica_lag > 0) {
            let before = self.store.tag(repository, tag);
            let mut lagging = self.lagging.lock().unwrap_or_else(PoisonError::into_inner);
            lagging.insert((repository.to_owned(), tag.to_owned()), (quirks.replica_lag, before));
        }
    }

    // The manifest that a tag or digest names, as far as this replica knows.
    fn find(&self, quirks: &Quirks, repository: &str, reference: &str) -> Option<(Digest, Manifest)> {
        if quirks.replica_lag > 0 {
            let mut lagging = self.lagging.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (repository.to_owned(), reference.to_owned());
            if let Some((left, before)) = lagging.get_mut(&key).filter(|(left, _)| *left > 0) {
                *left -= 1;
                return before.and_then(|digest| self.store.find(repository, &digest.to_string()));
            }
        }
        let found = self.store.find(repository, reference);
        // GitLab: the fallback tag of a digest is the digest. oras-project/oras#2148.
        let alias = reference.strip_prefix("sha256-").filter(|_| found.is_none() && quirks.gitlab_alias);
        found.or_else(|| self.store.find(repository, &format!("sha256:{}", alias?)))
    }

    fn halt(&self) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopping.notify_all();
        for stream in self.connections.lock().unwrap_or_else(PoisonError::into_inner).values() {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

fn listen(core: &Arc<Core>, listener: &TcpListener, address: SocketAddr) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if core.stopped() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let Ok(stream) = stream else {
            continue;
        };
        if threads.len() >= MAX_CONNECTIONS {
            continue;
        }
        let number = core.next.fetch_add(1, Ordering::SeqCst);
        core.log.connections.fetch_add(1, Ordering::SeqCst);
        let Ok(copy) = stream.try_clone() else {
            continue;
        };
        core.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(number, copy);
        let shared = Arc::clone(core);
        let serve = move || {
            let _ended = Ended { core: &shared, number };
            connection::serve(&shared, stream, number, &address.to_string());
        };
        let spawned = thread::Builder::new().stack_size(STACK).spawn(serve);
        threads.extend(spawned);
    }
    // A connection that came between the order to stop and now has still to be ended.
    core.halt();
    threads.into_iter().for_each(|thread| drop(thread.join()));
}

// Lets go of a connection when its thread ends, be it by a panic in a hook.
struct Ended<'a> {
    core: &'a Core,
    number: usize,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.core.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

const MAX_CONNECTIONS: usize = 2048;
const STACK: usize = 1 << 20;
