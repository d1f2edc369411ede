//! `VerifiedArchive` [proof type], and why a docker-archive was not verified.

use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::oci::ConfigError;
use crate::ops::OpsError;
use crate::ops::outcome::Verdict;
use crate::store::StoreError;
use crate::store::UnpackFault;
use crate::verify::VerifiedSubject;

/// A docker-archive in which every image that `docker load` loads was verified. A proof type, made only by
/// [`saved::verify`](crate::ops::saved::verify()).
///
/// ```compile_fail,E0451
/// use bulla::ops::saved::VerifiedArchive;
///
/// fn forged(archive: VerifiedArchive) -> VerifiedArchive {
///     VerifiedArchive { images: archive.images }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct VerifiedArchive {
    images: NonEmpty<VerifiedSavedImage>,
}

/// An image of a docker-archive whose config and layers are those that were signed. A proof type.
#[derive(Debug)]
#[must_use]
pub struct VerifiedSavedImage {
    config: Digest,
    layers: Vec<u64>,
    manifest: Digest,
    names: Vec<String>,
    subject: VerifiedSubject,
}

/// The verdict on one image of a docker-archive.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum SavedVerdict {
    /// Yes.
    Accepted(VerifiedSavedImage),
    /// No, or could not tell.
    NotAccepted {
        /// The config: its digest is the image id.
        config: Digest,
        /// The names in the archive, which are not signed.
        names: Vec<String>,
        /// Why no manifest with this config counts, one reason for each; or that there is no such manifest.
        faults: NonEmpty<SavedFault>,
    },
}

/// Why a manifest does not prove an image of a docker-archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedFault {
    /// Could not tell: the config cannot be parsed, so its layers are not known.
    #[error("{0}")]
    Config(ConfigError),
    /// A layer is another one than the config names.
    #[error("layer {} is {found}, and {wanted} was signed", position + 1)]
    Layer {
        /// The digest of the layer in the archive.
        found: Digest,
        /// The position of the layer, from 0.
        position: usize,
        /// The digest in the config.
        wanted: Digest,
    },
    /// The archive has more or fewer layers than the config names.
    #[error("it has {layers} layers, and {wanted} were signed")]
    LayerCount {
        /// How many layers the archive has.
        layers: usize,
        /// How many layers the config names.
        wanted: usize,
    },
    /// Could not tell: a layer is compressed, not the blob that the manifest names, and cannot be unpacked to be compared.
    #[error("layer {}: {fault}", position + 1)]
    LayerPacked {
        /// Why it cannot be unpacked.
        fault: UnpackFault,
        /// The position of the layer, from 0.
        position: usize,
    },
    /// No manifest at the place of the evidence has this config.
    #[error("no manifest in {place} has this config")]
    NoManifest {
        /// The place of the evidence.
        place: String,
    },
    /// The manifest is not verified: refused, or could not tell.
    #[error("its manifest is {}", verdict.name())]
    Signature {
        /// The verdict on the manifest, or on the index that it is in.
        verdict: Arc<Verdict>,
    },
    /// Could not tell: a manifest at the place of the evidence cannot be read, and it may have this config.
    #[error("{0}")]
    Unread(StoreError),
}

/// Why a docker-archive was not verified. It must not be loaded.
#[derive(Debug, thiserror::Error)]
#[must_use]
#[non_exhaustive]
pub enum ArchiveNotVerified {
    /// Something could not be read, or the archive contradicts itself.
    #[error(transparent)]
    Error(#[from] OpsError),
    /// Not every image is accepted. `docker load` loads all of them.
    #[error("not every image in it is verified")]
    Images(NonEmpty<SavedVerdict>),
}

impl VerifiedArchive {
    /// The proof for an archive whose images are all accepted.
    ///
    /// # Errors
    /// [`ArchiveNotVerified::Images`] with the verdicts.
    pub(super) fn of(verdicts: NonEmpty<SavedVerdict>) -> Result<Self, ArchiveNotVerified> {
        if verdicts.iter().any(|verdict| matches!(verdict, SavedVerdict::NotAccepted { .. })) {
            return Err(ArchiveNotVerified::Images(verdicts));
        }
        let accepted = |verdict| match verdict {
            SavedVerdict::Accepted(image) => Some(image),
            SavedVerdict::NotAccepted { .. } => None,
        };
        let images = NonEmpty::collect(verdicts.into_iter().filter_map(accepted)).ok_or(OpsError::Task)?;
        Ok(Self { images })
    }

    /// The images, in the order in which `docker load` loads them.
    pub const fn images(&self) -> &NonEmpty<VerifiedSavedImage> {
        &self.images
    }
}

impl VerifiedSavedImage {
    pub(super) const fn proven(
        config: Digest,
        layers: Vec<u64>,
        manifest: Digest,
        names: Vec<String>,
        subject: VerifiedSubject,
    ) -> Self {
        Self { config, layers, manifest, names, subject }
    }

    /// The digest of the config: the image id that Docker and podman show.
    pub const fn config(&self) -> &Digest {
        &self.config
    }

    /// The sizes of the layers in the archive, in bytes, in order. All of them are those that the config names.
    pub fn layers(&self) -> &[u64] {
        &self.layers
    }

    /// The manifest of the platform, which names the config.
    pub const fn manifest(&self) -> &Digest {
        &self.manifest
    }

    /// The names in the archive. They are not signed.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The digest that was signed: the manifest, or the index that it is in.
    pub const fn signed(&self) -> &Digest {
        self.subject.digest()
    }

    /// The verified subject, with the signatures that counted.
    pub const fn subject(&self) -> &VerifiedSubject {
        &self.subject
    }
}

impl SavedFault {
    /// Whether it is a no. Otherwise it could not be decided.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Config(_) | Self::LayerPacked { .. } | Self::Unread(_) => false,
            Self::Layer { .. } | Self::LayerCount { .. } | Self::NoManifest { .. } => true,
            Self::Signature { verdict } => matches!(**verdict, Verdict::Refused(_)),
        }
    }

    /// The stable code of the reason in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config-unreadable",
            Self::Layer { .. } | Self::LayerCount { .. } => "layers-differ",
            Self::LayerPacked { .. } => "layer-compressed",
            Self::NoManifest { .. } => "config-unknown",
            Self::Signature { .. } => "not-verified",
            Self::Unread(error) => error.code(),
        }
    }
}

impl SavedVerdict {
    /// Whether it is a no: every reason is one, since could-not-tell about one manifest may hide a yes. Layers that differ
    /// from the config are a no whatever the manifest is.
    pub fn is_refusal(&self) -> bool {
        let Self::NotAccepted { faults, .. } = self else { return false };
        let differs = |fault: &SavedFault| matches!(fault, SavedFault::Layer { .. } | SavedFault::LayerCount { .. });
        faults.iter().any(differs) || faults.iter().all(SavedFault::is_refusal)
    }
}

impl ArchiveNotVerified {
    /// Whether it is a no. Otherwise it could not be decided.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Error(error) => error.is_refusal(),
            Self::Images(verdicts) => verdicts.iter().any(SavedVerdict::is_refusal),
        }
    }
}
