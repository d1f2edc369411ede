//! The value of `--timeout`: a duration with its units.

use std::time::Duration;

/// Parses a duration: `30s`, `5m`, `1h30m`, `500ms`, or `0`.
pub(in crate::cli) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is written 30s, 5m, 1h30m or 500ms; 0 is no timeout".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut whole = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, after) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).ok_or_else(wrong)?;
        let part = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => Some(Duration::from_secs(number)),
            "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
            "h" => number.checked_mul(3_600).map(Duration::from_secs),
            "d" => number.checked_mul(86_400).map(Duration::from_secs),
            _ => None,
        };
        whole = part.and_then(|part| whole.checked_add(part)).ok_or_else(wrong)?;
        rest = after;
    }
    match whole <= LONGEST && !text.is_empty() {
        true => Ok(whole),
        false => Err(wrong()),
    }
}

/// The longest timeout.
const LONGEST: Duration = Duration::from_hours(24 * 365);

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
}
