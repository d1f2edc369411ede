//! Which characters may stand in text that people sign by: none that is invisible or changes how the rest is shown.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::request::RequestError;

/// Invisible code points, first and last of each range.
///
/// - Unicode 16.0, `DerivedCoreProperties.txt`, property `Default_Ignorable_Code_Point`. The formatting characters of
///   `PropList.txt`, property `Bidi_Control`, are all among them.
/// - Characters that are drawn as nothing without having that property: the line and paragraph separators, the anchors
///   of interlinear annotations, and the Braille pattern without dots.
/// - Characters without a shape of their own: private use (general category Co), noncharacters, and the planes in which
///   nothing is assigned.
const HIDDEN: [(char, char); 24] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{10ffff}'),
];

/// Whether a character is invisible or changes how others are shown: control characters, changes of direction, ends of
/// lines, and characters that are drawn as nothing or have no shape of their own.
pub fn hides(c: char) -> bool {
    c.is_control() || !c.is_ascii() && HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Refuses a text that is signed, or that names something, if a character of it is hidden.
pub(super) fn check(field: &str, text: &str) -> Result<(), RequestError> {
    match text.chars().find(|c| hides(*c)) {
        Some(c) => {
            Err(RequestError::field(field, format!("has a character that does not show, {}", c.escape_unicode())))
        }
        None => Ok(()),
    }
}

/// A name, or another text of one line, within the limit.
pub(super) fn check_name(field: &str, name: Option<&String>, limits: &Limits) -> Result<(), RequestError> {
    let Some(name) = name else { return Ok(()) };
    RequestError::bounded(&format!("bytes of `{field}`"), name.len(), limits.request.text_bytes)?;
    match name.is_empty() {
        true => Err(RequestError::field(field, "is empty")),
        false => check(field, name),
    }
}

/// Annotations, which are signed. They are typed and shown as `key=value`, so no key holds a `=`.
pub(super) fn check_annotations(texts: &BTreeMap<String, String>, limits: &Limits) -> Result<(), RequestError> {
    const FIELD: &str = "annotations";
    bounded(FIELD, texts, limits)?;
    for (key, value) in texts {
        check(FIELD, key).and_then(|()| check(FIELD, value))?;
        if key.contains('=') {
            return Err(RequestError::field(FIELD, format!("has a key with a `=` in it, {key:?}")));
        }
    }
    Ok(())
}

/// Labels. `request new` writes their keys; their values are what an image says, and are shown escaped.
pub(super) fn check_labels(field: &str, texts: &BTreeMap<String, String>, limits: &Limits) -> Result<(), RequestError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    bounded(field, texts, limits)?;
    match texts.keys().find(|key| !key.chars().all(is_plain)) {
        Some(key) => {
            Err(RequestError::field(field, format!("has a key that is not of letters, digits and ./_-: {key:?}")))
        }
        None => Ok(()),
    }
}

fn bounded(field: &str, texts: &BTreeMap<String, String>, limits: &Limits) -> Result<(), RequestError> {
    let bytes = texts.iter().map(|(key, value)| key.len() + value.len()).sum();
    RequestError::bounded(&format!("`{field}` of one item"), texts.len(), limits.oci.annotations)?;
    RequestError::bounded(&format!("bytes of `{field}` of one item"), bytes, limits.oci.annotation_bytes)?;
    match texts.contains_key("") {
        true => Err(RequestError::field(field, "has an empty key")),
        false => Ok(()),
    }
}
