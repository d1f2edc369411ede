//! Distinguished names as people write them: `CN=release,O=Example\, Inc.` (RFC 4514 section 3).

use crate::x509::Oid;
use crate::x509::PatternError;
use crate::x509::name;

/// Parses a distinguished name into its parts, each a list of attributes.
///
/// Spaces around attributes, `=` and values are dropped, as everybody writes some. A value in quotes (RFC 2253) or as
/// `#` and hexadecimal digits is refused: neither is compared as text.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<(Oid, String)>>, PatternError> {
    let mut parts = vec![Vec::new()];
    let mut rest = text;
    loop {
        let (keyword, value) =
            rest.split_once('=').ok_or_else(|| malformed(text, "an attribute has no `=` after its name"))?;
        let keyword = keyword.trim();
        let kind = name::kind_of(keyword)
            .or_else(|| Oid::parse(keyword))
            .ok_or_else(|| malformed(text, "the name of an attribute is neither known nor an object identifier"))?;
        let (value, end, after) = value_of(value).map_err(|reason| malformed(text, reason))?;
        if value.is_empty() {
            return Err(malformed(text, "an attribute has no value"));
        }
        if let Some(part) = parts.last_mut() {
            part.push((kind, value));
        }
        match end {
            None => return Ok(parts),
            Some('+') => (),
            Some(_) => parts.push(Vec::new()),
        }
        rest = after;
    }
}

/// Reads a value up to an unescaped `,`, `;` or `+`: the value, what ended it, and what comes after that.
fn value_of(text: &str) -> Result<(String, Option<char>, &str), &'static str> {
    let text = text.trim_start_matches(' ');
    if text.starts_with('#') {
        return Err("a value is written as `#` and digits, which is not compared as text");
    }
    let mut bytes = Vec::new();
    // How much of `bytes` stays when spaces at the end are dropped: up to the last character that is not one, or that
    // is an escaped one.
    let mut kept = 0;
    let mut rest = text.chars();
    let end = loop {
        let Some(c) = rest.next() else { break None };
        match c {
            ',' | ';' | '+' => break Some(c),
            '\\' => {
                bytes.extend(escaped(&mut rest)?);
                kept = bytes.len();
            }
            '"' | '<' | '>' => return Err("`\"`, `<` and `>` are written with a backslash before them"),
            '\0' => return Err("a value has a NUL character"),
            ' ' => bytes.push(b' '),
            c => {
                bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                kept = bytes.len();
            }
        }
    };
    bytes.truncate(kept);
    let value = String::from_utf8(bytes).map_err(|_| "an escaped value is not UTF-8")?;
    Ok((value, end, rest.as_str()))
}

/// What a backslash stands for, together with what follows it: a special character, or a byte as two digits.
fn escaped(rest: &mut std::str::Chars<'_>) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "a backslash is followed by neither a special character nor two hexadecimal digits";
    let first = rest.next().ok_or(WRONG)?;
    if matches!(first, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
        return Ok(vec![u8::try_from(first).map_err(|_| WRONG)?]);
    }
    let second = rest.next().ok_or(WRONG)?;
    let digits = first.to_digit(16).zip(second.to_digit(16)).ok_or(WRONG)?;
    let byte = u8::try_from(16 * digits.0 + digits.1).map_err(|_| WRONG)?;
    Ok(vec![byte])
}

fn malformed(text: &str, reason: &'static str) -> PatternError {
    PatternError::DistinguishedName { found: text.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<(String, String)>> {
        let parts = parse(text).unwrap().into_iter();
        parts.map(|part| part.into_iter().map(|(kind, value)| (kind.to_string(), value)).collect()).collect()
    }

    #[test]
    fn escapes_are_taken_out() {
        for (written, value) in [
            ("CN=a", "a"),
            ("CN = a ", "a"),
            (r"CN=a\, b", "a, b"),
            (r"CN=\ a\ ", " a "),
            (r"CN=a\20", "a "),
            (r"CN=\c3\A9t\e9\", ""),
            (r"CN=\c3\A9t", "ét"),
            (r"CN=a\\b\+\;\=\#", r"a\b+;=#"),
            ("CN=a=b", "a=b"),
            ("2.5.4.3=a  b", "a  b"),
        ] {
            match value {
                "" => assert!(parse(written).is_err(), "{written}"),
                value => assert_eq!(texts(written), [[("2.5.4.3".to_owned(), value.to_owned())]], "{written}"),
            }
        }
        assert_eq!(texts("C=US, ST=WA; O=x").len(), 3);
        assert_eq!(texts("C=US+ST=WA,O=x").iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        for written in [
            "",
            "CN",
            "CN=",
            "CN= ",
            "cn=a",
            "XY=a",
            "CN=a,",
            "CN=a,,O=b",
            "CN=#0403",
            "CN=\"a\"",
            "CN=a<b",
            r"CN=a\",
            r"CN=a\g",
            r"CN=a\0",
            r"CN=\ff",
            "CN=a\0",
            "=a",
            "+CN=a",
        ] {
            assert!(parse(written).is_err(), "{written}");
        }
    }
}
