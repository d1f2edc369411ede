//! `Object`: an object of JSON with lists that may be long, which are made entry by entry while they are written.

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap as _;
use serde_json::Map;
use serde_json::Value;

use super::redacted;

/// An object of JSON, whose fields stand in the order of their names. What it says is written as [`redacted::value`] has
/// it: no secret of this run is in it.
pub(super) struct Object<'a> {
    fields: Map<String, Value>,
    lists: Vec<List<'a>>,
}

/// The entries of a list, made when they are asked for.
pub(super) type Entries<'a> = Box<dyn Iterator<Item = Object<'a>> + 'a>;

struct List<'a> {
    name: &'static str,
    entries: Box<dyn Fn() -> Entries<'a> + 'a>,
}

impl<'a> Object<'a> {
    /// An object with these fields; of anything but an object there are none.
    pub(super) fn of(fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { fields, lists: Vec::new() }
    }

    /// With one field more, or another value of it.
    #[must_use]
    pub(super) fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }

    /// With a list, whose entries `entries` makes.
    #[must_use]
    pub(super) fn listing<I>(mut self, name: &'static str, entries: impl Fn() -> I + 'a) -> Self
    where
        I: Iterator<Item = Self> + 'a,
    {
        self.lists.push(List { name, entries: Box::new(move || Box::new(entries())) });
        self.lists.sort_by_key(|list| list.name);
        self
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut lists = self.lists.iter().peekable();
        for (name, value) in &self.fields {
            while let Some(list) = lists.next_if(|list| list.name < name.as_str()) {
                map.serialize_entry(list.name, list)?;
            }
            map.serialize_entry(&redacted::text(name), &redacted::value(value))?;
        }
        lists.try_for_each(|list| map.serialize_entry(list.name, list))?;
        map.end()
    }
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.entries)())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_secret_is_in_it() {
        let secret = "of-this-object-alone-4182";
        redacted::secrets().add(secret);
        let entries = move || std::iter::once(Object::of(json!({ "deep": [{ "text": secret }] })));
        let object = Object::of(json!({ secret: secret })).listing("list", entries);
        let written = serde_json::to_string(&object).unwrap();
        assert_eq!(written, r#"{"list":[{"deep":[{"text":"***"}]}],"***":"***"}"#);
    }

    #[test]
    fn it_is_written_as_the_whole_would_be() {
        let entries = || [1, 2].into_iter().map(|n| Object::of(json!({ "n": n })));
        let object = Object::of(json!({ "b": 1, "d": [] })).listing("e", entries).listing("c", entries);
        let object = object.with("a", json!(null)).listing("f", std::iter::empty::<Object<'_>>);
        let whole =
            json!({ "a": null, "b": 1, "c": [{"n": 1}, {"n": 2}], "d": [], "e": [{"n": 1}, {"n": 2}], "f": [] });
        assert_eq!(serde_json::to_string_pretty(&object).unwrap(), serde_json::to_string_pretty(&whole).unwrap());
    }
}
