//! `Subject`: a manifest or index that can be signed, pinned by digest.

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;

/// The subject of a signature: a manifest or index whose bytes were checked, pinned by digest.
///
/// It is made from [`Content`] only, so neither a tag can be signed nor a digest whose content was not read.
///
/// ```compile_fail,E0308
/// let subject = bulla::oci::Subject::of("registry.example/app:v1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    descriptor: Descriptor,
}

impl Subject {
    /// Pins the manifest or index `content`.
    pub fn of(content: &Content) -> Self {
        Self { descriptor: content.descriptor().bare() }
    }

    /// Its digest.
    pub fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    /// The descriptor: media type, size and digest only.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}
