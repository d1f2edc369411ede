//! Writing a layout: blobs are staged, names and lists are made visible in one step by `finish`.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;
use std::sync::MutexGuard;

use crate::digest::Digest;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::ImageName;
use crate::oci::media_type;
use crate::oci::referrer::fallback_tag;
use crate::store::Blob;
use crate::store::Pushed;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::ReadOnlyFault;
use crate::store::local::LayoutState;
use crate::store::local::Local;
use crate::store::local::Unlisted;
use crate::store::local::catalog::Catalog;
use crate::store::local::catalog::StoredDescriptor;
use crate::store::local::catalog::repeatable;
use crate::store::local::layout_files::LayoutFiles;
use crate::text::Untrusted;

impl<P: LayoutFiles> Sink for Local<P> {
    fn has_blob<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        Box::pin(self.has(descriptor))
    }

    fn has_manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<bool, StoreError>> {
        Box::pin(self.has(descriptor))
    }

    fn mount<'a>(&'a self, _: &'a Descriptor, _: &'a str) -> Task<'a, Result<bool, StoreError>> {
        Box::pin(ready(Ok(false)))
    }

    fn push_blob(&self, mut blob: Blob) -> Task<'_, Result<(), StoreError>> {
        Box::pin(async move {
            drop(self.begin()?);
            if self.has(blob.descriptor()).await? {
                return Ok(());
            }
            let mut stage = self.place.stage(blob.descriptor())?;
            while let Some(piece) = blob.next().await? {
                stage.write(&piece)?;
            }
            stage.keep()
        })
    }

    fn push_manifest<'a>(&'a self, content: &'a Content, tag: Option<&'a str>) -> Task<'a, Result<Pushed, StoreError>> {
        Box::pin(async move {
            let document = Document::parse(content, &self.limits)
                .map_err(|error| StoreError::Manifest { place: self.place.name(), error })?;
            let name = tag.map(|tag| self.name(tag)).transpose()?;
            self.push_blob(Blob::of(content)).await?;
            let mut state = self.begin()?;
            let mut entry = content.descriptor().bare();
            if let Some(subject) = document.subject() {
                entry.artifact_type = document.artifact_type().map(str::to_owned);
                entry.annotations = repeatable(document.annotations());
                let listed = Descriptor { annotations: document.annotations().clone(), ..entry.clone() };
                state.unlisted.add(subject.digest, self.stored(&listed)?);
            }
            if let Document::Index(index) = &document {
                state.children.extend(index.manifests.iter().map(|child| child.digest));
            }
            let gone = state.catalog.put(entry, name.as_ref()).map_err(|error| self.unwritable(error))?;
            state.sole = None;
            // The relations of all other manifests are unchanged, so they are not read again.
            match state.graph.as_mut().map(Arc::get_mut) {
                Some(Some(graph)) if !gone.iter().any(|entry| graph.may_hold(entry)) => {
                    graph.learn(content, &self.limits);
                }
                _ => state.graph = None,
            }
            Ok(Pushed { listed: document.subject().is_some() })
        })
    }

    fn check_tag(&self, tag: &str) -> Result<(), StoreError> {
        self.name(tag).map(drop)
    }

    fn moves_names(&self) -> bool {
        false
    }

    fn targets_of<'a>(&'a self, name: &'a str) -> Task<'a, Result<BTreeSet<Digest>, StoreError>> {
        Box::pin(ready(self.name(name).map(|name| self.state().catalog.targets_of(&name))))
    }

    fn merge_referrers<'a>(
        &'a self,
        subject: &'a Digest,
        entries: &'a [Descriptor],
    ) -> Task<'a, Result<(), StoreError>> {
        let add = |mut state: MutexGuard<'_, LayoutState>| {
            let entries = entries.iter().map(|entry| self.stored(entry)).collect::<Result<Vec<_>, _>>()?;
            entries.into_iter().for_each(|entry| state.unlisted.add(*subject, entry));
            Ok(())
        };
        Box::pin(ready(self.begin().and_then(add)))
    }

    fn mark(&self) {
        let mut state = self.state();
        match state.writing {
            true => self.mark_both(&mut state),
            // The savepoint is set when writing begins, since another process may write until then.
            false => state.marking = true,
        }
    }

    fn rollback(&self) {
        let mut state = self.state();
        if state.writing && state.rollback() {
            self.place.rollback();
        }
    }

    fn finish(&self) -> Task<'_, Result<(), StoreError>> {
        Box::pin(async {
            if !self.state().writing && !self.place.is_new() {
                return Ok(());
            }
            let subjects: Vec<_> = self.begin()?.unlisted.by_subject.keys().copied().collect();
            for subject in subjects {
                let entries = self.state().unlisted.of(&subject);
                self.merge(&subject, &entries).await?;
            }
            let mut state = self.begin()?;
            let children = std::mem::take(&mut state.children);
            state.catalog.drop_children(&children);
            let index = state.catalog.render().map_err(|error| self.unwritable(error))?;
            let limit = self.limits.oci.manifest_bytes;
            if u64::try_from(index.len()).is_ok_and(|length| length > limit) {
                return Err(StoreError::TooLarge { what: format!("index.json of {}", self.place.name()), limit });
            }
            self.place.commit(&index)?;
            state.unlisted = Unlisted::default();
            state.marked = None;
            state.invalidate();
            state.writing = false;
            Ok(())
        })
    }
}

impl<P: LayoutFiles> Local<P> {
    /// Takes the lock, and reads again what another process changed since the layout was opened.
    fn begin(&self) -> Result<MutexGuard<'_, LayoutState>, StoreError> {
        let mut state = self.state();
        if !state.writing {
            self.place.begin()?;
            if self.place.is_new() {
                // It may have been removed since it was opened: none of its images would be in the new one.
                state.catalog = self.new_catalog()?;
            } else {
                self.read_catalog(&mut state)?;
                // Another process may have written a layout of the other kind since it was opened.
                if state.catalog.is_evidence() != self.evidence {
                    let is = if self.evidence { ReadOnlyFault::NoEvidence } else { ReadOnlyFault::EvidenceOnly };
                    return Err(self.not_for(is));
                }
            }
            state.invalidate();
            state.writing = true;
            if state.marking {
                self.mark_both(&mut state);
            }
        }
        Ok(state)
    }

    fn mark_both(&self, state: &mut LayoutState) {
        state.mark();
        self.place.mark();
    }

    fn stored(&self, descriptor: &Descriptor) -> Result<StoredDescriptor, StoreError> {
        StoredDescriptor::of(descriptor).map_err(|error| self.unwritable(error))
    }

    fn name(&self, text: &str) -> Result<ImageName, StoreError> {
        let reason = || ReadOnlyFault::Name(Untrusted::within(text, 80));
        ImageName::new(text).ok_or_else(|| StoreError::ReadOnly { place: self.place.name(), reason: reason() })
    }

    /// Whether the blob exists and is intact: a corrupted one must be pushed again.
    async fn has(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        let mut blob = match self.open(descriptor).await {
            Ok(blob) => blob,
            Err(StoreError::NotFound { .. } | StoreError::Content { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        loop {
            match blob.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(true),
                Err(StoreError::Content { .. }) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Stores the list of referrers of `subject`: its existing entries, and the missing ones of `entries`.
    async fn merge(&self, subject: &Digest, entries: &[Descriptor]) -> Result<(), StoreError> {
        let name = self.name(&fallback_tag(subject))?;
        let before: Vec<_> = {
            let lists = self.state().catalog.with_name(name.as_str()).into_iter();
            lists.filter(|list| media_type::is_index(&list.media_type) && list.digest != *subject).collect()
        };
        let place = || self.place.name();
        let read = |list: &Descriptor| {
            let content = self.fetch_listed(list)?;
            let parsed = Catalog::parse(&content, &self.limits, self.limits.graph.referrers);
            parsed.map_err(|error| StoreError::Manifest { place: place(), error })
        };
        let mut list = before.first().map(read).transpose()?.unwrap_or_default();
        let present = list.len();
        for other in before.iter().skip(1) {
            let others = read(other)?;
            let mut others = others.descriptors();
            others.try_for_each(|entry| list.add_referrer(&entry)).map_err(|error| self.unwritable(error))?;
        }
        entries.iter().try_for_each(|entry| list.add_referrer(entry)).map_err(|error| self.unwritable(error))?;
        if present > 0 && list.len() == present {
            return Ok(());
        }
        let limit = self.limits.graph.referrers;
        if count(list.len()) > limit {
            return Err(StoreError::TooMany { place: place(), what: "referrers", limit });
        }
        let bytes = list.render().map_err(|error| self.unwritable(error))?;
        let content = Content::from_bytes(media_type::OCI_INDEX, bytes);
        self.push_blob(Blob::of(&content)).await?;
        let mut state = self.state();
        let catalog = &mut state.catalog;
        let gone = catalog.put(content.descriptor().clone(), Some(&name)).map_err(|error| self.unwritable(error))?;
        // What lost the name and was no list stays: the image itself, for example, which `cosign copy` names so.
        let kept = gone.into_iter().filter(|entry| before.iter().all(|list| list.digest != entry.digest));
        for entry in kept {
            let _gone = catalog.put(entry, None).map_err(|error| self.unwritable(error))?;
        }
        Ok(())
    }
}
