//! `AnnotatedEnvelope`: a bare DSSE envelope, an attestation of cosign v2, with the verification material in the annotations
//! of its layer.

use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::MaterialForm;
use crate::envelope::VerificationMaterial;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;

/// A bare DSSE envelope, an attestation of cosign v2, and the verification material in the annotations of its layer. Not
/// verified.
#[derive(Clone, Debug)]
pub struct AnnotatedEnvelope {
    envelope: Envelope,
    material: Result<VerificationMaterial, EnvelopeError>,
}

impl AnnotatedEnvelope {
    /// Parses the envelope in `content`, and the annotations of its `layer`. Annotations that cannot be read are kept as an
    /// error: they do not hide the envelope from pinned keys.
    ///
    /// # Errors
    /// [`EnvelopeError`] of the envelope.
    pub fn parse(layer: &Descriptor, content: &Content, limits: &Limits) -> Result<Self, EnvelopeError> {
        let envelope = Envelope::parse(content.bytes(), limits)?;
        Ok(Self { envelope, material: VerificationMaterial::of_annotations(&layer.annotations, limits) })
    }

    /// The envelope, not verified.
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The verification material, unverified.
    ///
    /// # Errors
    /// [`EnvelopeError`]: why the annotations cannot be read.
    pub const fn verification_material(&self) -> Result<&VerificationMaterial, &EnvelopeError> {
        self.material.as_ref()
    }

    pub(super) fn without_bytes(&self) -> Self {
        Self::from(self.envelope.without_bytes())
    }
}

/// An envelope without verification material.
impl From<Envelope> for AnnotatedEnvelope {
    fn from(envelope: Envelope) -> Self {
        Self { envelope, material: Ok(VerificationMaterial::empty(MaterialForm::Annotations)) }
    }
}
