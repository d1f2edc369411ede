//! Canonical JSON (JCS, RFC 8785): equal documents have equal bytes.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde_json::value::RawValue;

use crate::json::JsonError;
use crate::json::JsonErrorReason;
use crate::json::NumberFault;
use crate::json::check;
use crate::limits::Limits;
use crate::text::Untrusted;

/// Canonicalizes the JSON document `bytes` (RFC 8785): no white space, keys sorted by their UTF-16 code units, strings
/// and numbers as ECMAScript writes them.
///
/// # Errors
/// [`JsonError`] if [`check`] refuses the document, or if the canonical form of an integer is another
/// integer: implementations that do not use doubles would sign another number.
pub fn canonical(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, JsonError> {
    check(bytes, limits)?;
    let mut written = String::with_capacity(bytes.len());
    write(serde_json::from_slice(bytes)?, &mut written)?;
    Ok(written.into_bytes())
}

/// Writes a value canonically. The recursion is bounded, since the document has passed [`check`].
fn write(value: &RawValue, to: &mut String) -> Result<(), JsonError> {
    let text = value.get();
    match text.bytes().next() {
        Some(b'{') => write_object(serde_json::from_str(text)?, to),
        Some(b'[') => write_array(&serde_json::from_str::<Vec<&RawValue>>(text)?, to),
        Some(b'"') => write_string(&serde_json::from_str::<Text<'_>>(text)?.0, to),
        Some(b'-' | b'0'..=b'9') => write_number(text, to),
        _ => {
            to.push_str(text);
            Ok(())
        }
    }
}

/// Writes an object, its keys sorted by UTF-16 code units. RFC 8785 section 3.2.3.
fn write_object(mut object: SortedObject<'_>, to: &mut String) -> Result<(), JsonError> {
    object.0.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    to.push('{');
    for (position, (key, value)) in object.0.iter().enumerate() {
        to.push_str(if position > 0 { "," } else { "" });
        write_string(key, to)?;
        to.push(':');
        write(value, to)?;
    }
    to.push('}');
    Ok(())
}

fn write_array(items: &[&RawValue], to: &mut String) -> Result<(), JsonError> {
    to.push('[');
    for (position, item) in items.iter().enumerate() {
        to.push_str(if position > 0 { "," } else { "" });
        write(item, to)?;
    }
    to.push(']');
    Ok(())
}

fn write_string(text: &str, to: &mut String) -> Result<(), JsonError> {
    to.push_str(&serde_json::to_string(text)?);
    Ok(())
}

/// Writes a number as ECMA-262 `Number::toString`: the fewest digits that parse to the same double. RFC 8785 section
/// 3.2.2.3.
///
/// # Errors
/// [`JsonError`] for a number out of range, and for an integer whose canonical form is another integer.
fn write_number(text: &str, to: &mut String) -> Result<(), JsonError> {
    let refuse = |fault| JsonError::from(JsonErrorReason::Number(Untrusted::within(text, 40), fault));
    let number: f64 = text.parse().map_err(|_| refuse(NumberFault::NotANumber))?;
    if !number.is_finite() {
        return Err(refuse(NumberFault::OutOfRange));
    }
    let written = number_text(number);
    let integer = !text.contains(['.', 'e', 'E']);
    if integer && text != "-0" && written != text {
        return Err(refuse(NumberFault::Inexact));
    }
    to.push_str(&written);
    Ok(())
}

fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = shortest(number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{}", place_point(&digits, exponent))
}

/// The shortest decimal digits of a number, as `d.ddde±n`. Rust and ECMAScript agree on how many digits. Of two equally
/// near candidates Rust takes the larger and ECMAScript the even one; rounding to that many digits gives the even one.
fn shortest(number: f64) -> String {
    let fewest = format!("{number:e}");
    let digits = fewest.split('e').next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count();
    let rounded = format!("{number:.*e}", digits.saturating_sub(1));
    match rounded.parse::<f64>().is_ok_and(|back| back.to_bits() == number.to_bits()) {
        true => rounded,
        false => fewest,
    }
}

/// Writes `digits`, which have the decimal point after the first one, times ten to the `exponent`. ECMA-262,
/// "Number::toString", steps 6 to 11.
fn place_point(digits: &str, exponent: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let cut = |at: i32| digits.split_at(usize::try_from(at).unwrap_or_default().min(digits.len()));
    match exponent + 1 {
        point @ 1..=21 if point >= count => format!("{digits}{}", zeros(point - count)),
        point @ 1..=21 => format!("{}.{}", cut(point).0, cut(point).1),
        point @ -5..=0 => format!("0.{}{digits}", zeros(-point)),
        _ => {
            let (first, rest) = cut(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{exponent:+}")
        }
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, in document order until they are sorted.
struct SortedObject<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for SortedObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectMembers)
    }
}

struct ObjectMembers;

impl<'de> Visitor<'de> for ObjectMembers {
    type Value = SortedObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<SortedObject<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(SortedObject(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> String {
        let mut written = String::new();
        write_number(text, &mut written).unwrap_or_else(|error| panic!("{text}: {error}"));
        written
    }

    // RFC 8785 appendix B, and the edges of ECMA-262.
    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        for (bits, text) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(number(&format!("{:e}", f64::from_bits(bits))), text);
        }
        for (text, written) in [
            ("-0", "0"),
            ("-0.0", "0"),
            ("1E30", "1e+30"),
            ("4.50", "4.5"),
            ("2e-3", "0.002"),
            ("100", "100"),
            ("1e-7", "1e-7"),
        ] {
            assert_eq!(number(text), written);
        }
    }

    #[test]
    fn an_integer_with_another_canonical_form_is_refused() {
        let canonical = |text: &str| canonical(text.as_bytes(), &Limits::DEFAULT);
        assert_eq!(canonical("[9007199254740991,-9007199254740992]").unwrap(), b"[9007199254740991,-9007199254740992]");
        for text in ["9007199254740993", "-9007199254740993", "18446744073709551615", "123456789012345678901234567890"]
        {
            assert!(canonical(text).is_err(), "{text}");
        }
        // A double holds it exactly, and ECMAScript writes fewer digits.
        assert!(canonical("333233331666666688").is_err());
        for text in ["333233331666666700", "3.33233331666666688e17"] {
            assert_eq!(canonical(text).unwrap(), b"333233331666666700");
        }
    }

    #[test]
    fn keys_are_sorted_by_utf_16() {
        // U+FB33 comes after U+1F602 in UTF-16 and before it in UTF-8.
        let text = "{\"\u{fb33}\":1,\"\u{1f602}\":2,\"a\":{\"b\":[ ],\"\":null}}";
        let sorted = "{\"a\":{\"\":null,\"b\":[]},\"\u{1f602}\":2,\"\u{fb33}\":1}";
        assert_eq!(canonical(text.as_bytes(), &Limits::DEFAULT).unwrap(), sorted.as_bytes());
    }
}
