//! `VerificationMaterial`: the certificates, log entries and timestamps beside a signature, in a Sigstore bundle or in the
//! annotations of cosign v2.

use std::borrow::Cow;

use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::envelope::BundleVersion;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;

/// The verification material of a signature, unverified.
///
/// Log entries and timestamps are counted, and read only where they decide something: a signature that is verified with a
/// pinned key is not refused for what stands in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationMaterial {
    /// The certificates in DER, leaf first.
    pub certificates: Vec<Vec<u8>>,
    /// Whether the certificates stand in the field `x509CertificateChain` of a bundle. Since version 0.3 bundles have the
    /// field `certificate` instead.
    pub chain_field: bool,
    /// Where it stands.
    pub form: MaterialForm,
    /// The key hint: by cosign's convention the SHA-256 of the public key, in base64.
    pub key_hint: Option<String>,
    /// The transparency log entries, each as it is stored.
    pub log_entries: Vec<StoredLogEntry>,
    /// The RFC 3161 timestamps, each as it is stored.
    pub timestamps: Vec<StoredTimestamp>,
}

/// Where verification material stands. What must prove that a log has an entry follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaterialForm {
    /// In the annotations of a layer: cosign v2.
    Annotations,
    /// In a Sigstore bundle of this version.
    Bundle(BundleVersion),
}

/// The JSON form of a stored log entry or timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredForm {
    /// The value of an annotation of cosign v2.
    Annotation,
    /// A message of a Sigstore bundle.
    Bundle,
}

/// A log entry in JSON as it is stored, not read yet: the annotation `dev.sigstore.cosign/bundle` of cosign v2, or a
/// `TransparencyLogEntry` of a bundle (`sigstore_rekor.proto`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLogEntry {
    form: StoredForm,
    json: Box<str>,
}

/// An RFC 3161 timestamp in JSON as it is stored, not read yet: the annotation `dev.sigstore.cosign/rfc3161timestamp` of
/// cosign v2, or an `RFC3161SignedTimestamp` of a bundle (`sigstore_common.proto`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTimestamp {
    form: StoredForm,
    json: Box<str>,
}

impl VerificationMaterial {
    /// Material without anything in it.
    pub const fn empty(form: MaterialForm) -> Self {
        Self {
            certificates: Vec::new(),
            chain_field: false,
            form,
            key_hint: None,
            log_entries: Vec::new(),
            timestamps: Vec::new(),
        }
    }
}

impl StoredLogEntry {
    /// The log entry in `json`.
    pub fn new(form: StoredForm, json: &str) -> Self {
        Self { form, json: json.into() }
    }

    /// The form of the JSON.
    pub const fn form(&self) -> StoredForm {
        self.form
    }

    /// The JSON.
    pub fn as_json(&self) -> &[u8] {
        self.json.as_bytes()
    }
}

impl StoredTimestamp {
    /// The timestamp with this response, a `TimeStampResp` in DER, as a bundle has it.
    pub(super) fn of_response(response: &[u8]) -> Self {
        Self::new(StoredForm::Bundle, &format!(r#"{{"signedTimestamp":"{}"}}"#, base64::encode(response)))
    }

    /// The JSON.
    pub(super) fn as_json(&self) -> &[u8] {
        self.json.as_bytes()
    }

    /// The timestamp in `json`.
    pub fn new(form: StoredForm, json: &str) -> Self {
        Self { form, json: json.into() }
    }

    /// The form of the JSON.
    pub const fn form(&self) -> StoredForm {
        self.form
    }

    /// The bytes of the timestamp: a `TimeStampResp` in DER (RFC 3161 section 2.4.2).
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn response(&self, limits: &Limits) -> Result<Vec<u8>, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "timestamp", error };
        let bytes = self.json.as_bytes();
        let (field, encoded) = match self.form {
            StoredForm::Annotation => {
                let wire: WireAnnotatedTimestamp<'_> = json::parse(bytes, limits).map_err(json)?;
                ("SignedRFC3161Timestamp", wire.signed_timestamp)
            }
            StoredForm::Bundle => {
                let wire: WireTimestamp<'_> = json::parse(bytes, limits).map_err(json)?;
                ("signedTimestamp", wire.signed_timestamp)
            }
        };
        let length = base64::decoded_length(&encoded);
        EnvelopeError::bounded("bytes of one timestamp", length, limits.envelope.timestamp_bytes)?;
        base64::decode(field, &encoded)
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireVerificationMaterial<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    public_key: Option<WireHint<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    certificate: Option<WireCertificate<'a>>,
    #[serde(borrow, default, skip_serializing)]
    x509_certificate_chain: Option<WireChain<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tlog_entries: Option<Vec<Box<RawValue>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<WireTimestamps>,
}

#[derive(Serialize, Deserialize)]
struct WireHint<'a> {
    #[serde(borrow, default)]
    hint: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTimestamps {
    #[serde(default)]
    rfc3161_timestamps: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTimestamp<'a> {
    #[serde(borrow)]
    signed_timestamp: Cow<'a, str>,
}

/// The annotation `dev.sigstore.cosign/rfc3161timestamp` of cosign v2.
#[derive(Deserialize)]
struct WireAnnotatedTimestamp<'a> {
    #[serde(borrow, rename = "SignedRFC3161Timestamp")]
    signed_timestamp: Cow<'a, str>,
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

impl<'a> WireVerificationMaterial<'a> {
    /// The material of a bundle of version 0.3: the signer's certificate, or the hint of a key.
    pub(super) fn of(material: &VerificationMaterial) -> Result<Self, JsonError> {
        let certificate =
            material.certificates.first().map(|der| WireCertificate { raw_bytes: base64::encode(der).into() });
        let raw = |json: &str| RawValue::from_string(json.to_owned());
        let listed = |texts: Vec<&str>| texts.into_iter().map(raw).collect::<Result<Vec<_>, _>>();
        let log_entries = listed(material.log_entries.iter().map(|entry| &*entry.json).collect())?;
        let timestamps = listed(material.timestamps.iter().map(|timestamp| &*timestamp.json).collect())?;
        Ok(Self {
            public_key: match certificate {
                Some(_) => None,
                None => Some(WireHint { hint: material.key_hint.clone().unwrap_or_default().into() }),
            },
            certificate,
            tlog_entries: Some(log_entries).filter(|entries| !entries.is_empty()),
            timestamp_verification_data: Some(timestamps)
                .filter(|timestamps| !timestamps.is_empty())
                .map(|timestamps| WireTimestamps { rfc3161_timestamps: Some(timestamps) }),
            ..Self::default()
        })
    }

    /// The verification material within the limits. Log entries and timestamps are kept as they are, and read later.
    pub(super) fn read(self, version: BundleVersion, limits: &Limits) -> Result<VerificationMaterial, EnvelopeError> {
        let log_entries = self.tlog_entries.unwrap_or_default();
        let timestamps = self.timestamp_verification_data.and_then(|data| data.rfc3161_timestamps).unwrap_or_default();
        let chain_field = self.x509_certificate_chain.is_some();
        let kinds = [self.public_key.is_some(), self.certificate.is_some(), chain_field];
        if kinds.into_iter().filter(|is_set| *is_set).count() > 1 {
            return Err(EnvelopeError::Form(DocumentFault::TwoMaterials));
        }
        let chain = self.x509_certificate_chain.map(|chain| chain.certificates).unwrap_or_default();
        let listed: Vec<_> = self.certificate.into_iter().chain(chain).collect();
        for (what, got, limit) in [
            ("log entries in one bundle (envelope.log_entries)", log_entries.len(), limits.envelope.log_entries),
            ("timestamps in one bundle (envelope.timestamps)", timestamps.len(), limits.envelope.timestamps),
            ("certificates in one bundle (envelope.certificates)", listed.len(), limits.envelope.certificates),
            ("certificates in one chain (envelope.certificate_chain)", listed.len(), limits.envelope.certificate_chain),
        ] {
            EnvelopeError::bounded(what, got, limit)?;
        }
        let mut certificates = Vec::new();
        for certificate in listed {
            certificates.push(certificate.read(limits)?);
        }
        Ok(VerificationMaterial {
            certificates,
            chain_field,
            form: MaterialForm::Bundle(version),
            key_hint: self.public_key.map(|key| key.hint.into_owned()),
            log_entries: log_entries
                .into_iter()
                .map(|entry| StoredLogEntry { form: StoredForm::Bundle, json: entry.into() })
                .collect(),
            timestamps: timestamps
                .into_iter()
                .map(|timestamp| StoredTimestamp { form: StoredForm::Bundle, json: timestamp.into() })
                .collect(),
        })
    }
}
