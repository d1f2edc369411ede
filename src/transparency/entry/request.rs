//! `LogEntryRequest`: what a Rekor v2 log is asked to add, and its response.

use serde::Serialize;

use crate::envelope::StoredForm;
use crate::envelope::StoredLogEntry;
use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::Algorithm;
use crate::key::KeyError;
use crate::key::PublicKey;
use crate::key::Scheme;
use crate::limits::Limits;
use crate::transparency::LoggedVerifier;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::transparency::entry::wire::EntryWire;
use crate::x509::HashAlgorithm;

/// A request for an entry about a signature: `CreateEntryRequest` of Rekor v2 in JSON, with a `HashedRekordRequestV002`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntryRequest(Vec<u8>);

/// Why a Rekor v2 log cannot be asked for an entry about a signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogEntryRequestError {
    /// The request cannot be written.
    #[error("{0}")]
    Json(JsonError),
    /// The key of the certificate is not supported.
    #[error("the key of the certificate: {0}")]
    Key(KeyError),
    /// The key did not make the signature over this message.
    #[error("the signature is not of its key over what it signs")]
    NotSigned,
    /// A log knows the hash of the artifact alone, and cannot verify this kind of signature by it.
    #[error("a log of hashes takes no signature by {0}; it takes ECDSA, and RSA of 2048, 3072 or 4096 bits")]
    Scheme(Scheme),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestWire {
    hashed_rekord_request_v002: HashedRekordWire,
}

#[derive(Serialize)]
struct HashedRekordWire {
    digest: String,
    signature: SignatureWire,
}

#[derive(Serialize)]
struct SignatureWire {
    content: String,
    verifier: VerifierWire,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifierWire {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<RawBytesWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate: Option<RawBytesWire>,
    key_details: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RawBytesWire {
    raw_bytes: String,
}

impl LogEntryRequest {
    /// The request for an entry about the signature of `verifier` over `message`: of an envelope, its pre-authentication
    /// encoding. The log gets the hash of the message, not the message.
    ///
    /// # Errors
    /// [`LogEntryRequestError`].
    pub fn new(message: &[u8], signature: &[u8], verifier: LoggedVerifier<'_>) -> Result<Self, LogEntryRequestError> {
        let raw = |bytes: &[u8]| Some(RawBytesWire { raw_bytes: base64::encode(bytes) });
        let (key, public_key, x509_certificate) = match verifier {
            LoggedVerifier::Certificate(certificate) => {
                (certificate.public_key().map_err(LogEntryRequestError::Key)?, None, raw(certificate.der()))
            }
            LoggedVerifier::Key(key) => (key.clone(), raw(key.spki()), None),
        };
        let scheme = key.verify(message, signature).map_err(|_| LogEntryRequestError::NotSigned)?;
        let (key_details, hash) = details(&key, scheme).ok_or(LogEntryRequestError::Scheme(scheme))?;
        let verifier = VerifierWire { public_key, x509_certificate, key_details };
        let signature = SignatureWire { content: base64::encode(signature), verifier };
        let digest = base64::encode(&hash.hash(message));
        let wire = RequestWire { hashed_rekord_request_v002: HashedRekordWire { digest, signature } };
        json::to_go(&wire).map(Self).map_err(LogEntryRequestError::Json)
    }

    /// The request in JSON.
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }

    /// Reads the response of a log, a `TransparencyLogEntry` in JSON, and returns it as it is stored in a bundle: the fields
    /// that verifiers read, and nothing else that the log may have written. It is not verified.
    ///
    /// # Errors
    /// [`TransparencyError`] for a response that is no entry with an inclusion proof.
    pub fn parse_response(response: &[u8], limits: &Limits) -> Result<StoredLogEntry, TransparencyError> {
        let malformed = |error| TransparencyError::json(TransparencyRule::EntryMalformed, &error);
        let wire: EntryWire<'_> = json::parse_document(response, limits).map_err(malformed)?;
        let missing = |what: &str| TransparencyError::refused(TransparencyRule::EntryMalformed).by(what);
        let proof = wire.inclusion_proof.ok_or_else(|| missing("it has no inclusion proof"))?;
        let note = proof.checkpoint.and_then(|checkpoint| checkpoint.envelope);
        let kind = wire.kind_version.ok_or_else(|| missing("it has no kind"))?;
        let stored = StoredEntryWire {
            log_index: wire.log_index.or(proof.log_index).map_or(0, |index| index.0).to_string(),
            log_id: LogIdOut { key_id: &wire.log_id.ok_or_else(|| missing("it has no log id"))?.key_id },
            kind_version: KindOut { kind: &kind.kind, version: &kind.version },
            inclusion_proof: ProofOut {
                log_index: proof.log_index.map_or(0, |index| index.0).to_string(),
                root_hash: &proof.root_hash,
                tree_size: proof.tree_size.0.to_string(),
                hashes: proof.hashes.iter().flatten().map(|hash| &**hash).collect(),
                checkpoint: CheckpointOut { envelope: &note.ok_or_else(|| missing("it has no checkpoint"))? },
            },
            canonicalized_body: &wire.canonicalized_body.ok_or_else(|| missing("it has no body"))?,
        };
        let written = json::to_go(&stored).map_err(malformed)?;
        String::from_utf8(written)
            .map(|written| StoredLogEntry::new(StoredForm::Bundle, &written))
            .map_err(|_| missing("it is not UTF-8"))
    }
}

/// `TransparencyLogEntry` as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredEntryWire<'a> {
    log_index: String,
    log_id: LogIdOut<'a>,
    kind_version: KindOut<'a>,
    inclusion_proof: ProofOut<'a>,
    canonicalized_body: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogIdOut<'a> {
    key_id: &'a str,
}

#[derive(Serialize)]
struct KindOut<'a> {
    kind: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofOut<'a> {
    log_index: String,
    root_hash: &'a str,
    tree_size: String,
    hashes: Vec<&'a str>,
    checkpoint: CheckpointOut<'a>,
}

#[derive(Serialize)]
struct CheckpointOut<'a> {
    envelope: &'a str,
}

/// The name of key and scheme in the algorithm registry of Sigstore, and the hash function; `None` for a scheme that is not
/// over a hash.
fn details(key: &PublicKey, scheme: Scheme) -> Option<(&'static str, HashAlgorithm)> {
    let bits = match key.algorithm() {
        Algorithm::Rsa { bits } => bits,
        _ => 0,
    };
    Some(match (scheme, bits) {
        (Scheme::EcdsaP256Sha256, _) => ("PKIX_ECDSA_P256_SHA_256", HashAlgorithm::Sha256),
        (Scheme::EcdsaP384Sha256, _) => ("PKIX_ECDSA_P384_SHA_256", HashAlgorithm::Sha256),
        (Scheme::EcdsaP384Sha384, _) => ("PKIX_ECDSA_P384_SHA_384", HashAlgorithm::Sha384),
        (Scheme::EcdsaP521Sha256, _) => ("PKIX_ECDSA_P521_SHA_256", HashAlgorithm::Sha256),
        (Scheme::EcdsaP521Sha512, _) => ("PKIX_ECDSA_P521_SHA_512", HashAlgorithm::Sha512),
        (Scheme::RsaPkcs1Sha256, 2048) => ("PKIX_RSA_PKCS1V15_2048_SHA256", HashAlgorithm::Sha256),
        (Scheme::RsaPkcs1Sha256, 3072) => ("PKIX_RSA_PKCS1V15_3072_SHA256", HashAlgorithm::Sha256),
        (Scheme::RsaPkcs1Sha256, 4096) => ("PKIX_RSA_PKCS1V15_4096_SHA256", HashAlgorithm::Sha256),
        (Scheme::RsaPssSha256, 2048) => ("PKIX_RSA_PSS_2048_SHA256", HashAlgorithm::Sha256),
        (Scheme::RsaPssSha256, 3072) => ("PKIX_RSA_PSS_3072_SHA256", HashAlgorithm::Sha256),
        (Scheme::RsaPssSha256, 4096) => ("PKIX_RSA_PSS_4096_SHA256", HashAlgorithm::Sha256),
        _ => return None,
    })
}
