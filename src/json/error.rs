//! `JsonError`: why bytes are not accepted as JSON.

use crate::text::Untrusted;

/// Why bytes are not accepted as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct JsonError {
    pub(super) limit: bool,
    pub(super) reason: String,
}

impl JsonError {
    /// Whether the document exceeds a limit; it may still be valid.
    pub const fn is_limit(&self) -> bool {
        self.limit
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        // The message of serde_json quotes the unexpected value, however long it is.
        let text = error.to_string();
        Self { limit: is_recursion_limit(&text), reason: Untrusted::within(&text, SHOWN).to_string() }
    }
}

/// Whether serde_json reports its own recursion limit, which it has where values are kept. Its error has no type for it:
/// the category of the error is that of any syntax error, so its text is compared, here and nowhere else.
fn is_recursion_limit(text: &str) -> bool {
    text.starts_with("recursion limit exceeded")
}

/// The longest key or other short text that a message quotes, in characters.
pub(super) const SHOWN_KEY: usize = 80;
/// The longest message of the parser, in characters.
pub(super) const SHOWN: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    /// This fails where a new version of serde_json calls its recursion limit by other words.
    #[test]
    fn the_recursion_limit_of_the_parser_is_a_limit() {
        let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let error = serde_json::from_str::<serde_json::Value>(&nested).unwrap_err();
        assert!(JsonError::from(error).is_limit());
        assert!(!JsonError::from(serde_json::from_str::<serde_json::Value>("[").unwrap_err()).is_limit());
    }

    /// The parser quotes what it found, of any length and with any character.
    #[test]
    fn what_the_parser_quotes_is_bounded_and_escaped() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}

        let text = serde_json::json!({ format!("a\u{202e}b{}", "x".repeat(1_000)): 1 }).to_string();
        let reason = JsonError::from(serde_json::from_str::<Empty>(&text).unwrap_err()).to_string();
        assert!(reason.contains("\\u{202e}") && reason.ends_with('…'), "{reason}");
        assert!(reason.chars().count() < 320, "{reason}");
    }
}
