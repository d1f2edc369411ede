//! inspect: the signatures that a manifest carries, decoded for people: Notary Project signatures, and the verification
//! material of Sigstore. Nothing in them is verified, and nothing here decides.

use crate::digest::Digest;
use crate::envelope::Bundle;
use crate::envelope::EnvelopeError;
use crate::envelope::Form;
use crate::envelope::FormName;
use crate::envelope::InspectedSignature;
use crate::envelope::NotaryError;
use crate::envelope::NotaryFormat;
use crate::envelope::SignedWith;
use crate::envelope::VerificationMaterial;
use crate::limits::Limits;
use crate::limits::count;
use crate::oci::Content;
use crate::oci::ContentError;
use crate::oci::Descriptor;
use crate::oci::Document;
use crate::oci::referrer;
use crate::ops::pinned;
use crate::ops::walk::EvidenceBudget;
use crate::store::Source;
use crate::store::StoreError;
use crate::text::Untrusted;
use crate::transparency::InspectedMaterial;

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
    /// A limit on evidence was reached before it.
    #[error("more than {limit} {what}: it was not read")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The verification material cannot be read.
    #[error("{0}")]
    Material(EnvelopeError),
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
    let content = fetch(source, layer, limits.evidence.signature_bytes).await?;
    let read = InspectedSignature::parse(format, content.bytes(), limits).map_err(SignatureUnread::Envelope)?;
    Ok(Some(match manifest.annotations().get(referrer::NOTARY_THUMBPRINTS) {
        Some(written) => read.with_thumbprints(written, limits),
        None => read,
    }))
}

/// A layer with a signature in a format of Sigstore.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectedLayer {
    /// The digest of the layer.
    pub digest: Digest,
    /// The format.
    pub format: FormName,
    /// The verification material beside the signature.
    pub material: Result<InspectedMaterial, SignatureUnread>,
}

/// Decodes the verification material of the layers of `manifest` that are signatures in a format of Sigstore: in the
/// annotations of cosign v2, and in bundles, which are fetched from `source`.
pub async fn layers_in(source: &dyn Source, manifest: &Document, limits: &Limits) -> Vec<InspectedLayer> {
    let budget = EvidenceBudget::of(limits);
    let mut layers = Vec::new();
    for (layer, format) in signatures_of_sigstore(manifest) {
        if let Some(last) = beyond_limit(&layers, layer, format, limits) {
            layers.push(last);
            break;
        }
        let material = match format {
            FormName::SigstoreBundle => bundled(source, layer, &budget, limits).await,
            _ => annotated(layer, limits),
        };
        layers.push(InspectedLayer::of(layer, format, material, limits));
    }
    layers
}

/// As [`layers_in`], without a store: bundles are left out.
pub fn annotated_layers_in(manifest: &Document, limits: &Limits) -> Vec<InspectedLayer> {
    let mut layers = Vec::new();
    for (layer, format) in signatures_of_sigstore(manifest).filter(|(_, format)| *format != FormName::SigstoreBundle) {
        if let Some(last) = beyond_limit(&layers, layer, format, limits) {
            layers.push(last);
            break;
        }
        layers.push(InspectedLayer::of(layer, format, annotated(layer, limits), limits));
    }
    layers
}

impl InspectedLayer {
    fn of(
        layer: &Descriptor,
        format: FormName,
        material: Result<VerificationMaterial, SignatureUnread>,
        limits: &Limits,
    ) -> Self {
        let material = material.map(|material| InspectedMaterial::of(&material, limits));
        Self { digest: layer.digest, format, material }
    }
}

/// The layers of a manifest that are signatures in a format of Sigstore.
fn signatures_of_sigstore(manifest: &Document) -> impl Iterator<Item = (&Descriptor, FormName)> {
    let layers = match manifest {
        Document::Manifest(manifest) => manifest.layers.as_slice(),
        Document::Artifact(_) | Document::Index(_) => &[],
    };
    layers.iter().filter_map(|layer| {
        let form = Form::of_layer(&layer.media_type)?;
        (form.signed_with == SignedWith::KeyOrCertificate).then_some((layer, form.name))
    })
}

/// The entry that stands for `layer` and all after it, if as many were read as are allowed.
fn beyond_limit(
    read: &[InspectedLayer],
    layer: &Descriptor,
    format: FormName,
    limits: &Limits,
) -> Option<InspectedLayer> {
    let limit = limits.evidence.signature_manifests;
    let beyond = Err(SignatureUnread::Limit { what: "signatures in one manifest", limit });
    (count(read.len()) >= limit).then(|| InspectedLayer::of(layer, format, beyond, limits))
}

fn annotated(layer: &Descriptor, limits: &Limits) -> Result<VerificationMaterial, SignatureUnread> {
    VerificationMaterial::of_annotations(&layer.annotations, limits).map_err(SignatureUnread::Material)
}

async fn bundled(
    source: &dyn Source,
    layer: &Descriptor,
    budget: &EvidenceBudget,
    limits: &Limits,
) -> Result<VerificationMaterial, SignatureUnread> {
    if !budget.take(layer.size) {
        return Err(SignatureUnread::Limit {
            what: "bytes of evidence (evidence.bytes)",
            limit: limits.evidence.bytes,
        });
    }
    let content = fetch(source, layer, limits.evidence.attestation_bytes).await?;
    let bundle = Bundle::parse_as(&layer.media_type, content.bytes(), limits).map_err(SignatureUnread::Material)?;
    Ok(bundle.verification_material().clone())
}

async fn fetch(source: &dyn Source, layer: &Descriptor, limit: u64) -> Result<Content, SignatureUnread> {
    match &layer.data {
        Some(data) => Content::check(layer, data.clone()).map_err(SignatureUnread::Content),
        None => pinned::blob(source, layer, limit).await.map_err(SignatureUnread::Store),
    }
}

impl SignatureUnread {
    /// Whether it may be readable: it was not fetched, or exceeds a limit.
    pub const fn is_undetermined(&self) -> bool {
        match self {
            Self::Limit { .. } | Self::Store(_) => true,
            Self::Material(error) => error.is_limit(),
            Self::Content(_) | Self::Envelope(_) | Self::Layers(_) | Self::MediaType(_) => false,
        }
    }

    /// The stable code in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Content(_) | Self::Layers(_) | Self::MediaType(_) => "manifest-unreadable",
            Self::Envelope(error) => error.code(),
            Self::Limit { .. } => "too-large",
            Self::Material(_) => "envelope-unreadable",
            Self::Store(error) => error.code(),
        }
    }
}
