//! Registries over TLS: who is believed, who is shown our certificate, and that there is no way back to plain HTTP.

use super::*;
use crate::support::image::image;
use crate::support::program;
use crate::support::registry::Action;
use crate::support::registry::Times;
use crate::support::temp_dir;
use bulla::store::Source as _;
use bulla::store::TlsFault;
use bulla::store::registry::ClientCertificate;
use bulla::store::registry::HttpScheme;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

/// Keys and certificates, made by openssl.
pub(crate) struct Authority {
    directory: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Option<Self> {
        if program("openssl").is_none() {
            support::missing::not_run("openssl not found");
            return None;
        }
        let authority = Self { directory: temp_dir() };
        std::fs::write(authority.path("index.txt"), "").unwrap();
        std::fs::write(authority.path("serial"), "01").unwrap();
        let config = "[ca]\ndefault_ca=d\n[d]\ndir=.\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\n\
            private_key=ca.key\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n";
        std::fs::write(authority.path("ca.cnf"), config).unwrap();
        authority.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=CA -keyout ca.key -out ca.pem");
        Some(authority)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn openssl(&self, arguments: &str) {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(self.directory.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A certificate for that name, good until that date.
    pub(crate) fn issue(&self, name: &str, san: &str, end: &str) {
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
        ));
        std::fs::write(self.path("ext"), format!("subjectAltName={san}\nbasicConstraints=CA:FALSE\n")).unwrap();
        self.openssl(&format!("ca -batch -notext -config ca.cnf -startdate 20200101000000Z -enddate {end} -extfile ext -in {name}.csr -out {name}.pem"));
    }

    /// A certificate that is signed by itself, as `openssl req -x509` makes them, good from and until those dates.
    fn sign_itself(&self, name: &str, extensions: &str, dates: (&str, &str)) {
        if !self.path(&format!("{name}.key")).exists() {
            self.openssl(&format!("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=registry -keyout {name}.key -out {name}.csr"));
        }
        std::fs::write(self.path("ext"), extensions).unwrap();
        let (start, end) = dates;
        self.openssl(&format!("ca -batch -notext -config ca.cnf -selfsign -keyfile {name}.key -startdate {start} -enddate {end} -extfile ext -in {name}.csr -out {name}.pem"));
    }
}

/// A TLS front of a registry.
pub(crate) struct Front {
    /// The answer to plain HTTP.
    plain: Arc<Mutex<&'static str>>,
    port: u16,
    /// Whether each connection showed a certificate.
    shown: Arc<Mutex<Vec<bool>>>,
    /// The number of connections.
    tried: Arc<Mutex<usize>>,
}

impl Front {
    pub(crate) fn new(authority: &Authority, name: &str, registry: &Registry) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority.read("ca.pem")).unwrap()).unwrap();
        let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(asks.allow_unauthenticated().build().unwrap())
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(&authority.read(&format!("{name}.pem"))).unwrap()],
                PrivateKeyDer::from_pem_slice(&authority.read(&format!("{name}.key"))).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shown: Arc<Mutex<Vec<bool>>> = Arc::default();
        let tried: Arc<Mutex<usize>> = Arc::default();
        let count = Arc::clone(&tried);
        let plain: Arc<Mutex<&'static str>> = Arc::default();
        let answer = Arc::clone(&plain);
        let (seen, behind, config) = (Arc::clone(&shown), registry.address(), Arc::new(config));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *count.lock().unwrap() += 1;
                let (seen, behind, config) = (Arc::clone(&seen), behind.clone(), Arc::clone(&config));
                let answer = *answer.lock().unwrap();
                let mut first = [0];
                if !answer.is_empty() && stream.peek(&mut first).is_ok() && first != [22] {
                    let mut stream = stream;
                    drop(stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(answer.as_bytes())));
                    continue;
                }
                std::thread::spawn(move || drop(serve(stream, &behind, config, &seen)));
            }
        });
        Self { plain, port, shown, tried }
    }

    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

/// Hands on what comes, both ways, until one side ends.
fn serve(stream: TcpStream, behind: &str, config: Arc<ServerConfig>, seen: &Mutex<Vec<bool>>) -> io::Result<()> {
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = stream;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    seen.lock().unwrap().push(connection.peer_certificates().is_some());
    let mut plain = TcpStream::connect(behind)?;
    let short = Some(Duration::from_millis(1));
    stream.set_read_timeout(short)?;
    plain.set_read_timeout(short)?;
    let mut stream = StreamOwned::new(connection, stream);
    loop {
        if !hand_on(&mut stream, &mut plain)? || !hand_on(&mut plain, &mut stream)? {
            return Ok(());
        }
    }
}

fn hand_on(from: &mut impl Read, to: &mut impl Write) -> io::Result<bool> {
    let mut buffer = [0; 16_384];
    match from.read(&mut buffer) {
        Ok(0) => Ok(false),
        Ok(n) => to.write_all(&buffer[..n]).and_then(|()| to.flush()).map(|()| true),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(true),
        Err(error) => Err(error),
    }
}

pub(crate) const FOR_EVER: &str = "21200101000000Z";

fn tls(front: &Front, authority: Option<&Authority>) -> Settings {
    let mut settings = settings();
    settings.schemes.insert(front.address(), HttpScheme::Https);
    settings.extra_ca = authority.iter().map(|authority| authority.read("ca.pem")).collect();
    settings
}

fn resolve(front: &Front, settings: Settings) -> Result<Content, StoreError> {
    let app = Registries::new(settings).repository(&reference(&front.address(), "app")).unwrap();
    run(app.resolve(&tag("v1")))
}

#[test]
fn a_registry_is_authenticated_by_its_certificate() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let front = Front::new(&authority, "good", &registry);
    assert_eq!(resolve(&front, tls(&front, Some(&authority))).unwrap().bytes(), image.manifest);
}

#[test]
fn an_invalid_certificate_is_final() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    authority.issue("expired", "DNS:localhost", "20210101000000Z");
    authority.issue("other", "DNS:other.example", FOR_EVER);
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    for (name, trusted) in [("good", false), ("expired", true), ("other", true)] {
        let front = Front::new(&authority, name, &registry);
        let error = resolve(&front, tls(&front, trusted.then_some(&authority))).unwrap_err();
        assert_eq!(error.code(), "unreachable", "{name}: {error}");
        assert!(error.to_string().contains("certificate"), "{name}: {error}");
        assert_eq!(*front.tried.lock().unwrap(), 1, "{name}: a second try would be no better");
    }
    assert_eq!(registry.counters().requests, 0, "nothing was asked without TLS");
}

#[test]
fn a_registry_without_tls_is_an_error_if_tls_is_required() {
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    let host = registry.other_name();
    let mut settings = settings();
    settings.schemes.insert(host.clone(), HttpScheme::Https);
    let app = Registries::new(settings).repository(&reference(&host, "app")).unwrap();
    assert_eq!(run(app.resolve(&tag("v1"))).unwrap_err().code(), "unreachable");
    assert!(registry.requests().iter().all(|it| it.status != 200), "{:?}", registry.lines());
}

#[test]
fn the_client_certificate_is_presented_to_the_registry_only() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    authority.issue("client", "DNS:client", FOR_EVER);
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let (front, other) = (Front::new(&authority, "good", &registry), Front::new(&authority, "good", &registry));
    let digest = Descriptor::of("application/octet-stream", &image.layers[0]);
    let to = format!("https://{}/v2/app/blobs/{}?elsewhere", other.address(), digest.digest);
    registry.hook("GET", "/v2/app/blobs/*", move |request, answer| match request.query.as_str() {
        "elsewhere" => answer,
        _ => {
            let mut answer = answer.body("").with("Location", to.clone());
            answer.status = 307;
            answer
        }
    });
    let mut settings = tls(&front, Some(&authority));
    let key = SecretText::new(String::from_utf8(authority.read("client.key")).unwrap());
    settings.client_certificate = Some(ClientCertificate { chain: authority.read("client.pem"), key });
    let app = Registries::new(settings).repository(&reference(&front.address(), "app")).unwrap();
    run(async {
        app.resolve(&tag("v1")).await.unwrap();
        assert_eq!(app.blob(&digest, 10_000).await.unwrap().bytes(), image.layers[0]);
    });
    assert!(front.shown.lock().unwrap().iter().all(|shown| *shown));
    assert_eq!(*other.shown.lock().unwrap(), [false]);
}

#[test]
fn invalid_certificate_files_are_reported_before_any_request() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let registry = polite();
    let front = Front::new(&authority, "good", &registry);
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut settings = tls(&front, None);
        settings.extra_ca = vec![pem.as_bytes().to_vec()];
        let error = resolve(&front, settings).unwrap_err();
        assert_eq!(error.code(), "store-broken", "{pem:?}: {error}");
    }
    let mut settings = tls(&front, Some(&authority));
    let key = SecretText::new("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n".to_owned());
    settings.client_certificate = Some(ClientCertificate { chain: authority.read("good.pem"), key });
    let error = resolve(&front, settings).unwrap_err();
    assert_eq!(error.code(), "store-broken", "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(front.shown.lock().unwrap().is_empty());
}

#[test]
fn tls_is_never_downgraded() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    let front = Front::new(&authority, "good", &registry);
    registry.rule("GET", "/manifests/v1", Times::Every, Action::redirect("http://plain.example/v2/app/manifests/v1"));
    let error = resolve(&front, tls(&front, Some(&authority))).unwrap_err();
    assert!(error.to_string().contains("from TLS to plain HTTP"), "{error}");
}

// The registry of the quirks writes `http://` into all addresses of its own.
#[test]
fn http_urls_of_a_registry_behind_tls_are_requested_over_tls() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let (registry, image) = (with(&["referrers=paged=1", "link=absolute"]), image(1));
    image.put(&registry, "app", Some("v1"));
    for n in 0..3_u8 {
        let referrer = referrer(&registry, &image.descriptor, "application/signature", &[n]);
        registry.put_manifest("app", referrer.bytes(), OCI_MANIFEST, None);
    }
    let front = Front::new(&authority, "good", &registry);
    let to = format!("http://{}/v2/app/manifests/v1?moved", front.address());
    registry.rule("GET", "/manifests/v1", Times::First(1), Action::redirect(to));
    let app = Registries::new(tls(&front, Some(&authority))).repository(&reference(&front.address(), "app")).unwrap();
    run(async {
        assert_eq!(app.resolve(&tag("v1")).await.unwrap().bytes(), image.manifest);
        let listing = app.referrers(&image.descriptor.digest, None).await.unwrap().unwrap();
        assert_eq!(listing.whole(&app.origin()).unwrap().len(), 3);
    });
    assert!(registry.lines().iter().any(|line| line.contains("?moved")), "{:?}", registry.lines());
}

#[test]
fn a_plain_http_registry_may_redirect_to_tls() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let (registry, image) = (polite(), image(1));
    image.put(&registry, "app", Some("v1"));
    let front = Front::new(&authority, "good", &registry);
    let to = format!("https://{}/v2/app/manifests/v1?moved", front.address());
    registry.rule("GET", "/manifests/v1", Times::First(1), Action::Redirect { status: 301, to });
    let mut settings = settings();
    settings.extra_ca = vec![authority.read("ca.pem")];
    let app = Registries::new(settings).repository(&reference(&registry.other_name(), "app")).unwrap();
    assert_eq!(run(app.resolve(&tag("v1"))).unwrap().bytes(), image.manifest);
    assert_eq!(front.shown.lock().unwrap().len(), 1);
}

#[test]
fn a_push_works_if_a_tls_proxy_hides_the_scheme() {
    use bulla::store::Sink as _;
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let registry = with(&["single-post=off"]);
    let front = Front::new(&authority, "good", &registry);
    registry.hook("POST", "/uploads/", move |_, answer| {
        let path = answer.header("Location").unwrap_or_default().to_owned();
        let mut answer = answer;
        answer.remove("Location");
        answer.with("Location", format!("http://localhost{path}"))
    });
    let app = Registries::new(tls(&front, Some(&authority))).repository(&reference(&front.address(), "app")).unwrap();
    let big = octets(&support::image::filler(1, 1 << 20));
    run(async {
        app.push_content(&octets(b"x")).await.unwrap();
        app.push_content(&big).await.unwrap();
    });
    assert!(registry.blob("app", big.digest()).is_some());
}

/// An https:// proxy cannot be told apart from the registry when a client certificate is asked for, so the two are not used
/// together: nothing is sent.
#[test]
fn an_https_proxy_is_not_offered_the_client_certificate() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("client", "DNS:client", FOR_EVER);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let proxy = format!("https://{}", listener.local_addr().unwrap());
    let home = temp_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
    command.args(["tree", "registry.invalid/app:v1", "--tls-cert"]).arg(authority.path("client.pem"));
    command.arg("--tls-key").arg(authority.path("client.key"));
    let output = command.env_clear().env("HOME", home.path()).env("HTTPS_PROXY", &proxy).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let told = format!("the proxy {proxy} (HTTPS_PROXY) would be offered the client certificate of the registry");
    assert!(stderr.contains(&told), "{stderr}");
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "the proxy was connected to");
}

/// A proxy for TLS that connects one host to `to`, and records the requests to it.
fn tunnel(to: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heads = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            heads.lock().unwrap().push(String::from_utf8(head).unwrap());
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let behind = TcpStream::connect(&to).unwrap();
            for (mut from, mut to) in [(stream.try_clone().unwrap(), behind.try_clone().unwrap()), (behind, stream)] {
                std::thread::spawn(move || io::copy(&mut from, &mut to));
            }
        }
    });
    (address, asked)
}

// A proxy learns the host and nothing else: TLS and credentials are between the client and the registry.
#[test]
fn a_proxy_learns_only_the_host() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("far", "DNS:registry.invalid", FOR_EVER);
    let registry = with(&["auth=basic", "user=alice:correct-horse"]);
    image(1).put(&registry, "app", Some("v1"));
    let front = Front::new(&authority, "far", &registry);
    let (proxy, asked) = tunnel(front.address());
    let home = temp_dir();
    std::fs::create_dir(home.path().join(".docker")).unwrap();
    let login = r#"{"auths":{"registry.invalid":{"auth":"YWxpY2U6Y29ycmVjdC1ob3JzZQ=="}}}"#;
    std::fs::write(home.path().join(".docker/config.json"), login).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["tree", "registry.invalid/app:v1", "--tls-ca"])
        .arg(authority.path("ca.pem"))
        .env_clear()
        .env("HOME", home.path())
        .env("HTTPS_PROXY", format!("http://proxy-user:proxy-pass@{proxy}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty());
    for head in asked.iter() {
        assert!(head.starts_with("CONNECT registry.invalid:443 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("Proxy-Authorization: Basic ") || head.contains("proxy-authorization: Basic "), "{head}");
        assert!(!head.contains("YWxpY2U6Y29ycmVjdC1ob3JzZQ=="), "the proxy was told the password: {head}");
    }
    // And the registry is not told who we are to the proxy.
    for request in registry.requests() {
        assert!(request.header("Proxy-Authorization").is_none());
    }
}

const SERVER: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
const ALWAYS: (&str, &str) = ("20200101000000Z", FOR_EVER);

/// The fault of TLS with `front`, where that file is given as trusted.
fn fault(front: &Front, given: Vec<u8>) -> TlsFault {
    let mut settings = tls(front, None);
    settings.extra_ca = vec![given];
    match resolve(front, settings).unwrap_err() {
        StoreError::Tls { place, fault, .. } if place == front.address() => fault,
        other => panic!("{other:?}"),
    }
}

// distribution's own guide makes such a certificate: an authority to path validation, which refuses it as a server's.
#[test]
fn a_self_signed_certificate_given_with_ca_is_trusted() {
    let Some(authority) = Authority::new() else { return };
    let registry = polite();
    let image = image(1);
    image.put(&registry, "app", Some("v1"));
    for (name, extensions) in [
        ("ca", "basicConstraints=critical,CA:TRUE\n"),
        ("leaf", "basicConstraints=CA:FALSE\n"),
        ("signs", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"),
        ("handshakes", "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"),
        ("bare", ""),
    ] {
        let name = &format!("self-{name}");
        authority.sign_itself(name, &format!("{SERVER}{extensions}"), ALWAYS);
        let front = Front::new(&authority, name, &registry);
        let pem = authority.read(&format!("{name}.pem"));
        let der = CertificateDer::from_pem_slice(&pem).unwrap().to_vec();
        for given in [pem, der] {
            let mut settings = tls(&front, Some(&authority));
            settings.extra_ca.push(given);
            assert_eq!(resolve(&front, settings).unwrap().bytes(), image.manifest, "{name}");
        }
        assert_eq!(fault(&front, authority.read("ca.pem")), TlsFault::SelfSigned, "{name}");
    }
}

#[test]
fn only_exactly_the_given_certificate_is_trusted_for_its_names_and_dates() {
    let Some(authority) = Authority::new() else { return };
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    let given = |name: &str| authority.read(&format!("{name}.pem"));
    // Another certificate of the same key and the same name.
    authority.sign_itself("twin", SERVER, ALWAYS);
    let first = given("twin");
    authority.sign_itself("twin", SERVER, ALWAYS);
    assert_ne!(first, given("twin"));
    let front = Front::new(&authority, "twin", &registry);
    assert_eq!(fault(&front, first), TlsFault::SelfSigned);
    // What it does not say of itself.
    authority.sign_itself("names", "subjectAltName=DNS:other.example,IP:10.1.2.3,IP:::1\n", ALWAYS);
    authority.sign_itself("nameless", "basicConstraints=CA:FALSE\n", ALWAYS);
    authority.sign_itself("old", SERVER, ("20200101000000Z", "20210203040506Z"));
    authority.sign_itself("young", SERVER, ("20990101000000Z", FOR_EVER));
    authority.sign_itself("client", &format!("{SERVER}extendedKeyUsage=clientAuth\n"), ALWAYS);
    let wanted = || "localhost".to_owned();
    let names = vec!["other.example".to_owned(), "10.1.2.3".to_owned(), "::1".to_owned()];
    for (name, told) in [
        ("names", TlsFault::OtherName { wanted: wanted(), names }),
        ("nameless", TlsFault::OtherName { wanted: wanted(), names: Vec::new() }),
        ("old", TlsFault::Expired { at: "2021-02-03T04:05:06Z".to_owned() }),
        ("young", TlsFault::NotYetValid { from: "2099-01-01T00:00:00Z".to_owned() }),
        ("client", TlsFault::Purpose),
    ] {
        let front = Front::new(&authority, name, &registry);
        assert_eq!(fault(&front, given(name)), told, "{name}");
        assert_eq!(*front.tried.lock().unwrap(), 1, "{name}: a second try would be no better");
    }
    assert_eq!(registry.counters().requests, 0);
}

// A certificate of a server that is given does not stand above others.
#[test]
fn a_trusted_server_certificate_cannot_issue_others() {
    let Some(authority) = Authority::new() else { return };
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    for (name, extensions) in [("says-no", "basicConstraints=CA:FALSE\n"), ("says-nothing", "")] {
        authority.sign_itself(name, &format!("{SERVER}{extensions}"), ALWAYS);
        let below = format!("below-{name}");
        authority.openssl(&format!("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={below} -keyout {below}.key -out {below}.csr"));
        std::fs::write(authority.path("ext"), SERVER).unwrap();
        authority.openssl(&format!("x509 -req -days 3650 -in {below}.csr -CA {name}.pem -CAkey {name}.key -CAcreateserial -extfile ext -out {below}.pem"));
        let front = Front::new(&authority, &below, &registry);
        let told = fault(&front, authority.read(&format!("{name}.pem")));
        assert_eq!(told, TlsFault::Untrusted { issuer: "CN=registry".to_owned() });
    }
}

#[test]
fn certificate_errors_have_names_and_dates() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    authority.issue("expired", "DNS:localhost", "20210101000000Z");
    authority.issue("other", "DNS:other.example", FOR_EVER);
    let registry = polite();
    let front = |name: &str| Front::new(&authority, name, &registry);
    assert_eq!(
        fault(&front("expired"), authority.read("ca.pem")),
        TlsFault::Expired { at: "2021-01-01T00:00:00Z".to_owned() }
    );
    let names = vec!["other.example".to_owned()];
    assert_eq!(
        fault(&front("other"), authority.read("ca.pem")),
        TlsFault::OtherName { wanted: "localhost".to_owned(), names }
    );
    let program = |front: &Front, more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args(["tree", &format!("{}/app:v1", front.address())])
            .args(more)
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let ca = authority.path("ca.pem");
    let told = program(&front("good"), &["--tls"]);
    assert!(told.contains("hint: --tls-ca FILE"), "{told}");
    let told = program(&front("other"), &["--tls", "--tls-ca", ca.to_str().unwrap()]);
    assert!(!told.contains("--tls-ca") && told.contains("not for localhost, but for other.example"), "{told}");
    let told = program(&front("expired"), &["--tls", "--tls-ca", ca.to_str().unwrap()]);
    assert!(!told.contains("--tls-ca") && told.contains("expired at 2021-01-01T00:00:00Z"), "{told}");
    let told = program(&front("good"), &[]);
    assert!(told.contains("it speaks TLS, not plain http") && told.contains("hint: --tls"), "{told}");
}

// Each server has its own way to answer plain HTTP on a TLS port.
#[test]
fn plain_http_to_a_tls_port_is_reported_and_not_retried() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    let registry = polite();
    for answer in [
        "",
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nhtml",
        "\x15\x03\x01\0\x02\x02\x46",
    ] {
        let front = Front::new(&authority, "good", &registry);
        *front.plain.lock().unwrap() = answer;
        let mut settings = settings();
        settings.schemes.insert(front.address(), HttpScheme::Http);
        let error = resolve(&front, settings).unwrap_err();
        assert!(matches!(error, StoreError::Tls { fault: TlsFault::OnlyTls, .. }), "{answer:?}: {error:?}");
        assert_eq!(*front.tried.lock().unwrap(), 2, "{answer:?}: one request and one handshake");
    }
    assert_eq!(registry.counters().requests, 0);
}

#[test]
fn a_registry_that_fails_over_plain_http_is_asked_once_whether_it_speaks_tls() {
    let registry = polite();
    registry.rule("GET", "/manifests/v1", Times::Every, Action::status(400));
    let app = app(&registry);
    for _ in 0..2 {
        assert_eq!(run(app.resolve(&tag("v1"))).unwrap_err().code(), "protocol");
    }
    assert_eq!(registry.requests().iter().filter(|it| it.method == "GET").count(), 2, "{:?}", registry.lines());
    assert!(registry.counters().connections <= 3, "{:?}", registry.counters());
}

#[test]
fn tls_to_a_plain_http_port_is_reported_at_once() {
    let registry = polite();
    let host = registry.other_name();
    let mut settings = settings();
    settings.schemes.insert(host.clone(), HttpScheme::Https);
    let app = Registries::new(settings).repository(&reference(&host, "app")).unwrap();
    let error = run(app.resolve(&tag("v1"))).unwrap_err();
    assert!(matches!(error, StoreError::Tls { fault: TlsFault::NoTls, .. }), "{error:?}");
    assert_eq!(registry.counters().connections, 1);
}

#[test]
fn a_client_certificate_is_read_as_der_too() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("good", "DNS:localhost", FOR_EVER);
    authority.issue("client", "DNS:client", FOR_EVER);
    authority.openssl("x509 -in client.pem -outform der -out client.der");
    authority.openssl("pkey -in client.key -outform der -out client-key.der");
    authority.openssl("x509 -in ca.pem -outform der -out ca.der");
    let registry = polite();
    image(1).put(&registry, "app", Some("v1"));
    let front = Front::new(&authority, "good", &registry);
    let output = Command::new(env!("CARGO_BIN_EXE_bulla"))
        .args(["tree", &format!("{}/app:v1", front.address()), "--tls", "--tls-ca", "ca.der"])
        .args(["--tls-cert", "client.der", "--tls-key", "client-key.der"])
        .current_dir(authority.directory.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(front.shown.lock().unwrap().iter().all(|shown| *shown));
}
