//! Retries: exponential back-off with jitter, `Retry-After`, and bounds on attempts and time.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::DATE;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::RETRY_AFTER;
use tokio::time::Instant;

use super::settings::RetryPolicy;

/// The state of the retries of one request.
pub(super) struct RetryState {
    policy: RetryPolicy,
    since: Instant,
    /// The timeout of all attempts together.
    total: Duration,
    tries: u32,
    connects: u32,
    closed: bool,
    /// The number of the current attempt.
    number: u32,
}

/// Why an attempt got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum ConnectionFailure {
    /// A reused or recently opened connection was closed or broke.
    Closed,
    /// The connection could not be made.
    Connect,
    /// A permanent failure: a retry would fail too.
    Permanent,
    /// Nothing was received within the timeout.
    Silent,
}

impl RetryState {
    pub(super) fn new(policy: RetryPolicy, total: Duration) -> Self {
        Self { policy, since: Instant::now(), total, tries: 0, connects: 0, closed: false, number: 1 }
    }

    /// The back-off after a busy response, at least its `Retry-After`; `None` if no attempts or no time are left, or if
    /// `Retry-After` is over the limit of the policy.
    pub(super) fn after_busy(&mut self, headers: &HeaderMap) -> Option<Duration> {
        let own = self.next_pause()?;
        let pause = match retry_after(headers) {
            Some(seconds) if seconds > self.policy.max_retry_after => return None,
            Some(seconds) => own.max(self.policy.second.saturating_mul(u32::try_from(seconds).unwrap_or(u32::MAX))),
            None => own,
        };
        self.in_time(pause)
    }

    /// The back-off after an attempt without a response; `None` if no attempts or no time are left.
    pub(super) fn after_failure(&mut self, failure: ConnectionFailure) -> Option<Duration> {
        match failure {
            // The server may close a kept-alive connection at any time: retry once, immediately
            // (threats: closed-connection).
            ConnectionFailure::Closed if !self.closed => {
                self.closed = true;
                self.number += 1;
                return Some(Duration::ZERO);
            }
            ConnectionFailure::Permanent => return None,
            ConnectionFailure::Connect if self.connects >= self.policy.connect_retries => return None,
            ConnectionFailure::Connect => self.connects += 1,
            ConnectionFailure::Closed | ConnectionFailure::Silent => {}
        }
        let pause = self.next_pause()?;
        self.in_time(pause)
    }

    /// Resets attempts and time, since there was progress.
    pub(super) fn progressed(&mut self) {
        *self = Self::new(self.policy, self.total);
    }

    fn next_pause(&mut self) -> Option<Duration> {
        if self.tries >= self.policy.retries {
            return None;
        }
        let doubled = self.policy.backoff.saturating_mul(1 << self.tries.min(16));
        self.tries += 1;
        let pause = doubled.min(self.policy.max_backoff);
        Some(pause / 2 + jitter(pause))
    }

    /// The number of the current attempt, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.number
    }

    /// The limit of attempts for this kind of failure.
    pub(super) fn max_attempts(&self, failure: Option<ConnectionFailure>) -> u32 {
        let further = match failure {
            Some(ConnectionFailure::Connect) => self.policy.connect_retries,
            _ => self.policy.retries + u32::from(self.closed),
        };
        further.saturating_add(1).max(self.number)
    }

    /// The time since the first attempt.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    fn in_time(&mut self, pause: Duration) -> Option<Duration> {
        let in_time = self.since.elapsed().saturating_add(pause) < self.total;
        self.number += u32::from(in_time);
        in_time.then_some(pause)
    }
}

/// Whether a status is transient: the server, or a proxy in front of it, timed out, failed or limits the rate. 501 and
/// 505 are permanent.
pub(super) fn is_busy(status: StatusCode) -> bool {
    match status.as_u16() {
        408 | 425 | 429 | 499 => true,
        501 | 505 => false,
        status => status >= 500,
    }
}

/// Jitter: a random time shorter than `most`.
pub(super) fn jitter(most: Duration) -> Duration {
    // Without random bytes the back-off only lacks jitter.
    let part = getrandom::u32().unwrap_or(u32::MAX / 2);
    most.mul_f64(f64::from(part) / (f64::from(u32::MAX) + 1.0))
}

/// The delay that `Retry-After` asks for, in seconds. RFC 9110 section 10.2.3.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    // A date is compared with the `Date` of the same response, never with our clock. A wrong one can delay us only
    // within bounds (threats: wrong-date-header).
    let then = timestamp(headers, &RETRY_AFTER)?;
    let now = timestamp(headers, &DATE)?;
    Some(u64::try_from(then.saturating_sub(now)).unwrap_or(0))
}

fn timestamp(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let text = headers.get(name)?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(text.trim()).ok().map(|timestamp| timestamp.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: Duration = Duration::from_secs(300);

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn reads_every_form_of_retry_after() {
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        let later = "Wed, 21 Oct 2015 07:28:40 GMT";
        assert_eq!(retry_after(&headers(&[("retry-after", "0")])), Some(0));
        assert_eq!(retry_after(&headers(&[("retry-after", " 5 ")])), Some(5));
        assert_eq!(retry_after(&headers(&[("retry-after", "99999999999999999999999")])), Some(u64::MAX));
        assert_eq!(retry_after(&headers(&[("retry-after", later), ("date", date)])), Some(40));
        assert_eq!(retry_after(&headers(&[("retry-after", date), ("date", later)])), Some(0));
        assert_eq!(retry_after(&headers(&[("retry-after", later)])), None);
        for text in ["", "-1", "1.5", "soon", "5, 6"] {
            assert_eq!(retry_after(&headers(&[("retry-after", text)])), None, "{text:?}");
        }
        assert_eq!(retry_after(&headers(&[])), None);
    }

    #[test]
    fn gives_up_after_the_retries_and_at_once_where_too_much_is_asked() {
        let mut retry = RetryState::new(RetryPolicy::tests(), TOTAL);
        let pauses = (0..10).filter_map(|_| retry.after_busy(&headers(&[]))).count();
        assert_eq!(pauses, 5);
        let mut retry = RetryState::new(RetryPolicy::tests(), TOTAL);
        assert_eq!(retry.after_busy(&headers(&[("retry-after", "121")])), None);
        let mut retry = RetryState::new(RetryPolicy::DEFAULT, TOTAL);
        let pause = retry.after_busy(&headers(&[("retry-after", "100")])).unwrap();
        assert!(pause >= Duration::from_secs(100));
        // 100 s three times exceeds the five minutes of all attempts, so the total bounds it too.
        assert_eq!(
            RetryState::new(RetryPolicy::DEFAULT, Duration::from_secs(60))
                .after_busy(&headers(&[("retry-after", "100")])),
            None
        );
    }

    #[test]
    fn retries_a_closed_connection_once_without_a_pause() {
        let mut retry = RetryState::new(RetryPolicy::DEFAULT, TOTAL);
        assert_eq!(retry.after_failure(ConnectionFailure::Closed), Some(Duration::ZERO));
        assert!(retry.after_failure(ConnectionFailure::Closed).unwrap() >= Duration::from_millis(250));
        let mut retry = RetryState::new(RetryPolicy::tests(), TOTAL);
        assert_eq!((0..10).filter_map(|_| retry.after_failure(ConnectionFailure::Connect)).count(), 2);
    }

    #[test]
    fn chance_stays_below_its_bound() {
        let most = Duration::from_millis(100);
        assert!((0..1000).all(|_| jitter(most) < most));
    }

    #[test]
    fn what_says_not_now_is_told_from_what_says_never() {
        let busy = |status: u16| is_busy(StatusCode::from_u16(status).unwrap());
        assert!([408, 425, 429, 499, 500, 502, 503, 504, 507, 511, 520, 599].into_iter().all(busy));
        assert!(![200, 301, 400, 401, 403, 404, 406, 409, 410, 416, 418, 501, 505].into_iter().any(busy));
    }
}
