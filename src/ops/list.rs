//! list: the images of a layout or archive, or the tags of a repository. Nothing is verified.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Index;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::store::Source;

/// An image in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The digest. Unknown for the tags of a repository, since the list of tags has no digests.
    pub digest: Option<Digest>,
    /// The media type, if the digest is known.
    pub media_type: Option<String>,
    /// The name: a tag, or the full name in a layout.
    pub name: Option<String>,
    /// The number of manifests, if it is an index.
    pub manifests: Option<usize>,
}

/// Lists the images of `source`, in its order.
///
/// # Errors
/// [`OpsError`] if the list, or an index in it, could not be read.
pub async fn list(source: &dyn Source, limits: &Limits) -> Result<Vec<Image>, OpsError> {
    let mut images = Vec::new();
    for listed in source.images().await? {
        let mut image = Image { digest: None, media_type: None, name: listed.name, manifests: None };
        if let Some(descriptor) = listed.descriptor {
            if media_type::is_index(&descriptor.media_type) {
                let index = pinned::manifest(source, &descriptor).await?;
                image.manifests = Some(Index::parse(&index, limits)?.manifests.len());
            }
            image.digest = Some(descriptor.digest);
            image.media_type = Some(descriptor.media_type);
        }
        images.push(image);
    }
    Ok(images)
}
