//! inspect: the Notary Project signature that a manifest carries, decoded for people. Nothing in it is verified, and
//! nothing here decides.

use crate::envelope::Form;
use crate::envelope::InspectedSignature;
use crate::envelope::NotaryError;
use crate::envelope::NotaryFormat;
use crate::envelope::SignedWith;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::referrer;
use crate::ops::pinned;
use crate::store::Source;
use crate::store::StoreError;
use crate::text::Untrusted;

/// Why the signature of a signature manifest cannot be shown.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureUnread {
    /// The inlined data is not the blob that its descriptor declares.
    #[error("{0}")]
    Content(ContentError),
    /// The envelope cannot be read, by neither reader.
    #[error("{0}")]
    Envelope(NotaryError),
    /// A signature manifest has exactly one layer.
    #[error("a signature manifest has exactly one layer, this one has {0}")]
    Layers(usize),
    /// The media type of the layer is not that of an envelope.
    #[error("its layer has the media type `{0}`, which is not that of an envelope")]
    MediaType(Untrusted),
    /// The blob could not be fetched.
    #[error("{0}")]
    Store(StoreError),
}

/// Decodes the signature that `manifest` carries; `None` if it is not the manifest of a Notary Project signature.
///
/// # Errors
/// [`SignatureUnread`].
pub async fn signature_in(
    source: &dyn Source,
    manifest: &Document,
    limits: &Limits,
) -> Result<Option<InspectedSignature>, SignatureUnread> {
    let kind = manifest.artifact_type().unwrap_or_default();
    if Form::of_artifact(kind).is_none_or(|form| form.signed_with != SignedWith::Certificate) {
        return Ok(None);
    }
    let layers = match manifest {
        Document::Artifact(artifact) => artifact.blobs.as_slice(),
        Document::Index(_) => &[],
        Document::Manifest(manifest) => manifest.layers.as_slice(),
    };
    let [layer] = layers else { return Err(SignatureUnread::Layers(layers.len())) };
    let format = NotaryFormat::of_media_type(&layer.media_type)
        .ok_or_else(|| SignatureUnread::MediaType(Untrusted::new(&layer.media_type)))?;
    let content = fetch(source, layer, limits).await?;
    let read = InspectedSignature::parse(format, content.bytes(), limits).map_err(SignatureUnread::Envelope)?;
    Ok(Some(match manifest.annotations().get(referrer::NOTARY_THUMBPRINTS) {
        Some(written) => read.with_thumbprints(written, limits),
        None => read,
    }))
}
async fn fetch(source: &dyn Source, layer: &Descriptor, limits: &Limits) -> Result<Content, SignatureUnread> {
    match &layer.data {
        Some(data) => Content::check(layer, data.clone()).map_err(SignatureUnread::Content),
        None => pinned::blob(source, layer, limits.evidence.signature_bytes).await.map_err(SignatureUnread::Store),
    }
}

impl SignatureUnread {
    /// The stable code in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Content(_) | Self::Layers(_) | Self::MediaType(_) => "manifest-unreadable",
            Self::Envelope(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
