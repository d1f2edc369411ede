//! The web client: where requests are sent, what they hold, and what an answer may be.

use super::tls::Authority;
use super::tls::FOR_EVER;
use super::tls::Front;
use super::*;
use crate::support::registry::Action;
use crate::support::registry::Times;
use bulla::store::ConnectionFault;
use bulla::store::Deadline;
use bulla::store::TimeoutScope;
use bulla::store::web::AddressRule;
use bulla::store::web::WebClient;
use bulla::store::web::WebError;
use bulla::store::web::WebFault;
use bulla::store::web::WebMethod;
use bulla::store::web::WebRequest;
use bulla::store::web::WebResponse;
use std::io::Read as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

const LIMIT: u64 = 1_000;

/// A server that answers every connection with the same bytes, and keeps the requests.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: &str) -> Self {
        let (listener, answer) = (TcpListener::bind("127.0.0.1:0").unwrap(), answer.to_owned());
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Kept before the answer, so that a client that has an answer finds its request here.
                let request = request_of(&stream);
                kept.lock().unwrap().push(request);
                drop((&stream).write_all(answer.as_bytes()));
            }
        });
        Self { port, requests }
    }

    fn redirecting(to: &str) -> Self {
        Self::start(&format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"))
    }

    fn ok(body: &str) -> Self {
        Self::start(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/a.crl?t=1", self.port)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// One request: its head, and a body as long as the head says.
fn request_of(mut stream: &TcpStream) -> String {
    let mut read = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        read.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= wanted.unwrap_or(0) {
            return text;
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

fn public() -> AddressRule {
    AddressRule::PublicHosts { allowed: Vec::new() }
}

fn allowing(hosts: &[&str]) -> AddressRule {
    AddressRule::PublicHosts { allowed: hosts.iter().map(|host| host.parse().unwrap()).collect() }
}

fn get_with(settings: Settings, url: &str, rule: &AddressRule) -> Result<WebResponse, WebError> {
    let request = WebRequest::new(url, WebMethod::Get, LIMIT)?;
    run(WebClient::new(settings).send(&request, rule))
}

fn get(url: &str, rule: &AddressRule) -> Result<WebResponse, WebError> {
    get_with(settings(), url, rule)
}

fn fault(url: &str, rule: &AddressRule) -> WebFault {
    get(url, rule).unwrap_err().fault
}

fn post(url: &str, rule: &AddressRule) -> Result<WebResponse, WebError> {
    let method = WebMethod::Post { body: b"asked".to_vec(), content_type: "application/ocsp-request" };
    run(WebClient::new(settings()).send(&WebRequest::new(url, method, LIMIT).unwrap(), rule))
}

const LOOPBACK: WebFault = WebFault::NotPublic(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));

// (threats: certificate-names-internal-address)
#[test]
fn an_address_that_is_not_public_is_connected_to_only_if_it_is_allowed() {
    let server = Server::ok("it");
    let (literal, port) = (server.url(), server.port);
    // The first is an address, the second a name that the system resolves to one.
    let name = format!("http://localhost:{port}/a.crl");
    assert_eq!(fault(&literal, &public()), LOOPBACK);
    let resolved = fault(&name, &public());
    assert!(matches!(resolved, WebFault::NotPublic(Some(address)) if address.is_loopback()), "{resolved:?}");
    // What is allowed is a host, by the name in the URL; not an address that another name has.
    assert!(matches!(fault(&name, &allowing(&["127.0.0.1"])), WebFault::NotPublic(_)));
    assert!(matches!(fault(&literal, &allowing(&["localhost"])), WebFault::NotPublic(_)));
    assert!(matches!(fault(&literal, &allowing(&["127.0.0.1:1"])), WebFault::NotPublic(_)));
    assert_eq!(server.requests(), Vec::<String>::new());
    for (url, rule) in [
        (&literal, allowing(&["127.0.0.1"])),
        (&literal, allowing(&["x", &format!("127.0.0.1:{port}")])),
        (&name, allowing(&["localhost"])),
        (&literal, AddressRule::AnyHost),
        (&name, AddressRule::AnyHost),
    ] {
        assert_eq!(get(url, &rule).unwrap().body, b"it", "{url} {rule:?}");
    }
    for address in ["http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://0/", "http://[::]/"] {
        assert!(matches!(fault(address, &public()), WebFault::NotPublic(Some(_))), "{address}");
    }
}

// (threats: certificate-names-internal-address)
#[test]
fn each_redirect_is_checked_as_the_first_address_is() {
    let inner = Server::ok("secret");
    for (target, wanted) in [
        (inner.url(), LOOPBACK),
        ("http://169.254.169.254/latest".to_owned(), WebFault::NotPublic(Some([169, 254, 169, 254].into()))),
        (format!("http://joe:pw@localhost:{}/", inner.port), WebFault::UserName),
    ] {
        let server = Server::redirecting(&target);
        let first = format!("http://localhost:{}/", server.port);
        assert_eq!(fault(&first, &allowing(&["localhost"])), wanted, "{target}");
        assert_eq!(fault(&first, &AddressRule::AnyHost), wanted, "{target}");
    }
    for target in ["file:///etc/passwd", "ldap://localhost/", "ftp://localhost/"] {
        let server = Server::redirecting(target);
        let fault = fault(&server.url(), &AddressRule::AnyHost);
        assert!(matches!(fault, WebFault::Scheme(_)), "{target}: {fault:?}");
    }
    assert_eq!(inner.requests(), Vec::<String>::new());
    let fine = Server::redirecting(&format!("http://127.0.0.1:{}/b#x", inner.port));
    assert_eq!(get(&fine.url(), &allowing(&["127.0.0.1"])).unwrap().body, b"secret");
    let request = inner.requests().concat();
    assert!(request.starts_with("GET /b HTTP/1.1\r\n") && !request.to_lowercase().contains("referer"), "{request}");
}

#[test]
fn redirects_end_and_a_post_has_none() {
    let circle = Server::redirecting("/a.crl");
    assert_eq!(fault(&circle.url(), &AddressRule::AnyHost), WebFault::TooManyRedirects(3));
    assert_eq!(circle.requests().len(), 4);
    let posted = post(&circle.url(), &AddressRule::AnyHost).unwrap_err();
    assert_eq!(posted.fault, WebFault::PostRedirected(302));
    assert_eq!(circle.requests().len(), 5);
    let nowhere = Server::start("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(fault(&nowhere.url(), &AddressRule::AnyHost), WebFault::NoLocation);
}

#[test]
fn a_redirect_never_leaves_tls() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("localhost", "DNS:localhost", FOR_EVER);
    let plain = Server::ok("plain");
    let registry = polite();
    registry.rule("GET", "/*", Times::Every, Action::redirect(plain.url()));
    let front = Front::new(&authority, "localhost", &registry);
    let mut settings = settings();
    settings.extra_ca = vec![authority.read("ca.pem")];
    let url = format!("https://{}/a.crl", front.address());
    assert_eq!(get_with(settings.clone(), &url, &AddressRule::AnyHost).unwrap_err().fault, WebFault::Downgrade);
    assert_eq!(plain.requests(), Vec::<String>::new());
    // Other authorities than those that are trusted are not believed.
    settings.extra_ca.clear();
    let error = get_with(settings, &url, &AddressRule::AnyHost).unwrap_err();
    assert!(matches!(error.fault, WebFault::Tls(_)), "{error}");
}

#[test]
fn a_request_holds_nothing_but_what_it_asks() {
    let server = Server::ok("it");
    let credentials = Credentials::none().with(&format!("127.0.0.1:{}", server.port), basic("joe", "hunter2"));
    get_with(settings_as(credentials), &server.url(), &AddressRule::AnyHost).unwrap();
    post(&server.url(), &AddressRule::AnyHost).unwrap();
    let names = |request: &str| -> Vec<String> {
        let head = request.split("\r\n\r\n").next().unwrap();
        let mut names: Vec<_> =
            head.lines().skip(1).map(|line| line.split(':').next().unwrap().to_lowercase()).collect();
        names.sort();
        names
    };
    let [got, posted] = &server.requests()[..] else { panic!() };
    assert!(got.starts_with("GET /a.crl?t=1 HTTP/1.1\r\n"), "{got}");
    assert_eq!(names(got), ["accept", "accept-encoding", "cache-control", "host", "user-agent"]);
    assert!(posted.starts_with("POST /a.crl?t=1 HTTP/1.1\r\n") && posted.ends_with("\r\n\r\nasked"), "{posted}");
    assert!(posted.contains("content-type: application/ocsp-request\r\n"), "{posted}");
    assert_eq!(
        names(posted),
        ["accept", "accept-encoding", "cache-control", "content-length", "content-type", "host", "user-agent"]
    );
    assert!(server.requests().iter().all(|request| request.contains("cache-control: no-cache\r\n")));
}

#[test]
fn addresses_that_are_not_of_the_web_are_refused() {
    let new = |url: &str| WebRequest::new(url, WebMethod::Get, 1).map(|_| ());
    for url in ["ldap:///CN=CA?certificateRevocationList", "file:///etc/passwd", "ftp://a.example/", "data:,x"] {
        assert!(matches!(new(url).unwrap_err().fault, WebFault::Scheme(_)), "{url}");
    }
    // No table of Unicode is linked: a host that is not ASCII is written in its ASCII form.
    for url in ["", "a", "http://", "//a.example/", "http://[::", "http://a b/", "http://b\u{fc}cher.example/"] {
        assert_eq!(new(url).unwrap_err().fault, WebFault::NotAUrl, "{url}");
    }
    for url in ["http://joe:hunter2@a.example/", "http://hunter2@a.example/", "https://:hunter2@a.example/"] {
        let error = new(url).unwrap_err();
        assert_eq!(error.fault, WebFault::UserName, "{url}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let error = new("http://joe:hunter2@[::").unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    new("HTTPS://A.example:8443/x?y#z").unwrap();
    new("http://xn--bcher-kva.example/").unwrap();
}

#[test]
fn only_a_whole_answer_within_its_limit_is_one() {
    let raw = |answer: String| fault(&Server::start(&answer).url(), &AddressRule::AnyHost);
    let body = |length: usize| "x".repeat(length);
    assert_eq!(get(&Server::ok(&body(1_000)).url(), &AddressRule::AnyHost).unwrap().body.len(), 1_000);
    let too_large = WebFault::TooLarge { limit: LIMIT };
    assert_eq!(raw(format!("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n{}", body(1_001))), too_large);
    assert_eq!(raw(format!("HTTP/1.1 200 OK\r\n\r\n{}", body(1_001))), too_large);
    assert_eq!(raw("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_owned()), too_large);
    for status in [201, 203, 204, 206, 304, 400, 401, 403, 404, 500] {
        let length = if status == 204 || status == 304 { "" } else { "Content-Length: 0\r\n" };
        assert_eq!(raw(format!("HTTP/1.1 {status} X\r\n{length}\r\n")), WebFault::Status(status));
    }
    let encoded = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab".to_owned();
    assert_eq!(raw(encoded), WebFault::ContentEncoding);
    for broken in ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", "", "no HTTP"] {
        assert!(matches!(raw(broken.to_owned()), WebFault::Connection(_)), "{broken}");
    }
    let typed = Server::start(
        "HTTP/1.1 200 OK\r\nContent-Type: Application/Timestamp-Reply ; x=1\r\nContent-Length: 0\r\n\r\n",
    );
    let answer = get(&typed.url(), &AddressRule::AnyHost).unwrap();
    assert_eq!(answer.content_type.as_deref(), Some("application/timestamp-reply"));
}

#[test]
fn an_endless_answer_ends_at_its_limit() {
    let registry = polite();
    registry.rule("GET", "/*", Times::Every, Action::EndlessBody);
    assert_eq!(
        fault(&format!("http://{}/v2/", registry.address()), &AddressRule::AnyHost),
        WebFault::TooLarge { limit: LIMIT }
    );
}

#[test]
fn every_wait_ends() {
    let registry = polite();
    let url = format!("http://{}/v2/", registry.address());
    for action in [Action::Hang, Action::Drip { bytes: 1, pause_ms: 20 }] {
        registry.clear_rules();
        registry.rule("GET", "/*", Times::Every, Action::SetStatus(200));
        registry.rule("GET", "/*", Times::Every, Action::ReplaceBody(vec![0; 900]));
        registry.rule("GET", "/*", Times::Every, action);
        let short = Duration::from_millis(100);
        let mut slow = settings();
        slow.timeouts.total = short;
        assert_eq!(get_with(slow, &url, &AddressRule::AnyHost).unwrap_err().fault, WebFault::Timeout(short));
        let mut over = settings();
        over.deadline = Deadline::new(short, TimeoutScope::Everything);
        assert_eq!(get_with(over, &url, &AddressRule::AnyHost).unwrap_err().fault, WebFault::Deadline(short));
    }
    registry.clear_rules();
    registry.rule("GET", "/*", Times::Every, Action::Hang);
    let error = get_with(hasty(), &url, &AddressRule::AnyHost).unwrap_err();
    assert!(matches!(error.fault, WebFault::Connection(ConnectionFault::NoResponse { .. })), "{error}");
}

#[test]
fn a_proxy_is_sent_only_names_that_are_allowed() {
    let proxy = Server::ok("through");
    let variable = format!("http://127.0.0.1:{}", proxy.port);
    let mut settings = settings();
    settings.proxies = Proxies::from_variables(|name| (name == "HTTP_PROXY").then(|| variable.clone()));
    let error = get_with(settings.clone(), "http://crl.example/a", &public()).unwrap_err();
    assert!(matches!(error.fault, WebFault::ResolvedByProxy { .. }) && error.is_not_allowed_host(), "{error}");
    let error = get_with(settings.clone(), "http://10.0.0.1/a", &public()).unwrap_err();
    assert_eq!(error.fault, WebFault::NotPublic(Some([10, 0, 0, 1].into())));
    assert_eq!(proxy.requests(), Vec::<String>::new());
    for (url, rule) in [
        ("http://crl.example/a", allowing(&["crl.example"])),
        ("http://1.1.1.1/a", public()),
        ("http://tsa.example/a", AddressRule::AnyHost),
    ] {
        assert_eq!(get_with(settings.clone(), url, &rule).unwrap().body, b"through");
    }
    let asked: Vec<_> = proxy.requests().iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        asked,
        ["GET http://crl.example/a HTTP/1.1", "GET http://1.1.1.1/a HTTP/1.1", "GET http://tsa.example/a HTTP/1.1"]
    );
}
