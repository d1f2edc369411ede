//! Secrets stay where they are: no passphrase, PIN or private number in anything that a command prints or leaves behind, and
//! none in a core dump.
#![cfg(all(feature = "cli", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    clippy::type_complexity,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::digest::hex;
use bulla::files::Overwrite;
use bulla::key::KeyKind;
use bulla::key::Passphrase;
use bulla::key::PrivateKey;
use bulla::key::file;

use support::image;
use tempfile::TempDir;

const PASSPHRASE: &str = "canary-passphrase-7319";
const WRONG: &str = "canary-wrong-passphrase-5521";
const PIN: &str = "canary-pin-2846";

/// A folder with keys, and the texts that must not show up.
struct TestDirectory {
    folder: TempDir,
    /// The options of the log, added to each command.
    log: &'static [&'static str],
    canaries: Vec<(String, Vec<u8>)>,
}

impl TestDirectory {
    fn new() -> Self {
        let folder = support::temp_dir();
        let mut canaries = Vec::new();
        for (name, text) in [("passphrase", PASSPHRASE), ("wrong passphrase", WRONG), ("PIN", PIN)] {
            canaries.extend(forms(name, text.as_bytes()));
            fs::write(folder.path().join(format!("{}.txt", name.replace(' ', "-"))), format!("{text}\n")).unwrap();
        }
        for (name, kind) in [("p256", KeyKind::P256), ("p384", KeyKind::P384), ("ed25519", KeyKind::Ed25519)] {
            let key = PrivateKey::generate(kind).unwrap();
            let passphrase = Passphrase::new(PASSPHRASE);
            let write = |suffix: &str, text: &str| {
                file::write_private(&folder.path().join(format!("{name}{suffix}")), text, Overwrite::Refuse).unwrap();
            };
            write(".key", &key.to_sigstore_pem(&passphrase).unwrap());
            write("-pkcs8.key", &key.to_encrypted_pkcs8_pem(&passphrase).unwrap());
            write("-plain.key", &key.to_pkcs8_pem());
            let der = key.to_pkcs8_der();
            // The number itself: after the header of PKCS#8 and SEC1, or of RFC 8410.
            let number = match kind {
                KeyKind::Ed25519 => &der[16..48],
                KeyKind::P256 => &der[36..68],
                KeyKind::P384 => &der[35..83],
                _ => unreachable!("{name}"),
            };
            canaries.extend(forms(&format!("{name} number"), number));
            // And as it stands in the file, wherever the lines are broken.
            let text = STANDARD.encode(&der);
            let within = if kind == KeyKind::Ed25519 { 32..48 } else { 66..82 };
            canaries.push((format!("{name} file"), text.as_bytes()[within].to_vec()));
        }
        image::layout(&folder.path().join("app"), &[(Some("v1"), &image::image(1))]);
        Self { folder, log: &[], canaries }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace").args(args);
        command
    }

    /// Runs a command and looks through everything that it printed.
    #[track_caller]
    fn run(&self, variables: &[(&str, &str)], args: &[&str]) -> Option<i32> {
        let args = &[args, self.log].concat();
        let output = self.command(args).envs(variables.iter().copied()).output().unwrap();
        self.look(&format!("{args:?}, stdout"), &output.stdout);
        self.look(&format!("{args:?}, stderr"), &output.stderr);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{args:?}");
        output.status.code()
    }

    #[track_caller]
    fn look(&self, place: &str, bytes: &[u8]) {
        for (name, canary) in &self.canaries {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_slice());
            assert!(!found, "the {name} is in {place}");
        }
    }

    /// Looks through the files that a command may have written.
    #[track_caller]
    fn look_through(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => self.look_through(&path),
                false => self.look(&path.display().to_string(), &fs::read(&path).unwrap()),
            }
        }
    }
}

/// No log, and the forms of the one with most in it.
const LOGS: [&[&str]; 3] = [&[], &["-vv"], &["-vv", "--log-format", "json"]];

/// A secret as it is, in hexadecimal digits and in base64.
fn forms(name: &str, secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    let digits = hex(secret);
    let texts = [secret.to_vec(), digits.to_uppercase().into_bytes(), digits.into_bytes()];
    let base64 = STANDARD.encode(secret).trim_end_matches('=').as_bytes().to_vec();
    texts.into_iter().chain([base64]).map(|form| (name.to_owned(), form)).collect()
}

const WITH: &[(&str, &str)] = &[("BULLA_PASSWORD", PASSPHRASE)];
const WITH_WRONG: &[(&str, &str)] = &[("BULLA_PASSWORD", WRONG)];

#[test]
fn no_command_prints_a_secret() {
    let mut place = TestDirectory::new();
    let kinds = ["p256", "p384", "ed25519"];
    for (number, kind) in kinds.into_iter().enumerate() {
        for (shift, suffix) in [".key", "-pkcs8.key", "-plain.key"].into_iter().enumerate() {
            place.log = LOGS[(number + shift) % LOGS.len()];
            let key = format!("{kind}{suffix}");
            for output in ["text", "json"] {
                let sign = ["sign", "oci:app:v1", "--key", &key, "--output", output, "--format", "both"];
                assert_eq!(place.run(WITH, &sign), Some(0));
                assert_eq!(place.run(WITH, &["key", "show", &key, "--output", output]), Some(0));
                place.run(WITH_WRONG, &sign);
                place.run(&[], &sign);
                place.run(WITH, &["inspect", &key, "--output", output]);
                place.run(WITH, &["key", "list", "--output", output]);
            }
            place.run(WITH, &["key", "export", &key]);
            for form in ["encrypted-pkcs8", "plain-pkcs8", "sigstore"] {
                // Never to the terminal.
                assert_eq!(place.run(WITH, &["key", "export", &key, "--form", form]), Some(2));
            }
            assert_eq!(
                place.run(WITH, &["key", "export", &key, "--form", "plain-pkcs8", "-o", "/dev/stdout"]),
                Some(2)
            );
            place.run(WITH, &["verify", "oci:app:v1", "--key", &key]);
            place.run(WITH, &["tree", "oci:app:v1", "--key", &key]);
            place.run(WITH_WRONG, &["key", "import", &key, "-o", "copy"]);
        }
        let plain = fs::read_to_string(place.folder.path().join(format!("{kind}-plain.key"))).unwrap();
        for (variable, code) in
            [(plain.clone(), 0), (plain.replace("PRIVATE", "SECRET"), 2), (plain[..90].to_owned(), 2)]
        {
            assert_eq!(place.run(&[("KEY", &variable)], &["sign", "oci:app:v1", "--key", "env:KEY"]), Some(code));
            assert_eq!(place.run(&[("KEY", &variable)], &["key", "show", "env:KEY"]), Some(code));
        }
        // A damaged key file: the message names the fault and does not repeat the file.
        for (at, flaw) in [(60, "~"), (90, "\n-----"), (40, "\u{7f}")] {
            let mut damaged = plain.clone();
            damaged.replace_range(at..=at, flaw);
            fs::write(place.folder.path().join("damaged.pem"), damaged).unwrap();
            place.run(&[], &["key", "show", "damaged.pem"]);
            place.run(&[], &["sign", "oci:app:v1", "--key", "damaged.pem"]);
            place.run(&[], &["key", "list"]);
        }
        fs::remove_file(place.folder.path().join("damaged.pem")).unwrap();
    }
    for log in LOGS {
        place.log = log;
        place.run(WITH, &["key", "new", "-o", "fresh"]);
        place.run(WITH, &["key", "new", "-o", "fresh"]);
        place.run(&[], &["key", "new", "-o", "file", "--passphrase-file", "passphrase.txt"]);
        place.run(&[], &["key", "show", "p256.key", "--passphrase-file", "wrong-passphrase.txt"]);
        place.run(WITH, &["demo", "--keep", "demo"]);
    }
    place.look_through(&place.folder.path().join("app"));
    place.look_through(&place.folder.path().join("demo"));
}

/// A secret in the wrong place: what was typed is not repeated.
#[test]
fn a_secret_in_a_wrong_argument_is_not_printed() {
    let mut place = TestDirectory::new();
    for uri in [format!("pkcs11:object=key?pin-value={PIN}"), format!("pkcs11:object=key;pin-value={PIN}?x={PIN}")] {
        for log in LOGS {
            place.log = log;
            for args in [
                &["sign", "oci:app:v1", "--key", &uri][..],
                &["key", "show", &uri],
                &["key", "list", &uri],
                &["key", "new", "--pkcs11", &uri],
            ] {
                assert_eq!(place.run(&[], args), Some(2));
            }
        }
    }
}

#[cfg(feature = "pkcs11")]
#[test]
fn no_command_prints_a_pin() {
    use support::softhsm;

    let Some(hsm) = softhsm::SoftHsm::find() else { return };
    let (mut place, canary) = (TestDirectory::new(), softhsm::PIN);
    place.canaries.extend(forms("PIN of the token", canary.as_bytes()));
    image::layout(&hsm.path("app"), &[(Some("v1"), &image::image(1))]);
    fs::write(hsm.path("pin"), canary).unwrap();
    let source = format!("pkcs11:object=key?pin-source=file:{}", hsm.path("pin").display());
    let wrong = [("BULLA_PIN", PIN)];
    let right = [("BULLA_PIN", canary)];
    let runs: [(&[(&str, &str)], &[&str], i32); 9] = [
        (&right, &["key", "new", "--pkcs11", "pkcs11:object=key"], 0),
        (&right, &["sign", "oci:app:v1", "--key", "pkcs11:object=key"], 0),
        (&right, &["sign", "oci:app:v1", "--key", "pkcs11:object=other"], 2),
        (&wrong, &["sign", "oci:app:v1", "--key", "pkcs11:object=key"], 2),
        (&wrong, &["key", "list", "pkcs11:"], 2),
        (&right, &["key", "list", "pkcs11:", "--output", "json"], 0),
        (&[], &["sign", "oci:app:v1", "--key", &source, "--output", "json"], 0),
        (&[], &["key", "list", &source], 0),
        (&[], &["sign", "oci:app:v1", "--key", &source.replace("/pin", "/none")], 2),
    ];
    for ((variables, args, code), log) in runs.into_iter().zip(LOGS.into_iter().cycle()) {
        let args = &[args, log].concat();
        let run = hsm.bulla_with(variables, args);
        assert_eq!(run.code, Some(code), "{args:?}\n{}", run.stderr);
        place.look(&format!("{args:?}"), run.stdout.as_bytes());
        place.look(&format!("{args:?}"), run.stderr.as_bytes());
    }
}

/// While it waits for the passphrase: `/proc` says that nothing of it will be dumped, and nothing is when it breaks off.
#[cfg(target_os = "linux")]
#[test]
fn a_signing_process_leaves_no_core_dump() {
    let place = TestDirectory::new();
    let status = Command::new("mkfifo").arg(place.folder.path().join("waiting")).status().unwrap();
    assert!(status.success());
    let args = ["sign", "oci:app:v1", "--key", "p256.key", "--passphrase-file", "waiting"];

    let mut child = waiting(&place, &args);
    let mut pipe = fs::OpenOptions::new().write(true).open(place.folder.path().join("waiting")).unwrap();
    pipe.write_all(PASSPHRASE.as_bytes()).unwrap();
    drop(pipe);
    assert!(child.wait().unwrap().success(), "the passphrase came, and it did not sign");

    let mut child = waiting(&place, &args);
    let ended = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    let status = child.wait().unwrap();
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
}

/// Starts a command where core dumps are allowed, and waits until it has switched them off.
fn waiting(place: &TestDirectory, args: &[&str]) -> Child {
    let mut command = place.command(&[]);
    let shell = "ulimit -S -c $(ulimit -H -c); exec \"$0\" \"$@\"";
    let program = command.get_program().to_owned();
    let mut shelled = Command::new("/bin/sh");
    shelled.current_dir(place.folder.path()).stdin(Stdio::null()).args(["-c", shell]).arg(program).args(args);
    command = shelled;
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    for _ in 0..1_000 {
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let name = fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap();
        if name.trim() == "bulla" && core.split_whitespace().skip(4).take(2).eq(["0", "0"]) {
            return child;
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("core dumps were not switched off");
}
