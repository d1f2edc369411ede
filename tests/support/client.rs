//! A plain HTTP/1.1 client that hides nothing: what was sent is what was written, what came is what is returned.

use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A client of one host that keeps its connection.
pub struct Client {
    address: String,
    host: String,
    stream: Option<TcpStream>,
    headers: Vec<(String, String)>,
}

/// The response.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body had the length that was announced.
    pub complete: bool,
}

impl Client {
    /// A client of `HOST:PORT`. Connects when it is used.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), host: address.to_owned(), stream: None, headers: Vec::new() }
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends a request and stops the test if no answer comes.
    pub fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
        self.try_send(method, target, headers, body).unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    /// `GET`.
    pub fn get(&mut self, target: &str) -> HttpResponse {
        self.send("GET", target, &[], b"")
    }

    /// `HEAD`.
    pub fn head(&mut self, target: &str) -> HttpResponse {
        self.send("HEAD", target, &[], b"")
    }

    /// `POST` without a body.
    pub fn post(&mut self, target: &str) -> HttpResponse {
        self.send("POST", target, &[], b"")
    }

    /// Sends a request over the connection, or over a new one if there is none or it has ended.
    pub fn try_send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<HttpResponse> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host);
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Transfer-Encoding"));
        if !framed && (!body.is_empty() || !matches!(method, "GET" | "HEAD" | "DELETE")) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let expects = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Expect"));
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&self.address)?,
        };
        let first = if expects { head.into_bytes() } else { [head.as_bytes(), body].concat() };
        stream.write_all(&first)?;
        let mut reader = Reader { stream, got: Vec::new() };
        let mut answer = reader.head()?;
        if answer.status == 100 {
            reader.stream.write_all(body)?;
            answer = reader.head()?;
        }
        let keep = reader.body(method, &mut answer);
        self.stream = keep.then_some(reader.stream);
        Ok(answer)
    }

    /// Writes these bytes on a new connection and reads until it ends.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = connect(&self.address)?;
        stream.write_all(bytes)?;
        let mut out = Vec::new();
        stream.read_to_end(&mut out)?;
        Ok(out)
    }
}

impl HttpResponse {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The code of the first error in an OCI error body.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Path and query of the `Location`, whatever host it names.
    pub fn location(&self) -> String {
        let location = self.header("Location").unwrap_or_default();
        match location.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or(String::new(), |at| rest[at..].to_owned()),
            None => location.to_owned(),
        }
    }
}

/// A target with one query parameter more.
pub fn with_query(target: &str, parameter: &str) -> String {
    format!("{target}{}{parameter}", if target.contains('?') { '&' } else { '?' })
}

struct Reader {
    stream: TcpStream,
    got: Vec<u8>,
}

impl Reader {
    fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 64 << 10];
        let count = self.stream.read(&mut chunk)?;
        self.got.extend_from_slice(&chunk[..count]);
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.got.windows(end.len()).position(|it| it == end) {
                return Ok(self.got.drain(..at + end.len()).collect());
            }
            if self.got.len() > HEAD_LIMIT {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.more()?;
        }
    }

    fn head(&mut self) -> io::Result<HttpResponse> {
        let head = self.until(b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&head);
        let status = text.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = text.trim_end().split("\r\n").skip(1).filter_map(header).collect();
        Ok(HttpResponse { status, headers, body: Vec::new(), complete: true })
    }

    // Reads the body; says whether the connection can go on.
    fn body(&mut self, method: &str, answer: &mut HttpResponse) -> bool {
        let close = answer.header("Connection") == Some("close");
        if method == "HEAD" || matches!(answer.status, 204 | 304) {
            return !close;
        }
        if answer.header("Transfer-Encoding") == Some("chunked") {
            answer.complete = self.chunks(answer).is_ok();
            return answer.complete && !close;
        }
        let length = answer.header("Content-Length").and_then(|it| it.parse::<usize>().ok());
        let want = length.unwrap_or(LIMIT).min(LIMIT);
        while self.got.len() < want && self.more().is_ok() {}
        answer.complete = length.is_none_or(|length| self.got.len() >= length);
        answer.body = self.got.drain(..want.min(self.got.len())).collect();
        answer.complete && length.is_some() && !close
    }

    fn chunks(&mut self, answer: &mut HttpResponse) -> io::Result<()> {
        loop {
            let line = self.until(b"\r\n")?;
            let line = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
            while self.got.len() < size + 2 {
                self.more()?;
            }
            answer.body.extend(self.got.drain(..size));
            self.got.drain(..2);
            if size == 0 {
                return Ok(());
            }
            if answer.body.len() > LIMIT {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
    }
}

/// More than that is not read.
const LIMIT: usize = 16 << 20;
const HEAD_LIMIT: usize = 1 << 20;

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}
