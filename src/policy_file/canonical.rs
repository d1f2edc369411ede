//! The canonical policy: the text whose SHA-256 digest is the id of a policy.
//!
//! The invariant: policies that mean the same have the same text, whatever their order, spelling and comments; and every
//! change of what is accepted, or of what is said about it, changes the text. It is JSON in the canonical form of RFC 8785.
//! `docs/policy-reference.md` describes it byte for byte.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::policy_file::document::Located;

/// A value of the canonical policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Canonical {
    /// A list whose order has no meaning: its elements are sorted by their bytes.
    Set(Vec<Self>),
    /// A list whose order has a meaning.
    List(Vec<Self>),
    /// A mapping, its keys sorted. They are ASCII, so the order of bytes is that of UTF-16 code units.
    Map(BTreeMap<&'static str, Self>),
    Number(u64),
    Text(String),
}

impl Canonical {
    pub(super) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// The texts of a list of the document, as a set.
    pub(super) fn texts<'a, T: ToString + 'a>(texts: impl IntoIterator<Item = &'a Located<T>>) -> Self {
        Self::Set(texts.into_iter().map(|text| Self::text(text.value.to_string())).collect())
    }

    /// A mapping of these fields; those without a value are left out.
    pub(super) fn map(fields: impl IntoIterator<Item = (&'static str, Option<Self>)>) -> Self {
        Self::of_fields(fields.into_iter().collect())
    }

    /// As [`Self::map`]: one copy of its code, whatever the length of the array.
    fn of_fields(fields: Vec<(&'static str, Option<Self>)>) -> Self {
        Self::Map(fields.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect())
    }

    /// Pairs of texts, as a set of lists.
    pub(super) fn pairs(pairs: &[(Located<String>, Located<String>)]) -> Self {
        let pair = |(key, value): &(Located<String>, Located<String>)| {
            Self::List(vec![Self::text(&key.value), Self::text(&value.value)])
        };
        Self::Set(pairs.iter().map(pair).collect())
    }

    /// The text, as JSON.
    pub(super) fn write(&self) -> String {
        match self {
            Self::Set(items) => {
                let mut items: Vec<_> = items.iter().map(Self::write).collect();
                items.sort();
                format!("[{}]", items.join(","))
            }
            Self::List(items) => format!("[{}]", items.iter().map(Self::write).collect::<Vec<_>>().join(",")),
            Self::Map(fields) => {
                let field = |(key, value): (&&str, &Self)| format!("{}:{}", quoted(key), value.write());
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
            }
            Self::Number(number) => number.to_string(),
            Self::Text(text) => quoted(text),
        }
    }

    /// The SHA-256 digest of the text.
    pub(super) fn digest(&self) -> Digest {
        Digest::sha256(self.write().as_bytes())
    }
}

/// A JSON string: `"`, `\` and control characters are escaped, as RFC 8785 section 3.2.2.2 wants it, and nothing else.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
