//! The timestamp authority at `--timestamp-url` (RFC 3161 section 3.4).

use std::path::PathBuf;

#[cfg(feature = "registry")]
use bulla::limits::Limits;
use bulla::ops::timestamp::TimestampAuthority;
#[cfg(feature = "registry")]
use bulla::ops::timestamp::TimestampAuthorityError;
#[cfg(feature = "registry")]
use bulla::store::Task;
#[cfg(feature = "registry")]
use bulla::store::web::WebError;
#[cfg(feature = "registry")]
use bulla::store::web::WebMethod;
#[cfg(feature = "registry")]
use bulla::store::web::WebRequest;
#[cfg(feature = "registry")]
use bulla::text::Untrusted;
#[cfg(feature = "registry")]
use bulla::x509::TimestampNonce;
#[cfg(feature = "registry")]
use bulla::x509::TimestampRequest;

#[cfg(feature = "registry")]
use crate::cli::endpoint;
#[cfg(feature = "registry")]
use crate::cli::endpoint::Endpoint;
use crate::cli::exit::Failure;
#[cfg(feature = "registry")]
use crate::cli::timestamp::nonce;

/// The timestamp authority at `url`, which the operator named. `tls_ca` are more certificate authorities of its server.
/// Nothing is sent yet.
#[cfg(feature = "registry")]
pub(in crate::cli) fn at(url: &str, tls_ca: &[PathBuf]) -> Result<Box<dyn TimestampAuthority>, Failure> {
    Ok(Box::new(WebAuthority(Endpoint::at("--timestamp-url", url.to_owned(), tls_ca, request)?)))
}

/// The failure of a build without network code.
#[cfg(not(feature = "registry"))]
pub(in crate::cli) fn at(_url: &str, _tls_ca: &[PathBuf]) -> Result<Box<dyn TimestampAuthority>, Failure> {
    let why = "this build of bulla has no network code and cannot ask a timestamp authority";
    Err(Failure::unknown(format!("--timestamp-url: {why}"))
        .hint("bulla timestamp request writes requests, which bulla timestamp fetch answers elsewhere"))
}

#[cfg(feature = "registry")]
struct WebAuthority(Endpoint);

/// An answer that is no timestamp response.
#[cfg(feature = "registry")]
#[derive(Debug, thiserror::Error)]
#[error("{url}: it answered with {found}, not with a timestamp response ({MEDIA_TYPE})")]
struct OtherAnswer {
    /// Its media type, escaped.
    found: String,
    /// The URL, without what may grant access.
    url: String,
}

#[cfg(feature = "registry")]
impl TimestampAuthority for WebAuthority {
    fn ask<'a>(&'a self, asked: &'a TimestampRequest) -> Task<'a, Result<Vec<u8>, TimestampAuthorityError>> {
        Box::pin(async move {
            let answer = self.0.post(asked.to_der()).await;
            let (answer, url) =
                answer.map_err(|error| TimestampAuthorityError::new(endpoint::code_of(&error), error))?;
            if answer.content_type.as_deref() == Some(MEDIA_TYPE) {
                return Ok(answer.body);
            }
            let found = answer.content_type.as_deref().map(|found| Untrusted::within(found, SHOWN).to_string());
            let found = found.unwrap_or_else(|| "no media type".to_owned());
            Err(TimestampAuthorityError::new("protocol", OtherAnswer { found, url }))
        })
    }

    fn nonce(&self) -> Result<TimestampNonce, TimestampAuthorityError> {
        nonce::nonce().map_err(|error| TimestampAuthorityError::new("io", error))
    }
}

#[cfg(feature = "registry")]
fn request(url: &str, body: Vec<u8>) -> Result<WebRequest, WebError> {
    let method = WebMethod::Post { body, content_type: "application/timestamp-query" };
    WebRequest::new(url, method, Limits::DEFAULT.envelope.timestamp_bytes)
}

/// The media type of a response (RFC 3161 section 3.4).
#[cfg(feature = "registry")]
const MEDIA_TYPE: &str = "application/timestamp-reply";

/// How much of another media type is shown, in characters.
#[cfg(feature = "registry")]
const SHOWN: usize = 80;
