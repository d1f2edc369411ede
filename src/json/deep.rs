//! Strict JSON for deeply nested documents such as predicates: checked without recursion, so `limits.json.depth` alone
//! bounds the nesting, not the call stack.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::hash::RandomState;

use memchr::memchr2;
use serde::de::IgnoredAny;

use crate::json::JsonError;
use crate::json::JsonErrorReason;
use crate::json::error::SHOWN_KEY;
use crate::json::field_name::FieldName;
use crate::limits::Limits;
use crate::limits::count;
use crate::text::Untrusted;

/// An array or object that is not closed yet.
enum OpenValue {
    Array,
    /// The keys so far, eight bytes for each, since a document may have millions: the upper half is that of a keyed
    /// hash, the lower half the offset in the text.
    Object(Vec<u64>),
}

/// The mask of the half of an entry that is the offset in the text.
const OFFSET_MASK: u64 = 0xffff_ffff;

/// Checks a document by the same rules as [`check`](super::check), with a stack of its own in place of the call stack.
/// `max_unescaped` is the limit of a string without escapes, in bytes.
/// 1. `serde_json` checks the grammar; it skips values without recursion.
/// 2. A walk over the tokens checks depth, number of values, strings, numbers, and duplicate keys.
pub(super) fn check(bytes: &[u8], limits: &Limits, max_unescaped: u64) -> Result<(), JsonError> {
    let _skipped: IgnoredAny = serde_json::from_slice(bytes)?;
    let text = str::from_utf8(bytes).map_err(JsonErrorReason::Utf8)?;
    let hasher = RandomState::new();
    let mut walk = TokenWalk { hasher, key_is_next: false, limits, open: Vec::new(), max_unescaped, text, values: 0 };
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'"' => string_length(rest),
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => 1,
            _ => rest.bytes().position(|byte| b",}] \t\n\r".contains(&byte)).unwrap_or(rest.len()),
        };
        let Some((token, after)) = rest.split_at_checked(length) else { break };
        let offset = text.len() - rest.len();
        walk.token(first, token, offset).map_err(|error| error.in_text(text, offset + length))?;
        rest = after;
    }
    Ok(())
}

struct TokenWalk<'a> {
    hasher: RandomState,
    key_is_next: bool,
    limits: &'a Limits,
    open: Vec<OpenValue>,
    /// The limit of a string without escapes, in bytes.
    max_unescaped: u64,
    text: &'a str,
    values: u64,
}

impl<'a> TokenWalk<'a> {
    /// Checks one token, which begins with the byte `first`: nesting, numbers of values, strings, and keys that repeat.
    fn token(&mut self, first: u8, token: &'a str, offset: usize) -> Result<(), JsonError> {
        match first {
            b'{' => self.begin(OpenValue::Object(Vec::new())),
            b'[' => self.begin(OpenValue::Array),
            b'}' | b']' => {
                self.key_is_next = false;
                match self.open.pop() {
                    Some(OpenValue::Object(keys)) => check_unique_keys(self.text, keys),
                    _ => Ok(()),
                }
            }
            b',' => {
                self.key_is_next = matches!(self.open.last(), Some(OpenValue::Object(_)));
                Ok(())
            }
            b':' => {
                self.key_is_next = false;
                Ok(())
            }
            b' ' | b'\t' | b'\n' | b'\r' => Ok(()),
            b'"' => self.string(token, offset),
            _ => {
                self.value()?;
                let scalar: Result<serde_json::Value, _> = serde_json::from_str(token);
                scalar.map_err(|error| JsonErrorReason::of_token(&error))?;
                Ok(())
            }
        }
    }

    fn begin(&mut self, open: OpenValue) -> Result<(), JsonError> {
        self.value()?;
        self.key_is_next = matches!(open, OpenValue::Object(_));
        self.open.push(open);
        Ok(())
    }

    /// Counts a value.
    ///
    /// # Errors
    /// [`JsonError`] if there are more values than the limit, or they nest deeper.
    fn value(&mut self) -> Result<(), JsonError> {
        self.values += 1;
        if self.values > self.limits.json.values {
            return Err(JsonErrorReason::TooManyValues(self.limits.json.values).into());
        }
        match count(self.open.len()) > self.limits.json.depth {
            true => Err(JsonErrorReason::TooDeep(self.limits.json.depth).into()),
            false => Ok(()),
        }
    }

    /// Checks the length of a string, and records it if it is a key.
    fn string(&mut self, token: &'a str, offset: usize) -> Result<(), JsonError> {
        let FieldName(text) = serde_json::from_str(token).map_err(|error| JsonErrorReason::of_token(&error))?;
        let most = match text {
            Cow::Borrowed(_) if !self.key_is_next => self.max_unescaped,
            _ => self.limits.json.string_bytes,
        };
        if !self.key_is_next {
            self.value()?;
        }
        if count(text.len()) > most {
            return Err(JsonErrorReason::StringTooLong(most).into());
        }
        if let Some(OpenValue::Object(keys)) = self.open.last_mut().filter(|_| self.key_is_next) {
            let offset = u32::try_from(offset).map_err(|_| JsonErrorReason::TooLong(OFFSET_MASK))?;
            keys.push((self.hasher.hash_one(text.as_ref()) & !OFFSET_MASK) | u64::from(offset));
        }
        Ok(())
    }
}

/// Refuses an object with a duplicate key. Only keys with equal hashes are compared.
fn check_unique_keys(text: &str, mut keys: Vec<u64>) -> Result<(), JsonError> {
    keys.sort_unstable();
    for alike in keys.chunk_by(|one, other| one & !OFFSET_MASK == other & !OFFSET_MASK).filter(|alike| alike.len() > 1)
    {
        let mut seen = HashSet::new();
        for key in alike {
            let offset = usize::try_from(key & OFFSET_MASK).unwrap_or(text.len());
            let token = text.get(offset..).unwrap_or_default();
            let length = string_length(token);
            let FieldName(key) = serde_json::from_str(token.get(..length).unwrap_or_default())?;
            if let Some(twice) = seen.replace(key) {
                let reason = JsonErrorReason::DuplicateKey(Untrusted::within(&twice, SHOWN_KEY));
                return Err(JsonError::from(reason).in_text(text, offset + length));
            }
        }
    }
    Ok(())
}

/// The length of the string token at the beginning of `text`, with its quotation marks, in bytes.
fn string_length(text: &str) -> usize {
    let mut rest = text.get(1..).unwrap_or_default().as_bytes();
    while let Some((found, after)) = memchr2(b'"', b'\\', rest).and_then(|at| rest.get(at..)?.split_first()) {
        if *found == b'"' {
            return text.len() - after.len();
        }
        rest = after.get(1..).unwrap_or_default();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use crate::json::check;
    use crate::limits::Limits;
    use crate::limits::count;

    fn limits(json_depth: u64) -> Limits {
        Limits::DEFAULT.with(|limits| {
            limits.json.depth = json_depth;
            limits.json.string_bytes = 10;
            limits.json.values = 20;
        })
    }

    #[test]
    fn says_what_the_walk_by_recursion_says() {
        for text in [
            "{}",
            "[]",
            " [1, -2.5e3 ,true,false,null,\"\"] ",
            r#"{"a":{"a":[{"a":1},{"a":2}]},"b":"\"\\"}"#,
            "1",
            "\"x\"",
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "[1 2]",
            "01",
            "1e999",
            "nul",
            "[}",
            "{}{}",
            "\u{feff}{}",
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"k":1,"k":1}}]"#,
            r#""\ud800""#,
            r#"{"\udc00":1}"#,
            r#"{"a":1,"b":[{"a":1}],"a":2}"#,
            "\"12345678901\"",
            "[\"123456789\\n0\"]",
            "{\"12345678901\":1}",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]",
            "\"\u{1}\"",
            "\"a\u{7f}\"",
            "['a']",
            "NaN",
            "[\"a\":1]",
            "{1:2}",
            "\"\\x\"",
            "[1]]",
            "tru e",
        ] {
            let (shallow, deep) = (check(text.as_bytes(), &limits(64)), check(text.as_bytes(), &limits(65)));
            let verdict = |result: Result<(), crate::json::JsonError>| result.map_err(|error| error.is_limit());
            assert_eq!(verdict(shallow), verdict(deep), "{text:?}");
        }
        for broken in [&b"\"\xff\""[..], b"{\"\xc3\":1}", b"[\"\xed\xa0\x80\"]"] {
            assert!(check(broken, &limits(64)).is_err() && check(broken, &limits(65)).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_the_column_in_the_document() {
        for (text, want) in [
            ("{\"a\": 1,\n \"a\": 2,\n\"b\": 3}", "the key \"a\" stands twice in one object at line 2 column 4"),
            ("[\n  1e999]", "number out of range at line 2 column 7"),
            ("[1,\n\n \"\\ud800\"]", "unexpected end of hex escape at line 3 column 9"),
            ("[1,\n \"12345678901\"]", "a string longer than 10 bytes at line 2 column 14"),
            ("[1,\n2,,]", "expected value at line 2 column 3"),
        ] {
            assert_eq!(check(text.as_bytes(), &limits(65)).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_found_among_many() {
        let many = |last: &str| {
            let keys: String = (0..50_000).map(|number| format!("\"key{number}\":0,")).collect();
            format!("{{\"within\":[{{{keys}\"{last}\":0}}]}}")
        };
        let wide = Limits::DEFAULT.with(|limits| {
            limits.json.depth = 65;
            limits.json.values = u64::MAX;
        });
        assert_eq!(check(many("key").as_bytes(), &wide), Ok(()));
        for twice in ["key0", "key49999", "\\u006bey25000"] {
            let error = check(many(twice).as_bytes(), &wide).unwrap_err();
            assert!(!error.is_limit() && error.to_string().contains("stands twice"), "{twice}: {error}");
        }
    }

    #[test]
    fn more_than_a_limit_is_a_limit_at_any_depth() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let wide = |json_depth| {
            Limits::DEFAULT.with(|limits| {
                limits.json.depth = json_depth;
                limits.json.values = u64::MAX;
            })
        };
        for depth in [64, 1_000, 100_000] {
            for text in [nested(depth), objects(depth)] {
                let depth = count(depth);
                assert_eq!(check(text.as_bytes(), &wide(depth)), Ok(()), "{depth}");
                let error = check(text.as_bytes(), &wide(depth - 1)).unwrap_err();
                assert!(error.is_limit() && error.to_string().contains("nested deeper"), "{depth}: {error}");
            }
        }
    }
}
