//! The results of `verify --evidence`: what `docker load` loads from an archive, and whether that is what was signed.

use serde::Serialize;

use crate::digest::Digest;
use crate::ops::saved::ArchiveLetIn;
use crate::ops::saved::ArchiveNotLetIn;
use crate::ops::saved::ArchiveNotVerified;
use crate::ops::saved::ImageIdVerdict;
use crate::ops::saved::SavedFault;
use crate::ops::saved::SavedImageLetIn;
use crate::ops::saved::SavedPolicyFault;
use crate::ops::saved::SavedPolicyVerdict;
use crate::ops::saved::SavedVerdict;
use crate::ops::saved::VerifiedArchive;
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
    pub fn of(reference: &'a str, result: &'a Result<VerifiedArchive, ArchiveNotVerified>) -> Self {
        let (images, verdict, error) = match result {
            Ok(verified) => {
                (verified.images().iter().map(ReportedSavedImage::accepted).collect(), ReportedVerdict::Verified, None)
            }
            Err(not_verified) => {
                let verdict =
                    if not_verified.is_refusal() { ReportedVerdict::Refused } else { ReportedVerdict::Unknown };
                match not_verified {
                    ArchiveNotVerified::Images(images) => {
                        (images.iter().map(ReportedSavedImage::of).collect(), verdict, None)
                    }
                    ArchiveNotVerified::Error(error) => {
                        (Vec::new(), verdict, Some(ReportedError::new(error.code(), error.to_string())))
                    }
                }
            }
        };
        let (code, error) = error.map_or((None, None), |error| (Some(error.code), Some(error.message)));
        Self { accepted: result.is_ok(), code, command: None, error, images, reference, verdict, version: None }
    }
}

impl<'a> SavedResult<'a> {
    /// The verdict on the image id `reference`.
    pub fn of_id(reference: &'a str, verdict: &'a ImageIdVerdict) -> Self {
        let (accepted, image) = match verdict {
            ImageIdVerdict::Accepted(verified) => (true, ReportedSavedImage::of_id(verified)),
            ImageIdVerdict::NotAccepted { id, faults } => {
                let reported = if verdict.is_refusal() { ReportedVerdict::Refused } else { ReportedVerdict::Unknown };
                (false, ReportedSavedImage::not_accepted(id, &[], &faults.iter().collect::<Vec<_>>(), reported))
            }
        };
        let verdict = image.verdict;
        let (code, command, error, version) = (None, None, None, None);
        Self { accepted, code, command, error, images: vec![image], reference, verdict, version }
    }
}

impl<'a> SavedResult<'a> {
    /// What policy files say of the archive `reference`. An archive with an image that they exempt was not verified.
    pub fn by_policies(reference: &'a str, result: &'a Result<ArchiveLetIn<'_>, ArchiveNotLetIn<'_>>) -> Self {
        let (images, verdict, error): (Vec<_>, _, _) = match result {
            Ok(archive) => {
                let images: Vec<_> = archive.images().iter().map(ReportedSavedImage::let_in).collect();
                let is_exempted = |image: &ReportedSavedImage<'_>| image.verdict == ReportedVerdict::Exempted;
                let verdict = match images.iter().any(is_exempted) {
                    true => ReportedVerdict::Exempted,
                    false => ReportedVerdict::Verified,
                };
                (images, verdict, None)
            }
            Err(ArchiveNotLetIn::Images(images)) => {
                (images.iter().map(ReportedSavedImage::by_policies).collect(), not_let_in(result), None)
            }
            Err(ArchiveNotLetIn::Error(error)) => {
                (Vec::new(), not_let_in(result), Some((error.code(), error.to_string())))
            }
        };
        let (code, error) = error.unzip();
        Self { accepted: result.is_ok(), code, command: None, error, images, reference, verdict, version: None }
    }
}

/// The verdict on an archive that is not let in.
fn not_let_in(result: &Result<ArchiveLetIn<'_>, ArchiveNotLetIn<'_>>) -> ReportedVerdict {
    match result.as_ref().is_err_and(ArchiveNotLetIn::is_refusal) {
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
    fn of(verdict: &'a SavedVerdict) -> Self {
        match verdict {
            SavedVerdict::Accepted(image) => Self::accepted(image),
            SavedVerdict::NotAccepted { config, names, faults } => {
                let reported = if verdict.is_refusal() { ReportedVerdict::Refused } else { ReportedVerdict::Unknown };
                Self::not_accepted(config, names, &faults.iter().collect::<Vec<_>>(), reported)
            }
        }
    }

    fn not_accepted(
        image_id: &'a Digest,
        names: &'a [String],
        faults: &[&'a SavedFault],
        verdict: ReportedVerdict,
    ) -> Self {
        let signature = faults.iter().find_map(|fault| match fault {
            SavedFault::Signature { verdict } => Some(VerdictFields::of(verdict)),
            _ => None,
        });
        let (accepted_signatures, findings) =
            signature.map_or((None, None), |of| (Some(of.accepted_signatures), Some(of.findings)));
        Self {
            accepted_signatures,
            digest: None,
            faults: faults.iter().map(|fault| ReportedError::new(fault.code(), fault.to_string())).collect(),
            findings,
            image_id,
            layers: None,
            manifest: None,
            names,
            policies: None,
            verdict,
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

    fn accepted(image: &'a VerifiedSavedImage) -> Self {
        Self {
            accepted_signatures: Some(signatures(image.subject())),
            digest: Some(image.signed()),
            faults: Vec::new(),
            findings: Some(findings(image.subject())),
            image_id: image.config(),
            layers: Some(image.layers().len()),
            manifest: Some(image.manifest()),
            names: image.names(),
            policies: None,
            verdict: ReportedVerdict::Verified,
        }
    }

    fn let_in(image: &'a SavedImageLetIn<'_>) -> Self {
        let outcomes = image.judgement().outcomes.as_slice();
        Self {
            accepted_signatures: Some(policy::signatures_by_policies(outcomes)),
            digest: Some(image.judged()),
            faults: Vec::new(),
            findings: Some(policy::all_findings(outcomes)),
            image_id: image.config(),
            layers: Some(image.layers().len()),
            manifest: Some(image.manifest()),
            names: image.names(),
            policies: Some(policy::policies(outcomes)),
            verdict: policy::all_together(outcomes, ReportedVerdict::Verified),
        }
    }

    /// What policies say of an image. If it is not let in, it is what they say of the first manifest that they refuse.
    fn by_policies(verdict: &'a SavedPolicyVerdict<'_>) -> Self {
        let (image_id, names, faults) = match verdict {
            SavedPolicyVerdict::LetIn(image) => return Self::let_in(image),
            SavedPolicyVerdict::NotLetIn { config, names, faults } => (config, names, faults),
        };
        let judgement = faults.iter().find_map(|fault| match fault {
            SavedPolicyFault::NotLetIn { judgement, .. } => Some(judgement.outcomes.as_slice()),
            _ => None,
        });
        let verdict = if verdict.is_refusal() { ReportedVerdict::Refused } else { ReportedVerdict::Unknown };
        Self {
            accepted_signatures: judgement.map(policy::signatures_by_policies),
            faults: faults.iter().map(|fault| ReportedError::new(fault.code(), fault.to_string())).collect(),
            findings: judgement.map(policy::all_findings),
            policies: judgement.map(policy::policies),
            ..Self::not_accepted(image_id, names, &[], verdict)
        }
    }
}
