//! The rows of the page that people read before they sign: no value can imitate another row, and no value is cut.

use crate::cli::line::Lines;
use bulla::text::is_unsafe_to_show;

/// The width of a row of text: with label and indentation it fits a terminal of 80 columns.
const WIDTH: usize = 64;

/// The indentation of the rows of an item.
pub(super) const INDENT: &str = "   ";

/// The prefix of the labels that people compare most; it is not shown.
const PREFIX: &str = "org.opencontainers.image.";

/// How spaces and backslashes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spaces {
    /// Unchanged: for text that has a mark at the start of every line.
    AsTheyAre,
    /// Escaped where they cannot be seen: at either end and after another space. Backslashes are escaped too, so no two
    /// texts look the same.
    Escaped,
}

/// Adds a row with a value that bulla computed, such as a digest. It is not wrapped.
pub(super) fn fact(page: &mut Lines, indent: &str, label: &str, value: &str) {
    page.push(format_args!("{indent}{label:<9}  {value}"));
}

/// Adds all of `value`, in as many rows as it takes.
pub(super) fn row(page: &mut Lines, indent: &str, label: &str, value: &str) {
    let (first, rest) = (format!("{indent}{label:<9}  "), format!("{indent}{:<9}| ", ""));
    put(page, &first, &rest, &shown(value, Spaces::Escaped));
}

/// Adds the first row of an item.
pub(super) fn title(page: &mut Lines, number: usize, value: &str) {
    put(page, &format!("{number}. "), "   | ", &shown(value, Spaces::Escaped));
}

/// Adds a row with a label of the image. Only the image's own claims have quotation marks on this page.
pub(super) fn label(page: &mut Lines, indent: &str, name: &str, key: &str, value: Option<&str>) {
    let quoted = |value: &str| format!("\"{}\"", shown(value, Spaces::Escaped).replace('"', "\\\""));
    let value = value.map_or_else(|| "none".to_owned(), quoted);
    let key = shown(key.strip_prefix(PREFIX).unwrap_or(key), Spaces::Escaped);
    let (first, rest) = (format!("{indent}{name:<9}  "), format!("{indent}{:<9}| ", ""));
    put(page, &first, &rest, &format!("{key}: {value}"));
}

/// Adds the first piece of a text after `first`, and each further piece after `rest`.
fn put(page: &mut Lines, first: &str, rest: &str, text: &str) {
    for (number, piece) in pieces(text).into_iter().enumerate() {
        let before = if number == 0 { first } else { rest };
        page.push(format_args!("{before}{piece}"));
    }
}

/// Escapes a text so that every character shows.
pub(super) fn shown(text: &str, spaces: Spaces) -> String {
    let mut shown = String::new();
    let mut last = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        // A space cannot be seen at an end, and cannot be counted after another one.
        let unseen = spaces == Spaces::Escaped && (last == ' ' || characters.peek().is_none());
        let blank = c.is_whitespace() && (c != ' ' || unseen);
        match is_unsafe_to_show(c) || blank {
            true => shown.extend(c.escape_unicode()),
            false if c == '\\' && spaces == Spaces::Escaped => shown.push_str("\\\\"),
            false => shown.push(c),
        }
        last = c;
    }
    shown
}

/// Cuts a text into pieces that fit a row. A character that is not ASCII may be two columns wide.
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
