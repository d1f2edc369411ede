//! Times in envelopes: whole seconds of the years 0 to 9999, in one spelling each.

use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::rule::NotaryRule;
use crate::time::Time;

/// The time that `text` states in RFC 3339: upper-case `T` and `Z`, no fraction, no leap second, any offset.
pub(super) fn of_text(text: &str) -> Result<Time, NotaryError> {
    let refused = || NotaryError::found(NotaryRule::Time, text);
    let (local, offset) = text.split_at_checked(LOCAL.len()).ok_or_else(refused)?;
    let seconds = local.get(LOCAL.len().saturating_sub(2)..).unwrap_or_default();
    let is_offset = offset == "Z"
        || ["+00:00", "-00:00"].iter().any(|pattern| matches(offset, pattern))
            && offset.get(1..3).is_some_and(|hours| hours <= "23")
            && offset.get(4..6).is_some_and(|minutes| minutes <= "59");
    if !matches(local, LOCAL) || !is_offset || seconds > "59" {
        return Err(refused());
    }
    Time::parse(text).ok_or_else(refused).and_then(checked)
}

/// The time `seconds` after 1970-01-01T00:00:00Z.
pub(super) fn of_seconds(seconds: i64) -> Result<Time, NotaryError> {
    Time::from_unix(seconds).ok_or_else(|| NotaryError::found(NotaryRule::Time, &seconds.to_string())).and_then(checked)
}

/// `time`, if its year has four digits and no sign.
pub(super) fn checked(time: Time) -> Result<Time, NotaryError> {
    match time.unix() >= YEAR_ZERO {
        true => Ok(time),
        false => Err(NotaryError::found(NotaryRule::Time, &time.to_string())),
    }
}

/// Whether `text` has the form of `pattern`, whose zeros stand for any digit.
fn matches(text: &str, pattern: &str) -> bool {
    let fits = |(found, wanted): (u8, u8)| if wanted == b'0' { found.is_ascii_digit() } else { found == wanted };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

const LOCAL: &str = "0000-00-00T00:00:00";

/// 0000-01-01T00:00:00Z. The last time that can be represented is in the year 9999.
const YEAR_ZERO: i64 = -62_167_219_200;
