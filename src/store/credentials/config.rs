//! Files of credentials: docker's `config.json`, containers' `auth.json`, the old `.dockercfg`. Reads no file itself.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Credential;
use super::Secret;
use crate::json;
use crate::limits::Limits;
use crate::store::StoreError;

/// A file of credentials.
#[derive(Clone, Debug)]
pub(super) struct Config {
    name: String,
    wire: ConfigWire,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigWire {
    auths: Option<BTreeMap<String, Entry>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Clone, Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

impl Config {
    pub(super) fn parse(name: String, text: &Secret) -> Result<Self, StoreError> {
        let bytes = text.reveal().as_bytes();
        // What is wrong is told without the text: a parser may quote what it met, and that could be a secret.
        let broken =
            || StoreError::Broken { place: name.clone(), why: "not a readable file of credentials".to_owned() };
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(broken());
        }
        let mut wire: ConfigWire = json::parse(bytes, &Limits::DEFAULT).map_err(|_| broken())?;
        if wire.auths.is_none() && name.ends_with(".dockercfg") {
            wire.auths = Some(json::parse(bytes, &Limits::DEFAULT).map_err(|_| broken())?);
        }
        Ok(Self { name, wire })
    }

    /// The helper for `host`: its own, else the one for all.
    pub(super) fn helper(&self, host: &str) -> Option<String> {
        let own = self.wire.cred_helpers.iter().flatten().find(|(key, _)| Key::read(key).is(host));
        let own = own.map(|(_, helper)| helper.clone());
        own.or_else(|| self.wire.creds_store.clone()).filter(|helper| !helper.is_empty())
    }

    /// Whether there is something about `host` in particular, if only that a helper knows more.
    pub(super) fn knows(&self, host: &str, repository: &str) -> bool {
        let helpers = self.wire.cred_helpers.iter().flatten();
        let auths = self.wire.auths.iter().flatten();
        helpers.map(|(key, _)| key).chain(auths.map(|(key, _)| key)).any(|key| Key::read(key).covers(host, repository))
    }

    /// The stored credential with the longest key that covers `host` and `repository`.
    pub(super) fn entry(&self, host: &str, repository: &str, plain: bool) -> Result<Option<Credential>, StoreError> {
        let covers = |key: &Key<'_>| key.covers(host, repository) && !(plain && key.scheme == Some("https"));
        let keyed = self.wire.auths.iter().flatten().map(|(key, entry)| (Key::read(key), entry));
        let found = keyed.filter(|(key, _)| covers(key)).max_by_key(|(key, _)| key.path.len());
        match found {
            Some((_, entry)) => entry.meant().map_err(|why| StoreError::Broken {
                place: self.name.clone(),
                why: format!("the credential for {host}: {why}"),
            }),
            None => Ok(None),
        }
    }
}

impl Entry {
    fn meant(&self) -> Result<Option<Credential>, &'static str> {
        let filled = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.reveal().is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(Credential::Token(token)));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Credential::Identity(token)));
        }
        if let Some(auth) = filled(&self.auth) {
            let decoded = STANDARD.decode(auth.reveal().trim_end_matches('\0')).map_err(|_| "not base64")?;
            let text = Zeroizing::new(String::from_utf8(decoded).map_err(|_| "not text")?);
            let (username, password) = text.split_once(':').ok_or("no colon")?;
            let password = Secret::new(password.trim_end_matches('\0').to_owned());
            return Ok(Some(login(username.to_owned(), password)));
        }
        match (&self.username, filled(&self.password)) {
            (Some(username), Some(password)) => Ok(Some(login(username.clone(), password))),
            // `docker login` with a helper leaves an empty entry behind.
            _ => Ok(None),
        }
    }
}

/// What credentials are stored under: `host`, `host/namespace`, or an address as docker's first registries had it.
struct Key<'a> {
    scheme: Option<&'a str>,
    host: &'a str,
    path: &'a str,
}

impl<'a> Key<'a> {
    fn read(text: &'a str) -> Self {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        // An address is that of an API; only without a scheme is what follows the host a part of a repository.
        let api = scheme.is_some() || matches!(path, "v1" | "v2");
        Self { scheme, host, path: if api { "" } else { path } }
    }

    fn is(&self, host: &str) -> bool {
        self.path.is_empty() && hub(self.host) == hub(host)
    }

    fn covers(&self, host: &str, repository: &str) -> bool {
        let inside = repository.strip_prefix(self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        hub(self.host) == hub(host) && (self.path.is_empty() || inside)
    }
}

/// Docker Hub has many names.
pub(super) fn hub(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

/// A user name and what goes with it: by docker's convention the user `<token>` has an identity token.
pub(super) fn login(username: String, secret: Secret) -> Credential {
    match username.as_str() {
        "<token>" => Credential::Identity(secret),
        _ => Credential::Basic { username, password: secret },
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
