//! `MatchedImage` [proof type]: an image of a docker-archive that has the config and the layers that a manifest names.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::ImageConfig;
use crate::ops::saved::candidates::CandidateManifest;
use crate::ops::saved::fault::SavedFault;
use crate::store::LoadedImage;
use crate::store::UnpackFault;

/// An image of a docker-archive that has the config and exactly the layers that a manifest names. A proof type, made only by
/// comparing them. It says nothing about signatures.
///
/// ```compile_fail,E0451
/// use bulla::ops::saved::MatchedImage;
///
/// fn forged(image: MatchedImage) -> MatchedImage {
///     MatchedImage { manifest: *image.config(), ..image }
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MatchedImage {
    config: Digest,
    layers: Vec<u64>,
    manifest: Digest,
    names: Vec<String>,
}

impl MatchedImage {
    /// Compares the layers of `image` with those that its config names. `candidate` is a manifest that names this config.
    ///
    /// # Errors
    /// [`SavedFault`] with the first difference, or why a layer cannot be compared.
    pub(super) fn compare(
        image: &LoadedImage,
        candidate: &CandidateManifest,
        limits: &Limits,
    ) -> Result<Self, SavedFault> {
        candidate.check_image()?;
        let manifest = &candidate.manifest;
        let config = ImageConfig::parse(&image.config, limits).map_err(SavedFault::Config)?;
        let (layers, wanted) = (image.layers.len(), config.diff_ids.len());
        if layers != wanted {
            return Err(SavedFault::LayerCount { layers, wanted });
        }
        for (position, (layer, diff_id)) in image.layers.iter().zip(&config.diff_ids).enumerate() {
            // Positions of config and manifest correspond only if both have all layers.
            let blob = manifest.layers.get(position).filter(|_| manifest.layers.len() == wanted);
            let is_blob = blob.is_some_and(|blob| blob.digest == layer.digest);
            let wanted = *diff_id;
            match (layer.compression, layer.unpacked) {
                (None, _) if layer.digest == wanted => {}
                (None, _) => return Err(SavedFault::Layer { position, found: layer.digest, wanted }),
                (Some(_), Some(Ok(unpacked))) if unpacked == wanted => {}
                (Some(_), Some(Ok(found))) => return Err(SavedFault::Layer { position, found, wanted }),
                // Its unpacked bytes are not known, but it is the blob that was signed.
                (Some(_), _) if is_blob => {}
                (Some(_), Some(Err(fault))) => return Err(SavedFault::LayerPacked { position, fault }),
                (Some(format), None) => {
                    return Err(SavedFault::LayerPacked { position, fault: UnpackFault::Format(format) });
                }
            }
        }
        Ok(Self {
            config: *image.config.digest(),
            layers: image.layers.iter().map(|layer| layer.size).collect(),
            manifest: *candidate.content.digest(),
            names: image.names.clone(),
        })
    }

    /// The digest of the config: the image id that Docker and podman show.
    pub const fn config(&self) -> &Digest {
        &self.config
    }

    /// The sizes of the layers in the archive, in bytes, in order. All of them are those that the config names.
    pub fn layers(&self) -> &[u64] {
        &self.layers
    }

    /// The manifest that names the config.
    pub const fn manifest(&self) -> &Digest {
        &self.manifest
    }

    /// The names in the archive. They are not signed.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
