//! Where the key is, no socket is opened: these commands work in a network namespace in which not even loopback is up, and the
//! system calls they make have no socket among them. What is not in the signer's build is the matter of `tests/features.rs`.
//!
//! Without `unshare` or `strace` this says `not run: …`; with `BULLA_INTEROP=require` that is a failure.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "revocation/author.rs"]
#[allow(dead_code, reason = "the tests of revocation use the rest")]
mod author;
#[path = "x509/made.rs"]
#[allow(dead_code, reason = "the tests of chains use the rest")]
mod made;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use author::List;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;
use made::CA;
use made::LEAF;
use made::Workshop;
use made::plan;
use support::image;
use support::missing;
use support::missing::not_run;
use support::softhsm::PIN;
use support::softhsm::SoftHsm;

/// Everything that is done where the key is, in an order in which each finds what it needs.
const COMMANDS: [&str; 22] = [
    "key new -o release",
    "key new -o second --type ed25519",
    "key show release.key",
    "key show second.pub --output json",
    "key list --key-dir .",
    "key export release.key --form plain-pkcs8 -o plain.key",
    "key export release.key -o public.pub",
    "key import plain.key -o imported",
    "request new oci:app:v1 -o r --owner a=release.pub --owner b=second.pub --threshold 2 --format both --attest urn:test:vuln=p",
    "request show r",
    "request show r --full --output json",
    "request sign r --key release.key -o one --yes --log log",
    "request sign r --key second.key -o two --with one --yes --log log",
    "request merge r one two -o all",
    "request log verify log",
    "request attach r all",
    "sign oci:app:v1 --key release.key --format both -a version=1.0",
    "attest oci:app:v1 --key release.key --type custom --predicate p",
    "verify oci:app:v1 --key release.pub --key second.pub --threshold 2",
    "tree oci:app:v1 --key release.pub",
    "copy oci:app:v1 oci-archive:app.tar:v1",
    "import oci-archive:app.tar oci:inside:v1 --key release.pub",
];

/// The same for a key on a token. What its module does is its own affair; SoftHSM opens none either.
const ON_TOKEN: [&str; 6] = [
    "key new --pkcs11 pkcs11:object=key -o token",
    "key list pkcs11: --login",
    "key show pkcs11:object=key",
    "request new oci:app:v1 -o t --owner a=token.pub --overwrite",
    "request sign t --key pkcs11:object=key -o answer --yes",
    "sign oci:app:v1 --key pkcs11:object=key",
];

/// The same with certificates that name a CRL and an OCSP responder, which nobody asks.
const WITH_CERTIFICATES: [&str; 6] = [
    "sign oci:app:v1 --key leaf.key --cert-chain chain.pem --format notary-jws",
    "sign oci:app:v1 --key leaf.key --cert-chain chain.pem --format notary-cose",
    "verify oci:app:v1 --ca-roots root.pem --certificate-identity CN=leaf --revocation crl --revocation-required",
    "verify oci:app:v1 --trust-policy policy.json --trust-store trust --scope registry.example/app --revocation crl",
    "import oci:app:v1 oci:certified:v1 --ca-roots root.pem --certificate-identity CN=leaf --revocation crl",
    "revocation show crl",
];

#[test]
fn it_works_without_a_network() {
    // Without the rights of root, those in a namespace of one's own do.
    let ways = [&["--net"][..], &["--net", "--map-root-user"]];
    let able = |way: &&&[&str]| {
        let output = Command::new("unshare").args(**way).arg("true").output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(way) = ways.iter().find(able) else {
        return not_run("`unshare --net` is not there or not allowed");
    };
    let devices = Command::new("unshare").args(*way).args(["cat", "/proc/net/dev"]).output().unwrap();
    let devices = String::from_utf8(devices.stdout).unwrap();
    assert!(devices.lines().skip(2).all(|line| line.trim_start().starts_with("lo:")), "{devices}");
    everything(|command| {
        let (program, args) = (command.get_program().to_owned(), command.get_args().map(ToOwned::to_owned));
        let mut inside = Command::new("unshare");
        inside.args(*way).arg(program).args(args.collect::<Vec<_>>());
        inside
    });
}

#[test]
fn no_socket_is_opened() {
    let dir = support::temp_dir();
    let trace = dir.path().join("trace");
    let watched = |program: &std::ffi::OsStr| {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o"]).arg(&trace).arg(program);
        strace
    };
    if !watched("true".as_ref()).status().is_ok_and(|status| status.success()) {
        return not_run("`strace` is not there or not allowed");
    }
    // The runtime of the default build and the handling of signals have pairs of connected sockets to wake the program up
    // with, and send nothing but wake-ups through them. They lead nowhere: a socket that leads out of the process begins with
    // `socket`, and its use with an address.
    let wakes = |line: &str| {
        line.contains("socketpair(AF_UNIX")
            || (line.contains("sendto(") && line.contains("MSG_DONTWAIT, NULL, 0)"))
            || line.contains("recvfrom(")
            || line.contains("recvfrom resumed")
    };
    let calls = || -> Vec<String> {
        let lines = fs::read_to_string(&trace).unwrap_or_default();
        let calls = lines.lines().filter(|line| line.contains('(') && !wakes(line));
        calls.map(str::to_owned).collect()
    };
    everything(|command| {
        assert_eq!(calls(), Vec::<String>::new());
        let mut strace = watched(command.get_program());
        strace.args(command.get_args());
        strace
    });
    assert_eq!(calls(), Vec::<String>::new());
    // It would be noticed.
    if cfg!(feature = "registry") {
        let mut asks = watched(env!("CARGO_BIN_EXE_bulla").as_ref());
        asks.args(["copy", "127.0.0.1:1/app:v1", "oci:there:v1"]).current_dir(dir.path());
        assert!(!asks.output().unwrap().status.success());
        assert!(calls().iter().any(|call| call.contains("socket(AF_INET")), "{:?}", calls());
    }
}

/// A verification writes no file that an interruption would have to remove, so it starts no thread that waits for signals.
#[test]
fn a_verification_starts_no_thread() {
    let dir = support::temp_dir();
    image::layout(&dir.path().join("app"), &[(Some("v1"), &image::image(1))]);
    let trace = dir.path().join("trace");
    let threads = |line: &str| {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=clone,clone3", "-e", "signal=none", "-o"]).arg(&trace);
        let output = strace.arg(env!("CARGO_BIN_EXE_bulla")).args(line.split(' ')).current_dir(dir.path()).output();
        let output = output.ok().filter(|output| output.status.success());
        output.map(|_| fs::read_to_string(&trace).unwrap().lines().filter(|line| line.contains("clone")).count())
    };
    // With a file to write it waits for signals.
    let Some(writing) = threads("key new --no-passphrase -o k") else {
        return not_run("`strace` is not there or not allowed");
    };
    assert_ne!(writing, 0);
    assert_ne!(threads("sign oci:app:v1 --key k.key"), None);
    assert_eq!(threads("verify oci:app:v1 --key k.pub"), Some(0));
}

/// With certificates that name a CRL and an OCSP responder, `verify` connects to the registry and to nothing else.
#[cfg(feature = "registry")]
#[test]
fn with_certificates_the_registry_is_all_that_is_asked() {
    use support::registry::Quirks;
    use support::registry::Registry;

    let dir = support::temp_dir();
    let trace = dir.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o"]).arg(&trace);
    if !Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).status().is_ok_and(|status| status.success()) {
        return not_run("`strace` is not there or not allowed");
    }
    if !certificates(dir.path()) {
        return;
    }
    image::layout(&dir.path().join("app"), &[(Some("v1"), &image::image(1))]);
    let registry = Registry::start(Quirks::polite());
    let address = registry.address();
    let run = |command: &mut Command, line: &str| {
        let output = command.args(line.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "bulla {line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let bulla = || Command::new(env!("CARGO_BIN_EXE_bulla"));
    run(&mut bulla(), &format!("copy oci:app:v1 {address}/app:v1"));
    run(&mut bulla(), &format!("sign {address}/app:v1 --key leaf.key --cert-chain chain.pem --format notary-jws"));
    let trust = "--ca-roots root.pem --certificate-identity CN=leaf --revocation crl --revocation-required";
    run(strace.arg(env!("CARGO_BIN_EXE_bulla")), &format!("verify {address}/app:v1 {trust}"));
    let trace = fs::read_to_string(trace).unwrap();
    let port = format!("htons({})", address.rsplit_once(':').unwrap().1);
    let named = |line: &&str| line.contains("connect(") || line.contains("_port=") || line.contains("sun_path");
    let elsewhere: Vec<_> = trace.lines().filter(named).filter(|line| !line.contains(&port)).collect();
    // The local address of the socket may be asked for.
    let elsewhere: Vec<_> = elsewhere.into_iter().filter(|line| !line.contains("getsockname(")).collect();
    assert_eq!(elsewhere, Vec::<&str>::new());
    assert!(trace.lines().any(|line| line.contains("connect(") && line.contains(&port)), "{trace}");
}

/// Writes `leaf.key`, its chain `chain.pem`, `root.pem`, the CRL `crl`, and a trust policy with its store. `false` if
/// openssl is not there, which is then said.
fn certificates(dir: &Path) -> bool {
    let Some(shop) = Workshop::new() else { return false };
    let root = shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
    let sources =
        "crlDistributionPoints=URI:http://127.0.0.1:1/crl\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:1/ocsp\n";
    let leaf = shop.issue(&root, plan("/C=US/ST=WA/O=Acme/CN=leaf", &format!("{LEAF}{sources}")));
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("leaf.key", text(&leaf.key).as_bytes());
    write("root.pem", text(&root.file).as_bytes());
    write("chain.pem", (text(&leaf.file) + &text(&root.file)).as_bytes());
    write("crl", &List::of(&root, later(leaf.certificate.not_before(), 0)).signed_by(&root));
    write("trust/truststore/x509/ca/acme/root.pem", text(&root.file).as_bytes());
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"acme","registryScopes":["*"],
        "signatureVerification":{"level":"strict"},"trustStores":["ca:acme"],
        "trustedIdentities":["x509.subject: C=US, ST=WA, O=Acme"]}]}"#;
    write("policy.json", policy.as_bytes());
    true
}

/// The DER of each PEM block.
fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let body = |block: &str| block.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

/// So many seconds later.
fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix(time.unix() + seconds).unwrap()
}

/// Runs every command, each through `how`; the token's only where SoftHSM is, those with
/// certificates only where openssl is.
fn everything(how: impl Fn(&Command) -> Command) {
    let dir = support::temp_dir();
    image::layout(&dir.path().join("app"), &[(Some("v1"), &image::image(1))]);
    fs::write(dir.path().join("p"), "{}").unwrap();
    let hsm = if cfg!(feature = "pkcs11") { SoftHsm::find() } else { None };
    let with_certificates = certificates(dir.path());
    let commands = COMMANDS.iter().chain(WITH_CERTIFICATES.iter().filter(|_| with_certificates));
    let commands = commands.chain(hsm.iter().flat_map(|_| &ON_TOKEN));
    for line in commands {
        let mut plain = Command::new(env!("CARGO_BIN_EXE_bulla"));
        plain.args(line.split(' '));
        let mut command = how(&plain);
        command.current_dir(dir.path()).env("BULLA_PASSWORD", "open sesame").stdin(Stdio::null());
        if let Some(hsm) = &hsm {
            command.env("BULLA_PIN", PIN).env("BULLA_PKCS11_MODULE", hsm.module());
            command.env("SOFTHSM2_CONF", hsm.path("softhsm2.conf"));
        }
        let output: Output = command.output().unwrap();
        assert!(output.status.success(), "bulla {line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
