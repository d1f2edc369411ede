//! Envelopes of the Notary Project: real ones of notation, foreign JWS and COSE vectors, each rule broken once, damaged
//! ones, and ours written and read again.
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

#[path = "support/vectors.rs"]
mod vectors;

#[path = "notary_envelope/cbor.rs"]
mod cbor;
#[path = "notary_envelope/confusion.rs"]
mod confusion;
#[path = "notary_envelope/foreign.rs"]
mod foreign;
#[path = "notary_envelope/goldens.rs"]
mod goldens;
#[path = "notary_envelope/made.rs"]
mod made;
#[path = "notary_envelope/rules.rs"]
mod rules;
#[path = "notary_envelope/strictness.rs"]
mod strictness;
#[path = "notary_envelope/tamper.rs"]
mod tamper;
#[path = "notary_envelope/writing.rs"]
mod writing;

use bulla::envelope::NotaryEnvelope;
use bulla::envelope::NotaryError;
use bulla::envelope::NotaryFormat;
use bulla::envelope::Strictness;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::x509::Certificate;

const BOTH: [NotaryFormat; 2] = [NotaryFormat::Cose, NotaryFormat::Jws];

fn read(format: NotaryFormat, bytes: &[u8]) -> Result<NotaryEnvelope, NotaryError> {
    NotaryEnvelope::parse(format, bytes, &Limits::DEFAULT, Strictness::Strict)
}

fn read_as_notation(format: NotaryFormat, bytes: &[u8]) -> Result<NotaryEnvelope, NotaryError> {
    NotaryEnvelope::parse(format, bytes, &Limits::DEFAULT, Strictness::AsNotation)
}

/// `accepted`, or the code of the rule, with `?` before it where the answer is could-not-tell.
fn verdict<T>(answer: &Result<T, NotaryError>) -> String {
    match answer {
        Ok(_) => "accepted".to_owned(),
        Err(error) => said(error),
    }
}

fn said(error: &NotaryError) -> String {
    let mark = if error.is_undetermined() { "?" } else { "" };
    let what = match error {
        NotaryError::Json { .. } => "json".to_owned(),
        NotaryError::Limit { .. } => "limit".to_owned(),
        other => other.rule().unwrap().to_string(),
    };
    format!("{mark}{what}")
}

/// The key of the first certificate in an envelope.
fn leaf(envelope: &NotaryEnvelope) -> PublicKey {
    let certificate = Certificate::parse(&envelope.certificate_chain()[0], &Limits::DEFAULT).unwrap();
    certificate.public_key().unwrap()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}
