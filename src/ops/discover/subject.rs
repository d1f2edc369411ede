//! `ReferrerSubject`: the image that the `subject` field of a signature manifest must name.

use crate::digest::Digest;
use crate::oci::Descriptor;

/// The subject that a referrer must name. If its descriptor is known, media type and size are compared too, otherwise the
/// digest alone.
#[derive(Clone, Copy, Debug)]
pub struct ReferrerSubject<'a> {
    pub(in crate::ops) descriptor: Option<&'a Descriptor>,
    pub(in crate::ops) digest: Digest,
}

impl From<Digest> for ReferrerSubject<'_> {
    fn from(digest: Digest) -> Self {
        Self { descriptor: None, digest }
    }
}

impl<'a> From<&'a Descriptor> for ReferrerSubject<'a> {
    fn from(descriptor: &'a Descriptor) -> Self {
        Self { descriptor: Some(descriptor), digest: descriptor.digest }
    }
}
