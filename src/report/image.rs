//! The results of `ls`.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::list::Image;

/// One image of a layout or archive, or one tag of a repository.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageResult<'a> {
    digest: Option<Digest>,
    manifests: Option<usize>,
    media_type: Option<&'a str>,
    name: Option<&'a str>,
    reference: &'a str,
}

impl<'a> ImageResult<'a> {
    /// The image with its reference.
    pub fn of(reference: &'a str, image: &'a Image) -> Self {
        let Image { digest, manifests, media_type, name } = image;
        Self {
            digest: *digest,
            manifests: *manifests,
            media_type: media_type.as_deref(),
            name: name.as_deref(),
            reference,
        }
    }
}
