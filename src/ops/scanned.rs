//! scanned: whether a scanner looked at the image that is to be attested.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Document;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::predicate::ScanTarget;
use crate::store::Source;

/// Why the report of a scanner is not attested to an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScannedError {
    /// The image could not be read.
    #[error(transparent)]
    Image(#[from] OpsError),
    /// The subject is an index, and a scanner looks at one of its platforms.
    #[error("a scanner looks at one platform, and {subject} is an index of several")]
    Index {
        /// The index.
        subject: Digest,
    },
    /// The scanner looked at another image.
    #[error("the scanner looked at {}, not at {subject}", shown(.target))]
    OtherImage {
        /// The image that is to be attested.
        subject: Digest,
        /// What was scanned.
        target: Box<ScanTarget>,
    },
}

impl ScannedError {
    /// The stable error code for reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Image(error) => error.code(),
            Self::Index { .. } | Self::OtherImage { .. } => "other-subject",
        }
    }
}

/// Checks that `target` is the image `subject`: by the digest of its config, which scanners call the image ID, or by its own
/// digest. No report is about an index, also if it states the digest of one: scanners write there what the image was pulled
/// by, and look at one platform.
///
/// # Errors
/// [`ScannedError`].
pub async fn check_target(
    source: &dyn Source,
    subject: &Digest,
    target: &ScanTarget,
    limits: &Limits,
) -> Result<(), ScannedError> {
    let content = pinned::resolve(source, &TagOrDigest::Digest(*subject)).await.map_err(OpsError::from)?;
    let config = match Document::parse(&content, limits).map_err(OpsError::from)? {
        Document::Manifest(manifest) => Some(manifest.config.digest),
        Document::Artifact(_) => None,
        Document::Index(_) => return Err(ScannedError::Index { subject: *subject }),
    };
    match target.is_image(subject, config.as_ref()) {
        true => Ok(()),
        false => Err(ScannedError::OtherImage { subject: *subject, target: Box::new(target.clone()) }),
    }
}

/// The digests of what was scanned, for people.
fn shown(target: &ScanTarget) -> String {
    let digests = target.manifests.iter().take(SHOWN).chain(&target.config);
    digests.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The digests of manifests that a message shows.
const SHOWN: usize = 2;
