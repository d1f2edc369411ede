//! The transparency log at `--log-url`: Rekor v2 over HTTP.

use std::path::PathBuf;

#[cfg(feature = "registry")]
use bulla::limits::Limits;
use bulla::ops::witness::SignatureLog;
#[cfg(feature = "registry")]
use bulla::ops::witness::SignatureLogError;
#[cfg(feature = "registry")]
use bulla::store::Task;
#[cfg(feature = "registry")]
use bulla::store::web::WebError;
#[cfg(feature = "registry")]
use bulla::store::web::WebFault;
#[cfg(feature = "registry")]
use bulla::store::web::WebMethod;
#[cfg(feature = "registry")]
use bulla::store::web::WebRequest;
#[cfg(feature = "registry")]
use bulla::transparency::LogEntryRequest;

#[cfg(feature = "registry")]
use super::endpoint;
#[cfg(feature = "registry")]
use super::endpoint::Endpoint;
use super::exit::Failure;

/// The log at `url`, which the operator named. `tls_ca` are more certificate authorities of its server. Nothing is sent yet.
#[cfg(feature = "registry")]
pub(super) fn at(url: &str, tls_ca: &[PathBuf]) -> Result<Box<dyn SignatureLog>, Failure> {
    if url.contains(['?', '#']) {
        return Err(Failure::unknown("--log-url: the address of a log has no query and no fragment"));
    }
    let url = format!("{}{PATH}", url.trim_end_matches('/'));
    Ok(Box::new(WebLog(Endpoint::at("--log-url", url, tls_ca, request)?)))
}

/// The failure of a build without network code.
#[cfg(not(feature = "registry"))]
pub(super) fn at(_url: &str, _tls_ca: &[PathBuf]) -> Result<Box<dyn SignatureLog>, Failure> {
    Err(Failure::unknown("--log-url: this build of bulla has no network code and cannot ask a log"))
}

#[cfg(feature = "registry")]
struct WebLog(Endpoint);

#[cfg(feature = "registry")]
impl SignatureLog for WebLog {
    fn add<'a>(&'a self, asked: &'a LogEntryRequest) -> Task<'a, Result<Vec<u8>, SignatureLogError>> {
        Box::pin(async move {
            let answer = self.0.post(asked.as_json().to_vec()).await;
            let (answer, _) = answer.map_err(|error| match error.fault {
                WebFault::Status(CONFLICT) => {
                    SignatureLogError::new(endpoint::code_of(&error), format!("{error}: {EXISTS}"))
                }
                _ => SignatureLogError::new(endpoint::code_of(&error), error),
            })?;
            Ok(answer.body)
        })
    }
}

#[cfg(feature = "registry")]
fn request(url: &str, body: Vec<u8>) -> Result<WebRequest, WebError> {
    let method = WebMethod::Post { body, content_type: "application/json" };
    Ok(WebRequest::new(url, method, Limits::DEFAULT.transparency.entry_bytes)?.that_creates())
}

/// What rekor-tiles answers to a request for an entry that it has. The same key makes the same signature of the same
/// statement again.
#[cfg(feature = "registry")]
const CONFLICT: u16 = 409;

#[cfg(feature = "registry")]
const EXISTS: &str =
    "the log has an entry about this very signature already; --if-missing keeps the signature that has it";

/// Where Rekor v2 takes new entries.
#[cfg(feature = "registry")]
const PATH: &str = "/api/v2/log/entries";
