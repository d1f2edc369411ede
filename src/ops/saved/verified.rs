//! `VerifiedSavedImage` [proof type]: an image of a docker-archive that was signed.

use crate::digest::Digest;
use crate::ops::saved::comparison::MatchedImage;
use crate::verify::VerifiedSubject;

/// An image of a docker-archive whose config and layers are those that were signed. A proof type, made only by
/// [`saved::verify`](crate::ops::saved::verify()).
#[derive(Debug)]
#[must_use]
pub struct VerifiedSavedImage {
    image: MatchedImage,
    subject: VerifiedSubject,
}

impl VerifiedSavedImage {
    /// The proof for an image that matches a manifest, which is the verified subject or in it.
    pub(super) const fn proven(image: MatchedImage, subject: VerifiedSubject) -> Self {
        Self { image, subject }
    }

    /// The image, as it was compared with the manifest.
    pub const fn image(&self) -> &MatchedImage {
        &self.image
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
