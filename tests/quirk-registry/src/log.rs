//! The recorder: every request, header and byte.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::http::Request;
use super::script::fits;

/// A request that was made and what it was answered.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    /// The path, percent-decoded.
    pub path: String,
    /// The query string, not decoded.
    pub query: String,
    pub headers: Vec<(String, String)>,
    /// The number of body bytes that were read.
    pub body_len: u64,
    /// The body, if it was at most 64 KiB and the bodies kept so far are not over 256 MiB.
    pub body: Option<Vec<u8>>,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
    /// The headers of the answer.
    pub answer: Vec<(String, String)>,
    /// The number of the connection, from 0.
    pub connection: usize,
    /// The listener it came to, `127.0.0.1:PORT` for example. What the client called it is the header `Host`.
    pub host: String,
}

impl Recorded {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Method, path and query on one line.
    pub fn line(&self) -> String {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        format!("{} {}{query}", self.method, self.path)
    }

    /// Whether `secret` stands anywhere in the request, as it is or inside base64 of `user:secret`.
    pub fn mentions(&self, secret: &str) -> bool {
        let basic = |value: &str| {
            let decoded = value.split(' ').nth(1).and_then(|it| STANDARD.decode(it).ok()).unwrap_or_default();
            String::from_utf8_lossy(&decoded).contains(secret)
        };
        let in_headers = self.headers.iter().any(|(_, value)| value.contains(secret) || basic(value));
        let body = self.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        in_headers || self.path.contains(secret) || self.query.contains(secret) || body.contains(secret)
    }

    fn request(&self) -> Request {
        let target = if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) };
        let (method, path, host) = (self.method.clone(), self.path.clone(), self.host.clone());
        Request { method, target, path, query: self.query.clone(), host, ..Request::default() }
    }
}

/// Sums since the start or the last [`Log::clear`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub requests: u64,
    pub connections: u64,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of answers, heads included.
    pub bytes_out: u64,
    /// Requests that are not in the log any more because it is full.
    pub forgotten: u64,
}

/// The requests made so far, the oldest forgotten first when there are too many.
pub struct Log {
    keep: usize,
    /// Bytes of bodies that may still be kept.
    room: AtomicU64,
    entries: Mutex<VecDeque<Recorded>>,
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    forgotten: AtomicU64,
}

impl Log {
    /// A log of at most `keep` requests.
    pub fn new(keep: usize) -> Self {
        let (requests, connections, bytes_in, bytes_out) = Default::default();
        let (entries, forgotten) = Default::default();
        let room = AtomicU64::new(MAX_BODIES);
        Self { keep, room, entries, requests, connections, bytes_in, bytes_out, forgotten }
    }

    pub fn push(&self, mut entry: Recorded) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.bytes_in.fetch_add(entry.body_len, Ordering::SeqCst);
        let fits = |room: u64| room.checked_sub(entry.body_len);
        if entry.body.is_some() && self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).is_err() {
            entry.body = None;
        }
        let mut entries = self.lock();
        if entries.len() >= self.keep {
            entries.pop_front();
            self.forgotten.fetch_add(1, Ordering::SeqCst);
        }
        if self.keep > 0 {
            entries.push_back(entry);
        }
    }

    /// Everything recorded, in the order in which it was answered.
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().iter().cloned().collect()
    }

    /// The recorded requests with that method (`*` for any) on a path that matches the pattern.
    pub fn matching(&self, method: &str, pattern: &str) -> Vec<Recorded> {
        let meant = |it: &&Recorded| (method == "*" || it.method == method) && fits(pattern, &it.request());
        self.lock().iter().filter(meant).cloned().collect()
    }

    pub fn counters(&self) -> Counters {
        let read = |it: &AtomicU64| it.load(Ordering::SeqCst);
        Counters {
            requests: read(&self.requests),
            connections: read(&self.connections),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
            forgotten: read(&self.forgotten),
        }
    }

    /// Forgets everything and counts from nought.
    pub fn clear(&self) {
        self.lock().clear();
        self.room.store(MAX_BODIES, Ordering::SeqCst);
        for counter in [&self.requests, &self.connections, &self.bytes_in, &self.bytes_out, &self.forgotten] {
            counter.store(0, Ordering::SeqCst);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MAX_BODIES: u64 = 256 << 20;
