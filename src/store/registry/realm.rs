//! Realms: which token service may be asked, and which may be sent a credential.
//!
//! The realm of a challenge is an address that the registry chose, so a hostile registry can name any. A credential
//! goes to the host of the registry itself, to the token service of a registry that documents another host
//! ([`WELL_KNOWN`]), and to hosts that the operator named (`--allow-realm`). No rule infers from two host names that
//! they have one owner. That would need a list of public suffixes, which becomes outdated in an installed program, and
//! every missing suffix would send a password to another organisation.

use reqwest::Url;

use super::address::NetworkZone;
use super::address::has_no_user;
use super::address::host_and_port;
use super::address::is_loopback;
use super::settings::Settings;
use crate::store::error::DenialReason;
use crate::store::error::RealmFault;

/// Checks that the token service at `realm` may be sent a request, without a credential, for the registry at `base`.
/// The registry chose the address, so it must not be in a private network other than the registry's (SSRF), unless the
/// operator allowed the host, and must not downgrade the request from HTTPS to plain HTTP. Over plain HTTP no server
/// proves that a name is its own, and a name may stand for any address: only the host of the registry is asked, a host
/// that the operator allowed, and from this machine itself another loopback address (threats: realm-without-tls).
///
/// # Errors
/// [`RealmFault`] if it may not.
pub(super) fn may_request_token(base: &Url, realm: &Url, settings: &Settings) -> Result<(), RealmFault> {
    let to = host_and_port(realm);
    has_no_user(realm).map_err(RealmFault::UserName)?;
    match realm.scheme() {
        "https" => {}
        "http" if base.scheme() == "http" && may_be_plain(base, realm, settings) => {}
        "http" => return Err(RealmFault::PlainHttp(to)),
        other => return Err(RealmFault::OtherScheme(other.to_owned())),
    }
    let reaches_in = NetworkZone::of(realm) != NetworkZone::of(base) && NetworkZone::of(realm) != NetworkZone::Public;
    match reaches_in && !is_allowed(realm, settings) {
        true => Err(RealmFault::PrivateNetwork(to)),
        false => Ok(()),
    }
}

/// Checks that the token service at `realm` may be sent the credential for the registry at `base`
/// (threats: token-service-elsewhere): it is on the same host, well known, or allowed by the operator.
///
/// # Errors
/// [`DenialReason`] if it may not.
pub(super) fn may_have_credential(base: &Url, realm: &Url, settings: &Settings) -> Result<(), DenialReason> {
    let host = host_and_port(realm);
    // An allowed host must use TLS: a password never leaves this machine in clear text to another host.
    let allowed =
        is_allowed(realm, settings) && (realm.scheme() == "https" || NetworkZone::of(realm) == NetworkZone::Loopback);
    match is_same_host(base, realm) || is_well_known(base, realm) || allowed {
        true => Ok(()),
        false => Err(DenialReason::RealmNotAllowed { host }),
    }
}

/// Whether a registry that is on plain HTTP may name a token service on plain HTTP at this host.
fn may_be_plain(base: &Url, realm: &Url, settings: &Settings) -> bool {
    is_same_host(base, realm) || is_allowed(realm, settings) || (is_loopback(base) && is_loopback(realm))
}

fn is_allowed(realm: &Url, settings: &Settings) -> bool {
    let to = host_and_port(realm);
    settings.allow_realms.iter().any(|allowed| *allowed == to || Some(allowed.as_str()) == realm.host_str())
}

/// Whether two URLs have the same host, with any port.
fn is_same_host(one: &Url, other: &Url) -> bool {
    one.host().is_some() && one.host() == other.host()
}

/// Whether the registry at `base` is known to have its token service at `realm`: both over TLS, on the default port.
fn is_well_known(base: &Url, realm: &Url) -> bool {
    let over_tls = base.scheme() == "https" && realm.scheme() == "https";
    over_tls && WELL_KNOWN.contains(&(host_and_port(base).as_str(), host_and_port(realm).as_str()))
}

/// Registries whose documentation names a token service on another host.
///
/// - Docker Hub: Docker, "Registry authentication": `auth.docker.io/token` for the service `registry.docker.io`.
/// - GitLab.com: GitLab, "Container registry": `gitlab.com/jwt/auth`.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("index.docker.io", "auth.docker.io"),
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
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

    /// (threats: realm-without-tls)
    #[test]
    fn asks_no_token_service_on_plain_http_by_a_name_that_the_registry_chose() {
        let mut settings = settings();
        settings.allow_realms = vec!["sso.example:8080".to_owned()];
        let may = |base: &str, realm: &str| may_request_token(&url(base), &url(realm), &settings).is_ok();
        for (base, realm) in [
            ("http://r.example:5000/", "http://r.example:5000/token"),
            ("http://r.example:5000/", "http://r.example/token"),
            ("http://192.0.2.2/", "http://192.0.2.2:5001/token"),
            ("http://r.example:5000/", "http://sso.example:8080/token"),
            ("http://r.example:5000/", "https://auth.example/token"),
            ("http://127.0.0.1:5000/", "http://127.0.0.2:5001/token"),
            ("http://localhost:5000/", "http://127.0.0.1:5001/token"),
        ] {
            assert!(may(base, realm), "{base} may not ask {realm}");
        }
        for (base, realm) in [
            ("http://192.0.2.2/", "http://vm:5000/token"),
            ("http://192.0.2.2/", "http://192.0.2.3/token"),
            ("http://192.0.2.2/", "http://127.0.0.1/token"),
            ("http://r.example:5000/", "http://auth.r.example/token"),
            ("http://r.example:5000/", "http://sso.example/token"),
            ("http://127.0.0.1:5000/", "http://vm/token"),
            ("http://127.0.0.1:5000/", "http://x.localhost/token"),
            ("http://r.example/", "http://metadata.google.internal./token"),
            ("http://r.example/", "https://metadata.google.internal./token"),
            ("https://r.example/", "https://metadata./token"),
            ("https://r.example/", "https://localhost./token"),
            ("https://r.example/", "https://x.localhost./token"),
            ("https://r.example/", "https://127.0.0.1./token"),
            ("https://r.example/", "http://sso.example:8080/token"),
        ] {
            assert!(!may(base, realm), "{base} may ask {realm}");
        }
    }

    #[test]
    fn sends_a_credential_to_the_same_host_to_well_known_and_to_allowed_token_services() {
        let mut settings = settings();
        settings.allow_realms = vec!["sso.example:8443".to_owned(), "login.example".to_owned()];
        let may = |base: &str, realm: &str| {
            let (base, realm) = (url(base), url(realm));
            may_request_token(&base, &realm, &settings).is_ok() && may_have_credential(&base, &realm, &settings).is_ok()
        };
        let anonymously = |base: &str, realm: &str| may_request_token(&url(base), &url(realm), &settings).is_ok();
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
            ("https://index.docker.io/", "https://auth.docker.io/token"),
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
            // Two hosts under one registrable domain need not have one owner.
            ("https://r.corp.example:5000/", "https://auth.corp.example/token"),
            ("https://registry.example/", "https://example/token"),
            ("https://registry-1.docker.io/", "https://docker.io/token"),
            ("https://registry-1.docker.io/", "https://auth.docker.io:8443/token"),
            ("https://registry-1.docker.io:8443/", "https://auth.docker.io/token"),
            ("http://registry-1.docker.io/", "https://auth.docker.io/token"),
            ("https://evil.docker.io/", "https://auth.docker.io/token"),
            ("https://registry-1.docker.io/", "https://gitlab.com/jwt/auth"),
            ("https://auth.docker.io/", "https://registry-1.docker.io/token"),
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
            ("http://127.0.0.1:5000/", "http://login.example/token"),
        ] {
            assert!(!may(base, realm), "{base} may ask {realm}");
        }
    }
}
