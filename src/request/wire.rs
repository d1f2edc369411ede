//! The JSON of signing requests, signing responses and log lines, version 1: `docs/schemas/`. Unknown fields are
//! refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::NotaryFormat;
use crate::envelope::PayloadKind;
use crate::envelope::predicate_limits;
use crate::json;
use crate::json::JsonError;
use crate::json::JsonErrorReason;
use crate::limits::Limits;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::time::Time;

pub(super) const VERSION: u64 = 1;
pub(super) const REQUEST: &str = "bulla signing request";
pub(super) const RESPONSE: &str = "bulla signing response";

/// Parses a request or response strictly: an array is not accepted for an object, nor `null` for a missing field
/// ([`present`]). A predicate may nest to any depth. Documents may be large, so nothing is copied for the check.
///
/// # Errors
/// [`JsonError`].
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, JsonError> {
    json::parse(bytes, &predicate_limits(bytes, limits))
}

/// Parses a line of a log strictly: it must equal what bulla would write for it, field by field.
///
/// # Errors
/// [`JsonError`].
pub(super) fn read_line<T: DeserializeOwned + Serialize>(bytes: &[u8], limits: &Limits) -> Result<T, JsonError> {
    let read: T = json::parse(bytes, limits)?;
    let (given, ours): (Value, Value) = (json::read(bytes)?, serde_json::to_value(&read)?);
    match given == ours {
        true => Ok(read),
        false => Err(JsonErrorReason::OtherForm.into()),
    }
}

/// Refuses a document of another kind or version.
///
/// # Errors
/// [`RequestError::Kind`].
pub(super) fn check_head(head: &WireHead, want: &'static str) -> Result<(), RequestError> {
    match head.kind == want && head.version == VERSION {
        true => Ok(()),
        false => Err(RequestError::Kind { got: head.kind.clone(), version: head.version, want }),
    }
}

/// Parses a time in its only allowed spelling, `2026-01-31T12:00:00Z`.
///
/// # Errors
/// [`RequestError::Field`].
pub(super) fn time(field: &str, text: &str) -> Result<Time, RequestError> {
    Time::parse(text)
        .filter(|time| time.to_string() == text)
        .ok_or_else(|| RequestError::field(field, FieldFault::Time))
}

/// Deserializes an optional field that may be missing but not `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The fields that every version of a request or response has.
#[derive(Deserialize)]
pub(super) struct WireHead {
    pub(super) version: u64,
    pub(super) kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireRequest {
    pub(super) version: u64,
    pub(super) kind: String,
    pub(super) created: String,
    pub(super) expires: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) reason: Option<String>,
    pub(super) owners: Vec<WireOwner>,
    pub(super) threshold: u32,
    pub(super) items: Vec<WireItem>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) files: Option<Vec<WireFile>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireFile {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) content: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireOwner {
    pub(super) name: String,
    pub(super) keys: Vec<WireKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireKey {
    pub(super) id: String,
    pub(super) public_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) certificate_chain: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireItem {
    pub(super) reference: String,
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) content_size: Option<u64>,
    pub(super) platforms: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) previous: Option<WirePrevious>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) sign: Option<WireSign>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) attest: Option<WireAttest>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WirePrevious {
    pub(super) reference: String,
    pub(super) digest: Digest,
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireSign {
    pub(super) forms: Vec<WireForm>,
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) notary: Option<WireNotary>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireNotary {
    pub(super) signing_time: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) expiry: Option<String>,
    pub(super) manifest: WireManifest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum WireManifest {
    #[serde(rename = "legacy")]
    Legacy,
    #[serde(rename = "v1.1")]
    V1_1,
}

impl TryFrom<String> for WireManifest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "legacy" => Ok(Self::Legacy),
            "v1.1" => Ok(Self::V1_1),
            _ => Err(format!("{text:.80?} is neither \"legacy\" nor \"v1.1\"")),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireAttest {
    pub(super) forms: Vec<WireForm>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) predicate_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) predicate: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) statement: Option<Box<RawValue>>,
}

/// A format, in the order of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub(super) enum WireForm {
    Bundle,
    Tag,
    NotaryJws,
    NotaryCose,
}

impl TryFrom<String> for WireForm {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "bundle" => Ok(Self::Bundle),
            "tag" => Ok(Self::Tag),
            "notary-jws" => Ok(Self::NotaryJws),
            "notary-cose" => Ok(Self::NotaryCose),
            _ => Err(format!("{text:.80?} is no format of a signing request")),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireResponse {
    pub(super) version: u64,
    pub(super) kind: String,
    pub(super) request: Digest,
    pub(super) signers: Vec<WireSigner>,
}

/// The signatures of one key. The field `seal` holds the countersignature.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireSigner {
    pub(super) owner: String,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) seal: Option<String>,
    pub(super) signatures: Vec<WireSignature>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) files: Option<Vec<WireFileSignature>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireFileSignature {
    pub(super) file: usize,
    pub(super) signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireSignature {
    pub(super) item: usize,
    pub(super) part: WirePayloadKind,
    pub(super) signature: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", try_from = "String")]
pub(super) enum WirePayloadKind {
    Claim,
    NotaryCose,
    NotaryJws,
    Statement,
}

impl TryFrom<String> for WirePayloadKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "claim" => Ok(Self::Claim),
            "notary-cose" => Ok(Self::NotaryCose),
            "notary-jws" => Ok(Self::NotaryJws),
            "statement" => Ok(Self::Statement),
            _ => Err(format!("{text:.80?} is no payload of a signing request")),
        }
    }
}

impl From<PayloadKind> for WirePayloadKind {
    fn from(kind: PayloadKind) -> Self {
        match kind {
            PayloadKind::Notary(NotaryFormat::Cose) => Self::NotaryCose,
            PayloadKind::Notary(NotaryFormat::Jws) => Self::NotaryJws,
            PayloadKind::SimpleSigning => Self::Claim,
            PayloadKind::Statement => Self::Statement,
        }
    }
}

impl From<WirePayloadKind> for PayloadKind {
    fn from(kind: WirePayloadKind) -> Self {
        match kind {
            WirePayloadKind::Claim => Self::SimpleSigning,
            WirePayloadKind::NotaryCose => Self::Notary(NotaryFormat::Cose),
            WirePayloadKind::NotaryJws => Self::Notary(NotaryFormat::Jws),
            WirePayloadKind::Statement => Self::Statement,
        }
    }
}

/// The content that a countersignature covers: the request, the signer, the time and the signatures. It is signed as a
/// DSSE payload with a payload type of its own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCountersigned<'a> {
    pub(super) version: u64,
    pub(super) kind: &'static str,
    pub(super) request: Digest,
    pub(super) owner: &'a str,
    pub(super) key: String,
    pub(super) time: String,
    pub(super) signatures: Vec<Digest>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireLogEntry {
    pub(super) previous: Option<Digest>,
    pub(super) time: String,
    pub(super) owner: String,
    pub(super) key: String,
    pub(super) request: Digest,
    pub(super) item: String,
    pub(super) digest: Digest,
    pub(super) kind: String,
    pub(super) signature: Digest,
}
