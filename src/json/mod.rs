//! Strict JSON: one reading only. Duplicate keys are refused, depth and size are bounded.

mod canonical;

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::limits::Limits;

pub use canonical::canonical;

/// Why bytes are not JSON that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct JsonError {
    reason: String,
}

/// Reads `bytes` as a `T`, after the whole document has passed [`check`].
///
/// # Errors
/// [`JsonError`] that says what is wrong and where.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, JsonError> {
    check(bytes, limits)?;
    serde_json::from_slice(bytes).map_err(JsonError::from)
}

/// Refuses what two readers could read differently: invalid UTF-8, a byte order mark, duplicate keys, trailing data,
/// lone surrogates; and what costs more than `limits` allow. RFC 8259, RFC 7493 section 2.
///
/// # Errors
/// [`JsonError`] that says what is wrong and where.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<(), JsonError> {
    let mut values = 0;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let walk = Walk { depth: 0, limits, values: &mut values };
    walk.deserialize(&mut reader)?;
    reader.end()?;
    Ok(())
}

/// Writes `value` as Go's `encoding/json` does: compact, and with `<`, `>`, `&`, U+2028 and U+2029 escaped inside
/// strings.
///
/// # Errors
/// [`JsonError`] where `value` has no JSON form.
pub fn to_go<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, JsonError> {
    let text = serde_json::to_string(value)?;
    // Outside strings none of these characters can stand, so what is replaced is always inside one.
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => written.push_str("\\u003c"),
            '>' => written.push_str("\\u003e"),
            '&' => written.push_str("\\u0026"),
            '\u{2028}' => written.push_str("\\u2028"),
            '\u{2029}' => written.push_str("\\u2029"),
            other => written.push(other),
        }
    }
    Ok(written.into_bytes())
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self { reason: error.to_string() }
    }
}

struct Walk<'a> {
    depth: usize,
    limits: &'a Limits,
    values: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        *self.values += 1;
        if *self.values > self.limits.json_values {
            return Err(D::Error::custom(format!("more than {} values", self.limits.json_values)));
        }
        if self.depth > self.limits.json_depth {
            return Err(D::Error::custom(format!("nested deeper than {}", self.limits.json_depth)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
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

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        within(text, self.limits)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let next = Walk { depth: self.depth + 1, limits: self.limits, values: &mut *self.values };
            if items.next_element_seed(next)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            within(&key, self.limits)?;
            let next = Walk { depth: self.depth + 1, limits: self.limits, values: &mut *self.values };
            fields.next_value_seed(next)?;
            if let Some(twice) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key {twice:?} stands twice in one object")));
            }
        }
        Ok(())
    }
}

fn within<E: serde::de::Error>(text: &str, limits: &Limits) -> Result<(), E> {
    match text.len() > limits.json_string_bytes {
        true => Err(E::custom(format!("a string longer than {} bytes", limits.json_string_bytes))),
        false => Ok(()),
    }
}
