//! The images of a docker-archive that are items of a signing request, in a report.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::saved::IdentifiedImage;
use crate::ops::saved::MatchedImage;
use crate::ops::saved::ProvenArchive;
use crate::request::RequestItem;

/// An image of the archive that is the manifest of an item, or in its index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedArchiveImage<'a> {
    image_id: &'a Digest,
    layers: usize,
    manifest: &'a Digest,
    names: &'a [String],
}

impl<'a> ReportedArchiveImage<'a> {
    /// Those of `item`; none where images may be of it that were not compared, since not all of its manifests could be read.
    pub(super) fn all(archive: &'a ProvenArchive<IdentifiedImage>, item: &'a RequestItem) -> Option<Vec<Self>> {
        let reported = |image: &'a MatchedImage| Self {
            image_id: image.config(),
            layers: image.layers().len(),
            manifest: image.manifest(),
            names: image.names(),
        };
        let images: Vec<_> = archive.images_of(&item.digest).map(reported).collect();
        (!images.is_empty() || archive.is_known(&item.digest)).then_some(images)
    }
}
