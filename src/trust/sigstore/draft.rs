//! `TrustedRootDraft`: a trusted root for own authorities and logs, before it is written.

use serde::Serialize;

use crate::envelope::base64;
use crate::json;
use crate::json::JsonError;
use crate::key::Algorithm;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::time::Time;
use crate::transparency::LogId;
use crate::transparency::TransparencyLog;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootError;
use crate::x509::Anchor;
use crate::x509::Certificate;
use crate::x509::Purpose;

/// A trusted root for own authorities and logs: what [`TrustedRoot::parse`](crate::trust::sigstore::TrustedRoot::parse) and
/// cosign read, once it is written.
#[derive(Clone, Debug, Default)]
pub struct TrustedRootDraft {
    /// The certificate authorities, for signers.
    pub certificate_authorities: Vec<AuthorityDraft>,
    /// The timestamp authorities.
    pub timestamp_authorities: Vec<AuthorityDraft>,
    /// The transparency logs.
    pub transparency_logs: Vec<LogDraft>,
}

/// An authority of a trusted root that is to be written.
#[derive(Clone, Debug)]
pub struct AuthorityDraft {
    /// The chain: the certificates in their order, the anchor last.
    pub certificates: NonEmpty<Certificate>,
    /// The time from which it is trusted.
    pub start: Time,
}

/// A transparency log of a trusted root that is to be written.
#[derive(Clone, Debug)]
pub struct LogDraft {
    /// The key of the log.
    pub key: PublicKey,
    /// The time from which it is trusted.
    pub start: Time,
    /// The address of the log, from which the name in its checkpoints follows.
    pub url: String,
}

impl TrustedRootDraft {
    /// A root of these anchors, each an authority of its own from the beginning of its validity, and of no log. Anchors of
    /// signing authorities of the Notary Project have no place in it.
    pub fn of_anchors(anchors: &[Anchor]) -> Self {
        let authority = |anchor: &Anchor| AuthorityDraft {
            certificates: NonEmpty::one(anchor.certificate.clone()),
            start: anchor.certificate.not_before(),
        };
        let of = |purpose| anchors.iter().filter(move |anchor| anchor.purpose == purpose).map(authority).collect();
        Self {
            certificate_authorities: of(Purpose::Signing),
            timestamp_authorities: of(Purpose::TimeStamping),
            transparency_logs: Vec::new(),
        }
    }
}

/// A log whose key a trusted root cannot state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trusted root has no name for keys of {0}")]
pub struct UnnamedLogKey(pub Algorithm);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RootOut {
    media_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tlogs: Vec<LogOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificate_authorities: Vec<AuthorityOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timestamp_authorities: Vec<AuthorityOut>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogOut {
    base_url: String,
    hash_algorithm: &'static str,
    public_key: KeyOut,
    log_id: LogIdOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyOut {
    raw_bytes: String,
    key_details: &'static str,
    valid_for: PeriodOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogIdOut {
    key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityOut {
    subject: SubjectOut,
    cert_chain: ChainOut,
    valid_for: PeriodOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubjectOut {
    common_name: String,
}

#[derive(Serialize)]
struct ChainOut {
    certificates: Vec<CertificateOut>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateOut {
    raw_bytes: String,
}

#[derive(Serialize)]
struct PeriodOut {
    start: String,
}

impl TrustedRootDraft {
    /// The trusted root in JSON, one line.
    ///
    /// # Errors
    /// [`TrustedRootDraftError`].
    pub fn to_json(&self) -> Result<Vec<u8>, TrustedRootDraftError> {
        let authorities = |drafts: &[AuthorityDraft]| drafts.iter().map(AuthorityOut::of).collect();
        let root = RootOut {
            media_type: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            tlogs: self.transparency_logs.iter().map(LogOut::of).collect::<Result<_, _>>()?,
            certificate_authorities: authorities(&self.certificate_authorities),
            timestamp_authorities: authorities(&self.timestamp_authorities),
        };
        Ok(json::to_go(&root)?)
    }

    /// The trusted root that it makes.
    ///
    /// # Errors
    /// [`TrustedRootDraftError`].
    pub fn to_root(&self, limits: &Limits) -> Result<TrustedRoot, TrustedRootDraftError> {
        Ok(TrustedRoot::parse(&self.to_json()?, limits)?)
    }
}

/// Why a trusted root cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedRootDraftError {
    /// The JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The key of a log.
    #[error(transparent)]
    Key(#[from] UnnamedLogKey),
    /// The trusted root that it makes.
    #[error(transparent)]
    Root(#[from] TrustedRootError),
}

impl LogOut {
    fn of(draft: &LogDraft) -> Result<Self, UnnamedLogKey> {
        let key_details = match draft.key.algorithm() {
            Algorithm::EcdsaP256 => "PKIX_ECDSA_P256_SHA_256",
            Algorithm::EcdsaP384 => "PKIX_ECDSA_P384_SHA_384",
            Algorithm::EcdsaP521 => "PKIX_ECDSA_P521_SHA_512",
            Algorithm::Ed25519 => "PKIX_ED25519",
            Algorithm::Rsa { bits: 2048 } => "PKIX_RSA_PKCS1V15_2048_SHA256",
            Algorithm::Rsa { bits: 3072 } => "PKIX_RSA_PKCS1V15_3072_SHA256",
            Algorithm::Rsa { bits: 4096 } => "PKIX_RSA_PKCS1V15_4096_SHA256",
            other @ Algorithm::Rsa { .. } => return Err(UnnamedLogKey(other)),
        };
        Ok(Self {
            base_url: draft.url.clone(),
            hash_algorithm: "SHA2_256",
            public_key: KeyOut {
                raw_bytes: base64::encode(draft.key.spki()),
                key_details,
                valid_for: PeriodOut { start: draft.start.to_string() },
            },
            log_id: LogIdOut { key_id: base64::encode(draft.id().as_bytes()) },
        })
    }
}

impl LogDraft {
    /// The id of the log, as Rekor v2 has it: the hash of name and key, or that of an ECDSA key.
    pub fn id(&self) -> LogId {
        TransparencyLog::id_of(&self.url, &self.key)
    }
}

impl AuthorityOut {
    fn of(draft: &AuthorityDraft) -> Self {
        let certificate = |one: &Certificate| CertificateOut { raw_bytes: base64::encode(one.der()) };
        Self {
            subject: SubjectOut { common_name: draft.certificates.first().subject().to_string() },
            cert_chain: ChainOut { certificates: draft.certificates.iter().map(certificate).collect() },
            valid_for: PeriodOut { start: draft.start.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::NotaryEnvelope;
    use crate::envelope::NotaryFormat;
    use crate::envelope::Strictness;

    const ENVELOPE: &[u8] = include_bytes!(
        "../../../testdata/layouts/notary/blobs/sha256/e9554203a3da937348deeaea837c69c749402487f1922fd99c7dc98ee8ff58df"
    );

    /// An anchor for signers vouches for no timestamp, and the other way round.
    #[test]
    fn an_anchor_is_an_authority_for_its_purpose_alone() {
        let limits = &Limits::DEFAULT;
        let envelope = NotaryEnvelope::parse(NotaryFormat::Jws, ENVELOPE, limits, Strictness::Strict).unwrap();
        let certificate = Certificate::parse(&envelope.certificate_chain()[0], limits).unwrap();
        let of = |purpose| {
            let draft = TrustedRootDraft::of_anchors(&[Anchor { certificate: certificate.clone(), purpose }]);
            (draft.certificate_authorities.len(), draft.timestamp_authorities.len())
        };
        let all = [Purpose::Signing, Purpose::SigningAuthority, Purpose::TimeStamping].map(of);
        assert_eq!(all, [(1, 0), (0, 0), (0, 1)]);
    }
}
