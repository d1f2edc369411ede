//! Timestamps (RFC 3161): tokens and responses of other projects, of `openssl ts`, and made byte by byte, each with one fault.
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
#[path = "support/vectors.rs"]
mod vectors;

#[path = "timestamp/draft.rs"]
mod draft;
#[path = "timestamp/openssl.rs"]
mod openssl;
#[path = "timestamp/rules.rs"]
mod rules;
#[path = "timestamp/suites.rs"]
mod suites;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::SignedBefore;
use bulla::x509::TimestampError;
use bulla::x509::TimestampToken;

/// `accepted`, or the code of the rule, with `?` before it where the answer is could-not-tell.
fn verdict<T>(answer: &Result<T, TimestampError>) -> String {
    match answer {
        Ok(_) => "accepted".to_owned(),
        Err(error) => format!("{}{}", if error.is_undetermined() { "?" } else { "" }, error.code()),
    }
}

/// Parses and verifies a token, by the profile `notary`. Without a message it is verified for its own imprint.
fn verify(
    token: &[u8],
    message: Option<&[u8]>,
    anchors: &[Certificate],
    extra: &[Certificate],
) -> Result<SignedBefore, TimestampError> {
    verify_by(&Profile::NOTARY, token, message, anchors, extra)
}

fn verify_by(
    profile: &Profile,
    token: &[u8],
    message: Option<&[u8]>,
    anchors: &[Certificate],
    extra: &[Certificate],
) -> Result<SignedBefore, TimestampError> {
    let token = TimestampToken::parse(token, &Limits::DEFAULT)?;
    let anchors: Vec<_> = anchors.iter().map(tsa_anchor).collect();
    match message {
        Some(message) => token.verify(message, &anchors, extra, profile, &Limits::DEFAULT),
        None => token.verify_imprint(token.imprint(), &anchors, extra, profile, &Limits::DEFAULT),
    }
}

fn tsa_anchor(certificate: &Certificate) -> Anchor {
    Anchor { certificate: certificate.clone(), purpose: Purpose::TimeStamping }
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

/// The DER of each certificate in a text.
fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let body = |block: &str| block.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
}
