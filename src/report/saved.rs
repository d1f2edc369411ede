//! The results of `verify --evidence`: what `docker load` loads from an archive, and whether that is what was signed.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::saved::ArchiveNotProven;
use crate::ops::saved::ImageFault;
use crate::ops::saved::ImageIdVerdict;
use crate::ops::saved::MatchedImage;
use crate::ops::saved::ProvenArchive;
use crate::ops::saved::SavedFault;
use crate::ops::saved::SavedImageLetIn;
use crate::ops::saved::SavedPolicyFault;
use crate::ops::saved::SavedVerdict;
use crate::ops::saved::VerifiedImageId;
use crate::ops::saved::VerifiedSavedImage;
use crate::report::ReportedError;
use crate::report::ReportedVerdict;
use crate::report::policy;
use crate::report::policy::PolicyResult;
use crate::report::stream::LineResult;
use crate::report::verify::Findings;
use crate::report::verify::Signatures;
use crate::report::verify::VerdictFields;
use crate::report::verify::findings;
use crate::report::verify::signatures;

/// The result of `verify --evidence` for one docker-archive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedResult<'a> {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    images: Vec<ReportedSavedImage<'a>>,
    reference: &'a str,
    verdict: ReportedVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

/// One image of a docker-archive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportedSavedImage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_signatures: Option<Signatures<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
    faults: Vec<ReportedError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Findings<'a>>,
    image_id: &'a Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<&'a Digest>,
    names: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<PolicyResult<'a>>>,
    verdict: ReportedVerdict,
}

impl<'a> SavedResult<'a> {
    /// The verdict on the archive `reference`.
    pub fn of(
        reference: &'a str,
        result: &'a Result<ProvenArchive<VerifiedSavedImage>, ArchiveNotProven<VerifiedSavedImage, SavedFault>>,
    ) -> Self {
        Self::of_archive(reference, result, ReportedSavedImage::verified, ReportedSavedImage::by_signatures)
    }

    /// What policy files say of the archive `reference`. An archive with an image that they exempt was not verified.
    pub fn by_policies<'p>(
        reference: &'a str,
        result: &'a Result<
            ProvenArchive<SavedImageLetIn<'p>>,
            ArchiveNotProven<SavedImageLetIn<'p>, SavedPolicyFault<'p>>,
        >,
    ) -> Self {
        let result = Self::of_archive(reference, result, ReportedSavedImage::let_in, ReportedSavedImage::by_policies);
        let is_exempted = |image: &ReportedSavedImage<'_>| image.verdict == ReportedVerdict::Exempted;
        match result.accepted && result.images.iter().any(is_exempted) {
            true => Self { verdict: ReportedVerdict::Exempted, ..result },
            false => result,
        }
    }

    /// The result for an archive, with its images as these functions report one that is accepted and one that is not.
    fn of_archive<I, F: ImageFault>(
        reference: &'a str,
        result: &'a Result<ProvenArchive<I>, ArchiveNotProven<I, F>>,
        accepted: impl Fn(&'a I) -> ReportedSavedImage<'a>,
        not_accepted: impl Fn(ReportedSavedImage<'a>, &[&'a F]) -> ReportedSavedImage<'a>,
    ) -> Self {
        let (images, error) = match result {
            Ok(proven) => (proven.images().iter().map(accepted).collect(), None),
            Err(ArchiveNotProven::Images(verdicts)) => {
                let image = |verdict: &'a SavedVerdict<I, F>| match verdict {
                    SavedVerdict::Accepted(image) => accepted(image),
                    SavedVerdict::NotAccepted { config, names, faults } => {
                        let (faults, reported): (Vec<_>, _) =
                            (faults.iter().collect(), not_accepted_verdict(verdict.is_refusal()));
                        not_accepted(ReportedSavedImage::not_accepted(config, names, &faults, reported), &faults)
                    }
                };
                (verdicts.iter().map(image).collect(), None)
            }
            Err(ArchiveNotProven::Error(error)) => (Vec::new(), Some((error.code(), error.to_string()))),
        };
        let verdict = match result {
            Ok(_) => ReportedVerdict::Verified,
            Err(not_proven) => not_accepted_verdict(not_proven.is_refusal()),
        };
        let (code, error) = error.unzip();
        Self { accepted: result.is_ok(), code, command: None, error, images, reference, verdict, version: None }
    }

    /// The verdict on the image id `reference`.
    pub fn of_id(reference: &'a str, verdict: &'a ImageIdVerdict) -> Self {
        let (accepted, image) = match verdict {
            ImageIdVerdict::Accepted(verified) => (true, ReportedSavedImage::of_id(verified)),
            ImageIdVerdict::NotAccepted { id, faults } => {
                let (faults, reported): (Vec<_>, _) =
                    (faults.iter().collect(), not_accepted_verdict(verdict.is_refusal()));
                (false, ReportedSavedImage::not_accepted(id, &[], &faults, reported).by_signatures(&faults))
            }
        };
        let verdict = image.verdict;
        let (code, command, error, version) = (None, None, None, None);
        Self { accepted, code, command, error, images: vec![image], reference, verdict, version }
    }
}

/// The verdict on what is not accepted.
const fn not_accepted_verdict(is_refusal: bool) -> ReportedVerdict {
    match is_refusal {
        true => ReportedVerdict::Refused,
        false => ReportedVerdict::Unknown,
    }
}

impl LineResult for SavedResult<'_> {
    fn standalone(self, command: &'static str, version: u32) -> Self {
        Self { command: Some(command), version: Some(version), ..self }
    }
}

impl<'a> ReportedSavedImage<'a> {
    /// An image that is accepted, without the reasons.
    fn accepted(image: &'a MatchedImage, digest: &'a Digest, verdict: ReportedVerdict) -> Self {
        Self {
            accepted_signatures: None,
            digest: Some(digest),
            faults: Vec::new(),
            findings: None,
            image_id: image.config(),
            layers: Some(image.layers().len()),
            manifest: Some(image.manifest()),
            names: image.names(),
            policies: None,
            verdict,
        }
    }

    fn verified(image: &'a VerifiedSavedImage) -> Self {
        Self {
            accepted_signatures: Some(signatures(image.subject())),
            findings: Some(findings(image.subject())),
            ..Self::accepted(image.image(), image.signed(), ReportedVerdict::Verified)
        }
    }

    fn let_in(image: &'a SavedImageLetIn<'_>) -> Self {
        let outcomes = image.evaluation().outcomes.as_slice();
        let verdict = policy::all_together(outcomes, ReportedVerdict::Verified);
        Self {
            accepted_signatures: Some(policy::signatures_by_policies(outcomes)),
            findings: Some(policy::all_findings(outcomes)),
            policies: Some(policy::policies(outcomes)),
            ..Self::accepted(image.image(), image.evaluated(), verdict)
        }
    }

    /// An image that is not accepted.
    fn not_accepted<F: ImageFault>(
        image_id: &'a Digest,
        names: &'a [String],
        faults: &[&F],
        verdict: ReportedVerdict,
    ) -> Self {
        Self {
            accepted_signatures: None,
            digest: None,
            faults: faults.iter().map(|fault| ReportedError::new(fault.code(), fault.to_string())).collect(),
            findings: None,
            image_id,
            layers: None,
            manifest: None,
            names,
            policies: None,
            verdict,
        }
    }

    /// With the signatures of the first manifest that is not verified.
    fn by_signatures(self, faults: &[&'a SavedFault]) -> Self {
        let fields = faults.iter().find_map(|fault| match fault {
            SavedFault::Signature { verdict } => Some(VerdictFields::of(verdict)),
            _ => None,
        });
        let (accepted_signatures, findings) = fields.map(|of| (of.accepted_signatures, of.findings)).unzip();
        Self { accepted_signatures, findings, ..self }
    }

    /// With what policies say of the first manifest that they refuse.
    fn by_policies(self, faults: &[&'a SavedPolicyFault<'_>]) -> Self {
        let evaluation = faults.iter().find_map(|fault| match fault {
            SavedPolicyFault::NotLetIn { evaluation, .. } => Some(evaluation.outcomes.as_slice()),
            _ => None,
        });
        Self {
            accepted_signatures: evaluation.map(policy::signatures_by_policies),
            findings: evaluation.map(policy::all_findings),
            policies: evaluation.map(policy::policies),
            ..self
        }
    }

    fn of_id(verified: &'a VerifiedImageId) -> Self {
        Self {
            accepted_signatures: Some(signatures(verified.subject())),
            digest: Some(verified.signed()),
            faults: Vec::new(),
            findings: Some(findings(verified.subject())),
            image_id: verified.id(),
            layers: None,
            manifest: Some(verified.manifest()),
            names: &[],
            policies: None,
            verdict: ReportedVerdict::Verified,
        }
    }
}
