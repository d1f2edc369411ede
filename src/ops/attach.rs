//! Putting signatures beside an image: blobs, then the manifest, then whatever list the store does not keep itself.

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
    /// Takes a signature. Returns the digest of its referrer, where it gets one.
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
    /// As [`attach`]; each signature that was pushed until then is complete.
    pub async fn attach(&self, sink: &dyn Sink, subject: &Subject, limits: &Limits) -> Result<Vec<String>, OpsError> {
        attach(sink, subject, &self.referrers, limits).await?;
        let mut tags = Vec::new();
        for (suffix, (contents, layers)) in &self.tags {
            let tag = referrer::cosign_tag(subject.digest(), suffix);
            add_to_tag(sink, &tag, contents, layers, limits).await?;
            tags.push(tag);
        }
        Ok(tags)
    }
}

/// Attaches `attachments` to `subject`. Nothing refers to a blob before the blob is there, and the list of referrers
/// is written last and once.
///
/// # Errors
/// [`OpsError::Store`]; what was pushed until then is unreferenced and harmless, and doing it again finishes it.
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
    let mut unlisted = Vec::new();
    for attachment in attachments {
        for blob in &attachment.blobs {
            sink.push_content(blob).await?;
        }
        let listed = put(sink, &attachment.manifest).await?;
        debug!(digest = %attachment.manifest.digest(), listed, "attached a referrer");
        if !listed {
            unlisted.push(entry(&attachment.manifest, limits)?);
        }
    }
    if !unlisted.is_empty() {
        sink.merge_referrers(subject.digest(), &unlisted).await?;
    }
    Ok(())
}

/// Stores a referrer whose config is the empty object, which nearly always is there already: a store to which giving it
/// costs no more than asking is given it, one that checks is simply asked to take the manifest, and another is asked for
/// the config first. Returns whether the store lists it.
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

/// The descriptor by which a list of referrers names `manifest`: with its artifact type and its annotations. OCI
/// distribution specification, "Listing Referrers".
///
/// # Errors
/// Where it is not a manifest.
pub fn entry(manifest: &Content, limits: &Limits) -> Result<Descriptor, OpsError> {
    let document = Document::parse(manifest, limits)?;
    let mut entry = manifest.descriptor().bare();
    entry.artifact_type = document.artifact_type().map(str::to_owned);
    entry.annotations = document.annotations().clone();
    Ok(entry)
}

/// Adds layers to the `.sig` (or `.att`) manifest of `subject`: what stands there stays, in its order, and what is
/// there already is not added again.
///
/// # Errors
/// [`OpsError::Store`], also where another writer keeps overwriting the tag.
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
        sink.push_content(&config).await?;
        sink.push_manifest(&manifest, Some(tag)).await?;
        debug!(tag, digest = %manifest.digest(), "wrote signatures at a tag");
        // The tag has no lock, and two writers may both have read the same list (cosign 2432): look again.
    }
    let why = "other writers keep replacing it; the signatures were not kept".to_owned();
    Err(OpsError::ReadBack { place: format!("{}:{tag}", sink.origin()), why })
}

/// `present` and what of `wanted` is missing in it; `None` if nothing is. Two layers are the same only if they are the same
/// evidence: a copy of a signature without its certificate must not stand for the one that has it.
fn merge(present: &[Descriptor], wanted: &[Descriptor]) -> Option<Vec<Descriptor>> {
    let same = |a: &Descriptor, b: &Descriptor| EvidenceIdentity::of(a) == EvidenceIdentity::of(b);
    let missing: Vec<_> =
        wanted.iter().filter(|layer| !present.iter().any(|present| same(present, layer))).cloned().collect();
    (!missing.is_empty()).then(|| present.iter().cloned().chain(missing).collect())
}
