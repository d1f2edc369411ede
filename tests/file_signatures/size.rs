//! Memory does not depend on the size of a file: the real program, in an address space that is smaller than the file.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::process::Output;

/// The address space of the program, in KiB, and the size of the file, in bytes.
const SPACE: u64 = 400 << 10;
const SIZE: u64 = 640 << 20;

/// Runs bulla in `directory`, in [`SPACE`].
fn bulla(directory: &Path, arguments: &str) -> Output {
    let line = format!("ulimit -v {SPACE} && exec {} {arguments}", env!("CARGO_BIN_EXE_bulla"));
    let mut program = Command::new("/bin/sh");
    // With one arena the address space is what is in use.
    program.current_dir(directory).env("MALLOC_ARENA_MAX", "1").args(["-c", &line]).output().unwrap()
}

#[test]
fn a_file_that_is_larger_than_memory_is_signed_and_verified() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    File::create(at("large")).unwrap().set_len(SIZE).unwrap();
    let run = |arguments: &str| {
        let output = bulla(directory.path(), arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for kind in ["p256", "ed25519"] {
        assert_eq!(run(&format!("key new --type {kind} -o {kind} --no-passphrase")).0, Some(0));
    }
    let signed = run("sign-blob large --key p256.key");
    assert_eq!(signed.0, Some(0), "{}", signed.1);
    let verified = run("verify-blob large --key p256.pub");
    assert_eq!(verified.0, Some(0), "{}", verified.1);
    // Ed25519 signs the file itself, which is not kept beyond the limit.
    let signed = run("sign-blob large --key ed25519.key --bundle other.json");
    assert_eq!(signed.0, Some(2), "{}", signed.1);
    assert!(signed.1.contains("the file is larger than the limit"), "{}", signed.1);
    assert!(!at("other.json").exists());
}
