//! What is checked before a YAML document is parsed: its length, its encoding, and each of its characters.

use crate::limits::Limits;
use crate::limits::count;
use crate::text::is_unsafe_to_show;
use crate::yaml::Position;
use crate::yaml::YamlError;
use crate::yaml::YamlProblem;

/// The text of a document without a character that could mislead: the errors of the others, each with its position, at
/// most `most`. The first one that makes it unreadable ends it.
pub(super) fn text<'a>(bytes: &'a [u8], limits: &Limits, most: usize) -> Result<&'a str, Vec<YamlError>> {
    let longest = limits.yaml.bytes;
    if count(bytes.len()) > longest {
        return Err(vec![YamlError { position: Position::START, problem: YamlProblem::TooLong(longest) }]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
        vec![YamlError { position: end_of(valid.unwrap_or_default()), problem: YamlProblem::Utf8 }]
    })?;
    let errors: Vec<YamlError> = characters(text).take(most).collect();
    if errors.is_empty() { Ok(text) } else { Err(errors) }
}

/// The position after `text`.
pub(super) fn end_of(text: &str) -> Position {
    let lines = text.matches('\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position { line: number(lines), column: number(last.chars().count()) }
}

/// A number from 1 on of what is counted from 0 on.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

/// The characters that are not allowed, wherever they stand: in a comment they could hide a line as well.
fn characters(text: &str) -> impl Iterator<Item = YamlError> {
    text.split_inclusive('\n').enumerate().flat_map(|(line, content)| {
        let content = content.strip_suffix("\r\n").or_else(|| content.strip_suffix('\n')).unwrap_or(content);
        content.chars().enumerate().filter_map(move |(column, c)| {
            let problem = match c {
                '\u{feff}' => YamlProblem::ByteOrderMark,
                '\t' => YamlProblem::Tab,
                '%' if column == 0 => YamlProblem::Directive,
                c if is_unsafe_to_show(c) => YamlProblem::Character(c),
                _ => return None,
            };
            Some(YamlError { position: Position { line: number(line), column: number(column) }, problem })
        })
    })
}
