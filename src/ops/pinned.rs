//! Digest checks on what a store returns: a store can withhold content, but not substitute it.

use crate::digest::Digest;
use crate::envelope::FoundAt;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::TagOrDigest;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::Finding;
use crate::verify::Reason;

/// Resolves `tag_or_digest` to a manifest; for a digest, the content is guaranteed to have it
/// (threats: other-content-for-digest).
///
/// # Errors
/// [`StoreError`], also if the source returns content with another digest.
pub async fn resolve(source: &dyn Source, tag_or_digest: &TagOrDigest) -> Result<Content, StoreError> {
    let content = source.resolve(tag_or_digest).await?;
    match tag_or_digest {
        TagOrDigest::Digest(want) => check_digest(source, want, content),
        TagOrDigest::Tag(_) => Ok(content),
    }
}

/// Fetches the manifest of this descriptor; its digest is guaranteed.
pub(super) async fn manifest(source: &dyn Source, descriptor: &Descriptor) -> Result<Content, StoreError> {
    check_digest(source, &descriptor.digest, source.manifest(descriptor).await?)
}

/// Fetches the blob of this descriptor, of at most `limit` bytes; its digest is guaranteed.
pub(super) async fn blob(source: &dyn Source, descriptor: &Descriptor, limit: u64) -> Result<Content, StoreError> {
    check_digest(source, &descriptor.digest, source.blob(descriptor, limit).await?)
}

/// A finding if the `Docker-Content-Digest` header names another digest. The digest of the received bytes decides
/// (threats: digest-header-mismatch).
pub(super) fn digest_header_mismatch(source: &dyn Source, digest: &Digest, place: &FoundAt) -> Option<Finding> {
    let said = source.digest_header_mismatch(digest)?;
    Some(Finding { digest: Some(*digest), place: place.clone(), reason: Reason::DigestHeaderMismatch { said } })
}

fn check_digest(source: &dyn Source, want: &Digest, content: Content) -> Result<Content, StoreError> {
    let got = *content.digest();
    match got == *want {
        true => Ok(content),
        false => {
            let error = ContentError::Digest { want: *want, got };
            Err(StoreError::Content { place: source.origin().to_string(), error })
        }
    }
}
