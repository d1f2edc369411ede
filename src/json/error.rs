//! `JsonError`: why bytes are not JSON that is read.

/// Why bytes are not JSON that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct JsonError {
    pub(super) limit: bool,
    pub(super) reason: String,
}

impl JsonError {
    /// Whether the document may well be right, and is only more than the limits allow to read.
    pub const fn is_limit(&self) -> bool {
        self.limit
    }
}

/// As much of `text`, which somebody else wrote, as a message shows.
pub fn shorten(text: &str) -> String {
    text.chars().take(SHOWN_KEY).collect()
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        // It quotes what it did not expect, however long that is.
        let reason: String = error.to_string().chars().take(SHOWN).collect();
        // The reader has a limit of its own where values are kept; the words are those of serde_json.
        Self { limit: reason.starts_with("recursion limit exceeded"), reason }
    }
}

/// How much of a key or another short text a message shows, in characters.
pub(super) const SHOWN_KEY: usize = 80;
/// How much of what it found a message shows, in characters.
pub(super) const SHOWN: usize = 300;
