//! `DockerArchive`: reads a docker-archive, the output of `docker save`, if it also holds an OCI layout.
//!
//! The invariant: the verified image is the image that `docker load` loads. Such an archive has two lists:
//! `manifest.json` names files, `index.json` names digests. Loaders use either list, so both must describe the same
//! images.
//!
//! 1. `manifest.json` is parsed strictly; a key that a loader could take for another is refused.
//! 2. Every file that it lists must exist.
//! 3. `index.json` is parsed by the same rules, and every manifest below it is read once.
//! 4. Each image of `manifest.json` must be an image of `index.json`, with the same files, under each name in both.
//! 5. Every config and layer is read to its end and hashed: a loader checks no digest.

mod attachment;
mod beside;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Read as _;
use std::path::PathBuf;

use serde::Deserialize;

use crate::digest::Digest;
use crate::digest::Hasher;
use crate::json;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::TagOrDigest;
use crate::oci::name::equivalent_names;
use crate::oci::null::null_is_default;
use crate::oci::referrer::is_auxiliary_name;
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
use crate::store::docker_list::ObjectKeys;
use crate::store::docker_list::SavedImage;
use crate::store::docker_list::read_manifest_json;
use crate::store::error::BrokenReason;
use crate::store::error::ContradictionReason;
use crate::store::error::LayoutFault;
use crate::store::error::MissingContent;
use crate::store::error::ReadOnlyFault;
use crate::store::key_case::exact;
use crate::store::local::catalog::CONTAINERD_NAME;
use crate::store::local::catalog::REF_NAME;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::LayoutFiles as _;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::blob_digest;
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
    /// The images that `docker load` loads, by `manifest.json`: for each its config, then its layers.
    loaded: Vec<Vec<Digest>>,
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
        if tar.is_new() {
            return Err(archive::absent(&path));
        }
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
            let Some(files) = graph.matching_files(&archive, image) else {
                let reason = ContradictionReason::Lists { config: Untrusted::new(&image.config) };
                return Err(StoreError::Contradiction { place, reason });
            };
            loaded.push(files);
        }
        let files: BTreeSet<_> = loaded.iter().flatten().collect();
        let check = |file: &Digest| Ok((*file, hash(&archive, file, graph.sizes.get(file).copied())?));
        let checked = files.into_iter().map(check).collect::<Result<_, StoreError>>()?;
        Ok(Self { archive, checked, graph, loaded })
    }

    /// Selects the named image, or the only one, as [`Archive::sole`]. `docker load` loads the same image under that
    /// name. Without a name, every image that a loader takes from either list must be the one that is selected.
    ///
    /// # Errors
    /// As [`Archive::sole`]; [`StoreError::Contradiction`] if a loader would load another image.
    pub fn choose(&self, named: Option<TagOrDigest>) -> Result<TagOrDigest, StoreError> {
        let contradiction = |reason| StoreError::Contradiction { place: self.origin().to_string(), reason };
        let not_loaded = |what: Digest| contradiction(ContradictionReason::NotLoaded(what));
        let is_loaded = |digest: Digest| self.loaded.iter().any(|files| self.graph.holds(vec![digest], files));
        match named {
            None => {
                let sole = self.archive.sole()?.digest;
                if let Some(name) = self.named_too(&sole) {
                    return Err(contradiction(ContradictionReason::AlsoLoaded { name, sole }));
                }
                // `sole` skips manifests that are typed as signatures, but a loader loads those too.
                match self.beside(&BTreeSet::from([sole])) {
                    _ if !is_loaded(sole) => Err(not_loaded(sole)),
                    _ if !self.loaded.iter().all(|files| self.graph.holds(vec![sole], files)) => Err(not_loaded(sole)),
                    Some(other) => Err(contradiction(ContradictionReason::NotProven(other))),
                    None => Ok(TagOrDigest::Digest(sole)),
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
    /// The manifest that `docker load` loads of each image of `index.json`, by the digest of the image.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] if it loads several of one index: which of them has which name is not in `index.json`.
    pub(super) fn listed(&self) -> Result<BTreeMap<Digest, Descriptor>, StoreError> {
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

/// Hashes the file of `digest` to its end and returns its size in bytes.
///
/// # Errors
/// [`StoreError::Contradiction`] if it has another digest, or another size than its manifest declares; a file of
/// another size is not read.
fn hash(archive: &Archive, digest: &Digest, size: Option<u64>) -> Result<u64, StoreError> {
    let place = archive.origin().to_string();
    let Some(mut file) = archive.file(digest)? else {
        return Err(StoreError::NotFound { content: MissingContent::Digest { digest: *digest, place } });
    };
    if let Some(wanted) = size.filter(|size| *size != file.size) {
        let reason = ContradictionReason::Size { digest: *digest, found: file.size, wanted };
        return Err(StoreError::Contradiction { place, reason });
    }
    let mut hasher = Hasher::new(digest.algorithm());
    let mut piece = vec![0; PIECE];
    loop {
        match file.reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => hasher.update(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::io(place, error)),
        }
    }
    let found = hasher.finish();
    let reason = ContradictionReason::Digest { digest: *digest, found };
    if found == *digest { Ok(file.size) } else { Err(StoreError::Contradiction { place, reason }) }
}

/// The manifests of the OCI layout in the archive, each parsed once.
struct SavedManifests {
    nodes: BTreeMap<Digest, SavedManifest>,
    /// The manifests that no loader can make an image of.
    attachments: BTreeSet<Digest>,
    /// The declared size of each config and layer, in bytes.
    sizes: BTreeMap<Digest, u64>,
}

enum SavedManifest {
    Index(Vec<Digest>),
    /// The manifest; the config, then the layers.
    Image(Descriptor, Vec<Digest>),
}

impl SavedManifests {
    /// Reads all manifests below `index.json`, an unreadable one as empty; `None` beyond `limits.graph`.
    fn read(archive: &Archive, limits: &Limits) -> Option<Self> {
        let mut bytes = limits.graph.bytes;
        let (mut attachments, mut nodes, mut sizes) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        let mut waiting = archive.entries();
        while let Some(entry) = waiting.pop() {
            if nodes.contains_key(&entry.digest) {
                continue;
            }
            bytes = bytes.checked_sub(entry.size).filter(|_| count(nodes.len()) < limits.graph.manifests)?;
            let content = archive.fetch(&entry.bare(), limits.oci.manifest_bytes).ok();
            let node = match content.and_then(|content| Document::parse(&content, limits).ok()) {
                Some(Document::Manifest(manifest)) => {
                    let attached = attachment::is_attachment(archive, &manifest, limits, &mut bytes);
                    attachments.extend(attached.then_some(entry.digest));
                    let parts = [&manifest.config].into_iter().chain(&manifest.layers);
                    sizes.extend(parts.clone().map(|part| (part.digest, part.size)));
                    SavedManifest::Image(entry.bare(), parts.map(|part| part.digest).collect())
                }
                Some(Document::Index(index)) => {
                    attachments.extend(index.manifests.is_empty().then_some(entry.digest));
                    waiting.extend(index.manifests.iter().map(Descriptor::bare));
                    SavedManifest::Index(index.manifests.iter().map(|child| child.digest).collect())
                }
                Some(Document::Artifact(_)) => {
                    attachments.insert(entry.digest);
                    SavedManifest::Index(Vec::new())
                }
                None => SavedManifest::Index(Vec::new()),
            };
            nodes.insert(entry.digest, node);
        }
        Some(Self { attachments, nodes, sizes })
    }

    /// The config and layers of `image`, if the layout agrees; otherwise `None`. It agrees if one of its images has
    /// exactly these files, and each name of `image` that it also has, in any equivalent form, selects such an image.
    fn matching_files(&self, archive: &Archive, image: &SavedImage) -> Option<Vec<Digest>> {
        let files = [&image.config].into_iter().chain(&image.layers).map(|name| blob_digest(name));
        let files = files.collect::<Option<Vec<_>>>()?;
        let is_there = |entries: &[Descriptor]| self.holds(entries.iter().map(|entry| entry.digest).collect(), &files);
        let named = |name: &String| {
            let entries = equivalent_names(name).into_iter().map(|name| archive.named(&name));
            entries.filter(|entries| !entries.is_empty()).all(|entries| is_there(&entries))
        };
        let agrees = is_there(&archive.entries()) && image.repo_tags.iter().flatten().all(named);
        agrees.then_some(files)
    }

    /// Whether one of the manifests `waiting`, or a manifest below one of them, has exactly these files.
    fn holds(&self, waiting: Vec<Digest>, files: &[Digest]) -> bool {
        self.find(waiting, files).is_some()
    }

    /// The first of the manifests `waiting`, or of those below them, that has exactly these files.
    fn find(&self, mut waiting: Vec<Digest>, files: &[Digest]) -> Option<&Descriptor> {
        let mut seen = BTreeSet::new();
        while let Some(digest) = waiting.pop() {
            match self.nodes.get(&digest).filter(|_| seen.insert(digest)) {
                Some(SavedManifest::Image(manifest, image)) if image == files => return Some(manifest),
                Some(SavedManifest::Index(children)) => waiting.extend(children),
                Some(SavedManifest::Image(..)) | None => {}
            }
        }
        None
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
const PIECE: usize = 256 << 10;
