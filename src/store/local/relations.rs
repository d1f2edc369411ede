//! `Relations`: the subjects, referrers and children of the manifests in a layout. Layouts have no agreed list of referrers,
//! so the manifests themselves are read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::oci::null::null_is_default;
use crate::oci::referrer;
use crate::store::StoreError;
use crate::store::local::catalog::Catalog;
use crate::store::local::catalog::REF_NAME;
use crate::store::local::layout_files::LayoutFiles;
use crate::store::local::layout_files::blob_name;

/// What the manifests of a layout say about each other. All of it is claims: nothing here was checked.
#[derive(Default)]
pub(crate) struct Relations {
    /// The manifests that indexes list.
    pub(crate) children: BTreeSet<Digest>,
    /// The manifests that refer to a subject.
    pub(crate) referring: BTreeSet<Digest>,
    /// Unnamed entries that could not be read: whether they refer to something is not known.
    pub(crate) unreadable: BTreeMap<Digest, Vec<Descriptor>>,
    by_subject: HashMap<Digest, Vec<Descriptor>>,
    /// How many there may be for one subject.
    limit: u64,
}

/// What a manifest that a layout lists says about others.
enum PeekedManifest {
    NoReferrer,
    /// The subject, and the manifest as a list of referrers describes it.
    Referrer(Digest, Descriptor),
    Unreadable,
}

/// As much of a manifest as a list of referrers is made from.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peek {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    config: Option<PeekConfig>,
    #[serde(default, deserialize_with = "named")]
    layers: Option<()>,
    #[serde(default, deserialize_with = "listed")]
    manifests: Option<Vec<PeekDigest>>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    subject: Option<PeekDigest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PeekConfig {
    #[serde(default)]
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct PeekDigest {
    digest: Digest,
}

/// A field that is there, whatever it holds.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<()>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| Some(()))
}

/// A list, of which `null` is an empty one.
fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<PeekDigest>>, D::Error> {
    null_is_default(deserializer).map(Some)
}

impl Relations {
    /// Asks every manifest that `catalog` lists.
    pub(crate) fn of_entries(place: &dyn LayoutFiles, catalog: &Catalog, limits: &Limits) -> Self {
        let mut graph = Self { limit: limits.graph.referrers, ..Self::default() };
        // One manifest can be listed as often as the list has room for; it is read once. With another media type it is
        // another entry: a wrong one must not hide the right one.
        let mut read: BTreeMap<_, PeekedManifest> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for entry in catalog.descriptors() {
            let peeked = read.entry((entry.digest, entry.size)).or_insert_with(|| {
                let Some(peek) = Peek::at(place, entry, limits) else { return PeekedManifest::Unreadable };
                let listed = peek.manifests.iter().flatten().map(|child| child.digest);
                graph.children.extend(listed.filter(|child| catalog.lists(child)));
                match peek.subject() {
                    Some(subject) => PeekedManifest::Referrer(subject, peek.describe(entry.bare())),
                    None => PeekedManifest::NoReferrer,
                }
            });
            match peeked {
                PeekedManifest::Referrer(subject, described) if seen.insert(entry.identity()) => {
                    graph.add(*subject, Descriptor { media_type: entry.media_type.clone(), ..described.clone() });
                }
                PeekedManifest::Unreadable if may_refer(entry) && seen.insert(entry.identity()) => {
                    graph.unreadable.entry(entry.digest).or_default().push(referrer::bounded_entry(entry.clone()));
                }
                _ => {}
            }
        }
        graph
    }

    /// Asks every small blob that looks like JSON and of which `known` does not know that it refers to something:
    /// `cosign save` leaves bundles in a layout that nothing lists.
    pub(crate) fn of_blobs(place: &dyn LayoutFiles, known: &Self, limits: &Limits) -> Result<Self, StoreError> {
        let mut graph = Self { limit: limits.graph.referrers, ..Self::default() };
        let mut small = place.blobs(limits, LOOSE_BLOBS + 1)?;
        if small.len() > LOOSE_BLOBS {
            return Err(StoreError::TooMany { place: place.name(), what: "small blobs", limit: count(LOOSE_BLOBS) });
        }
        small.sort_unstable();
        for (digest, size) in small.into_iter().filter(|(digest, _)| !known.referring.contains(digest)) {
            let mut entry = Descriptor::new(media_type::OCI_MANIFEST, digest, size);
            let Some(peek) = Peek::at(place, &entry, limits) else { continue };
            if let Some(subject) = peek.subject() {
                if let Some(kind) = peek.guess_media_type() {
                    entry.media_type = kind.chars().take(LONGEST_TYPE).collect();
                }
                graph.add(subject, peek.describe(entry));
            }
        }
        Ok(graph)
    }

    /// Takes in a manifest that was stored since, whose bytes are at hand.
    pub(crate) fn learn(&mut self, content: &Content, limits: &Limits) {
        self.unreadable.remove(content.digest());
        let Some(peek) = Peek::parse(content.bytes(), limits) else { return };
        self.children.extend(peek.manifests.iter().flatten().map(|child| child.digest));
        let entry = content.descriptor();
        let Some(subject) = peek.subject() else { return };
        // A manifest that is stored once more says what it said before.
        let again = |known: &Descriptor| (known.size, &known.media_type) == (entry.size, &entry.media_type);
        let known = |of: &Self| of.referrers(&subject).filter(|known| known.digest == entry.digest).any(again);
        if !(self.referring.contains(&entry.digest) && known(self)) {
            self.add(subject, peek.describe(entry.bare()));
        }
    }

    /// Whether the manifest that `entry` names may have said something about others.
    pub(crate) fn may_hold(&self, entry: &Descriptor) -> bool {
        media_type::is_index(&entry.media_type) || self.referring.contains(&entry.digest)
    }

    /// What refers to `subject`.
    pub(crate) fn referrers(&self, subject: &Digest) -> impl Iterator<Item = &Descriptor> {
        self.by_subject.get(subject).into_iter().flatten()
    }

    fn add(&mut self, subject: Digest, referrer: Descriptor) {
        self.referring.insert(referrer.digest);
        // Most subjects have one.
        let referrers = self.by_subject.entry(subject).or_insert_with(|| Vec::with_capacity(1));
        // One more than there may be says that there are too many.
        if count(referrers.len()) <= self.limit {
            referrers.push(referrer);
        }
    }
}

impl Peek {
    /// The manifest that `entry` names, `None` where it cannot be read as one.
    pub(crate) fn at(place: &dyn LayoutFiles, entry: &Descriptor, limits: &Limits) -> Option<Self> {
        let found = place.open(&blob_name(&entry.digest)).ok()??;
        if found.size != entry.size {
            return None;
        }
        let bytes = found.read("a manifest", limits.oci.manifest_bytes).ok()?;
        Self::parse(&bytes, limits)
    }

    /// Reads `bytes` as far as they are a manifest.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Option<Self> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        (first == Some(&b'{')).then(|| json::parse(bytes, limits).ok())?
    }

    /// The digest in the `subject` field.
    fn subject(&self) -> Option<Digest> {
        self.subject.as_ref().map(|subject| subject.digest)
    }

    /// `descriptor` with what a list of referrers says beyond it, as far as anybody reads it there: the truth, whatever
    /// some list says.
    pub(crate) fn describe(self, mut descriptor: Descriptor) -> Descriptor {
        let config = self.config.and_then(|config| config.media_type);
        descriptor.artifact_type = self.artifact_type.or(config);
        descriptor.annotations = self.annotations.unwrap_or_default();
        referrer::bounded_entry(descriptor)
    }

    /// The media type of a manifest that nothing else describes: what it says, else what its fields are.
    pub(crate) fn guess_media_type(&self) -> Option<&str> {
        match (&self.media_type, &self.manifests, &self.config, &self.layers) {
            (Some(said), ..) => Some(said),
            (None, Some(_), None, None) => Some(media_type::OCI_INDEX),
            (None, None, Some(_), Some(_)) => Some(media_type::OCI_MANIFEST),
            _ => None,
        }
    }
}

/// Whether an entry that cannot be read could be a referrer: by its kind, and because tools do not name referrers.
fn may_refer(entry: &Descriptor) -> bool {
    let kind = media_type::is_read(&entry.media_type);
    !entry.annotations.contains_key(REF_NAME) && (kind || entry.artifact_type.is_some())
}

/// How many small blobs are looked into for a subject.
const LOOSE_BLOBS: usize = 100_000;
/// The longest media type that is any, RFC 6838 section 4.2.
const LONGEST_TYPE: usize = 255;
