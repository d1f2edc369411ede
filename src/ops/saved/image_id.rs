//! `VerifiedImageId` [proof type]: an image id that a signed manifest names.

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::ops::saved::fault::ImageFault;
use crate::ops::saved::fault::SavedFault;
use crate::verify::VerifiedSubject;

/// An image id that a signed manifest names as the digest of its config. A proof type, made only by
/// [`saved::verify_ids`](crate::ops::saved::verify_ids()). It proves nothing about the layers that an engine has.
///
/// ```compile_fail,E0451
/// use bulla::ops::saved::VerifiedImageId;
///
/// fn forged(id: VerifiedImageId) -> VerifiedImageId {
///     VerifiedImageId { id: *id.id(), manifest: *id.manifest(), subject: id.subject().clone() }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct VerifiedImageId {
    id: Digest,
    manifest: Digest,
    subject: VerifiedSubject,
}

/// The verdict on an image id.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum ImageIdVerdict {
    /// Yes.
    Accepted(VerifiedImageId),
    /// No, or could not tell.
    NotAccepted {
        /// The image id.
        id: Digest,
        /// Why no manifest with this config counts, one reason for each; or that there is no such manifest.
        faults: NonEmpty<SavedFault>,
    },
}

impl VerifiedImageId {
    pub(super) const fn proven(id: Digest, manifest: Digest, subject: VerifiedSubject) -> Self {
        Self { id, manifest, subject }
    }

    /// The image id: the digest of the config.
    pub const fn id(&self) -> &Digest {
        &self.id
    }

    /// The manifest of the platform, which names the config.
    pub const fn manifest(&self) -> &Digest {
        &self.manifest
    }

    /// The digest that was signed: the manifest, or the index that it is in.
    pub const fn signed(&self) -> &Digest {
        self.subject.digest()
    }

    /// The verified subject, with the signatures that counted.
    pub const fn subject(&self) -> &VerifiedSubject {
        &self.subject
    }
}

impl ImageIdVerdict {
    /// Whether it is a no: every reason is one, since could-not-tell about one manifest may hide a yes.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Accepted(_) => false,
            Self::NotAccepted { faults, .. } => faults.iter().all(ImageFault::is_refusal),
        }
    }
}
