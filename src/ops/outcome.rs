//! What came of verifying an image: [`VerifiedImage`], [`NotVerified`], and the verdict on each manifest for a report.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::nonempty::NonEmpty;
use crate::oci::Platform;
use crate::ops::OpsError;
use crate::ops::copy::LeftOut;
use crate::ops::discover::Effort;
use crate::store::StoreError;
use crate::time::Time;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::Refusal;
use crate::verify::VerifiedSubject;
use crate::verify::Verifier;

/// An image that was verified: every manifest that was asked for was accepted. A proof type.
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

/// An image that was not verified, and why. It must not be moved or run.
#[derive(Debug, thiserror::Error)]
#[must_use]
#[non_exhaustive]
pub enum NotVerified {
    /// No: what the source says contradicts itself, so no signature could make it right.
    #[error(transparent)]
    Contradiction(OpsError),
    /// No: the policy is not met.
    #[error("refused: {}", summary(.0))]
    Refused(Box<Outcome>),
    /// Could not tell: something that may matter could not be looked at.
    #[error("could not tell: {}", causes.first())]
    Undetermined {
        /// What could not be looked at.
        causes: NonEmpty<Cause>,
        /// The verdicts, as far as there are any.
        outcome: Option<Box<Outcome>>,
    },
}

/// Why nobody can tell whether an image is verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The content of an accepted manifest is missing or damaged, or the image could not be read at all.
    Content(Arc<OpsError>),
    /// Evidence could not be read.
    Evidence(Arc<Finding>),
    /// A list or a manifest could not be read.
    Store(StoreError),
}

/// How much of an image is read for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything: configs and layers as well.
    Layers,
    /// What the verdict rests on: manifests and signatures.
    Manifests,
}

/// Whether the configs and layers of what was accepted were read.
#[derive(Clone, Debug, Default)]
pub enum Layers {
    /// They were not.
    #[default]
    NotRead,
    /// Not all of them could be read, or not all are right: these were, and the errors say what is wrong with others.
    /// A verdict that rests on those is [`Verdict::Incomplete`].
    Partly(LayersRead, Vec<StoreError>),
    /// All of them were, and are what their manifests say.
    Read(LayersRead),
}

/// Blobs that were read, and are what their manifests say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayersRead {
    /// How many.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Foreign layers that the source does not hold: they are had elsewhere, and were not read.
    pub not_held: Vec<LeftOut>,
}

/// Which manifests behind a reference are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platforms {
    /// The index and each manifest in it, every one by itself.
    All,
    /// The manifest for this platform: signed itself, or a child of an index that is.
    One(Platform),
    /// What the reference stands for, and nothing below it.
    Root,
}

/// With what images are verified, and as of when.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions<'a> {
    /// The trust root and the policy.
    pub verifier: &'a Verifier,
    /// How far to look.
    pub effort: Effort,
    /// The time as of which the policy is evaluated.
    pub now: Time,
    /// How much of the image is read.
    pub depth: Depth,
    /// The bounds.
    pub limits: &'a Limits,
}

impl<'a> VerifyOptions<'a> {
    /// Verifies with `verifier` as of `now`: until the policy is met, by manifests and signatures, within the limits that
    /// the verifier has.
    pub const fn new(verifier: &'a Verifier, now: Time) -> Self {
        Self { verifier, effort: Effort::UntilMet, now, depth: Depth::Manifests, limits: verifier.limits() }
    }
}

/// What came of one subject.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// Yes.
    Accepted(VerifiedSubject),
    /// Signed as wanted, but what was signed could not be read whole or is not all right: no answer.
    Incomplete {
        /// The accepted signatures.
        accepted: Vec<AcceptedSignature>,
        /// What did not count.
        findings: Vec<Arc<Finding>>,
        /// What is wrong with its content.
        why: Arc<OpsError>,
    },
    /// No.
    Refused(Refusal),
    /// No answer: what was seen is not enough, and something could not be looked at.
    Unknown {
        /// What was seen.
        refusal: Refusal,
        /// What could not be looked at.
        open: Vec<StoreError>,
    },
}

impl Verdict {
    /// The same verdict, without the documents on which it rests: they may be large, and are not needed to tell.
    pub fn without_documents(self) -> Self {
        let bare =
            |accepted: Vec<AcceptedSignature>| accepted.into_iter().map(AcceptedSignature::without_document).collect();
        let without = |refusal: Refusal| Refusal { accepted: bare(refusal.accepted), ..refusal };
        match self {
            Self::Accepted(subject) => Self::Accepted(subject.without_documents()),
            Self::Incomplete { accepted, findings, why } => {
                Self::Incomplete { accepted: bare(accepted), findings, why }
            }
            Self::Refused(refusal) => Self::Refused(without(refusal)),
            Self::Unknown { refusal, open } => Self::Unknown { refusal: without(refusal), open },
        }
    }

    /// What was accepted, whether it is enough or not.
    pub(super) fn accepted(&self) -> Vec<&AcceptedSignature> {
        match self {
            Self::Accepted(subject) => subject.accepted().iter().collect(),
            Self::Incomplete { accepted, .. } => accepted.iter().collect(),
            Self::Refused(refusal) | Self::Unknown { refusal, .. } => refusal.accepted.iter().collect(),
        }
    }

    /// The name of the verdict, for logs.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Incomplete { .. } => "incomplete",
            Self::Refused(_) => "refused",
            Self::Unknown { .. } => "undecided",
        }
    }

    /// A no because there is nothing at all.
    pub(super) fn is_bare(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.findings.is_empty() && refusal.accepted.is_empty())
    }
}

/// What came of one reference.
#[derive(Debug)]
#[must_use]
pub struct Outcome {
    /// What the reference stands for.
    pub subject: Digest,
    /// The media type of the subject, where it was read: by digest a registry is not asked for it
    /// (threats: answer-depends-on-client).
    pub media_type: Option<String>,
    /// The manifest of the platform that was asked for, if one was. It is a child of `subject`.
    pub chosen: Option<Digest>,
    /// The verdict on the subject, or on the chosen manifest.
    pub verdict: Verdict,
    /// With [`Platforms::All`], the verdicts on everything below the index, each digest once, with its platform.
    pub children: Vec<Child>,
    /// Whether the configs and layers of what was accepted were read.
    pub layers: Layers,
}

impl Outcome {
    pub(super) fn of(subject: Digest, media_type: Option<String>, verdict: Verdict) -> Self {
        Self { subject, media_type, chosen: None, verdict, children: Vec::new(), layers: Layers::NotRead }
    }

    /// Whether all of it is a yes: the subject and, with [`Platforms::All`], each manifest below it.
    pub fn is_accepted(&self) -> bool {
        let children = self.children.iter().map(|(_, _, verdict)| verdict);
        [&self.verdict].into_iter().chain(children).all(|verdict| matches!(verdict, Verdict::Accepted(_)))
    }

    /// The same outcome, without the documents on which it rests: they may be large, and are not needed to tell.
    pub fn without_documents(self) -> Self {
        let child = |(platform, digest, verdict): Child| (platform, digest, verdict.without_documents());
        Self {
            verdict: self.verdict.without_documents(),
            children: self.children.into_iter().map(child).collect(),
            ..self
        }
    }
}

/// What came of one manifest of an index.
pub type Child = (Option<Platform>, Digest, Verdict);

impl Outcome {
    /// The verdicts on the image itself and on everything below it that was asked for.
    fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        std::iter::once(&self.verdict).chain(self.children.iter().map(|(_, _, verdict)| verdict))
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
                Verdict::Accepted(_) | Verdict::Refused(_) => {}
                Verdict::Incomplete { why, .. } => causes.push(Cause::Content(Arc::clone(why))),
                Verdict::Unknown { refusal, open } => {
                    causes.extend(open.iter().cloned().map(Cause::Store));
                    let unread = refusal.findings.iter().filter(|finding| finding.reason.is_open());
                    causes.extend(unread.map(|finding| Cause::Evidence(Arc::clone(finding))));
                }
            }
        }
        let all_accepted = self.verdicts().all(|verdict| matches!(verdict, Verdict::Accepted(_)));
        match NonEmpty::collect(causes) {
            None if all_accepted => Ok(VerifiedImage { outcome: self }),
            Some(causes) => Err(NotVerified::Undetermined { causes, outcome: Some(Box::new(self)) }),
            None => {
                let causes = NonEmpty::one(Cause::Content(Arc::new(OpsError::Task)));
                Err(NotVerified::Undetermined { causes, outcome: Some(Box::new(self)) })
            }
        }
    }
}

impl VerifiedImage {
    /// The digest to move or run: that of the platform that was asked for, or of the image itself.
    pub fn digest(&self) -> Digest {
        self.outcome.chosen.unwrap_or(self.outcome.subject)
    }

    /// The verified subjects: the image, or the index that it is part of, then every manifest below it that was asked
    /// for.
    pub fn subjects(&self) -> impl Iterator<Item = &VerifiedSubject> {
        self.outcome.verdicts().filter_map(|verdict| match verdict {
            Verdict::Accepted(subject) => Some(subject),
            Verdict::Incomplete { .. } | Verdict::Refused(_) | Verdict::Unknown { .. } => None,
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
    /// Whether it is a no. Otherwise nobody can tell.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Contradiction(_) | Self::Refused(_))
    }

    /// The same, without the verdicts on the children that were accepted: a report then shows what is in the way.
    pub(super) fn without_accepted_children(mut self) -> Self {
        if let Self::Refused(outcome) | Self::Undetermined { outcome: Some(outcome), .. } = &mut self {
            outcome.children.retain(|(_, _, verdict)| !matches!(verdict, Verdict::Accepted(_)));
        }
        self
    }

    /// The verdicts, for a report.
    ///
    /// # Errors
    /// [`OpsError`] where there are none, since the image could not be read.
    pub fn into_outcome(self) -> Result<Outcome, OpsError> {
        match self {
            Self::Contradiction(error) => Err(error),
            Self::Refused(outcome) | Self::Undetermined { outcome: Some(outcome), .. } => Ok(*outcome),
            Self::Undetermined { causes, outcome: None } => match causes.into_iter().next() {
                Some(Cause::Content(error)) => Err(Arc::try_unwrap(error).unwrap_or(OpsError::Task)),
                Some(Cause::Store(error)) => Err(error.into()),
                Some(Cause::Evidence(_)) | None => Err(OpsError::Task),
            },
        }
    }
}

impl From<OpsError> for NotVerified {
    fn from(error: OpsError) -> Self {
        match error.is_refusal() {
            true => Self::Contradiction(error),
            false => Self::Undetermined { causes: NonEmpty::one(Cause::Content(Arc::new(error))), outcome: None },
        }
    }
}

impl From<StoreError> for NotVerified {
    fn from(error: StoreError) -> Self {
        OpsError::from(error).into()
    }
}

/// The first requirement that is not met.
fn summary(outcome: &Outcome) -> String {
    let refused = outcome.verdicts().find_map(|verdict| match verdict {
        Verdict::Refused(refusal) => Some(refusal.to_string()),
        Verdict::Accepted(_) | Verdict::Incomplete { .. } | Verdict::Unknown { .. } => None,
    });
    refused.unwrap_or_else(|| outcome.subject.to_string())
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(error) => error.fmt(f),
            Self::Evidence(finding) => finding.reason.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}
