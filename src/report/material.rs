//! The verification material of a signature in the reports of `inspect` and `tree`. Nothing in it was verified.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::inspect::InspectedLayer;
use crate::report::certificate::ReportedCertificate;
use crate::report::notary::ReportedOrError;
use crate::report::notary::ReportedToken;
use crate::transparency::InspectedCertificate;
use crate::transparency::InspectedMaterial;
use crate::transparency::TransparencyLogEntry;

/// The verification material beside a signature, as its author wrote it. Nothing in it was verified.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedMaterial {
    certificates: Vec<ReportedOrError<ReportedMaterialCertificate>>,
    log_entries: Vec<ReportedOrError<ReportedLogEntry>>,
    timestamps: Vec<ReportedOrError<ReportedToken>>,
}

/// A certificate, with its subject alternative names.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedMaterialCertificate {
    #[serde(flatten)]
    certificate: ReportedCertificate,
    names: Vec<String>,
    oidc_issuer: Option<String>,
}

/// An entry of a transparency log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedLogEntry {
    inclusion_proof: bool,
    index: Option<u64>,
    integrated_time: Option<String>,
    kind: String,
    log_id: String,
}

/// A layer with a signature in a format of Sigstore.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReportedSignatureLayer {
    digest: Digest,
    format: &'static str,
    material: ReportedOrError<ReportedMaterial>,
}

impl ReportedMaterial {
    pub(super) fn of(material: &InspectedMaterial) -> Self {
        let certificates = material.certificates.iter().enumerate().map(|(position, read)| match read {
            Ok(certificate) => ReportedOrError::Read(ReportedMaterialCertificate::of(certificate)),
            Err(why) => {
                let number = position.saturating_add(1);
                ReportedOrError::error("certificate-unreadable", format!("certificate {number}: {why}"))
            }
        });
        let log_entries = material.log_entries.iter().map(|read| match read {
            Ok(entry) => ReportedOrError::Read(ReportedLogEntry::of(entry)),
            Err(why) => ReportedOrError::error(why.code(), why.to_string()),
        });
        let timestamps = material.timestamps.iter().map(|read| match read {
            Ok(token) => ReportedOrError::Read(ReportedToken::of(token)),
            Err(why) => ReportedOrError::error(why.code(), why.to_string()),
        });
        Self {
            certificates: certificates.collect(),
            log_entries: log_entries.collect(),
            timestamps: timestamps.collect(),
        }
    }
}

impl ReportedMaterialCertificate {
    fn of(inspected: &InspectedCertificate) -> Self {
        let InspectedCertificate { certificate, names, oidc_issuer, .. } = inspected;
        let (names, oidc_issuer) = (names.clone(), oidc_issuer.clone());
        Self { certificate: ReportedCertificate::of(certificate), names, oidc_issuer }
    }
}

impl ReportedLogEntry {
    fn of(entry: &TransparencyLogEntry) -> Self {
        Self {
            inclusion_proof: entry.has_inclusion_proof(),
            index: entry.claimed_index(),
            integrated_time: entry.claimed_time().map(|time| time.to_string()),
            kind: entry.kind().to_string(),
            log_id: entry.log_id().to_string(),
        }
    }
}

impl ReportedSignatureLayer {
    pub(super) fn of(layer: &InspectedLayer) -> Self {
        let material = match &layer.material {
            Ok(material) => ReportedOrError::Read(ReportedMaterial::of(material)),
            Err(why) => ReportedOrError::error(why.code(), why.to_string()),
        };
        Self { digest: layer.digest, format: layer.format.as_str(), material }
    }
}
