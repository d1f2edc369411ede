//! `DecimalNumber`: a number of JSON, compared digit by digit. No binary floating point, in which 0.1 is another number
//! and 9007199254740993 is 9007199254740992.

use std::cmp::Ordering;
use std::fmt;

/// A number as JSON writes it (RFC 8259 section 6), with all its digits.
///
/// ```
/// use bulla::predicate::DecimalNumber;
///
/// let number = |text| DecimalNumber::parse(text).unwrap();
/// assert_eq!(number("1.50"), number("15e-1"));
/// assert!(number("9007199254740993") > number("9007199254740992"));
/// ```
#[derive(Clone, Debug)]
pub struct DecimalNumber {
    /// The digits without zeros at either end; empty for zero.
    digits: String,
    negative: bool,
    /// How many digits stand before the decimal point, negative where zeros stand behind it.
    point: i64,
    text: String,
}

impl DecimalNumber {
    /// Reads a number of JSON; `None` if `text` is none, or its exponent has more than nine digits.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-');
        let (mantissa, exponent) = match unsigned.unwrap_or(text).split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned.unwrap_or(text), 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 1 && whole.starts_with('0') || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_end_matches('0').to_owned();
        let zero = digits.is_empty();
        let point =
            if zero { 0 } else { i64::try_from(whole.len()).ok()?.checked_sub(zeros)?.checked_add(exponent)? };
        Some(Self { digits, negative: unsigned.is_some() && !zero, point, text: text.to_owned() })
    }

    /// As [`Ord`], for numbers without a sign.
    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Without zeros at either end, a text that goes on is the larger number.
            (false, false) => self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let short = (1..=MAX_EXPONENT_DIGITS).contains(&digits.len());
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if short && number { text.strip_prefix('+').unwrap_or(text).parse().ok() } else { None }
}

impl PartialEq for DecimalNumber {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for DecimalNumber {}

impl PartialOrd for DecimalNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DecimalNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl fmt::Display for DecimalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The most digits of an exponent.
const MAX_EXPONENT_DIGITS: usize = 9;
