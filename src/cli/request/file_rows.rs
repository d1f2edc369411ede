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
        match (file.content(), text_of(file)) {
            (None, _) => row(page, INDENT, "content", "not in the request"),
            (Some(_), None) => row(page, INDENT, "content", "in the request, no text"),
            (Some(_), Some(text)) => {
                row(page, INDENT, "content", "in the request");
                let most = if self.full { usize::MAX } else { PREDICATE_LINES };
                for line in lines(text).take(most) {
                    page.push(format_args!("{INDENT}  | {line}"));
                }
                let left = lines(text).skip(most).count();
                if left > 0 {
                    page.push(format_args!("{INDENT}  … {left} more lines: --full shows them"));
                }
            }
        }
        for signed in self.response.signers().filter(|signed| signed.is_finished()) {
            row(page, INDENT, "signed by", signed.owner());
        }
    }

    /// Whether the text of a file is longer than what is shown.
    pub(super) fn is_truncated(&self, file: &RequestFile) -> bool {
        !self.full && text_of(file).is_some_and(|text| lines(text).nth(PREDICATE_LINES).is_some())
    }
}

/// The content of a file that is text.
fn text_of(file: &RequestFile) -> Option<&str> {
    file.content().and_then(|content| std::str::from_utf8(content).ok()).filter(|text| !text.contains('\0'))
}

/// The lines of a text, wrapped and escaped. A backslash is doubled, so no text looks like an escape that is made here. A
/// carriage return shows.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').flat_map(|line| pieces(&shown(&line.replace('\\', "\\\\"), Spaces::AsTheyAre)))
}
