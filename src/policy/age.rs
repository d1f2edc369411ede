//! `StatementTime`: when a statement was made, as far as that is known; `MaxAgeRule`.
//!
//! The invariant: nothing that somebody else adds to a statement makes it younger. A timestamp or log entry proves that a
//! signature was made *no later* than a time, and anybody can add a later one, so it only ever moves the time back. The
//! time itself is signed: by the owner in the document, or by the authority in a short-lived certificate.

use crate::policy::UnmetCondition;
use crate::time::Time;

/// When a statement was made: the earlier of its own time and of a trusted upper bound of its signing time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementTime {
    certificate: Option<Time>,
    certificate_end: Option<Time>,
    document: Option<Time>,
    upper_bound: Option<Time>,
}

/// Where the time of a statement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementTimeSource {
    /// The beginning of the validity of the keyless certificate that signed it, since the document has no time.
    Certificate,
    /// The document itself.
    Document,
    /// A verified timestamp or log entry, or a signing authority.
    UpperBound,
}

/// A maximum age of statements. Its `Debug` text is part of the digest of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAgeRule {
    /// The maximum age in seconds; `None` if any age counts.
    pub limit: Option<u64>,
    /// Which time is wanted.
    pub time: TimeEvidence,
}

/// What must prove the time of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeEvidence {
    /// The document's own time is enough.
    Document,
    /// A trusted timestamp authority, transparency log or signing authority has to give an upper bound too.
    Trusted,
}

impl StatementTime {
    /// The time of a statement, from the time that its document states. A time before 1970-01-02 counts as missing:
    /// programs write zero, or the year 1, for a time that they do not know.
    pub fn of_document(document: Option<Time>) -> Self {
        let document = document.filter(|time| !time.is_placeholder());
        Self { document, ..Self::default() }
    }

    /// The same, for a signature that was made at the latest at `upper_bound`, as a trusted authority or log proves.
    #[must_use]
    pub const fn with_upper_bound(self, upper_bound: Option<Time>) -> Self {
        Self { upper_bound, ..self }
    }

    /// The same, for a signature of a keyless certificate that is valid from `start`. It is the time of documents that
    /// state none, if the signing time has an upper bound: the signature was made between the two.
    #[must_use]
    pub const fn with_certificate(self, start: Option<Time>) -> Self {
        Self { certificate: start, ..self }
    }

    /// The same, for a certificate that is valid until `end`.
    #[must_use]
    pub(crate) const fn with_certificate_end(self, end: Option<Time>) -> Self {
        Self { certificate_end: end, ..self }
    }

    /// The time, and its source; `None` if it is not known.
    pub fn at(self) -> Option<(Time, StatementTimeSource)> {
        let own = match (self.document, self.certificate, self.upper_bound) {
            (Some(document), _, _) => (document, StatementTimeSource::Document),
            (None, Some(start), Some(_)) => (start, StatementTimeSource::Certificate),
            (None, _, _) => return None,
        };
        match self.upper_bound {
            Some(bound) if bound < own.0 => Some((bound, StatementTimeSource::UpperBound)),
            Some(_) | None => Some(own),
        }
    }

    /// The latest time at which the statement may have been made, never earlier than [`StatementTime::at`]: the beginning of
    /// a certificate is a lower bound, so without a time of its own the statement may be as new as the upper bound.
    pub(crate) fn latest(self) -> Option<Time> {
        match self.at()? {
            (_, StatementTimeSource::Certificate) => self.upper_bound,
            (at, StatementTimeSource::Document | StatementTimeSource::UpperBound) => Some(at),
        }
    }

    /// The latest time under any trust root: never earlier than [`StatementTime::latest`], whatever authorities and logs are
    /// trusted.
    pub(crate) fn latest_anywhere(self) -> Option<Time> {
        self.document.or(self.certificate_end).or(self.certificate)
    }

    /// The upper bound of the signing time that a trusted authority or log gives.
    pub(crate) const fn upper_bound(self) -> Option<Time> {
        self.upper_bound
    }

    /// Whether a trusted authority or log gives an upper bound of the signing time.
    pub const fn is_trusted(self) -> bool {
        self.upper_bound.is_some()
    }
}

impl MaxAgeRule {
    /// Checks a statement that was made at `time`, as of `now`.
    ///
    /// # Errors
    /// [`UnmetCondition`]: no time, a time in the future, no trusted time, or too old.
    pub fn check(&self, time: StatementTime, now: Time) -> Result<(), UnmetCondition> {
        let Some((at, _)) = time.at() else { return Err(UnmetCondition::NoTime) };
        if is_ahead(at, now) {
            return Err(UnmetCondition::FromTheFuture { at, now });
        }
        if self.time == TimeEvidence::Trusted && !time.is_trusted() {
            return Err(UnmetCondition::NoTrustedTime);
        }
        check_age(at, now, self.limit)
    }
}

/// Checks that `at` is at most `limit` seconds before `now`; any age is allowed without a limit.
///
/// # Errors
/// [`UnmetCondition::TooOld`], and [`UnmetCondition::FromTheFuture`].
pub(super) fn check_age(at: Time, now: Time, limit: Option<u64>) -> Result<(), UnmetCondition> {
    if is_ahead(at, now) {
        return Err(UnmetCondition::FromTheFuture { at, now });
    }
    // A time slightly ahead has the age 0.
    let age = now.unix().saturating_sub(at.unix()).max(0).unsigned_abs();
    match limit {
        Some(limit) if age > limit => Err(UnmetCondition::TooOld { at, age, limit }),
        Some(_) | None => Ok(()),
    }
}

/// Whether `at` is more than five minutes ahead of `now`: a clock is wrong, or somebody dated it ahead.
fn is_ahead(at: Time, now: Time) -> bool {
    at.unix() > now.unix().saturating_add(TOLERANCE)
}

/// How far ahead of the clock a time may be, in seconds.
const TOLERANCE: i64 = 300;
