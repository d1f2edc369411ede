//! `GenTime`: the time of a timestamp with its accuracy; and times in ASN.1.

use std::time::Duration;

use crate::time::Time;
use crate::x509::der;
use crate::x509::fields::Fields;

/// The time at which a timestamp was made, to the nanosecond, and how far the clock of its authority may be wrong
/// (RFC 3161 section 2.4.2, `genTime` and `accuracy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenTime {
    accuracy: Duration,
    earliest: Time,
    latest: Time,
    nanoseconds: u32,
    time: Time,
}

impl GenTime {
    /// `None` where a bound is not in the years -9999 to 9999.
    pub(super) fn new(exact: Exact, accuracy: Duration) -> Option<Self> {
        let at = i128::from(exact.time.unix()).checked_mul(SECOND)?.checked_add(exact.nanoseconds.into())?;
        let Ok(around) = i128::try_from(accuracy.as_nanos()) else { return None };
        let second = |nanoseconds: i128| match i64::try_from(nanoseconds.div_euclid(SECOND)) {
            Ok(seconds) => Time::from_unix(seconds),
            Err(_) => None,
        };
        let earliest = second(at.checked_sub(around)?)?;
        // Rounded up: the largest whole second below the next one.
        let latest = second(at.checked_add(around)?.checked_add(SECOND - 1)?)?;
        Some(Self { accuracy, earliest, latest, nanoseconds: exact.nanoseconds, time: exact.time })
    }

    /// How far the time may be from the real one, in both directions.
    pub const fn accuracy(&self) -> Duration {
        self.accuracy
    }

    /// The lower bound of the real time: the time minus the accuracy, rounded down to a second.
    pub const fn earliest(&self) -> Time {
        self.earliest
    }

    /// The upper bound of the real time: the time plus the accuracy, rounded up to a second.
    pub const fn latest(&self) -> Time {
        self.latest
    }

    /// The fraction of the second, in nanoseconds.
    pub const fn nanoseconds(&self) -> u32 {
        self.nanoseconds
    }

    /// The time, rounded down to a second.
    pub const fn time(&self) -> Time {
        self.time
    }
}

/// An instant to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    pub(super) nanoseconds: u32,
    pub(super) time: Time,
}

/// Why the content of a `GeneralizedTime` is not one that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeFault {
    /// More than nine digits after the point.
    Finer,
    /// It is not a time, or not in the form that RFC 3161 section 2.4.2 requires.
    Malformed,
}

/// The content of a `GeneralizedTime` with seconds, in UTC. A fraction has a point and does not end in 0.
pub(super) fn generalized(content: &[u8]) -> Result<Exact, TimeFault> {
    let text = std::str::from_utf8(content).map_err(|_| TimeFault::Malformed)?;
    let text = text.strip_suffix('Z').ok_or(TimeFault::Malformed)?;
    let (whole, fraction) = match text.split_once('.') {
        Some((_, fraction)) if fraction.is_empty() || fraction.ends_with('0') => return Err(TimeFault::Malformed),
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    if whole.len() != 14 || !all_digits(whole) || !all_digits(fraction) {
        return Err(TimeFault::Malformed);
    }
    if fraction.len() > 9 {
        return Err(TimeFault::Finer);
    }
    let time = time(whole).ok_or(TimeFault::Malformed)?;
    let nanoseconds = format!("{fraction:0<9}").parse().map_err(|_| TimeFault::Malformed)?;
    Ok(Exact { nanoseconds, time })
}

/// The content of a `UTCTime` with seconds, in UTC. RFC 5280 section 4.1.2.5.1: years below 50 are of this century.
pub(super) fn utc(content: &[u8]) -> Option<Time> {
    let text = match std::str::from_utf8(content) {
        Ok(text) => text.strip_suffix('Z')?,
        Err(_) => return None,
    };
    if text.len() != 12 || !all_digits(text) {
        return None;
    }
    let century = if text < "50" { "20" } else { "19" };
    time(&format!("{century}{text}"))
}

/// The content of an `Accuracy`: seconds, milliseconds and microseconds, each of which may be missing. `None` where it is
/// not one.
pub(super) fn accuracy(content: &[u8]) -> Option<Duration> {
    let mut fields = Fields::of(content);
    let mut number = |tag| match fields.content(tag) {
        None => Some(0),
        Some(content) => unsigned(content),
    };
    let (seconds, milliseconds, microseconds) = (number(der::INTEGER)?, number(MILLIS)?, number(MICROS)?);
    fields.end()?;
    // 1 to 999; 0 says the same as no number.
    if milliseconds > 999 || microseconds > 999 {
        return None;
    }
    let fraction = milliseconds.checked_mul(1_000)?.checked_add(microseconds)?;
    Duration::from_secs(seconds).checked_add(Duration::from_micros(fraction))
}

/// The content of an INTEGER that is not negative and fits into 64 bits.
fn unsigned(content: &[u8]) -> Option<u64> {
    if !der::is_integer(content) || content.first().is_some_and(|first| *first >= 0x80) {
        return None;
    }
    content.iter().try_fold(0_u64, |all, byte| all.checked_mul(256)?.checked_add((*byte).into()))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The time with these fourteen digits. A leap second is refused: [`Time`] could only represent it as another second.
fn time(digits: &str) -> Option<Time> {
    let part = |range| digits.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
    if second > "59" {
        return None;
    }
    Time::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

const MICROS: u8 = 0x81;
const MILLIS: u8 = 0x80;
/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        generalized(text.as_bytes()).unwrap()
    }

    #[test]
    fn bounds_are_rounded_away_from_the_time() {
        let bounds = |text: &str, accuracy: Duration| {
            let found = GenTime::new(exact(text), accuracy).unwrap();
            (found.earliest().unix() - found.time().unix(), found.latest().unix() - found.time().unix())
        };
        let (none, micro) = (Duration::ZERO, Duration::from_micros(1));
        for (text, accuracy, expected) in [
            ("20260101000000Z", none, (0, 0)),
            ("20260101000000.000000001Z", none, (0, 1)),
            ("20260101000000.999999999Z", none, (0, 1)),
            ("20260101000000Z", micro, (-1, 1)),
            ("20260101000000.5Z", Duration::from_millis(500), (0, 1)),
            ("20260101000000.5Z", Duration::from_millis(501), (-1, 2)),
            ("20260101000000Z", Duration::from_secs(1), (-1, 1)),
            ("19600101000000.5Z", Duration::from_secs(1), (-1, 2)),
        ] {
            assert_eq!(bounds(text, accuracy), expected, "{text} {accuracy:?}");
        }
        assert_eq!(GenTime::new(exact("99991230220000Z"), Duration::from_secs(1)), None);
        assert_eq!(GenTime::new(exact("20260101000000Z"), Duration::MAX), None);
    }

    #[test]
    fn a_time_has_one_form() {
        assert_eq!(exact("20260102030405.25Z").nanoseconds, 250_000_000);
        assert_eq!(exact("20260102030405Z").time.to_string(), "2026-01-02T03:04:05Z");
        for text in [
            "",
            "Z",
            "20260102030405",
            "202601020304Z",
            "20260102030405.Z",
            "20260102030405.50Z",
            "20260102030405.0Z",
            "20260102030405,5Z",
            "20260102030405.5.5Z",
            "20260102030405.-5Z",
            "20260102030405+0000",
            "20261302030405Z",
            "20260230030405Z",
            "20260102240000Z",
            "20260102030460Z",
            "2026010203040aZ",
            "+0260102030405Z",
            "20260102030405Z ",
        ] {
            assert_eq!(generalized(text.as_bytes()), Err(TimeFault::Malformed), "{text}");
        }
        assert_eq!(generalized(b"20260102030405.0000000001Z"), Err(TimeFault::Finer));
        assert_eq!(utc(b"490102030405Z").unwrap().to_string(), "2049-01-02T03:04:05Z");
        assert_eq!(utc(b"500102030405Z").unwrap().to_string(), "1950-01-02T03:04:05Z");
        assert!([&b"4901020304Z"[..], b"490102030405", b"490102030460Z", b"\xff"].iter().all(|one| utc(one).is_none()));
    }

    #[test]
    fn an_accuracy_is_up_to_three_numbers() {
        for (content, microseconds) in [
            (&[][..], 0),
            (&[0x02, 1, 1], 1_000_000),
            (&[0x80, 1, 1], 1_000),
            (&[0x81, 1, 1], 1),
            (&[0x02, 1, 2, 0x80, 2, 3, 0xe7, 0x81, 2, 3, 0xe7], 2_999_999),
        ] {
            assert_eq!(accuracy(content), Some(Duration::from_micros(microseconds)), "{content:?}");
        }
        for content in [
            &[0x02, 1, 0xff][..],
            &[0x02, 0],
            &[0x02, 2, 0, 1],
            &[0x80, 2, 3, 0xe8],
            &[0x81, 2, 3, 0xe8],
            &[0x81, 1, 1, 0x80, 1, 1],
            &[0x02, 1, 1, 0x02, 1, 1],
            &[0x82, 1, 1],
            &[0x02, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x02],
        ] {
            assert_eq!(accuracy(content), None, "{content:?}");
        }
    }
}
