//! DSSE: `Envelope`, and `Payload`, which only a verified document returns. A proof type.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;

use crate::envelope::EnvelopeError;
use crate::envelope::NotSignedBy;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::KeyId;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::key::Signer;
use crate::key::SignerError;
use crate::limits::Limits;
use crate::oci::media_type;

/// The proof that a payload is signed: the key and the scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The key that was verified.
    pub key: KeyId,
    /// The signature scheme.
    pub scheme: Scheme,
}

/// Signed bytes and their type: the payload of a document that a known key signed.
///
/// Only the verification of a signed document makes one, so every payload that is parsed was signed.
///
/// ```compile_fail,E0451
/// use bulla::envelope::Payload;
/// use bulla::envelope::Proof;
///
/// fn forged(proof: Proof) -> Payload {
///     Payload { bytes: b"{}".to_vec().into(), payload_type: "a/b".to_owned(), proof }
/// }
/// ```
///
/// Statements are parsed from nothing else:
///
/// ```compile_fail,E0308
/// use bulla::envelope::Statement;
/// use bulla::limits::Limits;
///
/// let statement = Statement::parse(b"{}", &Limits::DEFAULT);
/// ```
#[derive(Clone, Debug)]
pub struct Payload {
    bytes: Bytes,
    payload_type: String,
    proof: Proof,
}

impl Payload {
    /// Checks that `key` signed `message` with `signature`; `bytes` is the payload inside that message.
    pub(super) fn proven(
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
        payload_type: &str,
        bytes: &Bytes,
    ) -> Result<Self, NotSignedBy> {
        let scheme = key.verify(message, signature).map_err(|_| NotSignedBy(key.id()))?;
        let proof = Proof { key: key.id(), scheme };
        Ok(Self { bytes: bytes.clone(), payload_type: payload_type.to_owned(), proof })
    }

    /// As [`Payload::proven`], by one scheme, with the signature as JWS and COSE encode it.
    pub(super) fn proven_by(
        key: &PublicKey,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
        payload_type: &str,
        bytes: &Bytes,
    ) -> Result<Self, NotSignedBy> {
        key.verify_jose(scheme, message, signature).map_err(|_| NotSignedBy(key.id()))?;
        let proof = Proof { key: key.id(), scheme };
        Ok(Self { bytes: bytes.clone(), payload_type: payload_type.to_owned(), proof })
    }

    /// The bytes that were signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A part of these bytes, without a copy.
    pub(super) fn part(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }

    /// The payload type, which is signed too.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The key and the scheme that were verified.
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

/// A DSSE envelope whose payload stays inside until a key verifies it. secure-systems-lab/dsse, protocol 1.0.
#[derive(Clone, Debug)]
pub struct Envelope {
    message: Message,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

/// The message that an envelope's signatures cover: the payload after its type. It may be large, so it is kept once.
#[derive(Clone, Debug)]
struct Message {
    payload: Bytes,
    whole: Bytes,
}

#[derive(Clone, Debug)]
struct EnvelopeSignature {
    key_id: Option<String>,
    bytes: Vec<u8>,
}

/// The JSON form of an envelope, in the field order of cosign.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvelopeWire<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Option<Vec<EnvelopeSignatureWire<'a>>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct EnvelopeSignatureWire<'a> {
    #[serde(borrow)]
    sig: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    keyid: Option<Cow<'a, str>>,
}

impl Envelope {
    /// Signs `payload` with `signer`. The signature covers the type too (pre-authentication encoding).
    ///
    /// # Errors
    /// The error of the signer.
    pub fn sign(payload_type: &str, payload: &[u8], signer: &dyn Signer) -> Result<Self, SignerError> {
        let message = Message::new(payload_type, payload);
        let signature = signer.sign(&message.whole)?;
        let signature = EnvelopeSignature { key_id: None, bytes: signature.as_bytes().to_vec() };
        Ok(Self { message, payload_type: payload_type.to_owned(), signatures: vec![signature] })
    }

    /// An envelope of `payload` and a signature that `key` made elsewhere, which is verified first.
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn assemble(
        payload_type: &str,
        payload: &[u8],
        key: &PublicKey,
        signature: &[u8],
    ) -> Result<Self, NotSignedBy> {
        let message = Message::new(payload_type, payload);
        Payload::proven(key, &message.whole, signature, payload_type, &message.payload).map(|proven| Self {
            message: message.clone(),
            payload_type: proven.payload_type,
            signatures: vec![EnvelopeSignature { key_id: None, bytes: signature.to_vec() }],
        })
    }

    /// An envelope with one signature, which the caller has verified.
    pub(super) fn of_verified(payload_type: &str, payload: &[u8], signature: Vec<u8>) -> Self {
        let signatures = vec![EnvelopeSignature { key_id: None, bytes: signature }];
        Self { message: Message::new(payload_type, payload), payload_type: payload_type.to_owned(), signatures }
    }

    /// Parses an envelope.
    ///
    /// # Errors
    /// [`EnvelopeError`], also for an envelope without signatures.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        let json = |error| EnvelopeError::Json { format: "DSSE envelope", error };
        Self::from_wire(json::parse_document(bytes, limits).map_err(json)?, limits)
    }

    /// The envelope as JSON, in cosign's field order.
    ///
    /// # Errors
    /// [`JsonError`] never happens for these types, but is not swallowed.
    pub fn to_json(&self) -> Result<Vec<u8>, JsonError> {
        json::to_go(&self.to_wire())
    }

    pub(super) fn from_wire(wire: EnvelopeWire<'_>, limits: &Limits) -> Result<Self, EnvelopeError> {
        let listed = wire.signatures.unwrap_or_default();
        EnvelopeError::bounded(
            "signatures in one envelope (envelope.signatures)",
            listed.len(),
            limits.envelope.signatures,
        )?;
        let mut signatures = Vec::new();
        for EnvelopeSignatureWire { sig, keyid } in listed {
            let bytes = base64::decode("signatures.sig", &sig)?;
            let key_id = keyid.filter(|id| !id.is_empty()).map(Cow::into_owned);
            signatures.push(EnvelopeSignature { key_id, bytes });
        }
        if signatures.iter().all(|signature| signature.bytes.is_empty()) {
            return Err(EnvelopeError::Unsigned);
        }
        // A simple signing payload is signed directly, that of the Notary Project in its own envelopes, so each statement
        // has one form. No type is longer than a media type may be: RFC 6838 section 4.2.
        if [media_type::NOTARY_PAYLOAD, media_type::SIMPLE_SIGNING].contains(&&*wire.payload_type)
            || wire.payload_type.len() > LONGEST_TYPE
        {
            return Err(EnvelopeError::unknown("payload type", &wire.payload_type));
        }
        let message = Message::decode(&wire.payload_type, &wire.payload)?;
        Ok(Self { message, payload_type: wire.payload_type.into_owned(), signatures })
    }

    pub(super) fn to_wire(&self) -> EnvelopeWire<'_> {
        let signatures = self.signatures.iter().map(|signature| EnvelopeSignatureWire {
            sig: base64::encode(&signature.bytes).into(),
            keyid: signature.key_id.as_deref().map(Cow::Borrowed),
        });
        EnvelopeWire {
            payload: base64::encode(&self.message.payload).into(),
            payload_type: Cow::Borrowed(&self.payload_type),
            signatures: Some(signatures.collect()),
        }
    }

    /// Verifies the envelope and returns its payload, if `key` made one of the signatures.
    ///
    /// # Errors
    /// [`NotSignedBy`] that key.
    pub fn verify(&self, key: &PublicKey) -> Result<Payload, NotSignedBy> {
        let Message { payload, whole } = &self.message;
        self.signatures
            .iter()
            .find_map(|signature| Payload::proven(key, whole, &signature.bytes, &self.payload_type, payload).ok())
            .ok_or(NotSignedBy(key.id()))
    }

    /// The signatures in the envelope that `key` made over it, verified.
    pub fn signatures_by(&self, key: &PublicKey) -> Vec<&[u8]> {
        self.signatures().filter(|signature| key.verify(&self.message.whole, signature).is_ok()).collect()
    }

    /// The payload type that the envelope claims, unverified.
    pub fn claimed_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload, unverified: for display, never for a decision.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.message.payload
    }

    /// The message that its signatures cover: the pre-authentication encoding of type and payload.
    pub fn message(&self) -> &[u8] {
        &self.message.whole
    }

    /// The key ids that its signatures claim, unverified.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().filter_map(|signature| signature.key_id.as_deref())
    }

    /// Its signatures, unverified.
    pub fn signatures(&self) -> impl Iterator<Item = &[u8]> {
        self.signatures.iter().map(|signature| signature.bytes.as_slice())
    }

    pub(super) fn without_bytes(&self) -> Self {
        Self { message: Message { payload: Bytes::new(), whole: Bytes::new() }, ..self.clone() }
    }

    pub(super) fn claimed_key(&self) -> Option<&str> {
        self.signatures.iter().find_map(|signature| signature.key_id.as_deref())
    }
}

impl Message {
    fn new(payload_type: &str, payload: &[u8]) -> Self {
        Self::of(pre_authentication_encoding(payload_type, payload), payload.len())
    }

    /// The message of the payload that `text` contains in base64, which is decoded into its final place.
    fn decode(payload_type: &str, text: &str) -> Result<Self, EnvelopeError> {
        let length = base64::decoded_length(text);
        let mut whole = prefix(payload_type, length);
        let before = whole.len();
        base64::decode_after("payload", text, &mut whole)?;
        match whole.len() == before.saturating_add(length) {
            true => Ok(Self::of(whole, length)),
            false => Err(EnvelopeError::Base64 { field: "payload" }),
        }
    }

    /// The message `whole`, whose last `length` bytes are the payload.
    fn of(whole: Vec<u8>, length: usize) -> Self {
        let whole = Bytes::from(whole);
        Self { payload: whole.slice(whole.len().saturating_sub(length)..), whole }
    }
}

/// The longest payload type that is accepted, in bytes.
const LONGEST_TYPE: usize = 255;

/// The bytes that a DSSE signature covers. DSSE protocol, "PAE": lengths are decimal and in bytes.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = prefix(payload_type, payload.len());
    encoded.extend_from_slice(payload);
    encoded
}

/// The part of the message before a payload of `length` bytes, with capacity for the payload.
fn prefix(payload_type: &str, length: usize) -> Vec<u8> {
    let before = format!("DSSEv1 {} {payload_type} {length} ", payload_type.len());
    let mut encoded = Vec::with_capacity(before.len().saturating_add(length));
    encoded.extend_from_slice(before.as_bytes());
    encoded
}

/// The key of a proof, for counting.
impl From<Proof> for KeyId {
    fn from(proof: Proof) -> Self {
        proof.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;

    // The example of the DSSE protocol document.
    #[test]
    fn encodes_as_the_protocol_shows() {
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    // An attestation may be large, so what is signed, parsed and shown is one copy of it.
    #[test]
    fn there_is_one_copy_of_a_payload() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        for length in 0..12 {
            let payload = vec![b'x'; length];
            let text = Envelope::sign("a/b", &payload, &key).unwrap().to_json().unwrap();
            let envelope = Envelope::parse(&text, &Limits::DEFAULT).unwrap();
            assert_eq!(envelope.message.whole, pre_authentication_encoding("a/b", &payload));
            let opened = envelope.verify(key.public_key()).unwrap();
            assert_eq!(opened.bytes(), payload);
            let whole = envelope.message.whole.as_ptr_range();
            let at = envelope.message.whole[envelope.message.whole.len() - length..].as_ptr();
            assert!(whole.start <= at && at <= whole.end);
            if length > 0 {
                let copies = [opened.bytes(), envelope.clone().unverified_payload()].map(<[u8]>::as_ptr);
                assert_eq!(copies, [at; 2]);
            }
        }
    }

    // (threats: empty-signature-list)
    #[test]
    fn refuses_an_envelope_without_signatures() {
        for signatures in ["[]", "null", r#"[{"sig":""}]"#] {
            let text = format!(r#"{{"payload":"e30=","payloadType":"a/b","signatures":{signatures}}}"#);
            let parsed = Envelope::parse(text.as_bytes(), &Limits::DEFAULT);
            assert_eq!(parsed.unwrap_err(), EnvelopeError::Unsigned, "{signatures}");
        }
        let absent = br#"{"payload":"e30=","payloadType":"a/b"}"#;
        assert_eq!(Envelope::parse(absent, &Limits::DEFAULT).unwrap_err(), EnvelopeError::Unsigned);
    }

    #[test]
    fn assembles_only_what_the_key_signed() {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let signature = key.sign(&pre_authentication_encoding("a/b", b"{}")).unwrap();
        let assemble = |kind: &str, payload: &[u8], signature: &[u8]| {
            Envelope::assemble(kind, payload, key.public_key(), signature).map(|envelope| envelope.to_json().unwrap())
        };
        let sealed = Envelope::sign("a/b", b"{}", &key).unwrap().to_json().unwrap();
        assert_eq!(assemble("a/b", b"{}", signature.as_bytes()), Ok(sealed));
        assert!(assemble("a/c", b"{}", signature.as_bytes()).is_err());
        assert!(assemble("a/b", b"[]", signature.as_bytes()).is_err());
        assert!(assemble("a/b", b"{}", b"").is_err());
    }

    #[test]
    fn counts_signatures_up_to_the_limit() {
        let text = |count: usize| {
            let signatures = vec![r#"{"sig":"AA=="}"#; count].join(",");
            format!(r#"{{"payload":"e30=","payloadType":"a/b","signatures":[{signatures}]}}"#)
        };
        assert!(Envelope::parse(text(16).as_bytes(), &Limits::DEFAULT).is_ok());
        assert!(matches!(
            Envelope::parse(text(17).as_bytes(), &Limits::DEFAULT),
            Err(EnvelopeError::Limit { got: 17, limit: 16, .. })
        ));
    }
}
