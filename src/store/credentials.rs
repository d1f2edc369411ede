//! Who we say we are: docker's `config.json`, credential helpers, containers' `auth.json`, `DOCKER_AUTH_CONFIG`.

mod config;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::json;
use crate::limits::Limits;
use crate::store::StoreError;

use config::Config;
use config::hub;
use config::login;

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
    /// What helpers said, by helper and host, and until when that is good.
    helped: Arc<Mutex<BTreeMap<(String, String), Helped>>>,
    helper_directory: Option<PathBuf>,
    places: Vec<Place>,
    read: Arc<OnceCell<Vec<Config>>>,
}

/// What a helper said, and until when that is good.
type Helped = (Option<Credential>, Instant);

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
            if let Some(helper) = config.helper(host)
                && let Some(found) = self.helped(helper, host, patience).await?
            {
                return Ok(found);
            }
            if let Some(found) = config.entry(host, repository, plain)? {
                return Ok(found);
            }
        }
        Ok(Credential::Anonymous)
    }

    /// Whether there is something about `host` in particular. No helper is asked, and what cannot be read says nothing.
    pub(crate) async fn knows(&self, host: &str, repository: &str) -> bool {
        let configs = self.read.get_or_try_init(|| async { self.read_all() }).await;
        let stored = configs.is_ok_and(|configs| configs.iter().any(|config| config.knows(host, repository)));
        stored || self.given.contains_key(host)
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

    /// What `helper` says about `host`. It is not asked again for every repository.
    async fn helped(&self, helper: String, host: &str, patience: Duration) -> Result<Option<Credential>, StoreError> {
        let key = (helper, host.to_owned());
        let mut helped = self.helped.lock().await;
        if let Some((credential, until)) = helped.get(&key)
            && Instant::now() < *until
        {
            return Ok(credential.clone());
        }
        let credential = self.ask_helper(&key.0, host, patience).await?;
        helped.insert(key, (credential.clone(), Instant::now() + HELP_LASTS));
        Ok(credential)
    }

    /// Asks a credential helper. Its protocol: the address on standard input, JSON on standard output; a text and a
    /// status other than 0 where it has nothing.
    async fn ask_helper(&self, helper: &str, host: &str, patience: Duration) -> Result<Option<Credential>, StoreError> {
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: Secret,
}

/// What helpers know a registry by.
fn server_address(host: &str) -> &str {
    match hub(host) {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
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
    // What opens keys is none of a helper's business.
    for secret in SECRETS {
        command.env_remove(secret);
    }
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

/// The variables in which people hand us what opens a key.
const SECRETS: [&str; 3] = ["BULLA_PASSWORD", "BULLA_PIN", "COSIGN_PASSWORD"];
/// The longest file of credentials that is read, in bytes.
const FILE_MOST: u64 = 1 << 20;
/// How long what a helper said is good.
const HELP_LASTS: Duration = Duration::from_secs(600);
/// The longest answer of a credential helper that is read, in bytes.
const HELPER_MOST: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::PermissionsExt as _;

    fn found(credentials: &Credentials, host: &str, repository: &str, plain: bool) -> Result<Credential, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(credentials.find(host, repository, plain, Duration::from_secs(10)))
    }

    fn find(credentials: &Credentials, host: &str, repository: &str) -> String {
        shown(found(credentials, host, repository, false))
    }

    fn shown(found: Result<Credential, StoreError>) -> String {
        match found {
            Ok(Credential::Anonymous) => "nobody".to_owned(),
            Ok(Credential::Basic { username, password }) => format!("{username}:{}", password.reveal()),
            Ok(Credential::Identity(token)) => format!("identity {}", token.reveal()),
            Ok(Credential::Token(token)) => format!("token {}", token.reveal()),
            Err(error) => format!("error {}", error.code()),
        }
    }

    fn inline(text: &str) -> Credentials {
        Credentials { places: vec![Place::Inline(Secret::new(text.to_owned()))], ..Credentials::default() }
    }

    fn helper(directory: &Path, name: &str, script: &str) {
        let path = directory.join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn reads_every_kind_of_entry() {
        let file = inline(
            r#"{"auths":{
                "a.example":{"auth":"am9lOmh1bnRlcjI6eA=="},
                "b.example:5000":{"username":"ann","password":"pw"},
                "c.example":{"auth":"am9lOg==","identitytoken":"it"},
                "d.example":{"registrytoken":"rt","auth":"am9lOng="},
                "e.example":{"username":"<token>","password":"it2"},
                "f.example":{},
                "g.example":{"auth":"","username":"","password":""},
                "h.example":{"auth":"!"},
                "i.example":{"auth":"am9l"}
            },"HttpHeaders":{"x":"y"},"detachKeys":"ctrl-e"}"#,
        );
        for (host, wanted) in [
            ("a.example", "joe:hunter2:x"),
            ("b.example:5000", "ann:pw"),
            ("b.example", "nobody"),
            ("c.example", "identity it"),
            ("d.example", "token rt"),
            ("e.example", "identity it2"),
            ("f.example", "nobody"),
            ("g.example", "nobody"),
            ("h.example", "error store-broken"),
            ("i.example", "error store-broken"),
            ("z.example", "nobody"),
            ("a.example.evil", "nobody"),
        ] {
            assert_eq!(find(&file, host, "app"), wanted, "{host}");
        }
    }

    #[test]
    fn keys_have_many_forms_and_the_longest_path_wins() {
        let file = inline(
            r#"{"auths":{
                "https://index.docker.io/v1/":{"username":"hub","password":"1"},
                "https://b.example/v2/":{"username":"b","password":"2"},
                "c.example/v1/":{"username":"c","password":"3"},
                "d.example":{"username":"d","password":"4"},
                "d.example/team":{"username":"d-team","password":"5"},
                "d.example/team/app":{"username":"d-team-app","password":"6"},
                "http://e.example":{"username":"e","password":"7"}
            }}"#,
        );
        for (host, repository, wanted) in [
            ("docker.io", "library/a", "hub:1"),
            ("b.example", "app", "b:2"),
            ("c.example", "app", "c:3"),
            ("d.example", "other/app", "d:4"),
            ("d.example", "team/x", "d-team:5"),
            ("d.example", "teams/x", "d:4"),
            ("d.example", "team/app", "d-team-app:6"),
            ("d.example", "team/app/x", "d-team-app:6"),
            ("e.example", "app", "e:7"),
        ] {
            assert_eq!(find(&file, host, repository), wanted, "{host}/{repository}");
        }
        // T-69: what was stored for TLS is not sent without it.
        assert_eq!(shown(found(&file, "b.example", "app", true)), "nobody");
        assert_eq!(shown(found(&file, "d.example", "app", true)), "d:4");
    }

    #[test]
    fn a_helper_of_its_own_comes_before_the_one_for_all_and_both_before_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let log = log.display();
        helper(
            directory.path(),
            "own",
            &format!(r#"read h; echo "own $1 $h" >>{log}; echo '{{"ServerURL":"x","Username":"own","Secret":"s1"}}'"#),
        );
        helper(
            directory.path(),
            "all",
            &format!(
                r#"read h; echo "all $1 $h" >>{log}
                case $h in
                b.example|https://index.docker.io/v1/) echo '{{"ServerURL":"x","Username":"<token>","Secret":"s2"}}';;
                c.example) echo "credentials not found in native keychain"; exit 1;;
                d.example) echo "secret s3 leaked"; exit 1;;
                *) echo "garbage s4";;
                esac"#
            ),
        );
        let file = inline(
            r#"{"credHelpers":{"a.example":"own","f.example":"no/../such","g.example":"missing"},"credsStore":"all",
                "auths":{"a.example":{"username":"x","password":"y"},"c.example":{"username":"x","password":"y"}}}"#,
        )
        .with_helpers_in(directory.path().to_owned());
        for (host, wanted) in [
            ("a.example", "own:s1"),
            ("b.example", "identity s2"),
            ("docker.io", "identity s2"),
            ("c.example", "x:y"),
            ("d.example", "error denied"),
            ("e.example", "error denied"),
            ("f.example", "error denied"),
            ("g.example", "error denied"),
        ] {
            assert_eq!(find(&file, host, "app"), wanted, "{host}");
            let error = found(&file, host, "app", false).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("s3") && !error.contains("s4"), "{error}");
        }
        let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
        assert!(
            log.starts_with("own get a.example\nall get b.example\nall get https://index.docker.io/v1/\n"),
            "{log}"
        );
    }

    #[test]
    fn a_helper_is_asked_once_for_all_repositories_and_not_waited_for_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        helper(
            directory.path(),
            "one",
            &format!(r#"echo x >>{}; echo '{{"Username":"u","Secret":"s"}}'"#, log.display()),
        );
        helper(directory.path(), "slow", "exec sleep 60");
        let file = inline(r#"{"credHelpers":{"a.example":"one","b.example":"slow"}}"#);
        let file = file.with_helpers_in(directory.path().to_owned());
        for n in 0..5 {
            assert_eq!(find(&file.clone(), "a.example", &format!("app{n}")), "u:s");
        }
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "x\n");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(file.find("b.example", "app", false, Duration::from_millis(50))).unwrap_err();
        assert!(error.to_string().contains("no answer after"), "{error}");
    }

    #[test]
    fn looks_in_every_place_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let write = |name: &str, user: &str, hosts: &[&str]| {
            let entry = |host: &&str| format!(r#""{host}":{{"username":"{user}","password":"p"}}"#);
            let auths = hosts.iter().map(entry).collect::<Vec<_>>().join(",");
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            let whole =
                if name.ends_with("cfg") { format!("{{{auths}}}") } else { format!(r#"{{"auths":{{{auths}}}}}"#) };
            std::fs::write(path(name), whole).unwrap();
        };
        write("registry-auth.json", "file", &["b"]);
        write("docker/config.json", "docker", &["a", "b", "c"]);
        write("run/containers/auth.json", "run", &["a", "b", "c", "d"]);
        write("config/containers/auth.json", "config", &["a", "b", "c", "d", "e"]);
        write("home/.dockercfg", "old", &["a", "b", "c", "d", "e", "f"]);
        write("home/.docker/config.json", "home", &["a"]);
        let environment = |name: &str| -> Option<OsString> {
            match name {
                "DOCKER_AUTH_CONFIG" => Some(r#"{"auths":{"a":{"username":"inline","password":"p"}}}"#.into()),
                "REGISTRY_AUTH_FILE" => Some(path("registry-auth.json").into()),
                "DOCKER_CONFIG" => Some(path("docker").into()),
                "XDG_RUNTIME_DIR" => Some(path("run").into()),
                "XDG_CONFIG_HOME" => Some(path("config").into()),
                "HOME" => Some(path("home").into()),
                _ => None,
            }
        };
        let all = Credentials::from_variables(environment);
        for (host, wanted) in
            [("a", "inline"), ("b", "file"), ("c", "docker"), ("d", "run"), ("e", "config"), ("f", "old")]
        {
            assert_eq!(find(&all, host, "app"), format!("{wanted}:p"), "{host}");
        }
        assert_eq!(find(&all, "g", "app"), "nobody");
        let home = Credentials::from_variables(|name| environment(name).filter(|_| name == "HOME"));
        assert_eq!(find(&home, "a", "app"), "home:p");
        let none = Credentials::from_variables(|_| None);
        assert_eq!(find(&none, "a", "app"), "nobody");
        let given = all.with("a", Credential::Token(Secret::new("given".to_owned())));
        assert_eq!(find(&given, "a", "app"), "token given");
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        assert_eq!(find(&Credentials::from_files([path.clone()]), "a", "app"), "error io");
        for text in [
            "",
            "[]",
            "{\"auths\":{\"a\":{\"auth\":\"hunter2\"",
            r#"{"auths":{"a":{},"a":{}}}"#,
            r#"{"auths":{"a":{"auth":7}}}"#,
        ] {
            std::fs::write(&path, text).unwrap();
            let error = found(&Credentials::from_files([path.clone()]), "a", "app", false).unwrap_err();
            assert_eq!(error.code(), "store-broken", "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        std::fs::write(&path, vec![b' '; 2 << 20]).unwrap();
        assert_eq!(find(&Credentials::from_files([path]), "a", "app"), "error too-large");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let file = inline(r#"{"auths":{"a":{"username":"joe","password":"hunter2"}}}"#)
            .with("b", Credential::Basic { username: "ann".to_owned(), password: Secret::new("hunter3".to_owned()) });
        assert_eq!(find(&file, "a", "app"), "joe:hunter2");
        let text = format!("{file:?} {:?}", found(&file, "a", "app", false));
        assert!(!text.contains("hunter"), "{text}");
    }
}
