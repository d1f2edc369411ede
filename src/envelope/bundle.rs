//! The Sigstore bundle: an envelope with the verification material to check it offline.

use std::borrow::Cow;

use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::envelope::Envelope;
use crate::envelope::EnvelopeError;
use crate::envelope::base64;
use crate::envelope::dsse::EnvelopeWire;
use crate::json;
use crate::json::JsonError;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::oci::media_type;

/// A Sigstore bundle of a DSSE envelope, of version 0.1 to 0.3. sigstore/protobuf-specs, `sigstore_bundle.proto`.
///
/// The verification material (certificates, log entries, timestamps, the key hint) is kept for people to see and
/// decides nothing: a bundle is verified with a key that the operator gave.
#[derive(Clone, Debug)]
pub struct Bundle {
    envelope: Envelope,
    verification_material: VerificationMaterial,
    version: BundleVersion,
}

/// The verification material of a bundle, unverified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerificationMaterial {
    /// The certificates in DER, leaf first.
    pub certificates: Vec<Vec<u8>>,
    /// The key hint: by cosign's convention the SHA-256 of the public key, in base64.
    pub key_hint: Option<String>,
    /// The number of transparency log entries.
    pub log_entries: usize,
    /// The number of RFC 3161 timestamps.
    pub timestamps: usize,
}

/// The supported versions of the bundle format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleVersion {
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`.
    V0_1,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.2`.
    V0_2,
    /// Both media types of 0.3.
    V0_3,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleWire<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow)]
    verification_material: WireVerificationMaterial<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<EnvelopeWire<'a>>,
    #[serde(default, skip_serializing)]
    message_signature: Option<IgnoredAny>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireVerificationMaterial<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    public_key: Option<WireHint<'a>>,
    #[serde(borrow, default, skip_serializing)]
    certificate: Option<WireCertificate<'a>>,
    #[serde(borrow, default, skip_serializing)]
    x509_certificate_chain: Option<WireChain<'a>>,
    #[serde(default, skip_serializing)]
    tlog_entries: Option<Vec<IgnoredAny>>,
    #[serde(default, skip_serializing)]
    timestamp_verification_data: Option<WireTimestamps>,
}

#[derive(Serialize, Deserialize)]
struct WireHint<'a> {
    #[serde(borrow, default)]
    hint: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCertificate<'a> {
    #[serde(borrow)]
    raw_bytes: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WireChain<'a> {
    #[serde(borrow, default)]
    certificates: Vec<WireCertificate<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTimestamps {
    #[serde(default)]
    rfc3161_timestamps: Option<Vec<IgnoredAny>>,
}

impl Bundle {
    /// A bundle of an envelope that `key` signed, as cosign makes it for a key without a transparency log.
    pub fn new(envelope: Envelope, key: &PublicKey) -> Self {
        let verification_material =
            VerificationMaterial { key_hint: Some(key.id().hint()), ..VerificationMaterial::default() };
        Self { envelope, verification_material, version: BundleVersion::V0_3 }
    }

    /// Parses a bundle.
    ///
    /// # Errors
    /// [`EnvelopeError`], also for an unknown version, and for a bundle of a message signature, which is not about an
    /// image.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "Sigstore bundle", error };
        let wire: BundleWire<'_> = json::parse_document(bytes, limits).map_err(json)?;
        let version = BundleVersion::of(&wire.media_type)?;
        let envelope = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => Envelope::from_wire(envelope, limits)?,
            (None, Some(_)) => {
                let why = "a bundle over a message signature: it signs a file, not an image".to_owned();
                return Err(EnvelopeError::Form(why));
            }
            (Some(_), Some(_)) => {
                return Err(EnvelopeError::Form("a bundle with both an envelope and a message signature".to_owned()));
            }
            (None, None) => return Err(EnvelopeError::Form("a bundle without content".to_owned())),
        };
        let verification_material = wire.verification_material.read(limits)?;
        Ok(Self { envelope, verification_material, version })
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
            false => Err(EnvelopeError::Form(format!("a bundle of another version than {media_type:?}"))),
        }
    }

    /// The bundle as JSON, in cosign's field order.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        let hint = self.verification_material.key_hint.as_deref().unwrap_or_default().into();
        let public_key = Some(WireHint { hint });
        json::to_go(&BundleWire {
            media_type: media_type::SIGSTORE_BUNDLE.into(),
            verification_material: WireVerificationMaterial { public_key, ..WireVerificationMaterial::default() },
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
            verification_material: VerificationMaterial::default(),
            version: self.version,
        }
    }

    pub(super) fn claimed_key(&self) -> Option<&str> {
        let hint = self.verification_material.key_hint.as_deref().filter(|hint| !hint.is_empty());
        hint.or_else(|| self.envelope.claimed_key())
    }
}

impl BundleVersion {
    fn of(media_type: &str) -> Result<Self, EnvelopeError> {
        match media_type {
            "application/vnd.dev.sigstore.bundle+json;version=0.1" => Ok(Self::V0_1),
            "application/vnd.dev.sigstore.bundle+json;version=0.2" => Ok(Self::V0_2),
            "application/vnd.dev.sigstore.bundle+json;version=0.3" | media_type::SIGSTORE_BUNDLE => Ok(Self::V0_3),
            other => Err(EnvelopeError::unknown("bundle media type", other)),
        }
    }
}

impl WireCertificate<'_> {
    fn read(&self, limits: &Limits) -> Result<Vec<u8>, EnvelopeError> {
        let fits = |got| EnvelopeError::bounded("bytes in one certificate", got, limits.envelope.certificate_bytes);
        // Checked before decoding: four characters encode at most three bytes, and padding replaces up to two.
        fits((self.raw_bytes.len() / 4).saturating_mul(3).saturating_sub(2))?;
        let certificate = base64::decode("certificate", &self.raw_bytes)?;
        fits(certificate.len()).map(|()| certificate)
    }
}

impl WireVerificationMaterial<'_> {
    fn read(self, limits: &Limits) -> Result<VerificationMaterial, EnvelopeError> {
        let log_entries = self.tlog_entries.map_or(0, |entries| entries.len());
        let timestamps = self.timestamp_verification_data.and_then(|data| data.rfc3161_timestamps);
        let timestamps = timestamps.map_or(0, |timestamps| timestamps.len());
        let chain = self.x509_certificate_chain.map(|chain| chain.certificates).unwrap_or_default();
        let listed: Vec<_> = self.certificate.into_iter().chain(chain).collect();
        for (what, got, limit) in [
            ("log entries in one bundle", log_entries, limits.envelope.log_entries),
            ("timestamps in one bundle", timestamps, limits.envelope.timestamps),
            ("certificates in one bundle", listed.len(), limits.envelope.certificates),
            ("certificates in one chain", listed.len(), limits.envelope.certificate_chain),
        ] {
            EnvelopeError::bounded(what, got, limit)?;
        }
        let mut certificates = Vec::new();
        for certificate in listed {
            certificates.push(certificate.read(limits)?);
        }
        let key_hint = self.public_key.map(|key| key.hint.into_owned());
        Ok(VerificationMaterial { certificates, key_hint, log_entries, timestamps })
    }
}
