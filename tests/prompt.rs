//! What is typed at a terminal: `script` makes one.
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
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use bulla::key::Passphrase;
use bulla::key::PrivateKey;

/// How `bulla key new -o k` ends where this is typed, and everything that was on the screen.
fn key_new(dir: &Path, typed: &str) -> (Option<i32>, String) {
    let command = format!("{} key new -o k", env!("CARGO_BIN_EXE_bulla"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(dir);
    script.env_remove("BULLA_PASSWORD").env_remove("COSIGN_PASSWORD").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = script.spawn().unwrap();
    script.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn opens(key: &[u8], passphrase: &str) -> bool {
    PrivateKey::parse(key, || Ok(Passphrase::new(passphrase.as_bytes()))).is_ok()
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    if support::program("script").is_none() {
        return support::missing::not_run("there is no `script` to make a terminal");
    }
    let place = support::temp_dir();
    let files = || fs::read_dir(place.path()).unwrap().count();
    for (first, second) in [("open sesame", "open sesamf"), ("open sesame", ""), ("", "open sesame")] {
        let (code, screen) = key_new(place.path(), &format!("{first}\n{second}\n"));
        assert_eq!(code, Some(2), "{screen}");
        assert!(screen.contains("the two passphrases differ; nothing was written"), "{screen}");
        assert_eq!(screen.matches("new passphrase for").count(), 1, "{screen}");
        assert_eq!(screen.matches("once more").count(), 1, "{screen}");
        assert_eq!(files(), 0, "something was written");
    }
    let (code, screen) = key_new(place.path(), "open sesame\nopen sesame\n");
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(files(), 2);
    let key = fs::read(place.path().join("k.key")).unwrap();
    assert!(opens(&key, "open sesame") && !opens(&key, "open sesamf") && !opens(&key, ""));
}
