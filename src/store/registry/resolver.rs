//! `Resolver`: DNS by the system resolver, with its own error type. The HTTP library passes that error on unchanged, so
//! an unknown name is recognized without reading the text of an error.

use std::error::Error;
use std::fmt;
use std::io;

use reqwest::dns::Addrs;
use reqwest::dns::Name;
use reqwest::dns::Resolve;
use reqwest::dns::Resolving;

/// The system resolver.
pub(in crate::store) struct Resolver;

/// The system resolver found no address for a name.
// It has no `source()`, since its message is that of the operating system.
#[derive(Debug)]
pub(super) struct NameNotResolved(io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The HTTP library replaces port 0 by the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(NameNotResolved)?;
            let addresses: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}

impl fmt::Display for NameNotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NameNotResolved {}
