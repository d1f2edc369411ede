//! list: the images of a layout or archive, the tags of a repository. Nothing that it says is verified.

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Index;
use crate::oci::media_type;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::store::Source;

/// An image of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The digest; of a tag of a repository it is not known without asking for it.
    pub digest: Option<Digest>,
    /// The media type, where the digest is known.
    pub media_type: Option<String>,
    /// The name: a tag, or the full name in a layout.
    pub name: Option<String>,
    /// Of an index, how many manifests it has.
    pub manifests: Option<usize>,
}

/// The images of `source`, in its order.
///
/// # Errors
/// [`OpsError`] where the list, or an index in it, could not be read.
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
