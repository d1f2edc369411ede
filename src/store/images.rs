//! `Images`: opens the stores of references, for every transport. Each layout and archive is opened and read once.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tracing::info;

use crate::files;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::oci::LocalReference;
use crate::oci::Reference;
use crate::oci::RegistryReference;
use crate::oci::TagOrDigest;
use crate::store::Archive;
use crate::store::DockerArchive;
use crate::store::DockerArchiveWriter;
use crate::store::Layout;
use crate::store::LimitedSource;
use crate::store::SavedArchive;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
#[cfg(feature = "registry")]
use crate::store::registry::Registries;
#[cfg(feature = "registry")]
use crate::store::registry::Repository;

/// The stores of references, opened on demand. Only stores that a reference names are contacted or read.
pub struct Images {
    limits: Limits,
    /// The open layouts and archives, so that one that is named several times is read once.
    opened: Mutex<OpenStores>,
    #[cfg(feature = "registry")]
    registries: Option<Registries>,
}

/// Why a reference could not be opened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Evidence without layers was to be written to a registry or a docker-archive, which need the layers.
    #[error("{reference}: evidence without layers goes into a layout or an OCI archive only")]
    NoEvidence {
        /// The reference.
        reference: String,
    },
    /// A registry reference, but registries are not available: none were configured, or the feature `registry` is off.
    #[error("{reference}: registries cannot be reached")]
    NoRegistries {
        /// The reference.
        reference: String,
    },
    /// A docker-archive was to be written to by something other than a copy.
    #[error("{reference}: only `copy` writes a docker-archive")]
    ReadOnly {
        /// The reference.
        reference: String,
    },
    /// The error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Default)]
struct OpenStores {
    archives: BTreeMap<PathBuf, Arc<Archive>>,
    docker_archives: BTreeMap<PathBuf, Arc<DockerArchive>>,
    layouts: BTreeMap<PathBuf, Arc<Layout>>,
}

impl Images {
    /// Opens layouts and archives, each read within `limits`, and no registry.
    pub fn local(limits: Limits) -> Self {
        Self {
            limits,
            opened: Mutex::default(),
            #[cfg(feature = "registry")]
            registries: None,
        }
    }

    /// Opens layouts and archives, each read within `limits`, and repositories of these registries.
    #[cfg(feature = "registry")]
    pub fn with_registries(registries: Registries, limits: Limits) -> Self {
        Self { registries: Some(registries), ..Self::local(limits) }
    }

    /// Opens the store of `reference` for reading, and selects the image. A layout or archive that is named without an
    /// image must hold exactly one. An OCI archive that `docker load` also accepts is read as a docker-archive, by both
    /// of its lists.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, reference: &Reference) -> Result<(Arc<dyn Source>, TagOrDigest), OpenError> {
        match reference {
            Reference::DockerArchive(local) => {
                let store = self.docker_archive(&local.path, |path, limits| DockerArchive::open(path, limits))?;
                chosen(store, local)
            }
            Reference::Layout(local) => {
                let store = self.layout(&local.path)?;
                let image = image(local, || store.sole())?;
                Ok((store, image))
            }
            Reference::LayoutArchive(local) => {
                let store = self.archive(&local.path)?;
                if store.is_for_docker() {
                    let open = |path: &Path, limits| DockerArchive::open_as_layout(path, limits);
                    return chosen(self.docker_archive(&local.path, open)?, local);
                }
                let image = image(local, || store.sole())?;
                Ok((store, image))
            }
            Reference::Registry(registry) => {
                Ok((Arc::new(self.repository(registry)?), registry.tag_or_digest().clone()))
            }
        }
    }

    /// As [`Images::open`], with a limit: reading more than `bytes` fails.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_within(&self, reference: &Reference, bytes: u64) -> Result<(LimitedSource, TagOrDigest), OpenError> {
        #[cfg(feature = "registry")]
        if let Reference::Registry(registry) = reference {
            let repository = self.repository(registry)?.within(bytes);
            return Ok((LimitedSource::new(Arc::new(repository), bytes), registry.tag_or_digest().clone()));
        }
        let (source, image) = self.open(reference)?;
        Ok((LimitedSource::new(source, bytes), image))
    }

    /// Opens the store of `reference` for reading, without selecting an image.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_store(&self, reference: &Reference) -> Result<Arc<dyn Source>, OpenError> {
        match reference {
            Reference::DockerArchive(local) => {
                Ok(self.docker_archive(&local.path, |path, limits| DockerArchive::open(path, limits))?)
            }
            Reference::Layout(local) => Ok(self.layout(&local.path)?),
            Reference::LayoutArchive(local) => Ok(self.archive(&local.path)?),
            Reference::Registry(registry) => Ok(Arc::new(self.repository(registry)?)),
        }
    }

    /// Opens the store of `reference` to attach signatures or attestations to an image in it, and selects the image.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::ReadOnly`] for a docker-archive.
    pub fn open_to_write(&self, reference: &Reference) -> Result<(Arc<dyn Sink>, TagOrDigest), OpenError> {
        match reference {
            Reference::DockerArchive(_) => Err(read_only(reference)),
            Reference::Layout(local) => {
                let store = self.layout(&local.path)?;
                let image = image(local, || store.sole())?;
                Ok((store, image))
            }
            Reference::LayoutArchive(local) => {
                let store = self.archive(&local.path)?;
                let image = image(local, || store.sole())?;
                Ok((store, image))
            }
            Reference::Registry(registry) => Ok((Arc::new(self.writable(registry)?), registry.tag_or_digest().clone())),
        }
    }

    /// Opens the store of `reference` as a destination; if a layout or archive does not exist, the first
    /// [`Sink::finish`] creates it.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::ReadOnly`] for a docker-archive: use [`Images::create_docker_archive`], also for an OCI
    /// archive that `docker load` accepts.
    pub fn create(&self, reference: &Reference) -> Result<Arc<dyn Sink>, OpenError> {
        match reference {
            Reference::DockerArchive(_) => Err(read_only(reference)),
            Reference::Layout(local) => {
                let store = Layout::create(&local.path, self.limits.clone())?;
                info!(path = %local.path.display(), "opened for writing");
                Ok(Arc::new(store))
            }
            Reference::LayoutArchive(local) => {
                let store = Archive::create(&local.path, self.limits.clone())?.without_docker_list()?;
                info!(path = %local.path.display(), "opened for writing");
                Ok(Arc::new(store))
            }
            Reference::Registry(registry) => Ok(Arc::new(self.writable(registry)?)),
        }
    }

    /// Opens a docker-archive to verify what `docker load` loads from it, whether or not it holds manifests.
    ///
    /// # Errors
    /// As [`SavedArchive::open`].
    pub fn open_saved(&self, local: &LocalReference) -> Result<SavedArchive, OpenError> {
        let archive = SavedArchive::open(&local.path, self.limits.clone())?;
        info!(path = %local.path.display(), "opened");
        Ok(archive)
    }

    /// Opens the layout or archive of `reference` as a destination for evidence: the manifests, configs and signatures of
    /// images, without layers.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::NoEvidence`] for a registry or a docker-archive.
    pub fn create_evidence(&self, reference: &Reference) -> Result<Arc<dyn Sink>, OpenError> {
        match reference {
            Reference::Layout(local) => Ok(Arc::new(Layout::create_evidence(&local.path, self.limits.clone())?)),
            Reference::LayoutArchive(local) => {
                Ok(Arc::new(Archive::create_evidence(&local.path, self.limits.clone())?))
            }
            Reference::DockerArchive(_) | Reference::Registry(_) => {
                Err(OpenError::NoEvidence { reference: reference.to_string() })
            }
        }
    }

    /// Opens a docker-archive as a destination; if it does not exist, the first [`Sink::finish`] creates it.
    ///
    /// # Errors
    /// As [`DockerArchiveWriter::create`].
    pub fn create_docker_archive(&self, local: &LocalReference) -> Result<DockerArchiveWriter, OpenError> {
        let store = DockerArchiveWriter::create(&local.path, self.limits.clone())?;
        info!(path = %local.path.display(), "opened for writing");
        Ok(store)
    }

    /// The warnings of registries so far: the host and the text. They have no effect.
    #[cfg(feature = "registry")]
    pub fn warnings(&self) -> Vec<(String, String)> {
        self.registries.as_ref().map(Registries::warnings).unwrap_or_default()
    }

    fn archive(&self, path: &Path) -> Result<Arc<Archive>, StoreError> {
        share(&mut self.opened().archives, path, || Archive::open(path, self.limits.clone()))
    }

    fn docker_archive(
        &self,
        path: &Path,
        open: impl FnOnce(&Path, Limits) -> Result<DockerArchive, StoreError>,
    ) -> Result<Arc<DockerArchive>, StoreError> {
        share(&mut self.opened().docker_archives, path, || open(path, self.limits.clone()))
    }

    fn layout(&self, path: &Path) -> Result<Arc<Layout>, StoreError> {
        share(&mut self.opened().layouts, path, || Layout::open(path, self.limits.clone()))
    }

    fn opened(&self) -> MutexGuard<'_, OpenStores> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "registry")]
    fn repository(&self, reference: &RegistryReference) -> Result<Repository, OpenError> {
        match &self.registries {
            Some(registries) => Ok(registries.repository(reference)?),
            None => Err(OpenError::NoRegistries { reference: reference.to_string() }),
        }
    }

    /// A repository that requests a single token for reading and writing.
    #[cfg(feature = "registry")]
    fn writable(&self, reference: &RegistryReference) -> Result<Repository, OpenError> {
        self.repository(reference).map(Repository::for_writing)
    }

    #[cfg(not(feature = "registry"))]
    fn repository(&self, reference: &RegistryReference) -> Result<Layout, OpenError> {
        Err(OpenError::NoRegistries { reference: reference.to_string() })
    }

    #[cfg(not(feature = "registry"))]
    fn writable(&self, reference: &RegistryReference) -> Result<Layout, OpenError> {
        self.repository(reference)
    }
}

/// Whether two references name the same repository, layout or archive, with any image. A layout or archive is the same
/// under all its paths, whatever the transport.
pub fn is_same_place(one: &Reference, other: &Reference) -> bool {
    let local = |reference: &Reference| match reference {
        Reference::DockerArchive(local) | Reference::Layout(local) | Reference::LayoutArchive(local) => {
            Some(local.path.clone())
        }
        Reference::Registry(_) => None,
    };
    match (local(one), local(other)) {
        (Some(one), Some(other)) => files::are_same(&one, &other),
        (None, None) => one.location() == other.location(),
        _ => false,
    }
}

fn chosen(store: Arc<DockerArchive>, local: &LocalReference) -> Result<(Arc<dyn Source>, TagOrDigest), OpenError> {
    let image = store.choose(local.tag_or_digest.clone())?;
    Ok((store, image))
}

/// The named image, otherwise the only one.
fn image(
    local: &LocalReference,
    sole: impl FnOnce() -> Result<Descriptor, StoreError>,
) -> Result<TagOrDigest, StoreError> {
    let sole = || sole().map(|sole| TagOrDigest::Digest(sole.digest));
    local.tag_or_digest.clone().map_or_else(sole, Ok)
}

fn read_only(reference: &Reference) -> OpenError {
    OpenError::ReadOnly { reference: reference.to_string() }
}

/// Opens the store at `path` once, and shares it afterwards.
fn share<T>(
    opened: &mut BTreeMap<PathBuf, Arc<T>>,
    path: &Path,
    open: impl FnOnce() -> Result<T, StoreError>,
) -> Result<Arc<T>, StoreError> {
    if let Some(store) = opened.get(path) {
        return Ok(Arc::clone(store));
    }
    let store = Arc::new(open()?);
    info!(path = %path.display(), "opened");
    opened.insert(path.to_owned(), Arc::clone(&store));
    Ok(store)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    use super::*;
    use crate::oci::Content;
    use crate::oci::media_type;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a local store does not wait"),
        }
    }

    fn parse(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn a_layout_is_opened_once_and_its_only_image_is_meant() {
        let directory = tempfile::tempdir().unwrap();
        let reference = parse(&format!("oci:{}", directory.path().join("layout").display()));
        let images = Images::local(Limits::DEFAULT);
        assert!(matches!(images.open(&reference), Err(OpenError::Store(_))));

        let sink = images.create(&reference).unwrap();
        let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        let index = Content::from_bytes(media_type::OCI_INDEX, index.to_vec());
        let _pushed = now(sink.push_manifest(&index, Some("v1"))).unwrap();
        now(sink.finish()).unwrap();

        let (source, image) = images.open(&reference).unwrap();
        assert_eq!(image, TagOrDigest::Digest(*index.digest()));
        let (named, image) = images.open(&parse(&format!("{reference}:v1"))).unwrap();
        assert_eq!(image, TagOrDigest::Tag("v1".to_owned()));
        assert!(std::ptr::addr_eq(Arc::as_ptr(&source), Arc::as_ptr(&named)));
        assert!(!source.chooses_platform());
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let images = Images::local(Limits::DEFAULT);
        let docker = parse("docker-archive:app.tar:v1");
        assert!(matches!(images.create(&docker), Err(OpenError::ReadOnly { .. })));
        assert!(matches!(images.open_to_write(&docker), Err(OpenError::ReadOnly { .. })));
        let registry = parse("registry.example/app:v1");
        for error in [
            images.open(&registry).err(),
            images.open_within(&registry, 1).err(),
            images.open_store(&registry).err(),
            images.open_to_write(&registry).err(),
            images.create(&registry).err(),
        ] {
            assert!(
                matches!(error, Some(OpenError::NoRegistries { reference }) if reference == "registry.example/app:v1")
            );
        }
    }
}
