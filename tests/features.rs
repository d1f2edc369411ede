//! The library alone and the signer build contain no HTTP, TLS or async crate, so they cannot open a socket.
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

/// Crates of the default build that open a socket, speak a network protocol over one or wait for one: exact names.
const NETWORK: &[&str] = &[
    "atomic-waker",
    "futures-channel",
    "futures-core",
    "futures-sink",
    "futures-task",
    "futures-util",
    "h2",
    "http",
    "http-body",
    "http-body-util",
    "httparse",
    "hyper",
    "hyper-rustls",
    "hyper-util",
    "mio",
    "reqwest",
    "rustls",
    "rustls-native-certs",
    "rustls-platform-verifier",
    "socket2",
    "sync_wrapper",
    "tokio",
    "tokio-rustls",
    "tokio-util",
    "tower",
    "tower-http",
    "tower-layer",
    "tower-service",
    "url",
    "want",
];

/// Crates for the same work that a dependency could bring instead, none of which is in any build.
const ALTERNATIVES: &[&str] = &[
    "async-executor",
    "async-io",
    "async-net",
    "async-std",
    "attohttpc",
    "aws-lc-fips-sys",
    "compio",
    "curl",
    "curl-sys",
    "futures",
    "futures-executor",
    "h3",
    "hickory-resolver",
    "hyper-tls",
    "isahc",
    "native-tls",
    "openssl",
    "openssl-sys",
    "polling",
    "quinn",
    "quinn-proto",
    "quinn-udp",
    "schannel",
    "security-framework",
    "smol",
    "surf",
    "tokio-native-tls",
    "tonic",
    "ureq",
];

/// Prefixes of the names of such crates. A crate that is in no list yet is taken for one of them by its name alone, unless
/// it is named under [`HARMLESS`] or [`CHAINS`].
const NETWORK_PREFIXES: &[&str] =
    &["async-", "futures", "h3", "http-", "hyper", "openssl", "quinn", "reqwest", "rustls", "tokio", "tower", "webpki"];

/// Crates that the feature `registry` adds and that neither open a socket nor wait for one: data structures, texts,
/// parsers. These may be in the signer.
const HARMLESS: &[&str] = &[
    "equivalent",
    "fnv",
    "form_urlencoded",
    "hashbrown",
    "idna",
    "idna_adapter",
    "indexmap",
    "ipnet",
    "openssl-probe",
    "percent-encoding",
    "ryu",
    "serde_urlencoded",
    "slab",
    "smallvec",
    "try-lock",
    "utf8_iter",
    "utf_types",
];

/// The crates that verify chains of certificates, in every build. They open no socket and wait for none.
const CHAINS: &[&str] = &["rustls-pki-types", "rustls-webpki", "untrusted", "x509-parser"];

const LIBRARY: &[&str] = &["--no-default-features"];
const SIGNER: &[&str] = &["--no-default-features", "--features", "cli"];
const SIGNER_WITH_TOKENS: &[&str] = &["--no-default-features", "--features", "cli,pkcs11"];

#[test]
fn the_library_alone_has_no_network_crate() {
    assert_eq!(network(&crates(LIBRARY)), NONE);
}

#[test]
fn the_signer_has_no_network_crate() {
    for features in [SIGNER, SIGNER_WITH_TOKENS] {
        assert_eq!(network(&crates(features)), NONE);
    }
}

#[test]
fn the_library_alone_verifies_chains_of_certificates() {
    let library = crates(LIBRARY);
    let absent: Vec<_> = CHAINS.iter().filter(|name| !library.contains(**name)).collect();
    assert!(absent.is_empty(), "{absent:?}");
}

#[test]
fn the_signer_with_tokens_has_them() {
    let (with, without) = (crates(SIGNER_WITH_TOKENS), crates(SIGNER));
    let added: Vec<_> = with.difference(&without).map(String::as_str).collect();
    assert!(added.contains(&"cryptoki") && added.contains(&"libloading"), "{added:?}");
    assert!(added.len() < 10, "{added:?}");
}

/// A name that is misspelled, or that belongs to a crate which left, would hide the crate that it is meant for.
#[test]
fn every_network_crate_that_is_named_is_in_the_default_build() {
    let built = crates(&[]);
    let absent: Vec<_> = NETWORK.iter().filter(|name| !built.contains(**name)).collect();
    assert!(absent.is_empty(), "no crate of the default build: {absent:?}");
    let present: Vec<_> = ALTERNATIVES.iter().filter(|name| built.contains(**name)).collect();
    assert!(present.is_empty(), "name these under NETWORK: {present:?}");
}

/// A new crate in the library or the signer build is in no list, so its name has to give it away.
#[test]
fn a_new_network_crate_is_noticed_by_its_prefix() {
    let new = NETWORK_PREFIXES.iter().map(|prefix| format!("{prefix}-new"));
    let new: BTreeSet<String> =
        new.chain(["futures-io", "rustls-pemfile", "tokio-stream"].map(str::to_owned)).collect();
    let known = ["bulla", "openssl-probe", "rustls-pki-types", "rustls-webpki", "sha2"].map(str::to_owned);
    let all = new.iter().cloned().chain(known).collect();
    assert_eq!(network(&all), new.iter().collect::<Vec<_>>());
}

/// A crate that comes with a new release of a dependency belongs to no list yet: somebody has to look at it.
#[test]
fn every_crate_that_the_registry_adds_is_known_as_network_or_harmless() {
    let (built, signer) = (crates(&[]), crates(SIGNER_WITH_TOKENS));
    let unknown = |name: &&String| !NETWORK.contains(&name.as_str()) && !HARMLESS.contains(&name.as_str());
    let unknown: Vec<_> = built.difference(&signer).filter(unknown).collect();
    assert!(unknown.is_empty(), "in neither list: {unknown:?}");
    let gone: Vec<_> = HARMLESS.iter().filter(|name| !built.contains(**name)).collect();
    assert!(gone.is_empty(), "no crate of the default build: {gone:?}");
}

#[test]
fn no_name_is_listed_twice() {
    let all = [NETWORK, ALTERNATIVES, HARMLESS, CHAINS].concat();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// Other implementations and the test registry are members of the workspace, not features of the package.
#[test]
fn no_feature_brings_what_is_for_tests() {
    let all = crates(&["--all-features"]);
    for name in ["bulla-oracles", "proptest", "quirk-registry", "sigstore", "sigstore-verify", "test-plugin"] {
        assert!(!all.contains(name), "{name} is in the published package");
    }
}

const NONE: Vec<&str> = Vec::new();

fn network(crates: &BTreeSet<String>) -> Vec<&str> {
    let has_prefix = |name: &str| NETWORK_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let is_harmless = |name: &&str| HARMLESS.contains(name) || CHAINS.contains(name);
    let is_network =
        |name: &&str| NETWORK.contains(name) || ALTERNATIVES.contains(name) || has_prefix(name) && !is_harmless(name);
    crates.iter().map(String::as_str).filter(is_network).collect()
}

fn crates(features: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "bulla",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
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
