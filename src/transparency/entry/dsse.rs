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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::base64;
    use crate::key::KeyKind;
    use crate::key::PrivateKey;
    use crate::key::Signer as _;
    use crate::transparency::LoggedArtifact;
    use crate::transparency::LoggedVerifier;

    #[test]
    fn one_of_the_listed_signatures_is_the_same_and_each_can_be_read() {
        let [own, other] = [(); 2].map(|()| PrivateKey::generate(KeyKind::P256).unwrap());
        let [own_key, other_key] = [&own, &other].map(|key| base64::encode(key.public_key().to_pem().as_bytes()));
        let signed = LoggedSignature {
            artifact: LoggedArtifact::Message(b"message"),
            signature: b"signature",
            verifier: LoggedVerifier::Key(own.public_key()),
        };
        let (same, another) = (base64::encode(b"signature"), base64::encode(b"of somebody else"));
        let check = |listed: &[(&str, &str)]| {
            let checked = check_one(&signed, listed.iter().copied(), LoggedSignature::check_signature);
            checked.map_err(|error| error.rule())
        };
        assert_eq!(check(&[(&another, &other_key), (&same, &own_key)]), Ok(()));
        assert_eq!(check(&[(&same, &other_key), (&same, &own_key)]), Ok(()));
        assert_eq!(check(&[(&another, &own_key)]), Err(TransparencyRule::EntrySignature));
        assert_eq!(check(&[(&same, &other_key), (&another, &own_key)]), Err(TransparencyRule::EntryVerifier));
        assert_eq!(check(&[("?", &own_key), (&same, &own_key)]), Err(TransparencyRule::EntryBody));
        assert_eq!(check(&[]), Err(TransparencyRule::EntrySignature));
    }
}
