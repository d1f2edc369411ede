//! `DockerArchive`: reads a docker-archive, the output of `docker save`, if it also holds an OCI layout.
//!
//! The invariant: the verified image is the image that `docker load` loads. Such an archive has two lists:
//! `manifest.json` names files, `index.json` names digests. Loaders use either list, so both must describe the same
//! images.
//!
//! 1. `manifest.json` is parsed strictly; a key that a loader could take for another is refused.
//! 2. Every file that it lists must exist.
//! 3. `index.json` is parsed by the same rules, and every manifest below it is read once.
//! 4. Each image of `manifest.json` must be an image of `index.json`, with the same files, under each name in both. Only
//!    where each is proven by its own content may `index.json` lack one without a name.
//! 5. A manifest whose layers are in-toto statements is no image: none may be listed as one.
//! 6. Every config and layer is read to its end and hashed: a loader checks no digest.

mod attachment;
mod beside;
pub(super) mod manifests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::oci::name::equivalent_names;
use crate::oci::name::normalized;
use crate::oci::null::null_is_default;
use crate::oci::referrer::is_auxiliary_name;
use crate::ordered;
use crate::store::Archive;
use crate::store::Blob;
use crate::store::ListedImage;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::archive;
use crate::store::archive::DOCKER_TRANSPORT;
use crate::store::archive::Tar;
use crate::store::docker_archive::manifests::ProvenBy;
use crate::store::docker_archive::manifests::SavedManifests;
use crate::store::docker_list;
use crate::store::docker_list::ObjectKeys;
use crate::store::docker_list::read_manifest_json;
use crate::store::error::BrokenReason;
use crate::store::error::ContradictionReason;
use crate::store::error::LayoutFault;
use crate::store::error::MissingContent;
use crate::store::error::ReadOnlyFault;
use crate::store::hashed_file;
use crate::store::hashed_file::HashedFile;
use crate::store::hashed_file::Unpacking;
use crate::store::key_case::exact;
use crate::store::local::catalog::CONTAINERD_NAME;
use crate::store::local::catalog::REF_NAME;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::LayoutFiles as _;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::blob_name;
use crate::text::Untrusted;

/// An archive of `docker save` (docker-archive), read only.
///
/// Signatures are over the digest of the registry's manifest. Such an archive holds it only since Docker 25, in an OCI
/// layout beside Docker's own list of files. Both lists must describe the same images: one is verified, the other may
/// be loaded. Loaders take files by name and check no digest, so every listed config and layer is read and hashed when
/// the archive is opened (threats: docker-archive-other-bytes).
pub struct DockerArchive {
    archive: Archive,
    /// The configs and layers that were hashed, with their sizes in bytes.
    checked: BTreeMap<Digest, u64>,
    graph: SavedManifests,
    hashed: BTreeMap<Digest, HashedFile>,
    /// The images that `docker load` loads, by `manifest.json`: for each its config, then its layers.
    loaded: Vec<Vec<Digest>>,
    /// The names that `manifest.json` gives to each of them.
    repo_tags: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct IndexEntries {
    #[serde(default, deserialize_with = "null_is_default")]
    manifests: Vec<ObjectKeys>,
}

impl DockerArchive {
    /// Opens a docker-archive. `Ok` only if `manifest.json` and `index.json` describe the same images and every listed
    /// config and layer has its digest (steps of the module head).
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if it has no OCI layout and so no manifest digest; [`StoreError::Contradiction`] if its
    /// two lists differ, or a file has another digest than its name; otherwise as [`Archive::open`].
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        Self::open_as(DOCKER_TRANSPORT, path.into(), limits)
    }

    /// As [`DockerArchive::open`], for an archive that the operator named as an OCI archive and that is [one for
    /// Docker](Archive::is_for_docker) too: `docker load` would accept it as well.
    ///
    /// # Errors
    /// As [`DockerArchive::open`].
    pub fn open_as_layout(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        Self::open_as(archive::TRANSPORT, path.into(), limits)
    }

    fn open_as(transport: &'static str, path: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        let tar = Tar::open(transport, path.clone(), limits.clone())?;
        match tar.is_new() {
            true => Err(archive::absent(&path)),
            false => Self::of(tar, limits, ProvenBy::Manifest),
        }
    }

    /// Reads the archive in `tar`, and hashes what it lists.
    pub(super) fn of(tar: Tar, limits: Limits, proven_by: ProvenBy<'_>) -> Result<Self, StoreError> {
        let place = tar.name();
        let saved = read_manifest_json(&tar, &limits)?;
        let missing = |name: &&String| !tar.has(name);
        if let Some(name) = saved.iter().flat_map(|image| image.layers.iter().chain([&image.config])).find(missing) {
            let reason = ContradictionReason::Missing(Untrusted::new(name));
            return Err(StoreError::Contradiction { place, reason });
        }
        if !tar.has(MARK) {
            return Err(tar.without_digest());
        }
        check_key_case(&tar, &limits)?;
        let archive = Archive::of(tar, limits.clone())?;
        let Some(graph) = SavedManifests::read(&archive, &limits) else {
            return Err(StoreError::TooMany { place, what: "manifests", limit: limits.graph.manifests });
        };
        let mut loaded = Vec::new();
        for image in &saved {
            let Some(files) = graph.matching_files(&archive, image, proven_by) else {
                let reason = ContradictionReason::Lists { config: Untrusted::new(&image.config) };
                return Err(graph.unread_or(StoreError::Contradiction { place, reason }));
            };
            // Where images are proven by their content, that decides.
            if let (ProvenBy::Manifest, Some(digest)) = (proven_by, graph.statements_with(&files)) {
                let reason = ContradictionReason::Statements(digest);
                return Err(StoreError::Contradiction { place, reason });
            }
            loaded.push(files);
        }
        let unpacking = match proven_by {
            ProvenBy::Content(budget) => Unpacking::Wanted(budget),
            ProvenBy::Manifest => Unpacking::Skipped,
        };
        let files: Vec<_> = ordered::set(loaded.iter().flatten()).into_iter().collect();
        let hash =
            |file: &&Digest| Ok((**file, hash(&archive, file, graph.sizes.get(file).copied(), unpacking, &limits)?));
        let hashed = hashed_file::in_parallel(&files, hash)?;
        let checked = hashed.iter().map(|(digest, file)| (*digest, file.size)).collect();
        let repo_tags = saved.into_iter().map(|image| image.repo_tags.unwrap_or_default()).collect();
        Ok(Self { archive, checked, graph, hashed: hashed.into_iter().collect(), loaded, repo_tags })
    }

    /// Selects the named image, or the only one, as [`Archive::sole`]. `docker load` loads the same image under that
    /// name. Without a name, every image that a loader takes from either list must be the one that is selected.
    ///
    /// # Errors
    /// As [`Archive::sole`]; [`StoreError::Contradiction`] if a loader would load another image.
    pub fn choose(&self, named: Option<TagOrDigest>) -> Result<TagOrDigest, StoreError> {
        let contradiction = |reason| StoreError::Contradiction { place: self.origin().to_string(), reason };
        let not_loaded = |what: Digest| self.graph.unread_or(contradiction(ContradictionReason::NotLoaded(what)));
        let is_loaded = |digest: Digest| self.loaded.iter().any(|files| self.graph.holds(vec![digest], files));
        match named {
            None => {
                let sole = self.archive.sole()?.digest;
                if let Some(name) = self.named_too(&sole) {
                    return Err(contradiction(ContradictionReason::AlsoLoaded { name, sole }));
                }
                // `sole` skips manifests that are typed as signatures, but a loader loads those too.
                match self.beside(&ordered::set([sole])) {
                    _ if !is_loaded(sole) => Err(not_loaded(sole)),
                    _ if !self.loaded.iter().all(|files| self.graph.holds(vec![sole], files)) => Err(not_loaded(sole)),
                    Err(error) => Err(error),
                    Ok(Some(other)) => Err(contradiction(ContradictionReason::NotProven(other))),
                    Ok(None) => Ok(TagOrDigest::Digest(sole)),
                }
            }
            Some(TagOrDigest::Digest(digest)) => match self.archive.file(&digest)?.is_none() || is_loaded(digest) {
                true => Ok(TagOrDigest::Digest(digest)),
                false => Err(not_loaded(digest)),
            },
            Some(TagOrDigest::Tag(tag)) => {
                self.archive.is_unambiguous(&tag)?;
                let meant = self.archive.named(&tag);
                if let Some(loaded) = self.containerd_choice(&tag, &meant) {
                    return Err(contradiction(ContradictionReason::Name { loaded, name: Untrusted::new(&tag) }));
                }
                match meant.iter().find(|entry| !is_loaded(entry.digest)) {
                    Some(entry) => Err(not_loaded(entry.digest)),
                    None => Ok(TagOrDigest::Tag(tag)),
                }
            }
        }
    }
}

impl DockerArchive {
    /// The manifest that `docker load` loads of each image of `index.json`, by the digest of the image, for a writer that
    /// makes both lists of `index.json` alone.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if it loads several of one index: which of them has which name is not in `index.json`. Also
    /// if only `manifest.json` gives an image a name, which would be lost.
    pub(super) fn listed(&self) -> Result<BTreeMap<Digest, Descriptor>, StoreError> {
        if let Some(name) = self.name_in_one_list() {
            let reason = ReadOnlyFault::NameInOneList(Untrusted::new(name));
            return Err(StoreError::ReadOnly { place: self.origin().to_string(), reason });
        }
        let mut listed: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        for Descriptor { digest: image, .. } in self.archive.entries() {
            for manifest in self.loaded.iter().filter_map(|files| self.graph.find(vec![image], files)) {
                let first = listed.entry(image).or_insert_with(|| manifest.clone());
                if first.digest != manifest.digest {
                    let reason = ReadOnlyFault::OtherPlatform { image, listed: first.digest };
                    return Err(StoreError::ReadOnly { place: self.origin().to_string(), reason });
                }
            }
        }
        Ok(listed)
    }

    /// A name that `manifest.json` gives to an image, and that no entry of `index.json` for it has.
    fn name_in_one_list(&self) -> Option<&String> {
        let mut named: BTreeMap<String, Vec<Digest>> = BTreeMap::new();
        for entry in self.archive.entries() {
            for name in docker_list::repo_tags(&entry) {
                named.entry(name.normalized().into_owned()).or_default().push(entry.digest);
            }
        }
        let has = |name: &str, files: &Vec<Digest>| {
            let digests = named.get(&*normalized(name));
            digests.is_some_and(|digests| self.graph.holds(digests.clone(), files))
        };
        let mut images = self.repo_tags.iter().zip(&self.loaded);
        images.find_map(|(names, files)| names.iter().find(|name| !has(name, files)))
    }

    /// The name of an entry of `index.json` other than `sole`, if there is one: Docker with the containerd image store
    /// loads every named entry, whatever its type.
    fn named_too(&self, sole: &Digest) -> Option<Untrusted> {
        let name = |entry: Descriptor| {
            let names = [REF_NAME, CONTAINERD_NAME].into_iter().filter_map(|key| entry.annotations.get(key));
            names.filter(|name| !is_auxiliary_name(name)).map(|name| Untrusted::new(name)).next()
        };
        self.archive.entries().into_iter().filter(|entry| entry.digest != *sole).find_map(name)
    }

    /// The digest that containerd would load for `tag`, if it is not in `meant`. containerd looks at full names first.
    fn containerd_choice(&self, tag: &str, meant: &[Descriptor]) -> Option<Digest> {
        let names = equivalent_names(tag);
        let named_so = |entry: &Descriptor| {
            let name = entry.annotations.get(CONTAINERD_NAME).or_else(|| entry.annotations.get(REF_NAME));
            name.is_some_and(|name| names.contains(name) || name.strip_suffix(tag).is_some_and(|n| n.ends_with(':')))
        };
        let other = |entry: &Descriptor| meant.iter().any(|meant| meant.digest != entry.digest);
        self.archive.entries().iter().find(|entry| other(entry) && named_so(entry)).map(|entry| entry.digest)
    }
}

/// Checks the keys of `index.json`: a loader written in Go would accept them in another case, and read another value.
fn check_key_case(tar: &Tar, limits: &Limits) -> Result<(), StoreError> {
    let place = tar.name();
    let Some(index) = tar.open(INDEX)? else { return Ok(()) };
    let index = index.read(&format!("{INDEX} in {place}"), limits.oci.manifest_bytes)?;
    let fault = |error| BrokenReason::Layout(LayoutFault::Json { file: INDEX, error });
    let unreadable = |error| StoreError::Broken { place: place.clone(), reason: fault(error) };
    let keys: ObjectKeys = json::parse(&index, limits).map_err(unreadable)?;
    exact(&place, INDEX, keys.keys(), &INDEX_KEYS)?;
    let entries: IndexEntries = json::read(&index).map_err(unreadable)?;
    exact(&place, INDEX, entries.manifests.iter().flat_map(BTreeMap::keys), &ENTRY_KEYS)
}

/// Hashes the file of `digest` to its end.
///
/// # Errors
/// [`StoreError::Contradiction`] if it has another digest, or another size than its manifest declares; a file of
/// another size is not read.
fn hash(
    archive: &Archive,
    digest: &Digest,
    size: Option<u64>,
    unpacking: Unpacking<'_>,
    limits: &Limits,
) -> Result<HashedFile, StoreError> {
    let place = archive.origin().to_string();
    let contradiction = |reason| StoreError::Contradiction { place: place.clone(), reason };
    let check_size = |found: u64| match size.filter(|size| *size != found) {
        Some(wanted) => Err(contradiction(ContradictionReason::Size { digest: *digest, found, wanted })),
        None => Ok(()),
    };
    // A stream was hashed with SHA-256; a file of another algorithm is not found below.
    let passed = archive.place().passed(&blob_name(digest));
    let hashed = match passed.filter(|passed| passed.digest.algorithm() == digest.algorithm()) {
        Some(passed) => passed,
        None => {
            let Some(file) = archive.file(digest)? else {
                return Err(StoreError::NotFound { content: MissingContent::Digest { digest: *digest, place } });
            };
            check_size(file.size)?;
            let read = HashedFile::read(file.reader, digest.algorithm(), unpacking, limits);
            read.map_err(|error| StoreError::io(place.clone(), error))?
        }
    };
    check_size(hashed.size)?;
    match hashed.digest == *digest {
        true => Ok(hashed),
        false => Err(contradiction(ContradictionReason::Digest { digest: *digest, found: hashed.digest })),
    }
}

impl Source for DockerArchive {
    fn resolve<'a>(&'a self, tag_or_digest: &'a TagOrDigest) -> Task<'a, Result<Content, StoreError>> {
        self.archive.resolve(tag_or_digest)
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        self.archive.manifest(descriptor)
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        self.archive.blob(descriptor, limit)
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        Source::open(&self.archive, descriptor)
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        self.archive.referrers(subject, artifact_type)
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        self.archive.names()
    }

    fn images(&self) -> Task<'_, Result<Vec<ListedImage>, StoreError>> {
        self.archive.images()
    }

    fn names_of(&self, tag_or_digest: &TagOrDigest) -> Vec<String> {
        self.archive.names_of(tag_or_digest)
    }

    fn origin(&self) -> Origin {
        self.archive.origin()
    }

    fn checked_when_opened(&self) -> Option<&BTreeMap<Digest, u64>> {
        Some(&self.checked)
    }

    fn is_evidence(&self) -> bool {
        self.archive.is_evidence()
    }

    fn chooses_platform(&self) -> bool {
        true
    }
}

const ENTRY_KEYS: [&str; 8] =
    ["annotations", "artifactType", "data", "digest", "mediaType", "platform", "size", "urls"];
const INDEX_KEYS: [&str; 6] = ["annotations", "artifactType", "manifests", "mediaType", "schemaVersion", "subject"];
