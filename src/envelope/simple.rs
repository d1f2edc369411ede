//! cosign v2 simple signing: a payload, and its signature in an annotation.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::envelope::EnvelopeError;
use crate::envelope::NotSignedBy;
use crate::envelope::Payload;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::media_type;

/// What `critical.type` has to say; cosign and skopeo write it, and only skopeo checks it.
const TYPE: &str = "cosign container image signature";

/// A payload and its signature, closed.
#[derive(Clone, Debug)]
pub struct SimpleSigning {
    payload: Bytes,
    signature: Vec<u8>,
}

/// What a simple signing payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleSigningPayload {
    annotations: BTreeMap<String, String>,
    digest: Digest,
    reference: String,
}

impl SimpleSigning {
    /// A payload with the base64 value of its `dev.cosignproject.cosign/signature` annotation.
    ///
    /// # Errors
    /// [`EnvelopeError`] where the layer is of another type or the annotation is no base64 or empty.
    pub fn new(layer: &Content, signature: &str) -> Result<Self, EnvelopeError> {
        let kind = &layer.descriptor().media_type;
        if kind != media_type::SIMPLE_SIGNING {
            return Err(EnvelopeError::unknown("media type", kind));
        }
        let signature = base64::decode("dev.cosignproject.cosign/signature", signature)?;
        if signature.is_empty() {
            return Err(EnvelopeError::Unsigned);
        }
        Ok(Self { payload: layer.shared(), signature })
    }

    /// The payload, if `key` signed it.
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn verify(&self, key: &PublicKey) -> Result<Payload, NotSignedBy> {
        Payload::proven(key, &self.payload, &self.signature, media_type::SIMPLE_SIGNING, &self.payload)
    }

    pub(super) fn without_bytes(&self) -> Self {
        Self { payload: Bytes::new(), signature: self.signature.clone() }
    }

    /// The bytes of its signature, before anything was checked.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The bytes inside, before anything was checked: to show to people, never to decide by.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }
}

impl SimpleSigningPayload {
    /// Reads what was signed.
    ///
    /// # Errors
    /// [`EnvelopeError`], also where `critical.type` is not that of an image signature.
    pub fn parse(payload: &Payload, limits: &Limits) -> Result<Self, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "simple signing payload", error };
        let wire: Wire = json::parse(payload.bytes(), limits).map_err(json)?;
        // A text that ends here for one reader and goes on for another (threats: nul-in-text).
        if json::has_nul(payload.bytes()) {
            return Err(EnvelopeError::Form("a string with a NUL character".to_owned()));
        }
        if wire.critical.kind != TYPE {
            return Err(EnvelopeError::unknown("critical.type", &wire.critical.kind));
        }
        let optional = wire.optional.unwrap_or_default();
        // Numbers and the like, skopeo's timestamp for example, are compared in their JSON form.
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(Self {
            annotations: optional.into_iter().map(|(key, value)| (key, text(value))).collect(),
            digest: wire.critical.image.docker_manifest_digest,
            reference: wire.critical.identity.docker_reference,
        })
    }

    /// The payload that cosign writes, byte for byte, for the image `digest` known as `reference`.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn payload(
        digest: Digest,
        reference: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, JsonError> {
        let optional = annotations.iter().map(|(key, value)| (key.clone(), Value::String(value.clone())));
        let optional: BTreeMap<_, _> = optional.collect();
        json::to_go(&Wire {
            critical: Critical {
                identity: Identity { docker_reference: reference.to_owned() },
                image: Image { docker_manifest_digest: digest },
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

    /// The name under which it was signed.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

/// Whether bytes that nobody has verified have the form of a payload: to show them, never to decide by them.
///
/// # Errors
/// [`EnvelopeError`] that says what is wrong.
pub fn check_form(bytes: &[u8], limits: &Limits) -> Result<(), EnvelopeError> {
    let read = json::parse::<Wire>(bytes, limits);
    read.map(drop).map_err(|error| EnvelopeError::Json { format: "simple signing payload", error })
}

#[derive(Serialize, Deserialize)]
struct Wire {
    critical: Critical,
    optional: Option<BTreeMap<String, Value>>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    // The payloads are those of Go's encoder, measured with cosign 3.1.1.
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
