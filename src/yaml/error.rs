//! `YamlError`: what is wrong with a YAML document, and where.

use crate::text::Untrusted;
use crate::yaml::Position;
use crate::yaml::ScalarLook;

/// What is wrong with a YAML document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {}: {problem}", problem.code())]
pub struct YamlError {
    /// Where it begins.
    pub position: Position,
    /// What is wrong.
    pub problem: YamlProblem,
}

/// What is wrong with a YAML document. [`YamlProblem::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum YamlProblem {
    /// `*name`.
    #[error("`*` begins an alias in YAML, and aliases are not allowed")]
    Alias,
    /// `&name`.
    #[error("`&` begins an anchor in YAML, and anchors are not allowed")]
    Anchor,
    /// A boolean without quotes.
    #[error("`{0}` is a boolean in YAML, and no field takes one")]
    Boolean(Untrusted),
    /// A byte order mark.
    #[error("a byte order mark (U+FEFF) is not allowed")]
    ByteOrderMark,
    /// A control character, a carriage return without a line feed, or a character that is not seen.
    #[error("the character U+{:04X} is not seen, or changes how others are seen", u32::from(*.0))]
    Character(char),
    /// A line that begins with `%`.
    #[error("directives (`%` at the beginning of a line) are not allowed")]
    Directive,
    /// The key stands in the mapping already.
    #[error("`{key}` stands twice: first at {first}")]
    DuplicateKey {
        /// Where it stands first.
        first: Position,
        /// The key.
        key: Untrusted,
    },
    /// No document, or an empty one.
    #[error("the file is empty")]
    Empty,
    /// A key that is a mapping or a sequence.
    #[error("a key is a text, not a list and not a mapping")]
    KeyIsNoText,
    /// A text over several lines that is neither a block nor ends on its line.
    #[error("a text without `|` or `>` ends on the line where it begins")]
    Lines,
    /// The key `<<`.
    #[error("merge keys (`<<`) are not allowed")]
    MergeKey,
    /// A value that is missing or null; a key that is.
    #[error("{}", if .0.is_empty() { "a value is missing" } else { "`null` and `~` are not allowed: leave the field out" })]
    Null(String),
    /// A second document.
    #[error("a second document begins: a file has one")]
    SecondDocument,
    /// Text that is not YAML.
    #[error("this is not YAML: {0}")]
    Syntax(Untrusted),
    /// A tab.
    #[error("a tab is not allowed: indent with spaces")]
    Tab,
    /// `!name`.
    #[error("`!` begins a tag in YAML, and tags are not allowed")]
    Tag,
    /// Deeper than the limit.
    #[error("lists and mappings are nested more than {0} deep")]
    TooDeep(u64),
    /// Longer than the limit, in bytes.
    #[error("the file is longer than {0} bytes")]
    TooLong(u64),
    /// More values than the limit.
    #[error("the file has more than {0} values")]
    TooManyValues(u64),
    /// Bytes that are not UTF-8.
    #[error("the file is not UTF-8")]
    Utf8,
}

impl YamlProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Alias => "yaml-alias",
            Self::Anchor => "yaml-anchor",
            Self::Boolean(_) => "yaml-boolean",
            Self::ByteOrderMark => "yaml-byte-order-mark",
            Self::Character(_) => "yaml-character",
            Self::Directive => "yaml-directive",
            Self::DuplicateKey { .. } => "yaml-duplicate-key",
            Self::Empty => "yaml-empty",
            Self::KeyIsNoText => "yaml-key",
            Self::Lines => "yaml-lines",
            Self::MergeKey => "yaml-merge-key",
            Self::Null(_) => "yaml-null",
            Self::SecondDocument => "yaml-second-document",
            Self::Syntax(_) => "yaml-syntax",
            Self::Tab => "yaml-tab",
            Self::Tag => "yaml-tag",
            Self::TooDeep(_) => "yaml-too-deep",
            Self::TooLong(_) => "yaml-too-long",
            Self::TooManyValues(_) => "yaml-too-many-values",
            Self::Utf8 => "yaml-utf-8",
        }
    }

    /// What helps.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Alias | Self::Anchor | Self::Tag => "quote the text, or write the value out",
            Self::Boolean(text) => return format!("quote it if it is a text: \"{text}\""),
            Self::ByteOrderMark | Self::Utf8 => "save the file as UTF-8, without a byte order mark",
            Self::Character(_) => "write it as an escape in double quotes, or remove it",
            Self::Directive => "remove the line",
            Self::DuplicateKey { .. } => "put both under one key, or remove one of them",
            Self::Empty => "write a document into it",
            Self::KeyIsNoText => "write the key as a text, and quote it if it begins with `[`, `{` or `?`",
            Self::Lines => "quote it on one line, or use a block: `|` keeps line ends, `>` joins lines",
            Self::MergeKey => "write the fields out",
            Self::Null(_) => "write a value; a colon needs a space after it",
            Self::SecondDocument => "remove `---`; what follows is a file of its own",
            Self::Syntax(_) => {
                "check indentation, commas and brackets; quote texts with `:`, `#`, `{`, `[`, `,`, `@` or a backtick"
            }
            Self::Tab => "replace it with spaces",
            Self::TooDeep(_) | Self::TooLong(_) | Self::TooManyValues(_) => "split it into several files",
        };
        text.to_owned()
    }

    /// The error for a plain scalar that is no text to every reader of YAML, and is not allowed anywhere.
    pub(super) fn of_plain(text: &str) -> Option<Self> {
        match ScalarLook::of(text) {
            Some(ScalarLook::Boolean) => Some(Self::Boolean(Untrusted::new(text))),
            Some(ScalarLook::Null) => Some(Self::Null(text.to_owned())),
            Some(ScalarLook::Date | ScalarLook::Number) | None => None,
        }
    }
}
