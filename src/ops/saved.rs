//! saved: verifies what `docker load` loads from a docker-archive, by evidence that is kept elsewhere.
//!
//! The signed manifest is not in most of these archives, but it names the config by its digest, and the config names every
//! layer by the digest of its unpacked bytes. The config's digest is the image id. Invariant: an archive is verified only
//! if every image that a loader takes from it has a config that a verified manifest names, and exactly the layers that
//! config and manifest name.
//!
//! 1. Find the manifests at the place of the evidence, those below indexes too, by the digests of their configs.
//! 2. For each image of the archive: verify such a manifest, or the index that it is in, as any other image.
//! 3. Compare the layers in the archive with those of the config, in number and order. A layer matches if its digest is the
//!    one in the config (`diff_ids`), or, for one that is compressed, the one in the manifest.
//! 4. Refuse the archive if a loader would take anything else from it.

mod candidates;
mod verdict;

use std::collections::BTreeSet;

use crate::nonempty::NonEmpty;
use crate::oci::ImageConfig;
use crate::oci::Manifest;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::outcome::Verdict;
use crate::ops::outcome::VerifyOptions;
use crate::ops::saved::candidates::CandidateManifest;
use crate::ops::saved::candidates::ManifestsByConfig;
use crate::ops::verify;
use crate::store::ContradictionReason;
use crate::store::LoadedImage;
use crate::store::SavedArchive;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::VerifiedSubject;

pub use verdict::ArchiveNotVerified;
pub use verdict::SavedFault;
pub use verdict::SavedVerdict;
pub use verdict::VerifiedArchive;
pub use verdict::VerifiedSavedImage;

/// Verifies every image that `docker load` loads from `archive`, by the manifests and signatures in `evidence`: those of the
/// image at `tag_or_digest`, or of all images there. No layer is read from `evidence`.
///
/// # Errors
/// [`ArchiveNotVerified`]: a no if one of the images is refused, else could-not-tell.
pub async fn verify(
    archive: &SavedArchive,
    evidence: &dyn Source,
    tag_or_digest: Option<&TagOrDigest>,
    options: VerifyOptions<'_>,
) -> Result<VerifiedArchive, ArchiveNotVerified> {
    let candidates = ManifestsByConfig::find(evidence, tag_or_digest, options.limits).await?;
    let mut verdicts = Vec::new();
    for image in archive.images() {
        verdicts.push(verdict_on(image, &candidates, evidence, options).await);
    }
    let nothing = || OpsError::NothingLoaded { place: archive.place().to_owned() };
    let verdicts = NonEmpty::collect(verdicts).ok_or_else(nothing)?;
    let verified = VerifiedArchive::of(verdicts)?;
    let proven: BTreeSet<_> = verified.images().iter().flat_map(|image| [*image.signed(), *image.manifest()]).collect();
    match archive.beside(&proven) {
        None => Ok(verified),
        Some(other) => {
            let (place, reason) = (archive.place().to_owned(), ContradictionReason::NotProven(other));
            Err(OpsError::from(StoreError::Contradiction { place, reason }).into())
        }
    }
}

/// The verdict on one image of the archive. One verified manifest with its config is enough.
async fn verdict_on(
    image: &LoadedImage,
    candidates: &ManifestsByConfig,
    evidence: &dyn Source,
    options: VerifyOptions<'_>,
) -> SavedVerdict {
    let mut faults = Vec::new();
    for candidate in candidates.with_config(image.config.digest()) {
        match signed(candidate, evidence, options).await {
            Err(verdict) => faults.push(SavedFault::Signature { verdict: Box::new(verdict) }),
            Ok(subject) => match compare(image, &candidate.manifest, options) {
                Ok(()) => {
                    let layers = image.layers.iter().map(|layer| layer.size).collect();
                    let (manifest, names) = (*candidate.content.digest(), image.names.clone());
                    let config = *image.config.digest();
                    return SavedVerdict::Accepted(VerifiedSavedImage::proven(
                        config, layers, manifest, names, subject,
                    ));
                }
                Err(fault) => faults.push(fault),
            },
        }
    }
    if let Some(error) = candidates.unread() {
        faults.push(SavedFault::Unread(error.clone()));
    }
    let unknown = SavedFault::NoManifest { place: evidence.origin().to_string() };
    let faults = NonEmpty::collect(faults).unwrap_or_else(|| NonEmpty::one(unknown));
    SavedVerdict::NotAccepted { config: *image.config.digest(), names: image.names.clone(), faults }
}

/// Verifies the image that the candidate was found in, or else its manifest alone.
async fn signed(
    candidate: &CandidateManifest,
    evidence: &dyn Source,
    options: VerifyOptions<'_>,
) -> Result<VerifiedSubject, Verdict> {
    let whole = match verify::evaluate_signatures(evidence, &candidate.root, options).await {
        Verdict::Accepted(subject) => return Ok(subject),
        verdict => verdict,
    };
    if candidate.root.digest == *candidate.content.digest() {
        return Err(whole);
    }
    match verify::evaluate_signatures(evidence, candidate.content.descriptor(), options).await {
        Verdict::Accepted(subject) => Ok(subject),
        // What could not be read about the index may be what is missing.
        _ if matches!(whole, Verdict::Unknown { .. }) => Err(whole),
        own if own.has_no_evidence() => Err(whole),
        own => Err(own),
    }
}

/// Compares the layers of `image` with those of its config, which `manifest` names.
fn compare(image: &LoadedImage, manifest: &Manifest, options: VerifyOptions<'_>) -> Result<(), SavedFault> {
    let config = ImageConfig::parse(&image.config, options.limits).map_err(SavedFault::Config)?;
    let (layers, wanted) = (image.layers.len(), config.diff_ids.len());
    if layers != wanted {
        return Err(SavedFault::LayerCount { layers, wanted });
    }
    for (position, (layer, diff_id)) in image.layers.iter().zip(&config.diff_ids).enumerate() {
        // Positions of config and manifest correspond only if both have all layers.
        let blob = manifest.layers.get(position).filter(|_| manifest.layers.len() == wanted);
        let is_blob = layer.compression.is_some() && blob.is_some_and(|blob| blob.digest == layer.digest);
        if layer.digest == *diff_id || is_blob {
            continue;
        }
        return Err(match layer.compression {
            // Only its unpacked bytes could tell.
            Some(format) => SavedFault::LayerCompressed { position, format },
            None => SavedFault::Layer { position, found: layer.digest, wanted: *diff_id },
        });
    }
    Ok(())
}
