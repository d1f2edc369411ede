//! Which addresses a registry may send us to, and which of them may see a credential.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use reqwest::Url;
use url::Host;

use super::settings::Scheme;
use super::settings::Settings;
use super::transport::is_loopback;
use super::transport::place;

/// Where a registry that references call `host` is.
///
/// # Errors
/// In words, where `host` is no host.
pub(super) fn base(host: &str, settings: &Settings) -> Result<Url, String> {
    let real = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let parse = |scheme: &str| {
        let url = Url::parse(&format!("{scheme}://{real}/")).map_err(|error| error.to_string())?;
        let clean = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
        if clean { Ok(url) } else { Err("no host of a registry".to_owned()) }
    };
    let tls = parse("https")?;
    let plain = match settings.schemes.get(host) {
        Some(scheme) => *scheme == Scheme::Http,
        None => is_loopback(&tls),
    };
    if plain { parse("http") } else { Ok(tls) }
}

/// Whether the registry at `base` may redirect a request for content to `target`
/// (threats: downgrade-to-http, redirect-to-internal-address).
///
/// # Errors
/// In words.
pub(super) fn may_redirect(base: &Url, from: &Url, target: &Url, settings: &Settings) -> Result<(), String> {
    let to = place(target);
    has_no_user(target)?;
    match target.scheme() {
        "https" => {}
        "http" if from.scheme() == "https" && !is_plain(target, settings) => {
            return Err(format!("it sends us from TLS to plain HTTP at {to}"));
        }
        "http" if is_plain(target, settings) || target.origin() == base.origin() => {}
        "http" => return Err(format!("it sends us to {to} over plain HTTP, which was not asked for")),
        other => return Err(format!("it sends us to an address that begins with {other}:")),
    }
    match is_special(target) && Zone::of(target) != Zone::of(base) {
        true => Err(format!("it sends us to {to}, an address of this machine or its link")),
        false => Ok(()),
    }
}

/// Whether the token service at `realm` may be asked, without a credential, for the registry at `base`: a request to an
/// address that a registry chose must not reach into a private network.
///
/// # Errors
/// In words.
pub(super) fn may_ask(base: &Url, realm: &Url, settings: &Settings) -> Result<(), String> {
    let to = place(realm);
    has_no_user(realm)?;
    match realm.scheme() {
        "https" => {}
        "http" if base.scheme() == "http" => {}
        "http" => return Err(format!("its token service at {to} speaks plain HTTP")),
        other => return Err(format!("its token service has an address that begins with {other}:")),
    }
    let reaches_in = Zone::of(realm) != Zone::of(base) && Zone::of(realm) != Zone::Public;
    match reaches_in && !is_allowed(realm, settings) {
        true => Err(format!("its token service at {to} is on a private network")),
        false => Ok(()),
    }
}

/// Whether the token service at `realm`, which may be asked, may be sent the credential for the registry at `base`
/// (CVE-2026-50151): it is of the same site, or was allowed.
///
/// # Errors
/// In words.
pub(super) fn may_have_credential(base: &Url, realm: &Url, settings: &Settings) -> Result<(), String> {
    let to = place(realm);
    match is_allowed(realm, settings) || is_same_site(base, realm) {
        true => Ok(()),
        false => Err(format!("its token service is on another site, {to}; allow that realm if it is known to you")),
    }
}

fn is_allowed(realm: &Url, settings: &Settings) -> bool {
    let to = place(realm);
    settings.allow_realms.iter().any(|allowed| *allowed == to || Some(allowed.as_str()) == realm.host_str())
}

/// `url` with the scheme and the port of `asked` where only the scheme differs: a registry behind a proxy that ends TLS
/// does not know how it is reached. Nothing but path and query is taken from what it says.
pub(super) fn at_origin(asked: &Url, url: Url) -> Url {
    let web = |url: &Url| matches!(url.scheme(), "http" | "https");
    if url.scheme() == asked.scheme() || url.host() != asked.host() || !web(&url) || !web(asked) {
        return url;
    }
    let mut own = url.clone();
    match own.set_scheme(asked.scheme()).and_then(|()| own.set_port(asked.port())) {
        Ok(()) => own,
        Err(()) => url,
    }
}

/// The same for a redirect, which may lead to other ports: only from plain HTTP to TLS, and only where the port is that
/// of the registry or not said.
pub(super) fn behind_tls(base: &Url, target: Url) -> Url {
    let same = target.port().is_none() || target.port() == base.port();
    match base.scheme() == "https" && target.scheme() == "http" && same {
        true => at_origin(base, target),
        false => target,
    }
}

/// The address of an upload, which must be where the registry is.
///
/// # Errors
/// In words.
pub(super) fn upload(base: &Url, at: &Url, location: &str) -> Result<Url, String> {
    let url = at.join(location).map_err(|_| "its upload location is no address".to_owned())?;
    has_no_user(&url)?;
    let mut url = at_origin(base, url);
    url.set_fragment(None);
    match url.origin() == base.origin() {
        true => Ok(url),
        false => Err(format!("its upload location is on another host, {}", place(&url))),
    }
}

fn has_no_user(url: &Url) -> Result<(), String> {
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(()),
        false => Err(format!("the address at {} holds a user name", place(url))),
    }
}

/// Whether plain HTTP to `url` is what was asked for, or stays on this machine.
fn is_plain(url: &Url, settings: &Settings) -> bool {
    match settings.schemes.get(&place(url)).or_else(|| settings.schemes.get(url.host_str().unwrap_or_default())) {
        Some(scheme) => *scheme == Scheme::Http,
        None => is_loopback(url),
    }
}

/// Which part of the network an address belongs to, as far as its spelling says. Names are not looked up: who answers
/// to a name has to prove it by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    Loopback,
    /// Only this link, or nothing at all: also where clouds keep the credentials of their machines.
    Link,
    Private,
    Public,
}

impl Zone {
    fn of(url: &Url) -> Self {
        match url.host() {
            _ if is_loopback(url) => Self::Loopback,
            Some(Host::Domain(name)) if name.ends_with(".localhost") || name.ends_with("localhost.") => Self::Loopback,
            Some(Host::Ipv4(address)) => Self::of_v4(address),
            Some(Host::Ipv6(address)) => match address.to_canonical() {
                IpAddr::V4(address) => Self::of_v4(address),
                IpAddr::V6(address) => Self::of_v6(address),
            },
            Some(Host::Domain("metadata.google.internal" | "metadata")) => Self::Link,
            Some(Host::Domain(_)) | None => Self::Public,
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        // 100.100.100.200 is the metadata service of one cloud, inside the range for carriers.
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

fn is_special(url: &Url) -> bool {
    matches!(Zone::of(url), Zone::Loopback | Zone::Link)
}

/// Whether two addresses belong to the same organisation, as far as their names can say: the same host, or names under
/// the same registrable name. Where that is unknown the answer is no.
fn is_same_site(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            one == other || site(one).is_some_and(|site| Some(site) == self::site(other))
        }
        (one, other) => one == other && one.is_some(),
    }
}

/// The registrable name: one label more than a suffix under which anybody can have a name.
fn site(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels: Vec<&str> = name.split('.').collect();
    let shared = match labels.as_slice() {
        [.., second, top] if top.len() == 2 && (second.len() <= 3 || SECOND_LEVEL.contains(second)) => 2,
        [_, ..] => 1,
        [] => return None,
    };
    let hosted = SHARED
        .iter()
        .filter(|suffix| name == **suffix || name.strip_suffix(*suffix).is_some_and(|rest| rest.ends_with('.')));
    let shared = hosted.map(|suffix| suffix.split('.').count()).max().unwrap_or(0).max(shared);
    let from = labels.len().checked_sub(shared + 1)?;
    let skipped: usize = labels.iter().take(from).map(|label| label.len() + 1).sum();
    name.get(skipped..)
}

/// Second-level names of countries under which anybody can have a name, if longer than three letters.
const SECOND_LEVEL: &[&str] = &["asso", "gouv", "govt", "info", "name", "school"];

/// Names under which strangers have names beside one another.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "azurecr.cn",
    "azurecr.io",
    "azurecr.us",
    "azurewebsites.net",
    "cloudapp.azure.com",
    "cloudfront.net",
    "core.windows.net",
    "digitaloceanspaces.com",
    "duckdns.org",
    "firebaseapp.com",
    "fly.dev",
    "github.dev",
    "github.io",
    "gitlab.io",
    "googleusercontent.com",
    "herokuapp.com",
    "jfrog.io",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "nip.io",
    "onrender.com",
    "ovh.net",
    "pages.dev",
    "pkg.dev",
    "r2.dev",
    "readthedocs.io",
    "repl.co",
    "run.app",
    "scw.cloud",
    "sslip.io",
    "svc.cluster.local",
    "trafficmanager.net",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::credentials::Credentials;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn settings() -> Settings {
        Settings::new(Credentials::none())
    }

    #[test]
    fn plain_http_is_for_this_machine_and_for_whom_it_was_asked() {
        let mut settings = settings();
        settings.schemes.insert("plain.example:5000".to_owned(), Scheme::Http);
        settings.schemes.insert("localhost:5001".to_owned(), Scheme::Https);
        for (host, wanted) in [
            ("docker.io", "https://registry-1.docker.io/"),
            ("registry.example", "https://registry.example/"),
            ("registry.example:5000", "https://registry.example:5000/"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000/"),
            ("localhost:5000", "http://localhost:5000/"),
            ("localhost:5001", "https://localhost:5001/"),
            ("127.9.9.9:1", "http://127.9.9.9:1/"),
            ("[::1]:5000", "http://[::1]:5000/"),
            ("plain.example:5000", "http://plain.example:5000/"),
            ("plain.example", "https://plain.example/"),
            ("x.localhost", "https://x.localhost/"),
            ("localhost.example", "https://localhost.example/"),
        ] {
            assert_eq!(base(host, &settings).unwrap().as_str(), wanted);
        }
        for host in ["", "a/b", "user@registry.example", "registry.example?x", "registry.example#x", "a b"] {
            assert!(base(host, &settings).is_err(), "{host:?} was accepted");
        }
    }

    // (threats: downgrade-to-http, redirect-to-internal-address)
    #[test]
    fn follows_redirects_only_to_where_content_may_be() {
        let mut settings = settings();
        settings.schemes.insert("plain.example".to_owned(), Scheme::Http);
        let may = |base: &str, target: &str| may_redirect(&url(base), &url(base), &url(target), &settings).is_ok();
        assert!(may("https://r.example/", "https://blobs.example/x?sig=1"));
        assert!(may("https://r.example/", "http://plain.example/x"));
        assert!(may("http://127.0.0.1:5000/", "http://127.0.0.1:5001/x"));
        assert!(may("http://localhost:5000/", "http://127.0.0.1:5001/x"));
        assert!(may("https://r.example/", "https://10.0.0.7/x"));
        for target in [
            "http://r.example/x",
            "http://blobs.example/x",
            "https://127.0.0.1/x",
            "https://localhost/x",
            "https://localhost./x",
            "https://x.localhost/x",
            "http://localhost/x",
            "https://169.254.169.254/latest",
            "https://[fe80::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00:ec2::254]/",
            "https://[::]/",
            "https://0.0.0.0/",
            "https://100.100.100.200/",
            "https://metadata.google.internal/",
            "https://user:pw@blobs.example/",
            "file:///etc/passwd",
            "ftp://blobs.example/",
        ] {
            assert!(!may("https://r.example/", target), "{target} was accepted");
        }
        assert!(!may("http://127.0.0.1:5000/", "http://blobs.example/x"));
        assert!(!may("http://127.0.0.1:5000/", "http://169.254.169.254/x"));
    }

    #[test]
    fn a_credential_is_only_for_token_services_of_the_same_site() {
        let mut settings = settings();
        settings.allow_realms = vec!["sso.example:8443".to_owned(), "login.example".to_owned()];
        let may = |base: &str, realm: &str| {
            let (base, realm) = (url(base), url(realm));
            may_ask(&base, &realm, &settings).is_ok() && may_have_credential(&base, &realm, &settings).is_ok()
        };
        let anonymously = |base: &str, realm: &str| may_ask(&url(base), &url(realm), &settings).is_ok();
        assert!(anonymously("https://r.example/", "https://evil.test/token"));
        assert!(anonymously("http://127.0.0.1:5000/", "http://127.0.0.2:5000/token"));
        for realm in
            ["http://evil.test/token", "https://10.0.0.1/token", "https://169.254.169.254/", "https://u:p@evil.test/"]
        {
            assert!(!anonymously("https://r.example/", realm), "{realm}");
        }
        for (base, realm) in [
            ("https://registry-1.docker.io/", "https://auth.docker.io/token"),
            ("https://registry.gitlab.com/", "https://gitlab.com/jwt/auth"),
            ("https://ghcr.io/", "https://ghcr.io/token"),
            ("https://r.corp.example:5000/", "https://auth.corp.example/token"),
            ("https://a.azurecr.io/", "https://a.azurecr.io/oauth2/token"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token"),
            ("https://10.0.0.1/", "https://10.0.0.1:8443/token"),
            ("https://r.other/", "https://sso.example:8443/token"),
            ("https://r.other/", "https://login.example:1/token"),
        ] {
            assert!(may(base, realm), "{base} may not ask {realm}");
        }
        for (base, realm) in [
            ("https://r.example/", "https://evil.test/token"),
            ("https://r.example/", "http://r.example/token"),
            ("https://r.example/", "file:///token"),
            ("https://r.example/", "https://u:p@r.example/token"),
            ("https://r.example/", "https://r.example.evil/token"),
            ("https://a.azurecr.io/", "https://b.azurecr.io/token"),
            ("https://a.co.uk/", "https://b.co.uk/token"),
            ("https://a.github.io/", "https://b.github.io/token"),
            ("https://registry/", "https://auth/token"),
            ("https://registry.corp/", "https://auth/token"),
            ("https://a.io/", "https://b.io/token"),
            ("https://r.example/", "https://10.0.0.1/token"),
            ("https://r.example/", "https://127.0.0.1/token"),
            ("https://r.example/", "https://169.254.169.254/token"),
            ("https://10.0.0.1/", "https://10.0.0.2/token"),
            ("http://127.0.0.1:5000/", "http://127.0.0.2:5000/token"),
            ("http://127.0.0.1:5000/", "http://localhost:5000/token"),
            ("https://r.other/", "https://sso.example/token"),
            ("https://r.other/", "http://login.example/token"),
        ] {
            assert!(!may(base, realm), "{base} may ask {realm}");
        }
    }

    #[test]
    fn redirects_keep_tls_and_lose_no_port() {
        let to = |base: &str, target: &str| behind_tls(&url(base), url(target)).to_string();
        for (base, target, wanted) in [
            ("https://r.example/", "http://r.example/x?y=1", "https://r.example/x?y=1"),
            ("https://r.example:5000/", "http://r.example:5000/x", "https://r.example:5000/x"),
            ("https://r.example:5000/", "http://r.example/x", "https://r.example:5000/x"),
            ("https://r.example/", "http://r.example:9000/x", "http://r.example:9000/x"),
            ("https://r.example/", "https://r.example:9000/x", "https://r.example:9000/x"),
            ("https://r.example/", "http://b.example/x", "http://b.example/x"),
            ("http://r.example/", "https://r.example/x", "https://r.example/x"),
            ("http://r.example:5000/", "https://r.example:9000/x", "https://r.example:9000/x"),
        ] {
            assert_eq!(to(base, target), wanted, "{base} {target}");
        }
    }

    #[test]
    fn uploads_go_where_the_registry_is() {
        let base = url("https://r.example:5000/");
        let at = url("https://r.example:5000/v2/app/blobs/uploads/");
        for (location, wanted) in [
            ("/v2/app/blobs/uploads/u?_state=x%3D", "https://r.example:5000/v2/app/blobs/uploads/u?_state=x%3D"),
            ("u1?x=1#y", "https://r.example:5000/v2/app/blobs/uploads/u1?x=1"),
            ("https://r.example:5000/up", "https://r.example:5000/up"),
            ("http://r.example/up", "https://r.example:5000/up"),
        ] {
            assert_eq!(upload(&base, &at, location).unwrap().as_str(), wanted);
        }
        for location in [
            "https://evil.example/up",
            "//evil.example/",
            "https://r.example/up",
            "https://u@r.example:5000/",
            "http://[",
        ] {
            assert!(upload(&base, &at, location).is_err(), "{location} was accepted");
        }
        assert!(upload(&url("https://r.example/"), &at, "https://r.example:443/up").is_ok());
    }
}
