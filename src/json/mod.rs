//! Strict JSON, which all readers understand alike: duplicate keys, and keys that differ from a field name only in
//! case, are refused; depth and size are bounded.

mod canonical;
mod deep;
mod error;
mod field_name;
mod go;
mod objects;
mod seen_keys;

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::value::RawValue;

use crate::limits::Limits;
use crate::limits::count;
use crate::text::Untrusted;

pub use canonical::canonical;
pub use error::JsonError;
pub use error::JsonErrorReason;
pub use error::NumberFault;
pub use field_name::fold_case;
pub use go::to_go;

use error::SHOWN_KEY;
use field_name::FieldName;
use objects::Objects;
use seen_keys::SeenKeys;

/// Reads `bytes` as a `T`, after the whole document has passed [`check`].
///
/// # Errors
/// [`JsonError`] that says what is wrong and where.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limits: &Limits) -> Result<T, JsonError> {
    check(bytes, limits)?;
    read(bytes)
}

/// As [`parse`], for a document whose length has already been bounded: a string without escapes may be as long as the
/// document, since reading it copies nothing.
///
/// # Errors
/// [`JsonError`] that says what is wrong and where.
pub fn parse_document<'de, T: Deserialize<'de>>(bytes: &'de [u8], limits: &Limits) -> Result<T, JsonError> {
    walk(bytes, limits, limits.json.string_bytes.max(count(bytes.len())))?;
    read(bytes)
}

/// Deserializes `bytes`, which have passed [`check`]. An array does not stand for a structure, and a key that differs
/// from a field name in case only is refused as ambiguous.
///
/// # Errors
/// [`JsonError`] that says what is wrong and where.
pub fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = T::deserialize(Objects(&mut reader)).and_then(|read| reader.end().map(|()| read));
    read.map_err(|error| JsonError::of_parser(&error, bytes))
}

/// Checks that all readers understand a JSON document alike: no invalid UTF-8, byte order mark, duplicate keys,
/// trailing data or lone surrogates. It must also be within `limits`. RFC 8259, RFC 7493 (I-JSON) section 2.
///
/// # Errors
/// [`JsonError`] that says what is wrong and where.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<(), JsonError> {
    walk(bytes, limits, limits.json.string_bytes)
}

/// Whether a string or key of `bytes`, which have passed [`check`], contains a NUL character. It can only be written as
/// an escape, whose backslash is not itself escaped.
pub fn has_nul(bytes: &[u8]) -> bool {
    // The search of the standard library is the fastest for most documents, which have no escapes.
    if !bytes.contains(&b'\\') {
        return false;
    }
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let Some((_, escape)) = rest.split_at_checked(at + 1) else { return false };
        if escape.starts_with(b"u0000") {
            return true;
        }
        // The character after a backslash is part of the escape.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

/// The text of a JSON string, and the source of every other value, as it is written: numbers keep all their digits.
pub(crate) fn text_or_source(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

fn walk(bytes: &[u8], limits: &Limits, max_unescaped: u64) -> Result<(), JsonError> {
    if limits.json.depth > MAX_RECURSION {
        return deep::check(bytes, limits, max_unescaped);
    }
    let mut usage = Usage { fault: None, max_unescaped, values: 0 };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let walk = ValueWalk { depth: 0, limits, usage: &mut usage };
    let walked = walk.deserialize(&mut reader);
    walked.map_err(|error| match usage.fault {
        Some(fault) => JsonError::at(&error, fault),
        None => error.into(),
    })?;
    reader.end()?;
    Ok(())
}

/// The nesting limit up to which documents are checked by recursion; [`deep`] checks those with a higher limit.
const MAX_RECURSION: u64 = 64;

/// The part of the limits that a walk has used.
struct Usage {
    /// Why the walk ended. The error of serde can carry it as text only.
    fault: Option<JsonErrorReason>,
    /// The limit of a string without escapes, in bytes.
    max_unescaped: u64,
    values: u64,
}

struct ValueWalk<'a> {
    depth: u64,
    limits: &'a Limits,
    usage: &'a mut Usage,
}

impl ValueWalk<'_> {
    fn fail<E: serde::de::Error>(&mut self, fault: JsonErrorReason) -> E {
        let error = E::custom(&fault);
        self.usage.fault = Some(fault);
        error
    }

    fn within<E: serde::de::Error>(&mut self, text: &str, most: u64) -> Result<(), E> {
        match count(text.len()) > most {
            true => Err(self.fail(JsonErrorReason::StringTooLong(most))),
            false => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueWalk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        self.usage.values += 1;
        if self.usage.values > self.limits.json.values {
            return Err(self.fail(JsonErrorReason::TooManyValues(self.limits.json.values)));
        }
        if self.depth > self.limits.json.depth {
            return Err(self.fail(JsonErrorReason::TooDeep(self.limits.json.depth)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueWalk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        self.within(text, self.limits.json.string_bytes)
    }

    fn visit_borrowed_str<E: serde::de::Error>(mut self, text: &'de str) -> Result<(), E> {
        self.within(text, self.usage.max_unescaped)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let next = ValueWalk { depth: self.depth + 1, limits: self.limits, usage: &mut *self.usage };
            if items.next_element_seed(next)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = SeenKeys::default();
        while let Some(FieldName(key)) = fields.next_key::<FieldName<'de>>()? {
            self.within(&key, self.limits.json.string_bytes)?;
            let next = ValueWalk { depth: self.depth + 1, limits: self.limits, usage: &mut *self.usage };
            fields.next_value_seed(next)?;
            if let Some(twice) = seen.add(key) {
                let twice = Untrusted::within(&twice, SHOWN_KEY);
                return Err(self.fail(JsonErrorReason::DuplicateKey(twice)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::error::SHOWN;
    use super::*;

    // Findings keep thousands of such messages.
    #[test]
    fn quotes_little_of_what_it_did_not_expect() {
        let long = "x".repeat(100_000);
        let said = |text: String| parse::<u8>(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string();
        let quoted = said(format!("\"{long}\""));
        let (message, _position) = quoted.rsplit_once(" at line ").unwrap();
        assert!(message.chars().count() <= SHOWN + 1 && message.contains("xxx"), "{quoted}");
        let twice = said(format!("{{\"{long}\":1,\"{long}\":2}}"));
        assert!(twice.len() <= SHOWN && twice.contains("stands twice"), "{twice}");
    }

    #[test]
    fn a_long_string_has_no_escapes() {
        let limits = Limits::DEFAULT.with(|limits| limits.json.string_bytes = 10);
        let reads = |text: &str| parse_document::<Cow<'_, str>>(text.as_bytes(), &limits);
        assert_eq!(reads("\"12345678901\"").unwrap(), "12345678901");
        assert_eq!(reads("\"123456789\\/\"").unwrap(), "123456789/");
        assert!(reads("\"1234567890\\/\"").unwrap_err().is_limit());
        assert!(parse::<String>(b"\"12345678901\"", &limits).unwrap_err().is_limit());
    }
}
