//! A web server on loopback, whose answers a test sets.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Makes an answer from the body of a request.
pub type Maker = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// What a path answers.
#[derive(Clone)]
pub enum WebResponse {
    /// Whatever a function makes of the body of the request.
    By(Arc<Maker>),
    /// These bytes instead of an HTTP response.
    Raw(Vec<u8>),
    /// Nothing, until the client goes away.
    Silence,
    /// As [`WebResponse::By`], with this media type.
    Typed(&'static str, Arc<Maker>),
}

pub struct Web {
    port: u16,
    routes: Arc<Mutex<BTreeMap<String, WebResponse>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes: Arc<Mutex<BTreeMap<String, WebResponse>>> = Arc::default();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answers, kept) = (Arc::clone(&routes), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
                thread::spawn(move || answer(&stream, &answers, &kept));
            }
        });
        Self { port, routes, requests }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on, `path` answers with `answer`.
    pub fn answer(&self, path: &str, answer: WebResponse) {
        self.routes.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// From now on, the OCSP responder at `path` answers requests by GET, too.
    pub fn answer_get(&self, path: &str) {
        self.serve(&format!("{path}/get"), "");
    }

    pub fn serve(&self, path: &str, body: impl Into<Vec<u8>>) {
        let body = body.into();
        self.answer(path, WebResponse::By(Arc::new(move |_| body.clone())));
    }

    pub fn redirect(&self, path: &str, to: &str) {
        let raw = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        self.answer(path, WebResponse::Raw(raw.into_bytes()));
    }

    /// The requests so far, as `GET /path`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn answer(mut stream: &TcpStream, routes: &Mutex<BTreeMap<String, WebResponse>>, requests: &Mutex<Vec<String>>) {
    let Some((line, body)) = request(stream) else { return };
    let path = line.split(' ').nth(1).unwrap_or_default();
    let by_get = ocsp_by_get(&line);
    let (line, path, body) = match &by_get {
        // One that does not know GET has nothing there.
        Some((route, request)) => {
            let known = routes.lock().unwrap().contains_key(&format!("{route}/get"));
            (format!("GET {route}/…"), if known { route } else { path }, request.clone())
        }
        None => (line.clone(), path, body),
    };
    requests.lock().unwrap().push(line);
    let answer = routes.lock().unwrap().get(path).cloned();
    let bytes = match answer {
        Some(WebResponse::By(made)) => ok("application/octet-stream", &made(&body)),
        Some(WebResponse::Typed(media_type, made)) => ok(media_type, &made(&body)),
        Some(WebResponse::Raw(bytes)) => bytes,
        Some(WebResponse::Silence) => {
            drop(stream.read(&mut [0]));
            return;
        }
        None => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    };
    drop(stream.write_all(&bytes));
}

fn ok(media_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// The path and the request of an OCSP request by GET (RFC 6960 appendix A.1).
fn ocsp_by_get(line: &str) -> Option<(String, Vec<u8>)> {
    let (route, encoded) = line.strip_prefix("GET ")?.rsplit_once('/')?;
    let encoded = encoded.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let request = STANDARD.decode(encoded).ok().filter(|request| request.starts_with(&[0x30]))?;
    Some((route.to_owned(), request))
}

/// The method and path of a request, and its body.
fn request(mut stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut piece = [0; 1_024];
    loop {
        let length = stream.read(&mut piece).ok().filter(|length| *length > 0)?;
        read.extend_from_slice(&piece[..length]);
        let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        if read.len() >= end + 4 + wanted {
            let line = String::from_utf8_lossy(&read[..end]).into_owned();
            let line = line.lines().next()?.split(' ').take(2).collect::<Vec<_>>().join(" ");
            return Some((line, read[end + 4..].to_vec()));
        }
    }
}

impl Web {
    /// The function that answers at `path`.
    pub fn taken(&self, path: &str) -> Arc<Maker> {
        match self.routes.lock().unwrap().get(path) {
            Some(WebResponse::By(made)) => Arc::clone(made),
            _ => panic!("{path} has no such answer"),
        }
    }
}
