//! in-toto `Statement`: subjects and a predicate.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::digest::DigestAlgorithm;
use crate::envelope::DocumentFault;
use crate::envelope::EnvelopeError;
use crate::envelope::Payload;
use crate::json;
use crate::json::JsonError;
use crate::limits::Limits;
use crate::oci::media_type;
use crate::ordered;
use crate::text::Untrusted;

/// The supported statement types. The first is the one that bulla writes.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// The algorithms by which subjects are matched.
const SUPPORTED: [DigestAlgorithm; 2] = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];

/// A signed statement about some subjects. in-toto attestation framework, `spec/v1/statement.md`.
#[derive(Clone, Debug)]
pub struct Statement {
    predicate: Option<Bytes>,
    predicate_type: String,
    subjects: Vec<ResourceDescriptor>,
}

/// One subject of a statement.
#[derive(Clone, Debug)]
pub struct ResourceDescriptor {
    annotations: BTreeMap<String, String>,
    digests: BTreeMap<String, String>,
    name: Option<String>,
}

/// The fields of a statement, read strictly from its bytes.
pub(super) struct StatementFields<'a> {
    pub(super) predicate: Option<&'a RawValue>,
    pub(super) predicate_type: String,
    pub(super) subjects: Vec<ResourceDescriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatementWire<'a, V> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<WireSubject<V>>,
    predicate_type: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    predicate: Option<&'a RawValue>,
}

#[derive(Serialize, Deserialize)]
struct WireSubject<V> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    digest: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, V>>,
}

impl Statement {
    /// Parses a verified payload. A statement without `predicate`, and subjects without `name`, are accepted, since
    /// cosign before 3.0.5 wrote them.
    ///
    /// # Errors
    /// [`EnvelopeError`]: another type of statement, no subject, a subject without digest, no predicate type, or more
    /// than the limits allow.
    pub fn parse(payload: &Payload, limits: &Limits) -> Result<Self, EnvelopeError> {
        let StatementFields { predicate, predicate_type, subjects } = StatementFields::read(payload.bytes(), limits)?;
        let predicate = predicate.map(|predicate| payload.part(predicate.get().as_bytes()));
        Ok(Self { predicate, predicate_type, subjects })
    }

    /// The payload of an image signature. Without `name` it is byte for byte that of cosign v3.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn image_signature(
        digest: &Digest,
        name: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, JsonError> {
        let text = |(key, value): (&String, &String)| (key.clone(), value.clone());
        let nothing = RawValue::from_string("{}".to_owned())?;
        json::to_go(&StatementWire {
            kind: TYPES.map(str::to_owned).into_iter().next().unwrap_or_default(),
            subject: vec![WireSubject {
                name: name.map(str::to_owned),
                digest: ordered::map([(digest.algorithm().name().to_owned(), digest.hex())]),
                annotations: Some(annotations.iter().map(text).collect()),
            }],
            predicate_type: media_type::COSIGN_SIGN_PREDICATE.to_owned(),
            predicate: Some(&nothing),
        })
    }

    /// The payload of an attestation with the verbatim `predicate` about `digest`.
    ///
    /// # Errors
    /// [`EnvelopeError::Form`] if `predicate` is no object, or the predicate type is empty or that of an image
    /// signature: an attestation must not be read as a signature (threats: attestation-as-signature).
    pub fn attestation(
        digest: &Digest,
        name: Option<&str>,
        predicate_type: &str,
        predicate: &RawValue,
    ) -> Result<Vec<u8>, EnvelopeError> {
        if !predicate.get().starts_with('{') {
            return Err(EnvelopeError::Form(DocumentFault::PredicateNotObject));
        }
        if predicate_type.is_empty() || predicate_type == media_type::COSIGN_SIGN_PREDICATE {
            return Err(EnvelopeError::Form(DocumentFault::PredicateType));
        }
        let without = json::to_go(&StatementWire {
            kind: TYPES.map(str::to_owned).into_iter().next().unwrap_or_default(),
            subject: vec![WireSubject {
                name: name.map(str::to_owned),
                digest: ordered::map([(digest.algorithm().name().to_owned(), digest.hex())]),
                annotations: None::<BTreeMap<String, String>>,
            }],
            predicate_type: predicate_type.to_owned(),
            predicate: None,
        });
        let mut payload = without.map_err(|error| EnvelopeError::Json { format: "in-toto statement", error })?;
        // The predicate is the last field, and is inserted byte for byte: no serializer may change it.
        payload.pop();
        payload.extend_from_slice(b",\"predicate\":");
        payload.extend_from_slice(predicate.get().as_bytes());
        payload.push(b'}');
        Ok(payload)
    }

    /// The predicate type.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate: JSON, byte for byte as it was signed.
    pub fn predicate(&self) -> Option<&[u8]> {
        self.predicate.as_deref()
    }

    /// The predicate, sharing the bytes of the payload.
    pub fn shared_predicate(&self) -> Option<Bytes> {
        self.predicate.clone()
    }

    /// The subjects.
    pub fn subjects(&self) -> &[ResourceDescriptor] {
        &self.subjects
    }

    /// The first subject that is the content with these digests, see [`ResourceDescriptor::is_any`].
    pub fn about_any(&self, digests: &[Digest]) -> Option<&ResourceDescriptor> {
        self.subjects.iter().find(|subject| subject.is_any(digests))
    }

    /// The digests of the first subjects, for people.
    pub(crate) fn shown_subjects(&self) -> String {
        shown_subjects(&self.subjects)
    }

    /// The first subject whose digest is `digest`.
    pub fn about(&self, digest: &Digest) -> Option<&ResourceDescriptor> {
        self.subjects.iter().find(|subject| subject.is(digest))
    }

    /// Whether a subject may be the content with the digest `digest`, see [`ResourceDescriptor::may_be`].
    pub fn may_be_about(&self, digest: &Digest) -> bool {
        self.may_be_about_all(std::slice::from_ref(digest))
    }

    /// Whether one subject may be the content with all these digests, by different algorithms, see
    /// [`ResourceDescriptor::may_be`].
    pub fn may_be_about_all(&self, digests: &[Digest]) -> bool {
        self.subjects.iter().any(|subject| digests.iter().all(|digest| subject.may_be(digest)))
    }
}

impl<'a> StatementFields<'a> {
    /// Reads a statement of a supported type, within the limits.
    ///
    /// # Errors
    /// As [`Statement::parse`].
    pub(super) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "in-toto statement", error };
        let wire: StatementWire<'_, Box<RawValue>> =
            json::parse(bytes, &predicate_limits(bytes, limits)).map_err(json)?;
        if !TYPES.contains(&wire.kind.as_str()) {
            return Err(EnvelopeError::unknown("statement type", &wire.kind));
        }
        if wire.has_nul() {
            return Err(EnvelopeError::Form(DocumentFault::Nul));
        }
        if wire.predicate_type.is_empty() {
            return Err(EnvelopeError::Form(DocumentFault::NoPredicateType));
        }
        if wire.subject.is_empty() {
            return Err(EnvelopeError::Form(DocumentFault::NoSubject));
        }
        let most = wire.subject.iter().map(|subject| subject.digest.len()).max().unwrap_or(0);
        for (what, got, limit) in [
            (
                "subjects of one statement (envelope.statement_subjects)",
                wire.subject.len(),
                limits.envelope.statement_subjects,
            ),
            ("digests of one subject (envelope.statement_digests)", most, limits.envelope.statement_digests),
        ] {
            EnvelopeError::bounded(what, got, limit)?;
        }
        Ok(Self {
            predicate: wire.predicate,
            predicate_type: wire.predicate_type,
            subjects: wire.subject.into_iter().map(ResourceDescriptor::from).collect(),
        })
    }
}

impl StatementWire<'_, Box<RawValue>> {
    /// Whether a string outside the predicate contains a NUL character, which ends it for some readers
    /// (threats: nul-in-text).
    fn has_nul(&self) -> bool {
        let nul = |text: &String| text.contains('\0');
        nul(&self.predicate_type)
            || self.subject.iter().any(|subject| {
                subject.name.iter().any(nul)
                    || subject.digest.iter().any(|(algorithm, encoded)| nul(algorithm) || nul(encoded))
                    || subject
                        .annotations
                        .iter()
                        .flatten()
                        .any(|(key, value)| nul(key) || nul(&json::text_or_source(value)))
            })
    }
}

/// The digests of the first of these subjects, for people.
pub(super) fn shown_subjects(subjects: &[ResourceDescriptor]) -> String {
    const DIGESTS: usize = 3;
    const SHOWN: usize = 80;
    let digests = subjects.iter().flat_map(ResourceDescriptor::digests).take(DIGESTS);
    let shown = digests.map(|(algorithm, digest)| {
        format!("{}:{}", Untrusted::within(algorithm, SHOWN), Untrusted::within(digest, SHOWN))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The limits for a document with a predicate, see [`Limits::for_predicate`].
pub fn predicate_limits(bytes: &[u8], limits: &Limits) -> Limits {
    limits.for_predicate(bytes.len())
}

impl ResourceDescriptor {
    /// Whether this subject is the content with the digest `digest`.
    ///
    /// A subject may carry digests by several algorithms, and each supported one must match
    /// (threats: subject-with-two-digests). Only `digest` is known here, so a subject that also carries the other of
    /// SHA-256 and SHA-512 does not match.
    pub fn is(&self, digest: &Digest) -> bool {
        self.is_any(std::slice::from_ref(digest))
    }

    /// Whether this subject is the content whose digests, by different algorithms, are `known`. The subject must state at
    /// least one digest by SHA-256 or SHA-512, and each one that it states must be among `known`: a different digest does
    /// not match, and neither does one by an algorithm that `known` lacks.
    pub fn is_any(&self, known: &[Digest]) -> bool {
        let mut own = SUPPORTED.iter().filter_map(|algorithm| Some((*algorithm, self.digests.get(algorithm.name())?)));
        let is_known = |(algorithm, digest): (DigestAlgorithm, &String)| {
            known.iter().any(|one| one.algorithm() == algorithm && one.hex() == *digest)
        };
        own.clone().next().is_some() && own.all(is_known)
    }

    /// Whether this subject may be the content with the digest `digest`: it is, or its digests do not rule that out, because
    /// none of them is by the same algorithm, or the right one stands beside one that is not known here. The letter case and
    /// hyphens of algorithms and digests do not matter.
    ///
    /// A statement that may be about an image counts for nothing. It only keeps an older one from counting as the newest
    /// (threats: newest-with-other-digest).
    pub fn may_be(&self, digest: &Digest) -> bool {
        let name = |algorithm: &str| algorithm.to_ascii_lowercase().replace(['-', '_'], "");
        let (known, hex) = (name(digest.algorithm().name()), digest.hex());
        let mut same =
            self.digests().filter(|(algorithm, _)| name(algorithm) == known).map(|(_, stated)| stated).peekable();
        same.peek().is_none() || same.any(|stated| stated.trim().eq_ignore_ascii_case(&hex))
    }

    /// The digests by supported algorithms.
    pub(super) fn supported(&self) -> Vec<Digest> {
        self.digests().flat_map(|(algorithm, digest)| format!("{algorithm}:{digest}").parse::<Digest>()).collect()
    }

    /// The annotations that were signed.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The name, if the subject has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The digests by algorithm, as the statement has them, for display.
    pub fn digests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.digests.iter().map(|(algorithm, digest)| (algorithm.as_str(), digest.as_str()))
    }
}

impl From<WireSubject<Box<RawValue>>> for ResourceDescriptor {
    fn from(wire: WireSubject<Box<RawValue>>) -> Self {
        let annotations = wire.annotations.unwrap_or_default();
        Self {
            annotations: annotations.into_iter().map(|(key, value)| (key, json::text_or_source(&value))).collect(),
            digests: wire.digest,
            name: wire.name.filter(|name| !name.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The payload of a signature made by cosign 3.1.1.
    #[test]
    fn writes_the_statement_of_cosign() {
        let digest = "sha256:3523117bdf55397070a87e64e066f2a8ce7cc6f4359aac610369bb7efb95d032".parse().unwrap();
        let payload = Statement::image_signature(&digest, None, &BTreeMap::new()).unwrap();
        assert_eq!(
            String::from_utf8(payload).unwrap(),
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"3523117bdf55397070a87e64e066f2a8ce7cc6f4359aac610369bb7efb95d032"},"annotations":{}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#
        );
    }

    #[test]
    fn keeps_a_predicate_as_it_is() {
        let digest = Digest::sha256(b"{}");
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let write = |kind: &str, text: &str| Statement::attestation(&digest, Some("r/<a>"), kind, &raw(text));
        let predicate = "{ \"b\" : 1.0e0,\n \"a\":\"<&>\u{2028}\\u0041\" }";
        assert_eq!(
            String::from_utf8(write("https://spdx.dev/Document", predicate).unwrap()).unwrap(),
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"r/\u003ca\u003e","digest":{{"sha256":"{}"}}}}],"predicateType":"https://spdx.dev/Document","predicate":{predicate}}}"#,
                digest.hex()
            )
        );
        for (kind, text) in
            [("a", "1"), ("a", "[]"), ("a", "\"{}\""), ("", "{}"), (media_type::COSIGN_SIGN_PREDICATE, "{}")]
        {
            assert!(write(kind, text).is_err(), "{kind:?} {text}");
        }
    }

    // (threats: subject-with-two-digests)
    #[test]
    fn believes_a_subject_only_if_every_known_digest_is_right() {
        let digest = Digest::sha256(b"{}");
        let about = |digests: &[(&str, &str)]| ResourceDescriptor {
            annotations: BTreeMap::new(),
            digests: digests.iter().map(|(a, d)| ((*a).to_owned(), (*d).to_owned())).collect(),
            name: None,
        };
        let hex = digest.hex();
        assert!(about(&[("sha256", &hex)]).is(&digest));
        assert!(about(&[("sha256", &hex), ("gitCommit", "12")]).is(&digest));
        assert!(!about(&[("sha256", &hex), ("sha512", "12")]).is(&digest));
        assert!(!about(&[("sha1", &hex)]).is(&digest));
        assert!(!about(&[("sha256", &hex.to_uppercase())]).is(&digest));
        assert!(!about(&[("SHA256", &hex)]).is(&digest));
        assert!(!about(&[]).is(&digest));
    }
}
