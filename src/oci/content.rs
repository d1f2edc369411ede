//! `Content`: bytes proven to match their descriptor. A proof type.

use bytes::Bytes;

use crate::digest::Digest;
use crate::oci::Descriptor;

/// Bytes whose length and digest are what their descriptor says.
///
/// [`Content::check`] is the only way to have one where a descriptor is given; every parser of manifests and bundles
/// asks for it, so nothing is parsed that was not checked. The bytes are kept as they were received,
/// and clones share them.
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

/// Why bytes are not what their descriptor says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// Another digest.
    #[error("the bytes received for {want} have the digest {got}")]
    Digest {
        /// What the descriptor says.
        want: Digest,
        /// What the bytes are.
        got: Digest,
    },
    /// Another length.
    #[error("the bytes received for {digest} are {got} long, not {want}")]
    Size {
        /// The digest that was asked for.
        digest: Digest,
        /// What the descriptor says, in bytes.
        want: u64,
        /// How many bytes there are.
        got: u64,
    },
}

impl Content {
    /// Accepts `bytes` if their length, then their digest, are those of `descriptor`.
    ///
    /// # Errors
    /// [`ContentError`] with both values where they differ.
    pub fn check(descriptor: &Descriptor, bytes: impl Into<Bytes>) -> Result<Self, ContentError> {
        let bytes = bytes.into();
        let got = length(&bytes);
        if got != descriptor.size {
            return Err(ContentError::Size { digest: descriptor.digest, want: descriptor.size, got });
        }
        Self::check_digest(descriptor.digest, &descriptor.media_type, bytes)
            .map(|content| Self { descriptor: descriptor.clone(), ..content })
    }

    /// Accepts `bytes` if their digest is `digest`; for a manifest that is asked for by digest alone, whose length
    /// nobody stated.
    ///
    /// # Errors
    /// [`ContentError::Digest`] where it is another.
    pub fn check_digest(digest: Digest, media_type: &str, bytes: impl Into<Bytes>) -> Result<Self, ContentError> {
        let bytes = bytes.into();
        let got = Digest::of(digest.algorithm(), &bytes);
        if got != digest {
            return Err(ContentError::Digest { want: digest, got });
        }
        let descriptor = Descriptor::new(media_type, digest, length(&bytes));
        Ok(Self { descriptor, bytes })
    }

    /// Content with the digest of `bytes`: for a request by tag, where the body alone decides
    /// (threats: digest-header-mismatch).
    pub fn name(media_type: &str, bytes: impl Into<Bytes>) -> Self {
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

    /// The same bytes, shared and not copied.
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

    // What is moved, parsed and carried are the same bytes, in the same place.
    #[test]
    fn clones_share_their_bytes() {
        let bytes = b"hello".to_vec();
        let at = bytes.as_ptr();
        let content = Content::check(&Descriptor::of("text/plain", b"hello"), bytes).unwrap();
        assert_eq!([content.bytes().as_ptr(), content.clone().bytes().as_ptr(), content.shared().as_ptr()], [at; 3]);
    }
}
