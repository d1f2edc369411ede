//! The value of an option `KEY=VALUE`.

use bulla::text::is_unsafe_to_show;

/// Parses `KEY=VALUE`. The key must not be empty; the value may be.
pub(in crate::cli) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("an annotation is written KEY=VALUE".to_owned()),
    }
}

/// Parses an annotation to sign. Refuses an empty value, as `-a version="$VERSION"` has one if the variable is not set, and
/// a character that readers of the signature would not see.
pub(in crate::cli) fn to_sign(text: &str) -> Result<(String, String), String> {
    let (key, value) = pair(text)?;
    if value.trim().is_empty() {
        return Err("its value is empty (is a variable not set?)".to_owned());
    }
    check_shown(text)?;
    Ok((key, value))
}

/// Refuses to sign a character that does not show or changes how other text is shown.
pub(super) fn check_shown(text: &str) -> Result<(), String> {
    match text.chars().find(|c| is_unsafe_to_show(*c)) {
        Some(c) => Err(format!("it has a character that does not show, {}", c.escape_unicode())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_without_a_value_or_with_hidden_text_is_not_signed() {
        for whole in ["version=1.0", "note=a=b", "note= a b ", "é=ü"] {
            assert_eq!(to_sign(whole), pair(whole), "{whole:?}");
        }
        for bad in ["version", "=1", "version=", "version= ", "a=\u{1b}[2J", "a=\u{202e}b", "a\u{200b}=b", "a=b\n"] {
            assert!(to_sign(bad).is_err(), "{bad:?}");
        }
        // Somebody else may have signed one.
        assert!(pair("version=").is_ok());
    }
}
