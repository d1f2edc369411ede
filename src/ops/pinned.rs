//! What a store answers, held against what it was asked: a store can withhold, it cannot substitute.

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::Selector;
use crate::store::Source;
use crate::store::StoreError;
use crate::verify::Finding;
use crate::verify::FoundAt;
use crate::verify::Reason;

/// What `selector` stands for. By digest it is the content with that digest (threats: other-content-for-digest).
///
/// # Errors
/// [`StoreError`], also where the source answers with something else.
pub async fn resolve(source: &dyn Source, selector: &Selector) -> Result<Content, StoreError> {
    let content = source.resolve(selector).await?;
    match selector {
        Selector::Digest(want) => is(source, want, content),
        Selector::Tag(_) => Ok(content),
    }
}

/// The manifest with this descriptor, and no other.
pub(super) async fn manifest(source: &dyn Source, descriptor: &Descriptor) -> Result<Content, StoreError> {
    is(source, &descriptor.digest, source.manifest(descriptor).await?)
}

/// The blob with this descriptor, of at most `limit` bytes, and no other.
pub(super) async fn blob(source: &dyn Source, descriptor: &Descriptor, limit: u64) -> Result<Content, StoreError> {
    is(source, &descriptor.digest, source.blob(descriptor, limit).await?)
}

/// HR-02: a registry that calls a manifest by another name than its own is seen to do so. The bytes decide.
pub(super) fn misnomer(source: &dyn Source, digest: &Digest, place: &FoundAt) -> Option<Finding> {
    let said = source.misnomer(digest)?;
    Some(Finding { digest: Some(*digest), place: place.clone(), reason: Reason::Misnomer { said } })
}

fn is(source: &dyn Source, want: &Digest, content: Content) -> Result<Content, StoreError> {
    let got = *content.digest();
    match got == *want {
        true => Ok(content),
        false => {
            let error = ContentError::Digest { want: *want, got };
            Err(StoreError::Content { place: source.origin().to_string(), error })
        }
    }
}
