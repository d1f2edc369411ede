//! A store that counts what it is asked and says what a script makes of the answers.

use std::sync::Mutex;

use bulla::digest::Digest;
use bulla::oci::Content;
use bulla::oci::Descriptor;
use bulla::oci::TagOrDigest;
use bulla::store::Blob;
use bulla::store::ErrorResponse;
use bulla::store::ErrorText;
use bulla::store::Listing;
use bulla::store::Origin;
use bulla::store::Pushed;
use bulla::store::Sink;
use bulla::store::Source;
use bulla::store::StoreError;
use bulla::store::Task;

/// One request to a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreRequest {
    Blob(Digest),
    Has(Digest),
    ListReferrers(Digest),
    Manifest(Digest),
    Mount(Digest),
    Names,
    Open(Digest),
    PushBlob(Digest),
    PushManifest(Digest, Option<String>),
    Referrers(Digest, Option<String>),
    Resolve(TagOrDigest),
}

/// How the answers are changed.
pub trait Script: Send + Sync {
    fn content(&self, _call: &StoreRequest, answer: Result<Content, StoreError>) -> Result<Content, StoreError> {
        answer
    }

    fn listing(
        &self,
        _call: &StoreRequest,
        answer: Result<Option<Listing>, StoreError>,
    ) -> Result<Option<Listing>, StoreError> {
        answer
    }
}

/// Answers as they are.
pub struct Honest;

impl Script for Honest {}

/// A store in the hands of a script.
pub struct Scripted<S> {
    pub inner: S,
    pub lists: Option<bool>,
    pub origin: Origin,
    calls: Mutex<Vec<StoreRequest>>,
    script: Box<dyn Script>,
}

impl<S> Scripted<S> {
    pub fn new(inner: S, script: impl Script + 'static) -> Self {
        let origin = Origin::Registry { host: "registry.example".to_owned(), repository: "app".to_owned() };
        Self { inner, lists: None, origin, calls: Mutex::default(), script: Box::new(script) }
    }

    pub fn honest(inner: S) -> Self {
        Self::new(inner, Honest)
    }

    /// The requests, in order.
    pub fn calls(&self) -> Vec<StoreRequest> {
        self.calls.lock().expect("the list").clone()
    }

    pub fn forget(&self) {
        self.calls.lock().expect("the list").clear();
    }

    fn note(&self, call: &StoreRequest) {
        self.calls.lock().expect("the list").push(call.clone());
    }
}

impl<S: Source> Source for Scripted<S> {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(async move {
            let call = StoreRequest::Resolve(tag_or_digest.clone());
            self.note(&call);
            self.script.content(&call, self.inner.resolve(tag_or_digest).await)
        })
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(async move {
            let call = StoreRequest::Manifest(descriptor.digest);
            self.note(&call);
            self.script.content(&call, self.inner.manifest(descriptor).await)
        })
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(async move {
            let call = StoreRequest::Blob(descriptor.digest);
            self.note(&call);
            self.script.content(&call, self.inner.blob(descriptor, limit).await)
        })
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        self.note(&StoreRequest::Open(descriptor.digest));
        self.inner.open(descriptor)
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        Box::pin(async move {
            let call = StoreRequest::Referrers(*subject, artifact_type.map(str::to_owned));
            self.note(&call);
            self.script.listing(&call, self.inner.referrers(subject, artifact_type).await)
        })
    }

    fn has_referrers_api(&self) -> Option<bool> {
        self.lists
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        self.note(&StoreRequest::Names);
        self.inner.names()
    }

    fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

/// As sink it is a registry that checks blobs before it takes a manifest.
impl<S: Sink> Sink for Scripted<S> {
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        self.note(&StoreRequest::Has(descriptor.digest));
        self.inner.has_blob(descriptor)
    }

    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        self.note(&StoreRequest::Has(descriptor.digest));
        self.inner.has_manifest(descriptor)
    }

    fn mount<'a>(&'a self, descriptor: &'a Descriptor, from: &'a str) -> Task<'a, Result<bool, StoreError>> {
        self.note(&StoreRequest::Mount(descriptor.digest));
        self.inner.mount(descriptor, from)
    }

    fn push_blob(&self, blob: Blob) -> Task<'_, Result<(), StoreError>> {
        self.note(&StoreRequest::PushBlob(blob.descriptor().digest));
        self.inner.push_blob(blob)
    }

    fn checks_blobs(&self) -> bool {
        true
    }

    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>> {
        self.note(&StoreRequest::PushManifest(*content.digest(), tag.map(str::to_owned)));
        Box::pin(async move {
            self.inner.push_manifest(content, tag).await.map_err(|error| match error {
                StoreError::Protocol { place, .. } => {
                    let response =
                        ErrorResponse { body: ErrorText::None, host: None, phrase: "Bad Request", status: 400 };
                    StoreError::MissingBlob { place, response }
                }
                other => other,
            })
        })
    }

    fn merge_referrers<'a>(
        &'a self,
        subject: &'a Digest,
        entries: &'a [Descriptor],
    ) -> Task<'a, Result<(), StoreError>> {
        self.note(&StoreRequest::ListReferrers(*subject));
        self.inner.merge_referrers(subject, entries)
    }

    fn finish(&self) -> Task<'_, Result<(), StoreError>> {
        self.inner.finish()
    }
}
