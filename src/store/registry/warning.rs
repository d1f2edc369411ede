//! Warnings of a registry: `Warning: 299 - "…"`. They are shown and have no other effect. Distribution specification
//! 1.1, "Warnings"; RFC 7234, section 5.5.

use reqwest::header::HeaderMap;
use reqwest::header::WARNING;

use super::text::shown;
use crate::redact::Secrets;

/// The warnings in `headers`, fit to be shown, with `secrets` redacted.
pub(super) fn read<'a>(headers: &'a HeaderMap, secrets: &'a Secrets) -> impl Iterator<Item = String> + 'a {
    let values = headers.get_all(WARNING).iter().take(MAX_WARNINGS);
    values.filter_map(|value| text(value.as_bytes())).map(|text| shown(&text, secrets)).filter(|text| !text.is_empty())
}

/// The text of a header value of the form `299 - "TEXT"`.
fn text(value: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(value);
    let quoted = value.trim().strip_prefix("299 - \"")?;
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

/// The limit of different warnings that are kept for one registry.
pub(super) const MAX_WARNINGS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_calls_a_warning_is_one() {
        for (value, want) in [
            (r#"299 - "read the notice""#, Some("read the notice")),
            (r#"299 - "with \"quotes\" and \\""#, Some(r#"with "quotes" and \"#)),
            (r#"299 - "text" "Sat, 21 Nov 2026 00:00:00 GMT""#, Some("text")),
            (r#"299 registry "text""#, None),
            (r#"199 - "text""#, None),
            (r#"299 - "text"#, None),
            (r#"299 - "text\"#, None),
            ("299 - text", None),
            ("", None),
        ] {
            assert_eq!(text(value.as_bytes()).as_deref(), want, "{value}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_holds_no_secret() {
        let secrets = Secrets::default();
        secrets.add("hunter2");
        let mut headers = HeaderMap::new();
        headers.append(WARNING, r#"299 - "hunter2""#.parse().unwrap());
        headers.append(WARNING, r#"299 - """#.parse().unwrap());
        for n in 0..2 * MAX_WARNINGS {
            headers.append(WARNING, format!(r#"299 - "{n}""#).parse().unwrap());
        }
        let read: Vec<_> = read(&headers, &secrets).collect();
        assert_eq!(read.first().map(String::as_str), Some("***"));
        assert_eq!(read.len(), MAX_WARNINGS - 1);
    }
}
