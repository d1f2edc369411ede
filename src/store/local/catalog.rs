//! `Catalog`: the entries of an `index.json` or of a list of referrers; unchanged ones are written as they were read.

mod entry;
mod keys;
mod names;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::ImageName;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::media_type;
use crate::oci::name;
use crate::oci::null::null_is_default;
use crate::ordered;

pub(crate) use entry::StoredDescriptor;
pub(crate) use names::CONTAINERD_NAME;
pub(crate) use names::EVIDENCE;
pub(crate) use names::KIND;
pub(crate) use names::LISTS_REFERRERS;
pub(crate) use names::REF_NAME;
pub(crate) use names::kept_names;
pub(crate) use names::names_in;
pub(crate) use names::repeatable;

use entry::CatalogEntry;
use keys::CatalogKey;
use keys::CatalogKeys;
use names::NAMES;
use names::last_component;
use names::whole_names;

/// The entries of an index that can be searched, changed and written again.
///
/// A look-up or change takes time proportional to the entries that it finds or changes, not to the length of the index:
/// a command may do one for each entry.
///
/// 1. `entries` are the entries of the index, each as its JSON. An entry keeps its position; a removed one leaves its
///    position empty.
/// 2. `keys` has each entry under every key that it ever had. Each hit is compared with the entry itself, so an old key
///    finds nothing.
/// 3. From [`Catalog::mark`] on every change is recorded, and [`Catalog::rollback`] undoes them, the last one first.
#[derive(Default)]
pub(crate) struct Catalog {
    annotations: Option<Box<RawValue>>,
    /// The changes since the savepoint, if one is set.
    changes: Option<Vec<Change>>,
    entries: Vec<Option<CatalogEntry>>,
    keys: CatalogKeys,
    /// The index as it was read, until the first change.
    unchanged: Option<Bytes>,
}

/// A recorded change, to be undone.
enum Change {
    /// An entry was appended.
    Appended,
    /// The entry at this position was replaced; the former one.
    Replaced(usize, Option<CatalogEntry>),
}

#[derive(Deserialize)]
struct IndexAsRead<'a> {
    #[serde(borrow, default)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "null_is_default")]
    manifests: Vec<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<&'a StoredDescriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a RawValue>,
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
        let bytes = content.shared();
        let read: IndexAsRead<'_> =
            // These bytes have just been checked.
            json::read(&bytes).map_err(|error| ManifestError::Json { digest, error })?;
        let mut catalog = Self { annotations: read.annotations.map(ToOwned::to_owned), ..Self::default() };
        for (descriptor, text) in index.manifests.into_iter().zip(read.manifests) {
            catalog.append(&descriptor, CatalogEntry::as_read(&bytes, text));
        }
        catalog.unchanged = Some(bytes);
        Ok(catalog)
    }

    /// Whether it was parsed from these bytes and is not changed since.
    pub(crate) fn is_of(&self, bytes: &[u8]) -> bool {
        self.unchanged.as_ref().is_some_and(|unchanged| unchanged == bytes)
    }

    /// The JSON of the OCI image index, with unchanged entries byte for byte as they were read.
    pub(crate) fn render(&self) -> Result<Vec<u8>, JsonError> {
        let manifests = self.entries.iter().flatten().map(|entry| &entry.stored).collect();
        let annotations = self.annotations.as_deref();
        json::to_go(&Written { schema_version: 2, media_type: media_type::OCI_INDEX, manifests, annotations })
    }

    /// Whether the index is annotated as evidence: images without their layers.
    pub(crate) fn is_evidence(&self) -> bool {
        self.annotations.as_deref().map(RawValue::get).is_some_and(|annotations| {
            let keys = json::read::<BTreeMap<String, IgnoredAny>>(annotations.as_bytes());
            keys.is_ok_and(|keys| keys.contains_key(EVIDENCE))
        })
    }

    /// An empty index that is annotated as evidence.
    ///
    /// # Errors
    /// [`JsonError`].
    pub(crate) fn of_evidence() -> Result<Self, JsonError> {
        let annotations = json::to_go(&ordered::map([(EVIDENCE, "v1")]))?;
        Ok(Self { annotations: Some(json::read(&annotations)?), ..Self::default() })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    /// All entries, in order.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = Descriptor> {
        self.entries.iter().flatten().filter_map(|entry| entry.stored.read())
    }

    /// Whether there is an entry with this digest.
    pub(crate) fn lists(&self, digest: &Digest) -> bool {
        self.of_digest(digest).next().is_some()
    }

    /// The entries with this digest.
    pub(crate) fn with_digest(&self, digest: &Digest) -> Vec<Descriptor> {
        self.of_digest(digest).collect()
    }

    /// The entries with the annotation [`KIND`].
    pub(crate) fn with_kind(&self) -> impl Iterator<Item = Descriptor> {
        self.at(&CatalogKey::Kind).filter(|entry| entry.annotations.contains_key(KIND))
    }

    /// The entries that are annotated as a list of referrers of `subject`.
    pub(crate) fn marked_for<'a>(&'a self, subject: &Digest) -> impl Iterator<Item = Descriptor> + use<'a> {
        let subject = subject.to_string();
        self.at(&CatalogKey::MarkedSubject(&subject))
            .filter(move |entry| LISTS_REFERRERS.iter().any(|key| entry.annotations.get(*key) == Some(&subject)))
    }

    /// The entries that `name` selects: those with that whole name, otherwise those whose name ends with it
    /// ([`ImageName::ends_with`]). A tag beside a full name, as Docker and containerd write it, is the end of that name
    /// and not a whole name.
    pub(crate) fn with_name(&self, name: &str) -> Vec<Descriptor> {
        let whole = |entry: &Descriptor| whole_names(entry).any(|other| other == name);
        let found: Vec<_> = self.at(&CatalogKey::NormalizedName(&name::normalized(name))).filter(whole).collect();
        if !found.is_empty() {
            return found;
        }
        let ends = |entry: &Descriptor| names_in(entry).any(|other| name::is_suffix(other, name));
        let end = if name::tag_of(name).is_some() { last_component(name) } else { name };
        self.at(&CatalogKey::EndOfName(end)).filter(ends).collect()
    }

    /// The digests that `name` selects now: those with an equivalent name for Docker, otherwise those whose name ends
    /// with it.
    pub(crate) fn targets_of(&self, name: &ImageName) -> BTreeSet<Digest> {
        let named = ordered::set(self.named_as(name).map(|(_, entry)| entry.digest));
        match named.is_empty() {
            true => ordered::set(self.with_name(name.as_str()).into_iter().map(|entry| entry.digest)),
            false => named,
        }
    }

    /// The distinct names (`org.opencontainers.image.ref.name`), in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.descriptors().filter_map(|mut entry| entry.annotations.remove(REF_NAME));
        names.filter(|name| seen.insert(name.clone())).collect()
    }

    /// Adds `descriptor`, whose content was checked, under `name`, or without a name unless it is listed already.
    /// Entries with the same digest and another size or media type are wrong, and are corrected. Then `name` selects no
    /// other digest: other entries lose it, with the end of it that stands beside a full name, and an entry that has no
    /// other name is removed. Returns the removed entries.
    ///
    /// # Errors
    /// [`JsonError`] where no reader would accept the entry; then nothing is changed.
    pub(crate) fn put(
        &mut self,
        mut descriptor: Descriptor,
        name: Option<&ImageName>,
    ) -> Result<Vec<Descriptor>, JsonError> {
        let digest = descriptor.digest;
        let corrected = self.corrected(&descriptor)?;
        let Some(name) = name else {
            match self.lists(&digest) {
                true => corrected.into_iter().for_each(|(position, entry)| self.replace(position, entry)),
                false => self.append_ours(&descriptor)?,
            }
            return Ok(Vec::new());
        };
        let others: Vec<_> = self.named_as(name).filter(|(_, entry)| entry.digest != digest).collect();
        let is_there = self.of_digest(&digest).any(|entry| names_in(&entry).any(|other| other == name.as_str()));
        if is_there && others.is_empty() && corrected.is_empty() {
            return Ok(Vec::new());
        }
        // Whatever can fail comes before the first change.
        let (mut replaced, mut gone) = (corrected, Vec::new());
        for (position, mut entry) in others {
            let lost = entry.annotations.get(CONTAINERD_NAME).filter(|full| name.is_same(full)).cloned();
            let is_end = |other: &str| lost.as_ref().is_some_and(|full| name::is_suffix(full, other));
            let is_ours = |key: &str, other: &str| {
                NAMES.contains(&key) && name.is_same(other) || key == REF_NAME && is_end(other)
            };
            entry.annotations.retain(|key, other| !is_ours(key, other));
            let has_another = names_in(&entry).next().is_some();
            match has_another {
                true => replaced.push((position, Some(CatalogEntry::ours(&entry)?))),
                false => {
                    replaced.push((position, None));
                    gone.push(entry);
                }
            }
        }
        descriptor.annotations.insert(REF_NAME.to_owned(), name.to_string());
        if name.is_full() {
            descriptor.annotations.insert(CONTAINERD_NAME.to_owned(), name.to_string());
        }
        let named = CatalogEntry::ours(&descriptor)?;
        self.drop_unnamed(&digest);
        replaced.into_iter().for_each(|(position, entry)| self.replace(position, entry));
        if !is_there {
            self.append(&descriptor, named);
        }
        Ok(gone)
    }

    /// Adds `referrer` to a list of referrers, unless an entry with this digest, size and media type exists.
    ///
    /// # Errors
    /// As [`Catalog::put`].
    pub(crate) fn add_referrer(&mut self, referrer: &Descriptor) -> Result<(), JsonError> {
        let is_there = self.of_digest(&referrer.digest).any(|there| there.bare() == referrer.bare());
        if is_there { Ok(()) } else { self.append_ours(referrer) }
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

    /// The entries with the digest of `descriptor` and another size or media type, corrected, with their positions.
    fn corrected(&self, descriptor: &Descriptor) -> Result<Vec<(usize, Option<CatalogEntry>)>, JsonError> {
        let mut corrected = Vec::new();
        for position in self.keys.find(&CatalogKey::Digest(&descriptor.digest)) {
            let is_wrong = |entry: &Descriptor| entry.digest == descriptor.digest && entry.bare() != descriptor.bare();
            let Some(Some(entry)) = self.entries.get(position) else { continue };
            if entry.stored.read().is_some_and(|entry| is_wrong(&entry)) {
                corrected.push((position, entry.corrected(descriptor)?));
            }
        }
        Ok(corrected)
    }

    /// The entries with an equivalent name for Docker and containerd, with their positions.
    fn named_as<'a>(&'a self, name: &'a ImageName) -> impl Iterator<Item = (usize, Descriptor)> {
        let positions = self.keys.find(&CatalogKey::NormalizedName(&name::normalized(name.as_str())));
        let found = positions.filter_map(|position| Some((position, self.entry(position)?)));
        found.filter(|(_, entry)| names_in(entry).any(|other| name.is_same(other)))
    }

    fn of_digest<'a>(&'a self, digest: &Digest) -> impl Iterator<Item = Descriptor> + use<'a> {
        let digest = *digest;
        self.at(&CatalogKey::Digest(&digest)).filter(move |entry| entry.digest == digest)
    }

    /// The present entries under this key. Some may not match it (an old key, a hash collision): the caller compares.
    fn at<'a>(&'a self, key: &CatalogKey<'_>) -> impl Iterator<Item = Descriptor> + use<'a> {
        self.keys.find(key).filter_map(|position| self.entry(position))
    }

    fn entry(&self, position: usize) -> Option<Descriptor> {
        self.entries.get(position)?.as_ref()?.stored.read()
    }

    fn append_ours(&mut self, descriptor: &Descriptor) -> Result<(), JsonError> {
        self.append(descriptor, CatalogEntry::ours(descriptor)?);
        Ok(())
    }

    /// Appends an entry, which is `descriptor`.
    fn append(&mut self, descriptor: &Descriptor, entry: CatalogEntry) {
        self.keys.add(descriptor, self.entries.len());
        self.entries.push(Some(entry));
        self.remember(Change::Appended);
    }

    /// Removes the last entry and its keys.
    fn withdraw(&mut self) {
        let Some(Some(entry)) = self.entries.pop() else { return };
        entry.stored.read().iter().for_each(|entry| self.keys.remove(entry, self.entries.len()));
    }

    /// Removes the entries with this digest that bulla made and that have no name.
    fn drop_unnamed(&mut self, digest: &Digest) {
        let positions: Vec<_> = self.keys.find(&CatalogKey::Digest(digest)).collect();
        for position in positions {
            let is_ours = self.entries.get(position).and_then(Option::as_ref).is_some_and(|entry| entry.is_ours);
            let unnamed = |entry: Descriptor| entry.digest == *digest && names_in(&entry).next().is_none();
            if is_ours && self.entry(position).is_some_and(unnamed) {
                self.replace(position, None);
            }
        }
    }

    /// Replaces the entry at a position, or leaves the position empty. The new entry must have no key that the old one
    /// lacks, since no key is added.
    fn replace(&mut self, position: usize, entry: Option<CatalogEntry>) {
        let Some(slot) = self.entries.get_mut(position) else { return };
        let before = std::mem::replace(slot, entry);
        self.remember(Change::Replaced(position, before));
    }

    /// Records a change, if a savepoint is set.
    fn remember(&mut self, change: Change) {
        self.unchanged = None;
        if let Some(changes) = &mut self.changes {
            changes.push(change);
        }
    }
}
