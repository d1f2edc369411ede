//! Text of a registry, fit to be shown: truncated, escaped, without secrets.

use crate::redact::Secrets;

/// `text` fit to be shown: at most 1 KiB, without control characters, without `secrets` and anything that looks like a
/// token.
pub(super) fn shown(text: &str, secrets: &Secrets) -> String {
    let words: Vec<String> = secrets.hide(text.trim()).split(' ').map(without_token).collect();
    let mut short = String::new();
    for character in words.join(" ").chars() {
        let hidden = character.is_control() || is_invisible(character);
        match hidden {
            true => short.extend(character.escape_default()),
            false => short.push(character),
        }
        if short.len() >= SHOWN_MOST {
            short.push('…');
            break;
        }
    }
    short
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

/// Whether a character is invisible or changes how others are shown.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The longest shown text of a registry, in bytes.
const SHOWN_MOST: usize = 1 << 10;

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
        assert_eq!(shown, "\\u{1b}[31mbad\\u{7}\\r\\n password=*** Bearer ***\\u{202e} (\"***\")");
    }

    #[test]
    fn shows_at_most_a_kibibyte() {
        let shown = shown(&"é".repeat(100_000), &Secrets::default());
        assert!(shown.len() <= SHOWN_MOST + 4);
    }
}
