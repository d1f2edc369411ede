//! `JsonPointer`: the name of a value in a JSON document, RFC 6901.

use std::fmt;

/// A JSON Pointer (RFC 6901): `/decision/by`, in which `~1` stands for `/` and `~0` for `~`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JsonPointer {
    text: String,
    tokens: Vec<String>,
}

/// Why a text is no JSON Pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonPointerError {
    /// A `~` without `0` or `1` behind it.
    #[error("`~` is written `~0` in a JSON Pointer")]
    Escape,
    /// It does not begin with `/`.
    #[error("a JSON Pointer begins with `/`")]
    Slash,
    /// More segments than values are nested.
    #[error("a JSON Pointer has at most {most} segments", most = MAX_TOKENS)]
    TooLong,
}

impl JsonPointer {
    /// Reads a pointer to a value inside the document.
    ///
    /// # Errors
    /// [`JsonPointerError`]; also for the empty text, which names the whole document.
    pub fn parse(text: &str) -> Result<Self, JsonPointerError> {
        let inside = text.strip_prefix('/').ok_or(JsonPointerError::Slash)?;
        let tokens = inside.split('/').map(token).collect::<Result<Vec<_>, _>>()?;
        match tokens.len() > MAX_TOKENS {
            true => Err(JsonPointerError::TooLong),
            false => Ok(Self { text: text.to_owned(), tokens }),
        }
    }

    /// The names of fields and numbers of elements, from the outermost to the innermost.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn token(text: &str) -> Result<String, JsonPointerError> {
    let mut escapes = text.split('~').skip(1);
    match escapes.all(|behind| behind.starts_with(['0', '1'])) {
        // RFC 6901 section 4: `~1` first, so that `~01` becomes `~1`.
        true => Ok(text.replace("~1", "/").replace("~0", "~")),
        false => Err(JsonPointerError::Escape),
    }
}

/// The most segments of a pointer.
const MAX_TOKENS: usize = 64;
