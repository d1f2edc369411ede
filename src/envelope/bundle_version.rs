//! `BundleVersion`: the versions of the Sigstore bundle format, and the media types that name them.

use crate::envelope::EnvelopeError;
use crate::envelope::error::BUNDLE_MEDIA_TYPE;
use crate::oci::media_type;

/// The supported versions of the bundle format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleVersion {
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`.
    V0_1,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.2`.
    V0_2,
    /// Both media types of 0.3.
    V0_3,
}

impl BundleVersion {
    pub(super) fn of(media_type: &str) -> Result<Self, EnvelopeError> {
        match media_type {
            "application/vnd.dev.sigstore.bundle+json;version=0.1" => Ok(Self::V0_1),
            "application/vnd.dev.sigstore.bundle+json;version=0.2" => Ok(Self::V0_2),
            "application/vnd.dev.sigstore.bundle+json;version=0.3" | media_type::SIGSTORE_BUNDLE => Ok(Self::V0_3),
            other => Err(EnvelopeError::unknown(BUNDLE_MEDIA_TYPE, other)),
        }
    }

    /// A media type of this version.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V0_1 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V0_2 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V0_3 => media_type::SIGSTORE_BUNDLE,
        }
    }
}
