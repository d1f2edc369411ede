//! Case-sensitive field names: Go's `encoding/json` reads `LAYERS` as `layers`, and keeps the later of the two.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::value::StringDeserializer;

use crate::json::error::SHOWN_KEY;
use crate::text::Untrusted;

/// The name of a field, borrowed from the document unless it has escapes.
#[derive(Deserialize)]
pub(super) struct FieldName<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A visitor of a structure with the field names `fields`. It refuses a key that a case-insensitive reader takes for
/// one of them, and two keys that are equal to such a reader. The keys of maps (annotations, digests) are data, which
/// no reader folds.
pub(super) struct CaseSensitiveFields<V> {
    pub(super) fields: &'static [&'static str],
    pub(super) visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for CaseSensitiveFields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(CheckedFields { fields: self.fields, keys, seen: HashSet::new() })
    }
}

struct CheckedFields<A> {
    fields: &'static [&'static str],
    keys: A,
    /// The keys that are no field names, as readers that ignore case see them.
    seen: HashSet<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for CheckedFields<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(FieldName(key)) = self.keys.next_key::<FieldName<'de>>()? else { return Ok(None) };
        // Serde refuses a field that stands twice, and no two names of a structure differ in case only.
        if self.fields.iter().any(|known| *known == key) {
            return deserialize_key(seed, key).map(Some);
        }
        let folded = fold_case(&key);
        if let Some(meant) = self.fields.iter().find(|known| is_folded(known, &folded)) {
            return Err(A::Error::custom(format!(
                "the key {:?} is ambiguous: readers that ignore case take it for {meant:?}",
                Untrusted::within(&key, SHOWN_KEY)
            )));
        }
        if !self.seen.insert(folded) {
            return Err(A::Error::custom(format!(
                "the key {:?} is ambiguous: readers that ignore case have it twice",
                Untrusted::within(&key, SHOWN_KEY)
            )));
        }
        deserialize_key(seed, key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.keys.next_value_seed(seed)
    }
}

fn deserialize_key<'de, S: DeserializeSeed<'de>, E: Error>(seed: S, key: Cow<'de, str>) -> Result<S::Value, E> {
    match key {
        Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
        Cow::Owned(key) => seed.deserialize(StringDeserializer::new(key)),
    }
}

/// The key as case-insensitive readers compare it. Go also folds `ſ` (U+017F) to `s` and the Kelvin sign (U+212A) to
/// `k`.
pub fn fold_case(key: &str) -> String {
    // Nearly all keys are ASCII, where both give the same.
    if key.is_ascii() { key.to_ascii_lowercase() } else { key.to_uppercase().to_lowercase() }
}

/// Whether [`fold_case`] of `name` is `folded`.
fn is_folded(name: &str, folded: &str) -> bool {
    if name.is_ascii() { name.eq_ignore_ascii_case(folded) } else { fold_case(name) == folded }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::json::parse;
    use crate::limits::Limits;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Outer {
        #[serde(default)]
        key_kinds: Vec<Inner>,
        #[serde(default)]
        map: BTreeMap<String, u8>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        #[serde(default)]
        size: u8,
    }

    #[test]
    fn a_key_that_go_takes_for_another_is_refused() {
        for (text, wrong) in [
            (r#"{"keyKinds":[],"keykinds":[]}"#, "\"keykinds\""),
            (r#"{"KEYKINDS":[]}"#, "\"KEYKINDS\""),
            ("{\"\u{212a}eyKinds\":[]}", "\"\u{212a}eyKinds\""),
            (r#"{"\u212aeyKind\u017f":[]}"#, "\"\u{212a}eyKind\u{17f}\""),
            (r#"{"keyKinds":[{"size":1},{"Size":2}]}"#, "\"Size\""),
            ("{\"keyKinds\":[{\"\u{17f}ize\":2}]}", "\"\u{17f}ize\""),
            (r#"{"other":1,"Other":2}"#, "\"Other\""),
        ] {
            let error = parse::<Outer>(text.as_bytes(), &Limits::DEFAULT).unwrap_err();
            assert!(error.to_string().contains("ambiguous") && error.to_string().contains(wrong), "{text}: {error}");
        }
    }

    #[test]
    fn the_keys_of_a_map_are_texts() {
        let read: Outer =
            parse(br#"{"map":{"a":1,"A":2},"keyKinds":[{"size":1}],"other":{"x":1,"X":2}}"#, &Limits::DEFAULT).unwrap();
        assert_eq!(read.map, BTreeMap::from([("A".to_owned(), 2), ("a".to_owned(), 1)]));
        assert_eq!(read.key_kinds, [Inner { size: 1 }]);
    }
}
