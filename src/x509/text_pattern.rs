//! `TextPattern`: a text of a certificate, compared exactly, or with an anchored pattern that matches the whole text.
//!
//! The invariant: a pattern matches a text from its first to its last character or not at all, takes time that is linear in
//! the text, and never matches a text with a character that is hidden or ends a line.

use std::fmt;

use regex_lite::Regex;
use regex_lite::RegexBuilder;

use crate::limits;
use crate::text;
use crate::x509::PatternError;
use crate::x509::pattern_literals::Literals;
use crate::x509::pattern_literals::branches;
use crate::x509::pattern_literals::ends;
use crate::x509::pattern_literals::without_anchors;

/// A pattern for one text of a certificate. Letters are compared as they are, in upper and lower case.
///
/// ```
/// use bulla::x509::TextPattern;
///
/// let tags = TextPattern::parse("refs/tags/v*").unwrap();
/// assert!(tags.matches("refs/tags/v1.2") && !tags.matches("refs/tags/v1/x") && !tags.matches("refs/tags/v1\n"));
/// assert!(TextPattern::regexp("refs/tags/v1").is_err(), "a regular expression is anchored");
/// assert!(TextPattern::regexp("^refs/tags/v1$").unwrap().matches("refs/tags/v1"));
/// ```
#[derive(Clone)]
pub struct TextPattern(PatternForm);

#[derive(Clone)]
enum PatternForm {
    Any,
    Exact(String),
    Regexp { text: String, whole: Regex },
    Wildcard { text: String, whole: Regex },
}

impl TextPattern {
    /// Any text: the operator says so in a word of its own, since no pattern that is read says it.
    pub const fn any() -> Self {
        Self(PatternForm::Any)
    }

    /// This text, and no other.
    ///
    /// # Errors
    /// [`PatternError`] where it is empty, too long, or has a character that is hidden or ends a line.
    pub fn exact(text: &str) -> Result<Self, PatternError> {
        check(text)?;
        Ok(Self(PatternForm::Exact(text.to_owned())))
    }

    /// A text in which `*` stands for characters other than `/`, `@`, `?`, `#`, `%` and spaces, perhaps none, and `**` for
    /// the same with `/`; without a `*` the exact text. A wildcard never matches a path with `.` or `..` as a segment.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if !text.contains('*') {
            return Self::exact(text);
        }
        check(text)?;
        if text.contains("***") {
            return Err(PatternError::Wildcard { found: text.to_owned() });
        }
        let across = |part: &str| part.split('*').map(regex_lite::escape).collect::<Vec<_>>().join(r"[^/@?#%\s]*");
        let whole = text.split("**").map(across).collect::<Vec<_>>().join(r"[^@?#%\s]*");
        Ok(Self(PatternForm::Wildcard { whole: compiled(&whole, text)?, text: text.to_owned() }))
    }

    /// A regular expression that is anchored: each of its alternatives begins with `^` and ends with `$`. `.`, `[…]`, groups,
    /// alternatives and repetitions are those of RE2; the only flag is `i`.
    ///
    /// # Errors
    /// [`PatternError::Anchor`] with the anchored form of one that is not anchored, and the others.
    pub fn regexp(text: &str) -> Result<Self, PatternError> {
        check(text)?;
        let (flags, body) = match text.strip_prefix("(?i)") {
            Some(body) => ("(?i)", body),
            None => ("", text),
        };
        if has_other_flags(body) {
            return Err(PatternError::Regexp { found: text.to_owned(), reason: "the only flag is `i`" });
        }
        // Alone first: a parenthesis that closes too much must not end the group that is put around it.
        built(text, text)?;
        let branches = branches(body);
        if !branches.iter().all(|branch| is_anchored(branch)) {
            return Err(PatternError::Anchor { found: text.to_owned(), anchored: anchored(flags, &branches) });
        }
        Ok(Self(PatternForm::Regexp { whole: compiled(text, text)?, text: text.to_owned() }))
    }

    /// Whether the whole of `text` is what the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let plain = || limits::count(text.len()) <= LONGEST_TEXT && !text.chars().any(text::is_unsafe_to_show);
        match &self.0 {
            PatternForm::Any => true,
            PatternForm::Exact(wanted) => wanted == text,
            PatternForm::Regexp { whole, .. } => plain() && whole.is_match(text),
            PatternForm::Wildcard { whole, .. } => plain() && !has_dot_segment(text) && whole.is_match(text),
        }
    }

    /// Whether it is [`TextPattern::any`].
    pub const fn is_any(&self) -> bool {
        matches!(self.0, PatternForm::Any)
    }

    /// Whether every text that `other` matches is matched by this pattern too, as far as that can be told.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match &other.0 {
            _ if self.is_any() || self == other => true,
            PatternForm::Exact(text) => self.matches(text),
            PatternForm::Any | PatternForm::Regexp { .. } | PatternForm::Wildcard { .. } => false,
        }
    }

    /// Whether it is one exact text.
    pub(super) const fn is_exact(&self) -> bool {
        matches!(self.0, PatternForm::Exact(_))
    }

    /// The literal ends of its alternatives; none where nothing stands for other text.
    pub(super) fn literals(&self) -> Vec<Literals> {
        match &self.0 {
            PatternForm::Any | PatternForm::Exact(_) => Vec::new(),
            PatternForm::Regexp { text, .. } => Literals::of_regexp(text),
            PatternForm::Wildcard { text, .. } => vec![Literals::of_wildcard(text)],
        }
    }

    /// Refuses a pattern that also matches one of some unrelated names and issuers, as `.*` does.
    ///
    /// # Errors
    /// [`PatternError::CatchAll`] with one of them.
    pub(super) fn check_unrelated(self) -> Result<Self, PatternError> {
        match UNRELATED.into_iter().find(|name| !self.is_any() && self.matches(name)) {
            Some(example) if !matches!(self.0, PatternForm::Exact(_)) => {
                Err(PatternError::CatchAll { found: self.to_string(), example })
            }
            _ => Ok(self),
        }
    }

    fn form(&self) -> (&'static str, &str) {
        match &self.0 {
            PatternForm::Any => ("any", ""),
            PatternForm::Exact(text) => ("exact", text),
            PatternForm::Regexp { text, .. } => ("regexp", text),
            PatternForm::Wildcard { text, .. } => ("wildcard", text),
        }
    }
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.form() == other.form()
    }
}

impl Eq for TextPattern {}

impl fmt::Debug for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (form, text) = self.form();
        write!(f, "TextPattern({form} {text:?})")
    }
}

/// As it was given; a regular expression after `regexp:`.
impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            PatternForm::Any => f.write_str("(any)"),
            PatternForm::Exact(text) | PatternForm::Wildcard { text, .. } => f.write_str(text),
            PatternForm::Regexp { text, .. } => write!(f, "regexp:{text}"),
        }
    }
}

fn check(text: &str) -> Result<(), PatternError> {
    if limits::count(text.len()) > LONGEST_PATTERN {
        return Err(PatternError::TooLong { limit: LONGEST_PATTERN });
    }
    match text.is_empty() || text.chars().any(text::is_unsafe_to_show) {
        true => Err(PatternError::Characters { found: text.to_owned() }),
        false => Ok(()),
    }
}

/// The expression that matches the whole text.
fn compiled(expression: &str, found: &str) -> Result<Regex, PatternError> {
    built(&format!(r"\A(?:{expression})\z"), found)
}

/// The expression, within the limits of time and memory.
fn built(expression: &str, found: &str) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(expression).size_limit(MOST_PROGRAM).nest_limit(MOST_NESTED).build();
    built.map_err(|_| PatternError::Regexp {
        found: found.to_owned(),
        reason: "its syntax is not the one of RE2, or it is too large",
    })
}

fn is_anchored(branch: &str) -> bool {
    branch.len() > 1 && branch.starts_with('^') && ends(branch)
}

fn anchored(flags: &str, branches: &[&str]) -> String {
    let inner: Vec<_> = branches.iter().map(|branch| without_anchors(branch)).collect();
    match inner.as_slice() {
        [one] => format!("{flags}^{one}$"),
        several => format!("{flags}^(?:{})$", several.join("|")),
    }
}

/// Whether a group sets a flag other than `i`: `m` would let `^` and `$` match inside the text.
fn has_other_flags(expression: &str) -> bool {
    let mut after = expression.split("(?");
    after.next();
    after.any(|group| !["i:", ":", "P<", "<"].iter().any(|known| group.starts_with(known)))
}

fn has_dot_segment(text: &str) -> bool {
    text.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Names and issuers that no operator means: a pattern that matches one of them matches everybody.
const UNRELATED: [&str; 10] = [
    "https://issuer.example.org",
    "someone@example.org",
    "someone.example@gmail.com",
    "someone!example.org",
    "https://oidc.example.org/id/0",
    "https://github.com/example-unrelated/x/.github/workflows/x.yml@refs/heads/x",
    "https://gitlab.com/example-unrelated/x//.gitlab-ci.yml@refs/heads/x",
    "https://kubernetes.io/namespaces/example-unrelated/serviceaccounts/x",
    "spiffe://example.org/ns/x/sa/x",
    "x",
];

/// The longest pattern, in bytes.
const LONGEST_PATTERN: u64 = 1024;
/// The longest text of a certificate that is compared, in bytes.
pub(super) const LONGEST_TEXT: u64 = 2048;
/// The memory of a compiled expression, in bytes, which also bounds the steps for each character.
const MOST_PROGRAM: usize = 64 << 10;
/// The groups inside each other.
const MOST_NESTED: u32 = 16;
