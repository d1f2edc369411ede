//! `SavedFault`: why a manifest does not prove an image of a docker-archive.

use std::fmt::Display;
use std::sync::Arc;

use crate::digest::Digest;
use crate::oci::ConfigError;
use crate::ops::outcome::Verdict;
use crate::store::StoreError;
use crate::store::UnpackFault;

/// A reason why an image of a docker-archive is not accepted.
pub trait ImageFault: Display {
    /// The stable code of the reason in reports.
    fn code(&self) -> &'static str;

    /// Whether it is a no regardless of other manifests with the same config.
    fn is_final(&self) -> bool;

    /// Whether it is a no. Otherwise it could not be decided.
    fn is_refusal(&self) -> bool;
}

/// Why a manifest does not prove an image of a docker-archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedFault {
    /// Could not tell: the config cannot be parsed, so its layers are not known.
    #[error("{0}")]
    Config(ConfigError),
    /// A layer is another one than the config names.
    #[error("layer {} is {found}, and the config names {wanted}", position + 1)]
    Layer {
        /// The digest of the layer in the archive.
        found: Digest,
        /// The position of the layer, from 0.
        position: usize,
        /// The digest in the config.
        wanted: Digest,
    },
    /// The archive has more or fewer layers than the config names.
    #[error("it has {layers} layers, and the config names {wanted}")]
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
    /// The manifest is no image: all its layers are in-toto statements, as in an attestation manifest of BuildKit. A signed
    /// index does not make one of it.
    #[error("{manifest} is not an image: its layers are in-toto statements")]
    NotAnImage {
        /// The manifest.
        manifest: Digest,
    },
    /// None of the manifests and indexes that were asked for has this config.
    #[error("no manifest that was asked for has this config")]
    NotAskedFor,
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

impl ImageFault for SavedFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config-unreadable",
            Self::Layer { .. } | Self::LayerCount { .. } => "layers-differ",
            Self::LayerPacked { .. } => "layer-compressed",
            Self::NoManifest { .. } | Self::NotAskedFor => "config-unknown",
            Self::NotAnImage { .. } => "not-an-image",
            Self::Signature { .. } => "not-verified",
            Self::Unread(error) => error.code(),
        }
    }

    fn is_final(&self) -> bool {
        match self {
            Self::Layer { .. } | Self::LayerCount { .. } => true,
            Self::Config(_)
            | Self::LayerPacked { .. }
            | Self::NoManifest { .. }
            | Self::NotAnImage { .. }
            | Self::NotAskedFor
            | Self::Signature { .. }
            | Self::Unread(_) => false,
        }
    }

    fn is_refusal(&self) -> bool {
        match self {
            Self::Config(_) | Self::LayerPacked { .. } | Self::Unread(_) => false,
            Self::Layer { .. }
            | Self::LayerCount { .. }
            | Self::NoManifest { .. }
            | Self::NotAnImage { .. }
            | Self::NotAskedFor => true,
            Self::Signature { verdict } => matches!(**verdict, Verdict::Refused(_)),
        }
    }
}
