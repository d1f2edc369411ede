//! `JsonNode`: a value in a predicate and its JSON Pointer. A strict reader that copies nothing it is not asked for.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer as _;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::value::RawValue;

use crate::json;
use crate::limits::Limits;
use crate::predicate::PredicateError;
use crate::predicate::PredicateProblem;
use crate::text::Untrusted;
use crate::time::Time;

/// A value in a predicate, with its JSON Pointer (RFC 6901).
///
/// The whole document was checked by [`json::check`] before: no duplicate keys, and within the limits. A value is parsed
/// only where it is read, so the memory that is needed does not grow with the rest of the document.
#[derive(Clone, Debug)]
pub struct JsonNode<'a> {
    json: &'a str,
    path: String,
}

/// An object in a predicate.
///
/// A field that is `null` counts as missing. A key that differs from the name of a field that is asked for in case only
/// is an error, since readers that ignore case (Go's `encoding/json`) would take it for that field.
#[derive(Clone, Debug)]
pub struct JsonObject<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    path: String,
}

impl<'a> JsonNode<'a> {
    /// Checks `bytes` as strict JSON, and returns the whole document.
    ///
    /// # Errors
    /// [`PredicateError`] if it is not strict JSON, or exceeds the limits of documents with a predicate.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, PredicateError> {
        let json_error = |error| PredicateError::at("", PredicateProblem::Json(error));
        json::check(bytes, &limits.for_predicate(bytes.len())).map_err(json_error)?;
        let raw: &RawValue = json::read(bytes).map_err(json_error)?;
        Ok(Self { json: raw.get(), path: String::new() })
    }

    /// Its JSON Pointer.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value, as the document has it.
    pub const fn json(&self) -> &'a str {
        self.json
    }

    /// The error `problem` about this value.
    pub fn error(&self, problem: PredicateProblem) -> PredicateError {
        PredicateError::at(&self.path, problem)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.json == "null"
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        self.json.starts_with('[')
    }

    /// Whether it is a string.
    pub fn is_text(&self) -> bool {
        self.json.starts_with('"')
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.json.starts_with('{')
    }

    /// The object.
    ///
    /// # Errors
    /// [`PredicateError`] if it is no object.
    pub fn object(&self) -> Result<JsonObject<'a>, PredicateError> {
        let Fields(fields) = self.read("an object")?;
        Ok(JsonObject { fields, path: self.path.clone() })
    }

    /// The elements of the array.
    ///
    /// # Errors
    /// [`PredicateError`] if it is no array.
    pub fn items(&self) -> Result<impl ExactSizeIterator<Item = JsonNode<'a>> + use<'a>, PredicateError> {
        let Items(items) = self.read("an array")?;
        let path = self.path.clone();
        Ok(items
            .into_iter()
            .enumerate()
            .map(move |(at, raw)| JsonNode { json: raw.get(), path: format!("{path}/{at}") }))
    }

    /// Calls `visit` with each element of the array, and keeps none of them: for lists of any length.
    ///
    /// # Errors
    /// [`PredicateError`] if it is no array, or the first error of `visit`.
    pub fn each(&self, visit: &mut dyn FnMut(Self) -> Result<(), PredicateError>) -> Result<(), PredicateError> {
        let mut stopped = None;
        let visitor = EachItem { path: &self.path, stopped: &mut stopped, visit };
        let walked = serde_json::Deserializer::from_str(self.json).deserialize_seq(visitor);
        match (stopped, walked) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(()),
            (None, Err(_)) => Err(self.error(PredicateProblem::WrongType { wanted: "an array" })),
        }
    }

    /// The text.
    ///
    /// # Errors
    /// [`PredicateError`] if it is no string.
    pub fn text(&self) -> Result<Cow<'a, str>, PredicateError> {
        let Text(text) = self.read("a string")?;
        Ok(text)
    }

    /// The text, which is not empty.
    ///
    /// # Errors
    /// [`PredicateError`] if it is no string, or an empty one.
    pub fn filled_text(&self) -> Result<Cow<'a, str>, PredicateError> {
        let text = self.text()?;
        match text.is_empty() {
            true => Err(self.error(PredicateProblem::Empty)),
            false => Ok(text),
        }
    }

    /// Whether it is `true` or `false`.
    ///
    /// # Errors
    /// [`PredicateError`] if it is neither.
    pub fn boolean(&self) -> Result<bool, PredicateError> {
        self.read("a boolean")
    }

    /// The whole number, from 0, written without fraction and exponent.
    ///
    /// # Errors
    /// [`PredicateError`] if it is not such a number, or too large.
    pub fn whole_number(&self) -> Result<u64, PredicateError> {
        self.read("a whole number")
    }

    /// The point in time, RFC 3339. `None` for an empty text and for the year 1 and before: those are the zero values of
    /// time in Go and other languages, and say nothing.
    ///
    /// # Errors
    /// [`PredicateError`] if it is no string, or no time.
    pub fn time(&self) -> Result<Option<Time>, PredicateError> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        let not = || PredicateProblem::NotA { wanted: "a time (RFC 3339)", found: Untrusted::within(&text, SHOWN) };
        let time = Time::parse(&text).ok_or_else(|| self.error(not()))?;
        Ok(Some(time).filter(|time| time.unix() >= YEAR_2))
    }

    fn read<T: Deserialize<'a>>(&self, wanted: &'static str) -> Result<T, PredicateError> {
        // The document is valid JSON, so the value is of another type where it cannot be read.
        serde_json::from_str(self.json).map_err(|_| self.error(PredicateProblem::WrongType { wanted }))
    }
}

impl<'a> JsonObject<'a> {
    /// Its JSON Pointer.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The keys, in the order of the document.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(key, _)| key.as_ref())
    }

    /// The fields as the entries of a map: keys are data, so their case does not matter, and `null` is a value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, JsonNode<'a>)> {
        self.fields.iter().map(|(key, raw)| (key.as_ref(), self.node(key, raw)))
    }

    /// The field `name`; `None` if it is missing or `null`.
    ///
    /// # Errors
    /// [`PredicateError`] if another key differs from `name` in case only.
    pub fn optional(&self, name: &str) -> Result<Option<JsonNode<'a>>, PredicateError> {
        let mut found = None;
        for (key, raw) in &self.fields {
            if key == name {
                found = Some(self.node(key, raw)).filter(|node| !node.is_null());
            } else if is_folded(key, name) {
                let key = Untrusted::within(key, SHOWN);
                return Err(PredicateError::at(&self.path, PredicateProblem::AmbiguousKey(key)));
            }
        }
        Ok(found)
    }

    /// The field `name`.
    ///
    /// # Errors
    /// [`PredicateError`] if it is missing or `null`, or another key differs from `name` in case only.
    pub fn required(&self, name: &str) -> Result<JsonNode<'a>, PredicateError> {
        let missing = || PredicateError::at(&self.path_of(name), PredicateProblem::Missing);
        self.optional(name)?.ok_or_else(missing)
    }

    /// The object in the field `name`; `None` if the field is missing or `null`.
    ///
    /// # Errors
    /// [`PredicateError`] if it is something else.
    pub fn optional_object(&self, name: &str) -> Result<Option<Self>, PredicateError> {
        self.optional(name)?.map(|node| node.object()).transpose()
    }

    /// The text in the field `name`; `None` if the field is missing, `null` or empty.
    ///
    /// # Errors
    /// [`PredicateError`] if it is something else.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, PredicateError> {
        let text = self.optional(name)?.map(|node| node.text()).transpose()?;
        Ok(text.map(Cow::into_owned).filter(|text| !text.is_empty()))
    }

    /// The time in the field `name`, as [`JsonNode::time`] reads it; `None` if the field is missing or `null`.
    ///
    /// # Errors
    /// [`PredicateError`] if it is something else.
    pub fn optional_time(&self, name: &str) -> Result<Option<Time>, PredicateError> {
        Ok(self.optional(name)?.map(|node| node.time()).transpose()?.flatten())
    }

    /// The object in the field `name`.
    ///
    /// # Errors
    /// [`PredicateError`] if it is missing or something else.
    pub fn required_object(&self, name: &str) -> Result<Self, PredicateError> {
        self.required(name)?.object()
    }

    /// The text in the field `name`, which is not empty.
    ///
    /// # Errors
    /// [`PredicateError`] if it is missing, empty or something else.
    pub fn required_text(&self, name: &str) -> Result<String, PredicateError> {
        Ok(self.required(name)?.filled_text()?.into_owned())
    }

    /// The JSON Pointer of the field `name`.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1"))
    }

    fn node(&self, key: &str, raw: &'a RawValue) -> JsonNode<'a> {
        JsonNode { json: raw.get(), path: self.path_of(key) }
    }
}

/// Whether readers that ignore case take the keys for the same.
fn is_folded(key: &str, name: &str) -> bool {
    let ascii = key.is_ascii() && name.is_ascii();
    key.eq_ignore_ascii_case(name) || !ascii && json::fold_case(key) == json::fold_case(name)
}

/// The fields of an object, each with its unparsed value.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// The unparsed elements of an array.
struct Items<'a>(Vec<&'a RawValue>);

/// A string, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            fields.push((key, value));
        }
        Ok(Fields(fields))
    }
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<&'de RawValue>()? {
            items.push(item);
        }
        Ok(Items(items))
    }
}

/// Visits the elements of an array, each with its JSON Pointer, until there is an error.
struct EachItem<'v, 'a> {
    path: &'v str,
    /// Why the walk ended early. The error of serde can carry it as text only.
    stopped: &'v mut Option<PredicateError>,
    visit: &'v mut dyn FnMut(JsonNode<'a>) -> Result<(), PredicateError>,
}

impl<'de> Visitor<'de> for EachItem<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut at = 0_u64;
        while let Some(item) = seq.next_element::<&'de RawValue>()? {
            let node = JsonNode { json: item.get(), path: format!("{}/{at}", self.path) };
            if let Err(error) = (self.visit)(node) {
                *self.stopped = Some(error);
                return Err(A::Error::custom("stopped"));
            }
            at = at.saturating_add(1);
        }
        Ok(())
    }
}

/// 0002-01-01T00:00:00Z, in seconds since 1970.
const YEAR_2: i64 = -62_104_060_800;
/// The longest value that a message quotes, in characters.
const SHOWN: usize = 80;
