//! Entry points for fuzzing the parsers of response headers (`tests/fuzz`); not part of the public interface.

use reqwest::Url;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use reqwest::header::LINK;
use reqwest::header::WWW_AUTHENTICATE;

use super::challenge;
use super::challenge::Challenge;
use super::link;

/// The realm of the challenge in this `WWW-Authenticate` header; empty for Basic authentication.
pub fn realm(value: &[u8]) -> Option<String> {
    match challenge::strongest(&only(WWW_AUTHENTICATE, value)?)? {
        Challenge::Basic => Some(String::new()),
        Challenge::Bearer(bearer) => Some(bearer.realm),
    }
}

/// The next page in this `Link` header, of a list at `registry.example`.
pub fn next_page(value: &[u8]) -> Option<String> {
    let page = Url::parse("https://registry.example/v2/app/tags/list").ok()?;
    link::next(&page, &only(LINK, value)?).ok().flatten().map(String::from)
}

fn only(name: HeaderName, value: &[u8]) -> Option<HeaderMap> {
    HeaderValue::from_bytes(value).ok().map(|value| [(name, value)].into_iter().collect())
}
