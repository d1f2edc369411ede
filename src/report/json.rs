//! JSON output: without secrets, and without control and invisible characters that could manipulate a terminal (CWE-150).
//!
//! Invariant: every string, including object keys, is collected completely before it is written. So a secret is found even
//! if JSON escapes some of its characters.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::CharEscape;
use serde_json::ser::CompactFormatter;
use serde_json::ser::Formatter;
use serde_json::ser::PrettyFormatter;

use crate::redact::Secrets;
use crate::text::is_unsafe_to_show;

/// Writes `value` as indented JSON, without a final line end.
///
/// # Errors
/// Those of `out`, or a value that cannot be written as JSON.
pub fn write(out: &mut dyn Write, value: &impl Serialize, secrets: &Secrets) -> io::Result<()> {
    write_within(out, value, 0, secrets)
}

/// As [`write()`], with every line except the first indented by `indent` more spaces.
pub(super) fn write_within(
    out: &mut dyn Write,
    value: &impl Serialize,
    indent: usize,
    secrets: &Secrets,
) -> io::Result<()> {
    let mut out = Indented { indent, out };
    let formatter = RedactingFormatter::new(PrettyFormatter::new(), secrets);
    Ok(value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?)
}

/// Writes `value` as JSON on one line, without a final line end.
///
/// # Errors
/// As [`write()`].
pub fn write_line(out: &mut dyn Write, value: &impl Serialize, secrets: &Secrets) -> io::Result<()> {
    let formatter = RedactingFormatter::new(CompactFormatter, secrets);
    Ok(value.serialize(&mut Serializer::with_formatter(out, formatter))?)
}

/// A writer that indents lines. JSON has line ends only between its parts: in strings they are escaped.
struct Indented<'a> {
    indent: usize,
    out: &'a mut dyn Write,
}

impl Write for Indented<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut first = true;
        for line in bytes.split(|byte| *byte == b'\n') {
            if !std::mem::replace(&mut first, false) {
                write!(self.out, "\n{:1$}", "", self.indent)?;
            }
            self.out.write_all(line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A formatter that collects each string, redacts secrets, and escapes characters that hide. `inner` does the rest.
struct RedactingFormatter<'a, F> {
    inner: F,
    secrets: &'a Secrets,
    text: String,
}

impl<'a, F> RedactingFormatter<'a, F> {
    fn new(inner: F, secrets: &'a Secrets) -> Self {
        Self { inner, secrets, text: String::new() }
    }
}

impl<F: Formatter> Formatter for RedactingFormatter<'_, F> {
    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.text.clear();
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        self.text.push_str(fragment);
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, escaped: CharEscape) -> io::Result<()> {
        self.text.push(match escaped {
            CharEscape::Quote => '"',
            CharEscape::ReverseSolidus => '\\',
            CharEscape::Solidus => '/',
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(byte) => char::from(byte),
        });
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let json = serde_json::to_string(&self.secrets.hide_in_output(&self.text))?;
        let mut rest = json.as_str();
        while let Some(c) = rest.chars().find(|c| is_unsafe_to_show(*c)) {
            let (before, after) = rest.split_once(c).unwrap_or((rest, ""));
            out.write_all(before.as_bytes())?;
            c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))?;
            rest = after;
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_object_key(out, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_object_key(out)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_object_value(out)
    }

    /// Refuses raw JSON: it would be written without redaction and escapes.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "a report holds JSON that was not made for it"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    fn shown(value: &impl Serialize, secrets: &Secrets) -> String {
        let mut out = Vec::new();
        write_line(&mut out, value, secrets).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_secret_is_redacted_even_if_json_escapes_its_characters() {
        let secrets = Secrets::default();
        for secret in ["of-this-test-alone-4182", "quoted\"of\\this\ntest\u{1}alone\u{202e}7319"] {
            secrets.add(secret);
            let report =
                json!({ "a": [{ "deep": format!("before {secret} after") }], secret: null, format!("k-{secret}"): 1 });
            let written = shown(&report, &secrets);
            for redacted in [r#"{"deep":"before *** after"}"#, r#""***":null"#, r#""k-***":1"#] {
                assert!(written.contains(redacted), "{redacted} is not in {written}");
            }
        }
    }

    #[test]
    fn hiding_characters_are_escaped_and_the_rest_is_as_serde_json_writes_it() {
        let none = Secrets::default();
        let hidden = "a\u{1b}[2J\u{202e}b\u{e0041}\u{7f}\n\t\"\\/\u{8}\u{c}\r\u{1}";
        let written = shown(&json!({ hidden: hidden }), &none);
        assert!(written.is_ascii(), "{written}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), json!({ hidden: hidden }));
        let plain = json!({ "ü": ["日本語", 1, -2, 1.5, true, null, [], {}, { "a": "b\n\"" }] });
        assert_eq!(shown(&plain, &none), serde_json::to_string(&plain).unwrap());
        let mut out = Vec::new();
        write(&mut out, &plain, &none).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string_pretty(&plain).unwrap());
        let mut out = Vec::new();
        write_within(&mut out, &plain, 2, &none).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            serde_json::to_string_pretty(&plain).unwrap().replace('\n', "\n  ")
        );
    }

    #[test]
    fn raw_json_is_refused() {
        let raw = RawValue::from_string(r#""anything""#.to_owned()).unwrap();
        let mut out = Vec::new();
        write(&mut out, &raw, &Secrets::default()).unwrap_err();
    }
}
