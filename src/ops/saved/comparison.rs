//! The comparison of the layers in a docker-archive with those that the config and the manifest name.

use crate::limits::Limits;
use crate::oci::ImageConfig;
use crate::oci::Manifest;
use crate::ops::saved::verdict::SavedFault;
use crate::store::LoadedImage;
use crate::store::UnpackFault;

/// Compares the layers of `image` with those of its config, which `manifest` names.
pub(super) fn compare(image: &LoadedImage, manifest: &Manifest, limits: &Limits) -> Result<(), SavedFault> {
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
    Ok(())
}
