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
use bulla::store::web::AddressRule;
#[cfg(feature = "registry")]
use bulla::store::web::WebClient;
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

use super::exit::Failure;
#[cfg(feature = "registry")]
use super::registry;

/// The log at `url`, which the operator named. `tls_ca` are more certificate authorities of its server. Nothing is sent yet.
#[cfg(feature = "registry")]
pub(super) fn at(url: &str, tls_ca: &[PathBuf]) -> Result<Box<dyn SignatureLog>, Failure> {
    if url.contains(['?', '#']) {
        return Err(Failure::unknown("--log-url: the address of a log has no query and no fragment"));
    }
    let url = format!("{}{PATH}", url.trim_end_matches('/'));
    // The address is checked before a key is used.
    let _request = request(&url, Vec::new()).map_err(|error| Failure::unknown(format!("--log-url {error}")))?;
    Ok(Box::new(WebLog { client: registry::web_client(tls_ca)?, url }))
}

/// The failure of a build without network code.
#[cfg(not(feature = "registry"))]
pub(super) fn at(_url: &str, _tls_ca: &[PathBuf]) -> Result<Box<dyn SignatureLog>, Failure> {
    Err(Failure::unknown("--log-url: this build of bulla has no network code and cannot ask a log"))
}

#[cfg(feature = "registry")]
struct WebLog {
    client: WebClient,
    url: String,
}

#[cfg(feature = "registry")]
impl SignatureLog for WebLog {
    fn add<'a>(&'a self, asked: &'a LogEntryRequest) -> Task<'a, Result<Vec<u8>, SignatureLogError>> {
        Box::pin(async move {
            let request = request(&self.url, asked.as_json().to_vec()).map_err(to_error)?;
            let answer = self.client.send(&request, &AddressRule::AnyHost).await.map_err(to_error)?;
            Ok(answer.body)
        })
    }
}

#[cfg(feature = "registry")]
fn request(url: &str, body: Vec<u8>) -> Result<WebRequest, WebError> {
    let method = WebMethod::Post { body, content_type: "application/json" };
    Ok(WebRequest::new(url, method, Limits::DEFAULT.transparency.entry_bytes)?.that_creates())
}

#[cfg(feature = "registry")]
fn to_error(error: WebError) -> SignatureLogError {
    let code = match error.fault {
        WebFault::Deadline(_) | WebFault::Timeout(_) => "timeout",
        WebFault::NotAUrl | WebFault::Scheme(_) | WebFault::UserName => "bad-argument",
        WebFault::TooLarge { .. } => "too-large",
        WebFault::ContentEncoding | WebFault::PostRedirected(_) | WebFault::Status(_) => "protocol",
        _ => "unreachable",
    };
    SignatureLogError::new(code, error)
}

/// Where Rekor v2 takes new entries.
#[cfg(feature = "registry")]
const PATH: &str = "/api/v2/log/entries";
