//! The program with an authority and a log behind HTTP on loopback.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use bulla::time::Time;
use bulla::x509::TimestampRequest;
use serde_json::Value;
use tempfile::TempDir;

use super::log::Does;
use super::log::TestLog;
use super::scene::LIMITS;
use super::scene::SCENE;
use super::scene::Scene;
use super::scene::Stamps;
use super::scene::TestAuthority;
use super::scene::later;

/// What a server answers to the body of a request: the status line, the media type, and the body.
type Answers = Box<dyn Fn(&[u8]) -> (&'static str, &'static str, Vec<u8>) + Send>;

/// A server on loopback, and the heads of the requests that it got.
pub struct Server {
    heads: Arc<Mutex<Vec<String>>>,
    pub url: String,
}

impl Server {
    fn new(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (head, body) = read(&stream);
                seen.lock().unwrap().push(head);
                let (status, kind, body) = answers(&body);
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
                // A client that refuses the head does not read the body.
                let _sent = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Self { heads, url }
    }

    fn authority(scene: &'static Scene) -> Self {
        // The program reads the clock: a timestamp of a minute ago is not ahead of it.
        Self::authority_at(scene, later(scene.now(), -60))
    }

    /// An authority whose timestamps all have this time.
    pub fn authority_at(scene: &'static Scene, time: Time) -> Self {
        Self::new(Box::new(move |body| {
            let request = TimestampRequest::parse(body, LIMITS).unwrap();
            let authority = TestAuthority { time, ..scene.authority(Stamps::Granted) };
            ("200 OK", "application/timestamp-reply", authority.response(&request).unwrap())
        }))
    }

    pub fn log(log: TestLog) -> Self {
        Self::new(Box::new(move |body| ("201 Created", "application/json", log.answer(body))))
    }

    fn asked(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

/// The head and the body of a request.
fn read(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

/// A folder with an image, the key and chain of the signer, and a trusted root with the authorities and a log.
pub struct TestDirectory(TempDir);

impl TestDirectory {
    pub fn new(scene: &Scene, log: &TestLog) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::copy(&scene.leaf.key, place.path().join("release.key")).unwrap();
        let chain = [&scene.leaf, &scene.intermediate, &scene.root].map(|made| made.certificate.to_pem()).concat();
        fs::write(place.path().join("release.pem"), chain).unwrap();
        fs::write(place.path().join("root.json"), scene.trusted_root_json(&[log], "2020-01-01T00:00:00Z")).unwrap();
        copy(Path::new("testdata/layouts/app"), &place.path().join("app"));
        place
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn run(&self, arguments: &str) -> Output {
        let mut bulla = Command::new(env!("CARGO_BIN_EXE_bulla"));
        bulla.current_dir(self.path()).args(arguments.split(' ')).env_clear().env("HOME", self.path());
        bulla.output().unwrap()
    }

    /// Signs, and returns the exit code, the report and standard error.
    fn sign(&self, options: &str) -> (i32, Value, String) {
        let output = self.run(&format!("sign oci:app:v1 --key release.key --output json {options}"));
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report, String::from_utf8(output.stderr).unwrap())
    }

    fn index(&self) -> Vec<u8> {
        fs::read(self.path().join("app/index.json")).unwrap()
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => fs::write(to, fs::read(entry.path()).unwrap()).unwrap(),
        }
    }
}

#[test]
fn the_program_asks_each_once_and_reports_what_they_made() {
    let Some(scene) = SCENE.as_ref() else { return };
    let log = TestLog::new("log.example", Does::Adds);
    let place = TestDirectory::new(scene, &log);
    let (authority, log) = (Server::authority(scene), Server::log(log));
    let (tsa, url) = (&authority.url, &log.url);
    let options = format!("--cert-chain release.pem --timestamp-url {tsa} --log-url {url}/ --trusted-root root.json");
    let (code, _, told) = place.sign(&format!("{options} --dry-run"));
    assert_eq!((code, authority.asked(), log.asked()), (0, 0, 0), "a dry run asks nobody: {told}");
    let (code, report, told) = place.sign(&options);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains(&format!("note: asks the timestamp authority {tsa}")), "{told}");
    assert!(told.contains(&format!("note: asks the log {url}/")), "{told}");
    let signature = &report["results"][0]["signatures"][0];
    assert_eq!(signature["timestamps"].as_array().unwrap().len(), 1);
    assert_eq!(signature["logEntries"][0]["index"], 1);
    assert_eq!(signature["logEntries"][0]["logId"].as_str().unwrap().len(), 64);
    assert_eq!((authority.asked(), log.asked()), (1, 1));
    let head = log.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.starts_with("post /api/v2/log/entries http/1.1"), "{head}");
    for secret in ["authorization", "cookie", "referer"] {
        assert!(!head.contains(secret), "{head}");
    }
    let (code, report, _) = place.sign(&format!("{options} --if-missing"));
    assert_eq!((code, &report["results"][0]["signatures"][0]["alreadySigned"]), (0, &true.into()));
    assert_eq!((authority.asked(), log.asked()), (1, 1), "nothing was missing");
}

#[test]
fn an_answer_of_a_log_is_bounded() {
    let Some(scene) = SCENE.as_ref() else { return };
    let authority = Server::authority(scene);
    let most = usize::try_from(LIMITS.transparency.entry_bytes).unwrap();
    let page = |status, bytes: Vec<u8>| Server::new(Box::new(move |_| (status, "application/json", bytes.clone())));
    for (server, want) in [
        (page("200 OK", vec![b' '; most + 1]), "too-large"),
        (page("200 OK", vec![b' '; most]), "log-entry-malformed"),
        (page("302 Found\r\nLocation: http://127.0.0.1:1/", Vec::new()), "protocol"),
        (page("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/", Vec::new()), "protocol"),
        (page("503 Unavailable", Vec::new()), "protocol"),
    ] {
        let place = TestDirectory::new(scene, &TestLog::new("log.example", Does::Adds));
        let before = place.index();
        let options = format!("--timestamp-url {} --log-url {} --trusted-root root.json", authority.url, server.url);
        let (code, report, told) = place.sign(&options);
        assert_eq!(report["results"][0]["code"], want, "{told}");
        assert_eq!(code, if want == "log-entry-malformed" { 1 } else { 2 }, "{told}");
        assert_eq!(server.asked(), 1, "no redirect is followed, and nothing is sent twice");
        assert!(place.index() == before, "{want}");
    }
}

/// rekor-tiles 2.3.0 takes an entry once. A key in a file makes the same signature of the same statement each time.
#[test]
fn that_a_log_has_the_entry_already_is_said() {
    let Some(scene) = SCENE.as_ref() else { return };
    let (authority, log) = (Server::authority(scene), TestLog::new("log.example", Does::Adds));
    let place = TestDirectory::new(scene, &log);
    let full = Server::new(Box::new(|_| ("409 Conflict", "application/json", b"{\"code\":6}".to_vec())));
    let (code, report, told) =
        place.sign(&format!("--timestamp-url {} --log-url {} --trusted-root root.json", authority.url, full.url));
    assert_eq!((code, &report["results"][0]["code"]), (2, &"protocol".into()), "{told}");
    let error = report["results"][0]["error"].as_str().unwrap();
    assert!(error.contains("has an entry about this very signature already; --if-missing"), "{error}");
}

#[test]
fn a_log_that_is_not_trusted_and_one_that_cannot_be_reached_leave_nothing() {
    let Some(scene) = SCENE.as_ref() else { return };
    let authority = Server::authority(scene);
    let place = TestDirectory::new(scene, &TestLog::new("log.example", Does::Adds));
    let before = place.index();
    let untrusted = Server::log(TestLog::new("log.example", Does::Adds));
    for (url, want, status) in [(untrusted.url.as_str(), "log-unknown", 1), ("http://127.0.0.1:1", "unreachable", 2)] {
        let (code, report, told) =
            place.sign(&format!("--timestamp-url {} --log-url {url} --trusted-root root.json", authority.url));
        assert_eq!((code, &report["results"][0]["code"]), (status, &want.into()), "{told}");
        assert!(place.index() == before);
    }
}
