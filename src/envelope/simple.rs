//! Simple signing of cosign v2: a payload, and in annotations its signature and the verification material.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::MaterialForm;
use crate::envelope::NotSignedBy;
use crate::envelope::Payload;
use crate::envelope::VerificationMaterial;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::oci::referrer;
use crate::ordered;

/// The required value of `critical.type`. cosign and skopeo write it; only skopeo checks it.
pub(super) const TYPE: &str = "cosign container image signature";

/// A simple signing payload, its signature and its verification material, not verified.
#[derive(Clone, Debug)]
pub struct SimpleSigning {
    material: Result<VerificationMaterial, EnvelopeError>,
    payload: Bytes,
    signature: Vec<u8>,
}

/// The parsed content of a simple signing payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleSigningPayload {
    annotations: BTreeMap<String, String>,
    digest: Digest,
    reference: String,
}

impl SimpleSigning {
    /// Reads the payload in `content`, and from the annotations of its `layer` the signature and the verification material.
    /// Material that cannot be read is kept as an error: it does not hide the signature from pinned keys.
    ///
    /// # Errors
    /// As [`SimpleSigning::new`], and if there is no annotation with a signature.
    pub fn parse(layer: &Descriptor, content: &Content, limits: &Limits) -> Result<Self, EnvelopeError> {
        let signature =
            layer.annotations.get(referrer::COSIGN_SIGNATURE).ok_or(EnvelopeError::NoSignatureAnnotation)?;
        let material = VerificationMaterial::of_annotations(&layer.annotations, limits);
        Self::new(content, signature).map(|simple| Self { material, ..simple })
    }

    /// The payload `layer`, with the base64 value of its `dev.cosignproject.cosign/signature` annotation, and without
    /// verification material.
    ///
    /// # Errors
    /// [`EnvelopeError`] if the layer has another media type, or the annotation is empty or not base64.
    pub fn new(layer: &Content, signature: &str) -> Result<Self, EnvelopeError> {
        let kind = &layer.descriptor().media_type;
        if kind != media_type::SIMPLE_SIGNING {
            return Err(EnvelopeError::unknown("media type", kind));
        }
        let signature = base64::decode_lines("dev.cosignproject.cosign/signature", signature)?;
        if signature.is_empty() {
            return Err(EnvelopeError::Unsigned);
        }
        let material = Ok(VerificationMaterial::empty(MaterialForm::Annotations));
        Ok(Self { material, payload: layer.shared(), signature })
    }

    /// Verifies the signature with `key` and returns the payload.
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn verify(&self, key: &PublicKey) -> Result<Payload, NotSignedBy> {
        Payload::proven(key, &self.payload, &self.signature, media_type::SIMPLE_SIGNING, &self.payload)
    }

    pub(super) fn without_bytes(&self) -> Self {
        let material = Ok(VerificationMaterial::empty(MaterialForm::Annotations));
        Self { material, payload: Bytes::new(), signature: self.signature.clone() }
    }

    /// The signature, unverified.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The verification material, unverified.
    ///
    /// # Errors
    /// [`EnvelopeError`]: why the annotations cannot be read.
    pub const fn verification_material(&self) -> Result<&VerificationMaterial, &EnvelopeError> {
        self.material.as_ref()
    }

    /// The payload, unverified: for display, never for a decision.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }
}

impl SimpleSigningPayload {
    /// Parses a verified payload.
    ///
    /// # Errors
    /// [`EnvelopeError`], also if `critical.type` is not that of an image signature.
    pub fn parse(payload: &Payload, limits: &Limits) -> Result<Self, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "simple signing payload", error };
        let wire: PayloadWire<Box<RawValue>> = json::parse(payload.bytes(), limits).map_err(json)?;
        // A NUL character ends a string for some readers and not for others (threats: nul-in-text).
        if json::has_nul(payload.bytes()) {
            return Err(EnvelopeError::Form(DocumentFault::Nul));
        }
        if wire.critical.kind != TYPE {
            return Err(EnvelopeError::unknown("critical.type", &wire.critical.kind));
        }
        let optional = wire.optional.unwrap_or_default();
        Ok(Self {
            annotations: optional.into_iter().map(|(key, value)| (key, json::text_or_source(&value))).collect(),
            digest: wire.critical.image.docker_manifest_digest,
            reference: wire.critical.identity.docker_reference,
        })
    }

    /// The simple signing payload for the image `digest` with the name `reference`, byte for byte as cosign writes it.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn payload(
        digest: Digest,
        reference: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, JsonError> {
        let optional = ordered::map(annotations.iter().map(|(key, value)| (key.clone(), value.clone())));
        json::to_go(&PayloadWire {
            critical: Critical {
                identity: IdentityWire { docker_reference: reference.to_owned() },
                image: ImageWire { docker_manifest_digest: digest },
                kind: TYPE.to_owned(),
            },
            optional: (!optional.is_empty()).then_some(optional),
        })
    }

    /// The annotations that were signed.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The image that was signed.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The image name that was signed.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

/// Checks whether unverified bytes have the form of a payload: for display, never for a decision.
///
/// # Errors
/// [`EnvelopeError`] that says what is wrong.
pub fn check_form(bytes: &[u8], limits: &Limits) -> Result<(), EnvelopeError> {
    let read = json::parse::<PayloadWire<Box<RawValue>>>(bytes, limits);
    read.map(drop).map_err(|error| EnvelopeError::Json { format: "simple signing payload", error })
}

/// A payload with no member beside those that every reader knows. A reader must reject a signature with an unknown member in
/// `critical` or in an object in it: there a signer says what a reader may not ignore. containers-signature(5).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayloadWire<V> {
    critical: Critical,
    optional: Option<BTreeMap<String, V>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: IdentityWire,
    image: ImageWire,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityWire {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageWire {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    // The payloads were made by Go's encoder, and compared with cosign 3.1.1.
    #[test]
    fn writes_the_payload_of_cosign() {
        let digest = Digest::sha256(b"{}");
        let plain = SimpleSigningPayload::payload(digest, "registry.example/app", &BTreeMap::new()).unwrap();
        assert_eq!(
            String::from_utf8(plain).unwrap(),
            format!(
                r#"{{"critical":{{"identity":{{"docker-reference":"registry.example/app"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
            )
        );
        let annotations = BTreeMap::from([("b".into(), "<é&>\u{2028}".into()), ("a".into(), "1".into())]);
        let annotated = String::from_utf8(SimpleSigningPayload::payload(digest, "r/a", &annotations).unwrap()).unwrap();
        let want = r#""optional":{"a":"1","b":"\u003cé\u0026\u003e\u2028"}}"#;
        assert!(annotated.ends_with(want), "{annotated}");
    }
}
