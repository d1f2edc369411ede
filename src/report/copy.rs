//! The results of `copy` and `import`.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::copy::Copied;
use crate::ops::graph::SkippedReferrer;
use crate::ops::layers::LayersRead;
use crate::ops::naming::PreviousTarget;
use crate::ops::naming::WrittenName;
use crate::report::ReportedError;
use crate::report::list::LazyList;
use crate::report::reported_verdict::ReportedVerdict;
use crate::report::stream::LineResult;
use crate::report::verify::Findings;
use crate::report::verify::ReportedLayer;
use crate::report::verify::ReportedLayers;
use crate::report::verify::Signatures;
use crate::report::verify::findings;
use crate::report::verify::signatures;
use crate::verify::VerifiedSubject;

/// A copy of one image, or the dry run of one.
#[derive(Clone, Copy, Debug)]
pub struct CopySummary<'a> {
    /// The source, as typed.
    pub source: &'a str,
    /// The destination, as typed.
    pub target: &'a str,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What was copied.
    pub copied: &'a Copied,
    /// The references under which the image is at the destination, one for each of [`Copied::named`].
    pub written: &'a [String],
}

/// The result of `copy` for one image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    blobs_moved: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blobs_present: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_moved: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    // Null if the image was not taken out of an index; absent if nothing was copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Option<Digest>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifests: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_foreign_layers: Option<LazyList<'a, ReportedLayer<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<LazyList<'a, ReportedName<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped_referrers: Option<LazyList<'a, ReportedReferrer<'a>>>,
    source: String,
    target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

impl<'a> CopyResult<'a> {
    /// The image `digest` was copied, out of `index` if one is given.
    pub fn of(summary: CopySummary<'a>, digest: Digest, index: Option<Digest>) -> Self {
        let CopySummary { source, target, dry_run, copied, .. } = summary;
        Self {
            blobs_moved: Some(copied.blobs),
            blobs_present: Some(copied.blobs_present),
            bytes_moved: Some(copied.bytes),
            code: None,
            command: None,
            digest: Some(digest),
            dry_run,
            error: None,
            index: Some(index),
            missing_foreign_layers: Some(missing_foreign_layers(copied)),
            skipped_referrers: Some(skipped_referrers(copied)),
            manifests: Some(copied.manifests),
            names: Some(names(summary)),
            referrers: Some(copied.referrers),
            source: source.to_owned(),
            target: target.to_owned(),
            version: None,
        }
    }

    /// `source` was not copied.
    pub fn failed(source: &str, target: &str, dry_run: bool, error: ReportedError) -> Self {
        Self {
            blobs_moved: None,
            blobs_present: None,
            bytes_moved: None,
            code: Some(error.code),
            command: None,
            digest: None,
            dry_run,
            error: Some(error.message),
            index: None,
            missing_foreign_layers: None,
            skipped_referrers: None,
            manifests: None,
            names: None,
            referrers: None,
            source: source.to_owned(),
            target: target.to_owned(),
            version: None,
        }
    }
}

impl CopyResult<'_> {
    /// `source` was not copied, since a policy does not let it in.
    pub fn declined(source: &str, target: &str, dry_run: bool) -> Self {
        let error = ReportedError::new("policy-refused", "a policy does not let the image in");
        Self::failed(source, target, dry_run, error)
    }
}

impl LineResult for CopyResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}

/// The result of `import` for one image that was imported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportResult<'a> {
    accepted: bool,
    accepted_signatures: Option<Signatures<'a>>,
    blobs_moved: usize,
    blobs_present: usize,
    bytes_moved: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    digest: &'a Digest,
    dry_run: bool,
    findings: Option<Findings<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<ReportedLayers<'a>>,
    manifests: usize,
    missing_foreign_layers: LazyList<'a, ReportedLayer<'a>>,
    names: LazyList<'a, ReportedName<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platforms: Option<LazyList<'a, ImportedPlatform<'a>>>,
    reference: &'a str,
    referrers: usize,
    skipped_referrers: LazyList<'a, ReportedReferrer<'a>>,
    target: &'a str,
    unsupported_tags: &'a [String],
    verdict: ReportedVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

impl<'a> ImportResult<'a> {
    /// The image `digest` was imported. `verified` are the proofs: for the image, then for each manifest that had to verify
    /// on its own. `read` are the configs and layers that a dry run read.
    pub fn of(
        summary: CopySummary<'a>,
        digest: &'a Digest,
        verified: &'a [VerifiedSubject],
        read: Option<&'a LayersRead>,
    ) -> Self {
        let CopySummary { source, target, dry_run, copied, .. } = summary;
        let (root, children) = match verified {
            [] => (None, &[][..]),
            [root, children @ ..] => (Some(root), children),
        };
        Self {
            accepted: true,
            blobs_moved: copied.blobs,
            blobs_present: copied.blobs_present,
            bytes_moved: copied.bytes,
            command: None,
            accepted_signatures: root.map(signatures),
            digest,
            dry_run,
            findings: root.map(findings),
            layers: read.map(ReportedLayers::read),
            missing_foreign_layers: missing_foreign_layers(copied),
            skipped_referrers: skipped_referrers(copied),
            unsupported_tags: &copied.unsupported_tags,
            manifests: copied.manifests,
            names: names(summary),
            platforms: (!children.is_empty()).then(|| LazyList::new(|| children.iter().map(ImportedPlatform::of))),
            reference: source,
            referrers: copied.referrers,
            target,
            verdict: ReportedVerdict::Verified,
            version: None,
        }
    }
}

impl<'a> ImportResult<'a> {
    /// The same for an image that policy files let in: what they accepted, and the verdict.
    pub(super) fn judged(self, signatures: Signatures<'a>, findings: Findings<'a>, verdict: ReportedVerdict) -> Self {
        Self { accepted_signatures: Some(signatures), findings: Some(findings), verdict, ..self }
    }
}

impl LineResult for ImportResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}

/// A manifest of an index that was verified by its own signatures and imported with the index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportedPlatform<'a> {
    accepted_signatures: Signatures<'a>,
    digest: &'a Digest,
    findings: Findings<'a>,
    verdict: ReportedVerdict,
}

impl<'a> ImportedPlatform<'a> {
    fn of(verified: &'a VerifiedSubject) -> Self {
        Self {
            accepted_signatures: signatures(verified),
            digest: verified.digest(),
            findings: findings(verified),
            verdict: ReportedVerdict::Verified,
        }
    }
}

/// A name that was written, and its previous target.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedName<'a> {
    reference: &'a str,
    was: Option<&'a Digest>,
    was_unknown: Option<String>,
}

impl<'a> ReportedName<'a> {
    fn of(reference: &'a str, named: &'a WrittenName) -> Self {
        let (was, was_unknown) = match &named.previous {
            PreviousTarget::Unused | PreviousTarget::Same => (None, None),
            PreviousTarget::Other(held) => (held.first(), None),
            PreviousTarget::Unknown(error) => (None, Some(error.to_string())),
        };
        Self { reference, was, was_unknown }
    }
}

fn names(summary: CopySummary<'_>) -> LazyList<'_, ReportedName<'_>> {
    let CopySummary { copied, written, .. } = summary;
    LazyList::new(move || {
        written.iter().zip(&copied.named).map(|(reference, named)| ReportedName::of(reference, named))
    })
}

/// A referrer that was not copied, and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedReferrer<'a> {
    digest: &'a Digest,
    media_type: &'a str,
    reason: String,
}

impl<'a> ReportedReferrer<'a> {
    fn of(skipped: &'a SkippedReferrer) -> Self {
        Self { digest: &skipped.digest, media_type: &skipped.media_type, reason: skipped.reason.to_string() }
    }
}

fn skipped_referrers(copied: &Copied) -> LazyList<'_, ReportedReferrer<'_>> {
    LazyList::new(|| copied.skipped_referrers.iter().map(ReportedReferrer::of))
}

fn missing_foreign_layers(copied: &Copied) -> LazyList<'_, ReportedLayer<'_>> {
    LazyList::new(|| copied.missing_foreign_layers.iter().map(ReportedLayer::of))
}
