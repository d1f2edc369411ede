//! Credential sources: docker's `config.json`, credential helpers, containers' `auth.json`, `DOCKER_AUTH_CONFIG`.

mod credential;
mod entry_name;
mod file;
mod helper;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::limits::Limits;
use crate::store::StoreError;
use crate::store::error::BrokenReason;
use crate::store::error::CredentialFileFault;

pub use credential::Credential;
pub use credential::CredentialSource;
pub use credential::FoundCredential;
pub use credential::Login;
pub use credential::SecretText;

use file::CredentialFile;
use helper::HelperReply;
use helper::Helpers;

/// The credential sources of a process. No file is read and no credential helper is run before a registry asks for
/// authentication.
///
/// A credential is used only for the host and port under which it was stored; if it was stored under an `https://`
/// address, it is never sent over plain HTTP (threats: password-without-tls).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    given: BTreeMap<String, Credential>,
    helpers: Helpers,
    locations: Vec<CredentialLocation>,
    read: Arc<OnceCell<Vec<CredentialFile>>>,
}

/// A location of a credential file.
#[derive(Clone, Debug)]
enum CredentialLocation {
    File(PathBuf),
    /// A file that may be absent.
    OptionalFile(PathBuf),
    /// The content of `DOCKER_AUTH_CONFIG`; `None` if it is not UTF-8.
    Inline(Option<SecretText>),
}

impl Credentials {
    /// No credential sources.
    pub fn none() -> Self {
        Self::default()
    }

    /// The credential files of docker and of the containers tools; the first one with a credential for a registry is
    /// used. In this order: `DOCKER_AUTH_CONFIG` (the content of a file), `REGISTRY_AUTH_FILE`,
    /// `$DOCKER_CONFIG/config.json` or else `~/.docker/config.json`, `$XDG_RUNTIME_DIR/containers/auth.json` or else
    /// `/run/containers/UID/auth.json`, `$XDG_CONFIG_HOME/containers/auth.json` or else
    /// `~/.config/containers/auth.json`, `~/.dockercfg`.
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self::from_variables(variable)
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let directory = |name: &str| variable(name).map(PathBuf::from);
        let home = directory("HOME");
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let inline = variable("DOCKER_AUTH_CONFIG").map(|text| text.into_string().ok().map(SecretText::new));
        let docker = directory("DOCKER_CONFIG").or_else(|| in_home(".docker"));
        // podman and skopeo use this directory if there is no login session, as for root.
        let user = rustix::process::getuid().as_raw();
        let runtime = directory("XDG_RUNTIME_DIR").map(|runtime| runtime.join("containers"));
        let runtime = runtime.unwrap_or_else(|| PathBuf::from(format!("/run/containers/{user}")));
        let configuration = directory("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
        let perhaps = [
            docker.map(|docker| docker.join("config.json")),
            Some(runtime.join("auth.json")),
            configuration.map(|configuration| configuration.join("containers/auth.json")),
            in_home(".dockercfg"),
        ];
        let mut locations = Vec::new();
        locations.extend(inline.map(CredentialLocation::Inline));
        locations.extend(directory("REGISTRY_AUTH_FILE").map(CredentialLocation::File));
        locations.extend(perhaps.into_iter().flatten().map(CredentialLocation::OptionalFile));
        Self { locations, ..Self::default() }
    }

    /// Only the files at `paths`, in this order. All of them must exist.
    pub fn from_files(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { locations: paths.into_iter().map(CredentialLocation::File).collect(), ..Self::default() }
    }

    /// Adds a credential for `host`, which takes precedence over all files and helpers.
    #[must_use]
    pub fn with(mut self, host: &str, credential: Credential) -> Self {
        self.given.insert(host.to_owned(), credential);
        self
    }

    /// Runs credential helpers from `directory` only, not from `PATH`.
    #[must_use]
    pub fn with_helpers_in(mut self, directory: PathBuf) -> Self {
        self.helpers = Helpers::in_directory(directory);
        self
    }

    /// Looks up the credential for `repository` at `host`; anonymous if no source has one. `plain` excludes entries and
    /// helpers that were named for TLS; `timeout` and `limits` are those of a credential helper. In each file the helper
    /// takes precedence, then the entry that fits best.
    ///
    /// # Errors
    /// [`StoreError`] if a file cannot be read or a helper fails, which is not the same as having no credential. A
    /// helper that is not installed counts as empty, as for docker: a public image needs none.
    pub async fn find(
        &self,
        host: &str,
        repository: &str,
        plain: bool,
        timeout: Duration,
        limits: &Limits,
    ) -> Result<FoundCredential, StoreError> {
        let mut missing = Vec::new();
        let found = |credential, source, missing| Ok(FoundCredential { credential, missing, source });
        if let Some(given) = self.given.get(host) {
            return found(given.clone(), Some(CredentialSource::Given), missing);
        }
        for config in self.read.get_or_try_init(|| async { self.read_all() }).await? {
            if let Some(name) = config.helper(host, plain) {
                let program = helper::program(name);
                match self.helpers.ask(name, host, timeout, limits).await? {
                    HelperReply::Credential(credential) => {
                        let file = config.name().to_owned();
                        return found(credential, Some(CredentialSource::Helper { file, program }), missing);
                    }
                    HelperReply::NotInstalled => {
                        missing.push(format!("{program}, named by {}, is not on PATH", config.name()));
                    }
                    HelperReply::Nothing => {}
                }
            }
            if let Some((name, credential)) = config.entry(host, repository, plain)? {
                let (file, name) = (config.name().to_owned(), name.to_owned());
                return found(credential, Some(CredentialSource::Entry { file, name }), missing);
            }
        }
        found(Credential::Anonymous, None, missing)
    }

    /// Whether a source has an entry or a helper for `host` by name. It runs no helper; unreadable files count as
    /// empty.
    pub(crate) async fn has_entry(&self, host: &str, repository: &str) -> bool {
        let configs = self.read.get_or_try_init(|| async { self.read_all() }).await;
        let stored = configs.is_ok_and(|configs| configs.iter().any(|config| config.has_entry(host, repository)));
        stored || self.given.contains_key(host)
    }

    /// Reads and parses all credential files.
    fn read_all(&self) -> Result<Vec<CredentialFile>, StoreError> {
        let mut configs = Vec::new();
        for location in &self.locations {
            let (name, text) = match location {
                CredentialLocation::Inline(text) => (INLINE.to_owned(), text.clone().ok_or_else(not_text)?),
                CredentialLocation::File(path) => (path.display().to_string(), read(path)?),
                CredentialLocation::OptionalFile(path) => match std::fs::metadata(path) {
                    Ok(metadata) => (path.display().to_string(), read_regular(path, &metadata)?),
                    Err(error) if is_absent(error.kind()) => continue,
                    Err(error) => return Err(StoreError::io(path.display(), error)),
                },
            };
            configs.push(CredentialFile::parse(name, &text)?);
        }
        Ok(configs)
    }
}

fn not_text() -> StoreError {
    let reason = BrokenReason::Credentials(CredentialFileFault::NotUtf8);
    StoreError::Broken { place: INLINE.to_owned(), reason }
}

/// Whether a file counts as absent: not found, or in a home directory that is no directory or not accessible, as with
/// `HOME=/dev/null` and service accounts.
const fn is_absent(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied)
}

/// Reads a credential file at a default location, which must be a regular file: a pipe could block for ever.
fn read_regular(path: &Path, metadata: &Metadata) -> Result<SecretText, StoreError> {
    match metadata.is_file() {
        true => read(path),
        false => {
            let reason = BrokenReason::Credentials(CredentialFileFault::NotAFile);
            Err(StoreError::Broken { place: path.display().to_string(), reason })
        }
    }
}

/// Reads a credential file of at most [`MAX_FILE_BYTES`] bytes.
fn read(path: &Path) -> Result<SecretText, StoreError> {
    let told = |error| StoreError::io(path.display(), error);
    let mut text = Zeroizing::new(String::new());
    // A device may be endless, so the limit applies while reading.
    File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)).map_err(told)?;
    match u64::try_from(text.len()).is_ok_and(|length| length <= MAX_FILE_BYTES) {
        true => Ok(SecretText::from(text)),
        false => Err(StoreError::TooLarge { what: path.display().to_string(), limit: MAX_FILE_BYTES }),
    }
}

/// The size limit of a credential file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The environment variable with the content of a credential file.
const INLINE: &str = "DOCKER_AUTH_CONFIG";

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::PermissionsExt as _;

    fn found(credentials: &Credentials, host: &str, repository: &str, plain: bool) -> Result<Credential, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime
            .block_on(credentials.find(host, repository, plain, Duration::from_secs(10), &Limits::DEFAULT))
            .map(|found| found.credential)
    }

    fn find(credentials: &Credentials, host: &str, repository: &str) -> String {
        shown(found(credentials, host, repository, false))
    }

    fn shown(found: Result<Credential, StoreError>) -> String {
        match found {
            Ok(Credential::Anonymous) => "nobody".to_owned(),
            Ok(Credential::Basic { username, password }) => format!("{username}:{}", password.reveal()),
            Ok(Credential::Identity { token, .. }) => format!("identity {}", token.reveal()),
            Ok(Credential::Token(token)) => format!("token {}", token.reveal()),
            Err(error) => format!("error {}", error.code()),
        }
    }

    fn inline(text: &str) -> Credentials {
        Credentials {
            locations: vec![CredentialLocation::Inline(Some(SecretText::new(text.to_owned())))],
            ..Credentials::default()
        }
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
        // A credential stored for TLS is not sent without it (threats: password-without-tls).
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
            ("g.example", "nobody"),
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

    /// As for an entry with a password (threats: password-without-tls).
    #[test]
    fn a_helper_that_is_named_for_tls_is_not_asked_for_plain_http() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["tls", "any", "all"] {
            let answer = format!(r#"{{"ServerURL":"x","Username":"{name}","Secret":"s"}}"#);
            helper(directory.path(), name, &format!("read h; echo '{answer}'"));
        }
        let own = r#"{"credHelpers":{"https://a.example":"tls","HTTPS://b.example/v2/":"tls","b.example":"any",
            "http://c.example":"any","https://index.docker.io/v1/":"tls","index.docker.io":"any"}}"#;
        let all = r#"{"credHelpers":{"https://a.example":"tls"},"credsStore":"all"}"#;
        for (text, host, over_tls, over_plain_http) in [
            (own, "a.example", "tls:s", "nobody"),
            (own, "b.example", "any:s", "any:s"),
            (own, "c.example", "any:s", "any:s"),
            (own, "docker.io", "tls:s", "nobody"),
            (own, "index.docker.io", "any:s", "nobody"),
            (all, "a.example", "tls:s", "all:s"),
            (all, "docker.io", "all:s", "nobody"),
        ] {
            for (plain, wanted) in [(false, over_tls), (true, over_plain_http)] {
                let file = inline(text).with_helpers_in(directory.path().to_owned());
                assert_eq!(shown(found(&file, host, "app", plain)), wanted, "{host}, plain {plain}");
            }
        }
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
        let error = runtime
            .block_on(file.find("b.example", "app", false, Duration::from_millis(50), &Limits::DEFAULT))
            .unwrap_err();
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
        let given = all.with("a", Credential::Token(SecretText::new("given".to_owned())));
        assert_eq!(find(&given, "a", "app"), "token given");
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        assert_eq!(find(&Credentials::from_files([path.clone()]), "a", "app"), "error io");
        for text in [
            "[]",
            "{\"auths\":{\"a\":{\"auth\":\"hunter2\"",
            r#"{"auths":{"a":{"auth":7}}}"#,
            r#"{"auths":{"a":{"auth":"hunter2!"}}}"#,
            r#"{"auths":[]}"#,
            r#"{} {}"#,
        ] {
            std::fs::write(&path, text).unwrap();
            let error = found(&Credentials::from_files([path.clone()]), "a", "app", false).unwrap_err();
            assert_eq!(error.code(), "store-broken", "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        std::fs::write(&path, vec![b' '; 2 << 20]).unwrap();
        assert_eq!(find(&Credentials::from_files([path]), "a", "app"), "error too-large");
    }

    /// The credential files of tools with a login command, as each tool wrote them.
    #[test]
    fn reads_what_tools_write() {
        for (tool, text, host, repository, wanted) in [
            ("docker login", r#"{"auths":{"r.example":{"auth":"am9lOnB3"}}}"#, "r.example", "app", "joe:pw"),
            (
                "docker login of Docker Hub in a browser",
                r#"{"auths":{"https://index.docker.io/v1/":{"auth":"am9lOnB3"},
                    "https://index.docker.io/v1/access-token":{"auth":"am9lOmFjY2Vzcw=="},
                    "https://index.docker.io/v1/refresh-token":{"auth":"am9lOnJlZnJlc2g="}}}"#,
                "docker.io",
                "library/app",
                "joe:pw",
            ),
            (
                "docker login with a helper, then without",
                r#"{"auths":{"r.example":{"auth":"am9lOnB3"},"http://r.example":{},"https://r.example/v2/":{}}}"#,
                "r.example",
                "app",
                "joe:pw",
            ),
            (
                "docker login of a registry with identity tokens",
                r#"{"auths":{"r.example":{"auth":"MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==","identitytoken":"it"}}}"#,
                "r.example",
                "app",
                "identity it",
            ),
            (
                "podman login",
                "{\n\t\"auths\": {\n\t\t\"docker.io\": {\n\t\t\t\"auth\": \"am9lOnB3\"\n\t\t}\n\t}\n}",
                "docker.io",
                "library/app",
                "joe:pw",
            ),
            (
                "podman login of a namespace",
                r#"{"auths":{"r.example":{"auth":"YW5uOnB3"},"r.example/team":{"auth":"am9lOnB3"}}}"#,
                "r.example",
                "team/app",
                "joe:pw",
            ),
            ("podman logout", r#"{"auths":{}}"#, "r.example", "app", "nobody"),
            (
                "oras login",
                r#"{"auths":{"r.example":{"auth":"am9lOnB3"}},"credsStore":""}"#,
                "r.example",
                "app",
                "joe:pw",
            ),
            (
                "oras login --identity-token",
                r#"{"auths":{"r.example":{"auth":"","identitytoken":"it"}}}"#,
                "r.example",
                "app",
                "identity it",
            ),
            (
                "kubectl create secret docker-registry",
                r#"{"auths":{"r.example":{"username":"joe","password":"pw","email":"x","auth":"am9lOnB3"}}}"#,
                "r.example",
                "app",
                "joe:pw",
            ),
            (
                "a CI job whose variables are not set",
                r#"{"auths":{"r.example":{"auth":"Og=="}}}"#,
                "r.example",
                "app",
                "nobody",
            ),
            (
                "base64 of coreutils",
                r#"{"auths":{"r.example":{"auth":"am9l\nOnB3\r\n"}}}"#,
                "r.example",
                "app",
                "joe:pw",
            ),
            (
                "base64 without padding",
                r#"{"auths":{"r.example":{"auth":"am9lOmh1bnRlcjI6eA"}}}"#,
                "r.example",
                "app",
                "joe:hunter2:x",
            ),
            (
                "fields of any type",
                r#"{"auths":{"r.example":{"auth":"am9lOnB3","email":null,"x":[{"y":1}]}},"HttpHeaders":7,"proxies":{"default":[]},"x":1.5}"#,
                "r.example",
                "app",
                "joe:pw",
            ),
            ("names in another case", r#"{"Auths":{"r.example":{"Auth":"am9lOnB3"}}}"#, "r.example", "app", "joe:pw"),
            (
                "lists that were merged by hand",
                r#"{"auths":{"r.example":{"auth":"YW5uOnB3"},"r.example":{"auth":"am9lOnB3"}},"auths":{"r.example":{}}}"#,
                "r.example",
                "app",
                "joe:pw",
            ),
            (
                "an editor that writes a byte order mark",
                "\u{feff}{\"auths\":{\"r.example\":{\"auth\":\"am9lOnB3\"}}}\r\n",
                "r.example",
                "app",
                "joe:pw",
            ),
        ] {
            assert_eq!(find(&inline(text), host, repository), wanted, "{tool}");
        }
    }

    #[test]
    fn what_holds_nothing_hides_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("config.json"), directory.path().join("auth.json"));
        std::fs::write(&second, r#"{"auths":{"r.example":{"auth":"am9lOnB3"}}}"#).unwrap();
        helper(directory.path(), "empty", "exit 0");
        helper(directory.path(), "object", "echo '{}'");
        helper(directory.path(), "null", "echo null");
        helper(directory.path(), "fields", r#"echo '{"ServerURL":"","Username":"","Secret":""}'"#);
        helper(directory.path(), "nulls", r#"echo '{"ServerURL":"x","Username":null,"Secret":null}'"#);
        helper(directory.path(), "none", "echo 'credentials not found in native keychain'; exit 1");
        for text in [
            "",
            " \n\t",
            "\u{feff}",
            "null",
            "{}",
            r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
            r#"{"auths":{"r.example":null}}"#,
            r#"{"auths":{"r.example":{}}}"#,
            r#"{"auths":{"r.example":{"auth":null,"username":null,"password":null}}}"#,
            r#"{"auths":{"r.example":{"auth":"","username":"","password":"","identitytoken":"","registrytoken":""}}}"#,
            r#"{"auths":{"r.example":{"auth":"\n"}}}"#,
            r#"{"auths":{"r.example":{"username":"joe"}}}"#,
            r#"{"credHelpers":{"r.example":null}}"#,
            r#"{"credHelpers":{"r.example":""},"credsStore":"fails"}"#,
            r#"{"credsStore":"empty"}"#,
            r#"{"credsStore":"object"}"#,
            r#"{"credsStore":"null"}"#,
            r#"{"credsStore":"fields"}"#,
            r#"{"credsStore":"nulls"}"#,
            r#"{"credsStore":"none"}"#,
            r#"{"credsStore":"not-installed"}"#,
        ] {
            std::fs::write(&first, text).unwrap();
            let both = Credentials::from_files([first.clone(), second.clone()]);
            let both = both.with_helpers_in(directory.path().to_owned());
            assert_eq!(find(&both, "r.example", "app"), "joe:pw", "{text:?}");
        }
    }

    #[test]
    fn of_several_entries_the_exact_name_wins_and_then_the_root_of_the_api() {
        for (wanted, text) in [
            ("exact:1", r#"{"r.example":{"auth":"ZXhhY3Q6MQ=="},"https://r.example":{"auth":"dXJsOjI="}}"#),
            ("exact:1", r#"{"https://r.example/v1/":{"auth":"dXJsOjI="},"r.example":{"auth":"ZXhhY3Q6MQ=="}}"#),
            ("exact:1", r#"{"a.example":{},"r.example":{"auth":"ZXhhY3Q6MQ=="},"http://r.example":{}}"#),
            (
                "url:2",
                r#"{"r.example":{},"https://r.example":{"auth":"dXJsOjI="},"http://r.example":{"auth":"ZXhhY3Q6MQ=="}}"#,
            ),
            ("nobody", r#"{"https://r.example/v1/refresh-token":{"auth":"dXJsOjI="}}"#),
            ("nobody", r#"{"https://r.example/v2/token":{"auth":"dXJsOjI="},"r.example/v1/x":{"auth":"dXJsOjI="}}"#),
        ] {
            assert_eq!(find(&inline(&format!(r#"{{"auths":{text}}}"#)), "r.example", "app"), wanted, "{text}");
        }
        let hub = inline(
            r#"{"auths":{"https://registry-1.docker.io":{"auth":"dXJsOjI="},"https://index.docker.io/v1/":{},
                "docker.io":{"auth":"ZXhhY3Q6MQ=="}}}"#,
        );
        assert_eq!(find(&hub, "docker.io", "library/app"), "exact:1");
    }

    #[test]
    fn a_home_that_is_no_directory_holds_nothing() {
        for home in ["/dev/null", "/nonexistent", "/proc/version"] {
            let credentials = Credentials::from_variables(|name| (name == "HOME").then(|| home.into()));
            assert_eq!(find(&credentials, "r.example", "app"), "nobody", "{home}");
        }
        assert!(is_absent(io::ErrorKind::PermissionDenied));
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join(".docker/config.json")).unwrap();
        let mounted = Credentials::from_variables(|name| (name == "HOME").then(|| directory.path().into()));
        assert_eq!(find(&mounted, "r.example", "app"), "error store-broken");
    }

    #[test]
    fn a_device_without_an_end_is_not_read_to_it() {
        assert_eq!(find(&Credentials::from_files(["/dev/zero".into()]), "r.example", "app"), "error too-large");
        assert_eq!(find(&Credentials::from_files(["/dev/null".into()]), "r.example", "app"), "nobody");
    }

    #[test]
    fn podman_keeps_it_elsewhere_without_a_session() {
        let user = rustix::process::getuid().as_raw();
        let shown = format!("{:?}", Credentials::from_variables(|_| None).locations);
        assert!(shown.contains(&format!("/run/containers/{user}/auth.json")), "{shown}");
        let session = Credentials::from_variables(|name| (name == "XDG_RUNTIME_DIR").then(|| "/run/user/7".into()));
        let shown = format!("{:?}", session.locations);
        assert!(shown.contains("/run/user/7/containers/auth.json") && !shown.contains("/run/containers"), "{shown}");
    }

    #[test]
    fn a_variable_that_is_no_text_is_an_error() {
        use std::os::unix::ffi::OsStringExt as _;
        let variable = |name: &str| (name == "DOCKER_AUTH_CONFIG").then(|| OsString::from_vec(vec![b'{', 0xff, b'}']));
        assert_eq!(find(&Credentials::from_variables(variable), "r.example", "app"), "error store-broken");
    }

    #[test]
    fn the_source_of_a_credential_is_named() {
        let directory = tempfile::tempdir().unwrap();
        helper(directory.path(), "one", r#"echo '{"Username":"u","Secret":"s"}'"#);
        let file = inline(
            r#"{"credHelpers":{"a.example":"one","b.example":"none"},"auths":{"https://c.example":{"auth":"am9lOnB3"}}}"#,
        );
        let file = file.with_helpers_in(directory.path().to_owned());
        let file = file.with("d.example", Credential::identity(SecretText::new("x".to_owned())));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (host, source, missing) in [
            ("a.example", Some("docker-credential-one, named by DOCKER_AUTH_CONFIG"), None),
            ("b.example", None, Some("docker-credential-none, named by DOCKER_AUTH_CONFIG, is not on PATH")),
            ("c.example", Some("entry `https://c.example` of DOCKER_AUTH_CONFIG"), None),
            ("d.example", Some("the given credential"), None),
            ("e.example", None, None),
        ] {
            let found =
                runtime.block_on(file.find(host, "app", false, Duration::from_secs(10), &Limits::DEFAULT)).unwrap();
            assert_eq!(found.source.map(|source| source.to_string()).as_deref(), source, "{host}");
            assert_eq!(found.missing.first().map(String::as_str), missing, "{host}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let file = inline(r#"{"auths":{"a":{"username":"joe","password":"hunter2"}}}"#).with(
            "b",
            Credential::Basic { username: "ann".to_owned(), password: SecretText::new("hunter3".to_owned()) },
        );
        assert_eq!(find(&file, "a", "app"), "joe:hunter2");
        let text = format!("{file:?} {:?}", found(&file, "a", "app", false));
        assert!(!text.contains("hunter"), "{text}");
    }
}
