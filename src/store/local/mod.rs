//! `Local`: an OCI image layout on this machine as source and sink, in a directory or in an archive.

pub(crate) mod background_sync;
pub(crate) mod catalog;
pub mod layout_files;
pub(crate) mod relations;
mod sink;
pub(crate) mod source;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::store::StoreError;
use crate::store::error::BrokenReason;
use crate::store::error::LayoutFault;
use crate::store::error::MissingContent;
use crate::store::error::ReadOnlyFault;
use crate::store::local::catalog::Catalog;
use crate::store::local::catalog::StoredDescriptor;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::LayoutFiles;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::OpenFile;
use crate::store::local::layout_files::blob_name;
use crate::store::local::relations::Relations;
use crate::text::Untrusted;

/// An OCI image layout: blobs in a [`LayoutFiles`], and an `index.json` that lists its manifests.
///
/// Pushed content can be read through the same value at once, and through any other only after
/// [`finish`](crate::store::Sink::finish): until then `index.json` and the existing blobs are unchanged, and without
/// `finish` all pushed content is removed. It reads the layouts that oras, notation, skopeo, regclient, zot, olareg,
/// Docker and `cosign save` write.
///
/// Its futures are blocking: they read and write files and are ready at the first poll, in any executor and without
/// one. If one thread serves many tasks, run them where blocking is allowed.
pub struct Local<P> {
    /// Whether it holds evidence: images without their layers. It says so in its `index.json`.
    evidence: bool,
    limits: Limits,
    place: P,
    state: Mutex<LayoutState>,
}

#[derive(Default)]
struct LayoutState {
    catalog: Catalog,
    /// The children of the indexes pushed since the last `finish`.
    children: Vec<Digest>,
    graph: Option<Arc<Relations>>,
    loose: Option<Arc<Relations>>,
    /// The state at the last [`mark`](crate::store::Sink::mark), or when writing began after it.
    marked: Option<PendingMark>,
    marking: bool,
    /// The only image of the layout, if it was looked up since the last change.
    sole: Option<Option<Digest>>,
    unlisted: Unlisted,
    writing: bool,
}

impl LayoutState {
    fn mark(&mut self) {
        self.catalog.mark();
        self.marked = Some(PendingMark { children: self.children.len(), unlisted: self.unlisted.order.len() });
        self.marking = false;
    }

    /// Undoes the changes since the savepoint. Returns whether there was one.
    fn rollback(&mut self) -> bool {
        let Some(PendingMark { children, unlisted }) = self.marked.take() else { return false };
        let _changed = self.catalog.rollback();
        // Blobs are removed even if the catalog did not change.
        self.invalidate();
        self.children.truncate(children);
        self.unlisted.truncate(unlisted);
        true
    }

    /// Drops everything that was derived from the content of the layout.
    fn invalidate(&mut self) {
        (self.graph, self.loose, self.sole) = (None, None, None);
    }
}

/// A savepoint: the numbers of unwritten children and referrers.
struct PendingMark {
    children: usize,
    unlisted: usize,
}

/// Referrers that have not been merged into the lists of their subjects yet.
#[derive(Default)]
struct Unlisted {
    by_subject: BTreeMap<Digest, Vec<StoredDescriptor>>,
    /// The subject of each referrer, in the order of arrival.
    order: Vec<Digest>,
}

impl Unlisted {
    fn add(&mut self, subject: Digest, referrer: StoredDescriptor) {
        // Most subjects have one.
        self.by_subject.entry(subject).or_insert_with(|| Vec::with_capacity(1)).push(referrer);
        self.order.push(subject);
    }

    /// What is to be merged into the list of `subject`.
    fn of(&self, subject: &Digest) -> Vec<Descriptor> {
        self.by_subject.get(subject).into_iter().flatten().filter_map(StoredDescriptor::read).collect()
    }

    /// Removes all but the first `count`.
    fn truncate(&mut self, count: usize) {
        for subject in self.order.drain(count.min(self.order.len())..).rev() {
            if let Entry::Occupied(mut referrers) = self.by_subject.entry(subject) {
                referrers.get_mut().pop();
                if referrers.get().is_empty() {
                    referrers.remove();
                }
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayoutMark {
    image_layout_version: String,
}

impl<P: LayoutFiles> Local<P> {
    /// Opens the layout in `place`, which must be one unless it is going to be created.
    pub(crate) fn of(place: P, limits: Limits) -> Result<Self, StoreError> {
        let mut local = Self { evidence: false, limits, place, state: Mutex::default() };
        if !local.place.is_new() {
            local.read_catalog(&mut local.state())?;
            let evidence = local.state().catalog.is_evidence();
            local.evidence = evidence;
        }
        Ok(local)
    }

    /// The same layout as a destination for whole images.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if it holds evidence.
    pub(crate) fn for_images(self) -> Result<Self, StoreError> {
        match self.evidence {
            true => Err(self.not_for(ReadOnlyFault::EvidenceOnly)),
            false => Ok(self),
        }
    }

    /// The same layout as a destination for evidence. A new one is marked as such.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if it exists and is not marked.
    pub(crate) fn for_evidence(mut self) -> Result<Self, StoreError> {
        if self.place.is_new() {
            self.evidence = true;
            let catalog = self.new_catalog()?;
            self.state().catalog = catalog;
        }
        match self.evidence {
            true => Ok(self),
            false => Err(self.not_for(ReadOnlyFault::NoEvidence)),
        }
    }

    /// The index of a layout without images.
    fn new_catalog(&self) -> Result<Catalog, StoreError> {
        match self.evidence {
            true => Catalog::of_evidence().map_err(|error| self.unwritable(error)),
            false => Ok(Catalog::default()),
        }
    }

    fn not_for(&self, reason: ReadOnlyFault) -> StoreError {
        StoreError::ReadOnly { place: self.place.name(), reason }
    }

    fn state(&self) -> MutexGuard<'_, LayoutState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, fault: LayoutFault) -> StoreError {
        StoreError::Broken { place: self.place.name(), reason: BrokenReason::Layout(fault) }
    }

    /// The error for a list that has no JSON form.
    fn unwritable(&self, error: JsonError) -> StoreError {
        StoreError::Broken { place: self.place.name(), reason: BrokenReason::Unwritable(error) }
    }

    fn missing(&self, digest: Digest) -> StoreError {
        StoreError::NotFound { content: MissingContent::Digest { digest, place: self.place.name() } }
    }

    fn wrong(&self, error: ContentError) -> StoreError {
        StoreError::Content { place: self.place.name(), error }
    }

    /// Reads the index of the layout into `state`, unless it is the one that was read before.
    fn read_catalog(&self, state: &mut LayoutState) -> Result<(), StoreError> {
        let place = self.place.name();
        let mark = self.read(MARK, 4 << 10)?.ok_or_else(|| self.broken(LayoutFault::NoMark))?;
        let mark: LayoutMark =
            json::parse(&mark, &self.limits).map_err(|error| self.broken(LayoutFault::Json { file: MARK, error }))?;
        if mark.image_layout_version != "1.0.0" {
            return Err(self.broken(LayoutFault::Version(Untrusted::within(&mark.image_layout_version, 40))));
        }
        let index =
            self.read(INDEX, self.limits.oci.manifest_bytes)?.ok_or_else(|| self.broken(LayoutFault::NoIndex))?;
        if !state.catalog.is_of(&index) {
            // The entries of a layout are all its images together, so only the size of the file bounds their number.
            state.catalog = Catalog::parse(&Content::from_bytes(media_type::OCI_INDEX, index), &self.limits, u64::MAX)
                .map_err(|error| StoreError::Manifest { place, error })?;
        }
        Ok(())
    }

    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.place.open(name)?;
        found.map(|found| found.read(&format!("{name} in {}", self.place.name()), limit)).transpose()
    }

    fn find(&self, descriptor: &Descriptor) -> Result<OpenFile, StoreError> {
        let Descriptor { digest, size, .. } = descriptor;
        let Some(found) = self.place.open(&blob_name(digest))? else {
            return Err(self.missing(*digest));
        };
        match found.size == *size {
            true => Ok(found),
            false => Err(self.wrong(ContentError::Size { digest: *digest, want: *size, got: found.size })),
        }
    }

    pub(crate) fn place(&self) -> &P {
        &self.place
    }

    /// The file of the blob `digest`, unchecked, if there is one.
    pub(crate) fn file(&self, digest: &Digest) -> Result<Option<OpenFile>, StoreError> {
        self.place.open(&blob_name(digest))
    }

    /// The entries of `index.json`.
    pub(crate) fn entries(&self) -> Vec<Descriptor> {
        self.state().catalog.descriptors().collect()
    }

    /// The entries of `index.json` that `name` selects.
    pub(crate) fn named(&self, name: &str) -> Vec<Descriptor> {
        self.state().catalog.with_name(name)
    }

    pub(crate) fn fetch(&self, descriptor: &Descriptor, limit: u64) -> Result<Content, StoreError> {
        let what = || format!("{} in {}", descriptor.digest, self.place.name());
        if descriptor.size > limit {
            return Err(StoreError::TooLarge { what: what(), limit });
        }
        let bytes = self.find(descriptor)?.read(&what(), limit)?;
        Content::check(descriptor, bytes).map_err(|error| self.wrong(error))
    }

    /// Fetches a listed manifest. If it is missing, the layout is broken; that is not an absence of the requested
    /// image.
    fn fetch_listed(&self, entry: &Descriptor) -> Result<Content, StoreError> {
        self.fetch(&entry.bare(), self.limits.oci.manifest_bytes).map_err(|error| match error {
            StoreError::NotFound { .. } => self.broken(LayoutFault::MissingManifest(entry.digest)),
            other => other,
        })
    }

    fn graph(&self, state: &mut LayoutState) -> Arc<Relations> {
        let read = || Arc::new(Relations::of_entries(&self.place, &state.catalog, &self.limits));
        Arc::clone(state.graph.get_or_insert_with(read))
    }

    fn loose(&self, state: &mut LayoutState) -> Result<Arc<Relations>, StoreError> {
        if let Some(loose) = &state.loose {
            return Ok(Arc::clone(loose));
        }
        let known = self.graph(state);
        let loose = Arc::new(Relations::of_blobs(&self.place, &known, &self.limits)?);
        state.loose = Some(Arc::clone(&loose));
        Ok(loose)
    }
}
