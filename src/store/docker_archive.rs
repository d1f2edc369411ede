//! `DockerArchive`: what `docker save` writes, as far as it can be signed or verified at all.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

use crate::digest::Digest;
use crate::json;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Selector;
use crate::store::Archive;
use crate::store::Blob;
use crate::store::Listing;
use crate::store::Origin;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::archive::Tar;
use crate::store::local::place::MARK;
use crate::store::local::place::Place as _;
use crate::store::local::place::blob_digest;

/// An archive of `docker save`. Read only.
///
/// The digest that signatures are over is that of the registry's manifest, which such an archive holds only since
/// Docker 25, in an OCI layout beside Docker's own list of files. Both have to speak of the same images: what is
/// verified by the one is loaded by the other.
pub struct DockerArchive(Archive);

/// An entry of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    layers: Vec<String>,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

impl DockerArchive {
    /// Opens the archive in the file `path`.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] where it holds no manifest and so has no digest; [`StoreError::Broken`] where its two
    /// lists differ; else as [`Archive::open`].
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        let tar = Tar::open("docker-archive", path.clone(), limits.clone())?;
        if tar.is_new() {
            // The one error that says that there is no such file.
            return Archive::open(path, limits).map(Self);
        }
        let place = format!("docker-archive:{}", path.display());
        let broken = |why: String| StoreError::Broken { place: place.clone(), why };
        let list = tar.open("manifest.json")?.ok_or_else(|| broken("it has no manifest.json".to_owned()))?;
        let list = list.read(&format!("manifest.json in {place}"), limits.manifest_bytes)?;
        let saved: Vec<Saved> =
            json::parse(&list, &limits).map_err(|error| broken(format!("manifest.json: {error}")))?;
        let tags = saved.iter().map(|image| 1 + image.repo_tags.as_ref().map_or(0, Vec::len)).sum::<usize>();
        if tags > limits.descriptors {
            return Err(StoreError::TooMany { place, what: "images and names", limit: limits.descriptors });
        }
        let missing = |name: &&String| !tar.has(name);
        if let Some(name) = saved.iter().flat_map(|image| image.layers.iter().chain([&image.config])).find(missing) {
            return Err(broken(format!(
                "its manifest.json lists `{:.200}`, which it does not have",
                name.escape_debug()
            )));
        }
        if !tar.has(MARK) {
            return Err(StoreError::ReadOnly { place, why: NO_DIGEST.to_owned() });
        }
        let archive = Archive::of(tar, limits.clone())?;
        let Some(graph) = Graph::read(&archive, &limits) else {
            return Err(StoreError::TooMany { place, what: "manifests", limit: limits.descriptors });
        };
        match saved.iter().find(|image| !graph.agrees(&archive, image)) {
            Some(other) => {
                let config = other.config.escape_debug();
                Err(broken(format!("its index.json does not say of `{config:.200}` what its manifest.json says")))
            }
            None => Ok(Self(archive)),
        }
    }

    /// The one image, as [`Archive::sole`].
    ///
    /// # Errors
    /// As [`Archive::sole`].
    pub fn sole(&self) -> Result<Descriptor, StoreError> {
        self.0.sole()
    }
}

/// What the layout of an archive holds; each manifest was read once.
struct Graph(BTreeMap<Digest, Node>);

enum Node {
    Index(Vec<Digest>),
    /// The config, then the layers.
    Image(Vec<Digest>),
}

impl Graph {
    /// Reads them all, unless there are too many of them.
    fn read(archive: &Archive, limits: &Limits) -> Option<Self> {
        let mut bytes = limits.graph_bytes;
        let mut nodes = BTreeMap::new();
        let mut waiting = archive.entries();
        while let Some(entry) = waiting.pop() {
            if nodes.contains_key(&entry.digest) {
                continue;
            }
            bytes = bytes.checked_sub(entry.size).filter(|_| nodes.len() < limits.descriptors)?;
            let content = archive.fetch(&entry.bare(), limits.manifest_bytes).ok();
            let node = match content.and_then(|content| Document::parse(&content, limits).ok()) {
                Some(Document::Manifest(manifest)) => {
                    let parts = [&manifest.config].into_iter().chain(&manifest.layers);
                    Node::Image(parts.map(|part| part.digest).collect())
                }
                Some(Document::Index(index)) => {
                    let children = index.manifests.iter().map(|child| child.digest).collect();
                    waiting.extend(index.manifests.iter().map(Descriptor::bare));
                    Node::Index(children)
                }
                None => Node::Index(Vec::new()),
            };
            nodes.insert(entry.digest, node);
        }
        Some(Self(nodes))
    }

    /// Whether the layout has an image with just the files of `image`, under each of its names, in every spelling of
    /// one that the layout has at all.
    fn agrees(&self, archive: &Archive, image: &Saved) -> bool {
        let files = [&image.config].into_iter().chain(&image.layers).map(|name| blob_digest(name));
        let Some(files) = files.collect::<Option<Vec<_>>>() else { return false };
        let is_there = |entries: &[Descriptor]| self.holds(entries.iter().map(|entry| entry.digest).collect(), &files);
        let named = |name: &String| {
            let tag = name.rsplit_once(':').map_or(name.as_str(), |(_, tag)| tag);
            let short = name.strip_prefix("docker.io/").unwrap_or(name);
            let short = short.strip_prefix("library/").unwrap_or(short);
            let hub = ["docker.io/library/", "docker.io/", "library/", ""].map(|prefix| format!("{prefix}{short}"));
            let hub: BTreeSet<_> = hub.into_iter().chain([name.clone(), tag.to_owned()]).collect();
            let mut spelled = hub.iter().map(|name| archive.named(name)).filter(|entries| !entries.is_empty());
            spelled.all(|entries| is_there(&entries))
        };
        is_there(&archive.entries()) && image.repo_tags.iter().flatten().all(named)
    }

    fn holds(&self, mut waiting: Vec<Digest>, files: &[Digest]) -> bool {
        let mut seen = BTreeSet::new();
        while let Some(digest) = waiting.pop() {
            match self.0.get(&digest).filter(|_| seen.insert(digest)) {
                Some(Node::Image(image)) if image == files => return true,
                Some(Node::Index(children)) => waiting.extend(children),
                Some(Node::Image(_)) | None => {}
            }
        }
        false
    }
}

impl Source for DockerArchive {
    fn resolve<'a>(&'a self, selector: &'a Selector) -> Task<'a, Result<Content, StoreError>> {
        self.0.resolve(selector)
    }

    fn manifest<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Content, StoreError>> {
        self.0.manifest(descriptor)
    }

    fn blob<'a>(&'a self, descriptor: &'a Descriptor, limit: u64) -> Task<'a, Result<Content, StoreError>> {
        self.0.blob(descriptor, limit)
    }

    fn open<'a>(&'a self, descriptor: &'a Descriptor) -> Task<'a, Result<Blob, StoreError>> {
        Source::open(&self.0, descriptor)
    }

    fn referrers<'a>(
        &'a self,
        subject: &'a Digest,
        artifact_type: Option<&'a str>,
    ) -> Task<'a, Result<Option<Listing>, StoreError>> {
        self.0.referrers(subject, artifact_type)
    }

    fn names(&self) -> Task<'_, Result<Vec<String>, StoreError>> {
        self.0.names()
    }

    fn origin(&self) -> Origin {
        self.0.origin()
    }
}

const NO_DIGEST: &str = "it has no registry manifest and so no digest that could be signed: a docker-archive holds the \
                         config and unpacked layers only; take the image from its registry instead, for example with \
                         `skopeo copy --all docker://… oci-archive:…`";
