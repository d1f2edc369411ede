//! `PublicResolver`: DNS that returns public addresses only, so that the addresses that are connected to are those that
//! were checked, and no second answer of a name server comes in between (DNS rebinding).

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use reqwest::dns::Addrs;
use reqwest::dns::Name;
use reqwest::dns::Resolve;
use reqwest::dns::Resolving;

use super::public_address::is_public;
use crate::store::registry::Resolver;

/// The system resolver, without the addresses that are not public.
pub(super) struct PublicResolver;

/// No address of a name is public. The HTTP library passes it on unchanged.
#[derive(Debug)]
pub(super) struct NoPublicAddress {
    /// One of its addresses; `None` if it has no address.
    pub(super) address: Option<IpAddr>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let all = Resolver.resolve(name);
        Box::pin(async move {
            let all: Vec<_> = all.await?.collect();
            let public: Vec<_> = all.iter().copied().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress { address: all.first().map(std::net::SocketAddr::ip) }.into());
            }
            let public: Addrs = Box::new(public.into_iter());
            Ok(public)
        })
    }
}

impl fmt::Display for NoPublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has no public address")
    }
}

impl Error for NoPublicAddress {}
