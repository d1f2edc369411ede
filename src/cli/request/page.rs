//! How the page that people sign by is laid out: no text on it can look like another row, and none is cut.

use crate::cli::line::Lines;
use crate::request::text::hides;

/// How wide a piece of a text is, at most: with label and indent it fits a terminal of 80 columns.
const WIDTH: usize = 64;

/// What the labels that people compare most begin with.
const PREFIX: &str = "org.opencontainers.image.";

/// What becomes of spaces and backslashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spaces {
    /// They are shown as they are: for a text that stands behind a mark in every line.
    AsTheyAre,
    /// A space at an end or after a space is escaped, and every backslash, so that no other text is shown the same.
    Escaped,
}

/// A row with a value of ours, a digest for example: it is not broken.
pub(super) fn fact(page: &mut Lines, indent: &str, label: &str, value: &str) {
    page.push(format_args!("{indent}{label:<9}  {value}"));
}

/// A row, or several: all of `value`.
pub(super) fn row(page: &mut Lines, indent: &str, label: &str, value: &str) {
    let (first, rest) = (format!("{indent}{label:<9}  "), format!("{indent}{:<9}| ", ""));
    put(page, &first, &rest, &shown(value, Spaces::Escaped));
}

/// What an item begins with.
pub(super) fn title(page: &mut Lines, number: usize, value: &str) {
    put(page, &format!("{number}. "), "   | ", &shown(value, Spaces::Escaped));
}

/// A row with something that an image says about itself: in quotation marks, as nothing else on the page is.
pub(super) fn label(page: &mut Lines, indent: &str, name: &str, key: &str, value: Option<&str>) {
    let quoted = |value: &str| format!("\"{}\"", shown(value, Spaces::Escaped).replace('"', "\\\""));
    let value = value.map_or_else(|| "none".to_owned(), quoted);
    let key = shown(key.strip_prefix(PREFIX).unwrap_or(key), Spaces::Escaped);
    let (first, rest) = (format!("{indent}{name:<9}  "), format!("{indent}{:<9}| ", ""));
    put(page, &first, &rest, &format!("{key}: {value}"));
}

/// A text after `first`, and each piece of it that does not begin it after `rest`.
fn put(page: &mut Lines, first: &str, rest: &str, text: &str) {
    for (number, piece) in pieces(text).into_iter().enumerate() {
        let before = if number == 0 { first } else { rest };
        page.push(format_args!("{before}{piece}"));
    }
}

/// A text of which everything shows.
pub(super) fn shown(text: &str, spaces: Spaces) -> String {
    let mut shown = String::new();
    let mut last = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        // At an end or after another a space cannot be seen, or not be counted.
        let unseen = spaces == Spaces::Escaped && (last == ' ' || characters.peek().is_none());
        let blank = c.is_whitespace() && (c != ' ' || unseen);
        match hides(c) || blank {
            true => shown.extend(c.escape_unicode()),
            false if c == '\\' && spaces == Spaces::Escaped => shown.push_str("\\\\"),
            false => shown.push(c),
        }
        last = c;
    }
    shown
}

/// A text in pieces that are printed whole. What is not ASCII may be two columns wide.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut piece, mut width) = (Vec::new(), String::new(), 0_usize);
    for c in text.chars() {
        let columns = if c.is_ascii() { 1 } else { 2 };
        if width.saturating_add(columns) > WIDTH {
            pieces.push(std::mem::take(&mut piece));
            width = 0;
        }
        piece.push(c);
        width = width.saturating_add(columns);
    }
    pieces.push(piece);
    pieces
}
