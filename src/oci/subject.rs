//! `Subject`: a manifest or index that can be signed, pinned by digest.

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;

/// What can be signed: a manifest or index whose bytes were seen, pinned by digest.
///
/// A tag cannot be signed, and neither can a digest that a registry only spoke of: the one way here is through
/// [`Content`].
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

    /// Media type, size and digest, and nothing else.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}
