//! What is not in a build cannot open a socket: the library alone and the signer contain no HTTP, TLS or async crate.
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

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that talk to a network or wait for one; with `*`, all whose names start so.
const ABSENT: &[&str] = &[
    "async-*",
    "aws-lc-fips-sys",
    "futures*",
    "h2",
    "h3",
    "http",
    "http-*",
    "hyper*",
    "mio",
    "native-tls",
    "openssl*",
    "quinn*",
    "reqwest*",
    "rustls*",
    "socket2",
    "tokio*",
    "tower*",
    "ureq",
    "url",
    "webpki*",
];

#[test]
fn the_library_alone_has_no_network_crate() {
    assert_eq!(present(&crates(&["--no-default-features"])), Vec::<String>::new());
}

#[test]
fn the_signer_has_no_network_crate() {
    for features in ["cli", "cli,pkcs11"] {
        assert_eq!(present(&crates(&["--no-default-features", "--features", features])), Vec::<String>::new());
    }
}

#[test]
fn the_signer_with_tokens_has_them() {
    let with = crates(&["--no-default-features", "--features", "cli,pkcs11"]);
    let without = crates(&["--no-default-features", "--features", "cli"]);
    let added: Vec<_> = with.difference(&without).map(String::as_str).collect();
    assert!(added.contains(&"cryptoki") && added.contains(&"libloading"), "{added:?}");
    assert!(added.len() < 10, "{added:?}");
}

#[test]
fn the_default_build_would_be_noticed() {
    let found = present(&crates(&[]));
    for name in ["hyper", "reqwest", "rustls", "socket2", "tokio"] {
        assert!(found.iter().any(|found| found == name), "{name} is not found in the default build: {found:?}");
    }
}

fn present(crates: &BTreeSet<String>) -> Vec<String> {
    let listed = |name: &str| {
        ABSENT.iter().any(|absent| match absent.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == *absent,
        })
    };
    crates.iter().filter(|name| listed(name)).cloned().collect()
}

fn crates(features: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(features)
        .output()
        .unwrap();
    assert!(out.status.success(), "cargo tree: {}", String::from_utf8_lossy(&out.stderr));
    let names: BTreeSet<String> = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert!(names.contains("bulla") && names.contains("sha2"), "cargo tree was not read: {names:?}");
    names
}
