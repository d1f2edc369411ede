//! `intoto` 0.0.1 and 0.0.2: an envelope, by its hash or with its signatures. Rekor v1.

use serde::Deserialize;

use crate::transparency::LoggedSignature;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::transparency::entry::dsse::check_one;
use crate::transparency::entry::hashedrekord::LoggedHash;
use crate::transparency::entry::logged::hash_algorithm;

/// The specification of an `intoto` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IntotoBody {
    V001(IntotoV001),
    V002(IntotoV002),
}

/// The specification of an `intoto` 0.0.1 entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntotoV001 {
    content: EnvelopeHash,
    public_key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct EnvelopeHash {
    hash: LoggedHash,
}

/// The specification of an `intoto` 0.0.2 entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct IntotoV002 {
    content: EnvelopeContent,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeContent {
    envelope: LoggedEnvelope,
    payload_hash: LoggedHash,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedEnvelope {
    payload_type: String,
    signatures: Vec<LoggedEnvelopeSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedEnvelopeSignature {
    public_key: String,
    sig: String,
}

impl IntotoBody {
    pub(super) fn check(&self, signed: &LoggedSignature<'_>) -> Result<(), TransparencyError> {
        match self {
            Self::V001(body) => body.check(signed),
            Self::V002(body) => body.check(signed),
        }
    }
}

impl IntotoV001 {
    /// 1. The hash is that of the envelope as it is stored, and the envelope has the signature.
    /// 2. The key or certificate is the same.
    fn check(&self, signed: &LoggedSignature<'_>) -> Result<(), TransparencyError> {
        let LoggedHash { algorithm, value } = &self.content.hash;
        signed.check_stored(hash_algorithm(algorithm)?, value)?;
        if !signed.envelope()?.signatures().any(|signature| signature == signed.signature) {
            return Err(TransparencyError::refused(TransparencyRule::EntrySignature));
        }
        signed.check_verifier(&self.public_key)
    }
}

impl IntotoV002 {
    /// 1. The hash is that of the payload, and the payload type is the same.
    /// 2. One of its signatures, which are in base64 twice, is the same.
    /// 3. The key or certificate of that signature is the same.
    fn check(&self, signed: &LoggedSignature<'_>) -> Result<(), TransparencyError> {
        let EnvelopeContent { envelope, payload_hash: LoggedHash { algorithm, value } } = &self.content;
        signed.check_payload(hash_algorithm(algorithm)?, value)?;
        if signed.envelope()?.claimed_type() != envelope.payload_type {
            return Err(TransparencyError::refused(TransparencyRule::EntryArtifact).by("another payload type"));
        }
        let listed = envelope.signatures.iter().map(|one| (one.sig.as_str(), one.public_key.as_str()));
        check_one(signed, listed, LoggedSignature::check_signature_twice)
    }
}
