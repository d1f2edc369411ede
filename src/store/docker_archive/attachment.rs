//! Which manifests of an OCI layout no loader can make an image of: signatures, attestations and SBOMs.
//!
//! The invariant: what is taken for an attachment has nothing that could run. Docker with the containerd image store
//! loads every entry of `index.json`, whatever its name and whether it has a `subject`, so only its content decides:
//! containerd unpacks the layers with the media type of an image layer, and needs as many as the config has diff IDs.

use crate::limits::Limits;
use crate::oci::ImageConfig;
use crate::oci::Manifest;
use crate::oci::media_type;
use crate::oci::referrer::empty_config;
use crate::store::Archive;

/// Whether the manifest is an attachment: its config is the empty object under another media type than that of an image
/// config (OCI image specification, "Guidelines for Artifact Usage"); or, as cosign writes it, all its layers are
/// signatures, attestations or SBOMs, and its config has a diff ID for each. It is no attachment if its config
/// cannot be read within `bytes`.
pub(super) fn is_attachment(archive: &Archive, manifest: &Manifest, limits: &Limits, bytes: &mut u64) -> bool {
    let config = &manifest.config;
    if config.digest == *empty_config().digest() {
        return !media_type::is_image_config(&config.media_type);
    }
    let no_image_layer = manifest.layers.iter().all(|layer| ATTACHED.contains(&layer.media_type.as_str()));
    let Some(left) = bytes.checked_sub(config.size).filter(|_| no_image_layer && !manifest.layers.is_empty()) else {
        return false;
    };
    *bytes = left;
    let content = archive.fetch(&config.bare(), limits.oci.manifest_bytes).ok();
    let parsed = content.and_then(|content| ImageConfig::parse(&content, limits).ok());
    parsed.is_some_and(|config| config.diff_ids.len() == manifest.layers.len())
}

/// The media types of the layers of cosign's signatures, attestations and SBOMs.
const ATTACHED: [&str; 8] = [
    media_type::DSSE_ENVELOPE,
    media_type::SIMPLE_SIGNING,
    "application/vnd.cyclonedx+json",
    "application/vnd.cyclonedx+xml",
    "application/vnd.syft+json",
    "text/spdx",
    "text/spdx+json",
    "text/spdx+xml",
];
