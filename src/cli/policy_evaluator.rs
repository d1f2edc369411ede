//! `PolicyEvaluator`: evaluates images by all policy files of the command line, each image resolved once.

use std::sync::Arc;

use bulla::digest::Digest;
use bulla::envelope::AttestationFile;
use bulla::envelope::Strictness;
use bulla::limits::Limits;
use bulla::oci::Content;
use bulla::oci::Platform;
use bulla::oci::Reference;
use bulla::oci::RepositoryName;
use bulla::oci::TagOrDigest;
use bulla::ops::policy;
use bulla::ops::policy::PolicyEvaluation;
use bulla::ops::policy::PolicyOptions;
use bulla::ops::policy::PolicyOutcome;
use bulla::ops::revocation::RevocationLookup;
use bulla::store::Source;
use bulla::time::Time;
use bulla::trust::RevocationCheck;

use super::exit::Exit;
use super::exit::Failure;
use super::policy_set::PolicySet;

/// How images are evaluated by policy files.
#[derive(Clone, Copy)]
pub(super) struct PolicyEvaluator<'a> {
    /// The files of `--evidence`.
    pub(super) evidence: &'a [AttestationFile],
    pub(super) limits: &'a Limits,
    pub(super) lookup: Option<&'a RevocationLookup>,
    pub(super) now: Time,
    pub(super) platform: Option<&'a Platform>,
    pub(super) policies: &'a PolicySet,
    pub(super) revocation: Option<&'a Arc<RevocationCheck>>,
    pub(super) strictness: Strictness,
}

/// The name by which an image is evaluated: the repository, and the tag if it was asked for by one.
#[derive(Clone, Debug)]
pub(super) struct EvaluatedName {
    /// Whether it is that of a reference to a registry.
    pub(super) is_of_registry: bool,
    pub(super) repository: RepositoryName,
    pub(super) tag: Option<String>,
}

/// What each policy file says of an image, at least one.
pub(super) struct EvaluatedByPolicies<'a> {
    pub(super) outcomes: Arc<Vec<(&'a str, PolicyOutcome<'a>)>>,
}

impl EvaluatedName {
    /// The name of `reference`. An image in a layout or archive has no name but the one of `--as`: what stands in a file
    /// is not the operator's word.
    pub(super) fn of(reference: &str, judged_as: Option<&str>) -> Result<Self, Failure> {
        match (reference.parse::<Reference>()?, judged_as) {
            (Reference::Registry(registry), None) => {
                let tag = match registry.tag_or_digest() {
                    TagOrDigest::Tag(tag) => Some(tag.clone()),
                    TagOrDigest::Digest(_) => None,
                };
                Ok(Self { is_of_registry: true, repository: RepositoryName::of(&registry), tag })
            }
            (Reference::Registry(_), Some(_)) => {
                let message = format!("`{reference}` has a name, and --as is for images in layouts and archives");
                Err(Failure::unknown(message).hint("leave out --as, or verify these images by themselves"))
            }
            (_, Some(name)) => Self::given(name),
            (_, None) => {
                let message = format!("`{reference}` has no name by which a policy could judge it");
                Err(Failure::unknown(message).hint("--as HOST/REPOSITORY[:TAG]"))
            }
        }
    }

    /// The name that was typed: a repository, perhaps with a tag.
    pub(super) fn given(name: &str) -> Result<Self, Failure> {
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            Some(_) | None => (name, None),
        };
        let repository = RepositoryName::normalised(repository);
        let repository =
            repository.map_err(|error| Failure::unknown(error.to_string()).hint("--as HOST/REPOSITORY"))?;
        let has_tag = || match name.parse::<Reference>() {
            Ok(Reference::Registry(typed)) => matches!(typed.tag_or_digest(), TagOrDigest::Tag(_)),
            Ok(_) | Err(_) => false,
        };
        if tag.is_some() && !has_tag() {
            let message = format!("`{name}`: what follows the colon is no tag");
            return Err(Failure::unknown(message).hint("--as HOST/REPOSITORY[:TAG]"));
        }
        Ok(Self { is_of_registry: false, repository, tag })
    }
}

impl<'a> PolicyEvaluator<'a> {
    /// The options for an image with this name.
    pub(super) fn options<'n>(&self, name: &'n EvaluatedName) -> PolicyOptions<'n>
    where
        'a: 'n,
    {
        PolicyOptions::new(&name.repository, self.now, self.limits)
            .with_evidence(self.evidence)
            .with_lookup(self.lookup)
            .with_platform(self.platform)
            .with_revocation(self.revocation)
            .with_strictness(self.strictness)
            .with_tag(name.tag.as_deref())
    }

    /// Evaluates the image with the manifest `root` by every policy.
    pub(super) async fn evaluate(
        &self,
        source: &dyn Source,
        root: &Content,
        options: PolicyOptions<'_>,
    ) -> Result<EvaluatedByPolicies<'a>, Failure> {
        let policies = self.policies.named();
        Ok(policy::evaluate_by_all(source, root, &policies, options).await?.into())
    }
}

impl<'a> From<PolicyEvaluation<'a>> for EvaluatedByPolicies<'a> {
    fn from(evaluation: PolicyEvaluation<'a>) -> Self {
        Self { outcomes: evaluation.outcomes }
    }
}

impl EvaluatedByPolicies<'_> {
    /// The digest that was evaluated.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.outcomes.first().map(|(_, outcome)| outcome.digest())
    }

    /// The exit code: yes only if every policy lets the image in.
    pub(super) fn exit(&self) -> Exit {
        let exit = |outcome: &PolicyOutcome<'_>| match (outcome.is_let_in(), outcome.is_refusal()) {
            (true, _) => Exit::Yes,
            (false, true) => Exit::Refused,
            (false, false) => Exit::Unknown,
        };
        match self.outcomes.is_empty() {
            true => Exit::Unknown,
            false => self.outcomes.iter().map(|(_, outcome)| exit(outcome)).fold(Exit::Yes, Exit::and),
        }
    }
}
