//! Revocation status: CRLs and OCSP responses that are made here or by openssl, vectors of notation, PKITS and x509-limbo,
//! damaged evidence, and what a timestamp rescues.
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
    dead_code,
    reason = "tests stop where they fail; helpers are shared with tests/x509.rs"
)]

#[path = "x509/made.rs"]
mod made;
#[path = "support/missing.rs"]
mod missing;
#[path = "support/vectors.rs"]
mod vectors;

#[path = "revocation/author.rs"]
mod author;
#[path = "revocation/bundle.rs"]
mod bundle;
#[path = "revocation/crl.rs"]
mod crl;
#[path = "revocation/limbo.rs"]
mod limbo;
#[path = "revocation/memory.rs"]
mod memory;
#[path = "revocation/notation.rs"]
mod notation;
#[path = "revocation/ocsp.rs"]
mod ocsp;
#[path = "revocation/openssl.rs"]
mod openssl;
#[path = "revocation/pkits.rs"]
mod pkits;
#[path = "revocation/pool.rs"]
mod pool;
#[path = "revocation/portable.rs"]
mod portable;
#[path = "revocation/rescue.rs"]
mod rescue;
#[path = "revocation/tamper.rs"]
mod tamper;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::x509::Anchor;
use bulla::x509::Certificate;
use bulla::x509::CertificateRevocationList;
use bulla::x509::CertificateStatus;
use bulla::x509::ExpiredCertificates;
use bulla::x509::FreshnessRule;
use bulla::x509::OcspResponse;
use bulla::x509::PresentedChain;
use bulla::x509::Profile;
use bulla::x509::Purpose;
use bulla::x509::Status;
use bulla::x509::StatusEvidence;
use bulla::x509::VerifiedChain;
use made::CA;
use made::LEAF;
use made::Made;
use made::Workshop;
use made::plan;

/// Evidence is fresh until its `nextUpdate`.
pub const STRICT: FreshnessRule = FreshnessRule {
    expired_certificates: ExpiredCertificates::MayBeDropped,
    grace_after_next_update: Duration::ZERO,
    maximum_age: None,
};

/// A root, a certificate authority below it, and a signer with the serial number 4712.
pub struct Family {
    pub leaf: Made,
    pub middle: Made,
    pub root: Made,
    pub shop: Workshop,
}

impl Family {
    pub fn new() -> Option<Self> {
        Self::with(CA, LEAF)
    }

    /// With these extensions of the certificate authority and of the signer.
    pub fn with(middle: &str, leaf: &str) -> Option<Self> {
        let shop = Workshop::new()?;
        let root = shop.root(plan("/O=Root", CA));
        let middle = shop.issue(&root, plan("/O=Middle", middle));
        let leaf = shop.issue(&middle, made::Plan { serial: "4712", ..plan("/CN=leaf", leaf) });
        Some(Self { leaf, middle, root, shop })
    }

    pub fn chain(&self) -> VerifiedChain {
        let chain = [&self.leaf, &self.middle, &self.root].map(|one| one.certificate.clone());
        verified(&chain, &self.root.certificate, self.now())
    }

    /// An hour after the certificates were made.
    pub fn now(&self) -> Time {
        later(self.leaf.certificate.not_before(), 3_600)
    }

    /// The status of the signer by this evidence.
    pub fn status(&self, evidence: &[Vec<u8>], rule: &FreshnessRule, now: Time) -> CertificateStatus {
        pool(evidence).statuses(&self.chain(), rule, now, &Limits::DEFAULT).remove(0)
    }

    /// The verdict on the signer by this evidence.
    pub fn verdict(&self, evidence: &[Vec<u8>]) -> String {
        verdict(&self.status(evidence, &STRICT, self.now()))
    }
}

pub fn verified(chain: &[Certificate], root: &Certificate, at: Time) -> VerifiedChain {
    let certificates = NonEmpty::collect(chain.iter().cloned()).unwrap();
    let presented = PresentedChain { certificates: &certificates, extra: &[] };
    let anchors = [Anchor { certificate: root.clone(), purpose: Purpose::Signing }];
    let profile = &Profile::RFC5280_STRICT;
    VerifiedChain::verify(presented, &anchors, Purpose::Signing, profile, at, &Limits::DEFAULT).unwrap()
}

/// A pool of CRLs and OCSP responses in DER.
pub fn pool(evidence: &[Vec<u8>]) -> StatusEvidence {
    let limits = &Limits::DEFAULT;
    let mut pool = StatusEvidence::new();
    for der in evidence {
        match OcspResponse::parse(der, limits) {
            Ok(response) => pool.add_ocsp_response(response, limits).unwrap(),
            Err(_) => {
                pool.add_crl(CertificateRevocationList::parse(der.clone(), limits).unwrap(), limits).unwrap();
            }
        }
    }
    pool
}

/// `good`, `revoked`, or the codes of all problems after a question mark.
pub fn verdict(status: &CertificateStatus) -> String {
    match &status.status {
        Status::Good { .. } => "good".to_owned(),
        Status::Revoked(_) => "revoked".to_owned(),
        Status::Unknown(problems) => {
            let mut codes: Vec<_> = problems.iter().map(|problem| problem.rule.code()).collect();
            codes.sort_unstable();
            codes.dedup();
            format!("?{}", codes.join(","))
        }
    }
}

pub fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

pub fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// The time `seconds` after another one.
pub fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix(time.unix() + seconds).unwrap()
}

/// The DER of each block in a text.
pub fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN ").skip(1);
    let body = |block: &str| {
        let body = block.split_once("-----").unwrap().1.split("-----END").next().unwrap();
        body.split_whitespace().collect::<String>()
    };
    blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
}
