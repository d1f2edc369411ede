//! Proxies from the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, with the exceptions of
//! `NO_PROXY`.

use std::net::IpAddr;

use reqwest::Url;
use url::Host;

use super::address::is_loopback;
use crate::store::error::ProxyFault;

/// The proxies of the registry client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxies {
    /// Proxies by these rules; never for loopback addresses.
    Given(Box<ProxyRules>),
    /// No proxy: direct connections.
    #[default]
    None,
}

/// A proxy for each scheme, and the hosts that are connected to directly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyRules {
    except: Vec<NoProxyEntry>,
    http: Option<Proxy>,
    https: Option<Proxy>,
}

/// A proxy, and the environment variable that it comes from.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::store) struct Proxy {
    /// The URL, which may contain a user name and a password; or the error in it.
    url: Result<Url, ProxyFault>,
    variable: String,
}

/// A host or network that is connected to directly.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NoProxyEntry {
    All,
    /// A host name, with a leading dot if it means only the names below it; and its port, if it has one.
    Name(String, Option<u16>),
    /// A network: an address and the length of its prefix in bits; and a port, if it has one.
    Network(IpAddr, u8, Option<u16>),
}

impl Proxies {
    /// The rules of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case. Empty variables
    /// are ignored.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The rules of the environment variables that `variable` returns.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let find = |names: &[&str]| {
            let set = |name: &&str| Some(((*name).to_owned(), variable(name)?.trim().to_owned()));
            names.iter().filter_map(set).find(|(_, value)| !value.is_empty())
        };
        // CGI passes the request header `Proxy` on as `HTTP_PROXY` (CVE-2016-5385, "httpoxy").
        let http: &[&str] = match variable("REQUEST_METHOD") {
            Some(_) => &["http_proxy", "ALL_PROXY", "all_proxy"],
            None => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        let https = find(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
        let except = find(&["NO_PROXY", "no_proxy"]).map(|(_, list)| exceptions(&list)).unwrap_or_default();
        let rules = ProxyRules { except, http: find(http).map(Proxy::new), https: https.map(Proxy::new) };
        match rules.http.is_none() && rules.https.is_none() {
            true => Self::None,
            false => Self::Given(Box::new(rules)),
        }
    }

    /// The proxy for `url`.
    pub(in crate::store) fn of(&self, url: &Url) -> Option<&Proxy> {
        let Self::Given(rules) = self else { return None };
        if is_loopback(url) || rules.except.iter().any(|exception| exception.covers(url)) {
            return None;
        }
        if url.scheme() == "https" { rules.https.as_ref() } else { rules.http.as_ref() }
    }
}

impl Proxy {
    fn new((variable, value): (String, String)) -> Self {
        let full = if value.contains("://") { value } else { format!("http://{value}") };
        let url = match Url::parse(&full) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                Err(ProxyFault::Scheme { scheme: url.scheme().to_owned(), variable: variable.clone() })
            }
            Ok(url) if url.has_host() => Ok(url),
            _ => Err(ProxyFault::NoUrl { variable: variable.clone() }),
        };
        Self { url, variable }
    }

    /// The URL of the proxy.
    ///
    /// # Errors
    /// [`ProxyFault`], with the name of the variable but not its value.
    pub(in crate::store) fn url(&self) -> Result<&Url, ProxyFault> {
        self.url.as_ref().map_err(Clone::clone)
    }

    /// The proxy for messages, without user name and password.
    pub(in crate::store) fn shown(&self) -> String {
        let address = self.url.as_ref().map_or_else(
            |_| "?".to_owned(),
            |url| {
                let user = if url.username().is_empty() && url.password().is_none() { "" } else { "***@" };
                let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
                format!("{}://{user}{}{port}", url.scheme(), url.host_str().unwrap_or_default())
            },
        );
        format!("the proxy {address} ({})", self.variable)
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl NoProxyEntry {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let bits: u8 = bits.parse().ok()?;
            return (u32::from(bits) <= width(address)).then_some(Self::Network(address, bits, None));
        }
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address: several colons and no brackets.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let bits = u8::try_from(width(address)).ok()?;
            return Some(Self::Network(address, bits, port));
        }
        let name = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name(name, port))
    }

    fn covers(&self, url: &Url) -> bool {
        let at = |port: &Option<u16>| port.is_none_or(|port| url.port_or_known_default() == Some(port));
        match (self, url.host()) {
            (Self::All, _) => true,
            (Self::Name(name, port), Some(Host::Domain(host))) => at(port) && is_below(host, name),
            (Self::Network(network, bits, port), Some(Host::Ipv4(host))) => {
                at(port) && is_within(IpAddr::V4(host), *network, *bits)
            }
            (Self::Network(network, bits, port), Some(Host::Ipv6(host))) => {
                at(port) && is_within(host.to_canonical(), *network, *bits)
            }
            _ => false,
        }
    }
}

/// Parses the exceptions, separated by commas or spaces; invalid ones are ignored.
fn exceptions(list: &str) -> Vec<NoProxyEntry> {
    let words = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    words.filter_map(NoProxyEntry::parse).collect()
}

/// Whether `host` is `name` or below it; only below it if the name begins with a dot.
fn is_below(host: &str, name: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match name.starts_with('.') {
        true => host.len() > name.len() && host.ends_with(name),
        false => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn is_within(host: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (host, network, most) = match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => (u128::from(host.to_bits()), u128::from(network.to_bits()), 32),
        (IpAddr::V6(host), IpAddr::V6(network)) => (host.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let shift = most - u32::from(bits);
    host.checked_shr(shift) == network.checked_shr(shift) || bits == 0
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let find =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Proxies::from_variables(find)
    }

    fn way(variables: &[(&str, &str)], url: &str) -> Option<String> {
        proxies(variables).of(&Url::parse(url).unwrap()).map(Proxy::shown)
    }

    #[test]
    fn each_scheme_has_the_first_variable_that_is_set() {
        let https = "https://r.example/";
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<&'a str>);
        let table: &[Row<'_>] = &[
            (&[("HTTPS_PROXY", "http://p:3128")], https, Some("the proxy http://p:3128 (HTTPS_PROXY)")),
            (&[("https_proxy", "p:3128")], https, Some("the proxy http://p:3128 (https_proxy)")),
            (&[("HTTPS_PROXY", " "), ("https_proxy", "p")], https, Some("the proxy http://p (https_proxy)")),
            (&[("ALL_PROXY", "https://p:1")], https, Some("the proxy https://p:1 (ALL_PROXY)")),
            (&[("all_proxy", "p:1"), ("HTTPS_PROXY", "q:2")], https, Some("the proxy http://q:2 (HTTPS_PROXY)")),
            (&[("HTTP_PROXY", "p:1")], https, None),
            (&[("HTTP_PROXY", "p:1")], "http://r.example/", Some("the proxy http://p:1 (HTTP_PROXY)")),
            (&[("HTTP_PROXY", "p:1"), ("REQUEST_METHOD", "GET")], "http://r.example/", None),
            (&[("HTTPS_PROXY", "p:1")], "http://r.example/", None),
            (&[("HTTPS_PROXY", "p:1")], "https://127.0.0.1:5000/", None),
            (&[("ALL_PROXY", "p:1")], "http://[::1]:5000/", None),
            (&[("ALL_PROXY", "p:1")], "http://localhost:5000/", None),
            (&[], https, None),
        ];
        for (variables, url, wanted) in table {
            assert_eq!(way(variables, url).as_deref(), *wanted, "{variables:?} {url}");
        }
    }

    #[test]
    fn no_proxy_leaves_out_what_it_names_and_nothing_else() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("*", &["https://r.example/", "https://10.0.0.1/"], &[]),
            (
                "r.example",
                &["https://r.example/", "https://a.r.example:5000/", "https://R.Example./"],
                &["https://xr.example/", "https://example/"],
            ),
            ("R.EXAMPLE.", &["https://r.example/"], &[]),
            (".example", &["https://r.example/"], &["https://example/", "https://rexample/"]),
            ("*.example", &["https://r.example/"], &["https://example/"]),
            ("r.example:8443", &["https://r.example:8443/", "https://a.r.example:8443/"], &["https://r.example/"]),
            ("r.example:443", &["https://r.example/"], &["https://r.example:8443/"]),
            ("r.example:x", &[], &["https://r.example/"]),
            (
                " a.example , r.example\tb.example",
                &["https://a.example/", "https://b.example/", "https://r.example/"],
                &["https://c.example/"],
            ),
            (
                "10.0.0.0/8",
                &["https://10.1.2.3/", "https://[::ffff:10.1.2.3]/"],
                &["https://11.0.0.1/", "https://r.example/"],
            ),
            ("10.1.2.3", &["https://10.1.2.3/"], &["https://10.1.2.4/"]),
            ("10.1.2.3:5000", &["https://10.1.2.3:5000/"], &["https://10.1.2.3/"]),
            ("10.0.0.0/33", &[], &["https://10.0.0.1/"]),
            ("0.0.0.0/0", &["https://10.0.0.1/"], &["https://[2001:db8::1]/"]),
            ("2001:db8::/32", &["https://[2001:db8:1::2]/"], &["https://[2001:db9::1]/", "https://10.0.0.1/"]),
            ("2001:db8::1", &["https://[2001:db8::1]/"], &["https://[2001:db8::2]/"]),
            ("[2001:db8::1]:5000", &["https://[2001:db8::1]:5000/"], &["https://[2001:db8::1]/"]),
            ("::/0", &["https://[2001:db8::1]/"], &["https://10.0.0.1/"]),
            ("", &[], &["https://r.example/"]),
            (",., :,/,*.", &[], &["https://r.example/"]),
        ];
        for (list, without, with) in table {
            for name in ["NO_PROXY", "no_proxy"] {
                let variables = [("ALL_PROXY", "p:1"), (name, *list)];
                without.iter().for_each(|url| assert_eq!(way(&variables, url), None, "{list:?} {url}"));
                with.iter().for_each(|url| assert!(way(&variables, url).is_some(), "{list:?} {url}"));
            }
        }
    }

    #[test]
    fn who_we_are_to_a_proxy_is_not_shown() {
        let variables = [("HTTPS_PROXY", "http://us%40er:hunter2@p:3128")];
        assert_eq!(way(&variables, "https://r.example/").unwrap(), "the proxy http://***@p:3128 (HTTPS_PROXY)");
        assert!(!format!("{:?}", proxies(&variables)).contains("hunter2"));
        for (value, why) in [
            ("socks5://joe:hunter2@p:1080", "HTTPS_PROXY: proxies of the kind socks5: are not supported"),
            ("http://joe:hunter2@[::", "HTTPS_PROXY: its value is no address of a proxy"),
        ] {
            let proxies = proxies(&[("HTTPS_PROXY", value)]);
            let told = proxies.of(&Url::parse("https://r.example/").unwrap()).unwrap().url().unwrap_err().to_string();
            assert!(told.starts_with(why) && !told.contains("hunter2"), "{told}");
        }
    }
}
