//! The results of the `revocation` commands.

use std::path::Path;

use serde::Serialize;

use crate::digest::Digest;
#[cfg(feature = "registry")]
use crate::ops::revocation::FetchFault;
#[cfg(feature = "registry")]
use crate::ops::revocation::FetchProblem;
use crate::ops::revocation::FoundChains;
use crate::ops::revocation::NeededStatus;
use crate::ops::revocation::UnreadAttachment;
use crate::report::ReportedError;
use crate::trust::ChainSearchError;
use crate::trust::RevocationDocument;
use crate::trust::RevocationEntry;
use crate::x509::CertificateLabel;
use crate::x509::EvidenceKind;
use crate::x509::EvidenceLabel;
use crate::x509::OcspSingleStatus;
use crate::x509::Revocation;
use crate::x509::Status;
use crate::x509::StatusProblem;

/// The result of `revocation attach`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationAttachResult {
    digest: Digest,
    done: bool,
    file: String,
    reference: String,
    referrer: Digest,
}

/// The result of `revocation fetch`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationFetchResult {
    certificates: Vec<FetchedStatus>,
    done: bool,
    entries: usize,
    file: String,
    not_fetched: Vec<NotFetched>,
    rejected: Vec<ReportedError>,
    unread: Vec<ReportedError>,
}

/// The revocation status of a certificate by the evidence in the file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FetchedStatus {
    names_source: bool,
    problems: Vec<ReportedProblem>,
    revocations: Vec<ReportedRevocation>,
    serial: String,
    status: &'static str,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// A revocation that a CRL or OCSP response states.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedRevocation {
    at: String,
    evidence: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    invalid_since: Option<String>,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Why a CRL or OCSP response does not prove that a certificate is good, or that there is no evidence about it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedProblem {
    code: &'static str,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Digest>,
}

/// An address of a certificate from which no evidence was kept.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NotFetched {
    address: String,
    code: &'static str,
    error: String,
    serial: String,
    subject: String,
}

/// The result of `revocation show`. Nothing in it is verified.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationShowResult {
    entries: Vec<ShownEvidence>,
    file: String,
}

/// A CRL or OCSP response, as its author wrote it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownEvidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    crl: Option<ShownCrl>,
    digest: Digest,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ocsp: Option<ShownOcspResponse>,
    sources: Vec<ShownSource>,
}

/// A certificate revocation list (RFC 5280).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownCrl {
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_update: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    revoked: u64,
    this_update: String,
}

/// A response of an OCSP responder (RFC 6960).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownOcspResponse {
    produced_at: String,
    statuses: Vec<ShownOcspStatus>,
}

/// What an OCSP response says about one certificate.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownOcspStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_update: Option<String>,
    serial: String,
    status: &'static str,
    this_update: String,
}

/// An address that evidence came from, and when: unsigned.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSource {
    address: String,
    fetched_at: String,
}

impl RevocationAttachResult {
    /// The result for the evidence in `file`, which is attached to the image `digest` by the manifest `referrer`.
    pub fn new(reference: &str, digest: &Digest, file: &Path, referrer: &Digest) -> Self {
        let (file, reference) = (file.display().to_string(), reference.to_owned());
        Self { digest: *digest, done: true, file, reference, referrer: *referrer }
    }
}

impl RevocationFetchResult {
    /// The result for the portable file `file` with so many CRLs and OCSP responses, about the chains in `found`, before
    /// any status is added. `done` says whether everything was read, and every status is known that a verification needs.
    pub fn new(file: &Path, entries: usize, found: &FoundChains, done: bool) -> Self {
        let rejected = found.rejected.iter().map(rejected);
        Self {
            certificates: Vec::new(),
            done,
            entries,
            file: file.display().to_string(),
            not_fetched: Vec::new(),
            rejected: rejected.collect(),
            unread: found.unread.iter().map(unread).collect(),
        }
    }

    /// Adds the status of a certificate.
    pub fn add_status(&mut self, needed: &NeededStatus) {
        self.certificates.push(FetchedStatus::of(needed));
    }

    /// Adds an address from which no evidence was kept.
    #[cfg(feature = "registry")]
    pub fn add_problem(&mut self, problem: &FetchProblem) {
        let (serial, subject) = named(&problem.certificate);
        let (address, error) = (problem.address.to_string(), problem.fault.to_string());
        self.not_fetched.push(NotFetched { address, code: fetch_code(problem), error, serial, subject });
    }
}

impl RevocationShowResult {
    /// The result for `file`, before any evidence is added.
    pub fn new(file: &Path) -> Self {
        Self { entries: Vec::new(), file: file.display().to_string() }
    }

    /// Adds a CRL or OCSP response that came from no known address.
    pub fn add(&mut self, document: &RevocationDocument) {
        self.entries.push(ShownEvidence::of(document, Vec::new()));
    }

    /// Adds an entry of a portable file.
    pub fn add_entry(&mut self, entry: &RevocationEntry) {
        let sources = entry
            .sources()
            .map(|(address, time)| ShownSource { address: address.to_owned(), fetched_at: time.to_string() });
        self.entries.push(ShownEvidence::of(entry.document(), sources.collect()));
    }
}

impl FetchedStatus {
    fn of(needed: &NeededStatus) -> Self {
        let (serial, subject) = named(&needed.status.certificate);
        let (mut problems, mut revocations, mut until) = (Vec::new(), Vec::new(), None);
        let status = match &needed.status.status {
            Status::Good { until: last } => {
                until = Some(last.to_string());
                "good"
            }
            Status::Revoked(all) => {
                revocations = all.iter().map(ReportedRevocation::of).collect();
                "revoked"
            }
            Status::Unknown(all) => {
                problems = all.iter().map(ReportedProblem::of).collect();
                "unknown"
            }
        };
        Self { names_source: needed.is_named, problems, revocations, serial, status, subject, until }
    }
}

impl ReportedRevocation {
    fn of(revocation: &Revocation) -> Self {
        let EvidenceLabel { digest, kind, .. } = revocation.evidence;
        Self {
            at: revocation.at.to_string(),
            evidence: digest,
            invalid_since: revocation.invalidity.map(|time| time.to_string()),
            kind: kind.to_string(),
            reason: revocation.reason.map(|reason| reason.to_string()),
        }
    }
}

impl ReportedProblem {
    fn of(problem: &StatusProblem) -> Self {
        let evidence = problem.evidence.map(|evidence| evidence.digest);
        Self { code: problem.rule.code(), error: problem.to_string(), evidence }
    }
}

impl ShownEvidence {
    fn of(document: &RevocationDocument, sources: Vec<ShownSource>) -> Self {
        match document {
            RevocationDocument::Crl(crl) => {
                let shown = ShownCrl {
                    issuer: crl.issuer().to_string(),
                    next_update: crl.next_update().map(|time| time.to_string()),
                    number: crl.number().map(ToString::to_string),
                    revoked: crl.entry_count(),
                    this_update: crl.this_update().to_string(),
                };
                let kind = EvidenceKind::Crl.to_string();
                Self { crl: Some(shown), digest: *crl.digest(), kind, ocsp: None, sources }
            }
            RevocationDocument::Ocsp(response) => {
                let statuses = response.single_statuses().map(|single| ShownOcspStatus::of(&single)).collect();
                let shown = ShownOcspResponse { produced_at: response.produced_at().to_string(), statuses };
                let kind = EvidenceKind::Ocsp.to_string();
                Self { crl: None, digest: *response.digest(), kind, ocsp: Some(shown), sources }
            }
        }
    }
}

impl ShownOcspStatus {
    fn of(single: &OcspSingleStatus) -> Self {
        Self {
            next_update: single.next_update.map(|time| time.to_string()),
            serial: single.serial.to_string(),
            status: single.status,
            this_update: single.this_update.to_string(),
        }
    }
}

/// The serial number and the subject of a certificate.
fn named(certificate: &CertificateLabel) -> (String, String) {
    (certificate.serial.to_string(), certificate.subject.to_string())
}

/// A signature for which nothing is fetched.
fn rejected(error: &ChainSearchError) -> ReportedError {
    let code = match error {
        ChainSearchError::Rejected(rejection) => rejection.code(),
        ChainSearchError::Unchecked(_) => "signatures-not-checked",
    };
    ReportedError::new(code, error.to_string())
}

/// Something attached to an image that could not be read.
fn unread(unread: &UnreadAttachment) -> ReportedError {
    let code = match unread {
        UnreadAttachment::Bundle { .. } | UnreadAttachment::Layers { .. } => "evidence-unreadable",
        UnreadAttachment::Document { reason, .. } => reason.code(),
        UnreadAttachment::Store { error, .. } => error.code(),
    };
    ReportedError::new(code, unread.to_string())
}

/// Why nothing was kept from an address.
#[cfg(feature = "registry")]
fn fetch_code(problem: &FetchProblem) -> &'static str {
    match &problem.fault {
        FetchFault::Address(_) => "address-not-supported",
        FetchFault::Bundle(_) | FetchFault::TooMany { .. } => "too-many",
        FetchFault::NoRequest => "no-request",
        FetchFault::NotAbout => "not-about",
        FetchFault::NotGenuine(_) => "not-genuine",
        FetchFault::Unreadable(_) => "evidence-unreadable",
        FetchFault::Web(_) if problem.is_not_allowed_host() => "host-not-allowed",
        FetchFault::Web(_) => "no-answer",
    }
}
