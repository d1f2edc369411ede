//! The JSON of requests and responses, version 1: `docs/schemas/`. Unknown fields are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::Error as _;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::envelope::predicate_limits;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;

pub(super) const VERSION: u64 = 1;
pub(super) const REQUEST: &str = "bulla signing request";
pub(super) const RESPONSE: &str = "bulla signing response";

/// Reads a request or a response as a `T`, in the one form in which we write it: an array is no object, and null is no
/// field left out (each such field is read by [`named`]). A predicate in it nests as deep as it likes.
/// Nothing is copied to be compared: they may be large.
///
/// # Errors
/// [`JsonError`].
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, JsonError> {
    json::parse(bytes, &predicate_limits(bytes, limits))
}

/// Reads a line of a log, as [`read`], and compares it with what we would write: all its fields are there.
///
/// # Errors
/// [`JsonError`].
pub(super) fn read_line<T: DeserializeOwned + Serialize>(bytes: &[u8], limits: &Limits) -> Result<T, JsonError> {
    let read: T = json::parse(bytes, limits)?;
    let (given, ours): (Value, Value) = (serde_json::from_slice(bytes)?, serde_json::to_value(&read)?);
    match given == ours {
        true => Ok(read),
        false => Err(serde_json::Error::custom("a value stands in another form than the one that is written").into()),
    }
}

/// A field that may be left out, and is no null where it stands.
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What every document of ours begins with, whatever its version says about the rest.
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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) reason: Option<String>,
    pub(super) owners: Vec<WireOwner>,
    pub(super) threshold: u32,
    pub(super) items: Vec<WireItem>,
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
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireItem {
    pub(super) reference: String,
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) content_size: Option<u64>,
    pub(super) platforms: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) previous: Option<WirePrevious>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) sign: Option<WireSign>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) identity: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireAttest {
    pub(super) forms: Vec<WireForm>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) name: Option<String>,
    pub(super) predicate_type: String,
    pub(super) predicate: Box<RawValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "String")]
pub(super) enum WireForm {
    Bundle,
    Tag,
}

impl TryFrom<String> for WireForm {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "bundle" => Ok(Self::Bundle),
            "tag" => Ok(Self::Tag),
            _ => Err(format!("{text:.80?} is neither \"bundle\" nor \"tag\"")),
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

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireSigner {
    pub(super) owner: String,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub(super) seal: Option<String>,
    pub(super) signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireSignature {
    pub(super) item: usize,
    pub(super) part: WirePart,
    pub(super) signature: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "String")]
pub(super) enum WirePart {
    Claim,
    Statement,
}

impl TryFrom<String> for WirePart {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "claim" => Ok(Self::Claim),
            "statement" => Ok(Self::Statement),
            _ => Err(format!("{text:.80?} is neither \"claim\" nor \"statement\"")),
        }
    }
}

/// What a signer seals: which request was answered, by whom, when, with which signatures. Signed as a DSSE payload of a
/// type of its own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCountersignature<'a> {
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
pub(super) struct WireEntry {
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
