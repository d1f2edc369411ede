//! Realms: which token service may be asked, and which may be sent a credential.
//!
//! The realm of a challenge is an address that the registry chose, so a hostile registry can name any. A credential goes
//! to the site of the registry itself and to hosts that the operator named.

use reqwest::Url;
use url::Host;

use super::address::NetworkZone;
use super::address::has_no_user;
use super::address::host_and_port;
use super::settings::Settings;

/// Whether the token service at `realm` may be asked, without a credential, for the registry at `base`: a request to an
/// address that a registry chose must not reach into a private network.
///
/// # Errors
/// In words.
pub(super) fn may_request_token(base: &Url, realm: &Url, settings: &Settings) -> Result<(), String> {
    let to = host_and_port(realm);
    has_no_user(realm)?;
    match realm.scheme() {
        "https" => {}
        "http" if base.scheme() == "http" => {}
        "http" => return Err(format!("its token service at {to} speaks plain HTTP")),
        other => return Err(format!("its token service has an address that begins with {other}:")),
    }
    let reaches_in = NetworkZone::of(realm) != NetworkZone::of(base) && NetworkZone::of(realm) != NetworkZone::Public;
    match reaches_in && !is_allowed(realm, settings) {
        true => Err(format!("its token service at {to} is on a private network")),
        false => Ok(()),
    }
}

/// Whether the token service at `realm`, which may be asked, may be sent the credential for the registry at `base`
/// (threats: token-service-elsewhere): it is of the same site, or was allowed.
///
/// # Errors
/// In words.
pub(super) fn may_have_credential(base: &Url, realm: &Url, settings: &Settings) -> Result<(), String> {
    let to = host_and_port(realm);
    match is_allowed(realm, settings) || is_same_site(base, realm) {
        true => Ok(()),
        false => Err(format!("its token service is on another site, {to}; allow that realm if it is known to you")),
    }
}

fn is_allowed(realm: &Url, settings: &Settings) -> bool {
    let to = host_and_port(realm);
    settings.allow_realms.iter().any(|allowed| *allowed == to || Some(allowed.as_str()) == realm.host_str())
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
    fn a_credential_is_only_for_token_services_of_the_same_site() {
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
}
