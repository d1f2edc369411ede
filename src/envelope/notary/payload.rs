//! `NotaryPayload`: the artifact that an envelope signs. Signature specification, "Payload".

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::digest::Digest;
use crate::envelope::Payload;
use crate::envelope::notary::error::NotaryError;
use crate::envelope::notary::format::NotaryFormat;
use crate::envelope::notary::names;
use crate::envelope::notary::rule::NotaryRule;
use crate::json;
use crate::limits::Limits;
use crate::oci::media_type;

/// The signed payload of a Notary Project envelope: the descriptor of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotaryPayload {
    annotations: BTreeMap<String, String>,
    digest: Option<Digest>,
    digest_text: String,
    media_type: String,
    size: u64,
}

impl NotaryPayload {
    /// The payload for an artifact. `annotations` are signed with it: the user metadata of notation.
    ///
    /// # Errors
    /// [`NotaryRule::PayloadDescriptor`] without a media type or with a NUL character, [`NotaryRule::PayloadSize`] above
    /// 2^53, [`NotaryRule::AttributeName`] for an annotation whose name begins with `io.cncf.notary`.
    pub fn new(
        media_type: &str,
        digest: &Digest,
        size: u64,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, NotaryError> {
        if let Some(name) = annotations.keys().find(|name| name.starts_with(names::RESERVED)) {
            return Err(NotaryError::found(NotaryRule::AttributeName, name));
        }
        // notation signs JWS payloads with numbers that passed through 64-bit floating point.
        if size > MAX_EXACT {
            return Err(NotaryError::found(NotaryRule::PayloadSize, &size.to_string()));
        }
        let mut texts = annotations.iter().flat_map(|(name, value)| [name, value]);
        if media_type.is_empty() || media_type.contains('\0') || texts.any(|text| text.contains('\0')) {
            return Err(NotaryError::found(NotaryRule::PayloadDescriptor, media_type));
        }
        let (annotations, media_type) = (annotations.clone(), media_type.to_owned());
        Ok(Self { annotations, digest: Some(*digest), digest_text: digest.to_string(), media_type, size })
    }

    /// Parses a verified payload. Members that are not known are ignored, as notation does; what is signed may say more
    /// than a verifier reads.
    ///
    /// # Errors
    /// [`NotaryError`].
    pub fn parse(payload: &Payload, limits: &Limits) -> Result<Self, NotaryError> {
        match payload.payload_type() {
            media_type::NOTARY_PAYLOAD => Self::read(payload.bytes(), limits),
            other => Err(NotaryError::found(NotaryRule::ContentType, other)),
        }
    }

    /// Checks whether unverified bytes have the form of a payload: for display, never for a decision.
    ///
    /// # Errors
    /// [`NotaryError`] that says what is wrong.
    pub fn check_form(bytes: &[u8], limits: &Limits) -> Result<(), NotaryError> {
        Self::read(bytes, limits).map(drop)
    }

    fn read(bytes: &[u8], limits: &Limits) -> Result<Self, NotaryError> {
        let json = |error| NotaryError::Json { part: "Notary Project payload", error };
        let PayloadWire { target_artifact: wire } = json::parse(bytes, limits).map_err(json)?;
        let refused = |found: &str| Err(NotaryError::found(NotaryRule::PayloadDescriptor, found));
        // A NUL character ends a string for some readers and not for others (threats: nul-in-text).
        if wire.media_type.is_empty() || json::has_nul(bytes) {
            return refused(&wire.media_type);
        }
        let Some(digest) = supported(&wire.digest) else { return refused(&wire.digest) };
        // A size is a signed number of 64 bits. OCI image specification, "Content Descriptors".
        if i64::try_from(wire.size).is_err() {
            return Err(NotaryError::found(NotaryRule::PayloadSize, &wire.size.to_string()));
        }
        let annotations = wire.annotations.unwrap_or_default();
        NotaryError::bounded("annotations in one payload", annotations.len(), limits.oci.annotations)?;
        let length = annotations.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
        NotaryError::bounded("bytes of annotations in one payload", length, limits.oci.annotation_bytes)?;
        let (digest_text, media_type) = (wire.digest, wire.media_type);
        Ok(Self { annotations, digest, digest_text, media_type, size: wire.size })
    }

    /// The bytes of the payload in an envelope of this format, as notation writes them. In JWS the members are sorted;
    /// in COSE they are in the order of the OCI specification.
    ///
    /// # Errors
    /// [`NotaryError::Json`] never happens for these types, but is not swallowed.
    pub fn to_bytes(&self, format: NotaryFormat) -> Result<Vec<u8>, NotaryError> {
        let annotations = (!self.annotations.is_empty()).then_some(&self.annotations);
        let (digest, media_type, size) = (self.digest_text.as_str(), self.media_type.as_str(), self.size);
        let written = match format {
            NotaryFormat::Cose => {
                json::to_go(&Target { target_artifact: InOrder { media_type, digest, size, annotations } })
            }
            NotaryFormat::Jws => {
                json::to_go(&Target { target_artifact: Sorted { annotations, digest, media_type, size } })
            }
        };
        written.map_err(|error| NotaryError::Json { part: "Notary Project payload", error })
    }

    /// The annotations that were signed.
    pub const fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The digest of the artifact, if its algorithm is supported. A payload about a file may have one by SHA-384, which
    /// the OCI image specification does not know.
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The digest of the artifact as it was signed: SHA-256, SHA-384 or SHA-512.
    pub fn digest_text(&self) -> &str {
        &self.digest_text
    }

    /// The media type of the artifact: foreign text.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The size of the artifact, in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayloadWire {
    target_artifact: TargetWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetWire {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<T> {
    target_artifact: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InOrder<'a> {
    media_type: &'a str,
    digest: &'a str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sorted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a BTreeMap<String, String>>,
    digest: &'a str,
    media_type: &'a str,
    size: u64,
}

/// The digest `text`, which is by SHA-256, SHA-384 or SHA-512 (OCI image specification, "Digests"); inside it, what is
/// supported of it.
fn supported(text: &str) -> Option<Option<Digest>> {
    let is_hex = |hex: &str| hex.len() == 96 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match text.strip_prefix("sha384:") {
        Some(hex) => is_hex(hex).then_some(None),
        None => text.parse().map_or(None, |digest| Some(Some(digest))),
    }
}

/// 2^53: the largest number up to which every integer is a 64-bit floating-point number.
const MAX_EXACT: u64 = 1 << 53;
