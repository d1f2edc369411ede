//! Timestamps of a local `openssl ts` authority: notation and bulla, each judging what the other had stamped.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use crate::notation::start;
use crate::peers::PeerOutput;
use crate::peers::Peers;
use crate::suite::Algorithm;
use crate::suite::Api;
use crate::suite::Suite;

/// When the certificates of the signers have expired.
const LATER: &str = "2100-01-01T00:00:00Z";

/// Makes a timestamp authority: `tsa-root.crt`, `tsa.crt`, `ts.cnf`. notation wants a timestamp of every signature.
fn authority(suite: &Suite) {
    let peers = &suite.peers;
    let sections = "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n\
        [ca]\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
        [tsa]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n\
        extendedKeyUsage=critical,timeStamping\n";
    peers.write("tsa.cnf", sections);
    let make = |name: &str, more: &[&str]| {
        let (key, file, subject) = (format!("{name}.key"), format!("{name}.crt"), format!("/O=Time/CN={name}"));
        peers.openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key]).must();
        let args = ["req", "-x509", "-new", "-days", "30", "-config", "tsa.cnf", "-subj", &subject];
        peers.openssl(&[&args[..], &["-key", &key, "-out", &file], more].concat()).must();
    };
    make("tsa-root", &["-extensions", "ca"]);
    make("tsa", &["-extensions", "tsa", "-CA", "tsa-root.crt", "-CAkey", "tsa-root.key"]);
    let config = "[authority]\nserial=serial\nsigner_cert=tsa.crt\nsigner_key=tsa.key\ncerts=tsa-root.crt\n\
        signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sha384,sha512\ness_cert_id_alg=sha256\n";
    peers.write("ts.cnf", config);
    peers.write("serial", "2a");
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"acme","registryScopes":["*"],
        "signatureVerification":{"level":"strict","verifyTimestamp":"always"},"trustStores":["ca:root","tsa:clock"],
        "trustedIdentities":["x509.subject: C=US, ST=WA, O=Acme"]}]}"#;
    peers.write(".config/notation/trustpolicy.json", policy);
    peers.write(".config/notation/truststore/x509/tsa/clock/clock.crt", peers.read("tsa-root.crt"));
}

/// The answer of the authority.
fn answer(peers: &Peers, request: &str, response: &str) {
    let args = ["ts", "-reply", "-section", "authority", "-config", "ts.cnf", "-queryfile", request, "-out", response];
    peers.openssl(&args).must();
}

/// Serves the authority over HTTP while `work` runs with its URL. Returns how often it was asked, too.
fn served<T>(peers: &Peers, work: impl FnOnce(&str) -> T) -> (T, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut asked = 0;
            loop {
                let (stream, _) = listener.accept().unwrap();
                if ended.load(Ordering::SeqCst) {
                    return asked;
                }
                asked += 1;
                serve(peers, stream);
            }
        });
        let done = work(&format!("http://{address}/"));
        ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(address).unwrap());
        (done, server.join().unwrap())
    })
}

fn serve(peers: &Peers, mut stream: TcpStream) {
    let mut reader = BufReader::new(&stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut query = vec![0; length];
    reader.read_exact(&mut query).unwrap();
    peers.write("served.tsq", query);
    answer(peers, "served.tsq", "served.tsr");
    let body = peers.read("served.tsr");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
}

fn notation_verifies(suite: &Suite, image: &str) -> PeerOutput {
    suite.peers.notation(&["verify", "--insecure-registry", image])
}

fn bulla_verifies_later(suite: &Suite, image: &str) -> PeerOutput {
    let trust = ["--ca-roots", "root.crt", "--timestamp-roots", "tsa-root.crt", "--at", LATER];
    suite.peers.bulla(&[&["verify", "--certificate-identity", "C=US,ST=WA,O=Acme", image], &trust[..]].concat())
}

/// bulla has its signatures stamped, by file and by URL; notation, which wants timestamps, accepts them.
pub fn bulla_stamps_notation_verifies(api: Api) {
    let Some(mut suite) = start(api) else { return };
    authority(&suite);
    let mut seed = 0;
    for algorithm in [Algorithm::P256, Algorithm::Rsa2048] {
        let (key, chain) = (format!("{}.key", algorithm.name()), format!("{}.crt", algorithm.name()));
        for format in ["notary-jws", "notary-cose"] {
            seed += 2;
            let name = format!("{}-{format}", algorithm.name());
            let image = suite.image(&format!("{name}-file"), seed);
            let sign = ["sign", "--key", &key, "--cert-chain", &chain, "--format", format];
            let output = suite.peers.bulla(&[&sign[..], &[&image]].concat());
            suite.expect(&name, &output, 0);
            let output = notation_verifies(&suite, &image);
            suite.expect_no(&format!("{name}, without a timestamp"), &output);
            let output = bulla_verifies_later(&suite, &image);
            suite.expect(&format!("{name}, expired without a timestamp"), &output, 1);
            let output = suite.peers.bulla(&["timestamp", "request", &image, "-o", &name, "--output", "json"]).must();
            let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            let request = report["results"][0]["requests"][0]["file"].as_str().unwrap();
            let response = format!("{name}.tsr");
            answer(&suite.peers, request, &response);
            let roots = ["--timestamp-roots", "tsa-root.crt"];
            let attach = ["timestamp", "attach", &image, "--token", &response];
            let output = suite.peers.bulla(&[&attach[..], &roots].concat());
            suite.expect(&format!("{name}, attach"), &output, 0);

            let online = suite.image(&format!("{name}-url"), seed + 1);
            let (output, asked) = served(&suite.peers, |url| {
                suite.peers.bulla(&[&sign[..], &roots, &["--timestamp-url", url, &online]].concat())
            });
            suite.expect(&format!("{name}, by URL"), &output, 0);
            suite.expect_that(&format!("{name}, one request"), asked == 1, &output);
            for image in [&image, &online] {
                let output = notation_verifies(&suite, image);
                suite.expect(&format!("{image}, with a timestamp"), &output, 0);
                let output = bulla_verifies_later(&suite, image);
                suite.expect(&format!("{image}, expired with a timestamp"), &output, 0);
            }
        }
    }
    suite.done();
}

/// What notation had stamped outlives its certificate; what it signed without a timestamp gets one from bulla.
pub fn notation_stamps_bulla_verifies(api: Api) {
    let Some(mut suite) = start(api) else { return };
    authority(&suite);
    for (seed, format) in (50..).zip(["jws", "cose"]) {
        let image = suite.image(&format!("stamped-{format}"), seed);
        let sign = ["sign", "--insecure-registry", "--key", "p256", "--signature-format", format];
        let (output, _) = served(&suite.peers, |url| {
            let stamp = ["--timestamp-url", url, "--timestamp-root-cert", "tsa-root.crt", &image];
            suite.peers.notation(&[&sign[..], &stamp].concat())
        });
        suite.expect(&format!("{format}, notation signs"), &output, 0);
        let output = bulla_verifies_later(&suite, &image);
        suite.expect(&format!("{format}, expired"), &output, 0);
        let output = suite.peers.bulla(&["timestamp", "request", &image, "-o", "none"]);
        suite.expect_that(
            &format!("{format}, nothing to request"),
            output.stdout.contains("no request is needed"),
            &output,
        );

        let image = suite.image(&format!("plain-{format}"), seed + 10);
        let output = suite.peers.notation(&[&sign[..], &[&image]].concat());
        suite.expect(&format!("{format}, notation signs without a timestamp"), &output, 0);
        let directory = format!("plain-{format}");
        let output = suite.peers.bulla(&["timestamp", "request", &image, "-o", &directory, "--output", "json"]).must();
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let request = report["results"][0]["requests"][0]["file"].as_str().unwrap();
        let (output, asked) = served(&suite.peers, |url| {
            let fetch = ["timestamp", "fetch", request, "--timestamp-url", url, "-o", "answers"];
            suite.peers.bulla(&[&fetch[..], &["--timestamp-roots", "tsa-root.crt"]].concat())
        });
        suite.expect(&format!("{format}, fetch"), &output, 0);
        suite.expect_that(&format!("{format}, one request"), asked == 1, &output);
        let response = request.replace(&format!("{directory}/"), "answers/").replace(".tsq", ".tsr");
        let attach = ["timestamp", "attach", &image, "--token", &response, "--timestamp-roots", "tsa-root.crt"];
        let output = suite.peers.bulla(&attach);
        suite.expect(&format!("{format}, attach"), &output, 0);
        let output = notation_verifies(&suite, &image);
        suite.expect(&format!("{format}, notation verifies"), &output, 0);
        let output = bulla_verifies_later(&suite, &image);
        suite.expect(&format!("{format}, expired with the timestamp"), &output, 0);
    }
    suite.done();
}
