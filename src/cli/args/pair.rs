//! The value of an option `KEY=VALUE`.

/// Parses `KEY=VALUE`. The key must not be empty; the value may be.
pub(in crate::cli) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("an annotation is written KEY=VALUE".to_owned()),
    }
}
