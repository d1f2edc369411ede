//! `BundleDocument`: a Sigstore bundle of either content, an envelope or the signature of a file.

use std::borrow::Cow;

use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::envelope::BundleVersion;
use crate::envelope::DocumentFault;
use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::VerificationMaterial;
use crate::envelope::base64;
use crate::envelope::dsse::EnvelopeWire;
use crate::envelope::verification_material::WireVerificationMaterial;
use crate::json;
use crate::limits::Limits;
use crate::x509::HashAlgorithm;

/// A Sigstore bundle, of version 0.1 to 0.3, with what it signs. sigstore/protobuf-specs, `sigstore_bundle.proto`.
#[derive(Clone, Debug)]
pub struct BundleDocument {
    /// What is signed.
    pub content: BundleContent,
    /// The verification material, unverified.
    pub verification_material: VerificationMaterial,
    /// The version of the bundle format.
    pub version: BundleVersion,
}

/// The content of a Sigstore bundle.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BundleContent {
    /// A DSSE envelope: an image signature or an attestation.
    Envelope(Envelope),
    /// The signature of a file, which is not in the bundle.
    MessageSignature(MessageSignature),
}

/// A message signature: of a file that the bundle does not contain (`sigstore_common.proto`), not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSignature {
    /// The hash of the file, if it is stated. It is a hint; a bundle with a wrong one is refused.
    pub digest: Option<MessageDigest>,
    /// The signature over the file.
    pub signature: Vec<u8>,
}

/// The hash of a file as a message signature states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDigest {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// The hash.
    pub hash: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BundleWire<'a> {
    #[serde(borrow)]
    pub(super) media_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) verification_material: WireVerificationMaterial<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) dsse_envelope: Option<EnvelopeWire<'a>>,
    #[serde(default, skip_serializing)]
    pub(super) message_signature: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMessageSignature<'a> {
    #[serde(borrow, default)]
    message_digest: Option<WireMessageDigest<'a>>,
    #[serde(borrow, default)]
    signature: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WireMessageDigest<'a> {
    #[serde(borrow, default)]
    algorithm: Cow<'a, str>,
    #[serde(borrow, default)]
    digest: Cow<'a, str>,
}

impl BundleDocument {
    /// Parses a bundle.
    ///
    /// # Errors
    /// [`EnvelopeError`], also for an unknown version.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        Self::parse_with(bytes, limits, |message| {
            let json = |error| EnvelopeError::Json { format: "message signature", error };
            let wire: WireMessageSignature<'_> = json::read(message.get().as_bytes()).map_err(json)?;
            wire.read().map(BundleContent::MessageSignature)
        })
    }

    /// Parses a bundle. `message` reads its message signature, or refuses it.
    pub(super) fn parse_with(
        bytes: &[u8],
        limits: &Limits,
        message: impl FnOnce(&RawValue) -> Result<BundleContent, EnvelopeError>,
    ) -> Result<Self, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "Sigstore bundle", error };
        let wire: BundleWire<'_> = json::parse_document(bytes, limits).map_err(json)?;
        let version = BundleVersion::of(&wire.media_type)?;
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => BundleContent::Envelope(Envelope::from_wire(envelope, limits)?),
            (None, Some(signature)) => message(&signature)?,
            (Some(_), Some(_)) => return Err(EnvelopeError::Form(DocumentFault::TwoContents)),
            (None, None) => return Err(EnvelopeError::Form(DocumentFault::NoContent)),
        };
        Ok(Self { content, verification_material: wire.verification_material.read(version, limits)?, version })
    }
}

impl WireMessageSignature<'_> {
    fn read(&self) -> Result<MessageSignature, EnvelopeError> {
        // cosign writes an empty one for Ed25519.
        let stated = self.message_digest.as_ref().filter(|digest| !digest.is_empty());
        let digest = stated.map(WireMessageDigest::read).transpose()?;
        let signature = base64::decode("messageSignature.signature", &self.signature)?;
        match signature.is_empty() {
            true => Err(EnvelopeError::Unsigned),
            false => Ok(MessageSignature { digest, signature }),
        }
    }
}

impl WireMessageDigest<'_> {
    fn is_empty(&self) -> bool {
        self.algorithm.is_empty() && self.digest.is_empty()
    }

    fn read(&self) -> Result<MessageDigest, EnvelopeError> {
        let algorithm = match &*self.algorithm {
            "SHA2_256" => HashAlgorithm::Sha256,
            "SHA2_384" => HashAlgorithm::Sha384,
            "SHA2_512" => HashAlgorithm::Sha512,
            other => return Err(EnvelopeError::unknown("hash function of a message signature", other)),
        };
        let hash = base64::decode("messageDigest.digest", &self.digest)?;
        match hash.len() == algorithm.len() {
            true => Ok(MessageDigest { algorithm, hash }),
            false => Err(EnvelopeError::Form(DocumentFault::MessageDigest { algorithm, got: hash.len() })),
        }
    }
}
