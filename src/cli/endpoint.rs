//! `Endpoint`: a server that takes one kind of request by POST, at an address that the operator named.

use std::path::PathBuf;

use bulla::store::web::AddressRule;
use bulla::store::web::WebClient;
use bulla::store::web::WebError;
use bulla::store::web::WebFault;
use bulla::store::web::WebRequest;
use bulla::store::web::WebResponse;

use super::exit::Failure;
use super::registry;

/// A server at an address that the operator named: a timestamp authority or a log.
pub(super) struct Endpoint {
    client: WebClient,
    make: MakeRequest,
    url: String,
}

/// Makes the request with this URL and body.
pub(super) type MakeRequest = fn(&str, Vec<u8>) -> Result<WebRequest, WebError>;

impl Endpoint {
    /// The server at `url`, which is the value of `option`. `tls_ca` are more certificate authorities of it. The address is
    /// checked here, before a key is used; nothing is sent yet.
    pub(super) fn at(option: &str, url: String, tls_ca: &[PathBuf], make: MakeRequest) -> Result<Self, Failure> {
        let _request = make(&url, Vec::new()).map_err(|error| Failure::unknown(format!("{option} {error}")))?;
        Ok(Self { client: registry::web_client(tls_ca)?, make, url })
    }

    /// Sends `body`. Also returns how messages name the address.
    pub(super) async fn post(&self, body: Vec<u8>) -> Result<(WebResponse, String), WebError> {
        let request = (self.make)(&self.url, body)?;
        let response = self.client.send(&request, &AddressRule::AnyHost).await?;
        Ok((response, request.to_string()))
    }
}

/// The stable code of an error in reports.
pub(super) const fn code_of(error: &WebError) -> &'static str {
    match error.fault {
        WebFault::Deadline(_) | WebFault::Timeout(_) => "timeout",
        WebFault::NotAUrl | WebFault::Scheme(_) | WebFault::UserName => "bad-argument",
        WebFault::TooLarge { .. } => "too-large",
        WebFault::ContentEncoding | WebFault::PostRedirected(_) | WebFault::Status(_) => "protocol",
        _ => "unreachable",
    }
}
