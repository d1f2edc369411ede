//! `IdentifiedImage` [proof type]: which of some manifests and indexes an image of a docker-archive is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::ops::saved::candidates::ManifestsByConfig;
use crate::ops::saved::comparison::MatchedImage;
use crate::ops::saved::fault::SavedFault;
use crate::ops::saved::proven::ArchiveNotProven;
use crate::ops::saved::proven::ProvenArchive;
use crate::ops::saved::proven::SavedVerdict;
use crate::store::LoadedImage;
use crate::store::SavedArchive;
use crate::store::Source;

/// An image of a docker-archive that is one of the manifests that were asked for, or in one of the indexes. A proof type,
/// made only by [`identify`]. Nothing about it need be signed.
#[derive(Debug)]
#[must_use]
pub struct IdentifiedImage {
    found: NonEmpty<(Digest, MatchedImage)>,
    /// The manifests and indexes that it may be or be in as well, since not all of them could be read.
    not_known: Arc<BTreeSet<Digest>>,
}

impl IdentifiedImage {
    /// The digests of the manifests and indexes that it is or is in, each with the comparison.
    pub fn found(&self) -> impl Iterator<Item = &(Digest, MatchedImage)> {
        self.found.iter()
    }
}

impl ProvenArchive<IdentifiedImage> {
    /// The images of the archive that are the manifest `digest`, or in this index.
    pub fn images_of<'a>(&'a self, digest: &'a Digest) -> impl Iterator<Item = &'a MatchedImage> {
        let of_digest = move |image: &'a IdentifiedImage| image.found().find(|(found, _)| found == digest);
        self.images().iter().filter_map(of_digest).map(|(_, matched)| matched)
    }

    /// Whether the manifest or index `digest` could be read with all that is in it. If not, images of the archive may be of it
    /// that [`images_of`](Self::images_of) does not have.
    pub fn is_known(&self, digest: &Digest) -> bool {
        !self.images().iter().any(|image| image.not_known.contains(digest))
    }
}

/// Finds out which of the manifests and indexes `digests` each image is that `docker load` loads from `archive`. They are
/// read from `evidence`, by their digests alone; no layer is.
///
/// # Errors
/// [`ArchiveNotProven`]: a no if one of the images is not among them; could-not-tell if it may be one that `evidence` does
/// not have.
pub async fn identify(
    archive: &SavedArchive,
    evidence: &dyn Source,
    digests: &BTreeSet<Digest>,
    limits: &Limits,
) -> Result<ProvenArchive<IdentifiedImage>, ArchiveNotProven<IdentifiedImage, SavedFault>> {
    let configs = archive.configs();
    let found = ManifestsByConfig::below(evidence, digests, &configs, limits).await?;
    let not_known = Arc::new(found.incomplete().clone());
    let verdict = |image| identified(image, &found, Arc::clone(&not_known), limits);
    let verdicts = archive.images().iter().map(verdict).collect();
    ProvenArchive::of(archive, verdicts, |image: &IdentifiedImage| {
        image.found().flat_map(|(digest, matched)| [*digest, *matched.manifest()]).collect::<Vec<_>>()
    })
}

/// Which of the manifests that were found one image of the archive is.
fn identified(
    image: &LoadedImage,
    manifests: &ManifestsByConfig<'_>,
    not_known: Arc<BTreeSet<Digest>>,
    limits: &Limits,
) -> SavedVerdict<IdentifiedImage, SavedFault> {
    let (config, names) = (*image.config.digest(), image.names.clone());
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for candidate in manifests.with_config(&config) {
        match MatchedImage::compare(image, candidate, limits) {
            Ok(matched) => found.push((candidate.root.digest, matched)),
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(found) = NonEmpty::collect(found) {
        return SavedVerdict::Accepted(IdentifiedImage { found, not_known });
    }
    faults.extend(manifests.unread().map(|error| SavedFault::Unread(error.clone())));
    let faults = NonEmpty::collect(faults).unwrap_or_else(|| NonEmpty::one(SavedFault::NotAskedFor));
    SavedVerdict::NotAccepted { config, names, faults }
}
