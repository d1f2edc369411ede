//! Text of a registry, fit to be shown: truncated, escaped, without secrets.

use crate::redact::Secrets;
use crate::text::Untrusted;

/// `text` fit to be shown to people: bounded and escaped, without `secrets` and anything that looks like a token.
// Secrets are hidden first: escaped or cut, they would not be recognised.
pub(super) fn shown(text: &str, secrets: &Secrets) -> String {
    let words: Vec<String> = secrets.hide(text.trim()).split(' ').map(without_token).collect();
    Untrusted::within(&words.join(" "), SHOWN_MOST).to_string()
}

/// A word, without any parts that look like JSON web tokens.
fn without_token(word: &str) -> String {
    let mut kept = String::new();
    let mut rest = word;
    while let Some((before, token)) = rest.split_once("eyJ") {
        kept.push_str(before);
        kept.push_str("***");
        rest = token.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.=+/".contains(c));
    }
    kept + rest
}

/// Parses a number without a sign.
pub(super) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// How much of a registry's text is shown, in characters.
const SHOWN_MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_neither_secrets_nor_escapes() {
        let secrets = Secrets::default();
        secrets.add("hunter2");
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln";
        let text = format!("\u{1b}[31mbad\u{7}\r\n password=hunter2 Bearer {jwt}\u{202e} (\"{jwt}\")");
        let shown = shown(&text, &secrets);
        assert_eq!(shown, "\\u{1b}[31mbad\\u{7}\\u{d}\\u{a} password=*** Bearer ***\\u{202e} (\"***\")");
    }

    #[test]
    fn shows_a_bounded_number_of_characters() {
        let shown = shown(&"é".repeat(100_000), &Secrets::default());
        assert_eq!(shown.chars().count(), SHOWN_MOST + 1);
    }
}
