//! `AcceptedImage`: an image that a policy accepted, with everything that the verdict depends on. A proof type.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;
use crate::oci::Platform;
use crate::policy::Decision;
use crate::policy::PolicyId;
use crate::time::Time;
use crate::trust::TrustVersion;
use crate::verify::AcceptedSignature;
use crate::verify::Finding;
use crate::verify::RequirementVerdict;
use crate::verify::Verifier;

/// An image that the policy of a [`Verifier`] accepted: the manifest or index that was evaluated, the manifests of its
/// platforms, and the evidence about each. Only a verifier makes one.
///
/// ```compile_fail,E0624
/// use bulla::verify::AcceptedImage;
///
/// let forged = AcceptedImage::proven;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AcceptedImage {
    chosen: Option<Digest>,
    digest: Digest,
    expiry_at: Time,
    findings: Vec<(Digest, Arc<Finding>)>,
    now: Time,
    parts: Vec<AcceptedPart>,
    policy: PolicyId,
    requirements: Vec<RequirementVerdict>,
    trust: TrustVersion,
}

/// A manifest of an image, and the signatures about it that count for a requirement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcceptedPart {
    /// The signatures; none if others decide.
    pub accepted: Vec<AcceptedSignature>,
    /// The digest of the manifest.
    pub digest: Digest,
    /// Statements that do not count and may decide nevertheless, of kinds where only the newest of each owner counts, and
    /// VEX documents. A caller that carries `accepted` elsewhere must carry these too: without them an older statement
    /// would decide there. Those whose signer made a newer one of the same type about this manifest are not among them.
    pub not_counted: Vec<AcceptedSignature>,
    /// The platform that the index names for it.
    pub platform: Option<Platform>,
}

/// Why a policy does not accept an image: the verdict on every requirement, and everything that did not count.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct ImageRefusal {
    /// Whether this is a no or could-not-tell; never [`Decision::Met`].
    pub decision: Decision,
    /// The evidence that did not count, each with the manifest that it was found for, and why.
    pub findings: Vec<(Digest, Arc<Finding>)>,
    /// The manifests of the image, the root first, with the signatures that count for a requirement.
    pub parts: Vec<AcceptedPart>,
    /// The verdict on each requirement, in the order of the policy.
    pub requirements: Vec<RequirementVerdict>,
    /// The digest of the manifest or index that was evaluated.
    pub root: Digest,
}

impl AcceptedImage {
    pub(super) fn proven(
        verifier: &Verifier,
        (digest, chosen, parts): (Digest, Option<Digest>, Vec<AcceptedPart>),
        requirements: Vec<RequirementVerdict>,
        findings: Vec<(Digest, Arc<Finding>)>,
        now: Time,
    ) -> Self {
        let (policy, trust) = (verifier.policy().id(), verifier.trust().version());
        let expiry_at = verifier.expiry_at().unwrap_or(now);
        Self { chosen, digest, expiry_at, findings, now, parts, policy, requirements, trust }
    }

    /// The digest of the manifest or index that was evaluated, never a name. To move or run is
    /// [`AcceptedImage::accepted_digest`].
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The digest to move or run: that of the platform to which the verification was narrowed, or of the image itself.
    pub fn accepted_digest(&self) -> &Digest {
        self.chosen.as_ref().unwrap_or(&self.digest)
    }

    /// The time at which expiry was judged: [`AcceptedImage::verified_at`], unless the verifier was given another.
    pub const fn expiry_judged_at(&self) -> Time {
        self.expiry_at
    }

    /// The evidence that did not count, each with the manifest that it was found for, and why.
    pub fn findings(&self) -> &[(Digest, Arc<Finding>)] {
        &self.findings
    }

    /// The manifests that it was accepted for, the root first, each with the signatures about it.
    pub fn parts(&self) -> &[AcceptedPart] {
        &self.parts
    }

    /// The policy that accepted it.
    pub const fn policy(&self) -> PolicyId {
        self.policy
    }

    /// The verdict on each requirement, in the order of the policy.
    pub fn requirements(&self) -> &[RequirementVerdict] {
        &self.requirements
    }

    /// The version of the trust root with which it was accepted.
    pub const fn trust(&self) -> TrustVersion {
        self.trust
    }

    /// The verification time.
    pub const fn verified_at(&self) -> Time {
        self.now
    }
}

impl ImageRefusal {
    /// Whether this is could-not-tell: something that could not be read might have met the policy.
    pub fn is_undetermined(&self) -> bool {
        self.decision != Decision::Unmet
    }

    /// The findings, ranked: the evidence that came nearest to counting first.
    pub fn ranked(&self) -> Vec<&Finding> {
        let mut ranked: Vec<_> = self.findings.iter().map(|(_, finding)| finding.as_ref()).collect();
        ranked.sort_by_key(|finding| finding.reason.rank());
        ranked
    }
}

/// The first requirement that is not met.
impl fmt::Display for ImageRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unmet = self.requirements.iter().find(|verdict| verdict.decision == self.decision);
        match unmet {
            Some(RequirementVerdict { code, got, id, want, .. }) => {
                write!(f, "requirement `{id}`: {code}, {got} of {want} owners count, of {}", self.root)
            }
            None => write!(f, "the policy is not met by {}", self.root),
        }
    }
}
