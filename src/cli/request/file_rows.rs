//! The rows of a file on the page that people read before they sign.

use crate::cli::line::Lines;
use crate::cli::request::page::PREDICATE_LINES;
use crate::cli::request::page::RequestPage;
use crate::cli::request::rows::INDENT;
use crate::cli::request::rows::Spaces;
use crate::cli::request::rows::fact;
use crate::cli::request::rows::pieces;
use crate::cli::request::rows::row;
use crate::cli::request::rows::shown;
use crate::cli::request::rows::title;
use bulla::request::RequestFile;

impl RequestPage<'_> {
    /// The rows of the file at this index of the request.
    pub(super) fn file(&self, place: usize, file: &RequestFile, page: &mut Lines) {
        let number = self.request.items().len().saturating_add(place).saturating_add(1);
        title(page, number, file.name());
        fact(page, INDENT, "digest", &file.digest().to_string());
        row(page, INDENT, "kind", &format!("file, {} bytes", file.size()));
        self.previous_file(file, page);
        row(page, INDENT, "sign", "file, Sigstore bundle and plain signature");
        if let Some(copy) = self.files.and_then(|files| files.copy_of(place)) {
            row(page, INDENT, "same as", copy);
        }
        match file.content() {
            None => row(page, INDENT, "content", "not in the request"),
            Some(content) => {
                let what = if is_text(content) { "in the request" } else { "in the request, not all of it is text" };
                row(page, INDENT, "content", what);
                let most = if self.full { usize::MAX } else { PREDICATE_LINES };
                for line in lines(content).take(most) {
                    page.push(format_args!("{INDENT}  | {line}"));
                }
                let left = lines(content).skip(most).count();
                if left > 0 {
                    page.push(format_args!("{INDENT}  … {left} more lines: --full shows them"));
                }
            }
        }
        for signed in self.response.signers().filter(|signed| signed.is_finished()) {
            row(page, INDENT, "signed by", signed.owner());
        }
    }

    /// Whether the content of a file is longer than what is shown.
    pub(super) fn is_truncated(&self, file: &RequestFile) -> bool {
        !self.full && file.content().is_some_and(|content| lines(content).nth(PREDICATE_LINES).is_some())
    }
}

fn is_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

/// The lines of a file, wrapped and escaped. Every byte shows, also one that is not text: a byte that hid the others would
/// be one that the requester adds. A backslash is doubled, so no text looks like an escape that is made here. A carriage
/// return shows.
fn lines(content: &[u8]) -> impl Iterator<Item = String> {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.split(|byte| *byte == b'\n').flat_map(|line| {
        let parts: Vec<_> = line.split(|byte| *byte == 0).map(escaped).collect();
        pieces(&parts.join("\\x00"))
    })
}

/// Text, escaped as in a row, with a `\xff` for each byte that is not UTF-8.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&shown(&chunk.valid().replace('\\', "\\\\"), Spaces::AsTheyAre));
        text.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    text
}
