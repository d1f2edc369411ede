//! `SavedArchive`: the images that `docker load` loads from a docker-archive of any tool: configs and layers.
//!
//! The invariant: what is returned is what is loaded. A loader takes files by the names in `manifest.json`, computes the
//! image id as the digest of the config, and compares each unpacked layer with the config.
//!
//! 1. The headers are read strictly. A symbolic link is followed to a file inside the archive only, and no member may lie
//!    below a link, so that unpacking cannot replace a file that was read.
//! 2. `manifest.json` is parsed strictly; a key that a loader could take for another is refused.
//! 3. Every config that it lists is read, and every layer is hashed, each file once.
//! 4. If the archive also holds an OCI layout, some loaders use that instead: then both lists must describe the same
//!    images ([`DockerArchive`]), and [`SavedArchive::beside`] says what else a loader would take from the layout.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Read as _;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::digest::Hasher;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::media_type;
use crate::store::DockerArchive;
use crate::store::Source as _;
use crate::store::StoreError;
use crate::store::archive;
use crate::store::archive::DOCKER_TRANSPORT;
use crate::store::archive::Tar;
use crate::store::docker_list::SavedImage;
use crate::store::docker_list::read_manifest_json;
use crate::store::error::ContradictionReason;
use crate::store::local::layout_files::DOCKER_LIST;
use crate::store::local::layout_files::INDEX;
use crate::store::local::layout_files::LayoutFiles as _;
use crate::store::local::layout_files::MARK;
use crate::store::local::layout_files::blob_digest;
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
    /// The digest of the file.
    pub digest: Digest,
    /// The size of the file, in bytes.
    pub size: u64,
}

impl SavedArchive {
    /// Opens the docker-archive in the file `path`, and reads all of it that a loader takes.
    ///
    /// # Errors
    /// [`StoreError::Contradiction`] if a listed file is missing, or if the archive has two lists that differ; otherwise
    /// [`StoreError`] that says what is missing or broken, and at which byte.
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        let tar = Tar::open_with_links(DOCKER_TRANSPORT, path.clone(), limits.clone())?;
        if tar.is_new() {
            return Err(archive::absent(&path));
        }
        let place = tar.name();
        if let Some(name) = [DOCKER_LIST, INDEX, MARK].into_iter().find(|name| tar.has_link(name)) {
            let reason = ContradictionReason::ListIsLink(name);
            return Err(StoreError::Contradiction { place, reason });
        }
        if !tar.has(MARK) && !tar.has(INDEX) {
            let images = images(&tar, None, &limits)?;
            return Ok(Self { images, layout: None, place });
        }
        // From here on everything is read through the handle of `layout`.
        let layout = DockerArchive::open(path, limits.clone())?;
        let images = images(layout.tar(), Some(&layout), &limits)?;
        Ok(Self { images, layout: Some(layout), place })
    }

    /// The images that `docker load` loads, in the order of the list.
    pub fn images(&self) -> &[LoadedImage] {
        &self.images
    }

    /// The first image of the OCI layout in the archive that a loader would take from there and that is neither one of
    /// `proven`, nor below one of them, nor made of the configs and layers of [`SavedArchive::images`] alone. `None` if
    /// there is no such image.
    pub fn beside(&self, proven: &BTreeSet<Digest>) -> Option<Digest> {
        self.layout.as_ref()?.beside(proven)
    }

    /// The location of the archive, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Reads the images of the list: each config and each layer once, and configs of at most `limits.graph.bytes` together.
/// `layout` has hashed the blobs that it lists. Entries with the same config and layers are one image.
fn images(tar: &Tar, layout: Option<&DockerArchive>, limits: &Limits) -> Result<Vec<LoadedImage>, StoreError> {
    let hashed = layout.and_then(DockerArchive::checked_when_opened).cloned().unwrap_or_default();
    let mut configs: BTreeMap<String, Content> = BTreeMap::new();
    let mut files: BTreeMap<String, LoadedLayer> = BTreeMap::new();
    let mut images: Vec<LoadedImage> = Vec::new();
    let mut left = limits.graph.bytes;
    for (number, SavedImage { config, layers, repo_tags, .. }) in read_manifest_json(tar, limits)?.into_iter().enumerate() {
        // Two links may lead to one file, which is read once.
        let real = tar.real_name(&config).ok_or_else(|| missing(tar, &config))?;
        let config = match configs.get(&real) {
            Some(config) => config.clone(),
            None => configs.entry(real).or_insert(read_config(tar, &config, &mut left, limits)?).clone(),
        };
        let mut loaded = Vec::new();
        for name in layers {
            let real = tar.real_name(&name).ok_or_else(|| missing(tar, &name))?;
            let layer = match files.get(&real) {
                Some(layer) => *layer,
                None => read(tar, &real, &hashed)?,
            };
            files.insert(real, layer);
            loaded.push(layer);
        }
        let mut names = repo_tags.unwrap_or_default();
        names.extend(layout.map(|layout| layout.names_of_loaded(number)).into_iter().flatten());
        let same = |image: &&mut LoadedImage| image.config.digest() == config.digest() && image.layers == loaded;
        let image = match images.iter_mut().find(same) {
            Some(image) => image,
            None => images.push_mut(LoadedImage { config, layers: loaded, names: Vec::new() }),
        };
        for name in names {
            if !image.names.contains(&name) {
                image.names.push(name);
            }
        }
    }
    Ok(images)
}

/// Reads a config, and takes its size out of `left`.
fn read_config(tar: &Tar, name: &str, left: &mut u64, limits: &Limits) -> Result<Content, StoreError> {
    let file = tar.open(name)?.ok_or_else(|| missing(tar, name))?;
    let too_many = || StoreError::TooMany { place: tar.name(), what: "bytes of configs", limit: limits.graph.bytes };
    *left = left.checked_sub(file.size).ok_or_else(too_many)?;
    let what = format!("`{}` in {}", Untrusted::new(name), tar.name());
    Ok(Content::from_bytes(media_type::DOCKER_CONFIG, file.read(&what, limits.oci.manifest_bytes)?))
}

/// Hashes a layer to its end, unless it is a blob whose digest was checked.
fn read(tar: &Tar, name: &str, hashed: &BTreeMap<Digest, u64>) -> Result<LoadedLayer, StoreError> {
    let place = format!("`{}` in {}", Untrusted::new(name), tar.name());
    let mut file = tar.open(name)?.ok_or_else(|| missing(tar, name))?;
    let known = blob_digest(name).filter(|digest| hashed.get(digest) == Some(&file.size));
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    let (mut first, mut length) = (Vec::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        match file.reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                let part = piece.get(..count).unwrap_or_default();
                first.extend(part.iter().take(MAGIC - first.len().min(MAGIC)));
                length += u64::try_from(count).unwrap_or_default();
                if known.is_some() && first.len() >= MAGIC {
                    break;
                }
                hasher.update(part);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::io(place, error)),
        }
    }
    let digest = known.unwrap_or_else(|| hasher.finish());
    let size = if known.is_some() { file.size } else { length };
    Ok(LoadedLayer { compression: compression(&first), digest, size })
}

/// The compression that `docker load` recognises by the first bytes of a layer.
fn compression(first: &[u8]) -> Option<&'static str> {
    match first {
        [0x1f, 0x8b, 0x08, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some("zstd"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [b'B', b'Z', b'h', ..] => Some("bzip2"),
        _ => None,
    }
}

fn missing(tar: &Tar, name: &str) -> StoreError {
    StoreError::Contradiction { place: tar.name(), reason: ContradictionReason::Missing(Untrusted::new(name)) }
}

/// How many bytes tell the compression.
const MAGIC: usize = 6;
const PIECE: usize = 256 << 10;
