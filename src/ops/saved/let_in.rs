//! `ArchiveLetIn` [proof type], and why policy files do not let a docker-archive in.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::ops::OpsError;
use crate::ops::policy::Judgement;
use crate::ops::saved::verdict::SavedFault;
use crate::ordered;
use crate::text::Untrusted;

/// A docker-archive in which every image that `docker load` loads is let in by every policy file. A proof type, made only
/// by [`saved::verify_by_policies`](crate::ops::saved::verify_by_policies()). An image that a policy exempts from
/// signatures is let in and was not verified: the judgement says so.
///
/// ```compile_fail,E0451
/// use bulla::ops::saved::ArchiveLetIn;
///
/// fn forged(archive: ArchiveLetIn<'_>) -> ArchiveLetIn<'_> {
///     ArchiveLetIn { images: archive.images }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ArchiveLetIn<'p> {
    images: NonEmpty<SavedImageLetIn<'p>>,
}

/// An image of a docker-archive that every policy file lets in: its config and layers are those of a manifest that was
/// judged, or that is a platform of an index which was judged. A proof type.
#[derive(Debug)]
#[must_use]
pub struct SavedImageLetIn<'p> {
    config: Digest,
    is_one_platform: bool,
    judged: Digest,
    judgement: Judgement<'p>,
    layers: Vec<u64>,
    manifest: Digest,
    names: Vec<String>,
}

/// What policy files say of one image of a docker-archive.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum SavedPolicyVerdict<'p> {
    /// Yes.
    LetIn(SavedImageLetIn<'p>),
    /// No, or could not tell.
    NotLetIn {
        /// The config: its digest is the image id.
        config: Digest,
        /// The names in the archive, which are not signed.
        names: Vec<String>,
        /// Why no manifest with this config counts; or that there is no such manifest.
        faults: NonEmpty<SavedPolicyFault<'p>>,
    },
}

/// Why a manifest does not let an image of a docker-archive in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedPolicyFault<'p> {
    /// A policy blocks the digest of a part of the image, of a manifest with its config, or of the image around that.
    #[error("{digest} is blocked: {}", Untrusted::new(reason))]
    Blocked {
        /// The blocked digest.
        digest: Digest,
        /// The reason in the policy.
        reason: String,
    },
    /// The index is let in, but the manifest is not a platform of it: it is an attestation manifest of BuildKit.
    #[error("{manifest} is not a platform of {index}")]
    NotAPlatform {
        /// The index.
        index: Digest,
        /// The manifest with the config.
        manifest: Digest,
    },
    /// The manifest or index could not be judged: could not tell, unless the error is a refusal.
    #[error("{subject}: {error}")]
    NotJudged {
        /// The error.
        error: Arc<OpsError>,
        /// The manifest or index.
        subject: Digest,
    },
    /// A policy does not let the manifest or index in: no, or could not tell.
    #[error("{subject} is not let in by policy")]
    NotLetIn {
        /// What each policy says.
        judgement: Judgement<'p>,
        /// The manifest or index.
        subject: Digest,
    },
    /// The archive has the image of another platform than the one that was asked for.
    #[error("{manifest} is not the manifest for {platform}")]
    OtherPlatform {
        /// The manifest with the config.
        manifest: Digest,
        /// The platform that was asked for.
        platform: String,
    },
    /// As without a policy: the layers differ, no manifest has this config, or something could not be read.
    #[error(transparent)]
    Saved(Arc<SavedFault>),
}

/// Why policy files do not let a docker-archive in. It must not be loaded.
#[derive(Debug, thiserror::Error)]
#[must_use]
#[non_exhaustive]
pub enum ArchiveNotLetIn<'p> {
    /// Something could not be read, or the archive contradicts itself.
    #[error(transparent)]
    Error(#[from] OpsError),
    /// Not every image is let in. `docker load` loads all of them.
    #[error("not every image in it is let in by policy")]
    Images(NonEmpty<SavedPolicyVerdict<'p>>),
}

impl<'p> ArchiveLetIn<'p> {
    /// The proof for an archive whose images are all let in.
    ///
    /// # Errors
    /// [`ArchiveNotLetIn::Images`] with the verdicts.
    pub(super) fn of(verdicts: NonEmpty<SavedPolicyVerdict<'p>>) -> Result<Self, ArchiveNotLetIn<'p>> {
        if verdicts.iter().any(|verdict| matches!(verdict, SavedPolicyVerdict::NotLetIn { .. })) {
            return Err(ArchiveNotLetIn::Images(verdicts));
        }
        let let_in = |verdict| match verdict {
            SavedPolicyVerdict::LetIn(image) => Some(image),
            SavedPolicyVerdict::NotLetIn { .. } => None,
        };
        let images = NonEmpty::collect(verdicts.into_iter().filter_map(let_in)).ok_or(OpsError::Task)?;
        Ok(Self { images })
    }

    /// The images, in the order in which `docker load` loads them.
    pub const fn images(&self) -> &NonEmpty<SavedImageLetIn<'p>> {
        &self.images
    }

    /// The manifests that are let in, and the indexes that are let in with all their platforms.
    pub(super) fn proven(&self) -> BTreeSet<Digest> {
        let judged = |image: &SavedImageLetIn<'_>| (!image.is_one_platform).then_some(image.judged);
        ordered::set(self.images.iter().flat_map(|image| [Some(image.manifest), judged(image)]).flatten())
    }
}

impl<'p> SavedImageLetIn<'p> {
    /// An image of the config `config`, which `manifest` names, with layers of these sizes. `judged` is the manifest, or an
    /// index that it is a platform of. With `is_one_platform` the index was judged for that platform alone.
    pub(super) const fn proven(
        (config, manifest, judged): (Digest, Digest, Digest),
        is_one_platform: bool,
        judgement: Judgement<'p>,
        layers: Vec<u64>,
        names: Vec<String>,
    ) -> Self {
        Self { config, is_one_platform, judged, judgement, layers, manifest, names }
    }

    /// The digest of the config: the image id that Docker and podman show.
    pub const fn config(&self) -> &Digest {
        &self.config
    }

    /// What each policy says of [`SavedImageLetIn::judged`].
    pub const fn judgement(&self) -> &Judgement<'p> {
        &self.judgement
    }

    /// The digest that was judged: the manifest, or the index that it is in.
    pub const fn judged(&self) -> &Digest {
        &self.judged
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
}

impl SavedPolicyFault<'_> {
    /// Whether it is a no. Otherwise it could not be decided.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Blocked { .. } | Self::NotAPlatform { .. } | Self::OtherPlatform { .. } => true,
            Self::NotJudged { error, .. } => error.is_refusal(),
            Self::NotLetIn { judgement, .. } => judgement.is_refusal(),
            Self::Saved(fault) => fault.is_refusal(),
        }
    }

    /// Whether it is a no whatever another manifest says: the image has a blocked part, or other layers than its config.
    fn is_final(&self) -> bool {
        match self {
            Self::Blocked { .. } => true,
            Self::Saved(fault) => matches!(**fault, SavedFault::Layer { .. } | SavedFault::LayerCount { .. }),
            Self::NotAPlatform { .. } | Self::NotJudged { .. } | Self::NotLetIn { .. } | Self::OtherPlatform { .. } => {
                false
            }
        }
    }

    /// The stable code of the reason in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Blocked { .. } => "blocked",
            Self::NotAPlatform { .. } => "not-a-platform",
            Self::NotJudged { error, .. } => error.code(),
            Self::NotLetIn { .. } => "policy-refused",
            Self::OtherPlatform { .. } => "other-platform",
            Self::Saved(fault) => fault.code(),
        }
    }
}

impl From<SavedFault> for SavedPolicyFault<'_> {
    fn from(fault: SavedFault) -> Self {
        Self::Saved(Arc::new(fault))
    }
}

impl SavedPolicyVerdict<'_> {
    /// Whether it is a no: every reason is one, since could-not-tell about one manifest may hide a yes. A blocked part, and
    /// layers that differ from the config, are a no whatever the manifest is.
    pub fn is_refusal(&self) -> bool {
        let Self::NotLetIn { faults, .. } = self else { return false };
        faults.iter().any(SavedPolicyFault::is_final) || faults.iter().all(SavedPolicyFault::is_refusal)
    }
}

impl ArchiveNotLetIn<'_> {
    /// Whether it is a no. Otherwise it could not be decided.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Error(error) => error.is_refusal(),
            Self::Images(verdicts) => verdicts.iter().any(SavedPolicyVerdict::is_refusal),
        }
    }
}
