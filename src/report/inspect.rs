//! The report of `inspect`: what a file or a manifest is. Nothing in it was verified.

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::envelope::Bundle;
use crate::key::PublicKey;
use crate::oci::Document;
use crate::report::VERSION;

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
    /// What `target`, with the digest of its bytes, is.
    pub fn new(target: &str, digest: Digest, is: Inspected) -> Self {
        Self { command: "inspect", digest, is, target: target.to_owned(), version: VERSION }
    }
}

/// What some bytes are, as far as that can be told without believing them.
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
    media_type: Option<String>,
    // Null where the payload of an envelope is not shown; absent where there is no envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Option<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamps: Option<usize>,
    r#type: &'static str,
}

/// The payload of an envelope, as a report shows it.
#[derive(Clone, Debug)]
pub enum ShownPayload {
    /// As JSON.
    Json(Value),
    /// Not at all.
    NotShown,
    /// As a text: it nests deeper than other readers of the report may follow.
    Text(String),
}

impl Inspected {
    /// A Sigstore bundle, whose envelope is `envelope`.
    #[must_use]
    pub fn bundle(envelope: Self, bundle: &Bundle, certificates: Vec<String>) -> Self {
        let material = bundle.verification_material();
        Self {
            certificates: Some(certificates),
            key_hint: Some(material.key_hint.clone().unwrap_or_default()),
            log_entries: Some(material.log_entries),
            timestamps: Some(material.timestamps),
            r#type: "sigstore bundle",
            ..envelope
        }
    }

    /// A DSSE envelope with a payload that calls itself `payload_type`.
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

    /// A private key file of this form.
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
            media_type: None,
            payload: None,
            payload_text: None,
            payload_type: None,
            timestamps: None,
            r#type: what,
        }
    }
}
