//! `DockerArchiveWriter`: writes a docker-archive that every reader takes: an OCI layout, and Docker's list of its blobs.
//!
//! The invariant: both lists describe the same images, and `docker load` loads, under each name, the manifest that was
//! listed for it.
//!
//! 1. An existing archive is read by the rules of [`DockerArchive`]; its images stay in both lists. One that another process
//!    has put in its place meanwhile is read again, under the lock.
//! 2. Content is pushed into the layout ([`DockerArchiveWriter::sink`]).
//! 3. The manifest to load of each image is listed ([`DockerArchiveWriter::list`]): one for an image, never another one.
//! 4. When the archive is finished, `manifest.json` is made of the final `index.json` and these manifests, and both are
//!    written in one step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::store::Archive;
use crate::store::DockerArchive;
use crate::store::Origin;
use crate::store::Sink;
use crate::store::Source as _;
use crate::store::StoreError;
use crate::store::archive::DOCKER_TRANSPORT;
use crate::store::archive::DockerList;
use crate::store::archive::Tar;
use crate::store::docker_list;
use crate::store::error::ReadOnlyFault;
use crate::store::local::layout_files::LayoutFiles as _;

/// A docker-archive that is written: an archive with an OCI layout, and with Docker's own list (`manifest.json`) of the
/// same blobs. `docker load` and `podman load` load its images, and every other reader finds the layout.
pub struct DockerArchiveWriter {
    archive: Arc<Archive>,
    listed: Arc<Mutex<ListedManifests>>,
}

/// The manifest that `docker load` is to load of each image, by the digest of the image.
type ListedManifests = BTreeMap<Digest, Descriptor>;

impl DockerArchiveWriter {
    /// Opens the docker-archive in the file `path`; if it is missing, the first [`finish`](Sink::finish) creates it. The
    /// images in an existing one stay in both of its lists.
    ///
    /// # Errors
    /// As [`Archive::create`], and as [`DockerArchive::open`] for an existing file.
    pub fn create(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let path = path.into();
        let tar = Tar::open(DOCKER_TRANSPORT, path.clone(), limits.clone())?;
        let listed = match tar.is_new() {
            true => ListedManifests::default(),
            false => DockerArchive::open(path.clone(), limits.clone())?.listed()?,
        };
        let listed = Arc::new(Mutex::new(listed));
        let list = WrittenList { limits: limits.clone(), listed: Arc::clone(&listed), path };
        let archive = Arc::new(Archive::of(tar.with_docker_list(Box::new(list)), limits)?.for_images()?);
        Ok(Self { archive, listed })
    }

    /// Lists `manifest` as what `docker load` loads of the image `image`: that image itself, or the manifest of one platform
    /// below it. An image that is pushed and not listed is in the layout only.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] with [`ReadOnlyFault::OtherPlatform`] if another manifest of the image is listed: its names
    /// would load the new one.
    pub fn list(&self, image: Digest, manifest: &Descriptor) -> Result<(), StoreError> {
        add(&mut lock(&self.listed), image, manifest)
            .map_err(|listed| other_platform(&self.archive.origin(), image, listed))
    }

    /// The destination for the content of the images.
    pub fn sink(&self) -> Arc<dyn Sink> {
        Arc::<Archive>::clone(&self.archive)
    }
}

/// Docker's list of the archive that a [`DockerArchiveWriter`] writes.
struct WrittenList {
    limits: Limits,
    listed: Arc<Mutex<ListedManifests>>,
    path: PathBuf,
}

impl DockerList for WrittenList {
    fn read_again(&self) -> Result<(), StoreError> {
        let there = DockerArchive::open(self.path.clone(), self.limits.clone())?;
        let mut listed = lock(&self.listed);
        for (image, manifest) in there.listed()? {
            add(&mut listed, image, &manifest).map_err(|listed| other_platform(&there.origin(), image, listed))?;
        }
        Ok(())
    }

    fn render(&self, tar: &Tar, index: &[u8]) -> Result<Vec<u8>, StoreError> {
        docker_list::render(tar, index, &lock(&self.listed), &self.limits)
    }
}

/// Lists `manifest` for `image`.
///
/// # Errors
/// The digest of another manifest that is listed for it.
fn add(listed: &mut ListedManifests, image: Digest, manifest: &Descriptor) -> Result<(), Digest> {
    let known = listed.entry(image).or_insert_with(|| manifest.bare()).digest;
    if known == manifest.digest { Ok(()) } else { Err(known) }
}

fn other_platform(place: &Origin, image: Digest, listed: Digest) -> StoreError {
    StoreError::ReadOnly { place: place.to_string(), reason: ReadOnlyFault::OtherPlatform { image, listed } }
}

fn lock(listed: &Mutex<ListedManifests>) -> MutexGuard<'_, ListedManifests> {
    listed.lock().unwrap_or_else(PoisonError::into_inner)
}
