//! Signatures with certificates of an own authority, timestamps and entries of an own log: written, verified, found again,
//! and refused where an answer is wrong.
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

#[path = "timestamp/draft.rs"]
#[allow(dead_code, reason = "the tests of timestamps use the rest")]
mod draft;
#[path = "x509/made.rs"]
#[allow(dead_code, reason = "the tests of chains use the rest")]
mod made;
#[path = "support/missing.rs"]
mod missing;

#[path = "witnesses/certificates.rs"]
mod certificates;
#[path = "witnesses/entries.rs"]
mod entries;
#[cfg(feature = "registry")]
#[path = "witnesses/keyless.rs"]
mod keyless;
#[path = "witnesses/log.rs"]
#[allow(dead_code, reason = "the tests with other programs use the rest")]
mod log;
#[cfg(feature = "registry")]
#[path = "witnesses/program.rs"]
mod program;
#[path = "witnesses/scene.rs"]
mod scene;
#[cfg(feature = "registry")]
#[path = "witnesses/stamped_later.rs"]
mod stamped_later;
#[path = "witnesses/timestamps.rs"]
mod timestamps;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
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
