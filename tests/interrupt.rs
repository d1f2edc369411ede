//! SIGTERM, SIGINT and SIGKILL while something is written: nothing is half written, and what is left is cleaned up.
#![cfg(target_os = "linux")]
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

use std::fs;
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use bulla::digest::Digest;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

/// A layout with an image whose one layer is a hole of a tebibyte: copying it takes for ever, and fails at its end.
fn endless(layout: &Path) {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &str| {
        let digest = Digest::sha256(bytes.as_bytes());
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        format!(r#""digest":"{digest}","size":{}"#, bytes.len())
    };
    let config = put("{}");
    let layer = Digest::sha256(b"nothing that is there");
    File::create(blobs.join(layer.hex())).unwrap().set_len(1 << 40).unwrap();
    let manifest = put(&format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json",{config}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":{}}}]}}"#,
        1_u64 << 40
    ));
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json",{manifest},"annotations":{{"org.opencontainers.image.ref.name":"v1"}}}}]}}"#
    );
    fs::write(layout.join("index.json"), index).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// The files below `folder` whose names begin with a dot.
fn hidden(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name().into_string().unwrap();
        if name.starts_with('.') {
            found.push(name);
        }
        if file.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(hidden(&file.path()));
        }
    }
    found
}

fn start(place: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
    command.args(arguments).current_dir(place).env_clear().env("HOME", place);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Starts `arguments`, waits until there is a hidden file whose name contains `sign`, and sends `signal`.
fn interrupted(place: &Path, arguments: &[&str], sign: &str, signal: Signal) {
    let mut child = start(place, arguments);
    while !hidden(place).iter().any(|name| name.contains(sign)) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself: {arguments:?}");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(signal.as_raw()), "{arguments:?}");
}

fn ok(place: &Path, arguments: &[&str]) {
    assert!(start(place, arguments).wait().unwrap().success(), "{arguments:?}");
}

const KINDS: [&str; 2] = ["oci:t", "oci-archive:t.tar"];

#[test]
fn a_signal_removes_an_unfinished_copy() {
    for kind in KINDS {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            let place = tempfile::tempdir().unwrap();
            endless(&place.path().join("endless"));
            interrupted(place.path(), &["copy", "oci:endless:v1", kind], "tmp-", signal);
            assert_eq!(hidden(place.path()), Vec::<String>::new(), "{kind}");
            assert!(!place.path().join("t").exists() && !place.path().join("t.tar").exists(), "{kind}");
        }
    }
}

#[test]
fn leftovers_of_a_kill_are_removed_by_the_next_run() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        endless(&place.path().join("endless"));
        let signed = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layouts/signed");
        let signed = format!("oci:{}:v1", signed.display());
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keys/release.pub");
        let key = key.to_str().unwrap();
        let (kind, other) = (&*format!("{kind}:v1"), &*format!("{kind}:v2"));
        for step in ["copy", "import"] {
            interrupted(place.path(), &["copy", "oci:endless:v1", other], "tmp-", Signal::KILL);
            assert_ne!(hidden(place.path()), Vec::<String>::new(), "{kind}");
            match step {
                "copy" => ok(place.path(), &["copy", &signed, kind]),
                _ => ok(place.path(), &["import", &signed, kind, "--key", key]),
            }
            assert_eq!(hidden(place.path()), Vec::<String>::new(), "{kind}");
            ok(place.path(), &["verify", kind, "--key", key]);
        }
    }
}

#[test]
fn a_signal_removes_the_lock_of_a_response() {
    let place = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    fs::write(place.path().join("pass"), "open sesame\n").unwrap();
    ok(place.path(), &["key", "new", "-o", "a", "--passphrase-file", "pass"]);
    let signed = format!("oci:{}:v1", root.join("layouts/signed").display());
    ok(place.path(), &["request", "new", &signed, "-o", "r", "--owner", "a=a.pub"]);
    // It waits for a passphrase that never comes.
    let sign = ["request", "sign", "r", "--key", "a.key", "-o", "x", "--yes", "--passphrase-fd", "0"];
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        interrupted(place.path(), &sign, ".x.lock", signal);
        assert_eq!(hidden(place.path()).is_empty(), signal != Signal::KILL);
        assert!(!place.path().join("x").exists());
    }
    ok(place.path(), &["request", "sign", "r", "--key", "a.key", "-o", "x", "--yes", "--passphrase-file", "pass"]);
    assert_eq!(hidden(place.path()), Vec::<String>::new());
}

/// A verification that ends at once may leave the report of an earlier one that passed.
#[test]
fn a_report_of_an_earlier_run_does_not_outlive_an_interrupted_one() {
    let place = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    fs::write(place.path().join("release.pub"), key.public_key().to_pem()).unwrap();
    let reports = ["out.sarif", "out.xml"];
    // A registry that never answers.
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = registry.local_addr().unwrap();
    let reference = format!("{address}/app:v1");
    let policy = format!(
        "bulla-policy: 1\nidentities:\n  release: {{ keys: [{{ file: release.pub }}] }}\nimages:\n  \
         - match: [\"{address}/**\"]\n    require: [{{ signature: {{ by: [release] }} }}]\n"
    );
    fs::write(place.path().join("policy.yaml"), policy).unwrap();
    let forms = ["--report", "sarif=out.sarif", "--report", "junit=out.xml"];
    // No block is for this name, so that the earlier run ends at once.
    let earlier = ["verify", "127.0.0.1:1/app:v1", "--policy", "policy.yaml"];
    start(place.path(), &[&earlier[..], &forms].concat()).wait().unwrap();
    for report in reports {
        let text = fs::read_to_string(place.path().join(report)).unwrap();
        assert!(!text.is_empty() && !text.contains("not-finished"), "{text}");
    }
    let verify = ["verify", &reference, "--policy", "policy.yaml"];
    let mut child = start(place.path(), &[&verify[..], &forms].concat());
    registry.set_nonblocking(true).unwrap();
    let _connection = loop {
        match registry.accept() {
            Ok(connection) => break connection,
            Err(_) => assert!(child.try_wait().unwrap().is_none(), "it ended by itself"),
        }
        std::thread::yield_now();
    };
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
    for report in reports {
        let text = fs::read_to_string(place.path().join(report)).unwrap();
        assert!(text.contains("not-finished") && text.contains("`bulla verify` did not finish"), "{text}");
    }
}
