//! Files of revocation evidence that are attached to a manifest as referrers (OCI distribution-spec, "Listing Referrers").
//!
//! The invariant: what is attached is only ever more evidence for the pool, and what is listed as evidence, or without a
//! type, and cannot be read is reported. Anybody who can write to the repository can attach the oldest list that is still
//! fresh, or hide a newer one: by taking it away, or by a list of referrers that states another artifact type for it.

use crate::digest::Digest;
use crate::envelope::Attachment;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Manifest;
use crate::oci::Subject;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::attach;
use crate::ops::pinned;
use crate::ops::revocation::UnreadAttachment;
use crate::ops::walk::EvidenceBudget;
use crate::ops::walk::Walk;
use crate::store::Sink;
use crate::store::Source;
use crate::store::StoreError;
use crate::trust::RevocationBundle;

/// The revocation evidence attached to a manifest.
#[derive(Debug, Default)]
pub struct AttachedEvidence {
    /// The evidence of all files together.
    pub bundle: RevocationBundle,
    /// What could not be read: it may hold a revocation.
    pub unread: Vec<UnreadAttachment>,
}

/// Reads all files of revocation evidence that are attached to the manifest `subject`.
pub async fn attached(source: &dyn Source, subject: &Digest, limits: &Limits) -> AttachedEvidence {
    let mut found = AttachedEvidence::default();
    let mut walk = Walk::new(source, limits);
    let budget = walk.evidence();
    let entries = match walk.referrers(subject).await {
        Ok(entries) => entries,
        Err(error) => {
            found.unread.push(UnreadAttachment::Store { place: format!("{}@{subject}", source.origin()), error });
            return found;
        }
    };
    // A list need not state the artifact type, and then the manifest does.
    let may_be =
        |entry: &&Descriptor| entry.artifact_type.as_deref().is_none_or(|it| it == RevocationBundle::MEDIA_TYPE);
    for entry in entries.iter().filter(may_be) {
        let place = format!("{}@{}", source.origin(), entry.digest);
        let added = match walk.fetch(entry).await {
            Ok(Ok(content)) => found.add(source, &content, subject, &budget, limits).await,
            Ok(Err(error)) | Err(error) => Err(UnreadAttachment::Store { place, error }),
        };
        found.unread.extend(added.err());
    }
    found
}

/// Attaches a file of revocation evidence to `subject`, and returns the digest of its manifest. The same file has the same
/// manifest, so it is attached once.
///
/// # Errors
/// [`OpsError`].
pub async fn attach(
    sink: &dyn Sink,
    subject: &Subject,
    bundle: &RevocationBundle,
    limits: &Limits,
) -> Result<Digest, OpsError> {
    let file = Content::from_bytes(RevocationBundle::MEDIA_TYPE, bundle.to_bytes()?);
    let layer = file.descriptor().bare();
    let kind = RevocationBundle::MEDIA_TYPE;
    let manifest = referrer::referrer_manifest(subject.descriptor(), kind, vec![layer], &Default::default())?;
    let digest = *manifest.digest();
    attach::attach(sink, subject, &[Attachment { blobs: vec![file], manifest }], limits).await?;
    Ok(digest)
}

impl AttachedEvidence {
    /// Adds the file that a manifest carries, if it is one of revocation evidence about `subject`.
    async fn add(
        &mut self,
        source: &dyn Source,
        content: &Content,
        subject: &Digest,
        budget: &EvidenceBudget,
        limits: &Limits,
    ) -> Result<(), UnreadAttachment> {
        let place = format!("{}@{}", source.origin(), content.digest());
        let store = |error| UnreadAttachment::Store { place: place.clone(), error };
        let unreadable = |error| store(StoreError::Manifest { place: source.origin().to_string(), error });
        let manifest = match Document::parse(content, limits).map_err(unreadable)? {
            Document::Manifest(manifest) => manifest,
            Document::Artifact(_) | Document::Index(_) => return Ok(()),
        };
        let is_about = manifest.subject.as_ref().is_some_and(|about| about.digest == *subject);
        if !is_about || manifest.artifact_type != RevocationBundle::MEDIA_TYPE {
            return Ok(());
        }
        let layer = only_file(&manifest).ok_or_else(|| UnreadAttachment::Layers { place: place.clone() })?;
        let limit = RevocationBundle::most_bytes(limits);
        if layer.size > limit {
            return Err(store(StoreError::TooLarge { what: layer.digest.to_string(), limit }));
        }
        if !budget.take(layer.size) {
            let (place, limit) = (source.origin().to_string(), limits.evidence.bytes);
            return Err(store(StoreError::TooMany { place, what: "bytes of evidence (evidence.bytes)", limit }));
        }
        let file = pinned::blob(source, layer, limit).await.map_err(store)?;
        let bundle = |error| UnreadAttachment::Bundle { place: place.clone(), error };
        let read = RevocationBundle::parse(file.bytes(), limits).map_err(bundle)?;
        self.bundle.merge(read, limits).map_err(bundle)
    }
}

/// The one layer of a manifest, if it is a file of revocation evidence.
fn only_file(manifest: &Manifest) -> Option<&Descriptor> {
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == RevocationBundle::MEDIA_TYPE => Some(layer),
        _ => None,
    }
}
