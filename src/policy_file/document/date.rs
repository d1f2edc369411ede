//! `Date` and `MaxAge`: the last day on which something holds, and how old a document may be.

use std::fmt;
use std::time::Duration;

use crate::time::Time;

/// A day of the Gregorian calendar, `2027-01-31`, from 2000-01-01 to 9999-12-29. What holds until a day holds until its
/// end, 24:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    start: Time,
}

impl Date {
    /// The day that `text` names as `YYYY-MM-DD`; `None` for every other text, and for a day that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |(at, c): (usize, char)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() };
        if text.len() != 10 || !text.chars().enumerate().all(digit) {
            return None;
        }
        let start = Time::parse(&format!("{text}T00:00:00Z"))?;
        let last = Time::parse("9999-12-29T00:00:00Z")?;
        (text >= "2000-01-01" && start <= last).then_some(Self { start })
    }

    /// 00:00 UTC of this day.
    pub const fn start(self) -> Time {
        self.start
    }

    /// 24:00 UTC of this day, when what holds until this day has ended.
    pub fn end(self) -> Time {
        Time::from_unix(self.start.unix().saturating_add(DAY)).unwrap_or(Time::LAST)
    }

    /// Whether what holds until this day has ended at `now`.
    pub fn has_ended(self, now: Time) -> bool {
        now >= self.end()
    }
}

/// `2027-01-31`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start.to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

/// How old a document may be (`max-age`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxAge {
    /// `none`: as old as it may be.
    Unlimited,
    /// At most this old: a whole number of hours, `12h`, or of days with 24 hours, `90d`.
    Within(Duration),
}

impl MaxAge {
    /// The age that `text` writes: `none`, `12h` or `90d`, from an hour to 36,500 days.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::Unlimited);
        }
        let (digits, unit) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
            (Some(digits), _) => (digits, 3_600),
            (_, Some(digits)) => (digits, 86_400),
            (None, None) => return None,
        };
        let plain = !digits.is_empty() && digits.len() <= 6 && digits.chars().all(|c| c.is_ascii_digit());
        if !plain || digits.starts_with('0') {
            return None;
        }
        let seconds = digits.parse::<u64>().into_iter().next()?.checked_mul(unit)?;
        (seconds <= LONGEST).then(|| Self::Within(Duration::from_secs(seconds)))
    }

    /// The age in seconds; `None` for any age.
    pub const fn seconds(self) -> Option<u64> {
        match self {
            Self::Unlimited => None,
            Self::Within(age) => Some(age.as_secs()),
        }
    }
}

/// As it is written: `none`, `12h` or `90d`.
impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("none"),
            Self::Within(age) if age.as_secs().is_multiple_of(86_400) => write!(f, "{}d", age.as_secs() / 86_400),
            Self::Within(age) => write!(f, "{}h", age.as_secs() / 3_600),
        }
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The longest age, in seconds: 36,500 days.
const LONGEST: u64 = 36_500 * 86_400;
