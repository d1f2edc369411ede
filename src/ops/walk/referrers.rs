//! What refers to a manifest: the store's list of referrers, the list at the fallback tag, and cosign's tags.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::ops::walk::Walk;
use crate::store::Listing;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;

impl Walk<'_> {
    /// The referrers of `subject` by the word of the lists that name them: the store's own and the one at the fallback
    /// tag (OCI distribution-spec, "Referrers Tag Schema"), each digest once.
    ///
    /// # Errors
    /// Where one of the lists could not be read whole.
    pub(in crate::ops) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, StoreError> {
        let source = self.source;
        let own = source.referrers(subject, None).await?.map(Listing::whole).transpose()?.unwrap_or_default();
        let fallback = match source.resolve(&TagOrDigest::Tag(referrer::fallback_tag(subject))).await {
            Ok(content) if content.digest() == subject => Vec::new(),
            Ok(content) => Index::parse(&content, self.limits).map_err(|error| unreadable(source, error))?.manifests,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut seen = BTreeSet::new();
        Ok(own.into_iter().chain(fallback).filter(|entry| seen.insert(entry.digest)).map(referrer::listed).collect())
    }

    /// The manifests at cosign's tags for `subject`, each with its tag, which no budget has paid for yet.
    ///
    /// # Errors
    /// Where a tag could not be asked for.
    pub(in crate::ops) async fn cosign_tags(&self, subject: &Digest) -> Result<Vec<(String, Content)>, StoreError> {
        let source = self.source;
        let ask = |suffix| -> Task<'_, (String, Result<Content, StoreError>)> {
            let tag = referrer::cosign_tag(subject, suffix);
            Box::pin(async move {
                let found = source.resolve(&TagOrDigest::Tag(tag.clone())).await;
                (tag, found)
            })
        };
        let mut found = Vec::new();
        for (tag, content) in parallel::run(vec![ask("sig"), ask("att"), ask("sbom")], 3).await {
            match content {
                Ok(content) => found.push((tag, content)),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// The error for a list that a store keeps and that cannot be read: it says nothing about the image.
pub(in crate::ops) fn unreadable(source: &dyn Source, error: ManifestError) -> StoreError {
    StoreError::Manifest { place: source.origin().to_string(), error }
}
