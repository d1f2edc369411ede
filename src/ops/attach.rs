//! Attaches signatures to an image: blobs first, then manifests, then the list of referrers if the store keeps none.

use std::collections::BTreeMap;

use tracing::Instrument as _;
use tracing::debug;
use tracing::info_span;

use crate::digest::Digest;
use crate::envelope::Attachment;
use crate::envelope::EvidenceIdentity;
use crate::envelope::StoredSignature;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::Manifest;
use crate::oci::Subject;
use crate::oci::TagOrDigest;
use crate::oci::referrer;
use crate::ops::OpsError;
use crate::ops::ReadBackReason;
use crate::ops::attached_signatures::AttachedSignatures;
use crate::ops::walk;
use crate::store::Sink;
use crate::store::StoreError;

/// Signatures about one subject that were made and are not attached yet.
#[derive(Debug, Default)]
pub struct PendingSignatures {
    referrers: Vec<Attachment>,
    /// For each suffix of cosign's tags, the contents and the layers that name them.
    tags: BTreeMap<&'static str, (Vec<Content>, Vec<Descriptor>)>,
}

impl PendingSignatures {
    /// Adds a signature. Returns the digest of its referrer, if its format has one.
    pub fn add(&mut self, stored: StoredSignature) -> Option<Digest> {
        match stored {
            StoredSignature::Layer { content, layer, tag } => {
                let (contents, layers) = self.tags.entry(tag.suffix).or_default();
                contents.push(content);
                layers.push(layer);
                None
            }
            StoredSignature::Referrer(referrer) => {
                let digest = *referrer.manifest.digest();
                self.referrers.push(referrer);
                Some(digest)
            }
        }
    }

    /// The digests of the referrers.
    pub fn referrers(&self) -> impl Iterator<Item = &Digest> {
        self.referrers.iter().map(|referrer| referrer.manifest.digest())
    }

    /// Attaches all of them to `subject`: the referrers first, then the layers at the tags. Returns the tags.
    ///
    /// # Errors
    /// [`OpsError::PartlyAttached`] with what was attached before the error; otherwise as [`attach`].
    pub async fn attach(&self, sink: &dyn Sink, subject: &Subject, limits: &Limits) -> Result<Vec<String>, OpsError> {
        attach(sink, subject, &self.referrers, limits).await?;
        let mut attached = AttachedSignatures { referrers: self.referrers().copied().collect(), tags: Vec::new() };
        for (suffix, (contents, layers)) in &self.tags {
            let tag = referrer::cosign_tag(subject.digest(), suffix);
            if let Err(error) = add_to_tag(sink, &tag, contents, layers, limits).await {
                return Err(OpsError::after(attached, error));
            }
            attached.tags.push(tag);
        }
        Ok(attached.tags)
    }
}

/// Attaches `attachments` to `subject`. A blob is pushed before the manifest that names it, and the list of referrers is
/// written last and once.
///
/// # Errors
/// [`OpsError::PartlyAttached`] if some were attached before the error: these are listed. Other content that was pushed
/// is unreferenced, and a repeated call completes it.
pub async fn attach(
    sink: &dyn Sink,
    subject: &Subject,
    attachments: &[Attachment],
    limits: &Limits,
) -> Result<(), OpsError> {
    let span = info_span!("attach", subject = %subject.digest(), place = %sink.origin());
    attach_in_order(sink, subject, attachments, limits).instrument(span).await
}

/// Pushes blobs, then manifests, then the list of referrers.
async fn attach_in_order(
    sink: &dyn Sink,
    subject: &Subject,
    attachments: &[Attachment],
    limits: &Limits,
) -> Result<(), OpsError> {
    let (mut listed, mut unlisted, mut failed) = (Vec::new(), Vec::new(), None);
    for attachment in attachments {
        match push(sink, attachment, limits).await {
            Ok(None) => listed.push(*attachment.manifest.digest()),
            Ok(Some(entry)) => unlisted.push(entry),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    // The referrers before a failed one are listed too: nobody would find them otherwise.
    if !unlisted.is_empty() {
        match sink.merge_referrers(subject.digest(), &unlisted).await {
            Ok(()) => listed.extend(unlisted.iter().map(|entry| entry.digest)),
            Err(error) => failed = failed.or(Some(error.into())),
        }
    }
    match failed {
        Some(error) => Err(OpsError::after(AttachedSignatures { referrers: listed, tags: Vec::new() }, error)),
        None => Ok(()),
    }
}

/// Pushes a referrer and its blobs. Returns its entry for a list of referrers, unless the store lists it itself.
async fn push(sink: &dyn Sink, attachment: &Attachment, limits: &Limits) -> Result<Option<Descriptor>, OpsError> {
    for blob in &attachment.blobs {
        sink.push_content(blob).await?;
    }
    let entry = entry(&attachment.manifest, limits)?;
    let listed = put(sink, &attachment.manifest).await?;
    debug!(digest = %attachment.manifest.digest(), listed, "pushed a referrer");
    Ok((!listed).then_some(entry))
}

/// Pushes a referrer with the empty config, which the store nearly always has already. To save requests, the config is
/// pushed at once if that costs no more than asking for it; it is not asked for if the store checks the blobs of a
/// manifest anyway; otherwise the store is asked for it first. Returns whether the store lists the referrer.
async fn put(sink: &dyn Sink, manifest: &Content) -> Result<bool, StoreError> {
    let config = referrer::empty_config();
    if sink.pushes_cheaply() {
        sink.push_content(&config).await?;
    } else if sink.checks_blobs() {
        match sink.push_manifest(manifest, None).await {
            Err(StoreError::MissingBlob { .. }) => sink.push_content(&config).await?,
            pushed => return pushed.map(|pushed| pushed.listed),
        }
    } else if !sink.has_blob(config.descriptor()).await? {
        sink.push_content(&config).await?;
    }
    sink.push_manifest(manifest, None).await.map(|pushed| pushed.listed)
}

/// The entry for `manifest` in a list of referrers: its descriptor with artifact type and annotations. OCI
/// distribution-spec, "Listing Referrers".
///
/// # Errors
/// If it is not a manifest.
pub fn entry(manifest: &Content, limits: &Limits) -> Result<Descriptor, OpsError> {
    let document = Document::parse(manifest, limits)?;
    let mut entry = manifest.descriptor().bare();
    entry.artifact_type = document.artifact_type().map(str::to_owned);
    entry.annotations = document.annotations().clone();
    Ok(entry)
}

/// Adds layers to the `.sig` (or `.att`) manifest of `subject`. Existing layers stay in their order, and a layer that
/// exists already is not added again.
///
/// # Errors
/// [`OpsError::Store`], also if another writer keeps overwriting the tag.
pub async fn add_to_tag(
    sink: &dyn Sink,
    tag: &str,
    payloads: &[Content],
    layers: &[Descriptor],
    limits: &Limits,
) -> Result<(), OpsError> {
    const TRIES: usize = 8;
    sink.check_tag(tag)?;
    for payload in payloads {
        sink.push_content(payload).await?;
    }
    let tag_or_digest = TagOrDigest::Tag(tag.to_owned());
    for _ in 0..TRIES {
        let present = match sink.resolve(&tag_or_digest).await {
            Ok(content) => Manifest::parse(&content, limits).map_err(|error| walk::unreadable(sink, error))?.layers,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let Some(merged) = merge(&present, layers) else { return Ok(()) };
        let config = referrer::signature_config(&merged)?;
        let manifest = referrer::signature_manifest(&config, merged)?;
        // A manifest beyond the limits would make every signature at the tag unreadable for verifiers.
        let _readable = Manifest::parse(&manifest, limits).map_err(|error| walk::unreadable(sink, error))?;
        sink.push_content(&config).await?;
        sink.push_manifest(&manifest, Some(tag)).await?;
        debug!(tag, digest = %manifest.digest(), "wrote signatures at a tag");
        // Tags have no lock, and another writer may have read the same list (sigstore/cosign#2432): read it again.
    }
    Err(OpsError::ReadBack { place: format!("{}:{tag}", sink.origin()), reason: ReadBackReason::Overwritten })
}

/// The layers `present` with those of `wanted` that are missing; `None` if none is missing. Two layers are equal only if
/// they are the same evidence: a copy of a signature without its certificate does not replace the one with it.
fn merge(present: &[Descriptor], wanted: &[Descriptor]) -> Option<Vec<Descriptor>> {
    let same = |a: &Descriptor, b: &Descriptor| EvidenceIdentity::of(a) == EvidenceIdentity::of(b);
    let missing: Vec<_> =
        wanted.iter().filter(|layer| !present.iter().any(|present| same(present, layer))).cloned().collect();
    (!missing.is_empty()).then(|| present.iter().cloned().chain(missing).collect())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    use super::*;
    use crate::oci::media_type;
    use crate::store::Memory;
    use crate::store::Source as _;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a memory store is always ready"),
        }
    }

    #[test]
    fn a_layer_without_its_certificate_does_not_stand_for_the_one_that_has_it() {
        let mut bare = Content::from_bytes(media_type::SIMPLE_SIGNING, b"payload".to_vec()).descriptor().bare();
        bare.annotations.insert(referrer::COSIGN_SIGNATURE.to_owned(), "c2lnbmF0dXJl".to_owned());
        let mut whole = bare.clone();
        whole.annotations.insert("dev.sigstore.cosign/certificate".to_owned(), "certificate".to_owned());
        for (present, added) in [(&bare, &whole), (&whole, &bare)] {
            let merged = merge(std::slice::from_ref(present), std::slice::from_ref(added)).unwrap();
            assert_eq!(merged, [present.clone(), added.clone()]);
            assert!(merge(&merged, &[whole.clone(), bare.clone()]).is_none(), "an equal layer is not added again");
        }
    }

    #[test]
    fn no_manifest_is_written_that_verifiers_would_not_read() {
        let limits = Limits::DEFAULT.with(|limits| limits.oci.layers = 1);
        let store = Memory::new(Limits::DEFAULT);
        let layer = |text: &str| {
            let content = Content::from_bytes(media_type::SIMPLE_SIGNING, text.as_bytes().to_vec());
            let layer = content.descriptor().bare();
            (content, layer)
        };
        let ((first, first_layer), (second, second_layer)) = (layer("one"), layer("two"));
        let tag = TagOrDigest::Tag("t.sig".to_owned());
        now(add_to_tag(&store, "t.sig", &[first], &[first_layer], &limits)).unwrap();
        let before = *now(store.resolve(&tag)).unwrap().digest();
        now(add_to_tag(&store, "t.sig", &[second], &[second_layer], &limits)).unwrap_err();
        assert_eq!(*now(store.resolve(&tag)).unwrap().digest(), before);
    }
}
