//! The web client: single HTTP requests to servers that are no registry, such as OCSP responders, servers of CRLs and
//! timestamp authorities.
//!
//! A request has no credentials, no cookies and no `Referer`; answer, redirects and time are bounded. The caller says by
//! an [`AddressRule`] who named the address, since a certificate may name an address inside the own network (SSRF,
//! CWE-918).

mod address_rule;
mod client;
mod error;
mod public_address;
mod request;
mod resolver;

pub use address_rule::AddressRule;
pub use address_rule::AllowedHost;
pub use address_rule::AllowedHostError;
pub use client::WebClient;
pub use error::WebError;
pub use error::WebFault;
pub use request::WebMethod;
pub use request::WebRequest;
pub use request::WebResponse;
