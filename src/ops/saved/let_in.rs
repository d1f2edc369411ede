//! `SavedImageLetIn` [proof type]: an image of a docker-archive that policy files let in.

use std::sync::Arc;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::ops::OpsError;
use crate::ops::policy::PolicyEvaluation;
use crate::ops::saved::comparison::MatchedImage;
use crate::ops::saved::fault::ImageFault;
use crate::ops::saved::fault::SavedFault;
use crate::text::Untrusted;

/// An image of a docker-archive that every policy file lets in: its config and layers are those of a manifest that was
/// evaluated, or that is a platform of an index which was evaluated. A proof type.
#[derive(Debug)]
#[must_use]
pub struct SavedImageLetIn<'p> {
    image: MatchedImage,
    is_one_platform: bool,
    evaluated: Digest,
    evaluation: PolicyEvaluation<'p>,
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
    /// Could not tell: a policy blocks a digest by this algorithm, and that of a layer by it is not known.
    #[error("layer {} cannot be compared with a blocked {} digest: its own is not known", position + 1, algorithm.name())]
    LayerNotCompared {
        /// The algorithm of the blocked digest.
        algorithm: DigestAlgorithm,
        /// The position of the layer, from 0.
        position: usize,
    },
    /// The manifest or index could not be evaluated: could not tell, unless the error is a refusal.
    #[error("{subject}: {error}")]
    NotEvaluated {
        /// The error.
        error: Arc<OpsError>,
        /// The manifest or index.
        subject: Digest,
    },
    /// A policy does not let the manifest or index in: no, or could not tell.
    #[error("{subject} is not let in by policy")]
    NotLetIn {
        /// What each policy says.
        evaluation: PolicyEvaluation<'p>,
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

impl<'p> SavedImageLetIn<'p> {
    /// The proof for an image that matches a manifest. `evaluated` is that manifest, or an index with it. With
    /// `is_one_platform` the index was evaluated for that platform alone.
    pub(super) const fn proven(
        image: MatchedImage,
        evaluated: Digest,
        is_one_platform: bool,
        evaluation: PolicyEvaluation<'p>,
    ) -> Self {
        Self { image, is_one_platform, evaluated, evaluation }
    }

    /// The image, as it was compared with the manifest.
    pub const fn image(&self) -> &MatchedImage {
        &self.image
    }

    /// What each policy says of [`SavedImageLetIn::evaluated`].
    pub const fn evaluation(&self) -> &PolicyEvaluation<'p> {
        &self.evaluation
    }

    /// The digest that was evaluated: the manifest, or the index that it is in.
    pub const fn evaluated(&self) -> &Digest {
        &self.evaluated
    }

    /// The manifest that is let in, and an index that is let in with all its platforms.
    pub(super) fn covers(&self) -> impl Iterator<Item = Digest> + use<> {
        let evaluated = (!self.is_one_platform).then_some(self.evaluated);
        [*self.image.manifest()].into_iter().chain(evaluated)
    }
}

impl ImageFault for SavedPolicyFault<'_> {
    fn code(&self) -> &'static str {
        match self {
            Self::Blocked { .. } => "blocked",
            Self::LayerNotCompared { .. } => "layer-not-compared",
            Self::NotEvaluated { error, .. } => error.code(),
            Self::NotLetIn { .. } => "policy-refused",
            Self::OtherPlatform { .. } => "other-platform",
            Self::Saved(fault) => fault.code(),
        }
    }

    fn is_final(&self) -> bool {
        match self {
            Self::Blocked { .. } => true,
            Self::Saved(fault) => fault.is_final(),
            Self::LayerNotCompared { .. }
            | Self::NotEvaluated { .. }
            | Self::NotLetIn { .. }
            | Self::OtherPlatform { .. } => false,
        }
    }

    fn is_refusal(&self) -> bool {
        match self {
            Self::Blocked { .. } | Self::OtherPlatform { .. } => true,
            Self::LayerNotCompared { .. } => false,
            Self::NotEvaluated { error, .. } => error.is_refusal(),
            Self::NotLetIn { evaluation, .. } => evaluation.is_refusal(),
            Self::Saved(fault) => fault.is_refusal(),
        }
    }
}

impl From<SavedFault> for SavedPolicyFault<'_> {
    fn from(fault: SavedFault) -> Self {
        Self::Saved(Arc::new(fault))
    }
}
