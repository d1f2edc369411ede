//! `YamlNode`: a value of a YAML document, with its position.

use std::fmt;

/// A position in a text file: line and column, both from 1. Columns count characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in the line, from 1.
    pub column: u32,
}

/// A value of a YAML document, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlNode {
    /// Where it begins.
    pub position: Position,
    /// The value.
    pub value: YamlValue,
}

/// The value of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YamlValue {
    /// A value with an error, which the reader has reported.
    Invalid,
    /// A mapping: keys in the order of the document, each once.
    Mapping(Vec<(YamlKey, YamlNode)>),
    /// A sequence.
    Sequence(Vec<YamlNode>),
    /// A scalar.
    Text {
        /// Whether it stands without quotes, on one line, and not as a block (a plain scalar, YAML 1.2.2 section 7.3.3).
        plain: bool,
        /// The text.
        text: String,
    },
}

/// The key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlKey {
    /// Whether it stands without quotes.
    pub plain: bool,
    /// Where it begins.
    pub position: Position,
    /// The text.
    pub text: String,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// `LINE:COLUMN`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
