//! The report of `inspect`: the decoded content of a file or manifest. Nothing in it was verified.

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::envelope::Bundle;
use crate::envelope::InspectedSignature;
use crate::key::PublicKey;
use crate::oci::Document;
use crate::ops::inspect::InspectedLayer;
use crate::ops::inspect::SignatureUnread;
use crate::predicate::PredicateSummary;
use crate::report::ReportedError;
use crate::report::VERSION;
use crate::report::material::ReportedMaterial;
use crate::report::material::ReportedSignatureLayer;
use crate::report::notary::ReportedNotarySignature;
use crate::transparency::InspectedMaterial;

/// The report of `inspect`.
#[derive(Clone, Debug, Serialize)]
pub struct InspectReport {
    command: &'static str,
    digest: Digest,
    is: Inspected,
    target: String,
    version: u32,
}

impl InspectReport {
    /// The report on `target`, with the digest of its bytes.
    pub fn new(target: &str, digest: Digest, is: Inspected) -> Self {
        Self { command: "inspect", digest, is, target: target.to_owned(), version: VERSION }
    }
}

/// The type and the decoded fields of some bytes. Nothing was verified.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspected {
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_entries: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    material: Option<Box<ReportedMaterial>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    // Null if the payload of an envelope is not shown; absent if there is no envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Option<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Box<ReportedNotarySignature>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_error: Option<ReportedError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<ReportedSignatureLayer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    summary: Vec<ReportedFact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamps: Option<usize>,
    r#type: &'static str,
}

/// One fact of the summary of a predicate.
#[derive(Clone, Debug, Serialize)]
struct ReportedFact {
    name: &'static str,
    value: String,
}

/// The payload of an envelope, in the form of a report.
#[derive(Clone, Debug)]
pub enum ShownPayload {
    /// As JSON.
    Json(Value),
    /// Not shown, since it is not JSON.
    NotShown,
    /// As text, since it nests too deeply for other JSON parsers.
    Text(String),
}

impl Inspected {
    /// A Sigstore bundle with its `envelope`, and its verification material, decoded.
    #[must_use]
    pub fn bundle(envelope: Self, bundle: &Bundle, certificates: Vec<String>, inspected: &InspectedMaterial) -> Self {
        let material = bundle.verification_material();
        Self {
            certificates: Some(certificates),
            key_hint: Some(material.key_hint.clone().unwrap_or_default()),
            log_entries: Some(material.log_entries.len()),
            material: Some(Box::new(ReportedMaterial::of(inspected))),
            timestamps: Some(material.timestamps.len()),
            r#type: "sigstore bundle",
            ..envelope
        }
    }

    /// A DSSE envelope. `payload_type` is its own claim.
    pub fn envelope(payload_type: &str, payload: ShownPayload) -> Self {
        let (payload, payload_text) = match payload {
            ShownPayload::Json(value) => (Some(value), None),
            ShownPayload::NotShown => (None, None),
            ShownPayload::Text(text) => (None, Some(text)),
        };
        let payload_type = Some(payload_type.to_owned());
        Self { payload: Some(payload), payload_text, payload_type, ..Self::of_type("dsse envelope") }
    }

    /// A manifest, index or artifact manifest.
    pub fn manifest(document: &Document, media_type: &str, json: Value) -> Self {
        let what = match document {
            Document::Artifact(_) => "artifact manifest",
            Document::Index(_) => "index",
            Document::Manifest(_) => "manifest",
        };
        Self { document: Some(json), media_type: Some(media_type.to_owned()), ..Self::of_type(what) }
    }

    /// An envelope of the Notary Project.
    pub fn notary_signature(signature: &InspectedSignature) -> Self {
        Self::of_type("notary signature").with_signature(signature)
    }

    /// The same manifest with the Notary Project signature that it carries.
    #[must_use]
    pub fn with_signature(self, signature: &InspectedSignature) -> Self {
        Self { signature: Some(Box::new(ReportedNotarySignature::of(signature))), ..self }
    }

    /// The same manifest with its layers that are signatures in a format of Sigstore.
    #[must_use]
    pub fn with_layers(self, layers: &[InspectedLayer]) -> Self {
        Self { signatures: layers.iter().map(ReportedSignatureLayer::of).collect(), ..self }
    }

    /// The same manifest, whose Notary Project signature cannot be shown.
    #[must_use]
    pub fn with_unread_signature(self, why: &SignatureUnread) -> Self {
        Self { signature_error: Some(ReportedError::new(why.code(), why.to_string())), ..self }
    }

    /// A private key file in this format.
    pub fn private_key(form: String) -> Self {
        Self { form: Some(form), ..Self::of_type("private key") }
    }

    /// A public key.
    pub fn public_key(key: &PublicKey) -> Self {
        let id = key.id();
        Self {
            algorithm: Some(key.algorithm().to_string()),
            hint: Some(id.hint()),
            key_id: Some(id.to_string()),
            ..Self::of_type("public key")
        }
    }

    /// The same envelope with what the predicate in it says.
    #[must_use]
    pub fn with_summary(self, summary: Option<&PredicateSummary>) -> Self {
        let facts = summary.into_iter().flat_map(PredicateSummary::facts);
        let fact = |(name, value): (&'static str, &str)| ReportedFact { name, value: value.to_owned() };
        Self { summary: facts.map(fact).collect(), ..self }
    }

    /// A simple signing payload.
    pub fn simple_signing_payload(payload: Value) -> Self {
        Self { payload: Some(Some(payload)), ..Self::of_type("simple signing payload") }
    }

    const fn of_type(what: &'static str) -> Self {
        Self {
            algorithm: None,
            certificates: None,
            document: None,
            form: None,
            hint: None,
            key_hint: None,
            key_id: None,
            log_entries: None,
            material: None,
            media_type: None,
            payload: None,
            payload_text: None,
            payload_type: None,
            signature: None,
            signature_error: None,
            signatures: Vec::new(),
            summary: Vec::new(),
            timestamps: None,
            r#type: what,
        }
    }
}
