//! The signer's certificate in reports.

use serde::Serialize;

use crate::trust::CertifiedSigner;
use crate::x509::Certificate;

/// The certificate of a signer, its chain, and the time at which the chain was judged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedSigner {
    chain: Vec<ReportedCertificate>,
    judged_at: String,
    profile: &'static str,
    time_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<ReportedTimestamp>,
    trusted: String,
}

/// One certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedCertificate {
    issuer: String,
    not_after: String,
    not_before: String,
    serial: String,
    sha256: String,
    subject: String,
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
    fn of(certificate: &Certificate) -> Self {
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
fn fingerprint(certificate: &Certificate) -> String {
    certificate.digest().hex()
}
