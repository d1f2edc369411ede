//! The results of `verify`, and the parts that `import` has in common with them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::ops::copy::MissingForeignLayer;
use crate::ops::layers::Layers;
use crate::ops::layers::LayersRead;
use crate::ops::verify::Child;
use crate::ops::verify::Outcome;
use crate::ops::verify::Verdict;
use crate::report::ReportedError;
use crate::report::certificate::ReportedSigner;
use crate::report::keyless::ReportedProof;
use crate::report::list::LazyList;
use crate::report::reported_verdict::ReportedVerdict;
use crate::report::stream::LineResult;
use crate::report::unenforced::ReportedStatement;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::NotEnforced;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;

/// The result of `verify` for one reference, and of `import` for an image that was not imported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResult<'a> {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_signatures: Option<Signatures<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Findings<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<ReportedKeys>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<ReportedLayers<'a>>,
    // Null if the media type was not read; absent if there is no verdict on a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_enforced: Option<ReportedStatement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platforms: Option<LazyList<'a, ReportedPlatform<'a>>>,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<LazyList<'a, ReportedError>>,
    verdict: ReportedVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

impl<'a> VerifyResult<'a> {
    /// The verdicts on `reference`.
    pub fn of(reference: &str, outcome: &'a Outcome) -> Self {
        let VerdictFields { code, accepted_signatures, error, findings, keys, unread, verdict } =
            VerdictFields::of(&outcome.verdict);
        let platforms = || outcome.children.iter().map(ReportedPlatform::of);
        Self {
            accepted: outcome.is_accepted(),
            code,
            command: None,
            accepted_signatures: Some(accepted_signatures),
            digest: Some(outcome.chosen.unwrap_or(outcome.subject)),
            error,
            findings: Some(findings),
            index: outcome.chosen.map(|_| outcome.subject),
            keys,
            layers: Some(ReportedLayers::of(&outcome.layers)),
            media_type: Some(outcome.media_type.as_deref().filter(|_| outcome.chosen.is_none())),
            not_enforced: None,
            unread,
            platforms: (!outcome.children.is_empty()).then(|| LazyList::new(platforms)),
            reference: reference.to_owned(),
            verdict,
            version: None,
        }
    }

    /// A statement accepts `reference` without enforcing every check.
    pub fn not_enforced(reference: &str, verdict: &'a NotEnforced) -> Self {
        let error = ReportedError::new(NotEnforced::CODE, verdict.to_string());
        let signatures = LazyList::new(std::iter::empty);
        let findings = LazyList::new(|| verdict.findings.iter().map(|finding| ReportedFinding::of(finding)));
        Self {
            accepted_signatures: Some(signatures),
            digest: Some(verdict.subject),
            findings: Some(findings),
            not_enforced: Some(ReportedStatement::of(verdict)),
            ..Self::failed(reference, ReportedVerdict::NotEnforced, error)
        }
    }

    /// An error about `reference` before there was a verdict on a manifest.
    pub fn failed(reference: &str, verdict: ReportedVerdict, error: ReportedError) -> Self {
        Self {
            accepted: false,
            code: Some(error.code),
            command: None,
            accepted_signatures: None,
            digest: None,
            error: Some(error.message),
            findings: None,
            index: None,
            keys: None,
            layers: None,
            media_type: None,
            not_enforced: None,
            unread: None,
            platforms: None,
            reference: reference.to_owned(),
            verdict,
            version: None,
        }
    }
}

impl LineResult for VerifyResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}

/// The accepted signatures.
pub(super) type Signatures<'a> = LazyList<'a, ReportedSignature<'a>>;
/// The findings: why other evidence did not count.
pub(super) type Findings<'a> = LazyList<'a, ReportedFinding<'a>>;

/// The fields of one verdict, on an image or on one platform of it.
pub(super) struct VerdictFields<'a> {
    pub(super) accepted_signatures: Signatures<'a>,
    code: Option<&'static str>,
    error: Option<String>,
    pub(super) findings: Findings<'a>,
    keys: Option<ReportedKeys>,
    unread: Option<LazyList<'a, ReportedError>>,
    verdict: ReportedVerdict,
}

impl<'a> VerdictFields<'a> {
    pub(super) fn of(verdict: &'a Verdict) -> Self {
        match verdict {
            Verdict::Accepted(verified) => Self {
                code: None,
                accepted_signatures: signatures(verified),
                error: None,
                findings: findings(verified),
                keys: None,
                unread: None,
                verdict: ReportedVerdict::Verified,
            },
            Verdict::Incomplete { accepted: accepted_signatures, findings, why } => Self {
                code: Some(why.code()),
                accepted_signatures: LazyList::new(|| accepted_signatures.iter().map(ReportedSignature::of)),
                error: Some(why.to_string()),
                findings: LazyList::new(|| findings.iter().map(|finding| ReportedFinding::of(finding))),
                keys: None,
                unread: None,
                verdict: ReportedVerdict::Unknown,
            },
            Verdict::NotRequired => Self {
                code: None,
                accepted_signatures: LazyList::new(std::iter::empty),
                error: None,
                findings: LazyList::new(std::iter::empty),
                keys: None,
                unread: None,
                verdict: ReportedVerdict::NotRequired,
            },
            Verdict::Refused(refusal) => {
                let unread = LazyList::new(std::iter::empty);
                Self { unread: Some(unread), verdict: ReportedVerdict::Refused, ..Self::refused(refusal) }
            }
            Verdict::Unknown { refusal, unread } => {
                let unread = LazyList::new(|| unread.iter().map(ReportedError::from));
                Self { unread: Some(unread), verdict: ReportedVerdict::Unknown, ..Self::refused(refusal) }
            }
        }
    }

    fn refused(refusal: &'a Refusal) -> Self {
        Self {
            code: None,
            accepted_signatures: LazyList::new(|| refusal.accepted.iter().map(ReportedSignature::of)),
            error: None,
            findings: LazyList::new(|| refusal.ranked().into_iter().map(ReportedFinding::of)),
            keys: Some(ReportedKeys { got: refusal.unmet.first().got, want: refusal.unmet.first().want }),
            unread: None,
            verdict: ReportedVerdict::Refused,
        }
    }
}

/// The accepted signatures of a verified subject.
pub(super) fn signatures(verified: &VerifiedSubject) -> Signatures<'_> {
    LazyList::new(|| verified.accepted().iter().map(ReportedSignature::of))
}

/// The findings about other evidence of a verified subject.
pub(super) fn findings(verified: &VerifiedSubject) -> Findings<'_> {
    LazyList::new(|| verified.findings().iter().map(|finding| ReportedFinding::of(finding)))
}

/// The verdict on one manifest below an index, by its own signatures.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedPlatform<'a> {
    accepted_signatures: Signatures<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    findings: Findings<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<ReportedKeys>,
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<LazyList<'a, ReportedError>>,
    verdict: ReportedVerdict,
}

impl<'a> ReportedPlatform<'a> {
    fn of((platform, digest, verdict): &'a Child) -> Self {
        let VerdictFields { code, accepted_signatures, error, findings, keys, unread, verdict } =
            VerdictFields::of(verdict);
        let platform = platform.as_ref().map(ToString::to_string);
        Self { code, accepted_signatures, digest: *digest, error, findings, keys, unread, platform, verdict }
    }
}

/// The number of owners who have signed, and the number that the policy requires.
#[derive(Debug, Serialize)]
struct ReportedKeys {
    got: usize,
    want: u32,
}

/// An accepted signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedSignature<'a> {
    annotations: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<ReportedSigner>,
    evidence: Option<&'a Digest>,
    format: &'static str,
    key: String,
    kind: String,
    owner: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_text: Option<String>,
    scheme: String,
    signed_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict_error: Option<ReportedError>,
    #[serde(flatten)]
    proof: ReportedProof,
}

impl<'a> ReportedSignature<'a> {
    pub(super) fn of(accepted_signatures: &'a AcceptedSignature) -> Self {
        // JSON that nests too deeply for other parsers is reported as text.
        let (predicate, predicate_text) = match accepted_signatures.predicate.as_deref().map(|text| (parse(text), text))
        {
            None => (None, None),
            Some((Some(value), _)) => (Some(value), None),
            Some((None, text)) => (None, Some(String::from_utf8_lossy(text).into_owned())),
        };
        Self {
            annotations: &accepted_signatures.annotations,
            certificate: accepted_signatures.signer.certified().map(ReportedSigner::of),
            evidence: accepted_signatures.evidence.digest(),
            format: accepted_signatures.evidence.document().format().as_str(),
            key: accepted_signatures.signer.key().to_string(),
            kind: accepted_signatures.kind.to_string(),
            owner: accepted_signatures.signer.owner().to_string(),
            place: accepted_signatures.evidence.found_at().to_string(),
            predicate,
            predicate_text,
            scheme: accepted_signatures.signer.scheme().to_string(),
            signed_reference: accepted_signatures.reference.as_deref(),
            strict_error: accepted_signatures.evidence.document().strict_error().map(ReportedError::from),
            proof: ReportedProof::of(&accepted_signatures.signer),
        }
    }
}

fn parse(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok()
}

/// Evidence that did not count, and why.
#[derive(Debug, Serialize)]
pub(super) struct ReportedFinding<'a> {
    code: &'static str,
    evidence: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<ReportedError>,
    message: String,
    place: String,
}

impl<'a> ReportedFinding<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        Self {
            code: finding.reason.code(),
            evidence: finding.digest.as_ref(),
            faults: finding
                .reason
                .certificate_faults()
                .map(|fault| ReportedError::new(fault.code(), fault.to_string()))
                .collect(),
            message: finding.reason.to_string(),
            place: finding.place.to_string(),
        }
    }
}

/// Whether configs and layers were read, and the errors of those that could not be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedLayers<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    blobs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<LazyList<'a, ReportedError>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_foreign_layers: Option<LazyList<'a, ReportedLayer<'a>>>,
    read: bool,
}

impl<'a> ReportedLayers<'a> {
    pub(super) fn of(layers: &'a Layers) -> Self {
        match layers {
            Layers::NotRead => {
                Self { blobs: None, bytes: None, faults: None, missing_foreign_layers: None, read: false }
            }
            Layers::Partly(read, faults) => {
                let faults = LazyList::new(|| faults.iter().map(ReportedError::from));
                Self { faults: Some(faults), read: false, ..Self::read(read) }
            }
            Layers::Read(read) => Self::read(read),
        }
    }

    /// All configs and layers were read, and are what their manifests declare.
    pub(super) fn read(read: &'a LayersRead) -> Self {
        Self {
            blobs: Some(read.blobs),
            bytes: Some(read.bytes),
            faults: None,
            missing_foreign_layers: Some(LazyList::new(|| read.missing_foreign_layers.iter().map(ReportedLayer::of))),
            read: true,
        }
    }
}

/// A foreign layer that the source does not hold.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedLayer<'a> {
    digest: &'a Digest,
    media_type: &'a str,
    size: u64,
    urls: &'a [String],
}

impl<'a> ReportedLayer<'a> {
    pub(super) fn of(left: &'a MissingForeignLayer) -> Self {
        let Descriptor { digest, media_type, size, .. } = &left.layer;
        Self { digest, media_type, size: *size, urls: &left.urls }
    }
}
