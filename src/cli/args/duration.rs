//! The values of `--timeout` and `--expiry`: a duration with its units.

use std::time::Duration;

/// Parses a duration: `30s`, `5m`, `1h30m`, `500ms`, or `0`.
pub(in crate::cli) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is written 30s, 5m, 1h30m or 500ms; 0 is no timeout".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    sum(text).filter(|whole| *whole <= LONGEST).ok_or_else(wrong)
}

/// Parses how long a signature is valid: whole seconds, `90d` or `1h30m`, at least one second.
pub(in crate::cli) fn validity(text: &str) -> Result<Duration, String> {
    let wrong = || "whole seconds, as in 90d, 12h or 1h30m; at least 1s, at most 36500d".to_owned();
    let is_valid = |whole: &Duration| whole.subsec_nanos() == 0 && !whole.is_zero() && *whole <= LONGEST_VALIDITY;
    sum(text).filter(is_valid).ok_or_else(wrong)
}

/// The sum of the parts of `text`, each a number with its unit; `None` if there are none.
fn sum(text: &str) -> Option<Duration> {
    let mut whole = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let part = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => Some(Duration::from_secs(number)),
            "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
            "h" => number.checked_mul(3_600).map(Duration::from_secs),
            "d" => number.checked_mul(86_400).map(Duration::from_secs),
            _ => None,
        };
        whole = whole.checked_add(part?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(whole)
}

/// The longest timeout.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// The longest validity of a signature: a hundred years.
const LONGEST_VALIDITY: Duration = Duration::from_hours(24 * 36_500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("5min", 300_000),
            ("1h30m", 5_400_000),
            ("1m0s500ms", 60_500),
            ("2d", 172_800_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "5 m",
            "1y",
            "30S",
            "1s1",
            "400d",
            "99999999999999999999s",
            "18446744073709551615h",
            "é",
            "1é",
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains("30s"), "{text}");
        }
    }

    #[test]
    fn a_signature_is_valid_for_whole_seconds() {
        for (text, seconds) in
            [("1s", 1), ("90d", 7_776_000), ("1h30m", 5_400), ("500ms500ms", 1), ("400d", 34_560_000)]
        {
            assert_eq!(validity(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0", "0s", "500ms", "1s1ms", "90", "-1d", "1y", "36501d", "18446744073709551615d"] {
            assert!(validity(text).unwrap_err().contains("whole seconds"), "{text}");
        }
    }
}
