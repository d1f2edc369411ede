//! `PredicateFields`: any predicate, value by value, for policies about predicates of an organisation's own.

use std::fmt;

use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::predicate::DecimalNumber;
use crate::predicate::JsonNode;
use crate::predicate::JsonPointer;
use crate::predicate::PredicateError;

/// A predicate of any type, whose values are found by JSON Pointer (RFC 6901).
#[derive(Clone, Debug)]
pub struct PredicateFields<'a> {
    root: JsonNode<'a>,
}

/// A value that a policy writes: a text, or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldLiteral {
    /// A number: equal to a JSON number of the same value, however that is written, and to nothing else.
    Number(DecimalNumber),
    /// A text: equal to a JSON string of the same characters. `true` and `false` are also equal to the JSON boolean, since
    /// a policy has no other way to write that.
    Text(String),
}

/// What a value of a predicate must be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldComparison {
    /// A number that is not smaller.
    AtLeast(DecimalNumber),
    /// A number that is not larger.
    AtMost(DecimalNumber),
    /// This value.
    Equals(FieldLiteral),
    /// Any value but `null`.
    Exists,
    /// One of these values.
    OneOf(NonEmpty<FieldLiteral>),
}

impl<'a> PredicateFields<'a> {
    /// Reads a predicate.
    ///
    /// # Errors
    /// [`PredicateError`] if it is not strict JSON, or over a limit.
    pub fn read(predicate: &'a [u8], limits: &Limits) -> Result<Self, PredicateError> {
        Ok(Self { root: JsonNode::parse(predicate, limits)? })
    }

    /// The value at `pointer`; `None` if there is none, or it is `null`.
    ///
    /// # Errors
    /// [`PredicateError`] if a key on the way differs from a segment of the pointer in case only.
    pub fn get(&self, pointer: &JsonPointer) -> Result<Option<JsonNode<'a>>, PredicateError> {
        let mut node = self.root.clone();
        for token in pointer.tokens() {
            let inner = if node.is_object() {
                node.object()?.optional(token)?
            } else if node.is_array() {
                number(token).map(|at| node.items().map(|mut items| items.nth(at))).transpose()?.flatten()
            } else {
                None
            };
            let Some(inner) = inner.filter(|inner| !inner.is_null()) else { return Ok(None) };
            node = inner;
        }
        Ok(Some(node))
    }

    /// Whether the value at `pointer` passes `test`. A value that is missing or `null` passes none.
    ///
    /// # Errors
    /// As [`PredicateFields::get`].
    pub fn passes(&self, pointer: &JsonPointer, test: &FieldComparison) -> Result<bool, PredicateError> {
        let Some(node) = self.get(pointer)? else { return Ok(false) };
        let number = || DecimalNumber::parse(node.json());
        Ok(match test {
            FieldComparison::AtLeast(least) => number().is_some_and(|number| number >= *least),
            FieldComparison::AtMost(most) => number().is_some_and(|number| number <= *most),
            FieldComparison::Equals(value) => value.is(&node)?,
            FieldComparison::Exists => true,
            FieldComparison::OneOf(values) => {
                for value in values.iter() {
                    if value.is(&node)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }
}

impl FieldLiteral {
    fn is(&self, node: &JsonNode<'_>) -> Result<bool, PredicateError> {
        Ok(match self {
            Self::Number(number) => DecimalNumber::parse(node.json()).as_ref() == Some(number),
            Self::Text(text) if node.is_text() => node.text()? == text.as_str(),
            Self::Text(text) => matches!(node.json(), "true" | "false") && node.json() == text,
        })
    }
}

impl fmt::Display for FieldLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The number of an element. RFC 6901 section 4: digits without a leading zero.
fn number(token: &str) -> Option<usize> {
    let plain = token == "0" || !token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| token.parse().ok()).flatten()
}
