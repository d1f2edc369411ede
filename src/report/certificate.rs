//! The signer's certificate in reports.

use serde::Serialize;

use crate::digest::Digest;
use crate::trust::CertifiedSigner;
use crate::trust::PassedBy;
use crate::trust::PassedStatus;
use crate::x509::Certificate;

/// The certificate of a signer, its chain, and the time at which the chain was judged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedSigner {
    chain: Vec<ReportedCertificate>,
    judged_at: String,
    profile: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<Vec<ReportedStatus>>,
    time_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<ReportedTimestamp>,
    trusted: String,
}

/// One certificate.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedCertificate {
    issuer: String,
    not_after: String,
    not_before: String,
    serial: String,
    sha256: String,
    subject: String,
}

/// The revocation status of one certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedStatus {
    evidence: Vec<ReportedEvidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    serial: String,
    status: &'static str,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// A CRL or OCSP response that is about the certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedEvidence {
    digest: Digest,
    in_grace: bool,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_update: Option<String>,
    this_update: String,
}

impl ReportedStatus {
    pub(super) fn of(passed: &PassedStatus) -> Self {
        let (status, until, rule) = match passed.passed {
            PassedBy::Good { until } => ("good", Some(until.to_string()), None),
            PassedBy::NotNamed => ("not-named", None, None),
            PassedBy::Rescued(rule) => ("signed-before-revocation", None, Some(rule.code())),
        };
        let evidence = passed.status.evidence.iter().map(|evidence| ReportedEvidence {
            digest: evidence.label.digest,
            in_grace: evidence.freshness.in_grace,
            kind: evidence.label.kind.to_string(),
            next_update: evidence.next_update.map(|time| time.to_string()),
            this_update: evidence.label.this_update.to_string(),
        });
        let label = &passed.status.certificate;
        Self {
            evidence: evidence.collect(),
            rule,
            serial: label.serial.to_string(),
            status,
            subject: label.subject.to_string(),
            until,
        }
    }
}

/// A verified timestamp: the signature was made no later than its upper bound.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedTimestamp {
    authority: Vec<ReportedCertificate>,
    earliest: String,
    latest: String,
}

impl ReportedSigner {
    pub(super) fn of(signer: &CertifiedSigner) -> Self {
        let (chain, judged) = (signer.chain(), signer.judged_at());
        Self {
            chain: chain.path().iter().map(ReportedCertificate::of).collect(),
            judged_at: judged.time.to_string(),
            profile: chain.profile(),
            statuses: signer.statuses().map(|statuses| statuses.iter().map(ReportedStatus::of).collect()),
            time_source: judged.source.as_str(),
            timestamp: signer.timestamp().map(|timestamp| ReportedTimestamp {
                authority: timestamp.chain().path().iter().map(ReportedCertificate::of).collect(),
                earliest: timestamp.earliest().to_string(),
                latest: timestamp.at().to_string(),
            }),
            trusted: fingerprint(chain.trusted()),
        }
    }
}

impl ReportedCertificate {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self {
            issuer: certificate.issuer().to_string(),
            not_after: certificate.not_after().to_string(),
            not_before: certificate.not_before().to_string(),
            serial: certificate.serial().to_string(),
            sha256: fingerprint(certificate),
            subject: certificate.subject().to_string(),
        }
    }
}

/// The SHA-256 of the DER of a certificate, in hexadecimal.
pub(super) fn fingerprint(certificate: &Certificate) -> String {
    certificate.digest().hex()
}
