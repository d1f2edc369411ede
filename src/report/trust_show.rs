//! The results of `trust show`.

use serde::Serialize;

use crate::digest::Digest;
use crate::report::ReportedError;
use crate::report::certificate::ReportedCertificate;
use crate::report::trusted_root;
use crate::time::Time;
use crate::time::ValidityPeriod;
use crate::trust::sigstore::SigstoreAuthority;
use crate::trust::sigstore::TrustedRoot;
use crate::trust::sigstore::TrustedRootFile;

/// Whom and what the trusted roots of one file trust, and which of it is valid at a time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustShowResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    at: String,
    digest: Digest,
    file: String,
    origin: &'static str,
    roots: Vec<ReportedRoot>,
    warnings: Vec<ReportedError>,
}

/// One trusted root.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedRoot {
    authorities: Vec<ReportedAuthority>,
    logs: Vec<ReportedLog>,
    unsupported_logs: Vec<ReportedUnsupported>,
}

/// A certificate authority or a timestamp authority.
#[derive(Debug, Serialize)]
struct ReportedAuthority {
    certificates: Vec<ReportedAuthorityCertificate>,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(flatten)]
    validity: ReportedValidity,
}

/// A certificate of an authority; the last is its anchor.
#[derive(Debug, Serialize)]
struct ReportedAuthorityCertificate {
    #[serde(flatten)]
    certificate: ReportedCertificate,
    state: &'static str,
}

/// A transparency log or a certificate log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedLog {
    algorithm: String,
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    origins: Vec<String>,
    purpose: &'static str,
    #[serde(flatten)]
    validity: ReportedValidity,
}

/// A log that is not used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedUnsupported {
    id: String,
    key_details: String,
}

/// From when until when something is trusted, and whether it is now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedValidity {
    state: &'static str,
    trusted_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_until: Option<String>,
}

impl TrustShowResult {
    /// The result for the trusted roots that `argument` names, at `now`.
    pub fn new(argument: &str, file: &TrustedRootFile, now: Time) -> Self {
        Self {
            as_of: file.as_of().map(|time| time.to_string()),
            at: now.to_string(),
            digest: *file.digest(),
            file: argument.to_owned(),
            origin: trusted_root::origin(file.origin()),
            roots: file.roots().iter().map(|root| ReportedRoot::of(root, now)).collect(),
            warnings: trusted_root::warnings(file, now),
        }
    }
}

impl ReportedRoot {
    fn of(root: &TrustedRoot, now: Time) -> Self {
        let signers = root.certificate_authorities().iter().map(|one| ReportedAuthority::of(one, "signers", now));
        let timestamps = root.timestamp_authorities().iter().map(|one| ReportedAuthority::of(one, "timestamps", now));
        let signatures = root.transparency_logs().iter().map(|one| ReportedLog {
            algorithm: one.key().algorithm().to_string(),
            id: one.id().to_string(),
            origins: one.origins().to_vec(),
            purpose: "signatures",
            validity: ReportedValidity::of(one.validity(), now),
        });
        let certificates = root.certificate_logs().iter().map(|one| ReportedLog {
            algorithm: one.key().algorithm().to_string(),
            id: one.id().to_string(),
            origins: Vec::new(),
            purpose: "certificates",
            validity: ReportedValidity::of(one.validity(), now),
        });
        let unsupported = root.unsupported_logs().iter();
        Self {
            authorities: signers.chain(timestamps).collect(),
            logs: signatures.chain(certificates).collect(),
            unsupported_logs: unsupported
                .map(|one| ReportedUnsupported { id: one.id.to_string(), key_details: one.key_details.to_string() })
                .collect(),
        }
    }
}

impl ReportedAuthority {
    fn of(authority: &SigstoreAuthority, purpose: &'static str, now: Time) -> Self {
        let certificates = authority.certificates().map(|certificate| {
            let validity = ValidityPeriod { start: certificate.not_before(), end: Some(certificate.not_after()) };
            let state = validity.state(now).name();
            ReportedAuthorityCertificate { certificate: ReportedCertificate::of(certificate), state }
        });
        Self {
            certificates: certificates.collect(),
            purpose,
            uri: authority.uri().map(str::to_owned),
            validity: ReportedValidity::of(authority.validity(), now),
        }
    }
}

impl ReportedValidity {
    fn of(validity: ValidityPeriod, now: Time) -> Self {
        Self {
            state: validity.state(now).name(),
            trusted_from: validity.start.to_string(),
            trusted_until: validity.end.map(|end| end.to_string()),
        }
    }
}
