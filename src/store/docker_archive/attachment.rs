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
use crate::store::Source as _;
use crate::store::StoreError;

/// Whether the manifest is an attachment: its config is the empty object under another media type than that of an image
/// config (OCI image specification, "Guidelines for Artifact Usage"); or, as cosign writes it, all its layers are
/// signatures, attestations or SBOMs, and its config has a diff ID for each.
///
/// # Errors
/// Could-not-tell: why such a config could not be read within `bytes`.
pub(super) fn is_attachment(
    archive: &Archive,
    manifest: &Manifest,
    limits: &Limits,
    bytes: &mut u64,
) -> Result<bool, StoreError> {
    let config = &manifest.config;
    if config.digest == *empty_config().digest() {
        return Ok(!media_type::is_image_config(&config.media_type));
    }
    let no_image_layer = manifest.layers.iter().all(|layer| ATTACHED.contains(&layer.media_type.as_str()));
    if !no_image_layer || manifest.layers.is_empty() {
        return Ok(false);
    }
    let place = || archive.origin().to_string();
    let too_many = || StoreError::TooMany { place: place(), what: "bytes of configs", limit: limits.graph.bytes };
    *bytes = bytes.checked_sub(config.size).ok_or_else(too_many)?;
    let content = match archive.fetch(&config.bare(), limits.oci.manifest_bytes) {
        Ok(content) => content,
        Err(error) if is_answer(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let parsed = ImageConfig::parse(&content, limits);
    Ok(parsed.is_ok_and(|config| config.diff_ids.len() == manifest.layers.len()))
}

/// Whether the error says that the archive does not have the manifest, or has other bytes, which no loader takes for it.
pub(super) const fn is_answer(error: &StoreError) -> bool {
    matches!(error, StoreError::Content { .. } | StoreError::MissingBlob { .. } | StoreError::NotFound { .. })
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
