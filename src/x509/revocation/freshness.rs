//! `FreshnessRule`: how old revocation evidence may be, and `Freshness`: how old it is.

use std::time::Duration;

use crate::time::Time;
use crate::x509::revocation::rule::StatusProblemRule;

/// How old a CRL or an OCSP response may be to prove that a certificate is not revoked. A revocation is never too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshnessRule {
    /// What is believed of lists about certificates that have expired.
    pub expired_certificates: ExpiredCertificates,
    /// How long after `nextUpdate` evidence may still be used: the grace period. Its use is reported.
    pub grace_after_next_update: Duration,
    /// The longest time since `thisUpdate`; `None` if `nextUpdate` alone decides. An OCSP response without `nextUpdate` is
    /// fresh only by this.
    pub maximum_age: Option<Duration>,
}

/// Whether evidence from after the end of a certificate's validity proves that it was not revoked.
///
/// RFC 5280 section 3.3: a certificate authority takes an entry off its CRLs once the certificate has expired; RFC 6960
/// section 2.2: `good` is about certificates within their validity. A list without an expired certificate may have held
/// it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiredCertificates {
    /// The operator knows that the certificate authority keeps expired certificates on its lists.
    Kept,
    /// Only evidence that says so itself proves it: the CRL extension `expiredCertsOnCRL` (X.509) or the archive cutoff
    /// (RFC 6960 section 4.4.4), with a time before the end of the validity.
    MayBeDropped,
}

/// How fresh a CRL or an OCSP response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freshness {
    /// The time since `thisUpdate`; zero if that lies in the future.
    pub age: Duration,
    /// Whether it is past `nextUpdate` and used in the grace period.
    pub in_grace: bool,
    /// The last second at which it is fresh by the rule; `None` if nothing limits it, which makes it unusable.
    pub until: Option<Time>,
}

/// Whether a missing `nextUpdate` can be replaced by a maximum age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextUpdateRule {
    /// OCSP responses: RFC 6960 section 4.2.2.1.
    Optional,
    /// CRLs: RFC 5280 section 5.1.2.5.
    Required,
}

impl FreshnessRule {
    /// Evidence of any age: what matters is whether it is genuine.
    pub(crate) const ANY_AGE: Self = Self {
        expired_certificates: ExpiredCertificates::Kept,
        grace_after_next_update: Duration::MAX,
        maximum_age: None,
    };

    /// How fresh evidence is at `now`, and the rule that it breaks, if any.
    pub(super) fn check(
        &self,
        this_update: Time,
        next_update: Option<Time>,
        presence: NextUpdateRule,
        now: Time,
    ) -> (Freshness, Option<StatusProblemRule>) {
        let by_next = next_update.map(|next| later(next, self.grace_after_next_update));
        let by_age = self.maximum_age.map(|age| later(this_update, age));
        let until = [by_next, by_age].into_iter().flatten().min();
        let is_past = |end: Option<Time>| end.is_some_and(|end| now > end);
        let broken = if this_update > later(now, CLOCK_SKEW) {
            Some(StatusProblemRule::ThisUpdate)
        } else if next_update.is_none() && presence == NextUpdateRule::Required || until.is_none() {
            Some(StatusProblemRule::NextUpdateMissing)
        } else if is_past(by_next) {
            Some(StatusProblemRule::NextUpdate)
        } else if is_past(by_age) {
            Some(StatusProblemRule::MaximumAge)
        } else {
            None
        };
        let seconds = now.unix().saturating_sub(this_update.unix());
        let age = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        (Freshness { age, in_grace: is_past(next_update) && broken.is_none(), until }, broken)
    }
}

/// `time` plus `duration`, at most the end of the year 9999.
fn later(time: Time, duration: Duration) -> Time {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let later = Time::from_unix(time.unix().saturating_add(seconds));
    later.or_else(|| Time::from_unix(LAST)).unwrap_or(time)
}

/// How far ahead of ours the clock of a certificate authority may be.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// 9999-12-30T00:00:00Z.
const LAST: i64 = 253_402_128_000;
