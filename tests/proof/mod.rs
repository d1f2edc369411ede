//! Helpers of the verifier's tests: signed images in every format and location, and sources that misbehave.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::allow_attributes,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "shared by several tests, none of which uses all of it; tests stop where they fail"
)]

pub mod forms;
pub mod goldens;
pub mod scripted;
#[path = "../support/vectors.rs"]
pub mod vectors;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bulla::digest::Digest;
use bulla::key::KeyId;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::PublicKey;
use bulla::key::Scheme;
use bulla::key::Signer;
use bulla::limits::Limits;
use bulla::ops::OpsError;
use bulla::ops::discover::DiscoverUntil;
use bulla::ops::layers::Depth;
use bulla::ops::verify;
use bulla::ops::verify::NotVerified;
use bulla::ops::verify::Outcome;
use bulla::ops::verify::Verdict;
use bulla::ops::verify::VerifiedImage;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Condition;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Source;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::VerifiedSubject;
use bulla::verify::Verifier;

/// Runs what never waits for anything but itself: local stores.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("a local store waited")
}

/// The time of all verifications in tests: no verdict depends on time yet.
pub const NOW: Time = Time::EPOCH;

/// The trust root and policy of a test.
pub fn options<'a>(verifier: &'a Verifier, until: DiscoverUntil, limits: &'a Limits) -> VerifyOptions<'a> {
    VerifyOptions { verifier, until, now: NOW, depth: Depth::Manifests, revocation: None, limits, files: &[] }
}

/// The verdicts on an image, verified or not.
pub fn outcome(result: Result<VerifiedImage, NotVerified>) -> Result<Outcome, OpsError> {
    match result {
        Ok(image) => Ok(image.into_outcome()),
        Err(not_verified) => not_verified.into_outcome(),
    }
}

/// Keys that exist for one run only; every test binary has its own.
pub static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let kinds = [KeyKind::P256, KeyKind::Ed25519, KeyKind::P256, KeyKind::P384, KeyKind::P256];
    kinds.map(|kind| PrivateKey::generate(kind).expect("a key")).into_iter().collect()
});

/// The key that is trusted, unless a test says otherwise.
pub fn key() -> &'static PrivateKey {
    &KEYS[0]
}

/// A key that nobody trusts, unless a test says otherwise.
pub fn untrusted_key() -> &'static PrivateKey {
    KEYS.last().expect("a key")
}

pub fn public(key: &PrivateKey) -> PublicKey {
    key.public_key().clone()
}

pub fn attestation(predicate_type: &str) -> StatementKind {
    StatementKind::Attestation { predicate_type: predicate_type.to_owned() }
}

/// The requirements of a test.
#[derive(Clone)]
pub struct Ask {
    pub keys: Vec<PublicKey>,
    pub kind: StatementKind,
    pub limits: Limits,
    pub conditions: Vec<Condition>,
    pub threshold: u32,
}

impl Ask {
    /// An image signature by [`key`].
    pub fn new() -> Self {
        Self::by([public(key())])
    }

    pub fn by(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let keys = keys.into_iter().collect();
        Self {
            keys,
            kind: StatementKind::ImageSignature,
            limits: Limits::DEFAULT,
            conditions: Vec::new(),
            threshold: 1,
        }
    }

    pub fn kind(self, kind: StatementKind) -> Self {
        Self { kind, ..self }
    }

    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub fn threshold(self, threshold: u32) -> Self {
        Self { threshold, ..self }
    }

    pub fn condition(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    pub fn annotation(self, key: &str, value: &str) -> Self {
        self.condition(Condition::Annotation { key: key.to_owned(), value: value.to_owned() })
    }

    pub fn verifier(&self) -> Verifier {
        let trust = TrustRoot::pinned(self.keys.clone()).expect("keys");
        let threshold = Threshold::new(self.threshold).expect("a threshold");
        let quorum = Quorum::of_all(&trust, threshold).expect("a quorum");
        let requirement = Requirement::new("signed", self.kind.clone(), quorum);
        let requirement = self.conditions.iter().cloned().fold(requirement, Requirement::and);
        Verifier::new(trust, Policy::one(requirement), self.limits.clone()).expect("a verifier")
    }

    /// The verdict on `subject` by what `source` has.
    pub fn of(&self, source: &dyn Source, subject: Digest) -> Verdict {
        now(verify::evaluate_subject(
            source,
            subject,
            options(&self.verifier(), DiscoverUntil::PolicyMet, &self.limits),
        ))
    }

    /// The same, with all evidence evaluated.
    pub fn of_everything(&self, source: &dyn Source, subject: Digest) -> Verdict {
        now(verify::evaluate_subject(source, subject, options(&self.verifier(), DiscoverUntil::AllFound, &self.limits)))
    }
}

/// The reported fields of one accepted statement.
pub type CountedAs = (KeyId, StatementKind, Scheme, BTreeMap<String, String>, Option<String>);

/// The reported fields of an accepted image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    pub digest: Digest,
    pub counted: BTreeSet<CountedAs>,
}

impl Reported {
    pub fn of(verified: &VerifiedSubject) -> Self {
        let counted = verified.accepted().iter().map(|counted| {
            (
                counted.signer.key(),
                counted.kind.clone(),
                counted.signer.scheme(),
                counted.annotations.clone(),
                counted.reference.clone(),
            )
        });
        Self { digest: *verified.digest(), counted: counted.collect() }
    }

    pub fn keys(&self) -> BTreeSet<KeyId> {
        self.counted.iter().map(|counted| counted.0).collect()
    }
}

/// The reported fields of a yes.
pub fn yes(verdict: &Verdict) -> Option<Reported> {
    match verdict {
        Verdict::Accepted(verified) => Some(Reported::of(verified)),
        Verdict::Incomplete { .. } | Verdict::NotRequired | Verdict::Refused(_) | Verdict::Unknown { .. } => None,
    }
}

/// `accepted`, `refused` or `unknown`.
pub fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Incomplete { .. } => "incomplete",
        Verdict::NotRequired => "not required",
        Verdict::Refused(_) => "refused",
        Verdict::Unknown { .. } => "unknown",
    }
}

/// The codes of all findings of a verdict, and of what could not be read.
pub fn codes(verdict: &Verdict) -> BTreeSet<&'static str> {
    let (findings, unread) = match verdict {
        Verdict::Accepted(verified) => (verified.findings(), &[][..]),
        Verdict::Incomplete { findings, .. } => (findings.as_slice(), &[][..]),
        Verdict::NotRequired => (&[][..], &[][..]),
        Verdict::Refused(refusal) => (refusal.findings.as_slice(), &[][..]),
        Verdict::Unknown { refusal, unread } => (refusal.findings.as_slice(), unread.as_slice()),
    };
    let findings = findings.iter().map(|finding| finding.reason.code());
    findings.chain(unread.iter().map(bulla::store::StoreError::code)).collect()
}
