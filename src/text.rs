//! `Untrusted`: foreign text inside our own messages, bounded when it is taken and escaped when it is shown (CWE-150).

use std::fmt;

/// Invisible code points, first and last of each range.
///
/// - Unicode 16.0, `DerivedCoreProperties.txt`, property `Default_Ignorable_Code_Point`. The formatting characters of
///   `PropList.txt`, property `Bidi_Control`, are all among them.
/// - Characters that are drawn as nothing without having that property: the line and paragraph separators, the anchors
///   of interlinear annotations, the Braille pattern without dots, the null notehead, the blanks and format controls of
///   Egyptian hieroglyphs, and joiners and marks that show only among letters of their script (Syriac, Tifinagh, Brahmi,
///   Khitan).
/// - Characters without a shape of their own: private use (general category Co), noncharacters, and the planes in which
///   nothing is assigned.
const HIDDEN: [(char, char); 30] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{2d7f}', '\u{2d7f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1107f}', '\u{1107f}'),
    ('\u{13430}', '\u{13442}'),
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{10ffff}'),
];

/// Text that somebody else chose, as a message shows it.
///
/// The invariant: it has at most the length that was given when it was taken, and displays no character that is hidden,
/// ends a line or changes how other text is shown: those are written as `\u{…}`. `{:?}` shows it in quotes. Truncated
/// text ends with `…`.
///
/// ```
/// use bulla::text::Untrusted;
///
/// assert_eq!(Untrusted::new("a\u{202e}b").to_string(), "a\\u{202e}b");
/// assert_eq!(Untrusted::within("abcdef", 3).to_string(), "abc…");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Untrusted {
    cut: bool,
    text: String,
}

impl Untrusted {
    /// `text`, truncated to 300 characters.
    pub fn new(text: &str) -> Self {
        Self::within(text, LONGEST)
    }

    /// `text`, truncated to `longest` characters.
    pub fn within(text: &str, longest: usize) -> Self {
        match text.char_indices().nth(longest) {
            Some((end, _)) => Self { cut: true, text: text.get(..end).unwrap_or_default().to_owned() },
            None => Self { cut: false, text: text.to_owned() },
        }
    }

    /// The same text, converted by `text` as it is shown.
    #[cfg(feature = "registry")]
    pub(crate) fn converted(self, text: impl Fn(&str) -> String) -> Self {
        let shown = self.to_string();
        match text(&shown) {
            same if same == shown => self,
            other => Self { cut: false, text: other },
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, quotes: bool) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '"' | '\\' if quotes => write!(f, "\\{c}")?,
                c if is_unsafe_to_show(c) => write!(f, "{}", c.escape_unicode())?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str(if self.cut { "…" } else { "" })
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.write(f, true)?;
        f.write_str("\"")
    }
}

/// Whether a character is invisible or changes how others are shown: control characters, changes of direction, ends of
/// lines, and characters that are drawn as nothing or have no shape of their own.
pub fn is_unsafe_to_show(c: char) -> bool {
    c.is_control() || !c.is_ascii() && HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// The default length of text in a message, in characters.
const LONGEST: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_escaped_wherever_it_is_shown() {
        let text = Untrusted::new("one\ntwo \u{1b}[31m\u{202e}\u{200b} größe \"q\" \\");
        assert_eq!(text.to_string(), "one\\u{a}two \\u{1b}[31m\\u{202e}\\u{200b} größe \"q\" \\");
        assert_eq!(format!("{text:?}"), "\"one\\u{a}two \\u{1b}[31m\\u{202e}\\u{200b} größe \\\"q\\\" \\\\\"");
        assert_eq!(Untrusted::within("größe", 5).to_string(), "größe");
        assert_eq!(Untrusted::within("größe", 4).to_string(), "größ…");
        assert_eq!(Untrusted::new(&"x".repeat(1_000_000)).to_string().chars().count(), LONGEST + 1);
    }
}
