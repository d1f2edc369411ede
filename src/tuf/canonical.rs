//! The canonical form of JSON that TUF signs (OLPC): keys sorted, no white space, only `"` and `\` escaped, integers alone.
//!
//! Two documents with the same canonical form have the same content, so a signature over the form covers the content.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Why a document has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotCanonical;

/// The canonical form of a value whose document has passed [`crate::json::check`]: that bounds the recursion, and no key
/// stands in an object twice.
pub(super) fn canonical(value: &RawValue) -> Result<Vec<u8>, NotCanonical> {
    let mut written = String::with_capacity(value.get().len());
    write(value, &mut written)?;
    Ok(written.into_bytes())
}

fn write(value: &RawValue, to: &mut String) -> Result<(), NotCanonical> {
    let text = value.get();
    match text.bytes().next() {
        Some(b'{') => write_object(&read(text)?, to),
        Some(b'[') => write_array(&read::<Vec<&RawValue>>(text)?, to),
        Some(b'"') => {
            write_string(&read::<Text<'_>>(text)?.0, to);
            Ok(())
        }
        Some(b'-' | b'0'..=b'9') if !is_integer(text) => Err(NotCanonical),
        _ => {
            to.push_str(text);
            Ok(())
        }
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, NotCanonical> {
    serde_json::from_str(text).map_err(|_| NotCanonical)
}

/// Whether a JSON number is an integer as every implementation writes it: no fraction, no exponent, no minus zero.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0"
}

fn write_object(object: &BTreeMap<Text<'_>, &RawValue>, to: &mut String) -> Result<(), NotCanonical> {
    to.push('{');
    for (position, (key, value)) in object.iter().enumerate() {
        to.push_str(if position > 0 { "," } else { "" });
        write_string(&key.0, to);
        to.push(':');
        write(value, to)?;
    }
    to.push('}');
    Ok(())
}

fn write_array(items: &[&RawValue], to: &mut String) -> Result<(), NotCanonical> {
    to.push('[');
    for (position, item) in items.iter().enumerate() {
        to.push_str(if position > 0 { "," } else { "" });
        write(item, to)?;
    }
    to.push(']');
    Ok(())
}

fn write_string(text: &str, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            to.push('\\');
        }
        to.push(c);
    }
    to.push('"');
}

/// A text, sorted by its UTF-8 bytes, which is the order of its code points.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        canonical(serde_json::from_str(text).unwrap()).ok().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn keys_are_sorted_and_white_space_goes() {
        let text = "{ \"b\": [ 1, -2, true, null ],\n \"a\" : { \"z\": \"\", \"B\": {} } , \"\u{fb33}\": 1, \"\u{1f602}\": 2 }";
        let wanted = "{\"a\":{\"B\":{},\"z\":\"\"},\"b\":[1,-2,true,null],\"\u{fb33}\":1,\"\u{1f602}\":2}";
        assert_eq!(written(text).unwrap(), wanted);
    }

    #[test]
    fn only_quotes_and_backslashes_are_escaped() {
        assert_eq!(written(r#""\u0061\/\n\"\\\u00e9""#).unwrap(), "\"a/\n\\\"\\\\é\"");
        assert_eq!(written(r#"{"\u0062":1,"a":2}"#).unwrap(), r#"{"a":2,"b":1}"#);
    }

    #[test]
    fn numbers_are_integers() {
        for good in ["0", "-1", "123456789012345678901234567890"] {
            assert_eq!(written(good).as_deref(), Some(good));
        }
        for bad in ["1.0", "1e3", "1E3", "-0", "[0.5]", "{\"a\":-0}"] {
            assert_eq!(written(bad), None, "{bad}");
        }
    }
}
