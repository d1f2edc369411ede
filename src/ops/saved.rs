//! saved: verifies what `docker load` loads from a docker-archive, by evidence that is kept elsewhere.
//!
//! The signed manifest is not in most of these archives, but it names the config by its digest, and the config names every
//! layer by the digest of its unpacked bytes. The config's digest is the image id. Invariant: an archive is verified only
//! if every image that a loader takes from it has a config that a verified manifest names, and exactly the layers that
//! config and manifest name.
//!
//! 1. Find the manifests at the place of the evidence, those below indexes too, by the digests of their configs.
//! 2. For each image of the archive: verify such a manifest, or the index that it is in, as any other image.
//! 3. Compare the layers in the archive with those of the config, in number and order. A layer matches if the digest of its
//!    unpacked bytes is the one in the config (`diff_ids`), or, where they are not known, if it is the blob in the manifest.
//! 4. Refuse the archive if a loader would take anything else from it.
//!
//! By policy files it is the same, with what they let in for what is verified ([`verify_by_policies`]). Which of some images
//! the archive has is found out in the same way, without any signature ([`identify`]).

mod by_policies;
mod candidates;
mod comparison;
mod config;
mod fault;
mod identified;
mod image_id;
mod let_in;
mod proven;
mod verified;

use crate::digest::Digest;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::saved::candidates::CandidateManifest;
use crate::ops::saved::config::ConfigCandidates;
use crate::ops::verify_options::VerifyOptions;
use crate::store::LoadedImage;
use crate::store::SavedArchive;
use crate::store::Source;

pub use by_policies::verify_by_policies;
pub use comparison::MatchedImage;
pub use fault::ImageFault;
pub use fault::SavedFault;
pub use identified::IdentifiedImage;
pub use identified::identify;
pub use image_id::ImageIdVerdict;
pub use image_id::VerifiedImageId;
pub use let_in::SavedImageLetIn;
pub use let_in::SavedPolicyFault;
pub use proven::ArchiveNotProven;
pub use proven::ProvenArchive;
pub use proven::SavedVerdict;
pub use verified::VerifiedSavedImage;

/// Verifies every image that `docker load` loads from `archive`, by the manifests and signatures in `evidence`: those of the
/// image at `tag_or_digest`, or of all images there. No layer is read from `evidence`.
///
/// # Errors
/// [`ArchiveNotProven`]: a no if one of the images is refused, else could-not-tell.
pub async fn verify(
    archive: &SavedArchive,
    evidence: &dyn Source,
    tag_or_digest: Option<&TagOrDigest>,
    options: VerifyOptions<'_>,
) -> Result<ProvenArchive<VerifiedSavedImage>, ArchiveNotProven<VerifiedSavedImage, SavedFault>> {
    let configs = archive.configs();
    let mut candidates = ConfigCandidates::find(evidence, tag_or_digest, &configs, options).await?;
    let mut verdicts = Vec::new();
    for image in archive.images() {
        verdicts.push(verdict_on(image, &mut candidates).await);
    }
    ProvenArchive::of(archive, verdicts, |image| [*image.signed(), *image.image().manifest()])
}

/// Verifies images by their ids: by the digests of their configs, as container engines show them. One verdict for each of
/// `ids`, in their order. That an engine has the layers that the config names is for the engine to check; nothing of the
/// image itself is read.
///
/// # Errors
/// [`OpsError`] if the manifests in `evidence` cannot be listed, or a limit is exceeded: then nothing is decided.
pub async fn verify_ids(
    ids: &[Digest],
    evidence: &dyn Source,
    tag_or_digest: Option<&TagOrDigest>,
    options: VerifyOptions<'_>,
) -> Result<Vec<ImageIdVerdict>, OpsError> {
    let configs = ids.iter().copied().collect();
    let mut candidates = ConfigCandidates::find(evidence, tag_or_digest, &configs, options).await?;
    let mut verdicts = Vec::new();
    let manifest = |candidate: &CandidateManifest| candidate.check_image().map(|()| *candidate.content.digest());
    for id in ids {
        verdicts.push(match candidates.verify(id, manifest).await {
            Ok((manifest, subject)) => ImageIdVerdict::Accepted(VerifiedImageId::proven(*id, manifest, subject)),
            Err(faults) => ImageIdVerdict::NotAccepted { id: *id, faults },
        });
    }
    Ok(verdicts)
}

/// The verdict on one image of the archive. One verified manifest with its config is enough.
async fn verdict_on(
    image: &LoadedImage,
    candidates: &mut ConfigCandidates<'_>,
) -> SavedVerdict<VerifiedSavedImage, SavedFault> {
    let (config, names) = (*image.config.digest(), image.names.clone());
    let limits = candidates.options().limits;
    match candidates.verify(&config, |candidate| MatchedImage::compare(image, candidate, limits)).await {
        Ok((matched, subject)) => SavedVerdict::Accepted(VerifiedSavedImage::proven(matched, subject)),
        Err(faults) => SavedVerdict::NotAccepted { config, names, faults },
    }
}
