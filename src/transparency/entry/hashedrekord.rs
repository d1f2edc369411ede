//! `hashedrekord` 0.0.1: the hash of an artifact, a signature, and a key or certificate. Rekor v1.

use serde::Deserialize;

use crate::transparency::LoggedSignature;
use crate::transparency::TransparencyError;
use crate::transparency::entry::logged::hash_algorithm;

/// The specification of a `hashedrekord` 0.0.1 entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct HashedRekordBody {
    data: Data,
    signature: LoggedContent,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Data {
    hash: LoggedHash,
}

/// A hash in an entry of Rekor v1, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct LoggedHash {
    pub(super) algorithm: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedContent {
    content: String,
    public_key: LoggedPem,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct LoggedPem {
    content: String,
}

impl HashedRekordBody {
    /// 1. The hash is that of the artifact.
    /// 2. The signature is the same.
    /// 3. The key or certificate is the same.
    pub(super) fn check(&self, signed: &LoggedSignature<'_>) -> Result<(), TransparencyError> {
        let LoggedHash { algorithm, value } = &self.data.hash;
        signed.check_artifact(hash_algorithm(algorithm)?, value)?;
        signed.check_signature(&self.signature.content)?;
        signed.check_verifier(&self.signature.public_key.content)
    }
}
