//! `ProvenArchive` [proof type]: a docker-archive in which every image that `docker load` loads is proven.

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::ops::OpsError;
use crate::ops::saved::fault::ImageFault;
use crate::ordered;
use crate::store::ContradictionReason;
use crate::store::SavedArchive;
use crate::store::StoreError;

/// A docker-archive in which every image that `docker load` loads is proven as `I` says, and from which a loader takes
/// nothing else. A proof type, made only by [`saved::verify`](crate::ops::saved::verify()),
/// [`saved::verify_by_policies`](crate::ops::saved::verify_by_policies()) and
/// [`saved::identify`](crate::ops::saved::identify()).
///
/// ```compile_fail,E0451
/// use bulla::ops::saved::ProvenArchive;
///
/// fn forged<I>(archive: ProvenArchive<I>) -> ProvenArchive<I> {
///     ProvenArchive { images: archive.images }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ProvenArchive<I> {
    images: NonEmpty<I>,
}

/// The verdict on one image of a docker-archive.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum SavedVerdict<I, F> {
    /// Yes, with the proof.
    Accepted(I),
    /// No, or could not tell.
    NotAccepted {
        /// The config: its digest is the image id.
        config: Digest,
        /// The names in the archive, which are not signed.
        names: Vec<String>,
        /// Why no manifest with this config counts, one reason for each; or that there is no such manifest.
        faults: NonEmpty<F>,
    },
}

/// Why a docker-archive is not proven. It must not be loaded.
#[derive(Debug, thiserror::Error)]
#[must_use]
#[non_exhaustive]
pub enum ArchiveNotProven<I, F> {
    /// Something could not be read, or the archive contradicts itself.
    #[error(transparent)]
    Error(#[from] OpsError),
    /// Not every image is accepted. `docker load` loads all of them.
    #[error("not every image in it is accepted")]
    Images(NonEmpty<SavedVerdict<I, F>>),
}

impl<I> ProvenArchive<I> {
    /// The proof for `archive`, if its images are all accepted, and a loader that reads an OCI layout in it takes nothing
    /// else. `covers` are the manifests and indexes that are proven with an image, with all that is below them.
    ///
    /// # Errors
    /// [`ArchiveNotProven`]: the verdicts, if one of them is not a yes; or what else a loader would take.
    pub(super) fn of<F, D: IntoIterator<Item = Digest>>(
        archive: &SavedArchive,
        verdicts: Vec<SavedVerdict<I, F>>,
        covers: impl Fn(&I) -> D,
    ) -> Result<Self, ArchiveNotProven<I, F>> {
        let place = || archive.place().to_owned();
        let verdicts = NonEmpty::collect(verdicts).ok_or_else(|| OpsError::NothingLoaded { place: place() })?;
        if verdicts.iter().any(|verdict| matches!(verdict, SavedVerdict::NotAccepted { .. })) {
            return Err(ArchiveNotProven::Images(verdicts));
        }
        let accepted = |verdict| match verdict {
            SavedVerdict::Accepted(image) => Some(image),
            SavedVerdict::NotAccepted { .. } => None,
        };
        let images = NonEmpty::collect(verdicts.into_iter().filter_map(accepted)).ok_or(OpsError::Task)?;
        let covered = ordered::set(images.iter().flat_map(covers));
        match archive.beside(&covered).map_err(OpsError::from)? {
            None => Ok(Self { images }),
            Some(other) => {
                let reason = ContradictionReason::NotProven(other);
                Err(OpsError::from(StoreError::Contradiction { place: place(), reason }).into())
            }
        }
    }

    /// The images, in the order in which `docker load` loads them.
    pub const fn images(&self) -> &NonEmpty<I> {
        &self.images
    }
}

impl<I, F: ImageFault> SavedVerdict<I, F> {
    /// Whether it is a no: all reasons are, or one is final. Otherwise another manifest may still hide a yes.
    pub fn is_refusal(&self) -> bool {
        let Self::NotAccepted { faults, .. } = self else { return false };
        faults.iter().any(ImageFault::is_final) || faults.iter().all(ImageFault::is_refusal)
    }
}

impl<I, F: ImageFault> ArchiveNotProven<I, F> {
    /// Whether it is a no. Otherwise it could not be decided.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Error(error) => error.is_refusal(),
            Self::Images(verdicts) => verdicts.iter().any(SavedVerdict::is_refusal),
        }
    }
}
