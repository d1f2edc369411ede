//! Adds a timestamp to a Sigstore bundle that exists already.
//!
//! The invariant: every value in the bundle stays as it is written, also one of a field that is not known here. Only the
//! list of timestamps gets one more element.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::ser::SerializeMap as _;
use serde_json::value::RawValue;
use serde_json::value::to_raw_value;

use crate::digest::Digest;
use crate::envelope::BundleDocument;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::StoredTimestamp;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::x509::VerifiedTimestampResponse;

/// The bundle `bytes` with `response` behind the timestamps that it has. That the timestamp is about the signature in the
/// bundle is for the caller to verify.
///
/// # Errors
/// [`EnvelopeError`] for bytes that are not a bundle, and where the bundle would exceed a limit.
pub fn add_bundle_timestamp(
    bytes: &[u8],
    response: &VerifiedTimestampResponse,
    limits: &Limits,
) -> Result<Vec<u8>, EnvelopeError> {
    let added = StoredTimestamp::of_response(response.bytes());
    let mut wanted = BundleDocument::parse(bytes, limits)?.verification_material;
    let written = rewritten(bytes, Some(added.as_json()), limits).map_err(json_error)?;
    wanted.timestamps.push(added);
    match BundleDocument::parse(&written, limits)?.verification_material == wanted {
        true => Ok(written),
        false => Err(EnvelopeError::Form(DocumentFault::BundleTimestamp)),
    }
}

/// The digest of the bundle `bytes` without its timestamps: that of all bundles which differ in these alone.
///
/// # Errors
/// [`EnvelopeError`] for bytes that are not the JSON of a bundle.
pub(crate) fn digest_without_timestamps(bytes: &[u8], limits: &Limits) -> Result<Digest, EnvelopeError> {
    Ok(Digest::sha256(&rewritten(bytes, None, limits).map_err(json_error)?))
}

const fn json_error(error: JsonError) -> EnvelopeError {
    EnvelopeError::Json { format: "Sigstore bundle", error }
}

/// The bundle with one more timestamp, or without any.
fn rewritten(bytes: &[u8], added: Option<&[u8]>, limits: &Limits) -> Result<Vec<u8>, JsonError> {
    let mut bundle: Members<'_> = json::parse_document(bytes, limits)?;
    let mut material: Members<'_> = bundle.read(MATERIAL)?;
    match added {
        None => material.0.retain(|(name, _)| name != DATA),
        Some(added) => {
            let mut data: Members<'_> = material.read(DATA)?;
            let mut list: Vec<&RawValue> = data.read(TIMESTAMPS)?;
            list.push(json::read(added)?);
            data.set(TIMESTAMPS, to_raw_value(&list)?);
            material.set(DATA, to_raw_value(&data)?);
        }
    }
    bundle.set(MATERIAL, to_raw_value(&material)?);
    Ok(serde_json::to_vec(&bundle)?)
}

const MATERIAL: &str = "verificationMaterial";
const DATA: &str = "timestampVerificationData";
const TIMESTAMPS: &str = "rfc3161Timestamps";

/// The members of a JSON object in their order, each value as it is written.
#[derive(Default)]
struct Members<'a>(Vec<(String, Cow<'a, RawValue>)>);

impl<'a> Members<'a> {
    /// The value of a member that was read; the default of one that is missing or null.
    fn read<T: Deserialize<'a> + Default>(&self, name: &str) -> Result<T, JsonError> {
        let found = self.0.iter().find_map(|(other, value)| match value {
            Cow::Borrowed(value) if other == name => Some(*value),
            Cow::Borrowed(_) | Cow::Owned(_) => None,
        });
        match found.map(RawValue::get) {
            None | Some("null") => Ok(T::default()),
            Some(text) => json::read(text.as_bytes()),
        }
    }

    /// Replaces the value of a member, or adds the member as the last one.
    fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = Cow::Owned(value),
            None => self.0.push((name.to_owned(), Cow::Owned(value))),
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
                let mut read = Vec::new();
                while let Some((name, value)) = members.next_entry::<String, &'de RawValue>()? {
                    read.push((name, Cow::Borrowed(value)));
                }
                Ok(Members(read))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, &**value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`rewritten`] makes of a bundle when the timestamp `{"new":1}` is added.
    fn with_one_more(bundle: &str) -> String {
        let added = rewritten(bundle.as_bytes(), Some(b"{\"new\":1}"), &Limits::DEFAULT).unwrap();
        String::from_utf8(added).unwrap()
    }

    #[test]
    fn all_but_the_list_stays_as_it_is_written() {
        for (bundle, want) in [
            (
                r#"{"z":1.0e2,"verificationMaterial":{"a":"\u003c/"},"dsseEnvelope":{ "payload":"A A" }}"#,
                r#"{"z":1.0e2,"verificationMaterial":{"a":"\u003c/","timestampVerificationData":{"rfc3161Timestamps":[{"new":1}]}},"dsseEnvelope":{ "payload":"A A" }}"#,
            ),
            (
                r#"{"verificationMaterial":{"timestampVerificationData":null,"b":[ ]}}"#,
                r#"{"verificationMaterial":{"timestampVerificationData":{"rfc3161Timestamps":[{"new":1}]},"b":[ ]}}"#,
            ),
            (
                r#"{"verificationMaterial":{"timestampVerificationData":{"x":0,"rfc3161Timestamps":[{ "old":1 }]}}}"#,
                r#"{"verificationMaterial":{"timestampVerificationData":{"x":0,"rfc3161Timestamps":[{ "old":1 },{"new":1}]}}}"#,
            ),
        ] {
            assert_eq!(with_one_more(bundle), want);
        }
    }

    #[test]
    fn bundles_that_differ_in_timestamps_alone_have_one_digest() {
        let digest = |bundle: &str| digest_without_timestamps(bundle.as_bytes(), &Limits::DEFAULT).unwrap();
        let bare = r#"{"verificationMaterial":{"certificate":1}}"#;
        assert_eq!(digest(bare), digest(&with_one_more(bare)));
        assert_eq!(digest(bare), digest(&with_one_more(&with_one_more(bare))));
        assert_ne!(digest(bare), digest(r#"{"verificationMaterial":{"certificate":2}}"#));
        assert_ne!(digest(bare), digest(r#"{"verificationMaterial":{"certificate":1},"a":1}"#));
    }

    #[test]
    fn a_timestamp_is_not_added_to_what_is_no_bundle() {
        for bytes in
            ["", "[]", "{\"verificationMaterial\":1}", "{\"verificationMaterial\":{},\"verificationMaterial\":{}}"]
        {
            assert!(rewritten(bytes.as_bytes(), None, &Limits::DEFAULT).is_err(), "{bytes}");
        }
    }
}
