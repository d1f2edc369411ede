//! Who we say we are: docker's `config.json`, credential helpers, containers' `auth.json`, `DOCKER_AUTH_CONFIG`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::json;
use crate::limits::Limits;
use crate::store::StoreError;

/// A text that is shown to nobody and wiped when it is no longer needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Who we say we are to one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nobody.
    Anonymous,
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An identity token, which a token service exchanges for others.
    Identity(Secret),
    /// A token for the registry itself.
    Token(Secret),
}

/// Where credentials are looked for. Nothing is read before a registry asks who we are.
///
/// A credential belongs to the host and port under which it was stored, and, stored under an `https://` address, is
/// never sent over plain HTTP (T-69).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    given: BTreeMap<String, Credential>,
    helper_directory: Option<PathBuf>,
    places: Vec<Place>,
    read: Arc<OnceCell<Vec<Config>>>,
}

/// A place where credentials are kept.
#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// A file that is only read where it exists.
    FileIfThere(PathBuf),
    /// The content of `DOCKER_AUTH_CONFIG`.
    Inline(Secret),
}

impl Secret {
    /// Hides `text`.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Credential {
    /// What must not be shown.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Anonymous => Vec::new(),
            Self::Basic { password: secret, .. } | Self::Identity(secret) | Self::Token(secret) => vec![secret.clone()],
        }
    }
}

impl Credentials {
    /// No credentials at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Where docker and the containers tools look, in this order: `DOCKER_AUTH_CONFIG` (the content of a file),
    /// `REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json` or else `~/.docker/config.json`,
    /// `$XDG_RUNTIME_DIR/containers/auth.json`, `$XDG_CONFIG_HOME/containers/auth.json` or else
    /// `~/.config/containers/auth.json`, `~/.dockercfg`. The first that knows a registry decides.
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self::from_variables(variable)
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let directory = |name: &str| variable(name).map(PathBuf::from);
        let home = directory("HOME");
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let inline = variable("DOCKER_AUTH_CONFIG").and_then(|text| text.into_string().ok());
        let docker = directory("DOCKER_CONFIG").or_else(|| in_home(".docker"));
        let configuration = directory("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
        let perhaps = [
            docker.map(|docker| docker.join("config.json")),
            directory("XDG_RUNTIME_DIR").map(|runtime| runtime.join("containers/auth.json")),
            configuration.map(|configuration| configuration.join("containers/auth.json")),
            in_home(".dockercfg"),
        ];
        let mut places = Vec::new();
        places.extend(inline.map(|text| Place::Inline(Secret::new(text))));
        places.extend(directory("REGISTRY_AUTH_FILE").map(Place::File));
        places.extend(perhaps.into_iter().flatten().map(Place::FileIfThere));
        Self { places, ..Self::default() }
    }

    /// These files only, which must be there, in this order.
    pub fn from_files(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { places: paths.into_iter().map(Place::File).collect(), ..Self::default() }
    }

    /// Adds a credential for `host`, which comes before all that is found elsewhere.
    #[must_use]
    pub fn with(mut self, host: &str, credential: Credential) -> Self {
        self.given.insert(host.to_owned(), credential);
        self
    }

    /// Looks for credential helpers in `directory` only, not in `PATH`.
    #[must_use]
    pub fn with_helpers_in(mut self, directory: PathBuf) -> Self {
        self.helper_directory = Some(directory);
        self
    }

    /// Who to say we are to `host`, for `repository`; `plain` where it would go over plain HTTP. A helper gets
    /// `patience` to answer.
    ///
    /// # Errors
    /// Where a file cannot be read or a helper fails: that is not the same as having no credential.
    pub async fn find(
        &self,
        host: &str,
        repository: &str,
        plain: bool,
        patience: Duration,
    ) -> Result<Credential, StoreError> {
        if let Some(given) = self.given.get(host) {
            return Ok(given.clone());
        }
        for config in self.read.get_or_try_init(|| async { self.read_all() }).await? {
            if let Some(helper) = config.helper(host) {
                let found = self.ask_helper(&helper, host, patience).await?;
                if let Some(found) = found {
                    return Ok(found);
                }
            }
            if let Some(found) = config.entry(host, repository, plain)? {
                return Ok(found);
            }
        }
        Ok(Credential::Anonymous)
    }

    fn read_all(&self) -> Result<Vec<Config>, StoreError> {
        let mut configs = Vec::new();
        for place in &self.places {
            let (name, text) = match place {
                Place::Inline(text) => ("DOCKER_AUTH_CONFIG".to_owned(), text.clone()),
                Place::File(path) => (path.display().to_string(), read(path)?),
                Place::FileIfThere(path) => match read(path) {
                    Ok(text) => (path.display().to_string(), text),
                    Err(StoreError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
            };
            configs.push(Config::parse(name, &text)?);
        }
        Ok(configs)
    }

    /// Asks a credential helper. Its protocol: the address on standard input, JSON on standard output; a text and a
    /// status other than 0 where it has nothing.
    async fn ask_helper(
        &self,
        helper: &str,
        host: &str,
        patience: Duration,
    ) -> Result<Option<Credential>, StoreError> {
        let program = format!("docker-credential-{helper}");
        let broken = |why: String| StoreError::Denied { place: host.to_owned(), why: format!("{program}: {why}") };
        if !helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err(broken("that is no name of a credential helper".to_owned()));
        }
        let path = self.helper_directory.as_ref().map_or_else(|| PathBuf::from(&program), |dir| dir.join(&program));
        let answered = tokio::time::timeout(patience, run_helper(&path, server_address(host))).await;
        let (success, text) = match answered {
            Ok(result) => result.map_err(|error| broken(error.to_string()))?,
            Err(_) => return Err(broken(format!("no answer after {} seconds", patience.as_secs()))),
        };
        if !success {
            // The protocol knows no other way to say that there is nothing.
            let none = text.reveal().contains("credentials not found");
            return if none { Ok(None) } else { Err(broken("it failed".to_owned())) };
        }
        let answer: HelperAnswer = json::parse(text.reveal().as_bytes(), &Limits::DEFAULT)
            .map_err(|_| broken("its answer cannot be read".to_owned()))?;
        Ok(Some(login(answer.username, answer.secret)))
    }
}

/// A file of credentials.
#[derive(Clone, Debug)]
struct Config {
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: Secret,
}

impl Config {
    fn parse(name: String, text: &Secret) -> Result<Self, StoreError> {
        let bytes = text.reveal().as_bytes();
        // What is wrong is told without the text: a parser may quote what it met, and that could be a secret.
        let broken = |_| StoreError::Broken { place: name.clone(), why: "not a readable file of credentials".to_owned() };
        let mut wire: ConfigWire = json::parse(bytes, &Limits::DEFAULT).map_err(broken)?;
        if wire.auths.is_none() && name.ends_with(".dockercfg") {
            wire.auths = Some(json::parse(bytes, &Limits::DEFAULT).map_err(broken)?);
        }
        Ok(Self { name, wire })
    }

    /// The helper for `host`: its own, else the one for all.
    fn helper(&self, host: &str) -> Option<String> {
        let own = self.wire.cred_helpers.iter().flatten().find(|(key, _)| Key::read(key).is(host));
        let own = own.map(|(_, helper)| helper.clone());
        own.or_else(|| self.wire.creds_store.clone()).filter(|helper| !helper.is_empty())
    }

    /// The stored credential with the longest key that covers `host` and `repository`.
    fn entry(&self, host: &str, repository: &str, plain: bool) -> Result<Option<Credential>, StoreError> {
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
fn hub(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

/// What helpers know a registry by.
fn server_address(host: &str) -> &str {
    match hub(host) {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    }
}

/// A user name and what goes with it: by docker's convention the user `<token>` has an identity token.
fn login(username: String, secret: Secret) -> Credential {
    match username.as_str() {
        "<token>" => Credential::Identity(secret),
        _ => Credential::Basic { username, password: secret },
    }
}

fn read(path: &Path) -> Result<Secret, StoreError> {
    let file = |error| StoreError::io(path.display(), error);
    let size = std::fs::metadata(path).map_err(file)?.len();
    if size > FILE_MOST {
        return Err(StoreError::TooLarge { what: path.display().to_string(), limit: FILE_MOST });
    }
    std::fs::read_to_string(path).map(Secret::new).map_err(file)
}

/// Runs the helper at `path`; whether it succeeded, and what it said.
async fn run_helper(path: &Path, address: &str) -> io::Result<(bool, Secret)> {
    let mut command = Command::new(path);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper may answer without having read what it was asked.
        input.write_all(address.as_bytes()).await.or_else(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error),
        })?;
    }
    let mut text = Zeroizing::new(String::new());
    if let Some(output) = child.stdout.take() {
        output.take(HELPER_MOST).read_to_string(&mut text).await?;
    }
    let status = child.wait().await?;
    Ok((status.success(), Secret(text)))
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The longest file of credentials that is read, in bytes.
const FILE_MOST: u64 = 1 << 20;
/// The longest answer of a credential helper that is read, in bytes.
const HELPER_MOST: u64 = 64 << 10;
