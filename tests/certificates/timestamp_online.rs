//! `sign --timestamp-url` and `timestamp fetch`, with `openssl ts` behind HTTP on loopback.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use super::timestamp_program::TestDirectory;

/// What the server does with a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Answers it.
    Answers,
    /// Answers with a page, as a login portal does.
    Page,
    /// Answers the first request, whatever the request.
    Repeats,
    /// Answers with the status 503.
    Unavailable,
}

/// An authority that is served over HTTP, and the heads of the requests that it got.
struct Server {
    heads: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Server {
    fn new(place: &'static TestDirectory, does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsa?secret=1", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            let mut first = None;
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let (head, body) = read(&stream);
                seen.lock().unwrap().push(head);
                let name = format!("served-{}-{number}", stream.local_addr().unwrap().port());
                fs::write(place.path(&format!("{name}.q")), &body).unwrap();
                place.answer(&format!("{name}.q"), &format!("{name}.r"));
                let answer = fs::read(place.path(&format!("{name}.r"))).unwrap();
                let first = first.get_or_insert(answer.clone());
                let (status, kind, body) = match does {
                    Does::Answers => ("200 OK", "application/timestamp-reply", answer),
                    Does::Page => ("200 OK", "text/html; charset=utf-8", b"<p>log in".to_vec()),
                    Does::Repeats => ("200 OK", "application/timestamp-reply", first.clone()),
                    Does::Unavailable => ("503 Unavailable", "text/plain", b"later".to_vec()),
                };
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
            }
        });
        Self { heads, url }
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

/// A place that lives as long as the threads that answer.
fn place() -> Option<&'static TestDirectory> {
    TestDirectory::new().map(|place| &*Box::leak(Box::new(place)))
}

const SIGN: &str = "sign oci:app:v1 --key release.key --cert-chain release.pem --timestamp-roots";

#[test]
fn signing_asks_once_for_each_signature_and_the_signatures_outlive_their_certificate() {
    let Some(place) = place() else { return };
    let server = Server::new(place, Does::Answers);
    let url = &server.url;
    let formats = "--format notary-jws,notary-cose,bundle";
    place.expect(&format!("{SIGN} tsa.pem --timestamp-url {url} {formats} --dry-run"), 0);
    assert_eq!(server.asked(), 0, "a dry run asks nobody");
    let report = place.report(&format!("{SIGN} tsa.pem --timestamp-url {url} {formats}"));
    assert_eq!(server.asked(), 3, "one POST for each signature, also for the bundle");
    assert_eq!(report["results"][0]["signatures"][0]["timestamps"].as_array().unwrap().len(), 3);
    for head in server.heads.lock().unwrap().iter() {
        let head = head.to_lowercase();
        assert!(head.starts_with("post /tsa?secret=1 http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/timestamp-query\r\n"), "{head}");
        assert!(!head.contains("authorization") && !head.contains("cookie"), "{head}");
    }
    let accepted = place.verify("oci:app:v1", &place.later, 0);
    assert!(accepted.contains("the time of its timestamp"), "{accepted}");
    let again = place.expect(&format!("{SIGN} tsa.pem --timestamp-url {url} {formats} --if-missing"), 0);
    assert!(again.starts_with("already signed "), "{again}");
    assert_eq!(server.asked(), 3);
}

#[test]
fn a_signature_without_its_timestamp_is_not_pushed() {
    let Some(place) = place() else { return };
    let before = (place.files("app/blobs/sha256"), fs::read(place.path("app/index.json")).unwrap());
    for (does, roots, code, says) in [
        (Does::Page, "tsa.pem", 2, "it answered with text/html, not with a timestamp response"),
        (Does::Unavailable, "tsa.pem", 2, "it answered with status 503"),
        (Does::Answers, "root.pem", 1, "no timestamp for the signature of sha256:"),
        // The second signature gets the answer to the first.
        (Does::Repeats, "tsa.pem", 1, "no timestamp for the signature of sha256:"),
    ] {
        let server = Server::new(place, does);
        let formats = "--format notary-jws,notary-cose";
        let said = place.expect(&format!("{SIGN} {roots} --timestamp-url {} {formats}", server.url), code);
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("secret"), "{said}");
        assert_eq!(server.asked(), if does == Does::Repeats { 2 } else { 1 }, "nothing is sent twice");
        assert_eq!((place.files("app/blobs/sha256"), fs::read(place.path("app/index.json")).unwrap()), before);
    }
    for (options, says) in [
        ("tsa.pem --format notary-jws", "--timestamp-url"),
        ("tsa.pem --timestamp-url ftp://tsa.example/ --format notary-jws", "only http: and https:"),
        ("tsa.pem --timestamp-url http://user:hunter@tsa.example/ --format notary-jws", "a user name or a password"),
        (
            "tsa.pem --timestamp-url http://127.0.0.1:1/ --format bundle",
            "bulla cert lint release.pem --profile sigstore",
        ),
    ] {
        let said = place.expect(&format!("{SIGN} {options}"), 2);
        assert!(said.contains(says) && !said.contains("hunter"), "{said}");
    }
}

#[test]
fn requests_of_another_machine_are_answered_and_the_answers_fit() {
    let Some(place) = place() else { return };
    place.layout("other", "two");
    for image in ["oci:app:v1", "oci:other:v1"] {
        place.sign(image, "notary-cose");
    }
    place.expect("timestamp request oci:app:v1 oci:other:v1 -o requests", 0);
    let names = place.files("requests");
    let requests = names.iter().map(|name| format!("requests/{name}")).collect::<Vec<_>>().join(" ");
    let server = Server::new(place, Does::Repeats);
    let said = place.expect(&format!("timestamp fetch {requests} --timestamp-url {} -o wrong", server.url), 1);
    assert!(said.contains(&format!("requests/{}: timestamp refused: ", names[1])), "{said}");
    assert_eq!(place.files("wrong").len(), 1, "the answer to the first request is one");

    let server = Server::new(place, Does::Answers);
    let fetch = format!("timestamp fetch {requests} --timestamp-url {}", server.url);
    assert_eq!(
        place.expect(&format!("{fetch} -o untrusted --timestamp-roots root.pem"), 1).matches("error: ").count(),
        2
    );
    assert!(place.files("untrusted").is_empty());
    let asked = server.asked();
    let report = place.report(&format!("{fetch} -o answers --timestamp-roots tsa.pem"));
    assert_eq!((report["results"][1]["verified"].as_bool(), server.asked() - asked), (Some(true), 2));
    // What is answered is not asked again; what is no answer is not overwritten.
    let report = place.report(&format!("{fetch} -o answers"));
    assert_eq!(report["results"][0]["alreadyAnswered"], true);
    assert_eq!((report["results"][0]["verified"].as_bool(), server.asked() - asked), (Some(false), 2));
    let answers = place.files("answers");
    fs::copy(place.path("answers").join(&answers[0]), place.path("answers").join(&answers[1])).unwrap();
    let said = place.expect(&format!("{fetch} -o answers"), 2);
    assert!(said.contains(&answers[1]), "{said}");
    fs::remove_file(place.path("answers").join(&answers[1])).unwrap();
    place.expect(&format!("{fetch} -o answers"), 0);

    place.expect("timestamp attach oci:app:v1 oci:other:v1 --token answers --timestamp-roots tsa.pem", 0);
    for image in ["oci:app:v1", "oci:other:v1"] {
        place.verify(image, &place.later, 0);
    }
    // What has a timestamp needs none. The old request can still be answered, and its answer is not added.
    place.expect("timestamp request oci:app:v1 -o again", 0);
    assert!(place.files("again").is_empty());
    place.expect(&format!("{fetch} -o second"), 0);
    let said = place.expect("timestamp attach oci:app:v1 oci:other:v1 --token second --timestamp-roots tsa.pem", 0);
    assert_eq!(said.matches("already timestamped").count(), 2, "{said}");
}
