//! `Graph`: which manifests of a layout refer to which; layouts have no agreed list, so the manifests are asked.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::store::StoreError;
use crate::store::local::catalog::Catalog;
use crate::store::local::catalog::REF_NAME;
use crate::store::local::place::Place;
use crate::store::local::place::blob_name;

/// What the manifests of a layout say about each other. All of it is claims: nothing here was checked.
#[derive(Default)]
pub(crate) struct Graph {
    /// The manifests that indexes list.
    pub(crate) children: BTreeSet<Digest>,
    /// The manifests that refer to a subject.
    pub(crate) referring: BTreeSet<Digest>,
    /// Unnamed entries that could not be read: whether they refer to something is not known.
    pub(crate) unreadable: Vec<Descriptor>,
    by_subject: HashMap<Digest, Vec<Descriptor>>,
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
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
    #[serde(default)]
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

impl Graph {
    /// Asks every manifest that `catalog` lists.
    pub(crate) fn of_entries(place: &dyn Place, catalog: &Catalog, limits: &Limits) -> Self {
        let mut graph = Self::default();
        for entry in catalog.descriptors() {
            match Peek::at(place, &entry.digest, limits) {
                Some(peek) => graph.add(&entry.digest, entry.size, &entry.media_type, peek),
                None if may_refer(entry) => graph.unreadable.push(entry.clone()),
                None => {}
            }
        }
        graph
    }

    /// Asks every small blob that looks like JSON: `cosign save` leaves bundles in a layout that nothing lists.
    pub(crate) fn of_blobs(place: &dyn Place, limits: &Limits) -> Result<Self, StoreError> {
        let mut graph = Self::default();
        let mut small = place.blobs(limits)?;
        small.retain(|(_, size)| *size <= limits.manifest_bytes);
        if small.len() > LOOSE_BLOBS {
            return Err(StoreError::TooMany { place: place.name(), what: "small blobs", limit: LOOSE_BLOBS });
        }
        small.sort_unstable();
        for (digest, size) in small {
            if let Some(peek) = Peek::at(place, &digest, limits).filter(|peek| peek.subject.is_some()) {
                let media_type = peek.guess_media_type().unwrap_or(media_type::OCI_MANIFEST).to_owned();
                graph.add(&digest, size, &media_type, peek);
            }
        }
        Ok(graph)
    }

    /// What refers to `subject`.
    pub(crate) fn referrers(&self, subject: &Digest) -> impl Iterator<Item = &Descriptor> {
        self.by_subject.get(subject).into_iter().flatten()
    }

    fn add(&mut self, digest: &Digest, size: u64, media_type: &str, peek: Peek) {
        self.children.extend(peek.manifests.iter().flatten().map(|child| child.digest));
        let Some(subject) = peek.subject.as_ref().map(|subject| subject.digest) else { return };
        self.referring.insert(*digest);
        let entry = peek.describe(Descriptor::new(media_type, *digest, size));
        self.by_subject.entry(subject).or_default().push(entry);
    }
}

impl Peek {
    /// The manifest with this digest, `None` where it cannot be read as one.
    pub(crate) fn at(place: &dyn Place, digest: &Digest, limits: &Limits) -> Option<Self> {
        let found = place.open(&blob_name(digest)).ok()??;
        let bytes = found.read("a manifest", limits.manifest_bytes).ok()?;
        Self::parse(&bytes, limits)
    }

    /// Reads `bytes` as far as they are a manifest.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Option<Self> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        (first == Some(&b'{')).then(|| json::parse(bytes, limits).ok())?
    }

    /// `descriptor` with what a list of referrers says beyond it: the truth, whatever some list says.
    pub(crate) fn describe(self, mut descriptor: Descriptor) -> Descriptor {
        let config = self.config.and_then(|config| config.media_type);
        descriptor.artifact_type = self.artifact_type.or(config);
        descriptor.annotations = self.annotations.unwrap_or_default();
        descriptor
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
    let kind = media_type::is_manifest(&entry.media_type) || media_type::is_index(&entry.media_type);
    !entry.annotations.contains_key(REF_NAME) && (kind || entry.artifact_type.is_some())
}

/// How many small blobs are looked into for a subject.
const LOOSE_BLOBS: usize = 100_000;
