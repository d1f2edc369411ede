//! `Repository`: one repository of a registry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use reqwest::Url;

use super::client::RegistryClient;
use super::scope::RepositoryAccess;
use super::tag_locks::TagLocks;
use super::token::TOKEN_OF;
use super::token::TOKEN_SERVICE;
use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::RegistryReference;
use crate::oci::TagOrDigest;
use crate::redact::Secrets;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::ErrorTexts;

/// One repository of a registry, as a source and a sink. Clones share the learned capabilities.
#[derive(Clone)]
pub struct Repository {
    pub(super) client: Arc<RegistryClient>,
    limits: Option<Arc<Limits>>,
    /// Whether the registry returned a list of referrers in it.
    listed: Arc<AtomicBool>,
    locks: Arc<TagLocks>,
    /// Manifests with another digest in their `Docker-Content-Digest` header, up to a limit.
    header_mismatches: Arc<Mutex<BTreeMap<Digest, String>>>,
    name: Arc<str>,
    /// Upload sessions that the registry opened instead of mounting a blob.
    sessions: Arc<Mutex<BTreeMap<Digest, Url>>>,
    /// `host/repository`, as typed.
    shown: Arc<str>,
    writes: bool,
}

impl Repository {
    pub(super) fn new(locks: Arc<TagLocks>, client: Arc<RegistryClient>, reference: &RegistryReference) -> Self {
        Self {
            client,
            limits: None,
            listed: Arc::default(),
            locks,
            header_mismatches: Arc::default(),
            name: Arc::from(reference.repository()),
            sessions: Arc::default(),
            shown: Arc::from(reference.name()),
            writes: false,
        }
    }

    /// The same repository for writing: a single token for reading and writing is requested instead of two.
    #[must_use]
    pub fn for_writing(self) -> Self {
        Self { writes: true, ..self }
    }

    /// The same repository with a smaller limit on the length of manifests and pages, in bytes.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        let limits = self.limits();
        let limits = limits.clone().with(|limits| limits.oci.manifest_bytes = limits.oci.manifest_bytes.min(bytes));
        Self { limits: Some(Arc::new(limits)), ..self }
    }

    /// Whether the registry has the referrers API, if that is known.
    pub fn referrers_api(&self) -> Option<bool> {
        *self.client.capabilities.referrers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the registry is known to refuse manifests whose blobs are missing.
    pub fn validates_manifests(&self) -> bool {
        self.client.capabilities.validates.load(Ordering::Relaxed)
    }

    /// Whether the registry returned a list of referrers in this repository.
    pub(super) fn has_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// Records that the registry returned a list of referrers.
    pub(super) fn set_listed(&self) {
        self.listed.store(true, Ordering::Relaxed);
    }

    /// The host, as typed.
    pub(super) fn host(&self) -> &str {
        self.shown.split_once('/').map_or(&*self.shown, |(host, _)| host)
    }

    /// The name of the repository, without the host.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The limits.
    pub(super) fn limits(&self) -> &Limits {
        self.limits.as_deref().unwrap_or(&self.client.transport.settings.limits)
    }

    /// The locks of the referrers tags that this process writes.
    pub(super) fn tag_locks(&self) -> &TagLocks {
        &self.locks
    }

    /// The access for reading.
    pub(super) fn reading(&self) -> RepositoryAccess {
        if self.writes { RepositoryAccess::Push } else { RepositoryAccess::Pull }
    }

    /// The URL of `path` below the repository.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.client.base.clone();
        url.set_path(&format!("/v2/{}/{path}", self.name));
        url
    }

    /// The manifest that `tag_or_digest` names, for messages.
    pub(super) fn place(&self, tag_or_digest: &TagOrDigest) -> String {
        match tag_or_digest {
            TagOrDigest::Digest(digest) => self.place_of(digest),
            TagOrDigest::Tag(tag) => format!("{}:{tag}", self.shown),
        }
    }

    /// The content with `digest`, for messages.
    pub(super) fn place_of(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.shown)
    }

    /// The repository name `host/repository`, as typed.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Redacts the secrets in `error`, since a registry may echo any of them. Every error that leaves the registry
    /// client passes through here.
    pub(super) fn without_secrets(&self, error: StoreError) -> StoreError {
        let secrets = &self.client.transport.settings.secrets;
        error.redacted(&ErrorTexts {
            foreign: &|text: &str| secrets.hide(text).into_owned(),
            message: &|text: &str| secrets.hide_in_message(text).into_owned(),
            place: &|place: &str| self.place_without_secrets(place, secrets),
        })
    }

    /// The name of a store, or the host of a URL, without secrets. The name that was typed is not secret, and what stands
    /// after it, a tag or a digest, is ours; another host is one that a server named.
    fn place_without_secrets(&self, place: &str, secrets: &Secrets) -> String {
        // A host may begin like another one and be another.
        let rest_after = |typed: &str| place.strip_prefix(typed).filter(|rest| is_end_of_name(rest));
        let found = [&*self.shown, self.host()].into_iter().find_map(|typed| Some((typed, rest_after(typed)?)));
        if let Some((typed, rest)) = found {
            return format!("{typed}{}", secrets.hide_in_message(rest));
        }
        // The host without its port.
        if self.host().strip_prefix(place).is_some_and(is_end_of_name) {
            return place.to_owned();
        }
        let ours = [TOKEN_OF, TOKEN_SERVICE].into_iter().find(|words| place.starts_with(words)).unwrap_or_default();
        format!("{ours}{}", secrets.hide(place.strip_prefix(ours).unwrap_or(place)))
    }

    /// Runs `task` and redacts the secrets in its error.
    pub(super) fn redacting<'a, T: Send + 'a>(
        &'a self,
        task: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Task<'a, Result<T, StoreError>> {
        Box::pin(async move { task.await.map_err(|error| self.without_secrets(error)) })
    }

    /// Stores an upload session for the blob with `digest`.
    pub(super) fn keep_session(&self, digest: Digest, location: Url) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, location);
    }

    /// Records that the `Docker-Content-Digest` header of the manifest `digest` was `said`.
    pub(super) fn keep_header_mismatch(&self, digest: Digest, said: String) {
        let mut mismatches = self.header_mismatches.lock().unwrap_or_else(PoisonError::into_inner);
        if mismatches.len() < HEADER_MISMATCHES {
            mismatches.insert(digest, said);
        }
    }

    /// The other digest in the `Docker-Content-Digest` header of the manifest `digest`, if there was one.
    pub(super) fn header_mismatch(&self, digest: &Digest) -> Option<String> {
        self.header_mismatches.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Takes the stored upload session for the blob with `digest`.
    pub(super) fn take_session(&self, digest: &Digest) -> Option<Url> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(digest)
    }
}

/// Whether a name ends where `rest` begins.
fn is_end_of_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', ':', '@', ' '])
}

/// The limit of recorded header mismatches, which people read.
const HEADER_MISMATCHES: usize = 1_000;

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Repository").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Registries;
    use super::super::Settings;
    use crate::oci::Reference;
    use crate::store::credentials::Credentials;

    /// (threats: report-rewritten-by-a-registry, error-echoes-secret)
    #[test]
    fn a_place_keeps_what_was_typed_and_a_host_that_a_server_named_shows_no_token() {
        let settings = Settings::new(Credentials::none());
        let secrets = settings.secrets.clone();
        let Ok(Reference::Registry(reference)) = "registry.example/team/app:v1".parse() else { panic!("no reference") };
        let repository = Registries::new(settings).repository(&reference).unwrap();
        let hexadecimal = "4f0c7e2b9a3d5f6871625344a8b9c0d1e2f3a4b5c6d7e8f90123456789abcdef";
        for issued in ["registry.example", "team/app", "token service", hexadecimal, "canary-token"] {
            secrets.add_from_server(issued);
        }
        let image = format!("registry.example/team/app@sha256:{hexadecimal}");
        for (place, shown) in [
            ("registry.example", "registry.example"),
            ("registry.example/team/app:v1", "registry.example/team/app:v1"),
            (image.as_str(), image.as_str()),
            ("registry.example through http://proxy.example", "registry.example through http://proxy.example"),
            ("registry.example.canary-token.invalid", "***.***.invalid"),
            ("registry.examplecanary-token", "***"),
            ("canary-token.invalid:5000", "***.invalid:5000"),
            ("token service canary-token.invalid", "token service ***.invalid"),
            ("a token of canary-token.invalid", "a token of ***.invalid"),
        ] {
            assert_eq!(repository.place_without_secrets(place, &secrets), shown);
        }
    }
}
