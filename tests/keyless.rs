//! Keyless signatures of Sigstore: bundles of other projects, images in layouts, and each fault made by hand, by reason.
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

#[path = "revocation/author.rs"]
#[allow(dead_code, reason = "the tests of revocation use the rest")]
mod author;
#[path = "timestamp/draft.rs"]
#[allow(dead_code, reason = "the tests of timestamps use the rest")]
mod draft;
#[path = "x509/made.rs"]
#[allow(dead_code, reason = "the tests of chains use the rest")]
mod made;
#[path = "support/missing.rs"]
mod missing;
#[path = "support/vectors.rs"]
mod vectors;

#[path = "keyless/bundles.rs"]
mod bundles;
#[path = "keyless/case.rs"]
mod case;
#[path = "keyless/clearing.rs"]
mod clearing;
#[path = "keyless/codes.rs"]
mod codes;
#[path = "keyless/cosign.rs"]
mod cosign;
#[path = "keyless/cosign_log.rs"]
mod cosign_log;
#[path = "keyless/files.rs"]
mod files;
#[path = "keyless/images.rs"]
mod images;
#[path = "keyless/keys.rs"]
mod keys;
#[path = "keyless/mutations.rs"]
mod mutations;
#[path = "keyless/own.rs"]
mod own;
#[path = "keyless/owners.rs"]
mod owners;
#[path = "keyless/parts.rs"]
mod parts;
#[path = "keyless/paths.rs"]
mod paths;
#[path = "keyless/revocation.rs"]
mod revocation;
#[path = "certificates/scene.rs"]
#[allow(dead_code, reason = "the tests of certificates use the rest")]
mod scene;
#[path = "keyless/siblings.rs"]
mod siblings;
#[path = "keyless/stamps.rs"]
mod stamps;
#[path = "keyless/times.rs"]
mod times;
#[path = "keyless/versions.rs"]
mod versions;

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
