//! `SavedArchive`: the images that `docker load` loads from a docker-archive of any tool: configs and layers.
//!
//! The invariant: what is returned is what is loaded. A loader takes files by the names in `manifest.json`, computes the
//! image id as the digest of the config, and compares each unpacked layer with the config.
//!
//! The archive is a file, or a stream that is read once: then every file in it is hashed as it passes, and what is listed
//! is known at the end, since the list may come last. A file that is compressed as a whole is read as a stream.
//!
//! 1. The headers are read strictly. A symbolic link is followed to a file inside the archive only, and no member may lie
//!    below a link, so that unpacking cannot replace a file that was read.
//! 2. `manifest.json` is parsed strictly; a key that a loader could take for another is refused.
//! 3. Every config that it lists is read, and every layer is hashed, each file once.
//! 4. If the archive also holds an OCI layout, some loaders use that instead: then both lists must describe the same
//!    images ([`DockerArchive`]), except that the layout may lack one without a name. [`SavedArchive::beside`] says what
//!    else a loader would take from the layout.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::media_type;
use crate::ordered;
use crate::store::DockerArchive;
use crate::store::StoreError;
use crate::store::archive;
use crate::store::archive::DOCKER_TRANSPORT;
use crate::store::archive::Tar;
use crate::store::archive::packed;
use crate::store::docker_archive::manifests::ProvenBy;
use crate::store::docker_list::SavedImage;
use crate::store::docker_list::read_manifest_json;
use crate::store::error::ArchiveFault;
use crate::store::error::BrokenReason;
use crate::store::error::ContradictionReason;
use crate::store::error::TarFault;
use crate::store::hashed_file;
use crate::store::hashed_file::HashedFile;
use crate::store::hashed_file::Unpacking;
use crate::store::local::layout_files::DOCKER_LIST;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::LayoutFiles as _;
use crate::store::local::layout_files::MARK;
use crate::store::unpack::Compression;
use crate::store::unpack::UnpackBudget;
use crate::store::unpack::UnpackFault;
use crate::text::Untrusted;

/// The images that `docker load` loads from a docker-archive: their configs and layers, read and hashed
/// (threats: docker-archive-unsigned-neighbour).
pub struct SavedArchive {
    images: Vec<LoadedImage>,
    layout: Option<DockerArchive>,
    place: String,
}

/// An image that `docker load` loads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadedImage {
    /// The config. Its digest is the image id.
    pub config: Content,
    /// The layers, in order.
    pub layers: Vec<LoadedLayer>,
    /// The names that loaders give to the image: `RepoTags`, and those of the entries of an OCI layout in the archive. They
    /// are not signed.
    pub names: Vec<String>,
}

/// A layer of a docker-archive, as it is in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadedLayer {
    /// The compression that its first bytes announce, which a loader unpacks.
    pub compression: Option<&'static str>,
    /// The SHA-256 digest of the file.
    pub digest: Digest,
    /// The size of the file, in bytes.
    pub size: u64,
    /// If it is compressed: the SHA-256 digest of its unpacked bytes, or why they are not known.
    pub unpacked: Option<Result<Digest, UnpackFault>>,
}

impl SavedArchive {
    /// Opens the docker-archive in the file `path`, and reads all of it that a loader takes.
    ///
    /// # Errors
    /// [`StoreError::Contradiction`] if a listed file is missing, or if the archive has two lists that differ; otherwise
    /// [`StoreError`] that says what is missing or broken, and at which byte.
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        if let Some(file) = packed::compressed_file(&path)? {
            return Self::pass(path, file, limits);
        }
        let tar = Tar::open_with_links(DOCKER_TRANSPORT, path.clone(), limits.clone())?;
        if tar.is_new() {
            return Err(archive::absent(&path));
        }
        check_lists(&tar)?;
        if !has_layout(&tar) {
            return Self::without_layout(&tar, &limits);
        }
        // With a layout no link is needed. From here on everything is read through the handle of this archive.
        let tar = Tar::open(DOCKER_TRANSPORT, path, limits.clone())?;
        Self::with_layout(tar, &limits)
    }

    /// Reads the docker-archive that `stream` delivers, once and to its end, with the memory that a file takes. It may be
    /// compressed.
    ///
    /// # Errors
    /// As [`SavedArchive::open`], and if the stream ends early.
    pub fn read(stream: impl Read, limits: Limits) -> Result<Self, StoreError> {
        Self::pass(PathBuf::from("-"), stream, limits)
    }

    fn pass(path: PathBuf, stream: impl Read, limits: Limits) -> Result<Self, StoreError> {
        let tar = packed::pass(path, stream, &limits)?;
        check_lists(&tar)?;
        match has_layout(&tar) {
            false => Self::without_layout(&tar, &limits),
            true if tar.has_links() => {
                let fault = ArchiveFault::Tar { at: 0, fault: TarFault::SymbolicLink };
                Err(StoreError::Broken { place: tar.name(), reason: BrokenReason::Archive(fault) })
            }
            true => Self::with_layout(tar, &limits),
        }
    }

    fn with_layout(tar: Tar, limits: &Limits) -> Result<Self, StoreError> {
        let budget = UnpackBudget::of(limits);
        let layout = DockerArchive::of(tar, limits.clone(), ProvenBy::Content(&budget))?;
        let images = images(layout.tar(), Some(&layout), &budget, limits)?;
        Ok(Self { images, place: layout.tar().name(), layout: Some(layout) })
    }

    fn without_layout(tar: &Tar, limits: &Limits) -> Result<Self, StoreError> {
        Ok(Self { images: images(tar, None, &UnpackBudget::of(limits), limits)?, layout: None, place: tar.name() })
    }

    /// The images that `docker load` loads, in the order of the list.
    pub fn images(&self) -> &[LoadedImage] {
        &self.images
    }

    /// The digests of the configs of all images.
    pub fn configs(&self) -> BTreeSet<Digest> {
        ordered::set(self.images.iter().map(|image| *image.config.digest()))
    }

    /// The first image of the OCI layout in the archive that a loader would take from there and that is neither one of
    /// `proven`, nor below one of them, nor made of the configs and layers of [`SavedArchive::images`] alone. `None` if
    /// there is no such image.
    ///
    /// # Errors
    /// Could-not-tell: the [`StoreError`] of a manifest that could not be read, if every other one is covered.
    pub fn beside(&self, proven: &BTreeSet<Digest>) -> Result<Option<Digest>, StoreError> {
        self.layout.as_ref().map_or(Ok(None), |layout| layout.beside(proven))
    }

    /// The location of the archive, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Refuses a list of images that is a link.
fn check_lists(tar: &Tar) -> Result<(), StoreError> {
    match [DOCKER_LIST, INDEX, MARK].into_iter().find(|name| tar.has_link(name)) {
        Some(name) => {
            let reason = ContradictionReason::ListIsLink(name);
            Err(StoreError::Contradiction { place: tar.name(), reason })
        }
        None => Ok(()),
    }
}

fn has_layout(tar: &Tar) -> bool {
    tar.has(MARK) || tar.has(INDEX)
}

/// Reads the images of the list: each config and each layer once, and configs of at most `limits.graph.bytes` together.
/// `layout` has hashed the blobs that it lists. Entries with the same config and layers are one image.
fn images(
    tar: &Tar,
    layout: Option<&DockerArchive>,
    budget: &UnpackBudget,
    limits: &Limits,
) -> Result<Vec<LoadedImage>, StoreError> {
    let saved = read_manifest_json(tar, limits)?;
    let layers = hashed_layers((tar, layout), &saved, budget, limits)?;
    let mut configs: BTreeMap<String, Content> = BTreeMap::new();
    let mut images: Vec<LoadedImage> = Vec::new();
    let mut left = limits.graph.bytes;
    for (number, image) in saved.into_iter().enumerate() {
        // Two links may lead to one file, which is read once.
        let real = tar.real_name(&image.config).ok_or_else(|| missing(tar, &image.config))?;
        let config = match configs.get(&real) {
            Some(config) => config.clone(),
            None => configs.entry(real).or_insert(read_config(tar, &image.config, &mut left, limits)?).clone(),
        };
        let of_name = |name: &String| tar.real_name(name).and_then(|real| layers.get(&real).copied());
        let layer = |name: &String| of_name(name).ok_or_else(|| missing(tar, name));
        let layers = image.layers.iter().map(layer).collect::<Result<Vec<_>, _>>()?;
        let mut names = image.repo_tags.unwrap_or_default();
        names.extend(layout.map(|layout| layout.names_of_loaded(number)).into_iter().flatten());
        let same = |image: &&mut LoadedImage| image.config.digest() == config.digest() && image.layers == layers;
        let image = match images.iter_mut().find(same) {
            Some(image) => image,
            None => images.push_mut(LoadedImage { config, layers, names: Vec::new() }),
        };
        for name in names {
            if !image.names.contains(&name) {
                image.names.push(name);
            }
        }
    }
    Ok(images)
}

/// The layers of all images, by the names of their files. Several are hashed at a time.
fn hashed_layers(
    (tar, layout): (&Tar, Option<&DockerArchive>),
    saved: &[SavedImage],
    budget: &UnpackBudget,
    limits: &Limits,
) -> Result<BTreeMap<String, LoadedLayer>, StoreError> {
    let mut names = BTreeSet::new();
    for name in saved.iter().flat_map(|image| &image.layers) {
        names.insert(tar.real_name(name).ok_or_else(|| missing(tar, name))?);
    }
    let names: Vec<_> = names.into_iter().collect();
    let layers = hashed_file::in_parallel(&names, |name| {
        // The config names layers by their SHA-256, whatever the names of their blobs are.
        let sha256 = DigestAlgorithm::Sha256;
        let of_layout = layout.and_then(|layout| layout.hashed(name)).filter(|file| file.digest.algorithm() == sha256);
        let file = match of_layout.or_else(|| tar.passed(name)) {
            Some(file) => file,
            None => {
                let file = tar.open(name)?.ok_or_else(|| missing(tar, name))?;
                let failed = |error| StoreError::io(format!("`{}` in {}", Untrusted::new(name), tar.name()), error);
                HashedFile::read(file.reader, sha256, Unpacking::Wanted(budget), limits).map_err(failed)?
            }
        };
        let HashedFile { compression, digest, size, unpacked } = file;
        Ok(LoadedLayer { compression: compression.map(Compression::name), digest, size, unpacked })
    })?;
    Ok(ordered::map(names.into_iter().zip(layers)))
}

/// Reads a config, and takes its size out of `left`.
fn read_config(tar: &Tar, name: &str, left: &mut u64, limits: &Limits) -> Result<Content, StoreError> {
    let file = tar.open(name)?.ok_or_else(|| missing(tar, name))?;
    let too_many = || StoreError::TooMany { place: tar.name(), what: "bytes of configs", limit: limits.graph.bytes };
    *left = left.checked_sub(file.size).ok_or_else(too_many)?;
    let what = format!("`{}` in {}", Untrusted::new(name), tar.name());
    Ok(Content::from_bytes(media_type::DOCKER_CONFIG, file.read(&what, limits.oci.manifest_bytes)?))
}

fn missing(tar: &Tar, name: &str) -> StoreError {
    StoreError::Contradiction { place: tar.name(), reason: ContradictionReason::Missing(Untrusted::new(name)) }
}
