//! The outcome of verifying an image: [`VerifiedImage`] or [`NotVerified`], with the verdict on each manifest.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::nonempty::NonEmpty;
use crate::oci::Platform;
use crate::ops::OpsError;
use crate::ops::copy::MissingForeignLayer;
use crate::store::StoreError;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;

/// A verified image: every requested manifest was accepted. A proof type.
///
/// ```compile_fail,E0451
/// use bulla::ops::verify::Outcome;
/// use bulla::ops::verify::VerifiedImage;
///
/// fn forged(outcome: Outcome) -> VerifiedImage {
///     VerifiedImage { outcome }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct VerifiedImage {
    outcome: Outcome,
}

/// Why an image was not verified. It must not be moved or run.
#[derive(Debug, thiserror::Error)]
#[must_use]
#[non_exhaustive]
pub enum NotVerified {
    /// No: the image contradicts itself, so no signature could make it acceptable.
    #[error(transparent)]
    Contradiction(OpsError),
    /// No: the policy is not met.
    #[error("refused: {}", summary(.0))]
    Refused(Box<Outcome>),
    /// Could not tell: something that may decide the verdict could not be read.
    #[error("could not tell: {}", causes.first())]
    Undetermined {
        /// What could not be read.
        causes: NonEmpty<UndeterminedCause>,
        /// The verdicts; none if the image could not be read at all.
        outcome: Option<Box<Outcome>>,
    },
}

/// Why it could not be decided whether an image is verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum UndeterminedCause {
    /// A config or layer of an accepted manifest is missing or damaged, or the image could not be read at all.
    Content(Arc<OpsError>),
    /// Evidence could not be read.
    Evidence(Arc<Finding>),
    /// A list or a manifest could not be read.
    Store(StoreError),
}

/// Whether the configs and layers of the accepted manifests were read.
#[derive(Clone, Debug, Default)]
pub enum Layers {
    /// None were read.
    #[default]
    NotRead,
    /// Some could not be read, or are not what their manifests declare: the correct ones, and the errors of the others.
    /// The verdict on a manifest with such a blob is [`Verdict::Incomplete`].
    Partly(LayersRead, Vec<StoreError>),
    /// All were read, and are what their manifests declare.
    Read(LayersRead),
}

/// The configs and layers that were read and have the digest and size that their manifests declare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayersRead {
    /// The number of blobs.
    pub blobs: usize,
    /// Their total size in bytes.
    pub bytes: u64,
    /// Foreign layers that the source does not hold, and that were not read.
    pub missing_foreign_layers: Vec<MissingForeignLayer>,
}

/// The verdict on one subject.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// Yes.
    Accepted(VerifiedSubject),
    /// Could not tell: the policy is met, but a config or layer is missing or damaged.
    Incomplete {
        /// The accepted signatures.
        accepted: Vec<AcceptedSignature>,
        /// Why other evidence did not count.
        findings: Vec<Arc<Finding>>,
        /// The error of its content.
        why: Arc<OpsError>,
    },
    /// Neither yes nor no: of this index nothing is required ([`Platforms::Each`](crate::ops::verify::Platforms::Each)), and
    /// no statement about it counts.
    NotRequired,
    /// No.
    Refused(Refusal),
    /// Could not tell: the evidence that was read does not meet the policy, and some could not be read.
    Unknown {
        /// The unmet requirements and the findings, from the evidence that was read.
        refusal: Refusal,
        /// The errors of lists and manifests that could not be read.
        unread: Vec<StoreError>,
    },
}

impl Verdict {
    /// The same verdict without the signed documents, which may be large and are not reported.
    pub fn without_documents(self) -> Self {
        let bare =
            |accepted: Vec<AcceptedSignature>| accepted.into_iter().map(AcceptedSignature::without_document).collect();
        let without = |refusal: Refusal| Refusal { accepted: bare(refusal.accepted), ..refusal };
        match self {
            Self::Accepted(subject) => Self::Accepted(subject.without_documents()),
            Self::Incomplete { accepted, findings, why } => {
                Self::Incomplete { accepted: bare(accepted), findings, why }
            }
            Self::NotRequired => Self::NotRequired,
            Self::Refused(refusal) => Self::Refused(without(refusal)),
            Self::Unknown { refusal, unread } => Self::Unknown { refusal: without(refusal), unread },
        }
    }

    /// The accepted signatures, whether or not they meet the policy.
    pub(super) fn accepted(&self) -> Vec<&AcceptedSignature> {
        match self {
            Self::Accepted(subject) => subject.accepted().iter().collect(),
            Self::Incomplete { accepted, .. } => accepted.iter().collect(),
            Self::NotRequired => Vec::new(),
            Self::Refused(refusal) | Self::Unknown { refusal, .. } => refusal.accepted.iter().collect(),
        }
    }

    /// The name of the verdict, for logs.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Incomplete { .. } => "incomplete",
            Self::NotRequired => "not required",
            Self::Refused(_) => "refused",
            Self::Unknown { .. } => "undecided",
        }
    }

    /// Whether it is a refusal without any evidence.
    pub(super) fn has_no_evidence(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.findings.is_empty() && refusal.accepted.is_empty())
    }
}

/// The verdicts on one reference.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    /// The digest that the reference resolves to.
    pub subject: Digest,
    /// The media type of the subject, if it was read. A manifest that is named by digest is not fetched from a registry
    /// (threats: answer-depends-on-client).
    pub media_type: Option<String>,
    /// The manifest of the requested platform, if one was requested. It is a child of `subject`.
    pub chosen: Option<Digest>,
    /// The verdict on the subject, or on the chosen manifest.
    pub verdict: Verdict,
    /// With [`Platforms::All`](crate::ops::verify::Platforms::All), the verdicts on all manifests below the index, each digest
    /// once, with its platform; with [`Platforms::Each`](crate::ops::verify::Platforms::Each), those on the manifests of the
    /// platforms.
    pub children: Vec<Child>,
    /// Whether the configs and layers of the accepted manifests were read.
    pub layers: Layers,
}

impl Outcome {
    pub(super) fn of(subject: Digest, media_type: Option<String>, verdict: Verdict) -> Self {
        Self { subject, media_type, chosen: None, verdict, children: Vec::new(), layers: Layers::NotRead }
    }

    /// Whether every verdict is yes: on the subject, unless nothing is required of it, and on each of the children. Without
    /// a verdict that is required it is not accepted.
    pub fn is_accepted(&self) -> bool {
        let mut required = self.required().peekable();
        required.peek().is_some() && required.all(|verdict| matches!(verdict, Verdict::Accepted(_)))
    }

    /// The same outcome without the signed documents, which may be large and are not reported.
    pub fn without_documents(self) -> Self {
        let child = |(platform, digest, verdict): Child| (platform, digest, verdict.without_documents());
        Self {
            verdict: self.verdict.without_documents(),
            children: self.children.into_iter().map(child).collect(),
            ..self
        }
    }
}

/// The verdict on one manifest of an index: its platform, its digest, the verdict.
pub type Child = (Option<Platform>, Digest, Verdict);

impl Outcome {
    /// The verdict on the image itself, then those on the requested manifests below it.
    fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        std::iter::once(&self.verdict).chain(self.children.iter().map(|(_, _, verdict)| verdict))
    }

    /// The verdicts that decide: all but [`Verdict::NotRequired`].
    pub fn required(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts().filter(|verdict| !matches!(verdict, Verdict::NotRequired))
    }

    /// Yes if every verdict is yes, no if any of them is no, else could-not-tell.
    ///
    /// # Errors
    /// [`NotVerified`], with these verdicts in it.
    pub(super) fn conclude(self) -> Result<VerifiedImage, NotVerified> {
        if self.verdicts().any(|verdict| matches!(verdict, Verdict::Refused(_))) {
            return Err(NotVerified::Refused(Box::new(self)));
        }
        let mut causes = Vec::new();
        for verdict in self.verdicts() {
            match verdict {
                Verdict::Accepted(_) | Verdict::NotRequired | Verdict::Refused(_) => {}
                Verdict::Incomplete { why, .. } => causes.push(UndeterminedCause::Content(Arc::clone(why))),
                Verdict::Unknown { refusal, unread } => {
                    causes.extend(unread.iter().cloned().map(UndeterminedCause::Store));
                    let undetermined = refusal.findings.iter().filter(|finding| finding.reason.is_undetermined());
                    causes.extend(undetermined.map(|finding| UndeterminedCause::Evidence(Arc::clone(finding))));
                }
            }
        }
        match NonEmpty::collect(causes) {
            None if self.is_accepted() => Ok(VerifiedImage { outcome: self }),
            Some(causes) => Err(NotVerified::Undetermined { causes, outcome: Some(Box::new(self)) }),
            None => {
                let causes = NonEmpty::one(UndeterminedCause::Content(Arc::new(OpsError::Task)));
                Err(NotVerified::Undetermined { causes, outcome: Some(Box::new(self)) })
            }
        }
    }
}

impl VerifiedImage {
    /// The digest to move or run: that of the requested platform, or of the image itself. With
    /// [`Platforms::Each`](crate::ops::verify::Platforms::Each) it is the index, and proof is there for its platforms:
    /// [`VerifiedImage::subjects`] has the index only if it was attested too.
    pub fn digest(&self) -> Digest {
        self.outcome.chosen.unwrap_or(self.outcome.subject)
    }

    /// The verified subjects: the image, or the index that contains it, then the requested manifests below it. Each is a
    /// proof that statements about its own digest counted.
    pub fn subjects(&self) -> impl Iterator<Item = &VerifiedSubject> {
        self.outcome.verdicts().filter_map(|verdict| match verdict {
            Verdict::Accepted(subject) => Some(subject),
            Verdict::Incomplete { .. } | Verdict::NotRequired | Verdict::Refused(_) | Verdict::Unknown { .. } => None,
        })
    }

    /// The verdicts, for a report.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The verdicts, for a report.
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }
}

impl NotVerified {
    /// Whether it is a no. Otherwise it could not be decided.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Contradiction(_) | Self::Refused(_))
    }

    /// The same without the accepted children, so that a report shows only the reasons.
    pub(super) fn without_accepted_children(mut self) -> Self {
        if let Self::Refused(outcome) | Self::Undetermined { outcome: Some(outcome), .. } = &mut self {
            outcome.children.retain(|(_, _, verdict)| !matches!(verdict, Verdict::Accepted(_)));
        }
        self
    }

    /// The verdicts, for a report.
    ///
    /// # Errors
    /// [`OpsError`] if there are none, since the image could not be read.
    pub fn into_outcome(self) -> Result<Outcome, OpsError> {
        match self {
            Self::Contradiction(error) => Err(error),
            Self::Refused(outcome) | Self::Undetermined { outcome: Some(outcome), .. } => Ok(*outcome),
            Self::Undetermined { causes, outcome: None } => match causes.into_iter().next() {
                Some(UndeterminedCause::Content(error)) => Err(Arc::try_unwrap(error).unwrap_or(OpsError::Task)),
                Some(UndeterminedCause::Store(error)) => Err(error.into()),
                Some(UndeterminedCause::Evidence(_)) | None => Err(OpsError::Task),
            },
        }
    }
}

impl From<OpsError> for NotVerified {
    fn from(error: OpsError) -> Self {
        match error.is_refusal() {
            true => Self::Contradiction(error),
            false => {
                Self::Undetermined { causes: NonEmpty::one(UndeterminedCause::Content(Arc::new(error))), outcome: None }
            }
        }
    }
}

impl From<StoreError> for NotVerified {
    fn from(error: StoreError) -> Self {
        OpsError::from(error).into()
    }
}

/// The first refusal, as text.
fn summary(outcome: &Outcome) -> String {
    let refused = outcome.verdicts().find_map(|verdict| match verdict {
        Verdict::Refused(refusal) => Some(refusal.to_string()),
        _ => None,
    });
    refused.unwrap_or_else(|| outcome.subject.to_string())
}

impl fmt::Display for UndeterminedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(error) => error.fmt(f),
            Self::Evidence(finding) => finding.reason.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}
