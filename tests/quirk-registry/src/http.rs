//! HTTP/1.1 by hand: a server that can also be made to speak it wrongly.

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

/// A request, as the hooks of tests and the recorder see it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// The path and query exactly as they stood in the request line.
    pub target: String,
    /// The path, percent-decoded.
    pub path: String,
    /// The query string, not decoded.
    pub query: String,
    pub headers: Vec<(String, String)>,
    /// The body, if it was at most [`KEPT_BODY`] bytes. Filled in once the request was answered.
    pub body: Option<Vec<u8>>,
    /// The number of body bytes that were read.
    pub body_len: u64,
    /// The number of the connection of the registry, from 0.
    pub connection: usize,
    /// The address of the listener it came to, `127.0.0.1:PORT` for example.
    pub host: String,
}

impl Request {
    /// Parses the bytes of a request line and headers.
    pub fn parse(head: &[u8], connection: usize, host: &str) -> Option<Self> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let version = first.next()?;
        if !version.starts_with("HTTP/1.") {
            return None;
        }
        let old = (version == "HTTP/1.0").then(|| ("Connection".to_owned(), "close".to_owned()));
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .chain(old)
            .collect();
        // RFC 9112, 3.2.2: who is asked as a proxy is told the host as well, and is the origin of every host here.
        let target = match target.strip_prefix("http://").map(|rest| rest.find('/').map_or("/", |at| &rest[at..])) {
            Some(path) => path.to_owned(),
            None => target,
        };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (path, query) = (percent_decode(path, false), query.to_owned());
        let host = host.to_owned();
        Some(Self { method, target, path, query, headers, body: None, body_len: 0, connection, host })
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of that name, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    /// Every query parameter of that name, decoded.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        form(&self.query).into_iter().filter(|(have, _)| have == name).map(|(_, value)| value).collect()
    }
}

/// Decodes `application/x-www-form-urlencoded` text, which queries are too.
pub fn form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (percent_decode(name, true), percent_decode(value, true)))
        .collect()
}

/// Percent-encodes what may not stand in a query value.
pub fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn percent_decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The bytes of an answer.
#[derive(Clone, Debug)]
pub enum Body {
    Bytes(Arc<Vec<u8>>),
    /// `len` bytes of a file, from `start`.
    File {
        path: PathBuf,
        start: u64,
        len: u64,
    },
}

impl Body {
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// Everything in memory, up to 1 GiB.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::File { path, start, len } => {
                let mut out = Vec::new();
                let mut file = File::open(path).expect("a spooled blob");
                file.seek(SeekFrom::Start(*start)).expect("a spooled blob can be read");
                file.take((*len).min(1 << 30)).read_to_end(&mut out).expect("a spooled blob can be read");
                out
            }
        }
    }

    /// The part of it that begins at `from` and has `len` bytes.
    pub fn part(&self, from: u64, len: u64) -> Self {
        match self {
            Self::Bytes(bytes) => Self::from(bytes[from as usize..(from + len) as usize].to_vec()),
            Self::File { path, start, .. } => Self::File { path: path.clone(), start: start + from, len },
        }
    }
}

impl<T: Into<Vec<u8>>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Bytes(Arc::new(bytes.into()))
    }
}

/// An answer in the making.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// Whether the connection is closed afterwards, and announced to be.
    pub close: bool,
}

impl Response {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::from(Vec::new()), close: false }
    }

    /// An answer of plain text, as Go's `http.Error` gives it.
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status).with("Content-Type", "text/plain; charset=utf-8").body(text.as_bytes())
    }

    /// An answer of JSON.
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status).with("Content-Type", "application/json").body(format!("{value}\n"))
    }

    /// A distribution-spec error body.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"errors": [{"code": code, "message": message}]});
        Self::json(status, &body)
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with another content type.
    #[must_use]
    pub fn with_type(mut self, media_type: &str) -> Self {
        self.set("Content-Type", media_type);
        self
    }

    /// The same with another body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a header, replacing any of that name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Removes every header of that name.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status line and headers. A `Content-Length` that was set by hand stays, be it right or wrong.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let framed = self.header("Content-Length").is_some() || self.header("Transfer-Encoding").is_some();
        if !framed && self.status != 204 && self.status != 304 {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        if self.close {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// A connection: reads heads and bodies, writes answers.
pub struct Wire {
    stream: TcpStream,
    /// Bytes taken from the socket and not used yet.
    pending: Vec<u8>,
    /// Bytes of the current head that are still in the socket, so that closing it now makes a reset.
    unread: usize,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, pending: Vec::new(), unread: 0 }
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The next request head, or nothing at the end of the connection or of patience.
    ///
    /// Its last bytes stay in the socket until [`Wire::accept`]: a socket that is closed with bytes unread sends a
    /// reset, which the standard library has no other way to ask for.
    pub fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut chunk = [0; 16 << 10];
        for _ in 0..MAX_HEAD / 16 {
            if let Some(end) = end_of_head(&self.pending) {
                return Ok(Some(self.pending.drain(..end).collect()));
            }
            let got = self.stream.peek(&mut chunk)?;
            if got == 0 || self.pending.len() > MAX_HEAD {
                return Ok(None);
            }
            let before = self.pending.len();
            let joined = [&self.pending, &chunk[..got]].concat();
            // A TLS hello ends nowhere: it is answered at once, as Go's server does, or clients that try TLS first wait.
            let no_http = joined.first().is_some_and(|first| !first.is_ascii_alphabetic());
            if let Some(end) = end_of_head(&joined).or(no_http.then_some(joined.len())) {
                self.unread = end - before;
                self.pending.clear();
                return Ok(Some(joined[..end].to_vec()));
            }
            self.stream.read_exact(&mut chunk[..got])?;
            self.pending = joined;
        }
        Ok(None)
    }

    /// Takes the rest of the head from the socket: the request will be read.
    pub fn accept(&mut self) -> io::Result<()> {
        self.take_unread(0)
    }

    /// Leaves one byte in the socket, if any is there: the connection will be dropped.
    pub fn refuse(&mut self) -> io::Result<()> {
        self.take_unread(1)
    }

    fn take_unread(&mut self, leave: usize) -> io::Result<()> {
        let mut chunk = [0; 16 << 10];
        let take = self.unread.saturating_sub(leave);
        self.stream.read_exact(&mut chunk[..take])?;
        self.unread = 0;
        Ok(())
    }

    /// Writes an answer: head and the beginning of the body in one call.
    pub fn write(&mut self, response: &Response, without_body: bool) -> io::Result<u64> {
        let mut first = response.head();
        if without_body {
            self.stream.write_all(&first)?;
            return Ok(first.len() as u64);
        }
        match &response.body {
            Body::Bytes(bytes) => {
                first.extend_from_slice(bytes);
                self.stream.write_all(&first)?;
                Ok(first.len() as u64)
            }
            Body::File { path, start, len } => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(*start))?;
                self.stream.write_all(&first)?;
                // The standard library makes this a `sendfile`.
                let sent = io::copy(&mut file.take(*len), &mut self.stream)?;
                Ok(first.len() as u64 + sent)
            }
        }
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            return self.stream.read(buffer);
        }
        let len = buffer.len().min(self.pending.len());
        buffer[..len].copy_from_slice(&self.pending[..len]);
        self.pending.drain(..len);
        Ok(len)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut chunk = [0; 4 << 10];
        for _ in 0..MAX_HEAD {
            if let Some(end) = self.pending.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.pending.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let got = self.stream.read(&mut chunk)?;
            if got == 0 || self.pending.len() > MAX_HEAD {
                break;
            }
            self.pending.extend_from_slice(&chunk[..got]);
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// The body of a request, read as it arrives.
pub struct BodyReader<'a> {
    wire: &'a mut Wire,
    left: Left,
    /// `Expect: 100-continue` was asked for and not yet answered.
    expecting: bool,
    /// After how many bytes the connection is to break.
    cut: Option<u64>,
    kept: Vec<u8>,
    read: u64,
}

enum Left {
    Length(u64),
    /// Inside a chunk, with this many bytes left; none before the first chunk.
    Chunked(Option<u64>),
    Done,
}

impl<'a> BodyReader<'a> {
    pub fn new(wire: &'a mut Wire, request: &Request, cut: Option<u64>) -> Self {
        let chunked = request.header("Transfer-Encoding").is_some_and(|value| value.contains("chunked"));
        let length = request.header("Content-Length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let left = match chunked {
            true => Left::Chunked(None),
            false => Left::Length(length),
        };
        let expecting = request.header("Expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        Self { wire, left, expecting, cut, kept: Vec::new(), read: 0 }
    }

    /// The whole body, or nothing if it is longer than `limit`; at most one byte more than that is read.
    pub fn all(&mut self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        self.take(limit + 1).read_to_end(&mut out)?;
        Ok((out.len() as u64 <= limit).then_some(out))
    }

    /// Reads what is left so that the connection can go on, and says whether it can.
    pub fn finish(&mut self) -> bool {
        if self.expecting && !matches!(self.left, Left::Length(0) | Left::Done) {
            return false;
        }
        let mut sink = vec![0; 64 << 10];
        for _ in 0..MAX_DRAIN {
            match self.read(&mut sink) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        false
    }

    /// The body: its bytes if they were few, and their number.
    pub fn seen(self) -> (Option<Vec<u8>>, u64) {
        let kept = (self.read <= KEPT_BODY as u64).then_some(self.kept);
        (kept, self.read)
    }

    fn next_chunk(&mut self) -> io::Result<u64> {
        let line = self.wire.line()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        if size == 0 {
            for _ in 0..100 {
                if self.wire.line()?.is_empty() {
                    break;
                }
            }
        }
        Ok(size)
    }
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || matches!(self.left, Left::Length(0) | Left::Done) {
            return Ok(0);
        }
        if std::mem::take(&mut self.expecting) {
            self.wire.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if let Left::Chunked(None | Some(0)) = self.left {
            let size = self.next_chunk()?;
            self.left = if size == 0 { Left::Done } else { Left::Chunked(Some(size)) };
        }
        let left = match self.left {
            Left::Length(left) | Left::Chunked(Some(left)) => left,
            Left::Chunked(None) | Left::Done => return Ok(0),
        };
        let allowed = self.cut.map_or(left, |cut| left.min(cut.saturating_sub(self.read)));
        if allowed == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let want = buffer.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let got = self.wire.take(&mut buffer[..want])?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = match self.left {
            Left::Length(left) => Left::Length(left - got as u64),
            Left::Chunked(_) => {
                if left == got as u64 {
                    self.wire.line()?;
                }
                Left::Chunked(Some(left - got as u64))
            }
            Left::Done => Left::Done,
        };
        self.read += got as u64;
        let room = (KEPT_BODY + 1).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&buffer[..got.min(room)]);
        Ok(got)
    }
}

/// Bodies of up to this many bytes are recorded.
pub const KEPT_BODY: usize = 64 << 10;

const MAX_HEAD: usize = 256 << 10;
const MAX_DRAIN: usize = 1 << 20;

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Status",
    }
}
