//! `SegmentPattern`: a text in which `*` stands for a part of one segment, as policies have it for builders, workflows
//! and refs.

use std::fmt;

/// A text that is compared whole, in which each `*` stands for any characters but `/`, also for none. Nothing else has a
/// special meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentPattern(String);

/// Why a text is no pattern of builders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentPatternError {
    /// It is empty.
    #[error("a pattern is not empty")]
    Empty,
    /// More `*` than are compared.
    #[error("a pattern has at most {most} `*`", most = MAX_WILDCARDS)]
    TooManyWildcards,
    /// A `*` in front of the `@`: it would trust other repositories or workflows.
    #[error("`*` stands in the ref of a builder only, behind the `@`")]
    WildcardInBuilder,
}

impl SegmentPattern {
    /// A pattern of a ref or workflow.
    ///
    /// # Errors
    /// [`SegmentPatternError`]: empty, or with too many wildcards.
    pub fn parse(text: &str) -> Result<Self, SegmentPatternError> {
        if text.is_empty() {
            return Err(SegmentPatternError::Empty);
        }
        match text.matches('*').count() > MAX_WILDCARDS {
            true => Err(SegmentPatternError::TooManyWildcards),
            false => Ok(Self(text.to_owned())),
        }
    }

    /// A pattern of a builder id: a `*` stands behind the `@` only.
    ///
    /// # Errors
    /// [`SegmentPatternError`].
    pub fn builder(text: &str) -> Result<Self, SegmentPatternError> {
        let fixed = text.split_once('@').map_or(text, |(fixed, _)| fixed);
        match fixed.contains('*') {
            true => Err(SegmentPatternError::WildcardInBuilder),
            false => Self::parse(text),
        }
    }

    /// Whether `text` as a whole is one of the texts that the pattern stands for.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        // The first place where a part stands leaves the most for those behind it, and the fewest characters between.
        while let Some(part) = parts.next() {
            let (skipped, behind) = match parts.peek() {
                Some(_) => match rest.split_once(part) {
                    Some(found) => found,
                    None => return false,
                },
                None => match rest.strip_suffix(part) {
                    Some(skipped) => (skipped, ""),
                    None => return false,
                },
            };
            if skipped.contains('/') {
                return false;
            }
            rest = behind;
        }
        true
    }

    /// The pattern, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SegmentPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The most `*` of a pattern.
const MAX_WILDCARDS: usize = 8;
