//! `Resolver`: DNS by the system resolver, with an error of its own type: the HTTP library passes it on as it is, so a
//! name that is unknown is told from other failures without reading the text of an error.

use std::error::Error;
use std::fmt;
use std::io;

use reqwest::dns::Addrs;
use reqwest::dns::Name;
use reqwest::dns::Resolve;
use reqwest::dns::Resolving;

/// The resolver of the system.
pub(super) struct Resolver;

/// The system resolver found no address for a name.
// It has no `source()`: its message is that of the system.
#[derive(Debug)]
pub(super) struct NameNotResolved(io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0: the HTTP library puts the port of the URL in its place.
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
