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
use crate::oci::ImageName;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::descriptor::null_is_default;
use crate::oci::media_type;
use crate::oci::name;

/// The annotation that names an entry of a layout. OCI image specification, "Pre-Defined Annotation Keys".
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which containerd and Docker name an entry in full.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The annotations that name an entry, the full name first.
const NAMES: [&str; 2] = [CONTAINERD_NAME, REF_NAME];
/// The annotation by which cosign and hauler say what an entry is for.
pub(crate) const KIND: &str = "kind";
/// The annotations that mark an entry as the list of referrers of a subject.
pub(crate) const LISTS_REFERRERS: [&str; 2] =
    ["org.opencontainers.image.referrer.subject", "org.olareg.referrer.subject"];

/// The entries of an index that is also written.
#[derive(Clone, Default)]
pub(crate) struct Catalog {
    annotations: Option<Box<RawValue>>,
    by_digest: HashMap<Digest, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    by_tag: HashMap<String, Vec<usize>>,
    entries: Vec<Entry>,
}

/// One entry; `raw` is how it was read, and absent in one that we made.
#[derive(Clone)]
struct Entry {
    descriptor: Descriptor,
    raw: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Read {
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
    pub(crate) fn parse(content: &Content, limits: &Limits, descriptors: u64) -> Result<Self, ManifestError> {
        let digest = *content.digest();
        let limits = limits.clone().with(|limits| limits.oci.descriptors = descriptors);
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

    /// The entries that `tag_or_digest` names: by one of their whole names, else by the end of one ([`ImageName::ends_with`]).
    /// The tag that stands beside a full name is the end of that, as Docker and containerd write it, and no whole name.
    pub(crate) fn with_name(&self, tag_or_digest: &str) -> Vec<&Descriptor> {
        if let whole @ Some(_) = self.by_name.get(tag_or_digest) {
            return self.at(whole);
        }
        let mut found = self.at(self.by_tag.get(name::tag_of(tag_or_digest).unwrap_or(tag_or_digest)));
        found.retain(|entry| names_in(entry).any(|name| name::is_suffix(name, tag_or_digest)));
        found
    }

    /// The images for which `name` stands already: those with that name, in any of the ways in which Docker completes
    /// it, else those that it would select by the end of their names.
    pub(crate) fn holders(&self, name: &ImageName) -> BTreeSet<Digest> {
        let named = |entry: &&Descriptor| names_in(entry).any(|other| name.is_same(other));
        let named: BTreeSet<_> = self.descriptors().filter(named).map(|entry| entry.digest).collect();
        match named.is_empty() {
            true => self.with_name(name.as_str()).into_iter().map(|entry| entry.digest).collect(),
            false => named,
        }
    }

    /// The names, each once, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self.descriptors().filter_map(|entry| entry.annotations.get(REF_NAME));
        names.filter(|name| seen.insert(name.as_str())).cloned().collect()
    }

    /// Makes `descriptor` an entry: under `name`, which then stands for nothing else, or without one, unless it has
    /// an entry already. What had the name keeps its entry under the other name that it has, if it has one.
    pub(crate) fn put(&mut self, mut descriptor: Descriptor, name: Option<&ImageName>) {
        let digest = descriptor.digest;
        let Some(name) = name else {
            if !self.lists(&digest) {
                self.append(Entry { descriptor, raw: None });
            }
            return;
        };
        let clashes = |entry: &Descriptor| entry.digest != digest && names_in(entry).any(|other| name.is_same(other));
        let is_there = self.with_digest(&digest).into_iter().any(|entry| names_in(entry).any(|n| n == name.as_str()));
        if is_there && !self.descriptors().any(clashes) {
            return;
        }
        for mut entry in self.take() {
            let ours_unnamed = entry.raw.is_none() && names_in(&entry.descriptor).next().is_none();
            if ours_unnamed && entry.descriptor.digest == digest {
                continue;
            }
            if clashes(&entry.descriptor) {
                entry
                    .descriptor
                    .annotations
                    .retain(|key, other| !(NAMES.contains(&key.as_str()) && name.is_same(other)));
                entry.raw = None;
                if names_in(&entry.descriptor).next().is_none() {
                    continue;
                }
            }
            self.append(entry);
        }
        if is_there {
            return;
        }
        descriptor.annotations.insert(REF_NAME.to_owned(), name.to_string());
        if name.is_full() {
            descriptor.annotations.insert(CONTAINERD_NAME.to_owned(), name.to_string());
        }
        self.append(Entry { descriptor, raw: None });
    }

    /// Takes out the entries that we made without a name and that turned out to be `children` of others.
    pub(crate) fn drop_children(&mut self, children: &BTreeSet<Digest>) {
        let unnamed = |entry: &Entry| entry.raw.is_none() && names_in(&entry.descriptor).next().is_none();
        self.retain(|entry| !(unnamed(entry) && children.contains(&entry.descriptor.digest)));
    }

    fn at(&self, positions: Option<&Vec<usize>>) -> Vec<&Descriptor> {
        let entries = positions.into_iter().flatten().filter_map(|position| self.entries.get(*position));
        entries.map(|entry| &entry.descriptor).collect()
    }

    fn append(&mut self, entry: Entry) {
        let position = self.entries.len();
        self.by_digest.entry(entry.descriptor.digest).or_default().push(position);
        for name in whole_names(&entry.descriptor) {
            push_once(self.by_name.entry(name.to_owned()).or_default(), position);
        }
        for name in names_in(&entry.descriptor) {
            if let Some(tag) = name::tag_of(name) {
                push_once(self.by_tag.entry(tag.to_owned()).or_default(), position);
            }
        }
        self.entries.push(entry);
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.take().into_iter().filter(keep).for_each(|entry| self.append(entry));
    }

    fn take(&mut self) -> Vec<Entry> {
        self.by_digest.clear();
        self.by_name.clear();
        self.by_tag.clear();
        std::mem::take(&mut self.entries)
    }
}

/// The names of an entry, the full one first: as containerd reads it, then as the image specification has it.
pub(crate) fn names_in(entry: &Descriptor) -> impl Iterator<Item = &str> {
    NAMES.iter().filter_map(|key| entry.annotations.get(*key)).map(String::as_str).filter(|name| !name.is_empty())
}

/// The names of an entry that are names by themselves: the full one, and the other where that is not just the end of it.
fn whole_names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    let full = names_in(entry).next().unwrap_or_default();
    names_in(entry).filter(move |name| *name == full || !name::is_suffix(full, name))
}

/// The names that a copy of an entry keeps. One that holds the digest of something else is none of its names.
pub(crate) fn kept_names(entry: &Descriptor) -> Vec<ImageName> {
    let fits = |name: &ImageName| name.digest().is_none_or(|digest| digest == entry.digest);
    let mut names: Vec<_> = whole_names(entry).filter_map(ImageName::new).filter(fits).collect();
    names.dedup();
    names
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
