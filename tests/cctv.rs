//! The rule by which Ed25519 signatures are accepted, pinned with the CCTV vectors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    reason = "tests stop where they fail"
)]

#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use bulla::key::PublicKey;
use bulla::key::Scheme;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    number: u32,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The combinations of flags that are accepted, with how many cases of the open half have them; every other one is
/// refused. This is `verify_strict`: no point of small order and no second encoding of a point, and the equation
/// without the cofactor, under which parts of small order must cancel out.
const ACCEPTED: [(&[&str], usize); 3] =
    [(&[], 1), (&["low_order_component_A"], 6), (&["low_order_component_A", "low_order_component_R"], 18)];

/// The harness keeps what a test prints to itself, and nobody would know that the suite was not there.
#[test]
fn a_missing_test_suite_is_reported() {
    let nowhere = tempfile::tempdir().unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "ed25519_is_strict"]).env("BULLA_VECTORS", nowhere.path());
    let printed = again.env_remove("BULLA_VECTORS_REQUIRED").output().unwrap();
    let line = format!("vectors not found in {}: the suite cctv-ed25519 was not run\n", nowhere.path().display());
    assert_eq!(String::from_utf8(printed.stderr).unwrap(), line);
    assert!(printed.status.success());
    assert!(!again.env("BULLA_VECTORS_REQUIRED", "1").output().unwrap().status.success());
}

#[test]
fn ed25519_is_strict() {
    let Some(suite) = vectors::suite("cctv-ed25519") else { return };
    let text = fs::read(suite.join("open/ed25519vectors.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&text).unwrap();
    assert_eq!(cases.len(), 516);
    let mut accepted: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for case in &cases {
        let mut flags: Vec<&str> = case.flags.iter().flatten().map(String::as_str).collect();
        flags.sort_unstable();
        let spki = [&unhex("302a300506032b6570032100")[..], &unhex(&case.key)].concat();
        let harmless = |flag: &&str| ["low_order_component_A", "low_order_component_R"].contains(flag);
        let expected = flags.iter().all(harmless);
        // A key that is refused already when it is read verifies nothing.
        let key = PublicKey::from_spki(&spki);
        let weak = flags.iter().any(|flag| ["low_order_A", "non_canonical_A"].contains(flag));
        assert_eq!(key.is_err(), weak, "case {} {flags:?}", case.number);
        let verified = key.is_ok_and(|key| {
            key.verify(case.msg.as_bytes(), &unhex(&case.sig)).is_ok_and(|scheme| scheme == Scheme::Ed25519)
        });
        assert_eq!(verified, expected, "case {} {flags:?}", case.number);
        if verified {
            *accepted.entry(flags).or_default() += 1;
        }
    }
    let pinned: BTreeMap<Vec<&str>, usize> = ACCEPTED.iter().map(|(flags, count)| (flags.to_vec(), *count)).collect();
    assert_eq!(accepted, pinned);
    println!("cctv-ed25519: 516 cases run, 25 accepted, 491 refused");
}
