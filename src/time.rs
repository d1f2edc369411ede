//! `Time`: an instant, parsed and printed; `ValidityPeriod`. This module never reads a clock.

use std::fmt;

use jiff::Timestamp;

/// An instant in whole seconds, UTC. Decisions get it as an argument; only `cli` reads the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(Timestamp::UNIX_EPOCH);
    /// 9999-12-30T22:00:00Z: no later time can be represented.
    pub const LAST: Self = Self(Timestamp::constant(253_402_207_200, 0));

    /// The instant `seconds` after 1970-01-01T00:00:00Z; `None` before the year -9999 and after [`Time::LAST`].
    pub fn from_unix(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Whether programs write it for a time that they do not know: zero, the year 1, and everything before 1970-01-02.
    pub(crate) fn is_placeholder(self) -> bool {
        self.unix() < SECONDS_OF_A_DAY
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// Parses RFC 3339. A fraction of a second is dropped: the result is the beginning of that second.
    pub fn parse(text: &str) -> Option<Self> {
        let exact = text.parse::<Timestamp>().ok()?;
        // Jiff rounds seconds towards zero, so before 1970 a fraction belongs to the second before.
        let before = i64::from(exact.subsec_nanosecond() < 0);
        Self::from_unix(exact.as_second().checked_sub(before)?)
    }
}

/// A validity period: from `start` until `end`, both included; without an end it is not over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidityPeriod {
    /// The last second, if there is one.
    pub end: Option<Time>,
    /// The first second.
    pub start: Time,
}

impl ValidityPeriod {
    /// Whether `time` lies in the period.
    pub fn contains(&self, time: Time) -> bool {
        self.state(time) == ValidityState::Valid
    }

    /// Whether `time` lies in the period, before it or after it.
    pub fn state(&self, time: Time) -> ValidityState {
        match self.end {
            _ if time < self.start => ValidityState::NotYetValid,
            Some(end) if time > end => ValidityState::Expired,
            _ => ValidityState::Valid,
        }
    }
}

/// Where a time lies relative to a validity period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityState {
    /// After its end.
    Expired,
    /// Before its start.
    NotYetValid,
    /// In the period, both ends included.
    Valid,
}

impl ValidityState {
    /// Its name in reports: `expired`, `not-yet-valid` or `valid`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Valid => "valid",
        }
    }
}

/// As people read it.
impl fmt::Display for ValidityState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotYetValid => "not yet valid",
            _ => self.name(),
        })
    }
}

/// `from START until END`, or `from START`.
impl fmt::Display for ValidityPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}", self.start)?;
        self.end.map_or(Ok(()), |end| write!(f, " until {end}"))
    }
}

/// RFC 3339 in UTC, in whole seconds, as in `org.opencontainers.image.created`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

const SECONDS_OF_A_DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339_in_whole_seconds() {
        assert_eq!(Time::from_unix(0).unwrap().to_string(), "1970-01-01T00:00:00Z");
        let time = Time::parse("2026-11-20T16:01:10.987+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-20T15:01:10Z");
        assert_eq!(Time::parse("yesterday"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_time_is_a_whole_second(seconds in -60_000_000_000_i64..250_000_000_000, nanoseconds in 0_u32..1_000_000_000) {
            let whole = Time::from_unix(seconds).unwrap();
            let text = whole.to_string();
            assert_eq!(Time::parse(&text), Some(whole));
            let exact = text.replace('Z', &format!(".{nanoseconds:09}Z"));
            assert_eq!(Time::parse(&exact), Some(whole), "{exact}");
            assert_eq!(whole.unix(), seconds);
        }
    }

    #[test]
    fn the_last_time_is_the_last_one() {
        assert_eq!(Time::from_unix(Time::LAST.unix()), Some(Time::LAST));
        assert_eq!(Time::from_unix(Time::LAST.unix() + 1), None);
        assert_eq!(Time::LAST.to_string(), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn a_fraction_does_not_make_two_times_differ() {
        let times = ["2026-11-20T15:01:10Z", "2026-11-20T15:01:10.001Z", "2026-11-20T15:01:10.999Z"].map(Time::parse);
        assert!(times.iter().all(|time| *time == times[0] && time.is_some()));
    }
}
