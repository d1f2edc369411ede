//! `dsse` 0.0.1: the hash of a payload, and the signatures of an envelope with their keys or certificates. Rekor v1.

use serde::Deserialize;

use crate::transparency::LoggedSignature;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::transparency::entry::hashedrekord::LoggedHash;
use crate::transparency::entry::logged::hash_algorithm;

/// The specification of a `dsse` 0.0.1 entry. The hash of the whole envelope is not compared: programs write the same
/// envelope in several ways, and payload, signature and key are all that it says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DsseBody {
    payload_hash: LoggedHash,
    signatures: Vec<LoggedEnvelopeSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct LoggedEnvelopeSignature {
    signature: String,
    verifier: String,
}

impl DsseBody {
    /// 1. The hash is that of the payload.
    /// 2. One of its signatures is the same.
    /// 3. The key or certificate of that signature is the same.
    pub(super) fn check(&self, signed: &LoggedSignature<'_>) -> Result<(), TransparencyError> {
        let LoggedHash { algorithm, value } = &self.payload_hash;
        signed.check_payload(hash_algorithm(algorithm)?, value)?;
        let listed = self.signatures.iter().map(|one| (one.signature.as_str(), one.verifier.as_str()));
        check_one(signed, listed, LoggedSignature::check_signature)
    }
}

/// Checks that one of the `listed` signatures is `signed`, as `is_same` compares them, and has its key or certificate.
pub(super) fn check_one<'a, 's>(
    signed: &LoggedSignature<'s>,
    listed: impl Iterator<Item = (&'a str, &'a str)>,
    is_same: impl Fn(&LoggedSignature<'s>, &str) -> Result<(), TransparencyError>,
) -> Result<(), TransparencyError> {
    let mut nearest = TransparencyError::refused(TransparencyRule::EntrySignature);
    for (signature, verifier) in listed {
        match is_same(signed, signature).map(|()| signed.check_verifier(verifier)) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => nearest = error,
            Err(error) if error.rule() == TransparencyRule::EntrySignature => (),
            Err(error) => return Err(error),
        }
    }
    Err(nearest)
}
