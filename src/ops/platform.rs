//! platform: selects one manifest of an index.

use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::Manifest;
use crate::oci::Platform;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::verify;
use crate::store::Source;

/// Selects the manifest for `platform` in `root`, or `root` itself if it is an image for this platform. A signature of the
/// index does not cover the selected manifest once it stands alone.
///
/// # Errors
/// [`OpsError::NoPlatform`], [`OpsError::SamePlatform`], or an error if something could not be read.
pub async fn choose(
    source: &dyn Source,
    root: Content,
    platform: &Platform,
    limits: &Limits,
) -> Result<Content, OpsError> {
    match Document::parse(&root, limits)? {
        Document::Index(index) => {
            let child = verify::choose(source, root.digest(), index, platform, limits).await?;
            let content = pinned::manifest(source, &child).await?;
            // The platform in an index may be wrong, and the manifest leaves the signatures of the index: its config decides.
            let manifest = Manifest::parse(&content, limits)?;
            verify::has_platform(source, root.digest(), &manifest, platform, limits).await?;
            Ok(content)
        }
        Document::Artifact(_) => {
            Err(OpsError::NoPlatform { index: *root.digest(), platform: platform.to_string(), has: "none".to_owned() })
        }
        Document::Manifest(manifest) => {
            verify::has_platform(source, root.digest(), &manifest, platform, limits).await?;
            Ok(root)
        }
    }
}
