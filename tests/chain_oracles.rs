//! What other programs say of the same chains: `openssl verify -x509_strict`, rustls-webpki alone, and the verification of
//! the Python package `cryptography`. Every difference stands in a table with its reason, here and in `docs/x509.md`.
//!
//! Python is taken from `BULLA_PYTHON`, else it is `python3`. Without one that has `cryptography` 45 or later this says
//! `not run: …`; with `BULLA_INTEROP=require` that is a failure.
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

#[path = "x509/made.rs"]
#[allow(dead_code, reason = "the tests of chains use the rest")]
mod made;
#[path = "support/missing.rs"]
mod missing;

#[path = "revocation/author.rs"]
#[allow(dead_code, reason = "the tests of revocation use the rest")]
mod author;
#[path = "chain_oracles/cases.rs"]
mod cases;
#[path = "chain_oracles/others.rs"]
mod others;
#[path = "chain_oracles/table.rs"]
mod table;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;

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
