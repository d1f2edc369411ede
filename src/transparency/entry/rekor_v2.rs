//! `hashedrekord` 0.0.2: the only entry of Rekor v2. The body is built again from what was signed, and must be the same.

use serde::Deserialize;

use crate::digest::hex;
use crate::envelope::base64;
use crate::key::Algorithm;
use crate::key::KeyError;
use crate::transparency::LoggedSignature;
use crate::transparency::LoggedVerifier;
use crate::transparency::TransparencyError;
use crate::transparency::TransparencyRule;
use crate::transparency::entry::logged::decoded;
use crate::x509::HashAlgorithm;

/// The specification of a `hashedrekord` 0.0.2 entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HashedRekordV2Body {
    hashed_rekord_v002: Specification,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Specification {
    data: Data,
    signature: Signature,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Data {
    algorithm: String,
    digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Signature {
    content: String,
    verifier: Verifier,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verifier {
    key_details: String,
    #[serde(default)]
    public_key: Option<RawBytes>,
    #[serde(default)]
    x509_certificate: Option<RawBytes>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: String,
}

impl HashedRekordV2Body {
    /// 1. The hash is that of the artifact; of an envelope, that of the message of its signatures.
    /// 2. The signature is the same.
    /// 3. The key or certificate is the same, and the stated algorithm is one of its key.
    /// 4. The canonical form (RFC 8785) of an entry about these three is `bytes`: nothing else is in them.
    pub(super) fn check(&self, signed: &LoggedSignature<'_>, bytes: &[u8]) -> Result<(), TransparencyError> {
        let Specification { data, signature } = &self.hashed_rekord_v002;
        let hash = decoded(&data.digest)?;
        signed.check_artifact(hash_algorithm(&data.algorithm)?, &hex(&hash))?;
        signed.check_signature(&signature.content)?;
        let (member, own, key) = match signed.verifier {
            LoggedVerifier::Certificate(certificate) => {
                ("x509Certificate", certificate.der(), certificate.public_key())
            }
            LoggedVerifier::Key(key) => ("publicKey", key.spki(), Ok(key.clone())),
        };
        let Verifier { key_details, public_key, x509_certificate } = &signature.verifier;
        let refused = || TransparencyError::refused(TransparencyRule::EntryVerifier);
        let (logged, other) = match signed.verifier {
            LoggedVerifier::Certificate(_) => (x509_certificate, public_key),
            LoggedVerifier::Key(_) => (public_key, x509_certificate),
        };
        let logged = logged.as_ref().filter(|_| other.is_none()).ok_or_else(refused)?;
        if decoded(&logged.raw_bytes)? != own {
            return Err(refused());
        }
        let unsupported = |error: KeyError| TransparencyError::undetermined(TransparencyRule::EntryVerifier).by(error);
        if !is_detail_of(key_details, &data.algorithm, key.map_err(unsupported)?.algorithm()) {
            return Err(refused().by(key_details));
        }
        let built = format!(
            concat!(
                r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"#,
                r#""data":{{"algorithm":"{}","digest":"{}"}},"signature":{{"content":"{}","#,
                r#""verifier":{{"keyDetails":"{}","{}":{{"rawBytes":"{}"}}}}}}}}}}}}"#
            ),
            data.algorithm,
            base64::encode(&hash),
            base64::encode(signed.signature),
            key_details,
            member,
            base64::encode(own),
        );
        match built.as_bytes() == bytes {
            true => Ok(()),
            false => Err(TransparencyError::refused(TransparencyRule::EntryBody).by("it is not in its canonical form")),
        }
    }
}

/// The hash function that Rekor v2 calls `name`.
fn hash_algorithm(name: &str) -> Result<HashAlgorithm, TransparencyError> {
    match name {
        "SHA2_256" => Ok(HashAlgorithm::Sha256),
        "SHA2_384" => Ok(HashAlgorithm::Sha384),
        "SHA2_512" => Ok(HashAlgorithm::Sha512),
        other => Err(TransparencyError::undetermined(TransparencyRule::EntryBody).by(other)),
    }
}

/// Whether keys of `algorithm` sign hashes by `hash` under the name `details` (algorithm registry of Sigstore).
fn is_detail_of(details: &str, hash: &str, algorithm: Algorithm) -> bool {
    match (details, hash) {
        ("PKIX_ECDSA_P256_SHA_256", "SHA2_256") => algorithm == Algorithm::EcdsaP256,
        ("PKIX_ECDSA_P384_SHA_256", "SHA2_256") | ("PKIX_ECDSA_P384_SHA_384", "SHA2_384") => {
            algorithm == Algorithm::EcdsaP384
        }
        ("PKIX_ECDSA_P521_SHA_256", "SHA2_256") | ("PKIX_ECDSA_P521_SHA_512", "SHA2_512") => {
            algorithm == Algorithm::EcdsaP521
        }
        ("PKIX_ED25519" | "PKIX_ED25519_PH", "SHA2_512") => algorithm == Algorithm::Ed25519,
        ("PKIX_RSA_PKCS1V15_2048_SHA256" | "PKIX_RSA_PSS_2048_SHA256", "SHA2_256") => {
            algorithm == Algorithm::Rsa { bits: 2048 }
        }
        ("PKIX_RSA_PKCS1V15_3072_SHA256" | "PKIX_RSA_PSS_3072_SHA256", "SHA2_256") => {
            algorithm == Algorithm::Rsa { bits: 3072 }
        }
        ("PKIX_RSA_PKCS1V15_4096_SHA256" | "PKIX_RSA_PSS_4096_SHA256", "SHA2_256") => {
            algorithm == Algorithm::Rsa { bits: 4096 }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_of_one_kind_of_key_and_one_hash() {
        let rsa = |bits| Algorithm::Rsa { bits };
        let (p256, p384, p521) = (Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::EcdsaP521);
        let all = [p256, p384, p521, Algorithm::Ed25519, rsa(2048), rsa(3072), rsa(4096)];
        for (details, hash, algorithm) in [
            ("PKIX_ECDSA_P256_SHA_256", "SHA2_256", p256),
            ("PKIX_ECDSA_P384_SHA_256", "SHA2_256", p384),
            ("PKIX_ECDSA_P384_SHA_384", "SHA2_384", p384),
            ("PKIX_ECDSA_P521_SHA_256", "SHA2_256", p521),
            ("PKIX_ECDSA_P521_SHA_512", "SHA2_512", p521),
            ("PKIX_ED25519", "SHA2_512", Algorithm::Ed25519),
            ("PKIX_ED25519_PH", "SHA2_512", Algorithm::Ed25519),
            ("PKIX_RSA_PKCS1V15_2048_SHA256", "SHA2_256", rsa(2048)),
            ("PKIX_RSA_PSS_2048_SHA256", "SHA2_256", rsa(2048)),
            ("PKIX_RSA_PKCS1V15_3072_SHA256", "SHA2_256", rsa(3072)),
            ("PKIX_RSA_PSS_3072_SHA256", "SHA2_256", rsa(3072)),
            ("PKIX_RSA_PKCS1V15_4096_SHA256", "SHA2_256", rsa(4096)),
            ("PKIX_RSA_PSS_4096_SHA256", "SHA2_256", rsa(4096)),
        ] {
            for other in ["SHA2_256", "SHA2_384", "SHA2_512"] {
                let found: Vec<_> = all.into_iter().filter(|one| is_detail_of(details, other, *one)).collect();
                let want = if other == hash { vec![algorithm] } else { Vec::new() };
                assert_eq!(found, want, "{details} {other}");
            }
        }
    }
}
