//! Trust by certificates: chains that openssl makes, envelopes that we sign with their keys, layouts that notation wrote.
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
#[path = "support/schema.rs"]
#[allow(dead_code, reason = "the test of the schemas uses the rest")]
mod schema;
#[path = "support/vectors.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod vectors;

#[path = "revocation/author.rs"]
#[allow(dead_code, reason = "the tests of revocation use the rest")]
mod author;
#[path = "certificates/bounds.rs"]
mod bounds;
#[path = "timestamp/draft.rs"]
#[allow(dead_code, reason = "the tests of timestamps use the rest")]
mod draft;
#[path = "certificates/envelope_reader.rs"]
mod envelope_reader;
#[path = "certificates/faults.rs"]
mod faults;
#[path = "certificates/inspect.rs"]
mod inspect;
#[path = "certificates/layouts.rs"]
mod layouts;
#[path = "certificates/owners.rs"]
mod owners;
#[path = "certificates/policy.rs"]
mod policy;
#[path = "certificates/program.rs"]
mod program;
#[path = "certificates/revocation.rs"]
mod revocation;
#[path = "certificates/rules.rs"]
mod rules;
#[path = "certificates/scene.rs"]
mod scene;
#[path = "certificates/signing.rs"]
mod signing;
#[cfg(feature = "registry")]
#[path = "certificates/timestamp_online.rs"]
mod timestamp_online;
#[path = "certificates/timestamp_program.rs"]
mod timestamp_program;
#[path = "certificates/timestamps.rs"]
mod timestamps;
#[path = "certificates/unenforced.rs"]
mod unenforced;

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
