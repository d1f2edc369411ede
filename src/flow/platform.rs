//! platform: one manifest of an index, taken out of it.

use crate::flow::FlowError;
use crate::flow::pinned;
use crate::flow::verify;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Document;
use crate::oci::Platform;
use crate::store::Source;

/// The manifest for `platform` in `root`, or `root` itself if it is an image for it. Who signed `root` has not signed what
/// stands alone: a signature of an index is over the index.
///
/// # Errors
/// [`FlowError::NoPlatform`], [`FlowError::SamePlatform`], and where something could not be read.
pub async fn choose(
    source: &dyn Source,
    root: Content,
    platform: &Platform,
    limits: &Limits,
) -> Result<Content, FlowError> {
    match Document::parse(&root, limits)? {
        Document::Index(index) => {
            let child = verify::choose(source, root.digest(), index, platform, limits).await?;
            Ok(pinned::manifest(source, &child).await?)
        }
        Document::Artifact(_) => {
            Err(FlowError::NoPlatform { index: *root.digest(), platform: platform.to_string(), has: "none".to_owned() })
        }
        Document::Manifest(manifest) => {
            verify::has_platform(source, root.digest(), &manifest, platform, limits).await?;
            Ok(root)
        }
    }
}
