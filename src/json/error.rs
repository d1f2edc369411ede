//! `JsonError`: why bytes are not accepted as JSON, and where.

use std::fmt;
use std::str::Utf8Error;

use crate::text::Untrusted;

/// Why bytes are not accepted as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The line and the column, if they are known and the reason does not name them itself.
    position: Option<(usize, usize)>,
    reason: JsonErrorReason,
}

/// What is wrong with a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorReason {
    /// Two fields of one object have the same key.
    #[error("the key {0:?} stands twice in one object")]
    DuplicateKey(Untrusted),
    /// A number has no canonical form (RFC 8785 section 3.2.2.3).
    #[error("the number {0} {1}")]
    Number(Untrusted, NumberFault),
    /// The document does not equal what would be written for its content.
    #[error("a value stands in another form than the one that is written")]
    OtherForm,
    /// The document is not JSON, or not of the expected type: the message of the parser.
    #[error("{0}")]
    Parser(Untrusted),
    /// The parser's own limit on nesting is exceeded.
    #[error("{0}")]
    ParserDepth(Untrusted),
    /// A string is longer than the limit, in bytes.
    #[error("a string longer than {0} bytes")]
    StringTooLong(u64),
    /// Values are nested deeper than the limit.
    #[error("nested deeper than {0}")]
    TooDeep(u64),
    /// The document is longer than the limit, in bytes.
    #[error("longer than {0} bytes")]
    TooLong(u64),
    /// The number of values exceeds the limit.
    #[error("more than {0} values")]
    TooManyValues(u64),
    /// The document is not UTF-8.
    #[error("not UTF-8: {0}")]
    Utf8(Utf8Error),
}

/// Why a number has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberFault {
    /// A double cannot hold all digits of the integer.
    #[error("is an integer that a double cannot hold with all its digits")]
    Inexact,
    /// It is not a number.
    #[error("is not a number")]
    NotANumber,
    /// It is larger than any double.
    #[error("is out of range")]
    OutOfRange,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        match self.position {
            Some((line, column)) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for JsonError {}

impl JsonError {
    /// What is wrong.
    pub const fn reason(&self) -> &JsonErrorReason {
        &self.reason
    }

    /// Whether two fields of one object have the same key.
    pub const fn is_duplicate_key(&self) -> bool {
        matches!(self.reason, JsonErrorReason::DuplicateKey(_))
    }

    /// Whether the document exceeds a limit; it may still be valid.
    pub const fn is_limit(&self) -> bool {
        use JsonErrorReason::ParserDepth;
        use JsonErrorReason::StringTooLong;
        use JsonErrorReason::TooDeep;
        use JsonErrorReason::TooLong;
        use JsonErrorReason::TooManyValues;
        matches!(self.reason, ParserDepth(_) | StringTooLong(_) | TooDeep(_) | TooLong(_) | TooManyValues(_))
    }

    /// The same error, with each text of the document in it converted by `text`.
    #[cfg(feature = "registry")]
    pub(crate) fn converted(self, text: impl Fn(&str) -> String) -> Self {
        let reason = match self.reason {
            JsonErrorReason::DuplicateKey(key) => JsonErrorReason::DuplicateKey(key.converted(text)),
            JsonErrorReason::Number(number, fault) => JsonErrorReason::Number(number.converted(text), fault),
            JsonErrorReason::Parser(message) => JsonErrorReason::Parser(message.converted(text)),
            JsonErrorReason::ParserDepth(message) => JsonErrorReason::ParserDepth(message.converted(text)),
            other @ (JsonErrorReason::OtherForm
            | JsonErrorReason::StringTooLong(_)
            | JsonErrorReason::TooDeep(_)
            | JsonErrorReason::TooLong(_)
            | JsonErrorReason::TooManyValues(_)
            | JsonErrorReason::Utf8(_)) => other,
        };
        Self { position: self.position, reason }
    }

    /// The error with which the parser refused `bytes`, which have passed [`check`](super::check). They are valid JSON, so an
    /// error of syntax in a document that is nested too deeply for the parser is the parser's own limit, for which its
    /// error has no type.
    pub(super) fn of_parser(error: &serde_json::Error, bytes: &[u8]) -> Self {
        let reason = match error.is_syntax() && exceeds_parser_depth(bytes) {
            true => JsonErrorReason::ParserDepth(message(error)),
            false => JsonErrorReason::Parser(message(error)),
        };
        Self::at(error, reason)
    }

    /// The error with the position of the offset `end` of `text`, at which its token ends, unless it has a position.
    pub(super) fn in_text(self, text: &str, end: usize) -> Self {
        let before = text.get(..end).unwrap_or(text);
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        let here = || (before.matches('\n').count() + 1, column);
        Self { position: Some(self.position.unwrap_or_else(here)), ..self }
    }

    /// The error with `reason`, at the position at which the parser stopped with `error`.
    pub(super) fn at(error: &serde_json::Error, reason: JsonErrorReason) -> Self {
        Self { position: (error.line() > 0).then(|| (error.line(), error.column())), reason }
    }
}

impl JsonErrorReason {
    /// Why the parser refused one token of a document: its position is that in the token.
    pub(super) fn of_token(error: &serde_json::Error) -> Self {
        Self::Parser(message(error))
    }
}

impl From<JsonErrorReason> for JsonError {
    fn from(reason: JsonErrorReason) -> Self {
        Self { position: None, reason }
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::at(&error, JsonErrorReason::Parser(message(&error)))
    }
}

/// The message of the parser without its position. It quotes the unexpected value, however long it is.
fn message(error: &serde_json::Error) -> Untrusted {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    Untrusted::within(text.strip_suffix(&position).unwrap_or(&text), SHOWN)
}

/// Whether values are nested so deeply that the parser gives up where it keeps them.
fn exceeds_parser_depth(bytes: &[u8]) -> bool {
    let (mut depth, mut escaped, mut in_string) = (0_u64, false, false);
    bytes.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > PARSER_DEPTH
    })
}

/// The nesting that serde_json accepts where it keeps values.
const PARSER_DEPTH: u64 = 127;

/// The longest key or other short text that a message quotes, in characters.
pub(super) const SHOWN_KEY: usize = 80;
/// The longest message of the parser, in characters.
pub(super) const SHOWN: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::check;
    use crate::limits::Limits;

    /// This fails where a new version of serde_json has another recursion limit.
    #[test]
    fn the_recursion_limit_of_the_parser_is_a_limit() {
        let read = |depth: usize, inner: &str| {
            let text = format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
            let read = crate::json::read::<serde_json::Value>(text.as_bytes());
            read.map(drop).map_err(|error| error.is_limit())
        };
        assert_eq!((read(127, "1"), read(128, "1"), read(200, "1")), (Ok(()), Err(true), Err(true)));
        // Brackets in strings do not nest.
        let text = format!(r#"[1,"{}\"{}"]"#, "[".repeat(200), "{".repeat(200));
        assert!(crate::json::read::<Vec<String>>(text.as_bytes()).is_err_and(|error| !error.is_limit()));
        let error = crate::json::read::<serde_json::Value>(format!("{text}]").as_bytes()).unwrap_err();
        assert!(!error.is_limit(), "{error}");
    }

    #[test]
    fn the_reason_is_typed_and_the_message_names_the_position() {
        let limits = Limits::DEFAULT.with(|limits| {
            limits.json.depth = 2;
            limits.json.string_bytes = 3;
            limits.json.values = 4;
        });
        for (text, want, message) in [
            ("[[[1]]]", JsonErrorReason::TooDeep(2), "nested deeper than 2 at line 1 column 3"),
            ("[1,2,3,4]", JsonErrorReason::TooManyValues(4), "more than 4 values at line 1 column 7"),
            ("\"abcd\"", JsonErrorReason::StringTooLong(3), "a string longer than 3 bytes at line 1 column 6"),
            (
                "{\"a\":1,\"a\":2}",
                JsonErrorReason::DuplicateKey(Untrusted::new("a")),
                "the key \"a\" stands twice in one object at line 1 column 13",
            ),
        ] {
            let error = check(text.as_bytes(), &limits).unwrap_err();
            assert_eq!((error.reason(), error.to_string().as_str()), (&want, message));
            assert_eq!(error.is_limit(), !matches!(want, JsonErrorReason::DuplicateKey(_)), "{text}");
        }
        assert!(matches!(check(b"[", &limits).unwrap_err().reason(), JsonErrorReason::Parser(_)));
    }

    /// The parser quotes what it found, of any length and with any character.
    #[test]
    fn what_the_parser_quotes_is_bounded_and_escaped() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}

        let text = serde_json::json!({ format!("a\u{202e}b{}", "x".repeat(1_000)): 1 }).to_string();
        let reason = JsonError::from(serde_json::from_str::<Empty>(&text).unwrap_err()).to_string();
        let (message, position) = reason.rsplit_once(" at line ").unwrap();
        assert!(message.contains("\\u{202e}") && message.ends_with('…'), "{reason}");
        assert!(message.chars().count() < 320 && position.starts_with("1 column 10"), "{reason}");
    }
}
