//! `ReferrerSubject`: what the `subject` field of a signature manifest is compared with.

use crate::digest::Digest;
use crate::oci::Descriptor;

/// The subject that a referrer has to name: by its digest, or by its whole descriptor, to which the `subject` field of the
/// referrer is then compared.
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
