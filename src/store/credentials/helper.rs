//! Credential helpers: programs called `docker-credential-NAME`. Their responses are cached for each registry.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::credential::Credential;
use super::credential::SecretText;
use super::credential::stored;
use super::entry_name::is_hub;
use crate::json;
use crate::limits::Limits;
use crate::store::StoreError;
use crate::store::error::DenialReason;
use crate::store::error::HelperFault;

/// The credential helpers of a process, and a cache of their responses.
#[derive(Clone, Debug, Default)]
pub(super) struct Helpers {
    /// Cached responses and their expiry, by helper and host.
    cache: Arc<Mutex<ResponseCache>>,
    /// The only directory of helper programs; `None` for `PATH`.
    directory: Option<PathBuf>,
}

type ResponseCache = BTreeMap<(String, String), (HelperReply, Instant)>;

/// The response of a helper: a credential, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HelperReply {
    Credential(Credential),
    NotInstalled,
    Nothing,
}

/// How a run of a helper ended.
enum HelperRun {
    Ended(ExitStatus, SecretText),
    NotInstalled,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct AnswerWire {
    username: Option<String>,
    secret: Option<SecretText>,
}

impl Helpers {
    /// The helpers in `directory` only.
    pub(super) fn in_directory(directory: PathBuf) -> Self {
        Self { directory: Some(directory), ..Self::default() }
    }

    /// The credential that the helper `name` has for `host`, cached for [`RESPONSE_TTL`].
    pub(super) async fn ask(
        &self,
        name: &str,
        host: &str,
        timeout: Duration,
        limits: &Limits,
    ) -> Result<HelperReply, StoreError> {
        let key = (name.to_owned(), host.to_owned());
        let mut cache = self.cache.lock().await;
        if let Some((reply, until)) = cache.get(&key)
            && Instant::now() < *until
        {
            return Ok(reply.clone());
        }
        let reply = self.run(name, host, timeout, limits).await?;
        cache.insert(key, (reply.clone(), Instant::now() + RESPONSE_TTL));
        Ok(reply)
    }

    /// Runs a helper by its protocol: the server address on standard input, JSON on standard output; a text and a
    /// status other than 0 if it has no credential. Its output is never shown, since it may contain the secret.
    ///
    /// # Errors
    /// [`StoreError::Denied`] if it fails, exceeds `timeout`, or prints anything else.
    async fn run(&self, name: &str, host: &str, timeout: Duration, limits: &Limits) -> Result<HelperReply, StoreError> {
        let program = program(name);
        let broken = |fault| {
            let reason = DenialReason::Helper { program: program.clone(), fault };
            StoreError::Denied { credential: None, place: host.to_owned(), reason }
        };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err(broken(HelperFault::Name));
        }
        let path = self.directory.as_ref().map_or_else(|| PathBuf::from(&program), |dir| dir.join(&program));
        let ended = tokio::time::timeout(timeout, run(&path, server_address(host))).await;
        let (status, text) = match ended {
            Ok(Ok(HelperRun::Ended(status, text))) => (status, text),
            Ok(Ok(HelperRun::NotInstalled)) => return Ok(HelperReply::NotInstalled),
            Ok(Err(error)) => return Err(broken(HelperFault::Run(error.to_string()))),
            Err(_) => return Err(broken(HelperFault::Timeout(timeout.as_secs()))),
        };
        let text = text.reveal().trim();
        match status.success() {
            true if text.is_empty() => Ok(HelperReply::Nothing),
            true => answer(text, limits).ok_or_else(|| broken(HelperFault::Unreadable)),
            // The protocol reports a missing credential only by this text.
            false if text.contains("credentials not found") => Ok(HelperReply::Nothing),
            false => Err(broken(HelperFault::Failed(status.to_string()))),
        }
    }
}

/// The program name of the helper `name`.
pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

fn answer(text: &str, limits: &Limits) -> Option<HelperReply> {
    let wire: Option<AnswerWire> = json::parse(text.as_bytes(), limits).ok()?;
    let AnswerWire { username, secret } = wire.unwrap_or_default();
    let secret = secret.filter(|secret| !secret.reveal().is_empty());
    let credential = secret.map(|secret| stored(username.unwrap_or_default(), secret));
    Some(credential.map_or(HelperReply::Nothing, HelperReply::Credential))
}

/// The server address under which helpers store a registry.
fn server_address(host: &str) -> &str {
    if is_hub(host) { "https://index.docker.io/v1/" } else { host }
}

/// Runs the helper at `path` with `get`, without the variables that hold passphrases and PINs. It is killed when the
/// future is dropped.
async fn run(path: &Path, address: &str) -> io::Result<HelperRun> {
    let mut command = Command::new(path);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    // A helper does not need the passphrase or PIN of a key.
    for secret in SECRETS {
        command.env_remove(secret);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HelperRun::NotInstalled),
        Err(error) => return Err(error),
    };
    if let Some(mut input) = child.stdin.take() {
        // A helper may respond without reading its input.
        input.write_all(address.as_bytes()).await.or_else(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error),
        })?;
    }
    let mut text = Zeroizing::new(String::new());
    if let Some(output) = child.stdout.take() {
        output.take(MAX_RESPONSE_BYTES).read_to_string(&mut text).await?;
    }
    let status = child.wait().await?;
    Ok(HelperRun::Ended(status, SecretText::from(text)))
}

/// How long a response is cached.
const RESPONSE_TTL: Duration = Duration::from_secs(600);
/// The size limit of a response, in bytes.
const MAX_RESPONSE_BYTES: u64 = 64 << 10;
/// The environment variables with passphrases and PINs.
const SECRETS: [&str; 3] = ["BULLA_PASSWORD", "BULLA_PIN", "COSIGN_PASSWORD"];
