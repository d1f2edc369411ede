//! `JsonError`: why bytes are not accepted as JSON.

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

/// The beginning of `text`, which somebody else wrote, in the length that a message shows.
pub fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_KEY).collect()
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        // The message of serde_json quotes the unexpected value, however long it is.
        let reason: String = error.to_string().chars().take(SHOWN).collect();
        // The text is that of serde_json, which has a recursion limit of its own where values are kept.
        Self { limit: reason.starts_with("recursion limit exceeded"), reason }
    }
}

/// The longest key or other short text that a message quotes, in characters.
pub(super) const SHOWN_KEY: usize = 80;
/// The longest message of the parser, in characters.
pub(super) const SHOWN: usize = 300;
