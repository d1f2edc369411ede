//! `FileDocument`: a signed document about a file, which is not in it: a Sigstore bundle, or a bare signature.

use crate::envelope::Bundle;
use crate::envelope::BundleContent;
use crate::envelope::BundleDocument;
use crate::envelope::EnvelopeError;
use crate::envelope::MessageSignature;
use crate::envelope::SignedDocument;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::media_type;
use crate::x509::HashAlgorithm;

/// A signed document about a file, not verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FileDocument {
    /// A Sigstore bundle of an envelope: a statement about the file.
    Attestation(Box<SignedDocument>),
    /// A signature without anything beside it, as `openssl dgst -sign` writes it.
    Bare(MessageSignature),
    /// A Sigstore bundle of a message signature: a signature over the file itself.
    MessageSignature(Box<BundleDocument>),
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageBundleWire<'a> {
    media_type: &'a str,
    verification_material: KeyMaterialWire,
    message_signature: MessageSignatureWire,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyMaterialWire {
    public_key: HintWire,
}

#[derive(serde::Serialize)]
struct HintWire {
    hint: String,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignatureWire {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_digest: Option<MessageDigestWire>,
    signature: String,
}

#[derive(serde::Serialize)]
struct MessageDigestWire {
    algorithm: &'static str,
    digest: String,
}

impl FileDocument {
    /// Parses a Sigstore bundle.
    ///
    /// # Errors
    /// [`EnvelopeError`], also for an unknown version.
    pub fn parse_bundle(bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        EnvelopeError::bounded("bytes of one bundle", bytes.len(), limits.evidence.attestation_bytes)?;
        let document = BundleDocument::parse(bytes, limits)?;
        Ok(match document.content {
            BundleContent::Envelope(envelope) => {
                let bundle = Bundle::of_parts(envelope, document.verification_material, document.version);
                Self::Attestation(Box::new(SignedDocument::Bundle(bundle)))
            }
            BundleContent::MessageSignature(_) => Self::MessageSignature(Box::new(document)),
        })
    }

    /// A bare signature: its bytes, or their base64, as cosign writes it; white space in that is skipped.
    ///
    /// # Errors
    /// [`EnvelopeError::Unsigned`] for an empty one.
    pub fn parse_bare(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        EnvelopeError::bounded("bytes of one signature", bytes.len(), LONGEST_BARE)?;
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let signature = match base64::decode("signature", &text) {
            Ok(decoded) if !decoded.is_empty() => decoded,
            _ => bytes.to_vec(),
        };
        match signature.trim_ascii().is_empty() {
            true => Err(EnvelopeError::Unsigned),
            false => Ok(Self::Bare(MessageSignature { digest: None, signature })),
        }
    }

    /// The signature over the file itself; none if a statement is signed.
    pub const fn message_signature(&self) -> Option<&MessageSignature> {
        match self {
            Self::Attestation(_) => None,
            Self::Bare(signature) => Some(signature),
            Self::MessageSignature(document) => match &document.content {
                BundleContent::MessageSignature(signature) => Some(signature),
                BundleContent::Envelope(_) => None,
            },
        }
    }

    /// The hint of a bundle at the key that made its signature, unverified.
    pub fn key_hint(&self) -> Option<&str> {
        match self {
            Self::MessageSignature(document) => document.verification_material.key_hint.as_deref(),
            Self::Attestation(_) | Self::Bare(_) => None,
        }
    }

    /// The certificate that came with a message signature, in DER, not verified.
    pub fn certificate(&self) -> Option<&[u8]> {
        match self {
            Self::MessageSignature(document) => document.verification_material.certificates.first().map(Vec::as_slice),
            Self::Attestation(_) | Self::Bare(_) => None,
        }
    }
}

impl MessageSignature {
    /// The Sigstore bundle of this signature, which `key` made: version 0.3, with the hint at the key, as cosign writes it.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_bundle_json(&self, key: &PublicKey) -> Result<Vec<u8>, JsonError> {
        let digest = self.digest.as_ref().map(|digest| MessageDigestWire {
            algorithm: match digest.algorithm {
                HashAlgorithm::Sha256 => "SHA2_256",
                HashAlgorithm::Sha384 => "SHA2_384",
                HashAlgorithm::Sha512 => "SHA2_512",
            },
            digest: base64::encode(&digest.hash),
        });
        json::to_go(&MessageBundleWire {
            media_type: media_type::SIGSTORE_BUNDLE,
            verification_material: KeyMaterialWire { public_key: HintWire { hint: key.id().hint() } },
            message_signature: MessageSignatureWire {
                message_digest: digest,
                signature: base64::encode(&self.signature),
            },
        })
    }
}

/// The most bytes of a bare signature: an RSA key of 8,192 bits, in base64.
const LONGEST_BARE: u64 = 4 << 10;
