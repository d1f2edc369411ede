//! What a registry answered, and which error it means.

use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::retry;
use super::transport::Incoming;
use super::transport::Trouble;
use crate::json;
use crate::limits::Limits;
use crate::redact::Secrets;
use crate::store::StoreError;

/// An answer.
pub(super) struct Answer {
    pub(super) body: Body,
    /// Whether it comes from another host, to which the registry sent us.
    pub(super) foreign: bool,
    pub(super) headers: HeaderMap,
    pub(super) status: StatusCode,
    /// Where it was given.
    pub(super) url: Url,
    /// What it was asked for, for messages.
    pub(super) what: String,
    /// Which credential it was asked with, for messages, where that matters.
    pub(super) who: Option<String>,
}

/// A body.
pub(super) enum Body {
    /// What came with an answer other than 2xx, fit to be shown.
    Refused(Refused),
    /// Still on its way.
    Stream(Box<Incoming>),
    /// All of it.
    Whole(Vec<u8>),
}

/// What came with an answer other than 2xx.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refused {
    /// The codes of the distribution specification, where they were given.
    pub(super) codes: Vec<String>,
    /// Whether there was more than we read, or it broke off: then nobody knows what it said.
    pub(super) cut: bool,
    /// Whether it was a page for people with browsers.
    pub(super) page: bool,
    /// The text, shortened, escaped, without secrets.
    pub(super) shown: String,
}

#[derive(Deserialize)]
struct ErrorsWire {
    errors: Option<Vec<ErrorWire>>,
}

#[derive(Deserialize)]
struct ErrorWire {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl Answer {
    /// The codes of the distribution specification that came with the answer.
    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        match &self.body {
            Body::Refused(refused) => refused.codes.iter().any(|code| codes.contains(&code.as_str())),
            _ => false,
        }
    }

    /// The value of a header, where it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body, without parameters, in lower case; empty where none is given.
    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// The body of an answer that was read whole.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.body {
            Body::Whole(bytes) => bytes,
            Body::Refused(_) | Body::Stream(_) => Vec::new(),
        }
    }

    /// Which error the answer means, where it is not the one that was hoped for.
    pub(super) fn error(&self) -> StoreError {
        let place = self.what.clone();
        match self.status {
            StatusCode::NOT_FOUND if self.says_there_is_none() => StoreError::NotFound { what: place },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let who = self.who.iter().map(|who| format!("; {who}")).collect::<String>();
                StoreError::Denied { place, why: self.words() + &who }
            }
            StatusCode::TOO_MANY_REQUESTS => {
                StoreError::Throttled { place, wait: retry::asked_in_words(&self.headers) }
            }
            _ => StoreError::Protocol { place, why: self.words() },
        }
    }

    /// The answer as a protocol error, with the reason in words.
    pub(super) fn protocol(&self, why: impl Into<String>) -> StoreError {
        StoreError::Protocol { place: self.what.clone(), why: why.into() }
    }

    /// Status and text of the answer.
    pub(super) fn words(&self) -> String {
        let from = if self.foreign { format!("{} ", super::transport::place(&self.url)) } else { String::new() };
        let shown = match &self.body {
            Body::Refused(Refused { page: true, .. }) => ": a page for browsers, which is no answer of a registry",
            Body::Refused(refused) if !refused.shown.is_empty() => {
                return format!("{from}answered {}: {}", self.status, refused.shown);
            }
            _ => "",
        };
        format!("{from}answered {}{shown}", self.status)
    }

    /// Whether a 404 is an absence. A plain one is; one with another code, with a page of some proxy, or with more text
    /// than anybody reads, is not.
    fn says_there_is_none(&self) -> bool {
        match &self.body {
            Body::Refused(refused) => {
                !refused.page && !refused.cut && refused.codes.iter().all(|code| ABSENT.contains(&code.as_str()))
            }
            _ => true,
        }
    }
}

impl Refused {
    /// Reads what came with an error; `secrets` are not shown even if the registry echoes them.
    pub(super) async fn read(body: Incoming, headers: &HeaderMap, limits: &Limits, secrets: &Secrets) -> Self {
        // An error whose text cannot be read is still the error that its status says.
        let (bytes, whole) = body.read(limits.registry.error_body_bytes).await.unwrap_or_default();
        let page = media_type(headers) == "text/html";
        let errors = json::read::<ErrorsWire>(&bytes).ok().and_then(|wire| wire.errors).unwrap_or_default();
        let text = match errors.is_empty() {
            true => String::from_utf8_lossy(&bytes).into_owned(),
            false => errors.iter().map(ErrorWire::words).collect::<Vec<_>>().join("; "),
        };
        let codes = errors.into_iter().map(|error| error.code).collect();
        Self { codes, cut: !whole, page, shown: shown(&text, secrets) }
    }
}

impl ErrorWire {
    fn words(&self) -> String {
        match self.message.as_deref() {
            Some(message) if !message.is_empty() => format!("{}: {message}", self.code),
            _ => self.code.clone(),
        }
    }
}

impl Trouble {
    /// The error where there is no further try.
    pub(super) fn error(self, place: &str) -> StoreError {
        match self {
            Self::Final(error) => error,
            Self::Passing(_, why) => StoreError::Unreachable { place: place.to_owned(), what: String::new(), why },
        }
    }
}

/// `text` as it can be shown to people: at most 1 KiB, without control characters, without `secrets` or anything that
/// looks like a token.
pub(super) fn shown(text: &str, secrets: &Secrets) -> String {
    let words: Vec<String> = secrets.hide(text.trim()).split(' ').map(without_token).collect();
    let mut short = String::new();
    for character in words.join(" ").chars() {
        let hidden = character.is_control() || is_invisible(character);
        match hidden {
            true => short.extend(character.escape_default()),
            false => short.push(character),
        }
        if short.len() >= SHOWN_MOST {
            short.push('…');
            break;
        }
    }
    short
}

/// A word, without what looks like JSON web tokens in it.
fn without_token(word: &str) -> String {
    let mut kept = String::new();
    let mut rest = word;
    while let Some((before, token)) = rest.split_once("eyJ") {
        kept.push_str(before);
        kept.push_str("***");
        rest = token.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.=+/".contains(c));
    }
    kept + rest
}

/// Characters that change how others are shown.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The codes that come with a 404 where something is not there.
const ABSENT: &[&str] =
    &["", "BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "TAG_UNKNOWN"];
/// How much of a registry's text is shown, in bytes.
const SHOWN_MOST: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_neither_secrets_nor_escapes() {
        let secrets = Secrets::default();
        secrets.add("hunter2");
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln";
        let text = format!("\u{1b}[31mbad\u{7}\r\n password=hunter2 Bearer {jwt}\u{202e} (\"{jwt}\")");
        let shown = shown(&text, &secrets);
        assert_eq!(shown, "\\u{1b}[31mbad\\u{7}\\r\\n password=*** Bearer ***\\u{202e} (\"***\")");
    }

    #[test]
    fn shows_at_most_a_kibibyte() {
        let shown = shown(&"é".repeat(100_000), &Secrets::default());
        assert!(shown.len() <= SHOWN_MOST + 4);
    }
}
