//! The Sigstore bundle: an envelope with the verification material to check it offline.

use crate::envelope::BundleContent;
use crate::envelope::BundleDocument;
use crate::envelope::BundleVersion;
use crate::envelope::DocumentFault;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::MaterialForm;
use crate::envelope::VerificationMaterial;
use crate::envelope::bundle_document::BundleWire;
use crate::envelope::verification_material::WireVerificationMaterial;
use crate::json;
use crate::json::JsonError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::media_type;
use crate::text::Untrusted;

/// A Sigstore bundle of a DSSE envelope, of version 0.1 to 0.3. sigstore/protobuf-specs, `sigstore_bundle.proto`.
///
/// The verification material (certificates, log entries, timestamps, the key hint) is not verified here, and decides nothing
/// where the operator gave a key.
#[derive(Clone, Debug)]
pub struct Bundle {
    envelope: Envelope,
    verification_material: VerificationMaterial,
    version: BundleVersion,
}

impl Bundle {
    /// A bundle of an envelope that `key` signed, as cosign makes it for a key without a transparency log.
    pub fn new(envelope: Envelope, key: &PublicKey) -> Self {
        let version = BundleVersion::V0_3;
        let empty = VerificationMaterial::empty(MaterialForm::Bundle(version));
        Self {
            envelope,
            verification_material: VerificationMaterial { key_hint: Some(key.id().hint()), ..empty },
            version,
        }
    }

    pub(super) const fn of_parts(
        envelope: Envelope,
        verification_material: VerificationMaterial,
        version: BundleVersion,
    ) -> Self {
        Self { envelope, verification_material, version }
    }

    /// Parses a bundle.
    ///
    /// # Errors
    /// [`EnvelopeError`], also for an unknown version, and for a bundle of a message signature, which is not about an
    /// image.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        let refused = || EnvelopeError::Form(DocumentFault::BundleOfFile);
        let BundleDocument { content, verification_material, version } =
            BundleDocument::parse_with(bytes, limits, |_| Err(refused()))?;
        match content {
            BundleContent::Envelope(envelope) => Ok(Self { envelope, verification_material, version }),
            BundleContent::MessageSignature(_) => Err(refused()),
        }
    }

    /// Parses a bundle whose descriptor has the media type `media_type`.
    ///
    /// # Errors
    /// As [`Bundle::parse`], and if the media type names another version than the bundle does.
    pub fn parse_as(media_type: &str, bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        let called = BundleVersion::of(media_type)?;
        let bundle = Self::parse(bytes, limits)?;
        match bundle.version == called {
            true => Ok(bundle),
            false => {
                let media_type = Untrusted::new(media_type);
                Err(EnvelopeError::Form(DocumentFault::BundleVersion { media_type }))
            }
        }
    }

    /// The bundle as JSON of version 0.3, in cosign's field order, with the signer's certificate and without its issuers.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        json::to_go(&BundleWire {
            media_type: media_type::SIGSTORE_BUNDLE.into(),
            verification_material: WireVerificationMaterial::of(&self.verification_material)?,
            dsse_envelope: Some(self.envelope.to_wire()),
            message_signature: None,
        })
    }

    /// The DSSE envelope, not verified.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The verification material, unverified.
    pub fn verification_material(&self) -> &VerificationMaterial {
        &self.verification_material
    }

    /// The version of the bundle format.
    pub fn version(&self) -> BundleVersion {
        self.version
    }

    pub(super) fn without_bytes(&self) -> Self {
        Self {
            envelope: self.envelope.without_bytes(),
            verification_material: VerificationMaterial::empty(MaterialForm::Bundle(self.version)),
            version: self.version,
        }
    }

    pub(super) fn claimed_key(&self) -> Option<&str> {
        let hint = self.verification_material.key_hint.as_deref().filter(|hint| !hint.is_empty());
        hint.or_else(|| self.envelope.claimed_key())
    }
}
