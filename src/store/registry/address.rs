//! Addresses: the host and port of a URL, loopback, and the part of the network that an address belongs to.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use reqwest::Url;
use url::Host;

/// Whether the host of `url` is a loopback name or address. Names are not resolved.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// The host of `url`, with its port unless that is the default.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Refuses a URL with a user name or a password.
///
/// # Errors
/// The host and port of the URL.
pub(super) fn has_no_user(url: &Url) -> Result<(), String> {
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(()),
        false => Err(host_and_port(url)),
    }
}

/// The network zone of an address. Names are not resolved: over TLS, the server behind a name has to prove its identity;
/// over plain HTTP, a name that a server chose is not followed, unless it is that of the registry itself (`realm.rs`,
/// `location.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NetworkZone {
    Loopback,
    /// Link-local or unspecified: clouds offer the credentials of their machines on such addresses.
    Link,
    Private,
    Public,
}

impl NetworkZone {
    pub(super) fn of(url: &Url) -> Self {
        match url.host() {
            _ if is_loopback(url) => Self::Loopback,
            // A name with a dot at its end is the same name (RFC 1034 section 3.1).
            Some(Host::Domain(name)) => Self::of_name(name.strip_suffix('.').unwrap_or(name)),
            Some(Host::Ipv4(address)) => Self::of_v4(address),
            Some(Host::Ipv6(address)) => match address.to_canonical() {
                IpAddr::V4(address) => Self::of_v4(address),
                IpAddr::V6(address) => Self::of_v6(address),
            },
            None => Self::Public,
        }
    }

    fn of_name(name: &str) -> Self {
        match name {
            "localhost" => Self::Loopback,
            "metadata" | "metadata.google.internal" => Self::Link,
            _ if name.ends_with(".localhost") => Self::Loopback,
            _ => Self::Public,
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        // 100.100.100.200 is the metadata service of a cloud, inside the range for carriers.
        let [first, second, ..] = address.octets();
        match address {
            _ if address.is_link_local() || address.is_multicast() || address.is_broadcast() || first == 0 => {
                Self::Link
            }
            _ if address == Ipv4Addr::new(100, 100, 100, 200) => Self::Link,
            _ if address.is_private() || (first == 100 && (64..128).contains(&second)) => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        // fd00:ec2::254 is the metadata service of another cloud.
        let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
        match address {
            _ if address.is_unspecified() || address.is_multicast() || address.is_unicast_link_local() => Self::Link,
            _ if address == metadata => Self::Link,
            _ if address.is_unique_local() => Self::Private,
            _ => Self::Public,
        }
    }
}
