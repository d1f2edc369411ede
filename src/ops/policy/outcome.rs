//! `PolicyOutcome`: what a policy file says of one image. `PolicyEvaluation`: what several say of it.

use std::sync::Arc;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::RepositoryName;
use crate::ops::discover::DiscoverUntil;
use crate::policy::Policy;
use crate::policy_file::Exemption;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::PolicyRefusal;
use crate::policy_file::RequiredOf;
use crate::policy_file::document::Date;
use crate::store::StoreError;
use crate::time::Time;
use crate::verify::AcceptedImage;
use crate::verify::ImageRefusal;

/// What a policy file says of one image.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct PolicyOutcome<'p> {
    /// The manifest of the platform that was asked for. It is a child of the root.
    pub chosen: Option<Digest>,
    /// Whether all evidence was looked for, or only what the policy needed.
    pub(super) discovered: DiscoverUntil,
    /// The name by which it was evaluated.
    pub name: RepositoryName,
    /// The verification time.
    pub now: Time,
    /// The policy.
    pub policy: &'p LoadedPolicy,
    /// The manifest or index that the reference resolves to.
    pub root: Content,
    /// The lists and manifests that could not be read.
    pub unread: Vec<StoreError>,
    /// The verdict.
    pub verdict: PolicyVerdict<'p>,
}

/// The verdict of a policy file on one image.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum PolicyVerdict<'p> {
    /// Yes: every requirement is met.
    Accepted(Required<'p>, Box<AcceptedImage>),
    /// The operator lets it in without a signature. Nothing was verified.
    Exempted(Exemption<'p>),
    /// Could not tell: the policy has expired.
    Expired(Date),
    /// No, whatever is signed.
    Refused(PolicyRefusal<'p>),
    /// No, or could not tell: a requirement is not met. The decision of the refusal says which.
    Unmet(Required<'p>, Box<ImageRefusal>),
}

/// The requirements on one image: as the policy file has them, and as they were evaluated.
#[derive(Debug)]
#[non_exhaustive]
pub struct Required<'p> {
    /// The block, its requirements, and the exceptions that were used.
    pub file: RequiredOf<'p>,
    /// The same requirements, as they were evaluated.
    pub policy: Policy,
}

/// What several policy files say of one image. All of them must let it in.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct PolicyEvaluation<'p> {
    /// The name of each policy file, and what it says.
    pub outcomes: Arc<Vec<(&'p str, PolicyOutcome<'p>)>>,
}

impl PolicyEvaluation<'_> {
    /// Whether every policy lets the image in. Nothing is let in by no policy at all.
    pub fn is_let_in(&self) -> bool {
        !self.outcomes.is_empty() && self.outcomes.iter().all(|(_, outcome)| outcome.is_let_in())
    }

    /// Whether a policy says no. Otherwise it is let in, or that could not be decided.
    pub fn is_refusal(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| outcome.is_refusal())
    }
}

impl PolicyOutcome<'_> {
    /// Whether the image may be moved or run: it is accepted, or exempted.
    pub const fn is_let_in(&self) -> bool {
        matches!(self.verdict, PolicyVerdict::Accepted(..) | PolicyVerdict::Exempted(_))
    }

    /// Whether it is a no. Otherwise it is let in, or that could not be decided.
    pub fn is_refusal(&self) -> bool {
        match &self.verdict {
            PolicyVerdict::Refused(_) => true,
            PolicyVerdict::Unmet(_, refusal) => !refusal.is_undetermined(),
            PolicyVerdict::Accepted(..) | PolicyVerdict::Exempted(_) | PolicyVerdict::Expired(_) => false,
        }
    }

    /// The digest that was evaluated: that of the platform, if one was asked for.
    pub fn digest(&self) -> Digest {
        self.chosen.unwrap_or(*self.root.digest())
    }
}
