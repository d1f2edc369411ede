//! The characters that are allowed in text that people read before they sign: none that is invisible or changes how
//! other text is shown.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::text::is_unsafe_to_show;

/// Refuses a signed text, or a name, with a hidden character.
pub(super) fn check(field: &str, text: &str) -> Result<(), RequestError> {
    match text.chars().find(|c| is_unsafe_to_show(*c)) {
        Some(c) => Err(RequestError::field(field, FieldFault::HiddenCharacter(c))),
        None => Ok(()),
    }
}

/// Checks a name, or another text of one line, and its length.
pub(super) fn check_name(field: &str, name: Option<&String>, limits: &Limits) -> Result<(), RequestError> {
    let Some(name) = name else { return Ok(()) };
    RequestError::bounded(&format!("bytes of `{field}`"), name.len(), limits.request.text_bytes)?;
    match name.is_empty() {
        true => Err(RequestError::field(field, FieldFault::Empty)),
        false => check(field, name),
    }
}

/// Checks annotations, which are signed. They are typed and shown as `key=value`, so no key may contain a `=`.
pub(super) fn check_annotations(texts: &BTreeMap<String, String>, limits: &Limits) -> Result<(), RequestError> {
    const FIELD: &str = "annotations";
    bounded(FIELD, texts, limits)?;
    for (key, value) in texts {
        check(FIELD, key).and_then(|()| check(FIELD, value))?;
        if key.contains('=') {
            return Err(RequestError::field(FIELD, FieldFault::EqualsSign(key.clone())));
        }
    }
    Ok(())
}

/// Checks labels. `request new` writes their keys; their values are claims of an image, and are shown escaped.
pub(super) fn check_labels(field: &str, texts: &BTreeMap<String, String>, limits: &Limits) -> Result<(), RequestError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    bounded(field, texts, limits)?;
    match texts.keys().find(|key| !key.chars().all(is_plain)) {
        Some(key) => Err(RequestError::field(field, FieldFault::LabelKey(key.clone()))),
        None => Ok(()),
    }
}

fn bounded(field: &str, texts: &BTreeMap<String, String>, limits: &Limits) -> Result<(), RequestError> {
    let bytes = texts.iter().map(|(key, value)| key.len() + value.len()).sum();
    RequestError::bounded(&format!("`{field}` of one item"), texts.len(), limits.oci.annotations)?;
    RequestError::bounded(&format!("bytes of `{field}` of one item"), bytes, limits.oci.annotation_bytes)?;
    match texts.contains_key("") {
        true => Err(RequestError::field(field, FieldFault::EmptyKey)),
        false => Ok(()),
    }
}
