//! Rules: which request gets which fault.
//!
//! How the behaviours of `docs/threats.md` are made; the switches are in `quirks.rs`:
//!
//! | behaviour | with |
//! | --- | --- |
//! | other content for a digest, login pages | `ReplaceBody`, with `SetHeader` of the type |
//! | wrong headers: digest, media type, `Link`, `Date` | `SetHeader` |
//! | another answer to `HEAD` than to `GET` | a rule for `HEAD` only |
//! | answers that depend on the request or on how often it came | `Hook`, which may count its calls or look at the headers of the request |
//! | hostile manifests, lists and blobs | `put_manifest` and `put_blob`, which check nothing |
//! | truncated bodies | `SetHeader` of `Content-Length`, `CutAfter` |
//! | endless, compressed, slow and missing answers | `EndlessBody`, `GzipBomb`, `Drip`, `EndlessHeaders`, `Hang` |
//! | redirect loops, redirects to internal addresses | `Redirect` |
//! | redirects to another host | switch `blob-redirect`, or `Redirect` to the second host |
//! | token services elsewhere, 401 for ever, passwords without TLS | switches `realm`, `token-ttl=0`, `auth=basic` |
//! | malformed tokens, scopes of other repositories | `ReplaceBody` on `/token`, `SetHeader` of `WWW-Authenticate` |
//! | upload locations, false mounts | switches `location`, `mount=201-lie` |
//! | blobs that are accepted and lost | `Status` 201 for the PUT of the blob |
//! | manifests stored changed, races for the fallback list | `Hook` with `Registry::core`, which reads and writes what is stored; `gather` |
//! | rate limits, errors, content that is missing | `Status` with `Times`, `Reset`, `LoseAnswer`; switches `throttle`, `notfound` |
//! | the referrers API: absent, empty, filters, pages | switches `referrers`, `filter`, `link` |
//! | closed connections, a second name for one address | `Close`; `Registry::other_name` |
//! | faults in an upload: broken connections, expired tokens, lost sessions and answers, lagging replicas | `CutRequestAfter`, switch `token-ttl`, `revoke_tokens`, `Status` 404, `LoseAnswer`, switch `replica-lag` |
//!
//! Not here: TLS, HTTP/2, and names that are refused before any request.

use std::fmt;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::http::Request;
use super::http::Response;

/// The matching requests that a rule applies to, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// All but the first n.
    After(usize),
    Every,
    /// One in n: the n-th, the 2n-th and so on.
    EveryNth(usize),
    First(usize),
    Nth(usize),
}

/// The action on a request, instead of or after the ordinary answer.
#[derive(Clone)]
pub enum Action {
    /// The ordinary answer, then the connection is closed without a `Connection: close` header.
    Close,
    /// The ordinary answer in chunks of so many bytes, without a length.
    Chunked(usize),
    /// The head and the first n bytes of the body, then the end of the connection.
    CutAfter(u64),
    /// The registry reads n bytes of the request body, keeps them, and resets the connection.
    CutRequestAfter(u64),
    /// The ordinary answer in pieces of so many bytes, with a pause after each.
    Drip { bytes: usize, pause_ms: u64 },
    /// The ordinary head, then a body that never ends (up to 1 GiB).
    EndlessBody,
    /// A status line and headers that never end (up to 1 GiB).
    EndlessHeaders,
    /// The ordinary answer, held back until so many requests that this rule is for have been carried out, or a few
    /// seconds have passed: none of them sees what comes of the others.
    Gather(Gate),
    /// The ordinary head, then a gzip body that inflates to so many bytes.
    GzipBomb(u64),
    /// No answer until the registry stops, or a minute has passed.
    Hang,
    /// The ordinary answer changed by a test.
    Hook(Hook),
    /// The request is carried out and its answer lost: the connection closes.
    LoseAnswer,
    /// The request is carried out after a pause.
    Pause { ms: u64 },
    /// These bytes instead of an answer, then the end of the connection.
    Raw(Vec<u8>),
    /// A redirect.
    Redirect { status: u16, to: String },
    /// A header less in the ordinary answer.
    RemoveHeader(String),
    /// Another body in the ordinary answer.
    ReplaceBody(Vec<u8>),
    /// A TCP reset before anything is read.
    Reset,
    /// A header in the ordinary answer.
    SetHeader(String, String),
    /// Another status in the ordinary answer.
    SetStatus(u16),
    /// This answer instead; the registry does nothing.
    Status { code: u16, headers: Vec<(String, String)>, body: Vec<u8> },
}

/// A function of a test that sees the request and changes the answer.
pub type Hook = Arc<Mutex<dyn FnMut(&Request, Response) -> Response + Send>>;

impl Action {
    /// An action that calls `hook`.
    pub fn hook(hook: impl FnMut(&Request, Response) -> Response + Send + 'static) -> Self {
        Self::Hook(Arc::new(Mutex::new(hook)))
    }

    /// An action that answers in groups of so many.
    pub fn gather(count: usize) -> Self {
        Self::Gather(Gate { count, arrived: Arc::default() })
    }

    /// An answer with only a status and an OCI error body of that code.
    pub fn status(code: u16) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let body = format!(r#"{{"errors":[{{"code":"QUIRK","message":"status {code} was asked for"}}]}}"#);
        Self::Status { code, headers, body: body.into_bytes() }
    }

    /// A temporary redirect.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self::Redirect { status: 307, to: to.into() }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hook(_) => f.write_str("Hook"),
            Self::Status { code, .. } => write!(f, "Status({code})"),
            Self::Redirect { status, to } => write!(f, "Redirect({status}, {to})"),
            _ => f.write_str("Action"),
        }
    }
}

/// A barrier at which requests wait for each other.
#[derive(Clone)]
pub struct Gate {
    count: usize,
    arrived: Arc<(Mutex<usize>, Condvar)>,
}

impl Gate {
    /// Waits for the rest of the group.
    pub fn pass(&self) {
        let (arrived, changed) = &*self.arrived;
        let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
        *arrived += 1;
        let full = arrived.div_ceil(self.count.max(1)) * self.count.max(1);
        changed.notify_all();
        drop(changed.wait_timeout_while(arrived, PATIENCE, |arrived| *arrived < full));
    }
}

/// A rule that was set, to ask how often it matched.
#[derive(Clone)]
pub struct Rule {
    method: String,
    pattern: String,
    times: Times,
    action: Action,
    matched: Arc<AtomicUsize>,
    fired: Arc<AtomicUsize>,
}

impl Rule {
    pub fn new(method: &str, pattern: &str, times: Times, action: Action) -> Self {
        let (method, pattern) = (method.to_owned(), pattern.to_owned());
        Self { method, pattern, times, action, matched: Arc::default(), fired: Arc::default() }
    }

    /// The number of requests that its method and pattern matched.
    pub fn matched(&self) -> usize {
        self.matched.load(Ordering::SeqCst)
    }

    /// The number of requests that it changed.
    pub fn fired(&self) -> usize {
        self.fired.load(Ordering::SeqCst)
    }

    fn fires(&self, request: &Request) -> bool {
        let method = self.method == "*" || self.method.split('|').any(|method| method == request.method);
        if !method || !fits(&self.pattern, request) {
            return false;
        }
        let hit = self.matched.fetch_add(1, Ordering::SeqCst) + 1;
        let fires = self.times.covers(hit);
        if fires {
            self.fired.fetch_add(1, Ordering::SeqCst);
        }
        fires
    }
}

impl Times {
    /// Whether the n-th hit is meant.
    pub fn covers(self, hit: usize) -> bool {
        match self {
            Self::After(n) => hit > n,
            Self::Every => true,
            Self::EveryNth(n) => hit.is_multiple_of(n),
            Self::First(n) => hit <= n,
            Self::Nth(n) => hit == n,
        }
    }
}

/// The rules of a registry, in the order in which they were set.
#[derive(Default)]
pub struct Script {
    rules: Mutex<Vec<Rule>>,
}

impl Script {
    pub fn add(&self, rule: Rule) -> Rule {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule.clone());
        rule
    }

    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The actions on this request. Counts every rule that matches.
    pub fn actions(&self, request: &Request) -> Vec<Action> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().filter(|rule| rule.fires(request)).map(|rule| rule.action.clone()).collect()
    }
}

/// Whether a pattern fits a request. With `*` in it, it has to cover the whole of the path or of `HOST/path?query`;
/// without, it is looked for in the target.
pub fn fits(pattern: &str, request: &Request) -> bool {
    if !pattern.contains('*') {
        return request.target.contains(pattern) || request.path.contains(pattern);
    }
    let full = format!("{}{}", request.host, request.target);
    glob(pattern, &request.path) || glob(pattern, &request.target) || glob(pattern, &full)
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

const PATIENCE: Duration = Duration::from_secs(3);
