//! `Relations`: the subjects, referrers and children of the manifests in a layout. Layouts have no standard list of
//! referrers, so the manifests themselves are read.

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

/// The relations between the manifests of a layout, as the manifests claim them, unverified.
#[derive(Default)]
pub(crate) struct Relations {
    /// The manifests that are listed in an index.
    pub(crate) children: BTreeSet<Digest>,
    /// The manifests with a subject.
    pub(crate) referring: BTreeSet<Digest>,
    /// Unnamed entries that could not be read, so that it is unknown whether they have a subject.
    pub(crate) unreadable: BTreeMap<Digest, Vec<Descriptor>>,
    by_subject: HashMap<Digest, Vec<Descriptor>>,
    /// The limit of referrers of one subject.
    limit: u64,
}

/// Whether a listed manifest is a referrer.
enum ReferrerStatus {
    NoReferrer,
    /// A referrer: its subject, and its descriptor as a list of referrers has it.
    Referrer(Digest, Descriptor),
    Unreadable,
}

/// The fields of a manifest that a list of referrers needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartialManifest {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    config: Option<PartialConfig>,
    #[serde(default, deserialize_with = "present")]
    layers: Option<()>,
    #[serde(default, deserialize_with = "listed")]
    manifests: Option<Vec<DigestField>>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    subject: Option<DigestField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialConfig {
    #[serde(default)]
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct DigestField {
    digest: Digest,
}

/// Whether a field is present, with any value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<()>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| Some(()))
}

/// A list; `null` is an empty one.
fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<DigestField>>, D::Error> {
    null_is_default(deserializer).map(Some)
}

impl Relations {
    /// Reads every manifest that `catalog` lists.
    pub(crate) fn of_entries(place: &dyn LayoutFiles, catalog: &Catalog, limits: &Limits) -> Self {
        let mut graph = Self { limit: limits.graph.referrers, ..Self::default() };
        // A manifest may be listed many times; it is read once. With another media type it is a different entry: a
        // wrong one must not hide the right one.
        let mut read: BTreeMap<_, ReferrerStatus> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for entry in catalog.descriptors() {
            let status = read.entry((entry.digest, entry.size)).or_insert_with(|| {
                let Ok(Some(partial)) = PartialManifest::at(place, &entry, limits) else {
                    return ReferrerStatus::Unreadable;
                };
                let listed = partial.manifests.iter().flatten().map(|child| child.digest);
                graph.children.extend(listed.filter(|child| catalog.lists(child)));
                match partial.subject() {
                    Some(subject) => ReferrerStatus::Referrer(subject, partial.describe(entry.bare())),
                    None => ReferrerStatus::NoReferrer,
                }
            });
            match status {
                ReferrerStatus::Referrer(subject, described) if seen.insert(entry.identity()) => {
                    graph.add(*subject, Descriptor { media_type: entry.media_type.clone(), ..described.clone() });
                }
                ReferrerStatus::Unreadable if may_refer(&entry) && seen.insert(entry.identity()) => {
                    graph.unreadable.entry(entry.digest).or_default().push(referrer::bounded_entry(entry));
                }
                _ => {}
            }
        }
        graph
    }

    /// Reads every small blob that looks like JSON and that `known` does not have as a referrer: `cosign save` leaves
    /// bundles in a layout that nothing lists.
    ///
    /// # Errors
    /// [`StoreError`] if a blob cannot be read: it may be a referrer.
    pub(crate) fn of_blobs(place: &dyn LayoutFiles, known: &Self, limits: &Limits) -> Result<Self, StoreError> {
        let mut graph = Self { limit: limits.graph.referrers, ..Self::default() };
        let mut small = place.blobs(limits, LOOSE_BLOBS + 1)?;
        if small.len() > LOOSE_BLOBS {
            return Err(StoreError::TooMany { place: place.name(), what: "small blobs", limit: count(LOOSE_BLOBS) });
        }
        small.sort_unstable();
        for (digest, size) in small.into_iter().filter(|(digest, _)| !known.referring.contains(digest)) {
            let mut entry = Descriptor::new(media_type::OCI_MANIFEST, digest, size);
            let Some(partial) = PartialManifest::at(place, &entry, limits)? else { continue };
            if let Some(subject) = partial.subject() {
                if let Some(kind) = partial.guess_media_type() {
                    entry.media_type = kind.chars().take(LONGEST_TYPE).collect();
                }
                graph.add(subject, partial.describe(entry));
            }
        }
        Ok(graph)
    }

    /// Adds a manifest that was just stored.
    pub(crate) fn learn(&mut self, content: &Content, limits: &Limits) {
        self.unreadable.remove(content.digest());
        let Some(partial) = PartialManifest::parse(content.bytes(), limits) else { return };
        self.children.extend(partial.manifests.iter().flatten().map(|child| child.digest));
        let entry = content.descriptor();
        let Some(subject) = partial.subject() else { return };
        // The relations of a manifest that is stored again are known already.
        let again = |known: &Descriptor| (known.size, &known.media_type) == (entry.size, &entry.media_type);
        let known = |of: &Self| of.referrers(&subject).filter(|known| known.digest == entry.digest).any(again);
        if !(self.referring.contains(&entry.digest) && known(self)) {
            self.add(subject, partial.describe(entry.bare()));
        }
    }

    /// Whether the manifest of `entry` may have relations to others.
    pub(crate) fn may_hold(&self, entry: &Descriptor) -> bool {
        media_type::is_index(&entry.media_type) || self.referring.contains(&entry.digest)
    }

    /// The referrers of `subject`.
    pub(crate) fn referrers(&self, subject: &Digest) -> impl Iterator<Item = &Descriptor> {
        self.by_subject.get(subject).into_iter().flatten()
    }

    fn add(&mut self, subject: Digest, referrer: Descriptor) {
        self.referring.insert(referrer.digest);
        // Most subjects have one referrer.
        let referrers = self.by_subject.entry(subject).or_insert_with(|| Vec::with_capacity(1));
        // One entry beyond the limit shows that it was exceeded.
        if count(referrers.len()) <= self.limit {
            referrers.push(referrer);
        }
    }
}

impl PartialManifest {
    /// Reads the manifest of `entry`; `None` if it does not exist, has another size or is no manifest.
    ///
    /// # Errors
    /// [`StoreError`] if its file cannot be read.
    pub(crate) fn at(place: &dyn LayoutFiles, entry: &Descriptor, limits: &Limits) -> Result<Option<Self>, StoreError> {
        let name = blob_name(&entry.digest);
        let Some(found) = place.open(&name)?.filter(|found| found.size == entry.size) else { return Ok(None) };
        let bytes = found.read(&format!("{name} in {}", place.name()), limits.oci.manifest_bytes)?;
        Ok(Self::parse(&bytes, limits))
    }

    /// Parses the fields of a manifest from `bytes`.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Option<Self> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        (first == Some(&b'{')).then(|| json::parse(bytes, limits).ok())?
    }

    /// The digest in the `subject` field.
    fn subject(&self) -> Option<Digest> {
        self.subject.as_ref().map(|subject| subject.digest)
    }

    /// `descriptor` with the artifact type and annotations that a list of referrers has. They come from the manifest
    /// itself, whatever an existing list claims.
    pub(crate) fn describe(self, mut descriptor: Descriptor) -> Descriptor {
        let config = self.config.and_then(|config| config.media_type);
        descriptor.artifact_type = self.artifact_type.or(config);
        descriptor.annotations = self.annotations.unwrap_or_default();
        referrer::bounded_entry(descriptor)
    }

    /// The media type of a manifest without a descriptor: its own, else the one that its fields suggest.
    pub(crate) fn guess_media_type(&self) -> Option<&str> {
        match (&self.media_type, &self.manifests, &self.config, &self.layers) {
            (Some(said), ..) => Some(said),
            (None, Some(_), None, None) => Some(media_type::OCI_INDEX),
            (None, None, Some(_), Some(_)) => Some(media_type::OCI_MANIFEST),
            _ => None,
        }
    }
}

/// Whether an unreadable entry could be a referrer: by its type, and because tools do not name referrers.
fn may_refer(entry: &Descriptor) -> bool {
    let kind = media_type::is_read(&entry.media_type);
    !entry.annotations.contains_key(REF_NAME) && (kind || entry.artifact_type.is_some())
}

/// The limit of small blobs that are searched for referrers.
const LOOSE_BLOBS: usize = 100_000;
/// The longest valid media type, RFC 6838 section 4.2.
const LONGEST_TYPE: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::layout_files::OpenFile;
    use crate::store::local::layout_files::StagedBlob;

    /// A layout with one blob whose file cannot be read.
    struct Unreadable;

    impl LayoutFiles for Unreadable {
        fn name(&self) -> String {
            "layout".to_owned()
        }

        fn open(&self, name: &str) -> Result<Option<OpenFile>, StoreError> {
            Err(StoreError::io(name, std::io::ErrorKind::PermissionDenied.into()))
        }

        fn blobs(&self, _: &Limits, _: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
            Ok(vec![(Digest::sha256(b"blob"), 4)])
        }

        fn is_new(&self) -> bool {
            false
        }

        fn begin(&self) -> Result<(), StoreError> {
            Ok(())
        }

        fn stage<'a>(&'a self, _: &Descriptor) -> Result<Box<dyn StagedBlob + 'a>, StoreError> {
            Err(StoreError::io("layout", std::io::ErrorKind::PermissionDenied.into()))
        }

        fn mark(&self) {}

        fn rollback(&self) {}

        fn commit(&self, _: &[u8]) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[test]
    fn a_blob_that_cannot_be_read_is_not_taken_for_one_that_refers_to_nothing() {
        let read = Relations::of_blobs(&Unreadable, &Relations::default(), &Limits::DEFAULT);
        assert!(matches!(read.err(), Some(StoreError::Io { .. })));
    }
}
