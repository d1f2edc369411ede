//! `Line`: the only form in which text reaches a terminal, escaped; `Foreign`: text of somebody else within a line.

use std::fmt;

use bulla::text::Untrusted;

use super::redacted;

/// How much of one foreign text is shown, in characters; a report in JSON has all of it.
const LONGEST: usize = 2_000;

/// One line of output, escaped. Its text cannot end the line, control the terminal or hide anything: line ends, control
/// characters, changes of direction and characters that are drawn as nothing are escaped as `\u{…}`. CWE-150.
///
/// The printing functions take nothing else, so a text cannot be printed as it came. Only the printer ends a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(String);

/// Several lines, each of them escaped by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Vec<Line>);

/// A text that somebody else chose, as it is shown inside a line: escaped, with no run of spaces by which it could look
/// like another column or row, and shortened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign<T>(pub(super) T);

// `Line` itself is no `Display`: what was made to be printed is not put into another text.
impl<T: fmt::Display> From<T> for Line {
    fn from(text: T) -> Self {
        // Text from elsewhere may hold a secret that was sent there.
        Self(Untrusted::within(&redacted::text(&text.to_string()), usize::MAX).to_string())
    }
}

impl Line {
    /// The line as it may be printed, without its end.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is about an error: it says so, or is a detail or a hint of one that did.
    pub(super) fn is_of_an_error(&self) -> bool {
        ["error:", "hint:", "  "].iter().any(|start| self.0.starts_with(start))
    }
}

impl Lines {
    /// Appends a line.
    pub(super) fn push(&mut self, line: impl Into<Line>) {
        self.0.push(line.into());
    }

    /// The lines in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }
}

impl<L: Into<Line>> FromIterator<L> for Lines {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Self {
        Self(lines.into_iter().map(Into::into).collect())
    }
}

impl<T: fmt::Display> fmt::Display for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        // A space at the beginning, or after a space, cannot be told from the space of a column.
        let mut last = ' ';
        for c in Untrusted::within(&self.0.to_string(), LONGEST).to_string().chars() {
            match c.is_whitespace() && (c != ' ' || last == ' ') {
                true => shown.extend(c.escape_unicode()),
                false => shown.push(c),
            }
            last = c;
        }
        f.pad(&shown)
    }
}

/// As much of a text with foreign parts as is shown: a report in JSON has all of it.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_it_is_made_of() {
        for hidden in [
            '\n',
            '\r',
            '\t',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{85}',
            '\u{ad}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2066}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e000}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{40000}',
            '\u{e0041}',
            '\u{f0000}',
            '\u{10ffff}',
        ] {
            let line = Line::from(format_args!("a{hidden}b"));
            assert_eq!(line.as_str(), format!("a\\u{{{:x}}}b", u32::from(hidden)));
            assert_eq!(Foreign(hidden).to_string(), format!("\\u{{{:x}}}", u32::from(hidden)));
        }
        for plain in ["linux/arm64/v8", "größe  =  1", "日本語", "−∞", "🚢", "\\n", "a\u{301}"] {
            assert_eq!(Line::from(plain).as_str(), plain);
        }
    }

    #[test]
    fn a_foreign_text_cannot_look_like_another_column() {
        assert_eq!(Foreign("v1  verified").to_string(), "v1 \\u{20}verified");
        assert_eq!(Foreign(" v1\u{a0}\u{3000}x").to_string(), "\\u{20}v1\\u{a0}\\u{3000}x");
        assert_eq!(Foreign("one two three").to_string(), "one two three");
        assert_eq!(Foreign("x".repeat(3_000)).to_string().chars().count(), LONGEST + 1);
        assert_eq!(format!("[{:4}]", Foreign("é")), "[é   ]");
    }
}
