//! `to_go`: JSON as Go's `encoding/json` writes it.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::json::JsonError;

/// Writes `value` as Go's `encoding/json` does: compact, and with `<`, `>`, `&`, U+2028 and U+2029 escaped inside
/// strings.
///
/// # Errors
/// [`JsonError`] where `value` has no JSON form.
pub fn to_go<T: Serialize>(value: &T) -> Result<Vec<u8>, JsonError> {
    let mut written = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut written, GoFormatter))?;
    Ok(written)
}

/// The compact format with Go's escapes, in strings and in parts that are written as they were read.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escape(writer, fragment)
    }

    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Outside strings none of the escaped characters can stand.
        escape(writer, fragment)
    }
}

fn escape<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some((before, escaped, after)) = next_escape(rest) {
        writer.write_all(before.as_bytes())?;
        writer.write_all(escaped.as_bytes())?;
        rest = after;
    }
    writer.write_all(rest.as_bytes())
}

/// The text before the first character that Go escapes, its escape, and the text after it.
fn next_escape(text: &str) -> Option<(&str, &'static str, &str)> {
    let (position, character) = text.char_indices().find(|(_, character)| escape_of(*character).is_some())?;
    let (before, from) = text.split_at_checked(position)?;
    Some((before, escape_of(character)?, from.get(character.len_utf8()..)?))
}

const fn escape_of(character: char) -> Option<&'static str> {
    match character {
        '<' => Some("\\u003c"),
        '>' => Some("\\u003e"),
        '&' => Some("\\u0026"),
        '\u{2028}' => Some("\\u2028"),
        '\u{2029}' => Some("\\u2029"),
        _ => None,
    }
}
