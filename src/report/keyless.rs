//! Keyless signers in reports: whose certificate it is, what logs and timestamp authorities prove, and when.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::certificate::ReportedCertificate;
use crate::report::certificate::ReportedStatus;
use crate::report::certificate::fingerprint;
use crate::trust::KeylessSigner;
use crate::trust::RevocationCoverage;
use crate::trust::TransparencyProof;
use crate::trust::VerifiedSigner;
use crate::x509::FulcioClaims;
use crate::x509::SignedBefore;

/// A keyless signer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedKeyless {
    certificate_timestamps: Vec<ReportedCertificateTimestamp>,
    chain: Vec<ReportedCertificate>,
    /// What Fulcio states about the build, by the names of the extensions.
    extensions: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    judged_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<ReportedSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<Vec<ReportedStatus>>,
    time_source: &'static str,
    trusted: String,
}

/// What is reported of the revocation check, and of a signature that logs vouch for, if they do.
#[derive(Debug, Serialize)]
pub(super) struct ReportedProof {
    #[serde(skip_serializing_if = "Option::is_none")]
    keyless: Option<ReportedKeyless>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transparency: Option<ReportedTransparency>,
}

/// The source of a build.
#[derive(Debug, Serialize)]
struct ReportedSource {
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    repository: String,
}

/// A verified promise of a certificate log.
#[derive(Debug, Serialize)]
struct ReportedCertificateTimestamp {
    log: String,
    time: String,
}

/// What logs and timestamp authorities prove about a signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedTransparency {
    log_entries: Vec<ReportedLogEntry>,
    timestamps: Vec<ReportedSignedTime>,
}

/// A verified log entry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedLogEntry {
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    integrated_time: Option<String>,
    kind: String,
    log: String,
}

/// A verified timestamp.
#[derive(Debug, Serialize)]
struct ReportedSignedTime {
    authority: String,
    time: String,
}

impl ReportedKeyless {
    pub(super) fn of(signer: &KeylessSigner) -> Self {
        let (chain, judged) = (signer.chain(), signer.judged_at());
        let claims = FulcioClaims::of(signer.certificate()).ok();
        let claims = claims.as_ref();
        let timestamps = signer.certificate_timestamps().iter();
        Self {
            certificate_timestamps: timestamps
                .map(|one| ReportedCertificateTimestamp { log: one.log().to_string(), time: one.time().to_string() })
                .collect(),
            chain: chain.path().iter().map(ReportedCertificate::of).collect(),
            extensions: claims
                .map(|claims| {
                    claims.extensions().map(|(extension, text)| (extension.name(), text.to_owned())).collect()
                })
                .unwrap_or_default(),
            issuer: signer.issuer().map(str::to_owned),
            judged_at: judged.time.to_string(),
            name: claims.map(|claims| claims.name().to_owned()),
            name_kind: claims.map(|claims| claims.name_kind().name()),
            source: claims.and_then(ReportedSource::of),
            statuses: signer.statuses().map(|statuses| statuses.iter().map(ReportedStatus::of).collect()),
            time_source: judged.source.as_str(),
            trusted: fingerprint(chain.trusted()),
        }
    }
}

impl ReportedSource {
    fn of(claims: &FulcioClaims) -> Option<Self> {
        Some(Self {
            commit: claims.source_commit().map(str::to_owned),
            reference: claims.source_ref().map(str::to_owned),
            repository: claims.source_repository()?.to_owned(),
        })
    }
}

impl ReportedProof {
    pub(super) fn of(signer: &VerifiedSigner) -> Self {
        Self {
            keyless: signer.keyless().map(ReportedKeyless::of),
            revocation: signer.revocation_coverage().map(RevocationCoverage::as_str),
            transparency: signer.transparency().map(ReportedTransparency::of),
        }
    }
}

impl ReportedTransparency {
    fn of(proof: &TransparencyProof) -> Self {
        let entries = proof.log_entries().map(|entries| entries.entries()).unwrap_or_default();
        let entries = entries.iter().map(|entry| ReportedLogEntry {
            index: entry.index(),
            integrated_time: entry.integrated_time().map(|time| time.to_string()),
            kind: format!("{}/{}", entry.kind().name(), entry.kind().version()),
            log: entry.log().to_string(),
        });
        Self {
            log_entries: entries.collect(),
            timestamps: proof.timestamps().iter().map(ReportedSignedTime::of).collect(),
        }
    }
}

impl ReportedSignedTime {
    fn of(timestamp: &SignedBefore) -> Self {
        Self {
            authority: timestamp.chain().signer().subject().to_string(),
            time: timestamp.token().gen_time().time().to_string(),
        }
    }
}
