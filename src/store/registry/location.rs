//! Locations: the base URL of a registry, and the rules for redirects and upload locations.

use reqwest::Url;

use super::address::NetworkZone;
use super::address::has_no_user;
use super::address::host_and_port;
use super::address::is_loopback;
use super::settings::HttpScheme;
use super::settings::Settings;
use crate::store::error::HostFault;
use crate::store::error::LocationFault;

/// The base URL of the registry `host`: HTTPS, or plain HTTP for loopback addresses and as configured.
///
/// # Errors
/// [`HostFault`] if `host` is not a host.
pub(super) fn base(host: &str, settings: &Settings) -> Result<Url, HostFault> {
    let real = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let parse = |scheme: &str| {
        let url = Url::parse(&format!("{scheme}://{real}/")).map_err(|error| HostFault::Url(error.to_string()))?;
        let clean = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
        if clean { Ok(url) } else { Err(HostFault::NotAHost) }
    };
    let tls = parse("https")?;
    let plain = match settings.schemes.get(host) {
        Some(scheme) => *scheme == HttpScheme::Http,
        None => is_loopback(&tls),
    };
    if plain { parse("http") } else { Ok(tls) }
}

/// Checks a redirect of a download to `target`: no downgrade to plain HTTP, no user name, and no loopback or link-local
/// address unless the registry itself has one (threats: downgrade-to-http, redirect-to-internal-address).
///
/// # Errors
/// [`LocationFault`] if it must not be followed.
pub(super) fn may_redirect(base: &Url, from: &Url, target: &Url, settings: &Settings) -> Result<(), LocationFault> {
    let to = host_and_port(target);
    has_no_user(target).map_err(LocationFault::UserName)?;
    match target.scheme() {
        "https" => {}
        "http" if from.scheme() == "https" && !is_plain(target, settings) => {
            return Err(LocationFault::Downgrade(to));
        }
        "http" if is_plain(target, settings) || target.origin() == base.origin() => {}
        "http" => return Err(LocationFault::PlainHttp(to)),
        other => return Err(LocationFault::OtherScheme(other.to_owned())),
    }
    match is_special(target) && NetworkZone::of(target) != NetworkZone::of(base) {
        true => Err(LocationFault::Internal(to)),
        false => Ok(()),
    }
}

/// Replaces the scheme and port of `url` by those of `asked` if only the scheme differs: a registry behind a
/// TLS-terminating proxy does not know its own URL. Only path and query of its response are used then.
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

/// As [`at_origin`], for a redirect, which may lead to other ports: only from plain HTTP to HTTPS, and only if the port
/// is that of the registry or absent.
pub(super) fn behind_tls(base: &Url, target: Url) -> Url {
    let same = target.port().is_none() || target.port() == base.port();
    match base.scheme() == "https" && target.scheme() == "http" && same {
        true => at_origin(base, target),
        false => target,
    }
}

/// Resolves the `Location` of an upload against the response URL `at`. It must have the origin of the registry.
///
/// # Errors
/// [`LocationFault`] if it has another one.
pub(super) fn upload_location(base: &Url, at: &Url, location: &str) -> Result<Url, LocationFault> {
    let url = at.join(location).map_err(|_| LocationFault::NoUploadUrl)?;
    has_no_user(&url).map_err(LocationFault::UserName)?;
    let mut url = at_origin(base, url);
    url.set_fragment(None);
    match url.origin() == base.origin() {
        true => Ok(url),
        false => Err(LocationFault::UploadHost(host_and_port(&url))),
    }
}

/// Whether plain HTTP to `url` is configured, or stays on this machine.
fn is_plain(url: &Url, settings: &Settings) -> bool {
    match settings.schemes.get(&host_and_port(url)).or_else(|| settings.schemes.get(url.host_str().unwrap_or_default()))
    {
        Some(scheme) => *scheme == HttpScheme::Http,
        None => is_loopback(url),
    }
}

/// Whether `url` is a loopback or link-local address.
fn is_special(url: &Url) -> bool {
    matches!(NetworkZone::of(url), NetworkZone::Loopback | NetworkZone::Link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Reference;
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
        settings.schemes.insert("plain.example:5000".to_owned(), HttpScheme::Http);
        settings.schemes.insert("localhost:5001".to_owned(), HttpScheme::Https);
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

    /// A host that a reference may have is the one that is connected to, in the same spelling
    /// (threats: repository-in-another-spelling).
    #[test]
    fn the_host_of_a_reference_is_the_host_that_is_asked() {
        let labels = ["127", "0", "1", "0x7f", "0177", "00", "256", "0x", "a", "2130706433"];
        let settings = settings();
        let mut hosts = vec![String::new()];
        let mut read = 0;
        for _ in 0..4 {
            hosts = hosts.iter().flat_map(|host| labels.map(|label| format!("{host}.{label}"))).collect();
            for host in hosts.iter().map(|host| format!("{}:5000", host.trim_start_matches('.'))) {
                let Ok(Reference::Registry(reference)) = format!("{host}/app:v1").parse() else { continue };
                read += 1;
                assert_eq!(host_and_port(&base(reference.host(), &settings).unwrap()), host);
            }
        }
        // Those that end in `a`, and four numbers of three.
        assert_eq!(read, 1 + 10 + 100 + 1_000 + 81);
    }

    // (threats: downgrade-to-http, redirect-to-internal-address)
    #[test]
    fn follows_redirects_only_to_where_content_may_be() {
        let mut settings = settings();
        settings.schemes.insert("plain.example".to_owned(), HttpScheme::Http);
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
            "https://metadata.google.internal./",
            "https://x.localhost./x",
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
            assert_eq!(upload_location(&base, &at, location).unwrap().as_str(), wanted);
        }
        for location in [
            "https://evil.example/up",
            "//evil.example/",
            "https://r.example/up",
            "https://u@r.example:5000/",
            "http://[",
        ] {
            assert!(upload_location(&base, &at, location).is_err(), "{location} was accepted");
        }
        assert!(upload_location(&url("https://r.example/"), &at, "https://r.example:443/up").is_ok());
    }
}
