//! `SignatureManifestFault`: why a manifest that carries signed documents cannot be read.

use crate::oci::ContentError;
use crate::oci::ManifestError;
use crate::oci::referrer;

/// Why a manifest that claims to carry signed documents cannot be read. An exceeded limit is not one of these faults:
/// it is an [`UnreadReason`](crate::verify::UnreadReason).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureManifestFault {
    /// A layer does not match its descriptor.
    #[error("{0}")]
    Content(ContentError),
    /// A format with one layer has another number of them.
    #[error("a {form} manifest has exactly one layer, this one has {got}")]
    LayerCount {
        /// The format.
        form: &'static str,
        /// The number of layers.
        got: usize,
    },
    /// It is not a valid manifest.
    #[error("{0}")]
    Manifest(Box<ManifestError>),
    /// A simple signing layer has no annotation with its signature.
    #[error("a layer without the annotation {}", referrer::COSIGN_SIGNATURE)]
    NoAnnotation,
    /// No layer has a supported format, at a tag for signed documents.
    #[error("it carries no signed document")]
    NoDocument,
    /// It is typed as a signature, and has no layer with one (threats: manifest-without-signature).
    #[error("a signature manifest without a signature")]
    NoSignature,
}
