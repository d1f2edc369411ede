//! Strict DER (X.690 section 10 and 11): whether bytes are one value in its one encoding.
//!
//! What depends on the schema is not checked: that a field with its default value is left out (X.690 section 11.5), and
//! that a BIT STRING of named bits ends with a one (11.2.2). Both are inside the signed bytes.
//!
//! The parsers of certificates read some of what is only BER. Two encodings of one certificate would be two names for
//! it, and two parsers could read them differently, so what is not DER is refused before it is parsed.

use crate::limits;
use crate::x509::oid;

/// The tag, content and the bytes after one value.
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) rest: &'a [u8],
}

/// Why bytes are not read as DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DerError {
    /// They are not DER.
    Malformed,
    /// They are more values than are looked at.
    TooManyValues { limit: u64 },
    /// They may be DER, and are not supported.
    Unsupported { what: &'static str },
}

/// Reads the value at the start of `bytes`, by the rules of DER for tag and length; `None` where there is not one.
pub(super) fn read(bytes: &[u8]) -> Option<Value<'_>> {
    let Ok(value) = try_read(bytes) else { return None };
    Some(value)
}

fn try_read(bytes: &[u8]) -> Result<Value<'_>, DerError> {
    let (tag, rest) = bytes.split_first().ok_or(DerError::Malformed)?;
    if tag & NUMBER == NUMBER {
        return Err(DerError::Unsupported { what: "a tag number above 30" });
    }
    let (content, rest) = content(rest).ok_or(DerError::Malformed)?;
    Ok(Value { tag: *tag, content, rest })
}

/// Reads length and content, and returns the content and what is after it.
fn content(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = match first {
        0x00..=0x7f => (usize::from(*first), rest),
        // 0x80 is the indefinite length of BER. Four bytes of length are more than any limit of ours, so that the content
        // of a longer one is not there.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length =
                bytes.iter().try_fold(0_usize, |all, byte| all.checked_mul(256)?.checked_add((*byte).into()))?;
            let shortest = length >= 0x80 && bytes.first() != Some(&0);
            (Some(length).filter(|_| shortest)?, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The content of the one value with `tag` that `bytes` are.
pub(super) fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let value = read(bytes)?;
    (value.tag == tag && value.rest.is_empty()).then_some(value.content)
}

/// The bytes of the first value of `content`, its tag and length included.
pub(super) fn first(content: &[u8]) -> Option<&[u8]> {
    let value = read(content)?;
    content.get(..content.len().checked_sub(value.rest.len())?)
}

/// Whether `bytes` are one value in DER and nothing after it, values inside constructed values included.
pub(super) fn is_strict(bytes: &[u8]) -> bool {
    check(bytes).is_ok()
}

/// Checks that `bytes` are one value in DER and nothing after it, values inside constructed values included.
///
/// # Errors
/// [`DerError`].
pub(super) fn check(bytes: &[u8]) -> Result<(), DerError> {
    let whole = try_read(bytes)?;
    if !whole.rest.is_empty() {
        return Err(DerError::Malformed);
    }
    let mut open = vec![whole];
    // What is left to read at each level; a value is looked into before what follows it.
    while let Some(value) = open.pop() {
        if !is_canonical(&value) {
            return Err(DerError::Malformed);
        }
        if value.tag == OBJECT_ID && !oid::is_readable(value.content) {
            return Err(DerError::Unsupported { what: "a number of more than 128 bits in an object identifier" });
        }
        if value.tag & CONSTRUCTED == 0 {
            continue;
        }
        let inner = try_values(value.content)?;
        // X.690 section 11.6: the values of a SET OF are sorted by their encodings.
        if value.tag == SET && !is_sorted(value.content, &inner) {
            return Err(DerError::Malformed);
        }
        if limits::count(open.len() + inner.len()) > MOST_VALUES {
            return Err(DerError::TooManyValues { limit: MOST_VALUES });
        }
        open.extend(inner);
    }
    Ok(())
}

/// All values that `content` consists of.
pub(super) fn values(content: &[u8]) -> Option<Vec<Value<'_>>> {
    let Ok(values) = try_values(content) else { return None };
    Some(values)
}

fn try_values(content: &[u8]) -> Result<Vec<Value<'_>>, DerError> {
    let mut values = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let value = try_read(rest)?;
        rest = value.rest;
        values.push(value);
    }
    Ok(values)
}

/// Whether the encodings of the values are in ascending order.
fn is_sorted(content: &[u8], values: &[Value<'_>]) -> bool {
    let ends = values.iter().map(|value| content.len() - value.rest.len());
    let starts = std::iter::once(0).chain(ends.clone());
    let encodings: Vec<_> = starts.zip(ends).filter_map(|(start, end)| content.get(start..end)).collect();
    encodings.is_sorted()
}

/// Whether `content` is that of an INTEGER. X.690 section 8.3.2: the first nine bits are not all equal.
pub(super) const fn is_integer(content: &[u8]) -> bool {
    match content {
        [] | [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => false,
        [..] => true,
    }
}

/// Whether a value of a universal type has the one content that DER gives it.
fn is_canonical(value: &Value<'_>) -> bool {
    match (value.tag, value.content) {
        // X.690 section 11.1.
        (BOOLEAN, content) => matches!(content, [0x00 | 0xff]),
        (INTEGER | ENUMERATED, content) => is_integer(content),
        // X.690 section 11.2: unused bits are zero.
        (BIT_STRING, [unused @ 0..=7, bits @ ..]) => match bits.last() {
            Some(last) => last.trailing_zeros() >= u32::from(*unused),
            None => *unused == 0,
        },
        (BIT_STRING, _) => false,
        (NULL, content) => content.is_empty(),
        // X.690 section 11.7 and 11.8: seconds are written, and the time zone is `Z`.
        (UTC_TIME, content) => content.len() == 13 && content.ends_with(b"Z"),
        (GENERALIZED_TIME, content) => is_generalized_time(content),
        (OBJECT_ID, content) => oid::is_canonical(content),
        (SEQUENCE | SET, _) => true,
        // X.690 section 10.2: strings are primitive. Other universal types with parts are in no certificate.
        (tag, _) => tag & CLASS != 0 || tag & CONSTRUCTED == 0 && tag != 0,
    }
}

/// X.690 section 11.7: digits up to the seconds, `Z`, and between them a fraction only if it has digits of which the last
/// is not zero.
fn is_generalized_time(content: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    match content.split_at_checked(14) {
        Some((seconds, b"Z")) => digits(seconds),
        Some((seconds, [b'.', fraction @ .., b'Z'])) => {
            digits(seconds) && digits(fraction) && fraction.last().is_some_and(|last| *last != b'0')
        }
        _ => false,
    }
}

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const OBJECT_ID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const NUMERIC_STRING: u8 = 0x12;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const IA5_STRING: u8 = 0x16;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
const CLASS: u8 = 0xc0;
const CONSTRUCTED: u8 = 0x20;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
const NUMBER: u8 = 0x1f;
pub(super) const UTC_TIME: u8 = 0x17;

/// No certificate of 64 KiB that is meant seriously has more values waiting to be looked at.
const MOST_VALUES: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_in_one_encoding() {
        for der in [
            &[0x02, 1, 0][..],
            &[0x02, 2, 0, 0x80],
            &[0x01, 1, 0xff],
            &[0x03, 2, 7, 0x80],
            &[0x30, 0],
            &[0x31, 6, 0x02, 1, 1, 0x02, 1, 2],
            &[0xa0, 3, 0x02, 1, 2],
            &[0x80, 1, 9],
            b"\x17\x0d260101000000Z",
            b"\x18\x0f20260101000000Z",
            b"\x18\x1220260101000000.05Z",
            &[0x06, 3, 0x55, 4, 3],
        ] {
            assert!(is_strict(der), "{der:?}");
        }
        let mut long = vec![0x04, 0x81, 0x80];
        long.extend([0; 0x80]);
        assert!(is_strict(&long));
    }

    #[test]
    fn what_is_only_ber_is_refused() {
        for ber in [
            &[][..],
            &[0x02],
            &[0x02, 0],
            &[0x02, 1],
            &[0x02, 1, 0, 0],
            &[0x02, 2, 0, 0x7f],
            &[0x02, 2, 0xff, 0x80],
            &[0x02, 0x81, 1, 0],
            &[0x02, 0x82, 0, 1, 0],
            &[0x30, 0x80, 0, 0],
            &[0x01, 1, 1],
            &[0x01, 2, 0, 0],
            &[0x03, 2, 7, 0xc0],
            &[0x03, 1, 1],
            &[0x03, 2, 8, 0],
            &[0x03, 0],
            &[0x05, 1, 0],
            b"\x17\x0b2601010000Z",
            b"\x17\x11260101000000+0000",
            b"\x18\x0e20260101000000",
            b"\x18\x1020260101000000.Z",
            b"\x18\x1120260101000000.0Z",
            b"\x18\x1220260101000000.50Z",
            b"\x18\x1120260101000000,5Z",
            b"\x18\x0f2026010100000xZ",
            &[0x06, 0],
            &[0x06, 2, 0x55, 0x84],
            &[0x06, 3, 0x55, 0x80, 4],
            &[0x00, 0],
            &[0x24, 3, 0x04, 1, 0],
            &[0x31, 6, 0x02, 1, 2, 0x02, 1, 1],
            &[0x30, 3, 0x02, 2, 0],
        ] {
            assert_eq!(check(ber), Err(DerError::Malformed), "{ber:?}");
        }
        let mut long = vec![0x04, 0x81, 0x7f];
        long.extend([0; 0x7f]);
        assert!(!is_strict(&long));
    }
    #[test]
    fn what_is_not_supported_and_what_is_too_much_is_could_not_tell() {
        for der in [&[0x1f, 0x81, 0, 0][..], &[0x30, 4, 0x9f, 0x81, 0, 0]] {
            assert!(matches!(check(der), Err(DerError::Unsupported { .. })), "{der:?}");
        }
        let number = [&[0x06, 19][..], &[0xff; 18], &[0x7f]].concat();
        assert!(matches!(check(&number), Err(DerError::Unsupported { .. })));
        let sequence = |values: u16| {
            let content = [5, 0].repeat(values.into());
            [&[0x30, 0x82][..], &u16::try_from(content.len()).unwrap().to_be_bytes(), &content].concat()
        };
        assert_eq!(check(&sequence(20_000)), Ok(()));
        assert_eq!(check(&sequence(20_001)), Err(DerError::TooManyValues { limit: MOST_VALUES }));
    }
}
