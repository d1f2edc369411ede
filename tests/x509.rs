//! Certificates, names and chains: x509-limbo, PKITS, real envelopes of notation, chains that openssl makes, damaged ones.
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

#[path = "support/missing.rs"]
mod missing;
#[path = "support/vectors.rs"]
mod vectors;

#[path = "x509/agreement.rs"]
mod agreement;
#[path = "x509/classes.rs"]
mod classes;
#[path = "x509/crafted.rs"]
mod crafted;
#[path = "x509/encoding.rs"]
mod encoding;
#[path = "x509/limbo.rs"]
mod limbo;
#[path = "x509/lint.rs"]
mod lint;
#[path = "x509/made.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod made;
#[path = "x509/names.rs"]
mod names;
#[path = "x509/notary.rs"]
mod notary;
#[path = "x509/pkits.rs"]
mod pkits;
#[path = "x509/requests.rs"]
mod requests;
#[path = "x509/tamper.rs"]
mod tamper;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::ChainError;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::VerifiedChain;

/// What a chain is verified by.
struct Verification<'a> {
    anchors: &'a [Certificate],
    at: Time,
    extra: &'a [Certificate],
    limits: Limits,
    profile: Profile,
    purpose: Purpose,
}

impl Verification<'_> {
    fn run(&self, chain: &[Certificate]) -> Result<VerifiedChain, ChainError> {
        let certificates = NonEmpty::collect(chain.iter().cloned()).unwrap();
        let presented = PresentedChain { certificates: &certificates, extra: self.extra };
        let anchor = |certificate: &Certificate| Anchor { certificate: certificate.clone(), purpose: self.purpose };
        let anchors: Vec<_> = self.anchors.iter().map(anchor).collect();
        VerifiedChain::verify(presented, &anchors, self.purpose, &self.profile, self.at, &self.limits)
    }
}

/// `accepted`, or the code of the rule, with `?` before it where the answer is could-not-tell.
fn verdict<T>(answer: &Result<T, ChainError>) -> String {
    match answer {
        Ok(_) => "accepted".to_owned(),
        Err(error) => format!("{}{}", if error.is_undetermined() { "?" } else { "" }, error.rule()),
    }
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// The time `seconds` after another one.
fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix(time.unix() + seconds).unwrap()
}

/// The DER of each certificate in a text.
fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let body = |block: &str| block.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
}
