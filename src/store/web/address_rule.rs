//! `AddressRule`: who named an address, and so what may be connected to.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use url::Host;

/// Which addresses a request may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressRule {
    /// The operator named the URL: its host may have any address. A redirect to another host may lead to public addresses
    /// only.
    AnyHost,
    /// A certificate or another document named the URL: only public addresses are connected to, except for these hosts.
    /// Through a proxy, which resolves names itself, only these hosts and public IP addresses are reached.
    PublicHosts {
        /// Hosts that the operator allows to have any address (`--allow-host`).
        allowed: Vec<AllowedHost>,
    },
}

/// A host that may have any address: a name or an IP address, compared whole, and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host<String>,
    port: Option<u16>,
}

/// A text is not `HOST` or `HOST:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no host: a name or an IP address, IPv6 in brackets, and perhaps a port (`HOST` or `HOST:PORT`)")]
pub struct AllowedHostError;

/// Which addresses one request of several, one for each redirect, may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Any,
    Public,
}

impl AddressRule {
    /// What a request to `url` may reach, after redirects that began at `first`.
    pub(super) fn reach(&self, first: &Url, url: &Url) -> Reach {
        let any = match self {
            Self::AnyHost => first.host() == url.host(),
            Self::PublicHosts { allowed } => allowed.iter().any(|host| host.covers(url)),
        };
        if any { Reach::Any } else { Reach::Public }
    }
}

impl AllowedHost {
    fn covers(&self, url: &Url) -> bool {
        let host = url.host().map(|host| without_root_dot(host.to_owned()));
        host.as_ref() == Some(&self.host) && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, AllowedHostError> {
        // A URL drops the port that is the default of its scheme: of 80 and 443, one is kept by each.
        let parse = |scheme: &str| Url::parse(&format!("{scheme}://{text}/")).map_err(|_| AllowedHostError);
        let (plain, secure) = (parse("http")?, parse("https")?);
        let is_host = plain.path() == "/"
            && plain.username().is_empty()
            && plain.password().is_none()
            && plain.query().is_none()
            && plain.fragment().is_none()
            && !text.contains(['/', '\\', '@', '?', '#'])
            && !text.ends_with(':');
        match plain.host() {
            Some(host) if is_host => {
                Ok(Self { host: without_root_dot(host.to_owned()), port: plain.port().or(secure.port()) })
            }
            _ => Err(AllowedHostError),
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

/// `a.example.` is the host `a.example` (RFC 3986 section 3.2.2).
fn without_root_dot(host: Host<String>) -> Host<String> {
    match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').map(ToOwned::to_owned).unwrap_or(name)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(rule: &AddressRule, first: &str, url: &str) -> Reach {
        rule.reach(&Url::parse(first).unwrap(), &Url::parse(url).unwrap())
    }

    #[test]
    fn an_allowed_host_is_compared_whole() {
        let allows = |host: &str, url: &str| {
            let rule = AddressRule::PublicHosts { allowed: vec![host.parse().unwrap()] };
            reach(&rule, url, url) == Reach::Any
        };
        for (host, url) in [
            ("crl.example", "http://crl.example/a"),
            ("CRL.example.", "https://crl.Example./a"),
            ("crl.example", "http://crl.example:8080/"),
            ("crl.example:8080", "http://crl.example:8080/"),
            ("crl.example:80", "http://crl.example/"),
            ("crl.example:443", "https://crl.example/"),
            ("10.0.0.1", "http://10.1/"),
            ("127.0.0.1", "http://0x7f000001/"),
            ("[::1]:80", "http://[0::1]/"),
        ] {
            assert!(allows(host, url), "{host} {url}");
        }
        for (host, url) in [
            ("crl.example", "http://a.crl.example/"),
            ("crl.example", "http://crl.example.org/"),
            ("crl.example:80", "https://crl.example/"),
            ("crl.example:8080", "http://crl.example/"),
            ("10.0.0.1", "http://10.0.0.2/"),
            ("[::1]", "http://127.0.0.1/"),
            ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ] {
            assert!(!allows(host, url), "{host} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "a b", "a/b", "u@a", "http://a", "a:b", "a:99999", "a?x", "a#x", ":80", "a:", "::1", "*"] {
            let host: Result<AllowedHost, _> = text.parse();
            assert!(host.is_err() || text == "*", "{text:?}: {host:?}");
        }
        let star: AllowedHost = "*".parse().unwrap();
        let rule = AddressRule::PublicHosts { allowed: vec![star] };
        assert_eq!(reach(&rule, "http://a.example/", "http://a.example/"), Reach::Public, "no wildcard");
    }

    #[test]
    fn another_host_that_an_operators_host_redirects_to_has_to_be_public() {
        let rule = AddressRule::AnyHost;
        assert_eq!(reach(&rule, "http://10.0.0.1/", "http://10.0.0.1/"), Reach::Any);
        assert_eq!(reach(&rule, "http://10.0.0.1/", "https://10.0.0.1:8443/x"), Reach::Any);
        assert_eq!(reach(&rule, "http://tsa.example/", "http://10.0.0.1/"), Reach::Public);
    }
}
