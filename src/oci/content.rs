//! `Content`: bytes proven to match their descriptor. A proof type.

use bytes::Bytes;

use crate::digest::Digest;
use crate::oci::Descriptor;

/// Bytes whose length and digest match their descriptor.
///
/// [`Content::check`] is the only way to make it for a given descriptor; every parser of manifests and bundles takes
/// this type, so only checked bytes are parsed. The bytes are kept as they were received, and clones share them.
///
/// ```compile_fail,E0451
/// use bulla::oci::Content;
/// use bulla::oci::Descriptor;
///
/// fn forged(descriptor: Descriptor) -> Content {
///     Content { descriptor, bytes: b"other bytes".to_vec().into() }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    descriptor: Descriptor,
    bytes: Bytes,
}

/// Why bytes do not match their descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The digest differs.
    #[error("the bytes received for {want} have the digest {got}")]
    Digest {
        /// The digest of the descriptor.
        want: Digest,
        /// The digest of the bytes.
        got: Digest,
    },
    /// The length differs.
    #[error("the bytes received for {digest} are {got} long, not {want}")]
    Size {
        /// The digest of the descriptor.
        digest: Digest,
        /// The size of the descriptor, in bytes.
        want: u64,
        /// The length of the bytes.
        got: u64,
    },
}

impl Content {
    /// Accepts `bytes` if their length, then their digest, match `descriptor`.
    ///
    /// # Errors
    /// [`ContentError`] with both values if they differ.
    pub fn check(descriptor: &Descriptor, bytes: impl Into<Bytes>) -> Result<Self, ContentError> {
        let bytes = bytes.into();
        let got = length(&bytes);
        if got != descriptor.size {
            return Err(ContentError::Size { digest: descriptor.digest, want: descriptor.size, got });
        }
        Self::check_digest(descriptor.digest, &descriptor.media_type, bytes)
            .map(|content| Self { descriptor: descriptor.clone(), ..content })
    }

    /// Accepts `bytes` if their digest is `digest`: for a manifest that is requested by digest alone, so that its
    /// length is unknown.
    ///
    /// # Errors
    /// [`ContentError::Digest`] if it differs.
    pub fn check_digest(digest: Digest, media_type: &str, bytes: impl Into<Bytes>) -> Result<Self, ContentError> {
        let bytes = bytes.into();
        let got = Digest::of(digest.algorithm(), &bytes);
        if got != digest {
            return Err(ContentError::Digest { want: digest, got });
        }
        let descriptor = Descriptor::new(media_type, digest, length(&bytes));
        Ok(Self { descriptor, bytes })
    }

    /// Content whose descriptor is computed from `bytes`: for a request by tag, where the body alone decides
    /// (threats: digest-header-mismatch).
    pub fn from_bytes(media_type: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { descriptor: Descriptor::of(media_type, &bytes), bytes }
    }

    /// The descriptor that the bytes match.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same bytes, shared without a copy.
    pub fn shared(&self) -> Bytes {
        self.bytes.clone()
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_the_bytes_described() {
        let descriptor = Descriptor::of("text/plain", b"hello");
        assert_eq!(Content::check(&descriptor, b"hello".to_vec()).unwrap().bytes(), b"hello");
        assert!(matches!(Content::check(&descriptor, b"hellp".to_vec()), Err(ContentError::Digest { .. })));
        assert!(matches!(Content::check(&descriptor, b"hello!".to_vec()), Err(ContentError::Size { got: 6, .. })));
        assert!(matches!(Content::check(&descriptor, Vec::new()), Err(ContentError::Size { got: 0, .. })));
    }

    // The bytes that are moved, parsed and carried are one allocation.
    #[test]
    fn clones_share_their_bytes() {
        let bytes = b"hello".to_vec();
        let at = bytes.as_ptr();
        let content = Content::check(&Descriptor::of("text/plain", b"hello"), bytes).unwrap();
        assert_eq!([content.bytes().as_ptr(), content.clone().bytes().as_ptr(), content.shared().as_ptr()], [at; 3]);
    }
}
