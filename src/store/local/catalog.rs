//! `Catalog`: the entries of an `index.json` or of a list of referrers; what is not changed is written as it was read.

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
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::media_type;

/// The annotation that names an entry of a layout. OCI image specification, "Pre-Defined Annotation Keys".
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which containerd and Docker name an entry in full.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The annotation by which cosign and hauler say what an entry is for.
pub(crate) const KIND: &str = "kind";
/// The annotations that mark an entry as the list of referrers of a subject.
pub(crate) const LISTS_REFERRERS: [&str; 2] =
    ["org.opencontainers.image.referrer.subject", "org.olareg.referrer.subject"];

/// The entries of an index that is also written.
#[derive(Default)]
pub(crate) struct Catalog {
    annotations: Option<Box<RawValue>>,
    by_digest: HashMap<Digest, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    by_tag: HashMap<String, Vec<usize>>,
    entries: Vec<Entry>,
}

/// One entry; `raw` is how it was read, and absent in one that we made.
struct Entry {
    descriptor: Descriptor,
    raw: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    annotations: Option<Box<RawValue>>,
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

impl Entry {
    fn written(&self) -> WrittenEntry<'_> {
        match &self.raw {
            Some(raw) => WrittenEntry::AsRead(raw),
            None => WrittenEntry::Ours(&self.descriptor),
        }
    }
}

impl Catalog {
    /// Reads an index of at most `descriptors` entries.
    pub(crate) fn parse(content: &Content, limits: &Limits, descriptors: usize) -> Result<Self, ManifestError> {
        let digest = *content.digest();
        let limits = Limits { descriptors, ..limits.clone() };
        let index = Index::parse(content, &limits)?;
        let read: Read =
            json::parse(content.bytes(), &limits).map_err(|error| ManifestError::Json { digest, error })?;
        let mut catalog = Self { annotations: read.annotations, ..Self::default() };
        for (descriptor, raw) in index.manifests.into_iter().zip(read.manifests) {
            catalog.append(Entry { descriptor, raw: Some(raw) });
        }
        Ok(catalog)
    }

    /// The whole as an OCI image index.
    pub(crate) fn render(&self) -> Result<Vec<u8>, json::JsonError> {
        let manifests = self.entries.iter().map(Entry::written).collect();
        let annotations = self.annotations.as_deref();
        json::to_go(&Written { schema_version: 2, media_type: media_type::OCI_INDEX, manifests, annotations })
    }

    /// Every entry, in order.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries.iter().map(|entry| &entry.descriptor)
    }

    /// Whether there is an entry with this digest.
    pub(crate) fn lists(&self, digest: &Digest) -> bool {
        self.by_digest.contains_key(digest)
    }

    /// The entries with this digest.
    pub(crate) fn with_digest(&self, digest: &Digest) -> Vec<&Descriptor> {
        self.at(self.by_digest.get(digest))
    }

    /// The entries that `tag` names: by their whole name, else by a full reference that ends in `:tag`.
    pub(crate) fn with_name(&self, tag: &str) -> Vec<&Descriptor> {
        let whole = self.by_name.get(tag);
        self.at(whole.or_else(|| self.by_tag.get(tag)))
    }

    /// The names, each once, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.descriptors().filter_map(|entry| entry.annotations.get(REF_NAME));
        names.filter(|name| seen.insert(name.as_str())).cloned().collect()
    }

    /// Makes `descriptor` an entry: under `name`, which then stands for nothing else, or without one, unless it has
    /// an entry already.
    pub(crate) fn put(&mut self, mut descriptor: Descriptor, name: Option<&str>) {
        let same = |entry: &Descriptor| entry.digest == descriptor.digest;
        let Some(name) = name else {
            if !self.descriptors().any(same) {
                self.append(Entry { descriptor, raw: None });
            }
            return;
        };
        let named = |entry: &&Descriptor| entry.annotations.get(REF_NAME).is_some_and(|other| other == name);
        let mut before = self.descriptors().filter(named);
        if before.next().is_some_and(same) && before.next().is_none() {
            return;
        }
        drop(before);
        let digest = descriptor.digest;
        descriptor.annotations.insert(REF_NAME.to_owned(), name.to_owned());
        self.retain(|entry| match entry.descriptor.annotations.get(REF_NAME) {
            Some(other) => other != name,
            None => entry.raw.is_some() || entry.descriptor.digest != digest,
        });
        self.append(Entry { descriptor, raw: None });
    }

    /// Takes out the entries that we made without a name and that turned out to be `children` of others.
    pub(crate) fn drop_children(&mut self, children: &BTreeSet<Digest>) {
        let unnamed = |entry: &Entry| entry.raw.is_none() && !entry.descriptor.annotations.contains_key(REF_NAME);
        self.retain(|entry| !(unnamed(entry) && children.contains(&entry.descriptor.digest)));
    }

    fn at(&self, positions: Option<&Vec<usize>>) -> Vec<&Descriptor> {
        let entries = positions.into_iter().flatten().filter_map(|position| self.entries.get(*position));
        entries.map(|entry| &entry.descriptor).collect()
    }

    fn append(&mut self, entry: Entry) {
        let position = self.entries.len();
        self.by_digest.entry(entry.descriptor.digest).or_default().push(position);
        for key in [REF_NAME, CONTAINERD_NAME] {
            let Some(name) = entry.descriptor.annotations.get(key) else { continue };
            push_once(self.by_name.entry(name.clone()).or_default(), position);
            if let Some((repository, tag)) = name.rsplit_once(':')
                && !repository.contains('@')
                && !tag.contains('/')
            {
                push_once(self.by_tag.entry(tag.to_owned()).or_default(), position);
            }
        }
        self.entries.push(entry);
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        let entries = std::mem::take(&mut self.entries);
        self.by_digest.clear();
        self.by_name.clear();
        self.by_tag.clear();
        entries.into_iter().filter(keep).for_each(|entry| self.append(entry));
    }
}

/// The annotations of a manifest as its entry in a list may repeat them: without those that mean something about the
/// entry itself, so that no manifest can give itself a name.
pub(crate) fn repeatable(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = |key: &str| matches!(key, REF_NAME | CONTAINERD_NAME | KIND) || LISTS_REFERRERS.contains(&key);
    annotations.iter().filter(|(key, _)| !ours(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn push_once(positions: &mut Vec<usize>, position: usize) {
    if positions.last() != Some(&position) {
        positions.push(position);
    }
}
