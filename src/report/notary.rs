//! A Notary Project signature in the report of `inspect`. Nothing in it was verified.

use serde::Serialize;
use serde_json::Value;

use crate::digest::hex;
use crate::envelope::ExtendedAttribute;
use crate::envelope::ExtendedValue;
use crate::envelope::InspectedSignature;
use crate::envelope::NotaryFormat;
use crate::envelope::Thumbprints;
use crate::report::ReportedError;
use crate::report::certificate::ReportedCertificate;
use crate::x509::Certificate;
use crate::x509::TimestampToken;

/// A Notary Project signature, as its author wrote it. Nothing in it was verified.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedNotarySignature {
    algorithm: &'static str,
    attributes: Vec<ReportedAttribute>,
    certificates: Vec<ReportedOrError<ReportedCertificate>>,
    expiry: Option<String>,
    format: &'static str,
    payload: ReportedOrError<Value>,
    plugin: Option<ReportedPlugin>,
    scheme: &'static str,
    signing_agent: Option<String>,
    signing_time: String,
    strict_error: Option<ReportedError>,
    thumbprints: Option<&'static str>,
    timestamp: Option<ReportedOrError<ReportedToken>>,
}

/// Something that was read, or why it could not be.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ReportedOrError<T> {
    Error { error: ReportedError },
    Read(T),
}

impl<T> ReportedOrError<T> {
    pub(super) fn error(code: &'static str, message: String) -> Self {
        Self::Error { error: ReportedError::new(code, message) }
    }
}

/// A signed attribute that the Notary Project does not define.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedAttribute {
    critical: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// The verification plugin that the signer asks for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedPlugin {
    minimum_version: Option<String>,
    name: String,
}

/// A timestamp token.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedToken {
    authority: Option<ReportedCertificate>,
    earliest: String,
    latest: String,
    policy: String,
    serial: String,
    time: String,
}

impl ReportedNotarySignature {
    pub(super) fn of(signature: &InspectedSignature) -> Self {
        let envelope = &signature.envelope;
        let attributes = envelope.unverified_attributes();
        let certificate = |(position, read): (usize, &Result<Certificate, _>)| match read {
            Ok(certificate) => ReportedOrError::Read(ReportedCertificate::of(certificate)),
            Err(why) => {
                let number = position.saturating_add(1);
                ReportedOrError::error("certificate-unreadable", format!("certificate {number}: {why}"))
            }
        };
        Self {
            algorithm: envelope.claimed_algorithm().jws_name(),
            attributes: attributes.extended().iter().map(ReportedAttribute::of).collect(),
            certificates: signature.certificates.iter().enumerate().map(certificate).collect(),
            expiry: attributes.expiry().map(|time| time.to_string()),
            format: match envelope.format() {
                NotaryFormat::Cose => "notary-cose",
                NotaryFormat::Jws => "notary-jws",
            },
            payload: match &signature.payload {
                Ok(payload) => ReportedOrError::Read(payload.clone()),
                Err(why) => ReportedOrError::error(why.code(), why.to_string()),
            },
            plugin: attributes.verification_plugin().map(|plugin| ReportedPlugin {
                minimum_version: plugin.minimum_version.clone(),
                name: plugin.name.clone(),
            }),
            scheme: attributes.scheme().as_str(),
            signing_agent: envelope.signing_agent().map(ToString::to_string),
            signing_time: attributes.signing_time().to_string(),
            strict_error: signature.strict_error.as_ref().map(ReportedError::from),
            thumbprints: signature.thumbprints.map(Thumbprints::as_str),
            timestamp: signature.timestamp.as_ref().map(|token| match token {
                Ok(token) => ReportedOrError::Read(ReportedToken::of(token)),
                Err(why) => ReportedOrError::error(why.code(), why.to_string()),
            }),
        }
    }
}

impl ReportedAttribute {
    fn of(attribute: &ExtendedAttribute) -> Self {
        let (value, encoded) = match &attribute.value {
            ExtendedValue::Encoded(bytes) => (None, Some(hex(bytes))),
            ExtendedValue::Text(text) => (Some(text.clone()), None),
        };
        Self { critical: attribute.critical, encoded, name: attribute.name.to_string(), value }
    }
}

impl ReportedToken {
    pub(super) fn of(token: &TimestampToken) -> Self {
        let time = token.gen_time();
        Self {
            authority: token.claimed_signer().map(ReportedCertificate::of),
            earliest: time.earliest().to_string(),
            latest: time.latest().to_string(),
            policy: token.policy().to_string(),
            serial: hex(token.serial()),
            time: time.time().to_string(),
        }
    }
}
