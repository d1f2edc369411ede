//! The JSON forms of log entries: `TransparencyLogEntry` in bundles, and the annotation of cosign v2.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::Visitor;

/// `TransparencyLogEntry` of `sigstore_rekor.proto`. A field that is left out or null has its default value; unknown
/// fields are skipped, since nothing in a bundle is trusted for what it says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryWire<'a> {
    #[serde(borrow, default)]
    pub(super) canonicalized_body: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) inclusion_promise: Option<PromiseWire<'a>>,
    #[serde(borrow, default)]
    pub(super) inclusion_proof: Option<ProofWire<'a>>,
    #[serde(default)]
    pub(super) integrated_time: Option<Number>,
    #[serde(borrow, default)]
    pub(super) kind_version: Option<KindWire<'a>>,
    #[serde(borrow, default)]
    pub(super) log_id: Option<LogIdWire<'a>>,
    #[serde(default)]
    pub(super) log_index: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PromiseWire<'a> {
    #[serde(borrow)]
    pub(super) signed_entry_timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProofWire<'a> {
    #[serde(borrow, default)]
    pub(super) checkpoint: Option<CheckpointWire<'a>>,
    #[serde(borrow, default)]
    pub(super) hashes: Option<Vec<Cow<'a, str>>>,
    #[serde(default)]
    pub(super) log_index: Option<Number>,
    #[serde(borrow)]
    pub(super) root_hash: Cow<'a, str>,
    pub(super) tree_size: Number,
}

#[derive(Deserialize)]
pub(super) struct CheckpointWire<'a> {
    #[serde(borrow, default)]
    pub(super) envelope: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct KindWire<'a> {
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) version: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogIdWire<'a> {
    #[serde(borrow)]
    pub(super) key_id: Cow<'a, str>,
}

/// The annotation `dev.sigstore.cosign/bundle` of cosign v2.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AnnotationWire<'a> {
    #[serde(borrow)]
    pub(super) payload: AnnotationPayload<'a>,
    #[serde(borrow)]
    pub(super) signed_entry_timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnnotationPayload<'a> {
    #[serde(borrow)]
    pub(super) body: Cow<'a, str>,
    pub(super) integrated_time: Number,
    #[serde(borrow, rename = "logID")]
    pub(super) log_id: Cow<'a, str>,
    pub(super) log_index: Number,
}

/// A number that is not negative, as an `int64` of protocol buffers is written in JSON: in decimal, as a string or number.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number in decimal that is not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        match i64::try_from(number) {
            Ok(_) => Ok(Number(number)),
            Err(_) => Err(E::custom("a number beyond 64 bits with a sign")),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        match text.parse() {
            Ok(number) if canonical => self.visit_u64(number),
            _ => Err(E::custom("not a number in decimal that is not negative")),
        }
    }
}
