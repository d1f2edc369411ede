//! `Catalog`: the entries of an `index.json` or of a list of referrers; unchanged ones are written as they were read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::ImageName;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::media_type;
use crate::oci::name;
use crate::oci::null::null_is_default;

/// The annotation that names an entry of a layout. OCI image specification, "Pre-Defined Annotation Keys".
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which containerd and Docker name an entry in full.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The annotations that name an entry, the full name first.
const NAMES: [&str; 2] = [CONTAINERD_NAME, REF_NAME];
/// The annotation by which cosign and hauler mark the kind of an entry.
pub(crate) const KIND: &str = "kind";
/// The annotations that mark an entry as the list of referrers of a subject.
pub(crate) const LISTS_REFERRERS: [&str; 2] =
    ["org.opencontainers.image.referrer.subject", "org.olareg.referrer.subject"];

/// The entries of an index that can be searched, changed and written again.
///
/// A look-up or change takes time proportional to the entries that it finds or changes, not to the length of the index:
/// a command may do one for each entry.
///
/// 1. `entries` are the entries of the index. An entry keeps its position; a removed one leaves its position empty.
/// 2. The maps are indexes: an entry is in them under every key that it ever had. Each hit is compared with the entry
///    itself, so an old key finds nothing.
/// 3. From [`Catalog::mark`] on every change is recorded, and [`Catalog::rollback`] undoes them, the last one first.
#[derive(Default)]
pub(crate) struct Catalog {
    annotations: Option<Box<RawValue>>,
    /// Positions by name, normalized as Docker and containerd do (`docker.io/library/`, `:latest`).
    by_normalized_name: HashMap<String, Vec<usize>>,
    by_digest: HashMap<Digest, Vec<usize>>,
    /// Positions by the tag at the end of a name, and by the last path component with the tag.
    by_end_of_name: HashMap<String, Vec<usize>>,
    /// Positions of the lists of referrers, by the subject in their annotation.
    by_marked_subject: HashMap<String, Vec<usize>>,
    /// The changes since the savepoint, if one is set.
    changes: Option<Vec<Change>>,
    entries: Vec<Option<CatalogEntry>>,
    /// Positions of the entries with the annotation [`KIND`].
    with_kind: Vec<usize>,
}

/// An entry; `raw` are its bytes as they were read, missing in an entry that bulla made or changed.
struct CatalogEntry {
    descriptor: Descriptor,
    raw: Option<Box<RawValue>>,
}

/// A recorded change, to be undone.
enum Change {
    /// An entry was appended.
    Appended,
    /// The entry at this position was replaced; the former one.
    Replaced(usize, Option<CatalogEntry>),
}

#[derive(Deserialize)]
struct IndexAsRead {
    #[serde(default)]
    annotations: Option<Box<RawValue>>,
    #[serde(deserialize_with = "null_is_default")]
    manifests: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<WrittenEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenEntry<'a> {
    AsRead(&'a RawValue),
    Ours(&'a Descriptor),
}

impl CatalogEntry {
    fn written(&self) -> WrittenEntry<'_> {
        match &self.raw {
            Some(raw) => WrittenEntry::AsRead(raw),
            None => WrittenEntry::Ours(&self.descriptor),
        }
    }
}

impl Catalog {
    /// Parses an index of at most `descriptors` entries.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub(crate) fn parse(content: &Content, limits: &Limits, descriptors: u64) -> Result<Self, ManifestError> {
        let digest = *content.digest();
        let limits = limits.clone().with(|limits| limits.oci.descriptors = descriptors);
        let index = Index::parse(content, &limits)?;
        let read: IndexAsRead =
            // These bytes have just been checked.
            json::read(content.bytes()).map_err(|error| ManifestError::Json { digest, error })?;
        let mut catalog = Self { annotations: read.annotations, ..Self::default() };
        for (descriptor, raw) in index.manifests.into_iter().zip(read.manifests) {
            catalog.append(CatalogEntry { descriptor, raw: Some(raw) });
        }
        Ok(catalog)
    }

    /// The JSON of the OCI image index, with unchanged entries byte for byte as they were read.
    pub(crate) fn render(&self) -> Result<Vec<u8>, json::JsonError> {
        let manifests = self.entries.iter().flatten().map(CatalogEntry::written).collect();
        let annotations = self.annotations.as_deref();
        json::to_go(&Written { schema_version: 2, media_type: media_type::OCI_INDEX, manifests, annotations })
    }

    /// All entries, in order.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries.iter().flatten().map(|entry| &entry.descriptor)
    }

    /// Whether there is an entry with this digest.
    pub(crate) fn lists(&self, digest: &Digest) -> bool {
        self.at(self.by_digest.get(digest)).next().is_some()
    }

    /// The entries with this digest.
    pub(crate) fn with_digest(&self, digest: &Digest) -> Vec<&Descriptor> {
        self.at(self.by_digest.get(digest)).collect()
    }

    /// The entries with the annotation [`KIND`].
    pub(crate) fn with_kind(&self) -> impl Iterator<Item = &Descriptor> {
        self.at(Some(&self.with_kind))
    }

    /// The entries that are annotated as a list of referrers of `subject`.
    pub(crate) fn marked_for(&self, subject: &Digest) -> impl Iterator<Item = &Descriptor> {
        self.at(self.by_marked_subject.get(&subject.to_string()))
    }

    /// The entries that `name` selects: those with that whole name, otherwise those whose name ends with it
    /// ([`ImageName::ends_with`]). A tag beside a full name, as Docker and containerd write it, is the end of that name
    /// and not a whole name.
    pub(crate) fn with_name(&self, name: &str) -> Vec<&Descriptor> {
        let whole = |entry: &&Descriptor| whole_names(entry).any(|other| other == name);
        let found: Vec<_> = self.at(self.by_normalized_name.get(&*name::normalized(name))).filter(whole).collect();
        if !found.is_empty() {
            return found;
        }
        let ends = |entry: &&Descriptor| names_in(entry).any(|other| name::is_suffix(other, name));
        let end = if name::tag_of(name).is_some() { last_component(name) } else { name };
        self.at(self.by_end_of_name.get(end)).filter(ends).collect()
    }

    /// The digests that `name` selects now: those with an equivalent name for Docker, otherwise those whose name ends
    /// with it.
    pub(crate) fn holders(&self, name: &ImageName) -> BTreeSet<Digest> {
        let named: BTreeSet<_> = self.named_as(name).map(|(_, entry)| entry.digest).collect();
        match named.is_empty() {
            true => self.with_name(name.as_str()).into_iter().map(|entry| entry.digest).collect(),
            false => named,
        }
    }

    /// The distinct names (`org.opencontainers.image.ref.name`), in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.descriptors().filter_map(|entry| entry.annotations.get(REF_NAME));
        names.filter(|name| seen.insert(name.as_str())).cloned().collect()
    }

    /// Adds `descriptor` under `name`, or without a name unless it is listed already. Afterwards `name` selects no other
    /// digest: another entry with it keeps only its other name, or is removed. Returns the removed entries.
    pub(crate) fn put(&mut self, mut descriptor: Descriptor, name: Option<&ImageName>) -> Vec<Descriptor> {
        let digest = descriptor.digest;
        let Some(name) = name else {
            if !self.lists(&digest) {
                self.append(CatalogEntry { descriptor, raw: None });
            }
            return Vec::new();
        };
        let others = self.named_as(name).filter(|(_, entry)| entry.digest != digest);
        let clashing: Vec<_> = others.map(|(position, _)| position).collect();
        let is_there = self.with_digest(&digest).into_iter().any(|entry| names_in(entry).any(|n| n == name.as_str()));
        if is_there && clashing.is_empty() {
            return Vec::new();
        }
        self.drop_unnamed(&digest);
        let mut gone = Vec::new();
        for position in clashing {
            let Some(mut entry) = self.take(position) else { continue };
            let is_ours = |key: &str, other: &str| NAMES.contains(&key) && name.is_same(other);
            entry.descriptor.annotations.retain(|key, other| !is_ours(key, other));
            let has_another = names_in(&entry.descriptor).next().is_some();
            match has_another {
                true => self.put_back(position, CatalogEntry { raw: None, ..entry }),
                false => gone.push(entry.descriptor),
            }
        }
        if !is_there {
            descriptor.annotations.insert(REF_NAME.to_owned(), name.to_string());
            if name.is_full() {
                descriptor.annotations.insert(CONTAINERD_NAME.to_owned(), name.to_string());
            }
            self.append(CatalogEntry { descriptor, raw: None });
        }
        gone
    }

    /// Adds `referrer` to a list of referrers, unless an entry with this digest, size and media type exists.
    pub(crate) fn add_referrer(&mut self, referrer: Descriptor) {
        if self.at(self.by_digest.get(&referrer.digest)).all(|there| there.bare() != referrer.bare()) {
            self.append(CatalogEntry { descriptor: referrer, raw: None });
        }
    }

    /// Removes the nameless entries that bulla added for manifests that are `children` of an index.
    pub(crate) fn drop_children(&mut self, children: &[Digest]) {
        children.iter().for_each(|child| self.drop_unnamed(child));
    }

    /// Sets the savepoint of [`Catalog::rollback`].
    pub(crate) fn mark(&mut self) {
        self.changes = Some(Vec::new());
    }

    /// Undoes the changes since [`Catalog::mark`] and removes the savepoint. Returns whether there were any.
    pub(crate) fn rollback(&mut self) -> bool {
        let changes = self.changes.take().unwrap_or_default();
        let changed = !changes.is_empty();
        for change in changes.into_iter().rev() {
            match change {
                Change::Appended => self.withdraw(),
                Change::Replaced(position, before) => {
                    self.entries.get_mut(position).into_iter().zip([before]).for_each(|(slot, before)| *slot = before);
                }
            }
        }
        changed
    }

    /// The entries with an equivalent name for Docker and containerd, with their positions.
    fn named_as(&self, name: &ImageName) -> impl Iterator<Item = (usize, &Descriptor)> {
        let positions = self.by_normalized_name.get(&*name::normalized(name.as_str()));
        let found = positions.into_iter().flatten().filter_map(|position| Some((*position, self.entry(*position)?)));
        found.filter(|(_, entry)| names_in(entry).any(|other| name.is_same(other)))
    }

    /// The entries at these positions, without the removed ones.
    fn at<'a>(&'a self, positions: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Descriptor> {
        positions.into_iter().flatten().filter_map(|position| self.entry(*position))
    }

    fn entry(&self, position: usize) -> Option<&Descriptor> {
        self.entries.get(position)?.as_ref().map(|entry| &entry.descriptor)
    }

    fn append(&mut self, entry: CatalogEntry) {
        let position = self.entries.len();
        for_each_key(&entry.descriptor, |key| push_once(self.positions(key), position));
        self.entries.push(Some(entry));
        self.remember(Change::Appended);
    }

    /// Removes the last entry and its keys.
    fn withdraw(&mut self) {
        let Some(Some(entry)) = self.entries.pop() else { return };
        let left = self.entries.len();
        for_each_key(&entry.descriptor, |key| {
            let positions = self.positions(key);
            while positions.last().is_some_and(|position| *position >= left) {
                positions.pop();
            }
        });
    }

    /// Removes the entries with this digest that bulla made and that have no name.
    fn drop_unnamed(&mut self, digest: &Digest) {
        for position in self.by_digest.get(digest).cloned().unwrap_or_default() {
            let ours = self.entries.get(position).and_then(Option::as_ref).is_some_and(|entry| entry.raw.is_none());
            if ours && self.entry(position).is_some_and(|entry| names_in(entry).next().is_none()) {
                drop(self.take(position));
            }
        }
    }

    /// Removes the entry at a position, which stays empty.
    fn take(&mut self, position: usize) -> Option<CatalogEntry> {
        let entry = self.entries.get_mut(position)?.take()?;
        if self.changes.is_some() {
            let CatalogEntry { descriptor, raw } = &entry;
            let before = CatalogEntry { descriptor: descriptor.clone(), raw: raw.clone() };
            self.remember(Change::Replaced(position, Some(before)));
        }
        Some(entry)
    }

    /// Fills an empty position with an entry whose keys are all in the maps.
    fn put_back(&mut self, position: usize, entry: CatalogEntry) {
        self.entries.get_mut(position).into_iter().zip([entry]).for_each(|(slot, entry)| *slot = Some(entry));
        self.remember(Change::Replaced(position, None));
    }

    /// Records a change, if a savepoint is set.
    fn remember(&mut self, change: Change) {
        if let Some(changes) = &mut self.changes {
            changes.push(change);
        }
    }

    fn positions(&mut self, key: CatalogKey<'_>) -> &mut Vec<usize> {
        match key {
            CatalogKey::NormalizedName(name) => self.by_normalized_name.entry(name).or_default(),
            CatalogKey::Digest(digest) => self.by_digest.entry(digest).or_default(),
            CatalogKey::EndOfName(end) => self.by_end_of_name.entry(end.to_owned()).or_default(),
            CatalogKey::Kind => &mut self.with_kind,
            CatalogKey::MarkedSubject(subject) => self.by_marked_subject.entry(subject.to_owned()).or_default(),
        }
    }
}

/// A key under which an entry is found.
enum CatalogKey<'a> {
    NormalizedName(String),
    Digest(Digest),
    EndOfName(&'a str),
    Kind,
    MarkedSubject(&'a str),
}

/// Calls `each` with every key of an entry. Removing a name from an entry adds no key.
fn for_each_key<'a>(entry: &'a Descriptor, mut each: impl FnMut(CatalogKey<'a>)) {
    each(CatalogKey::Digest(entry.digest));
    for name in names_in(entry) {
        each(CatalogKey::NormalizedName(name::normalized(name).into_owned()));
        if let Some(tag) = name::tag_of(name) {
            [tag, last_component(name)].into_iter().for_each(|end| each(CatalogKey::EndOfName(end)));
        }
    }
    if entry.annotations.contains_key(KIND) {
        each(CatalogKey::Kind);
    }
    let marked = LISTS_REFERRERS.iter().filter_map(|key| entry.annotations.get(*key));
    marked.for_each(|subject| each(CatalogKey::MarkedSubject(subject)));
}

/// The names of an entry, the full one first: `io.containerd.image.name`, then `org.opencontainers.image.ref.name`.
pub(crate) fn names_in(entry: &Descriptor) -> impl Iterator<Item = &str> {
    NAMES.iter().filter_map(|key| entry.annotations.get(*key)).map(String::as_str).filter(|name| !name.is_empty())
}

/// The independent names of an entry: the full one, and the other unless it is the end of the full one.
fn whole_names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    let full = names_in(entry).next().unwrap_or_default();
    names_in(entry).filter(move |name| *name == full || !name::is_suffix(full, name))
}

/// The names that a copy of an entry keeps; a name that contains the digest of another manifest is dropped.
pub(crate) fn kept_names(entry: &Descriptor) -> Vec<ImageName> {
    let fits = |name: &ImageName| name.digest().is_none_or(|digest| digest == entry.digest);
    let mut names: Vec<_> = whole_names(entry).filter_map(ImageName::new).filter(fits).collect();
    names.dedup();
    names
}

/// The annotations of a manifest that may be copied to its descriptor in a list. Those that name or mark an entry are
/// removed, so that no manifest can give itself a name.
pub(crate) fn repeatable(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = |key: &str| matches!(key, REF_NAME | CONTAINERD_NAME | KIND) || LISTS_REFERRERS.contains(&key);
    annotations.iter().filter(|(key, _)| !ours(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn last_component(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn push_once(positions: &mut Vec<usize>, position: usize) {
    if positions.last() != Some(&position) {
        positions.push(position);
    }
}
