//! Public IP addresses: which ones can only belong to a host on the internet, by the special-purpose address registries
//! of IANA (RFC 6890, RFC 8190).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// Whether `address` is a public unicast address. An IPv6 address that stands for an IPv4 address (mapped, NAT64, 6to4,
/// Teredo) is not, whatever the IPv4 address is.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|(network, bits)| is_within_v4(address, *network, *bits)),
        IpAddr::V6(address) => {
            let (unicast, bits) = GLOBAL_UNICAST;
            is_within_v6(address, unicast, bits)
                && !NOT_PUBLIC_V6.iter().any(|(network, bits)| is_within_v6(address, *network, *bits))
        }
    }
}

fn is_within_v4(address: Ipv4Addr, network: Ipv4Addr, bits: u32) -> bool {
    let shift = 32_u32.saturating_sub(bits);
    address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
}

fn is_within_v6(address: Ipv6Addr, network: Ipv6Addr, bits: u32) -> bool {
    let shift = 128_u32.saturating_sub(bits);
    address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
}

/// Networks of IPv4 that are not public, with the length of their prefix.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u32)] = &[
    // "This network"; the unspecified address, which connects to this host.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private use (RFC 1918).
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by carriers (RFC 6598); the metadata service of a cloud is in it.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // The virtual address of a cloud's host, which answers its machines.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local; most metadata services of clouds are in it.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // IETF protocol assignments; the metadata service of a cloud is in it.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation (RFC 5737).
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // 6to4 relays (RFC 7526).
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks (RFC 2544).
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast; reserved, and the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Global unicast addresses of IPv6 (RFC 4291 section 2.4; assignments of IANA). Outside of it are loopback, unspecified,
/// link-local, unique-local, multicast, IPv4-mapped and NAT64 addresses.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks of IPv6 within global unicast that are not public, with the length of their prefix.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u32)] = &[
    // IETF protocol assignments: Teredo (RFC 4380), benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation (RFC 3849, RFC 9637).
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4 (RFC 3056).
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

#[cfg(test)]
mod tests {
    use super::*;

    // (threats: certificate-names-internal-address)
    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }
}
