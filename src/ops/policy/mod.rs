//! policy: evaluate an image by a policy file: resolve it once, choose the block for its name, discover, decide.
//!
//! The name chooses the block of the policy, so it comes from the operator alone: the reference that was typed, or the
//! destination of a copy. Nothing in an image names it.

mod artifact;
mod blocked;
mod import;
mod mark;
mod marks;
mod outcome;

use std::sync::Arc;

use crate::envelope::AttestationFile;
use crate::envelope::Strictness;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Platform;
use crate::oci::RepositoryName;
use crate::oci::TagOrDigest;
use crate::ops::OpsError;
use crate::ops::discover::DiscoverUntil;
use crate::ops::graph::Closure;
use crate::ops::graph::Graph;
use crate::ops::layers;
use crate::ops::outcome::LayersRead;
use crate::ops::pinned;
use crate::ops::revocation::RevocationLookup;
use crate::ops::verify_image;
use crate::ops::verify_image::AskedPart;
use crate::ops::verify_image::EvidenceLookup;
use crate::ops::verify_options::Depth;
use crate::ops::verify_options::VerifyOptions;
use crate::policy_file::ImageAsked;
use crate::policy_file::LoadedPolicy;
use crate::policy_file::PolicyFor;
use crate::policy_file::PolicyRefusal;
use crate::policy_file::RequiredOf;
use crate::policy_file::RequiredPolicyError;
use crate::store::Source;
use crate::time::Time;
use crate::trust::RevocationCheck;
use crate::verify::Verifier;

pub use artifact::PolicyArtifact;
pub use artifact::PolicyArtifactError;
pub use import::NotLetIn;
pub use import::PolicyGraph;
pub use mark::EvidenceMark;
pub use marks::EvidenceMarks;
pub use outcome::PolicyEvaluation;
pub use outcome::PolicyOutcome;
pub use outcome::PolicyVerdict;
pub use outcome::Required;

/// The options of a verification by a policy file.
#[derive(Clone, Copy, Debug)]
pub struct PolicyOptions<'a> {
    evidence: &'a [AttestationFile],
    limits: &'a Limits,
    lookup: EvidenceLookup<'a>,
    name: &'a RepositoryName,
    now: Time,
    part: AskedPart<'a>,
    revocation: Option<&'a Arc<RevocationCheck>>,
    strictness: Strictness,
    tag: Option<&'a str>,
    until: DiscoverUntil,
}

impl<'a> PolicyOptions<'a> {
    /// The image is evaluated by this name, without tag and digest, as of `now`. Evidence is discovered until the policy is
    /// met, about all platforms, and revocation is not checked.
    pub const fn new(name: &'a RepositoryName, now: Time, limits: &'a Limits) -> Self {
        let (until, strictness) = (DiscoverUntil::PolicyMet, Strictness::Strict);
        let (lookup, part, revocation, tag) = (EvidenceLookup::Nowhere, AskedPart::All, None, None);
        Self { evidence: &[], limits, lookup, name, now, part, revocation, strictness, tag, until }
    }

    /// The same for all evidence that could count, as an import carries it along.
    #[must_use]
    pub const fn with_all_evidence(self) -> Self {
        Self { until: DiscoverUntil::AllFound, ..self }
    }

    /// The same with the attestations of these files, beside what is attached to the image.
    #[must_use]
    pub const fn with_evidence(self, evidence: &'a [AttestationFile]) -> Self {
        Self { evidence, ..self }
    }

    /// The same with a lookup of more revocation evidence; `None` for no lookup.
    #[must_use]
    pub const fn with_lookup(self, lookup: Option<&'a RevocationLookup>) -> Self {
        let lookup = match lookup {
            Some(lookup) => EvidenceLookup::Asked(lookup),
            None => EvidenceLookup::Nowhere,
        };
        Self { lookup, ..self }
    }

    /// The same for a copy of the image at its destination, by this name and for all platforms: with what the lookup found
    /// before, without files, since what counted has to be there, until the policy is met.
    const fn at_destination(self, name: &'a RepositoryName) -> Self {
        let lookup = match self.lookup {
            EvidenceLookup::Asked(lookup) | EvidenceLookup::Known(lookup) => EvidenceLookup::Known(lookup),
            EvidenceLookup::Nowhere => EvidenceLookup::Nowhere,
        };
        Self { evidence: &[], lookup, name, part: AskedPart::All, until: DiscoverUntil::PolicyMet, ..self }
    }

    /// The same for one platform of an index; `None` for all.
    #[must_use]
    pub const fn with_platform(self, platform: Option<&'a Platform>) -> Self {
        Self { part: AskedPart::of_platform(platform), ..self }
    }

    /// The same for one manifest of an index, which the caller has found there, in the place of a platform.
    pub(in crate::ops) const fn with_manifest(self, manifest: &'a Descriptor) -> Self {
        Self { part: AskedPart::Manifest(manifest), ..self }
    }

    /// The same with a check of the revocation status of certificates; `None` for no check.
    #[must_use]
    pub const fn with_revocation(self, revocation: Option<&'a Arc<RevocationCheck>>) -> Self {
        Self { revocation, ..self }
    }

    /// The same with this reader of envelopes of the Notary Project.
    #[must_use]
    pub const fn with_strictness(self, strictness: Strictness) -> Self {
        Self { strictness, ..self }
    }

    /// The limits.
    pub(in crate::ops) const fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// The platform that is asked for.
    pub(in crate::ops) const fn platform(&self) -> Option<&'a Platform> {
        match self.part {
            AskedPart::Platform(platform) => Some(platform),
            AskedPart::All | AskedPart::Manifest(_) => None,
        }
    }

    /// The same for an image that was asked for by this tag; `None` if it was asked for by digest.
    #[must_use]
    pub const fn with_tag(self, tag: Option<&'a str>) -> Self {
        Self { tag, ..self }
    }
}

/// Evaluates the image at `tag_or_digest` by a policy file.
///
/// # Errors
/// [`OpsError`] where the image cannot be read: could not tell.
pub async fn evaluate<'p>(
    source: &dyn Source,
    tag_or_digest: &TagOrDigest,
    policy: &'p LoadedPolicy,
    options: PolicyOptions<'_>,
) -> Result<PolicyOutcome<'p>, OpsError> {
    let root = pinned::resolve(source, tag_or_digest).await?;
    evaluate_content(source, root, policy, options).await
}

/// Evaluates the image with the manifest `root`, which was fetched already, by each of `policies`, with the name of its file.
///
/// # Errors
/// As [`evaluate`].
pub async fn evaluate_by_all<'p>(
    source: &dyn Source,
    root: &Content,
    policies: &[(&'p str, &'p LoadedPolicy)],
    options: PolicyOptions<'_>,
) -> Result<PolicyEvaluation<'p>, OpsError> {
    let mut outcomes = Vec::new();
    for (file, policy) in policies {
        outcomes.push((*file, evaluate_content(source, root.clone(), policy, options).await?));
    }
    Ok(PolicyEvaluation { outcomes: Arc::new(outcomes) })
}

/// As [`evaluate`], for a manifest that was fetched already.
///
/// # Errors
/// As [`evaluate`].
pub async fn evaluate_content<'p>(
    source: &dyn Source,
    root: Content,
    policy: &'p LoadedPolicy,
    options: PolicyOptions<'_>,
) -> Result<PolicyOutcome<'p>, OpsError> {
    let PolicyOptions { limits, name, now, part, tag, .. } = options;
    let outcome = |root, chosen, verdict, unread| PolicyOutcome {
        chosen,
        discovered: options.until,
        name: name.clone(),
        now,
        policy,
        root,
        unread,
        verdict,
    };
    let decided = policy.decide_for(ImageAsked::new(name, root.digest()).with_tag(tag), now);
    let blocked = match &decided {
        PolicyFor::Exempted(_) | PolicyFor::Required(_) => blocked::below(source, &root, policy, limits).await?,
        PolicyFor::Expired(_) | PolicyFor::Refused(_) => None,
    };
    let verdict = match (blocked, decided) {
        (Some(blocked), _) => PolicyVerdict::Refused(PolicyRefusal::Blocked(blocked)),
        (None, PolicyFor::Exempted(exemption)) => PolicyVerdict::Exempted(exemption),
        (None, PolicyFor::Expired(date)) => PolicyVerdict::Expired(date),
        (None, PolicyFor::Refused(refusal)) => PolicyVerdict::Refused(refusal),
        (None, PolicyFor::Required(required)) => {
            let verifier = verifier(policy, &required, options)?;
            let (until, depth, revocation) = (options.until, Depth::Manifests, None);
            let verification =
                VerifyOptions { verifier: &verifier, until, now, depth, revocation, limits, files: options.evidence };
            let found = verify_image::evaluate(source, &root, part, verification, options.lookup).await?;
            let required = Required { file: required, policy: verifier.policy().clone() };
            let verdict = match found.verdict {
                Ok(image) => PolicyVerdict::Accepted(required, Box::new(image)),
                Err(refusal) => PolicyVerdict::Unmet(required, Box::new(refusal)),
            };
            return Ok(outcome(root, found.chosen, verdict, found.unread));
        }
    };
    Ok(outcome(root, None, verdict, Vec::new()))
}

/// Reads every config and layer of an image that policies let in, and checks it against its digest and size.
///
/// # Errors
/// [`OpsError::Incomplete`] where one of them is missing or wrong.
pub async fn read_layers(source: &Arc<dyn Source>, root: &Content, limits: &Limits) -> Result<LayersRead, OpsError> {
    let graph = Graph::collect_with_any_sizes(source.as_ref(), root.clone(), Closure::Image, limits).await?;
    layers::read_all(source, &graph, limits).await
}

/// The verifier of what a policy file requires of one image.
fn verifier(
    policy: &LoadedPolicy,
    required: &RequiredOf<'_>,
    options: PolicyOptions<'_>,
) -> Result<Verifier, OpsError> {
    let trust = policy.trust().ok_or(RequiredPolicyError::Nothing)?;
    let verifier = Verifier::new(trust.clone(), policy.compiled(required)?, options.limits.clone());
    let verifier = verifier.map_err(OpsError::Verifier)?.with_envelope_reader(options.strictness);
    Ok(match options.revocation {
        Some(check) => verifier.with_revocation(Arc::clone(check)),
        None => verifier,
    })
}
