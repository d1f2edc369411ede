//! A certificate authority, a timestamp authority (`openssl ts`) and a Rekor v2 log of one's own: each signs, the other verifies.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use crate::log::Does;
use crate::log::TestLog;
use crate::peers::Peers;
use crate::suite::Api;
use crate::suite::Form;
use crate::suite::Suite;

const ISSUER: &str = "https://issuer.example";
const SIGNER: &str = "https://builds.example/release";

/// Makes `ca.pem` (intermediate and root), `chain.pem` of the signer, its `signer.key`, `tsa.pem`, and `ts.cnf`.
///
/// The certificate has both issuer extensions of Fulcio: cosign reads the older one for tags.
fn authorities(peers: &Peers) {
    let issuer: String = ISSUER.bytes().map(|byte| format!(":{byte:02x}")).collect();
    let issuer = issuer.trim_start_matches(':');
    let sections = format!(
        "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n\
        [ca]\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
        [leaf]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n\
        extendedKeyUsage=codeSigning\nsubjectAltName=critical,URI:{SIGNER}\n\
        1.3.6.1.4.1.57264.1.1=DER:{issuer}\n1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{ISSUER}\n\
        [tsa]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n\
        extendedKeyUsage=critical,timeStamping\n"
    );
    peers.write("own.cnf", sections);
    let make = |name: &str, section: &str, issuer: Option<&str>| {
        let (key, file, subject) = (format!("{name}.key"), format!("{name}.crt"), format!("/O=Acme/CN={name}"));
        let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        peers.openssl(&[&["genpkey"], &curve[..], &["-out", &key]].concat()).must();
        let args = ["req", "-x509", "-new", "-days", "30", "-config", "own.cnf", "-extensions", section];
        let issuer = issuer.map(|issuer| (format!("{issuer}.crt"), format!("{issuer}.key")));
        let more = issuer.as_ref().map(|(crt, key)| ["-CA", crt, "-CAkey", key]);
        let more = more.as_ref().map(|more| &more[..]).unwrap_or_default();
        peers.openssl(&[&args[..], &["-subj", &subject, "-key", &key, "-out", &file], more].concat()).must();
    };
    make("own-root", "ca", None);
    make("own-ca", "ca", Some("own-root"));
    make("signer", "leaf", Some("own-ca"));
    make("clock-root", "ca", None);
    make("clock", "tsa", Some("clock-root"));
    let join = |names: &[&str]| names.iter().map(|name| peers.read(name)).collect::<Vec<_>>().concat();
    peers.write("ca.pem", join(&["own-ca.crt", "own-root.crt"]));
    peers.write("chain.pem", join(&["signer.crt", "own-ca.crt", "own-root.crt"]));
    peers.write("tsa.pem", join(&["clock.crt", "clock-root.crt"]));
    let config = "[authority]\nserial=serial\nsigner_cert=clock.crt\nsigner_key=clock.key\ncerts=clock-root.crt\n\
        signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sha384,sha512\ness_cert_id_alg=sha256\n";
    peers.write("ts.cnf", config);
    peers.write("serial", "2a");
}

/// Serves the authority at `/tsa` and the log at all other paths while `work` runs with their address.
fn served<T>(peers: &Peers, log: &TestLog, work: impl FnOnce(&str) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let (stream, _) = listener.accept().unwrap();
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                serve(peers, log, stream);
            }
        });
        let done = work(&format!("http://{address}"));
        ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(address).unwrap());
        done
    })
}

fn serve(peers: &Peers, log: &TestLog, mut stream: TcpStream) {
    let mut reader = BufReader::new(&stream);
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
    let mut query = vec![0; length];
    reader.read_exact(&mut query).unwrap();
    let (status, kind, body) = match head.starts_with("POST /tsa ") {
        true => {
            peers.write("own.tsq", query);
            let reply = ["ts", "-reply", "-section", "authority", "-config", "ts.cnf"];
            peers.openssl(&[&reply[..], &["-queryfile", "own.tsq", "-out", "own.tsr"]].concat()).must();
            ("200 OK", "application/timestamp-reply", peers.read("own.tsr"))
        }
        false => ("201 Created", "application/json", log.answer(&query)),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
}

pub fn bulla_signs_with_certificate_timestamp_and_log_cosign_verifies(api: Api) {
    let Some(mut suite) = Suite::start_without_keys(api) else { return };
    authorities(&suite.peers);
    let log = TestLog::new("log.example", Does::Adds);
    suite.peers.write("log.pub", log.public_key_pem());
    let new = ["trust", "new", "--ca", "ca.pem", "--tsa", "tsa.pem", "-o", "root.json"];
    let start = ["--valid-from", "2020-01-01T00:00:00Z"];
    suite.peers.bulla(&[&new[..], &start, &["--log", "url=https://log.example,key=log.pub"]].concat()).must();
    suite.peers.bulla(&["trust", "show", "root.json"]).must();
    let verifies = |suite: &Suite, identity: &str, image: &str, more: &[&str]| {
        let who = ["--certificate-identity", identity, "--certificate-oidc-issuer", ISSUER];
        let how = ["verify", "--trusted-root", "root.json", "--insecure-ignore-sct", "--allow-http-registry"];
        suite.peers.cosign(&[&how[..], &who, more, &[image]].concat())
    };
    for (seed, format, is_logged) in [(1, "bundle", true), (2, "bundle", false), (3, "tag", false)] {
        let image = suite.image(&format!("{format}-{is_logged}"), seed);
        let output = served(&suite.peers, &log, |url| {
            let tsa = format!("{url}/tsa");
            let sign = ["sign", "--key", "signer.key", "--cert-chain", "chain.pem", "--format", format, &image];
            let asked = ["--timestamp-url", &tsa, "--trusted-root", "root.json"];
            let logged = if is_logged { &["--log-url", url][..] } else { &[] };
            suite.peers.bulla(&[&sign[..], &asked, logged].concat())
        });
        suite.expect(&format!("{format}: bulla signs"), &output, 0);
        let more: &[&str] = match (is_logged, format) {
            (true, _) => &["--use-signed-timestamps"],
            (false, "bundle") => &["--use-signed-timestamps", "--insecure-ignore-tlog"],
            (false, _) => &["--use-signed-timestamps", "--insecure-ignore-tlog", "--new-bundle-format=false"],
        };
        let output = verifies(&suite, SIGNER, &image, more);
        suite.expect(&format!("{format}, log {is_logged}: cosign verifies"), &output, 0);
        let output = verifies(&suite, "https://builds.example/other", &image, more);
        suite.expect_no(&format!("{format}: another identity"), &output);
    }
    suite.done();
}

pub fn cosign_signs_with_certificate_and_timestamp_bulla_verifies(api: Api) {
    let Some(mut suite) = Suite::start_without_keys(api) else { return };
    authorities(&suite.peers);
    let log = TestLog::new("log.example", Does::Unreachable);
    let new = ["trust", "new", "--ca", "ca.pem", "--tsa", "tsa.pem", "-o", "root.json"];
    suite.peers.bulla(&[&new[..], &["--valid-from", "2020-01-01T00:00:00Z"]].concat()).must();
    suite.peers.cosign(&["import-key-pair", "--key", "signer.key", "--output-key-prefix", "cosign-signer"]).must();
    for (seed, form) in (1..).zip(Form::BOTH) {
        let image = suite.image(form.name(), seed);
        let output = served(&suite.peers, &log, |url| {
            let tsa = format!("{url}/tsa");
            let service = format!("url={tsa},api-version=1,start-time=2020-01-01T00:00:00Z,operator=acme");
            let create = ["signing-config", "create", "--tsa", &service, "--tsa-config", "EXACT:1"];
            let config = format!("{}.json", form.name());
            suite.peers.cosign(&[&create[..], &["--out", &config]].concat()).must();
            let old = ["--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format=false"];
            let asked = match form {
                Form::Bundle => vec!["--signing-config", &config],
                Form::Tag => [&old[..], &["--timestamp-server-url", &tsa]].concat(),
            };
            let sign = ["sign", "-y", "--key", "cosign-signer.key", "--allow-http-registry"];
            let certificate = ["--certificate", "signer.crt", "--certificate-chain", "ca.pem"];
            suite.peers.cosign(&[&sign[..], &certificate, &asked, &[&image]].concat())
        });
        suite.expect(&format!("{}: cosign signs", form.name()), &output, 0);
        let verifies = |suite: &Suite, identity: &str, issuer: &str, timestamps: &str| {
            let who = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer];
            let rule = ["--transparency-logs", "0", "--certificate-logs", "0", "--timestamps", timestamps];
            suite.peers.bulla(&[&["verify", "--trusted-root", "root.json"], &who[..], &rule, &[&image]].concat())
        };
        for (what, identity, issuer, timestamps, code) in [
            ("bulla verifies", SIGNER, ISSUER, "1", 0),
            ("another identity", "https://builds.example/other", ISSUER, "1", 1),
            ("another issuer", SIGNER, "https://issuer.example.org", "1", 1),
            ("two authorities", SIGNER, ISSUER, "2", 1),
        ] {
            let output = verifies(&suite, identity, issuer, timestamps);
            suite.expect(&format!("{}: {what}", form.name()), &output, code);
        }
    }
    suite.done();
}
