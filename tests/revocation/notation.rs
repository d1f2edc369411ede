//! The CRLs of notation's end-to-end tests.

use std::fs;

use bulla::limits::Limits;

use super::STRICT;
use super::certificate;
use super::pem;
use super::pool;
use super::time;
use super::vectors;
use super::verdict;
use super::verified;

#[test]
fn the_cases_of_notation_are_decided_as_named() {
    let Some(suite) = vectors::suite("notation-revocation") else { return };
    let text = fs::read_to_string(suite.join("shared/certchain_with_crl.pem")).unwrap();
    let chain: Vec<_> = pem(&text).iter().map(|der| certificate(der)).collect();
    let now = time("2026-01-01T00:00:00Z");
    let statuses = |names: &[&str]| -> Vec<String> {
        let read = |name: &&str| fs::read(suite.join("open").join(format!("crl-{name}/{name}.crl"))).unwrap();
        let crls: Vec<_> = names.iter().map(read).collect();
        let chain = verified(&chain, &chain[2], now);
        pool(&crls).statuses(&chain, &STRICT, now, &Limits::DEFAULT).iter().map(verdict).collect()
    };
    let none = "?status-no-evidence";
    assert_eq!(statuses(&["intermediate"]), [none, "good"]);
    assert_eq!(statuses(&["intermediate_revoked"]), [none, "revoked"]);
    assert_eq!(statuses(&["leaf_revoked"]), ["revoked", none]);
    assert_eq!(statuses(&["leaf_revoked", "intermediate"]), ["revoked", "good"]);
    // The list with the revocation is not the newest: a revocation wins.
    assert_eq!(statuses(&["intermediate_revoked", "intermediate"]), [none, "revoked"]);
}
