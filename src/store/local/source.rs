//! Reading a layout: names, manifests, blobs, and all the ways in which tools record referrers.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::future::ready;

use crate::digest::Digest;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::TagOrDigest;
use crate::oci::media_type;
use crate::oci::name;
use crate::oci::referrer;
use crate::oci::referrer::cosign_tag;
use crate::oci::referrer::fallback_tag;
use crate::oci::referrer::is_auxiliary_name;
use crate::ordered;
use crate::store::Blob;
use crate::store::ListedImage;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::error::LayoutFault;
use crate::store::error::MissingContent;
use crate::store::local::LayoutState;
use crate::store::local::Local;
use crate::store::local::catalog::Catalog;
use crate::store::local::catalog::KIND;
use crate::store::local::catalog::LISTS_REFERRERS;
use crate::store::local::catalog::kept_names;
use crate::store::local::catalog::names_in;
use crate::store::local::layout_files::LayoutFiles;
use crate::store::local::layout_files::blob_name;
use crate::store::local::relations::PartialManifest;
use crate::store::local::relations::Relations;
use crate::text::Untrusted;

impl<P: LayoutFiles> Source for Local<P> {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(ready(match tag_or_digest {
            TagOrDigest::Digest(digest) => self.by_digest(digest),
            TagOrDigest::Tag(tag) => self.by_tag(tag),
        }))
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(ready(self.fetch(descriptor, self.limits.oci.manifest_bytes)))
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        Box::pin(ready(self.fetch(descriptor, limit)))
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        let place = self.place.name();
        let what = format!("{} in {place}", descriptor.digest);
        let found = self.find(descriptor);
        Box::pin(ready(found.map(|found| Blob::new(descriptor.clone(), place, found.chunks(what)))))
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        Box::pin(ready(self.list(subject, artifact_type).map(Some)))
    }

    fn is_evidence(&self) -> bool {
        self.evidence
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        Box::pin(ready(Ok(self.state().catalog.names())))
    }

    fn images(&self) -> Task<'_, Result<Vec<ListedImage>, StoreError>> {
        let mut state = self.state();
        let graph = self.graph(&mut state);
        let mut listed = BTreeSet::new();
        let mut images = Vec::new();
        for root in roots(&state.catalog, &graph) {
            let kept = kept_names(&root);
            let kept = kept.iter().filter(|name| !is_auxiliary_name(name.as_str()));
            let names: Vec<_> = kept.map(|name| Some(name.to_string())).collect();
            for name in if names.is_empty() { vec![None] } else { names } {
                if listed.insert((root.digest, name.clone())) {
                    images.push(ListedImage { descriptor: Some(root.bare()), name });
                }
            }
        }
        Box::pin(ready(Ok(images)))
    }

    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        let state = self.state();
        let entries = match tag_or_digest {
            TagOrDigest::Digest(digest) => state.catalog.with_digest(digest),
            TagOrDigest::Tag(tag) => state.catalog.with_name(tag),
        };
        let names = entries.iter().flat_map(kept_names).filter(|name| !is_auxiliary_name(name.as_str()));
        ordered::set(names.map(|name| name.to_string())).into_iter().collect()
    }

    fn chooses_platform(&self) -> bool {
        self.place.chooses_platform()
    }

    fn origin(&self) -> Origin {
        Origin::Local(self.place.name())
    }
}

impl<P: LayoutFiles> Local<P> {
    /// The only image of the layout. Referrers, lists of referrers, cosign's signatures and the platforms of a listed
    /// index do not count.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] with the names to choose from if there are several; [`StoreError::NotFound`] in an
    /// empty layout.
    pub fn sole(&self) -> Result<Descriptor, StoreError> {
        let mut state = self.state();
        let graph = self.graph(&mut state);
        let roots: Vec<_> = roots(&state.catalog, &graph).collect();
        match roots.as_slice() {
            [] => Err(StoreError::NotFound { content: MissingContent::Image { place: self.place.name() } }),
            [first, more @ ..] if more.iter().all(|root| root.digest == first.digest) => Ok(first.bare()),
            _ => {
                let names = roots.iter().map(|root| Untrusted::new(&full_name(root)).to_string()).collect();
                Err(StoreError::Ambiguous { place: self.place.name(), names })
            }
        }
    }

    /// Checks that `name`, if it is the end of several names, selects only one image.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] with the names to choose from.
    pub(crate) fn is_unambiguous(&self, name: &str) -> Result<(), StoreError> {
        match self.agreed(&self.state().catalog.with_name(name), || TagOrDigest::Tag(name.to_owned())) {
            Err(error @ StoreError::Ambiguous { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    fn by_digest(&self, digest: &Digest) -> Result<Content, StoreError> {
        if let Some(entry) = self.agreed(&self.state().catalog.with_digest(digest), || TagOrDigest::Digest(*digest))? {
            return self.fetch_listed(&entry);
        }
        let bytes = self.read(&blob_name(digest), self.limits.oci.manifest_bytes)?;
        let bytes = bytes.ok_or_else(|| self.missing(*digest))?;
        let partial = PartialManifest::parse(&bytes, &self.limits);
        let media_type = partial.as_ref().and_then(PartialManifest::guess_media_type);
        let media_type = media_type.ok_or_else(|| self.broken(LayoutFault::NotAManifest(*digest)))?;
        Content::check_digest(*digest, media_type, bytes).map_err(|error| self.wrong(error))
    }

    fn by_tag(&self, tag: &str) -> Result<Content, StoreError> {
        let entry = {
            let mut state = self.state();
            match self.agreed(&state.catalog.with_name(tag), || TagOrDigest::Tag(tag.to_owned()))? {
                None => self.by_kind(&mut state, tag)?,
                found => found,
            }
        };
        let content = || MissingContent::Name { name: tag.to_owned(), origin: self.origin() };
        let not_found = || StoreError::NotFound { content: content() };
        self.fetch_listed(&entry.ok_or_else(not_found)?)
    }

    /// `cosign save` gives its entries kinds instead of names: if there is one image, the signatures are its own.
    fn by_kind(&self, state: &mut LayoutState, tag: &str) -> Result<Option<Descriptor>, StoreError> {
        let Some((_, suffix)) = tag.rsplit_once('.') else { return Ok(None) };
        let kind = |entry: &Descriptor| {
            entry
                .annotations
                .get(KIND)
                .and_then(|kind| kind.strip_suffix('s')?.rsplit_once('/').map(|(_, kind)| kind == suffix))
        };
        let entries = || state.catalog.with_kind().filter(|entry| kind(entry) == Some(true));
        if !matches!(suffix, "sig" | "att" | "sbom") || entries().next().is_none() {
            return Ok(None);
        }
        let sole = self.sole_digest(state);
        if sole.is_none_or(|sole| cosign_tag(&sole, suffix) != tag) {
            return Ok(None);
        }
        let entries: Vec<_> = state.catalog.with_kind().filter(|entry| kind(entry) == Some(true)).collect();
        self.agreed(&entries, || TagOrDigest::Tag(tag.to_owned()))
    }

    /// The digest of the only image of the layout; `None` if there is not exactly one.
    fn sole_digest(&self, state: &mut LayoutState) -> Option<Digest> {
        if let Some(sole) = state.sole {
            return sole;
        }
        let graph = self.graph(state);
        let roots = ordered::set(roots(&state.catalog, &graph).map(|root| root.digest));
        let sole = roots.first().copied().filter(|_| roots.len() == 1);
        *state.sole.insert(sole)
    }

    /// The descriptor on which all `entries` agree, so that every reader of the layout takes the same content.
    fn agreed(&self, entries: &[Descriptor], what: impl Fn() -> TagOrDigest) -> Result<Option<Descriptor>, StoreError> {
        let Some(first) = entries.first().map(Descriptor::bare) else { return Ok(None) };
        let names = ordered::set(entries.iter().map(full_name));
        match entries.iter().all(|entry| entry.bare() == first) {
            true => Ok(Some(first)),
            false if names.len() > 1 && entries.iter().any(|entry| entry.digest != first.digest) => {
                let names = names.iter().map(|name| Untrusted::new(name).to_string()).collect();
                Err(StoreError::Ambiguous { place: self.place.name(), names })
            }
            false => Err(self.broken(LayoutFault::ListedDifferently { times: entries.len(), what: what() })),
        }
    }

    /// Lists the referrers of `subject`.
    ///
    /// 1. Read the lists that the layout has for `subject`, and the entries that are still to be merged into them.
    /// 2. If an artifact type is given and the lists have entries of it, return those, marked as filtered: more could
    ///    be found only by reading every manifest of the layout. Callers that need all referrers give no type.
    /// 3. Otherwise read every manifest of the layout, once for all subjects.
    fn list(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Listing, StoreError> {
        let mut state = self.state();
        let mut listed = self.listed(&state.catalog, subject)?;
        self.describe(&mut listed);
        let unlisted = state.unlisted.of(subject);
        let is_wanted = |entry: &&Descriptor| entry.artifact_type.as_deref() == artifact_type;
        let of_type = || listed.iter().chain(&unlisted).filter(is_wanted);
        if artifact_type.is_some() && of_type().next().is_some() {
            return self.listing(of_type(), true);
        }
        let graph = self.graph(&mut state);
        let loose = match artifact_type.is_none() || state.catalog.with_kind().next().is_some() {
            true => Some(self.loose(&mut state)?),
            false => None,
        };
        // Without the loose blobs the list is incomplete; a request without a type reads them too.
        let filtered = loose.is_none();
        let loose = loose.iter().flat_map(|loose| loose.referrers(subject));
        let told = graph.referrers(subject).chain(&listed).chain(&unlisted);
        self.listing(told.chain(loose).chain(graph.unreadable.values().flatten()), filtered)
    }

    /// Replaces the claims of lists about `entries` by those of their manifests. A manifest is read once, however many
    /// entries name it.
    fn describe(&self, entries: &mut [Descriptor]) {
        let mut read = BTreeMap::new();
        for entry in entries {
            // Of a manifest that cannot be read, the claims of the list remain.
            let partial = || {
                let read = PartialManifest::at(&self.place, entry, &self.limits).unwrap_or_default();
                read.map(|partial| partial.describe(entry.bare()))
            };
            let described = read.entry((entry.digest, entry.size)).or_insert_with(partial);
            if let Some(described) = described {
                *entry = Descriptor { media_type: entry.media_type.clone(), ..described.clone() };
            }
        }
    }

    /// The list of distinct `entries`: a wrong entry for a manifest does not hide the right one.
    fn listing<'a>(
        &self,
        entries: impl Iterator<Item = &'a Descriptor>,
        filtered: bool,
    ) -> Result<Listing, StoreError> {
        let mut found = BTreeSet::new();
        let entries: Vec<_> = entries.filter(|entry| found.insert(entry.identity())).cloned().collect();
        let limit = self.limits.graph.referrers;
        match count(entries.len()) > limit {
            true => Err(StoreError::TooMany { place: self.place.name(), what: "referrers", limit }),
            false => Ok(Listing { entries, filtered, unread: None }),
        }
    }

    /// The entries of the lists that a layout may have for a subject: at the fallback tag, and the list that olareg
    /// annotates.
    fn listed(&self, catalog: &Catalog, subject: &Digest) -> Result<Vec<Descriptor>, StoreError> {
        let limit = self.limits.graph.referrers;
        let mut listed = Vec::new();
        let (mut lists, mut known) = (BTreeSet::new(), BTreeSet::new());
        let named = catalog.with_name(&fallback_tag(subject));
        for list in named.into_iter().chain(catalog.marked_for(subject)) {
            // `cosign copy` gives an image the name that is meant for its list of referrers.
            if list.digest == *subject || !media_type::is_index(&list.media_type) || !lists.insert(list.digest) {
                continue;
            }
            let content = self.fetch_listed(&list)?;
            let index = Index::parse(&content, &self.limits);
            let place = self.place.name();
            let entries = index.map_err(|error| StoreError::Manifest { place, error })?.manifests;
            let fresh = entries.into_iter().filter(|entry| known.insert(entry.identity()));
            listed.extend(fresh.map(referrer::bounded_entry));
            if count(listed.len()) > limit {
                return Err(StoreError::TooMany { place: self.place.name(), what: "referrers", limit });
            }
        }
        Ok(listed)
    }
}

/// The full name of an entry, else its digest.
fn full_name(entry: &Descriptor) -> String {
    names_in(entry).next().map_or_else(|| entry.digest.to_string(), str::to_owned)
}

/// The entries that are independent images. One with the name of an image is an image, also if it refers to another
/// manifest: a loader takes every entry that has a name (threats: named-referrer).
fn roots(catalog: &Catalog, graph: &Relations) -> impl Iterator<Item = Descriptor> {
    let marked = catalog.descriptors().any(|entry| is_marked(&entry));
    let named = catalog.descriptors().filter(|entry| marked && !is_marked(entry));
    let named = ordered::set(named.flat_map(|entry| image_names(&entry).map(str::to_owned).collect::<Vec<_>>()));
    let candidate = move |entry: &Descriptor| !is_auxiliary(entry, &named);
    let image = |entry: &Descriptor| {
        let related = graph.children.contains(&entry.digest) || graph.referring.contains(&entry.digest);
        !related || image_names(entry).next().is_some()
    };
    let has_images = catalog.descriptors().any(|entry| candidate(&entry) && image(&entry));
    catalog.descriptors().filter(move |entry| candidate(entry) && (!has_images || image(entry)))
}

/// Whether the names or the marks of an entry say that it belongs to another one. `named` are the names of the entries
/// without a mark: hauler gives a signature the name of its image.
fn is_auxiliary(entry: &Descriptor, named: &BTreeSet<String>) -> bool {
    if is_marked(entry) {
        return image_names(entry).all(|name| named.contains(name));
    }
    if names_in(entry).next().is_none() || image_names(entry).next().is_some() {
        return false;
    }
    // `cosign copy` gives an image the name that is meant for its list of referrers.
    let own = fallback_tag(&entry.digest);
    names_in(entry).all(|name| name::tag_of(name).unwrap_or(name) != own)
}

/// Whether an annotation of an entry says that it belongs to another one.
fn is_marked(entry: &Descriptor) -> bool {
    let kind = entry.annotations.get(KIND).and_then(|kind| kind.split('/').nth(1)).unwrap_or_default();
    matches!(kind, "sigs" | "atts" | "sboms" | "referrers")
        || LISTS_REFERRERS.iter().any(|key| entry.annotations.contains_key(*key))
}

/// The names of an entry that are not tags of signatures or lists of referrers.
fn image_names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    names_in(entry).filter(|name| !is_auxiliary_name(name))
}
