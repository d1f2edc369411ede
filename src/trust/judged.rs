//! `JudgedAt`: the time at which a chain of certificates was judged, and the source of that time.

use std::fmt;

use crate::time::Time;

/// The times that a verification uses. Nothing here reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerificationTime {
    expiry_at: Time,
    now: Time,
}

impl VerificationTime {
    /// Everything is judged as of `now`.
    pub const fn now(now: Time) -> Self {
        Self { expiry_at: now, now }
    }

    /// Expiry is judged as of `expiry_at`, everything else as of now: every revocation that is known counts.
    #[must_use]
    pub const fn with_expiry_at(self, expiry_at: Time) -> Self {
        Self { expiry_at, ..self }
    }

    /// The time at which expiry is judged.
    pub const fn expiry_at(self) -> Time {
        self.expiry_at
    }

    /// The source of the time at which expiry is judged.
    pub(super) fn expiry_source(self) -> TimeSource {
        if self.expiry_at == self.now { TimeSource::Verification } else { TimeSource::Stated }
    }

    /// The time at which expiry is judged, and its source.
    pub(super) fn judged(self) -> JudgedAt {
        JudgedAt { source: self.expiry_source(), time: self.expiry_at }
    }

    /// The current time, as the caller gave it.
    pub const fn current(self) -> Time {
        self.now
    }

    /// Whether a verified time lies more than a minute ahead: then one of the two clocks is wrong.
    pub fn is_ahead(self, time: Time) -> bool {
        const TOLERANCE: i64 = 60;
        time.unix() > self.now.unix().saturating_add(TOLERANCE)
    }
}

/// The time at which a chain of certificates was judged, and the source of that time. Every verdict names both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedAt {
    /// The time.
    pub time: Time,
    /// The source of the time.
    pub source: TimeSource,
}

/// The source of the time at which a chain was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeSource {
    /// A signing authority that the operator trusts to state the time (Notary Project, `notary.x509.signingAuthority`).
    SigningAuthority,
    /// The caller of the verification, who asked for expiry as of this time.
    Stated,
    /// A verified timestamp (RFC 3161): the signature was made no later.
    Timestamp,
    /// The integrated time of a log entry, which a transparency log that the operator trusts has signed.
    TransparencyLog,
    /// The time of the verification.
    Verification,
}

impl TimeSource {
    /// The stable name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SigningAuthority => "signing-authority",
            Self::Stated => "stated",
            Self::Timestamp => "timestamp",
            Self::TransparencyLog => "transparency-log",
            Self::Verification => "verification",
        }
    }

    /// The source in words.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::SigningAuthority => "the time that its signing authority states",
            Self::Stated => "the time for which the verification was asked",
            Self::Timestamp => "the time of its timestamp",
            Self::TransparencyLog => "the integrated time of its log entry",
            Self::Verification => "the time of this verification",
        }
    }
}

impl fmt::Display for JudgedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.time, self.source.text())
    }
}
