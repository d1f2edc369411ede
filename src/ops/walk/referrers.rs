//! The referrers of a manifest: the list of the store, the list at the fallback tag, and cosign's tags.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::ops::walk::Walk;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;

impl Walk<'_> {
    /// The descriptors that the store's list of referrers and the fallback tag give for `subject` (OCI
    /// distribution-spec, "Referrers Tag Schema"), each once. Entries for one digest may differ in size and media type:
    /// all of them are returned, since a wrong one must not hide the right one. No manifest is fetched, so no `subject`
    /// field is checked.
    ///
    /// # Errors
    /// Where one of the lists could not be read whole.
    pub(in crate::ops) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, StoreError> {
        let source = self.source;
        let own = source.referrers(subject, None).await?;
        let own = own.map(|listing| listing.whole(&source.origin())).transpose()?.unwrap_or_default();
        let fallback = match source.resolve(&TagOrDigest::Tag(referrer::fallback_tag(subject))).await {
            Ok(content) if content.digest() == subject => Vec::new(),
            Ok(content) => Index::parse(&content, self.limits).map_err(|error| unreadable(source, error))?.manifests,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut seen = BTreeSet::new();
        Ok(own
            .into_iter()
            .chain(fallback)
            .filter(|entry| seen.insert(entry.identity()))
            .map(referrer::bounded_entry)
            .collect())
    }

    /// The manifests at the cosign tags of `subject`, each with its tag. They are fetched before any budget pays for
    /// them.
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

/// The error for a list of referrers that cannot be parsed: an error of the store, not of the image.
pub(in crate::ops) fn unreadable(source: &dyn Source, error: ManifestError) -> StoreError {
    StoreError::Manifest { place: source.origin().to_string(), error }
}
