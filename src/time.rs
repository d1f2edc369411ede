//! `Time`: an instant, parsed and printed; this module never reads a clock.

use std::fmt;

use jiff::Timestamp;

/// An instant in whole seconds, UTC. Whoever decides something is handed one; only `cli` reads the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(Timestamp::UNIX_EPOCH);

    /// The instant `seconds` after 1970-01-01T00:00:00Z; `None` beyond the years -9999 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// Parses RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(Self)
    }
}

/// RFC 3339 in UTC, whole seconds, as `org.opencontainers.image.created` has it.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

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
}
