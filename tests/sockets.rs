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

mod support;

use std::fs;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use support::image;
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
    "request new oci:app:v1 -o r --owner a=release.pub --owner b=second.pub --threshold 2 --format both --attest vuln=p",
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

/// Runs every command, each through `how`; the token's only where SoftHSM is.
fn everything(how: impl Fn(&Command) -> Command) {
    let dir = support::temp_dir();
    image::layout(&dir.path().join("app"), &[(Some("v1"), &image::image(1))]);
    fs::write(dir.path().join("p"), "{}").unwrap();
    let hsm = if cfg!(feature = "pkcs11") { SoftHsm::find() } else { None };
    let commands = COMMANDS.iter().chain(hsm.iter().flat_map(|_| &ON_TOKEN));
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
