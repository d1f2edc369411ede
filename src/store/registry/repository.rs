//! `Repository`: one repository of a registry, as a source and as a sink.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use reqwest::Url;

use super::Registries;
use super::auth::Access;
use super::client::Host;
use super::download;
use super::fallback;
use super::manifests;
use super::referrers;
use super::upload;
use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::RegistryReference;
use crate::oci::TagOrDigest;
use crate::store::Blob;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Pushed;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;

/// One repository of a registry. Clones share what was learnt about it.
#[derive(Clone)]
pub struct Repository {
    pub(super) host: Arc<Host>,
    limits: Option<Arc<Limits>>,
    /// Whether the registry listed referrers of something in it.
    listed: Arc<AtomicBool>,
    /// What the registry called manifests that are something else, for some of them.
    digest_header_mismatches: Arc<Mutex<BTreeMap<Digest, String>>>,
    name: Arc<str>,
    registries: Registries,
    /// Uploads that the registry began for us although we asked it for something else.
    sessions: Arc<Mutex<BTreeMap<Digest, Url>>>,
    /// `host/repository`, as typed.
    shown: Arc<str>,
    writes: bool,
}

impl Repository {
    pub(super) fn new(registries: Registries, host: Arc<Host>, reference: &RegistryReference) -> Self {
        Self {
            host,
            limits: None,
            listed: Arc::default(),
            digest_header_mismatches: Arc::default(),
            name: Arc::from(reference.repository()),
            registries,
            sessions: Arc::default(),
            shown: Arc::from(reference.name()),
            writes: false,
        }
    }

    /// The same repository, to be written to: one token is asked for, for reading and writing, instead of two.
    #[must_use]
    pub fn for_writing(self) -> Self {
        Self { writes: true, ..self }
    }

    /// The same repository, of whose manifests and pages none is read that has more than `bytes`.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        let limits = self.limits();
        let limits = limits.clone().with(|limits| limits.oci.manifest_bytes = limits.oci.manifest_bytes.min(bytes));
        Self { limits: Some(Arc::new(limits)), ..self }
    }

    /// Whether the registry keeps a list of referrers itself, as far as it has shown.
    pub fn api_known(&self) -> Option<bool> {
        *self.host.knows.referrers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the registry is known to refuse manifests whose parts it does not have.
    pub fn validates(&self) -> bool {
        self.host.knows.validates.load(Ordering::Relaxed)
    }

    pub(super) fn has_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    pub(super) fn set_listed(&self) {
        self.listed.store(true, Ordering::Relaxed);
    }

    /// The name of the repository, without the host.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn limits(&self) -> &Limits {
        self.limits.as_deref().unwrap_or(&self.host.transport.settings.limits)
    }

    pub(super) fn lists(&self) -> &fallback::Locks {
        &self.registries.0.lists
    }

    pub(super) fn reading(&self) -> Access {
        if self.writes { Access::Push } else { Access::Pull }
    }

    /// The address of `path` below the repository.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.host.base.clone();
        url.set_path(&format!("/v2/{}/{path}", self.name));
        url
    }

    /// How to name to people what stands at `tag_or_digest`.
    pub(super) fn place(&self, tag_or_digest: &TagOrDigest) -> String {
        match tag_or_digest {
            TagOrDigest::Digest(digest) => self.place_of(digest),
            TagOrDigest::Tag(tag) => format!("{}:{tag}", self.shown),
        }
    }

    pub(super) fn place_of(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.shown)
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// `error` without the secrets that are in use: the registry may have sent any of them back. Every error that leaves
    /// the registry client passes here.
    pub(super) fn without_secrets(&self, error: StoreError) -> StoreError {
        let secrets = &self.host.transport.settings.secrets;
        let host = self.shown.split_once('/').map_or(&*self.shown, |(host, _)| host);
        // What was typed is no secret.
        let place = |place: &str| {
            let typed = [&*self.shown, host].into_iter().find(|typed| place.starts_with(typed)).unwrap_or_default();
            let rest = place.strip_prefix(typed).unwrap_or_default();
            format!("{typed}{}", secrets.hide(rest))
        };
        error.with_texts(place, |text| secrets.hide(text).into_owned())
    }

    /// The task whose errors show no secrets.
    fn told<'a, T: Send + 'a>(
        &'a self,
        task: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Task<'a, Result<T, StoreError>> {
        Box::pin(async move { task.await.map_err(|error| self.without_secrets(error)) })
    }

    pub(super) fn keep_session(&self, digest: Digest, location: Url) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, location);
    }

    pub(super) fn note_digest_header(&self, digest: Digest, said: String) {
        let mut digest_header_mismatches = self.digest_header_mismatches.lock().unwrap_or_else(PoisonError::into_inner);
        if digest_header_mismatches.len() < DIGEST_HEADER_MISMATCHES {
            digest_header_mismatches.insert(digest, said);
        }
    }

    pub(super) fn take_session(&self, digest: &Digest) -> Option<Url> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(digest)
    }
}

impl Source for Repository {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        self.told(manifests::resolve(self, tag_or_digest))
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        self.told(manifests::fetch(self, descriptor))
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        self.told(download::whole(self, descriptor, limit))
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        self.told(download::open(self, descriptor))
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        self.told(async move {
            let mut listing = referrers::list(self, subject, artifact_type).await?;
            let unread = listing.as_mut().and_then(|listing| listing.unread.take());
            if let Some(listing) = &mut listing {
                listing.unread = unread.map(|error| self.without_secrets(error));
            }
            Ok(listing)
        })
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        self.told(referrers::names(self))
    }

    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        vec![self.place(tag_or_digest)]
    }

    fn origin(&self) -> Origin {
        let host = self.shown.split_once('/').map_or(&*self.shown, |(host, _)| host);
        Origin::Registry { host: host.to_owned(), repository: self.name.to_string() }
    }

    fn digest_header_mismatch(&self, digest: &Digest) -> Option<String> {
        self.digest_header_mismatches.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }
}

impl Sink for Repository {
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        self.told(upload::is_there(self, descriptor))
    }

    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        self.told(manifests::is_there(self, descriptor))
    }

    fn mount<'a>(&'a self, descriptor: &'a Descriptor, from: &'a str) -> Task<'a, Result<bool, StoreError>> {
        self.told(upload::mount(self, descriptor, from))
    }

    fn push_blob(&self, blob: Blob) -> Task<'_, Result<(), StoreError>> {
        self.told(upload::push(self, blob))
    }

    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>> {
        self.told(manifests::push(self, content, tag))
    }

    fn stores_at_once(&self) -> bool {
        self.host.knows.single_post.load(Ordering::Relaxed)
    }

    fn check_tag(&self, tag: &str) -> Result<(), StoreError> {
        manifests::check_tag(self, tag)
    }

    fn checks_blobs(&self) -> bool {
        self.validates()
    }

    fn list_referrers<'a>(
        &'a self,
        subject: &'a Digest,
        entries: &'a [Descriptor],
    ) -> Task<'a, Result<(), StoreError>> {
        self.told(fallback::add(self, subject, entries))
    }

    fn finish(&self) -> Task<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// How many digest_header_mismatches are kept: they are for people to read.
const DIGEST_HEADER_MISMATCHES: usize = 1_000;

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Repository").field(&self.shown).finish()
    }
}
